// The nodes of one address family that a node knows to be there, more of them the nearer to itself
// (BEP 5; Kademlia, Maymounkov and Mazieres 2002, section 2.4).
//
// Specification
//   * A node is in a bucket only after it answered a query of ours. Those that found no room wait
//     as replacements, the last that answered first.
//   * A node that answers is never displaced by another; one that failed to answer is displaced by
//     a replacement at once, and is dropped at kFailuresMax. Where BEP 42 counts, a valid id
//     displaces an invalid one.
//   * At most so many nodes of an address and of a block (/24, /56) are in the table and in a
//     bucket, so that who holds many addresses in one place cannot fill it.
// Deviation from Kademlia: the first buckets hold 128, 64, 32, 16 nodes, so that lookups in a
//   network of some hundred nodes take one hop.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "leither/base/time.h"
#include "leither/dht/node_id.h"
#include "leither/dht/rate_limit.h"

namespace leither::dht {

// Whether ids must follow from addresses (BEP 42) to be preferred.
enum class IdRule : std::uint8_t { free, bep42 };

class RoutingTable {
 public:
    struct Options {
        std::size_t k = 8;  // and as many replacements a bucket
        std::size_t per_address_max = 1;
        std::size_t per_block_and_bucket_max = 2;
        std::size_t per_block_max = 8;
        IdRule ids = IdRule::free;
        LocalSources local = LocalSources::limited;  // exempt: no limits among them
    };
    static constexpr std::size_t kFirstBucketMax = 128;
    static constexpr std::uint8_t kFailuresMax = 2;

    struct Node {
        Contact contact;
        std::uint64_t head = 0;     // the first 8 bytes of the id, for quick comparison
        Instant answered_at;        // or, since it once did, asked us
        Instant queried_at;         // last time we asked it, or it answered
        std::uint8_t failures = 0;  // since it last answered
    };

    RoutingTable(const Options& options, const Id& own_id);

    // ---- What was learned
    enum class Learned : std::uint8_t {
        added,
        refreshed,
        waiting,        // as a replacement
        own_id,         // it is us, or pretends to be
        address_taken,  // another node of that address answers
        block_full,
    };
    // It answered a query of ours.
    Learned answered(const Contact& contact, Instant now);
    // Whether `answered` could add it: worth a ping of an unknown node that was heard of.
    bool would_add(const Contact& contact) const;
    // It asked us something. If it is in the table and in good standing it counts as heard of, so
    // that it need not be checked (BEP 5). Whether it is in the table at all.
    bool heard(const Contact& contact, Instant now);
    // A query to it was sent; it is the last to be checked again.
    void queried(const Contact& contact, Instant now);
    // It did not answer a query. True if it was dropped.
    bool failed(const Contact& contact);

    // ---- What is known
    // Whom to name to others, and whom to ask if there are too few of those.
    enum class Standing : std::uint8_t { answering, any };
    // Appends the `max` nearest to `target` that answered last time, nearest first; then, if there
    // are too few and any standing will do, some that failed.
    void closest(const Id& target, std::size_t max, std::vector<Contact>& out,
                 Standing standing = Standing::answering) const;
    bool holds(const Contact& contact) const;
    // Whether the node at this endpoint answered last time.
    bool holds(const Endpoint& endpoint) const;
    std::size_t size() const { return size_; }
    std::vector<Node> nodes() const;  // by bucket
    struct Fill {
        std::size_t nodes = 0;
        std::size_t places = 0;
        std::size_t waiting = 0;  // as replacements
        friend bool operator==(const Fill&, const Fill&) = default;
    };
    // Of each bucket, the farthest first.
    std::vector<Fill> fill() const;

    // ---- Upkeep
    std::size_t buckets() const { return buckets_.size(); }
    // The bucket that has been quiet longest, if since before `quiet_since`: a random id in it is
    // to be looked up. It counts as looked up from now on.
    std::optional<Id> next_refresh(Instant quiet_since, const Id& random, Instant now);
    // Whom to check next: a node that failed once, else the one longest unheard, if since before
    // `silent_since`.
    std::optional<Contact> next_check(Instant silent_since, Instant asked_before) const;
    // Of the `count` nearest to ourselves the one longest unheard, if since before `silent_since`.
    std::optional<Contact> silent_neighbour(std::size_t count, Instant silent_since) const;
    // Ids are sorted anew around another own id; nodes that then find no room are forgotten.
    void set_own_id(const Id& own_id, Instant now);
    const Id& own_id() const { return own_id_; }

    void check_invariants() const;

 private:
    struct Bucket {
        std::vector<Node> live;
        std::vector<Node> waiting;  // last answered at the back
        Instant changed_at;
    };

    std::size_t capacity(std::size_t bucket) const;
    std::size_t index_of(const Id& id) const;
    std::optional<Learned> refusal(const Contact& contact, const Bucket& bucket) const;
    Node* displaceable(Bucket& bucket, const Contact& newcomer);
    void make_room_in_last(const Id& id);
    void split_last();
    void promote(Bucket& bucket);
    void forget(const Endpoint& endpoint, const Id& but);

    Options options_;
    Id own_id_;
    std::vector<Bucket>
        buckets_;  // by bits shared with own_id_; the last holds all that share more
    std::size_t size_ = 0;
};

}  // namespace leither::dht
