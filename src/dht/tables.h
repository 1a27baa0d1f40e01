// The routing tables of both families (BEP 32): two networks that share a node.
#pragma once

#include <vector>

#include "leither/dht/routing_table.h"

namespace leither::dht {

enum class Family : std::uint8_t { v4, v6 };
inline constexpr Family kFamilies[] = {Family::v4, Family::v6};

inline Family family_of(const Endpoint& endpoint) {
    return endpoint.address.is_v4() ? Family::v4 : Family::v6;
}

struct Tables {
    RoutingTable v4;
    RoutingTable v6;

    RoutingTable& of(Family family) { return family == Family::v4 ? v4 : v6; }
    const RoutingTable& of(Family family) const { return family == Family::v4 ? v4 : v6; }
    RoutingTable& of(const Contact& contact) { return of(family_of(contact.endpoint)); }
    const RoutingTable& of(const Contact& contact) const { return of(family_of(contact.endpoint)); }
    std::size_t size() const { return v4.size() + v6.size(); }
    bool is_own_id(const Id& id) const { return id == v4.own_id() || id == v6.own_id(); }
};

}  // namespace leither::dht
