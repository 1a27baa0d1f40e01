// What a host asks of its DHT node, and what it is told in the end.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "leither/base/number.h"
#include "leither/base/time.h"
#include "leither/dht/item.h"
#include "leither/dht/krpc.h"

namespace leither::dht {

// Chosen by the host, unique among its open requests.
using RequestId = Number<struct RequestIdTag>;

struct FindNode {
    Id target;
};
struct GetPeers {
    Id info_hash;
};
struct GetImmutable {
    Id target;
};
struct GetMutable {
    PublicKey key;
    ItemSalt salt;
};
// We can be reached at `port`; 0: at the port our datagrams come from.
struct Announce {
    Id info_hash;
    std::uint16_t port = 0;
};
// A mutable item is signed by the caller. `cas`: only if this sequence is the newest there is.
struct Put {
    Item item;
    std::optional<std::int64_t> cas;
};
using Request = std::variant<FindNode, GetPeers, GetImmutable, GetMutable, Announce, Put>;

enum class Failure : std::uint8_t {
    no_nodes,          // nobody answers: not connected
    not_found,         // the closest nodes have no such item, or no peers
    stored_nowhere,    // nobody took a copy; `refusal` says why if anyone did
    sequence_too_low,  // a newer item is there, or another under the same sequence: see `item`
    cas_mismatch,      // another sequence is there: see `item`
    invalid_item,      // the item to put breaks a rule of BEP 44
    too_many,          // Options::requests_max are open
    cancelled,
};
const char* to_string(Failure failure);

struct Outcome {
    std::optional<Failure> failure;
    std::vector<Contact> nodes;           // FindNode: the closest that answered, nearest first
    std::vector<Duration> round_trips;    // of `nodes`, in their order
    std::vector<Endpoint> peers;          // GetPeers
    std::optional<Item> item;             // the highest valid sequence found
    std::uint32_t holders = 0;            // who returned that item
    bool is_quorate = false;              // a get: enough holders agreed on it
    std::uint32_t copies = 0;             // Put, Announce: stored at this many other nodes
    bool stored_here = false;             // and at our own, which does not count as a copy
    std::optional<std::int32_t> refusal;  // code of the last node that refused to store
    std::uint32_t queries = 0;
    std::uint32_t answers = 0;
    std::uint32_t hops = 0;  // from our table to whoever decided the outcome
};

}  // namespace leither::dht
