// Where a peer can be reached: an IP address and a port, with what is known of an address by its
// range alone. Text forms are those of RFC 5952 and RFC 3986: "192.0.2.1:80", "[2001:db8::1]:80".
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "leither/base/bytes.h"

namespace leither {

class IpAddress {
 public:
    using V4 = std::array<std::uint8_t, 4>;
    using V6 = std::array<std::uint8_t, 16>;

    constexpr IpAddress() = default;  // 0.0.0.0
    static IpAddress v4(const V4& bytes);
    // An IPv4-mapped address (::ffff:a.b.c.d) becomes the IPv4 address it stands for.
    static IpAddress v6(const V6& bytes);
    // 4 or 16 bytes in network order; nothing for any other length.
    static std::optional<IpAddress> from(ByteView bytes);
    static std::optional<IpAddress> parse(std::string_view text);

    bool is_v4() const { return is_v4_; }
    // 4 or 16 bytes in network order.
    ByteView bytes() const { return {bytes_.data(), is_v4_ ? std::size_t{4} : std::size_t{16}}; }
    std::string text() const;

    bool is_unspecified() const;
    bool is_loopback() const;   // 127/8, ::1
    bool is_multicast() const;  // 224/4, 240/4 with broadcast, ff00::/8
    // Of one site: RFC 1918, RFC 6598, link-local, unique local; not loopback.
    bool is_private() const;
    // A host anywhere on the Internet could have it.
    bool is_global() const;

    // The block that one subscriber usually holds: /24 of IPv4, /56 of IPv6. Limits against many
    // nodes of one owner count by it.
    IpAddress block() const;

    // IPv6 first, then as unsigned big-endian numbers.
    friend bool operator==(const IpAddress& a, const IpAddress& b) {
        return a.is_v4_ == b.is_v4_ && a.word(0) == b.word(0) && a.word(8) == b.word(8);
    }
    friend std::strong_ordering operator<=>(const IpAddress& a, const IpAddress& b) {
        if (a.is_v4_ != b.is_v4_) return a.is_v4_ <=> b.is_v4_;
        const std::uint64_t head = a.word(0);
        const std::uint64_t other_head = b.word(0);
        if (head != other_head || a.is_v4_) return head <=> other_head;
        return a.word(8) <=> b.word(8);
    }

 private:
    // A call of memcmp for each step down a tree is what a flood of datagrams would cost most.
    std::uint64_t word(std::size_t at) const {
        std::uint64_t out = 0;
        for (std::size_t i = 0; i < 8; ++i) out = out << 8 | bytes_[at + i];
        return out;
    }

    bool is_v4_ = true;
    V6 bytes_{};  // IPv4 in the first four
};

struct Endpoint {
    IpAddress address;
    std::uint16_t port = 0;

    static std::optional<Endpoint> parse(std::string_view text);
    std::string text() const;
    friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace leither
