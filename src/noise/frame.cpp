#include "leither/noise/frame.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::noise {

namespace {

constexpr std::size_t kFrameOverhead = kFrameHeaderSize + kTagSize;

void put_length(std::span<std::uint8_t> header, std::size_t length) {
    header[0] = static_cast<std::uint8_t>(length >> 8);
    header[1] = static_cast<std::uint8_t>(length);
}

// Header included. REQUIRES: bytes.size() >= kFrameHeaderSize.
std::size_t frame_size(ByteView bytes) {
    return kFrameHeaderSize + std::size_t{bytes[0]} * 256 + bytes[1];
}

bool is_whole_frame(ByteView bytes) {
    return bytes.size() >= kFrameHeaderSize && bytes.size() >= frame_size(bytes);
}

void change_key_when_due(Cipher& cipher) {
    if (cipher.nonce() % kFramesPerKey == 0) cipher.rekey();
}

FrameError frame_error(CipherError error) {
    switch (error) {
        case CipherError::not_authentic: return FrameError::not_authentic;
        case CipherError::exhausted: return FrameError::exhausted;
    }
    UNREACHABLE();
}

}  // namespace

const char* to_string(FrameError error) {
    switch (error) {
        case FrameError::too_short: return "too_short";
        case FrameError::not_authentic: return "not_authentic";
        case FrameError::exhausted: return "exhausted";
    }
    UNREACHABLE();
}

std::size_t FrameWriter::sealed_size(std::size_t plain_size) {
    const std::size_t frames = (plain_size + kFramePlainMax - 1) / kFramePlainMax;
    return plain_size + frames * kFrameOverhead;
}

Result<Bytes, CipherError> FrameWriter::seal(ByteView plain) {
    Bytes frames(sealed_size(plain.size()));
    std::span<std::uint8_t> rest(frames);
    while (!plain.empty()) {
        const std::size_t size = std::min(plain.size(), kFramePlainMax);
        put_length(rest, size + kTagSize);
        TRY(cipher_.encrypt({}, plain.first(size),
                            rest.subspan(kFrameHeaderSize, size + kTagSize)));
        change_key_when_due(cipher_);
        plain = plain.subspan(size);
        rest = rest.subspan(size + kFrameOverhead);
    }
    return frames;
}

// Moves what the unfinished frame still lacks, or as much as there is, into it; returns the rest.
ByteView FrameReader::complete_partial(ByteView received) {
    const auto take = [&](std::size_t size) {
        size = std::min(size, received.size());
        partial_.insert(partial_.end(), received.begin(),
                        received.begin() + static_cast<std::ptrdiff_t>(size));
        received = received.subspan(size);
    };
    if (partial_.size() < kFrameHeaderSize) take(kFrameHeaderSize - partial_.size());
    if (partial_.size() >= kFrameHeaderSize) take(frame_size(partial_) - partial_.size());
    return received;
}

Result<void, FrameError> FrameReader::open_frame(ByteView frame, Bytes& plain) {
    if (frame.size() <= kFrameOverhead) return fail(FrameError::too_short);
    const std::size_t begin = plain.size();
    plain.resize(begin + frame.size() - kFrameOverhead);
    const auto done =
        cipher_.decrypt({}, frame.subspan(kFrameHeaderSize), std::span(plain).subspan(begin));
    if (!done) return fail(frame_error(done.error()));
    change_key_when_due(cipher_);
    return {};
}

Result<Bytes, FrameError> FrameReader::open(ByteView received) {
    CHECK(!failed_);
    failed_ = true;  // until the end is reached
    Bytes plain;
    plain.reserve(partial_.size() + received.size());
    if (!partial_.empty()) {
        received = complete_partial(received);
        if (is_whole_frame(partial_)) {
            TRY(open_frame(partial_, plain));
            partial_ = Bytes();  // an idle connection holds no memory
        }
    }
    while (is_whole_frame(received)) {
        const std::size_t size = frame_size(received);
        TRY(open_frame(received.first(size), plain));
        received = received.subspan(size);
    }
    partial_.insert(partial_.end(), received.begin(), received.end());
    failed_ = false;
    return plain;
}

}  // namespace leither::noise
