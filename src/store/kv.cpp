#include "leither/store/kv.h"

#include "leither/base/check.h"

namespace leither::store {

namespace {

constexpr std::size_t kVersionKeySize = 8 + 1 + 4;

template <class U>
void append_big_endian(Bytes& out, U value) {
    for (std::size_t i = sizeof(U); i-- > 0;)
        out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

template <class U>
U big_endian(ByteView bytes) {
    U value = 0;
    for (const std::uint8_t byte : bytes) value = static_cast<U>(value << 8 | byte);
    return value;
}

}  // namespace

const char* to_string(Fault::Kind kind) {
    switch (kind) {
        case Fault::Kind::io: return "io";
        case Fault::Kind::full: return "full";
        case Fault::Kind::locked: return "locked";
        case Fault::Kind::corrupt: return "corrupt";
        case Fault::Kind::missing: return "missing";
    }
    UNREACHABLE();
}

Bytes version_key(std::uint64_t sequence, KeyKind kind, std::uint32_t index) {
    Bytes key;
    key.reserve(kVersionKeySize);
    append_big_endian(key, sequence);
    append_big_endian(key, static_cast<std::uint8_t>(kind));
    append_big_endian(key, index);
    return key;
}

std::optional<VersionKey> parse_version_key(ByteView key) {
    if (key.size() != kVersionKeySize) return std::nullopt;
    const std::uint8_t kind = key[8];
    if (kind > static_cast<std::uint8_t>(KeyKind::vote)) return std::nullopt;
    return VersionKey{.sequence = big_endian<std::uint64_t>(key.first(8)),
                      .kind = static_cast<KeyKind>(kind),
                      .index = big_endian<std::uint32_t>(key.last(4))};
}

}  // namespace leither::store
