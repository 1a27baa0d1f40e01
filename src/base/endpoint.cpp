#include "leither/base/endpoint.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "leither/base/check.h"

namespace leither {

namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kGroups = 8;  // of 16 bits in an IPv6 address
constexpr unsigned kBlockBytesV4 = 3;
constexpr unsigned kBlockBytesV6 = 7;

// The whole of `text` as a number of at most `digits_max` digits.
std::optional<std::uint16_t> parse_number(std::string_view text, int base, std::size_t digits_max) {
    std::uint16_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    if (text.empty() || text.size() > digits_max || error != std::errc{} || stop != end) {
        return std::nullopt;
    }
    return value;
}

std::optional<IpAddress::V4> parse_v4(std::string_view text) {
    IpAddress::V4 bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const bool last = i + 1 == bytes.size();
        const std::size_t end = last ? text.size() : text.find('.');
        if (end == std::string_view::npos) return std::nullopt;
        const std::string_view part = text.substr(0, end);
        const auto value = parse_number(part, 10, 3);
        // A leading zero means octal to some and decimal to others.
        if (!value || *value > 255 || (part.size() > 1 && part[0] == '0')) return std::nullopt;
        bytes[i] = static_cast<std::uint8_t>(*value);
        text.remove_prefix(last ? end : end + 1);
    }
    return bytes;
}

// Groups of one side of "::", appended to `out`; false if they are none. Only the last groups of an
// address can be written as IPv4.
enum class Side : std::uint8_t { before_gap, at_end };
bool parse_groups(std::string_view text, Side side, std::vector<std::uint8_t>& out) {
    while (!text.empty()) {
        const std::size_t colon = text.find(':');
        const std::string_view part = text.substr(0, colon);
        const bool last = colon == std::string_view::npos;
        if (last && side == Side::at_end && part.find('.') != std::string_view::npos) {
            const auto v4 = parse_v4(part);
            if (!v4) return false;
            out.insert(out.end(), v4->begin(), v4->end());
            break;
        }
        const auto group = parse_number(part, 16, 4);
        if (!group || out.size() >= 2 * kGroups) return false;
        out.push_back(static_cast<std::uint8_t>(*group >> 8));
        out.push_back(static_cast<std::uint8_t>(*group));
        if (last) break;
        text.remove_prefix(colon + 1);
        if (text.empty()) return false;
    }
    return out.size() <= 2 * kGroups;
}

std::optional<IpAddress::V6> parse_v6(std::string_view text) {
    const std::size_t gap = text.find("::");
    std::vector<std::uint8_t> head;
    std::vector<std::uint8_t> tail;
    const bool has_gap = gap != std::string_view::npos;
    const Side side = has_gap ? Side::before_gap : Side::at_end;
    if (!parse_groups(text.substr(0, gap), side, head)) return std::nullopt;
    IpAddress::V6 bytes{};
    if (!has_gap) {
        if (head.size() != bytes.size()) return std::nullopt;
    } else if (!parse_groups(text.substr(gap + 2), Side::at_end, tail) ||
               head.size() + tail.size() > bytes.size() - 2) {
        return std::nullopt;
    }
    std::ranges::copy(head, bytes.begin());
    std::ranges::copy(tail, bytes.end() - static_cast<std::ptrdiff_t>(tail.size()));
    return bytes;
}

// The first longest run of at least two zero groups: [begin, end).
std::pair<unsigned, unsigned> longest_gap(const std::array<unsigned, kGroups>& groups) {
    std::pair<unsigned, unsigned> best{kGroups, kGroups};
    for (unsigned begin = 0; begin < kGroups; ++begin) {
        unsigned end = begin;
        while (end < kGroups && groups[end] == 0) ++end;
        if (end - begin >= 2 && end - begin > best.second - best.first) best = {begin, end};
        begin = std::max(begin, end);
    }
    return best;
}

