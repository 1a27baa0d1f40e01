#include "leither/peer/context.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::peer {

namespace {

constexpr std::array<std::uint8_t, 4> kMagic = {'L', 'T', 'H', 'R'};
constexpr std::uint8_t kVersionOnWire = 1;
constexpr std::size_t kVersionAt = kMagic.size();
constexpr std::size_t kPatternAt = kVersionAt + 1;
constexpr std::size_t kKindAt = kPatternAt + 1;
constexpr std::size_t kIdAt = kKindAt + 1;
static_assert(kIdAt + 32 == kPreambleBytes);

}  // namespace

Context Context::of(const ChainId& chain) {
    Context context;
    context.kind_ = Kind::chain;
    std::ranges::copy(chain.view(), context.id_.begin());
    return context;
}

Context Context::of(const Id& organization) {
    Context context;
    context.kind_ = Kind::organization;
    std::ranges::copy(organization.view(), context.id_.begin());
    return context;
}

std::optional<Context> Context::from(std::uint8_t kind, ByteView id) {
    if (id.size() != ChainId::kSize) return std::nullopt;
    if (kind == static_cast<std::uint8_t>(Kind::chain)) return of(ChainId::copy_of(id));
    if (kind != static_cast<std::uint8_t>(Kind::organization)) return std::nullopt;
    const ByteView padding = id.subspan(Id::kSize);
    if (std::ranges::any_of(padding, [](std::uint8_t byte) { return byte != 0; })) {
        return std::nullopt;
    }
    return of(Id::copy_of(id.first(Id::kSize)));
}

ChainId Context::chain() const {
    return kind_ == Kind::chain ? ChainId::copy_of(id_) : ChainId{};
}

const char* to_string(Pattern pattern) {
    switch (pattern) {
        case Pattern::xk: return "xk";
        case Pattern::xx: return "xx";
    }
    UNREACHABLE();
}

std::array<std::uint8_t, kPreambleBytes> Preamble::encode() const {
    std::array<std::uint8_t, kPreambleBytes> out{};
    std::ranges::copy(kMagic, out.begin());
    out[kVersionAt] = kVersionOnWire;
    out[kPatternAt] = static_cast<std::uint8_t>(pattern);
    out[kKindAt] = static_cast<std::uint8_t>(context.kind());
    std::ranges::copy(context.id(), out.begin() + kIdAt);
    return out;
}

std::optional<Preamble> Preamble::decode(ByteView bytes) {
    CHECK(bytes.size() == kPreambleBytes);
    if (!std::ranges::equal(bytes.first(kMagic.size()), kMagic)) return std::nullopt;
    if (bytes[kVersionAt] != kVersionOnWire) return std::nullopt;
    if (bytes[kPatternAt] > static_cast<std::uint8_t>(Pattern::xx)) return std::nullopt;
    const auto context = Context::from(bytes[kKindAt], bytes.subspan(kIdAt));
    if (!context) return std::nullopt;
    return Preamble{static_cast<Pattern>(bytes[kPatternAt]), *context};
}

}  // namespace leither::peer
