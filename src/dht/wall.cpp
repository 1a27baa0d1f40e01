#include "leither/dht/wall.h"

#include <algorithm>
#include <charconv>

#include "leither/base/check.h"

namespace leither::dht {

const char* to_string(Network network) {
    switch (network) {
        case Network::separate: return "separate";
        case Network::mainline: return "mainline";
    }
    UNREACHABLE();
}

const char* to_string(Admission admission) {
    switch (admission) {
        case Admission::tagged: return "tagged";
        case Admission::guests: return "guests";
        case Admission::any: return "any";
    }
    UNREACHABLE();
}

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    const auto bits_max = static_cast<std::uint8_t>(8 * address->bytes().size());
    if (slash == std::string_view::npos) return AddressRange{*address, bits_max};
    const std::string_view digits = text.substr(slash + 1);
    std::uint8_t bits = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, bits);
    if (digits.empty() || stop != end || error != std::errc{} || bits > bits_max) {
        return std::nullopt;
    }
    return AddressRange{*address, bits};
}

bool AddressRange::contains(const IpAddress& other) const {
    if (other.is_v4() != address.is_v4()) return false;
    const ByteView a = address.bytes();
    const ByteView b = other.bytes();
    const std::size_t whole = bits / 8;
    if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) {
        return false;
    }
    const unsigned rest = bits % 8;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

Wall::Wall(const Options& options) : options_(options) {
    CHECK(options_.allow.size() <= kRangesMax);
}

VersionTag Wall::tag() const {
    return options_.network == Network::separate ? kPrivateNetworkTag : kPublicNetworkTag;
}

bool Wall::is_ours(const std::optional<VersionTag>& tag) const {
    return tag && *tag == kPrivateNetworkTag;
}

bool Wall::open_to(const IpAddress& address) const {
    const auto& allow = options_.allow;
    return allow.empty() || std::any_of(allow.begin(), allow.end(), [&](const AddressRange& range) {
               return range.contains(address);
           });
}

bool Wall::reads(const std::optional<VersionTag>& tag) const {
    // A node of a separate network that strays into Mainline would take us there in return.
    if (options_.network == Network::mainline) return !is_ours(tag);
    return is_ours(tag) || options_.admission != Admission::tagged;
}

bool Wall::counts(const IpAddress& source, const std::optional<VersionTag>& tag) const {
    if (!reads(tag)) return false;
    if (options_.network == Network::mainline || is_ours(tag)) return true;
    return options_.admission == Admission::any || !source.is_global();
}

bool Wall::believes(const std::optional<VersionTag>& tag, const IpAddress& named) const {
    return open_to(named) && counts(named, tag);
}

}  // namespace leither::dht