std::string text_of_v6(ByteView bytes) {
    std::array<unsigned, kGroups> groups{};
    for (unsigned i = 0; i < kGroups; ++i) groups[i] = bytes[2 * i] * 256U + bytes[2 * i + 1];
    const auto [gap_begin, gap_end] = longest_gap(groups);
    std::string out;
    for (unsigned i = 0; i < kGroups; ++i) {
        if (i == gap_begin) {
            out += "::";
            i = gap_end;
            if (i == kGroups) break;
        } else if (i > 0) {
            out += ':';
        }
        out += fmt::format("{:x}", groups[i]);
    }
    return out;
}

}  // namespace

IpAddress IpAddress::v4(const V4& bytes) {
    IpAddress out;
    std::ranges::copy(bytes, out.bytes_.begin());
    return out;
}

IpAddress IpAddress::v6(const V6& bytes) {
    if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin())) {
        return v4({bytes[12], bytes[13], bytes[14], bytes[15]});
    }
    IpAddress out;
    out.is_v4_ = false;
    out.bytes_ = bytes;
    return out;
}

std::optional<IpAddress> IpAddress::from(ByteView bytes) {
    if (bytes.size() == 4) return v4({bytes[0], bytes[1], bytes[2], bytes[3]});
    V6 wide{};
    if (bytes.size() != wide.size()) return std::nullopt;
    std::ranges::copy(bytes, wide.begin());
    return v6(wide);
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    if (text.find(':') == std::string_view::npos) {
        const auto bytes = parse_v4(text);
        return bytes ? std::optional(v4(*bytes)) : std::nullopt;
    }
    const auto bytes = parse_v6(text);
    return bytes ? std::optional(v6(*bytes)) : std::nullopt;
}

std::string IpAddress::text() const {
    if (!is_v4_) return text_of_v6(bytes());
    return fmt::format("{}.{}.{}.{}", bytes_[0], bytes_[1], bytes_[2], bytes_[3]);
}

bool IpAddress::is_unspecified() const {
    return std::ranges::all_of(bytes(), [](auto byte) { return byte == 0; });
}

bool IpAddress::is_loopback() const {
    if (is_v4_) return bytes_[0] == 127;
    return bytes_[15] == 1 &&
           std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto b) { return b == 0; });
}

bool IpAddress::is_multicast() const {
    return is_v4_ ? bytes_[0] >= 224 : bytes_[0] == 0xff;
}

bool IpAddress::is_private() const {
    if (!is_v4_) {
        return (bytes_[0] & 0xfe) == 0xfc || (bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80);
    }
    return bytes_[0] == 10 || (bytes_[0] == 172 && (bytes_[1] & 0xf0) == 16) ||
           (bytes_[0] == 192 && bytes_[1] == 168) || (bytes_[0] == 169 && bytes_[1] == 254) ||
           (bytes_[0] == 100 && (bytes_[1] & 0xc0) == 64);
}

bool IpAddress::is_global() const {
    const bool this_network = is_v4_ ? bytes_[0] == 0 : is_unspecified();
    return !this_network && !is_loopback() && !is_multicast() && !is_private();
}

IpAddress IpAddress::block() const {
    IpAddress out = *this;
    const unsigned kept = is_v4_ ? kBlockBytesV4 : kBlockBytesV6;
    std::fill(out.bytes_.begin() + kept, out.bytes_.end(), std::uint8_t{0});
    return out;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
    if (bracketed) host = host.substr(1, host.size() - 2);
    const auto address = IpAddress::parse(host);
    const auto port = parse_number(text.substr(colon + 1), 10, 5);
    // Without brackets nobody knows where an IPv6 address ends.
    const bool has_colons = host.find(':') != std::string_view::npos;
    if (!address || !port || bracketed != has_colons) return std::nullopt;
    return Endpoint{*address, *port};
}

std::string Endpoint::text() const {
    return address.is_v4() ? fmt::format("{}:{}", address.text(), port)
                           : fmt::format("[{}]:{}", address.text(), port);
}

}  // namespace leither
