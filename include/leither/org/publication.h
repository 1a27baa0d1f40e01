// What a node puts into the DHT for its organization, as orders for whoever holds the DHT. This
// room knows neither its messages nor who answers; it only knows what an item is made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "leither/base/fixed_bytes.h"

namespace leither::org {

// The two facts of the DHT's format that records depend on (BEP 44). The node supplies them.
class ItemFormat {
 public:
    virtual ~ItemFormat() = default;
    // Where an immutable item with this content lies.
    virtual Id target(ByteView content) const = 0;
    // What the writer of a mutable item signs.
    virtual Bytes signed_bytes(std::string_view salt, std::uint64_t sequence,
                               ByteView content) const = 0;
};

struct ImmutableItem {
    Bytes content;
    friend bool operator==(const ImmutableItem&, const ImmutableItem&) = default;
};
struct MutableItem {
    PublicKey key;
    std::string salt;
    std::uint64_t sequence = 0;
    Bytes content;
    // Nothing: the node's own key signs.
    std::optional<Signature> signature;
    friend bool operator==(const MutableItem&, const MutableItem&) = default;
};
using Publication = std::variant<ImmutableItem, MutableItem>;

// Names an order within one machine, so that its outcome finds it.
using OrderId = std::uint64_t;

struct PublishOrder {
    OrderId order = 0;
    Publication item;
};
// Say that we are here for this id (announce_peer).
struct AnnounceOrder {
    OrderId order = 0;
    Id target;
};
enum class OrderOutcome : std::uint8_t { stored, failed };

}  // namespace leither::org
