// Encrypted frames from a stranger, cut anywhere: what comes out does not depend on the cuts and is
// never anything but the start of what went in.
#include <algorithm>
#include <optional>

#include "leither/base/check.h"
#include "leither/noise/frame.h"

namespace {

using namespace leither;

constexpr std::uint64_t kFirstNonce = noise::kFramesPerKey - 3;  // the key changes on the way

noise::Cipher cipher() {
    return noise::Cipher(crypto::AeadKey::copy_of(Bytes(32, 1)), kFirstNonce);
}

struct Outcome {
    Bytes plain;
    bool refused = false;
};

// Feeds `wire` in pieces whose lengths are `cuts` in turn.
Outcome open(ByteView wire, ByteView cuts) {
    noise::FrameReader reader(cipher());
    Outcome outcome;
    for (std::size_t i = 0; !wire.empty() && !outcome.refused; ++i) {
        const std::size_t wanted = cuts.empty() ? wire.size() : cuts[i % cuts.size()] + 1U;
        const ByteView piece = wire.first(std::min(wanted, wire.size()));
        wire = wire.subspan(piece.size());
        const auto opened = reader.open(piece);
        outcome.refused = !opened;
        if (!opened) continue;
        CHECK(opened->size() < piece.size() + noise::kMessageMax);
        CHECK(reader.pending() < noise::kFrameHeaderSize + noise::kMessageMax);
        outcome.plain.insert(outcome.plain.end(), opened->begin(), opened->end());
    }
    return outcome;
}

bool starts_with(ByteView whole, ByteView start) {
    return start.size() <= whole.size() && std::ranges::equal(whole.first(start.size()), start);
}

void check_strange(ByteView wire, ByteView cuts) {
    const Outcome whole = open(wire, {});
    const Outcome cut = open(wire, cuts);
    CHECK(whole.refused == cut.refused);
    CHECK(starts_with(cut.plain, whole.plain));
    CHECK(whole.refused || whole.plain == cut.plain);
}

// `text` is sent as several messages, and arrives with one byte altered if `edit` says so.
void check_sent(ByteView text, ByteView cuts, std::optional<std::size_t> edit) {
    noise::FrameWriter writer(cipher());
    Bytes wire;
    for (ByteView rest = text; !rest.empty();) {
        const std::size_t size = (rest.size() + 1) / 2;
        const Bytes frames = writer.seal(rest.first(size)).value();
        wire.insert(wire.end(), frames.begin(), frames.end());
        rest = rest.subspan(size);
    }
    if (edit && !wire.empty()) {
        std::uint8_t& byte = wire[*edit % wire.size()];
        byte = static_cast<std::uint8_t>(byte ^ 1);
    }
    const Outcome outcome = open(wire, cuts);
    CHECK(starts_with(text, outcome.plain));
    if (!edit) CHECK(!outcome.refused && outcome.plain.size() == text.size());
    if (edit && !text.empty()) CHECK(outcome.plain.size() < text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    const ByteView cuts(data + 1, 2);
    const ByteView rest(data + 3, size - 3);
    switch (data[0] % 3) {
        case 0: check_strange(rest, cuts); break;
        case 1: check_sent(rest, cuts, std::nullopt); break;
        case 2: check_sent(rest.subspan(1), cuts, std::size_t{rest[0]} * 257); break;
    }
    return 0;
}
