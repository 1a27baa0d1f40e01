#include "leither/dht/node_id.h"

#include <array>

namespace leither::dht {

namespace {

// CRC-32C (Castagnoli), reflected.
constexpr std::uint32_t kPolynomial = 0x82f63b78;

constexpr std::array<std::uint32_t, 256> crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (value & 1 ? kPolynomial : 0);
        table[i] = value;
    }
    return table;
}
constexpr auto kCrcTable = crc_table();

std::uint32_t crc32c(ByteView data) {
    std::uint32_t crc = 0xffffffff;
    for (const std::uint8_t byte : data) crc = kCrcTable[(crc ^ byte) & 0xff] ^ (crc >> 8);
    return ~crc;
}

// The bits of an address that count: fewer in front, since whoever owns a large block could choose
// among many.
constexpr std::array<std::uint8_t, 4> kMaskV4 = {0x03, 0x0f, 0x3f, 0xff};
constexpr std::array<std::uint8_t, 8> kMaskV6 = {0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff};
constexpr std::size_t kLast = Id::kSize - 1;
constexpr std::uint8_t kThirdByteMask = 0xf8;  // the 21 bound bits end inside it

// The bits that `address` and the low 3 bits of `random` give an id, as the first three bytes.
std::uint32_t bound_bits(const IpAddress& address, std::uint8_t random) {
    const ByteView mask = address.is_v4() ? ByteView(kMaskV4) : ByteView(kMaskV6);
    std::array<std::uint8_t, 8> masked{};
    for (std::size_t i = 0; i < mask.size(); ++i) {
        masked[i] = static_cast<std::uint8_t>(address.bytes()[i] & mask[i]);
    }
    masked[0] = static_cast<std::uint8_t>(masked[0] | (random & 7) << 5);
    return crc32c(ByteView(masked).first(mask.size())) >> 8;
}

}  // namespace

Id distance(const Id& a, const Id& b) {
    Id out;
    for (std::size_t i = 0; i < Id::kSize; ++i) out[i] = static_cast<std::uint8_t>(a[i] ^ b[i]);
    return out;
}

bool closer(const Id& target, const Id& a, const Id& b) {
    for (std::size_t i = 0; i < Id::kSize; ++i) {
        if (a[i] != b[i]) return (a[i] ^ target[i]) < (b[i] ^ target[i]);
    }
    return false;
}

Id bep42_id(const IpAddress& address, const Id& random) {
    const std::uint32_t bound = bound_bits(address, random[kLast]);
    Id out = random;
    out[0] = static_cast<std::uint8_t>(bound >> 16);
    out[1] = static_cast<std::uint8_t>(bound >> 8);
    out[2] = static_cast<std::uint8_t>((bound & kThirdByteMask) | (random[2] & ~kThirdByteMask));
    return out;
}

bool bep42_valid(const Id& id, const IpAddress& address) {
    if (address.is_loopback() || address.is_private()) return true;
    return bep42_id(address, id) == id;
}

}  // namespace leither::dht
