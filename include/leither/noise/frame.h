// A stream of bytes in encrypted frames: length u16 big-endian | ciphertext and tag
// (docs/protocol/transport.md). Frame borders mean nothing: what comes out is the stream that went
// in, so far as it has arrived whole and unaltered.
#pragma once

#include <utility>

#include "leither/noise/cipher.h"

namespace leither::noise {

inline constexpr std::size_t kFrameHeaderSize = 2;
inline constexpr std::size_t kFramePlainMax = kMessageMax - kTagSize;
// Both sides take a new key after this many frames of a direction: at most 4 GiB under one.
inline constexpr std::uint64_t kFramesPerKey = 65'536;

enum class FrameError : std::uint8_t {
    too_short,      // a length that leaves no byte of text
    not_authentic,  // see CipherError
    exhausted,      // see CipherError
};
const char* to_string(FrameError error);

class FrameWriter {
 public:
    explicit FrameWriter(Cipher cipher) : cipher_(std::move(cipher)) {}

    // The frames that carry `plain`; none for nothing.
    Result<Bytes, CipherError> seal(ByteView plain);
    // Of all frames that carry so many bytes.
    static std::size_t sealed_size(std::size_t plain_size);

 private:
    Cipher cipher_;
};

// Holds at most one frame, and no more memory for it than bytes have arrived (times two). After an
// error the stream is lost: nothing more may be fed.
class FrameReader {
 public:
    explicit FrameReader(Cipher cipher) : cipher_(std::move(cipher)) {}

    // The text of every frame that `received` completes, however it is cut.
    Result<Bytes, FrameError> open(ByteView received);
    // Bytes of an unfinished frame.
    std::size_t pending() const { return partial_.size(); }

 private:
    ByteView complete_partial(ByteView received);
    Result<void, FrameError> open_frame(ByteView frame, Bytes& plain);

    Cipher cipher_;
    Bytes partial_;
    bool failed_ = false;
};

}  // namespace leither::noise
