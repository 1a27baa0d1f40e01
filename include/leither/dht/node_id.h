// The metric of the id space, and node ids bound to an address (BEP 42).
#pragma once

#include <cstdint>

#include "leither/base/endpoint.h"
#include "leither/base/fixed_bytes.h"

namespace leither::dht {

// A node and where it can be reached.
struct Contact {
    Id id;
    Endpoint endpoint;
    friend auto operator<=>(const Contact&, const Contact&) = default;
};

// Kademlia's distance: a xor b, as an unsigned number.
Id distance(const Id& a, const Id& b);

// Whether `a` is nearer to `target` than `b`.
bool closer(const Id& target, const Id& a, const Id& b);

// The same as an order, for sorts and heaps: nearest first.
struct CloserTo {
    Id target;
    bool operator()(const Id& a, const Id& b) const { return closer(target, a, b); }
    bool operator()(const Contact& a, const Contact& b) const { return closer(target, a.id, b.id); }
};

// An id that is valid at `address`: the first 21 bits follow from the address and the low 3 bits of
// random's last byte, all others are random's.
Id bep42_id(const IpAddress& address, const Id& random);

// Whether a node at `address` may use `id`. Addresses of one host or one site (loopback, private)
// are exempt: everybody may choose there, so the answer is always yes and means nothing.
bool bep42_valid(const Id& id, const IpAddress& address);

}  // namespace leither::dht
