#include "leither/sim/nat.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::sim {

namespace {

constexpr std::uint16_t kFirstPort = 20'000;
constexpr std::uint16_t kPorts = 40'000;

}  // namespace

Endpoint Nat::outbound(const Endpoint& inside, const Endpoint& to, Instant now) {
    Mapping& mapping = mapping_of(inside, now);
    mapping.used = now;
    if (!mapping.ways.contains(to) && mapping.ways.size() >= options_.ways_max) {
        const auto quietest =
            std::min_element(mapping.ways.begin(), mapping.ways.end(),
                             [](const auto& a, const auto& b) { return a.second < b.second; });
        mapping.ways.erase(quietest);
    }
    mapping.ways[to] = now;
    return {outside_, mapping.port};
}

// One that nobody used for its lifetime is another one: the next has another port.
Nat::Mapping& Nat::mapping_of(const Endpoint& inside, Instant now) {
    const auto known = by_inside_.find(inside);
    if (known != by_inside_.end()) {
        if (!is_over(known->second.used, now)) return known->second;
        by_port_.erase(known->second.port);
        by_inside_.erase(known);
    }
    if (by_inside_.size() >= options_.mappings_max) {
        const auto quietest = std::min_element(
            by_inside_.begin(), by_inside_.end(),
            [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
        by_port_.erase(quietest->second.port);
        by_inside_.erase(quietest);
    }
    Mapping mapping;
    mapping.port = free_port();
    by_port_[mapping.port] = inside;
    return by_inside_[inside] = mapping;
}

std::uint16_t Nat::free_port() {
    CHECK(by_port_.size() < kPorts);
    do {
        last_port_ = static_cast<std::uint16_t>((last_port_ + 1) % kPorts);
    } while (by_port_.contains(static_cast<std::uint16_t>(kFirstPort + last_port_)));
    return static_cast<std::uint16_t>(kFirstPort + last_port_);
}

std::optional<Endpoint> Nat::inbound(std::uint16_t port, const Endpoint& from, Instant now) const {
    const auto inside = by_port_.find(port);
    if (inside == by_port_.end()) return std::nullopt;
    const Mapping& mapping = by_inside_.at(inside->second);
    const auto way = mapping.ways.find(from);
    if (way == mapping.ways.end() || is_over(way->second, now)) return std::nullopt;
    return inside->second;
}

}  // namespace leither::sim
