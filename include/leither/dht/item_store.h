// What a node keeps for others: items (BEP 44) and peers of info hashes (BEP 5), for two hours
// after each was last put.
//
// Bounded in items, bytes and peers. Room is shared by source block (/24, /56): when the store is
// full, something of the block that holds most must go, so nobody can push out others by putting
// much from one place. Of that block the item farthest from our own id goes first; of peers the
// oldest. Equal items put again are refreshed whoever puts them: that is how
// others keep an item alive.
//
// One thread, no clock. Expired entries are never shown and vanish at the next `expire`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "leither/base/endpoint.h"
#include "leither/base/prng.h"
#include "leither/base/result.h"
#include "leither/base/time.h"
#include "leither/dht/item.h"
#include "leither/dht/krpc.h"
#include "leither/dht/rate_limit.h"

namespace leither::dht {

// In order of precedence.
enum class StoreRefusal : std::uint8_t {
    value_too_big,          // 205
    value_not_canonical,    // 203
    sequence_out_of_range,  // 203: negative
    bad_signature,          // 206
    cas_mismatch,           // 301: another sequence is stored than the writer thought
    sequence_too_low,       // 302: a higher one is stored, or another value under the same
    store_full,             // 202: it would be the first to go
    port_zero,              // 203: nobody can reach such a peer
};
const char* to_string(StoreRefusal refusal);
ErrorCode error_code(StoreRefusal refusal);

class ItemStore {
 public:
    struct Options {
        std::size_t items_max = 2000;
        // Of values, and kItemOverheadBytes for each item beside its value.
        std::size_t item_bytes_max = std::size_t{1} << 20;
        std::size_t peers_max = 8000;
        std::size_t peers_per_hash_max = 200;
        std::size_t peers_per_hash_and_block_max = 4;
        Duration lifetime = std::chrono::hours(2);
        LocalSources local = LocalSources::limited;  // exempt: no limit per block among them
    };
    static constexpr std::size_t kItemOverheadBytes = 320;

    // REQUIRES: every maximum is at least 1.
    ItemStore(const Options& options, const Id& own_id);
    ItemStore(const ItemStore&) = delete;
    ItemStore& operator=(const ItemStore&) = delete;

    // ---- Items
    // Verifies `item` and stores it under its target, or refreshes the equal one.
    Result<void, StoreRefusal> put(const Item& item, std::optional<std::int64_t> cas,
                                   const IpAddress& source, Instant now);
    // The same for a copy from another holder, whose own was put `age` ago: copying prolongs no
    // item's life.
    Result<void, StoreRefusal> copy(const Item& item, Duration age, const IpAddress& source,
                                    Instant now);
    // Null if there is none or it has expired. Lives until the next call that is not const.
    const Item* find(const Id& target, Instant now) const;

    // How long ago it was put. REQUIRES: find would find it.
    Duration age_of(const Id& target, Instant now) const;

    // ---- Peers
    Result<void, StoreRefusal> announce(const Id& info_hash, const Endpoint& peer, Instant now);
    struct Sample {
        Want families;
        std::size_t count = 0;
    };
    // Up to `count` peers of these families, drawn without preference.
    std::vector<Endpoint> sample_peers(const Id& info_hash, const Sample& wanted, Prng& prng,
                                       Instant now) const;

    void expire(Instant now);
    // The node's id has changed (BEP 42): what is far and near is judged anew.
    void set_own_id(const Id& own_id) { own_id_ = own_id; }

    std::size_t items() const { return items_.size(); }
    std::size_t item_bytes() const { return item_bytes_; }
    std::size_t peers() const { return peers_; }
    void check_invariants() const;

 private:
    // Entries held by each source block. An entry points to its block's count.
    using Shares = std::map<IpAddress, std::uint32_t>;

    struct Stored {
        Item item;
        Shares::iterator share;  // of the block it was first put from
        Instant put_at;
    };
    struct Peer {
        Endpoint endpoint;
        Shares::iterator share;
        Instant announced_at;
    };
    using Items = std::map<Id, Stored>;
    using Swarm = std::vector<Peer>;
    using Swarms = std::map<Id, Swarm>;

    // What its limits count by.
    IpAddress block_of(const IpAddress& source) const;
    bool expired(Instant last, Instant now) const { return now - last >= options_.lifetime; }
    bool has_room(std::size_t item_cost) const;
    Items::iterator find_fresh(const Id& target, Instant now);
    // What is stored under the target of `item`, which is valid.
    Result<Items::iterator, StoreRefusal> verify(const Item& item, const Id& target, Instant now);
    Result<void, StoreRefusal> update(Items::iterator stored, const Item& item, Instant put_at);
    Result<void, StoreRefusal> place(const Id& target, const Item& item, const IpAddress& block,
                                     Instant put_at);
    // False if the newcomer itself would be the first to go.
    bool make_room(const Id& target, std::size_t cost, const IpAddress& block);
    // Of the blocks that hold `share` items.
    Items::iterator first_to_go(std::uint32_t share);
    void insert(const Id& target, const Item& item, const IpAddress& block, Instant put_at);
    Items::iterator erase(Items::iterator item);
    void make_room_in(Swarm& swarm, const IpAddress& newcomer);
    void make_room_for_peer(const IpAddress& newcomer);
    Swarm::iterator erase(Swarm& swarm, Swarm::iterator peer);

    Options options_;
    Id own_id_;
    Items items_;
    std::size_t item_bytes_ = 0;
    Shares item_shares_;
    Swarms swarms_;
    std::size_t peers_ = 0;
    Shares peer_shares_;
};

}  // namespace leither::dht
