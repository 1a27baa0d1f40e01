// What this node publishes for the organization, and when.
//
// Specification
//   * The routing record: `settle` after an address, served account or read key has changed (a line
//     that flaps gives one record, not ten), and so within a minute; and before half its lifetime
//     has passed. No address: no record.
//   * The manifest when it changes, the chat head and the lines it names `settle` after that; then
//     every `republish`.
//   * announce_peer on the organization's id and each served account's: at once, `settle` after an
//     address has changed, and every `republish`. The same on what else this node has for others
//     (packs, tags), at most kOffersMax ids.
//   * An order that failed is repeated after retry_min, doubling to retry_max; one without an
//     outcome after order_timeout counts as failed.
//   * Sequences of the node's own items always rise, also over restarts and if the clock steps
//     back: the last one is stored.
// Rationale
//   * Items live two hours in the DHT; `republish` with its jitter spreads the work of many nodes.
#pragma once

#include <memory>
#include <vector>

#include "leither/base/endpoint.h"
#include "leither/base/entropy.h"
#include "leither/base/log.h"
#include "leither/org/publication.h"
#include "leither/org/shelf.h"
#include "leither/protocol/chat.h"
#include "leither/protocol/routing_record.h"

namespace leither::org {

struct AnnouncerOptions {
    Duration settle = std::chrono::seconds(10);
    Duration republish = std::chrono::minutes(55);
    Duration jitter = std::chrono::minutes(5);  // added to republish
    Duration record_lifetime = std::chrono::hours(4);
    Duration retry_min = std::chrono::seconds(20);
    Duration retry_max = std::chrono::minutes(10);
    Duration order_timeout = std::chrono::minutes(2);
};

inline constexpr std::size_t kOffersMax = 64;

class Announcer {
 public:
    struct Setup {
        crypto::KeyPair node;
        protocol::StaticKey static_key;
        Id organization;
        ChainId chain;
        std::uint64_t features = 0;
    };
    struct Tick {};
    // Where this node can be reached, best first: what does not fit the record is left out.
    struct AddressesAre {
        std::vector<Endpoint> endpoints;
    };
    struct Serves {
        protocol::Delegations delegations;
    };
    struct ManifestIs {
        MutableItem item;
        crypto::X25519PublicKey read_key;
    };
    // The last lines, oldest first: contents of their items and the head that names them.
    struct ChatIs {
        std::vector<Bytes> lines;  // at most kChatHeadLines
        protocol::ChatHead head;
    };
    // What others may come here for; replaces what was said before. Only kOffersMax count.
    struct Offers {
        std::vector<Id> targets;
    };
    struct Carried {
        OrderId order = 0;
        OrderOutcome outcome = OrderOutcome::stored;
    };
    // There are nodes to publish at, after there were none: whoever held what was published is
    // gone.
    struct Joined {};
    using Input =
        std::variant<Tick, AddressesAre, Serves, ManifestIs, ChatIs, Offers, Carried, Joined>;

    struct Effects {
        std::vector<PublishOrder> publish;
        std::vector<AnnounceOrder> announce;
        store::WriteBatch writes;
    };

    // `entropy` outlives the announcer.
    Announcer(AnnouncerOptions options, Setup setup, Shelf shelf, Entropy& entropy, Log log);
    Announcer(Announcer&&) noexcept;
    Announcer& operator=(Announcer&&) noexcept;
    ~Announcer();
    Result<void, store::Fault> load(const store::Reader& reader);

    Effects step(Input&& input, Instant now);
    std::optional<Instant> next_deadline() const;
    // The record last published, unsealed, for peers; nothing before the first.
    const std::optional<protocol::SignedRoutingRecord>& record() const;
    void check_invariants() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::org
