// One iterative lookup in one address family: asks nodes nearer and nearer to a target until the k
// closest have answered or a quorum has spoken.
//
// Specification
//   * alpha queries are in flight, one more for each that became late; late nodes are passed over,
//     their answers still count. Before a get gives up, late ones of the k closest are asked again.
//   * Never more than kPerBlockMax candidates of one /24 or /56, one of an endpoint, and
//     kNamedMax of one answer, so one liar or one owner cannot fill the closest set.
//   * Each seed belongs to one of kPaths paths, and a node to the path of whoever named it first.
//     Each path must end by itself: its two closest nodes have answered. So a liar on one path
//     hides nothing that the others find (after S/Kademlia, Baumgart and Mies 2007).
//   * A mutable item is decided by the highest valid sequence that kQuorum holders of different
//     blocks returned, an immutable one by the first valid answer.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "leither/dht/item.h"
#include "leither/dht/krpc.h"
#include "leither/dht/node_id.h"
#include "leither/dht/rate_limit.h"

namespace leither::dht {

// Holders that must return the highest valid sequence before a get is content.
inline constexpr std::size_t kQuorum = 3;

class Lookup {
 public:
    enum class Goal : std::uint8_t {
        nodes,      // the k closest
        peers,      // and what peers they know
        item,       // ends at the quorum
        every_copy  // the k closest and what each of them holds
    };
    // A mutable item's key and salt; none for an immutable one.
    struct Author {
        PublicKey key;
        ItemSalt salt;
    };
    struct Options {
        Goal goal = Goal::nodes;
        std::optional<Author> author = std::nullopt;
        // Of an every_copy lookup: items up to this sequence need not be sent, only named.
        std::optional<std::int64_t> newer_than = std::nullopt;
        std::size_t k = 8;
        std::size_t alpha = 3;
        LocalSources local = LocalSources::limited;  // exempt: no limit per block among them
    };
    static constexpr std::size_t kPaths = 3;
    static constexpr std::size_t kPathEnds = 2;
    static constexpr std::size_t kPerBlockMax = 2;
    static constexpr std::size_t kNamedMax = 16;
    static constexpr std::size_t kCandidatesMax = 64;
    static constexpr std::size_t kInFlightMax = 12;
    static constexpr std::size_t kQueriesMax = 160;
    static constexpr std::size_t kPeersMax = 1000;

    enum class State : std::uint8_t { fresh, asked, late, asked_again, answered, failed };
    struct Candidate {
        Contact contact;
        State state = State::fresh;
        std::uint8_t path = 0;
        std::uint8_t hop = 1;
        std::uint8_t tries = 0;
        Token token;
        std::optional<std::int64_t> sequence;  // of a mutable item, as claimed
        bool holds = false;                    // returned the item or claims to have it
        Duration round_trip{0};                // of its answer
    };
    // A query to send. A token is shown to a node that held its value back for want of one.
    struct Probe {
        Contact contact;
        Token token;
    };

    Lookup(const Options& options, const Id& target, const Id& own_id,
           const std::vector<Contact>& seeds);

    // Whom to ask now; each is noted as asked. Ask again after every event.
    std::vector<Probe> next();
    // REQUIRES: the reply came from this contact's endpoint; reply.nodes holds only nodes that may
    // be asked.
    void answered(const Contact& asked, const Response& reply, Duration round_trip = Duration(0));
    void late(const Contact& asked);
    void failed(const Contact& asked);
    bool done() const;
    // Whether it is done because of what was found.
    bool is_content() const;

    // ---- What it brought
    // The k closest that answered, nearest first.
    std::vector<const Candidate*> closest() const;
    const std::optional<Item>& item() const { return item_; }
    // How many hold that item.
    std::uint32_t holders() const { return holders_; }
    const std::vector<Endpoint>& peers() const { return peers_; }
    // A node without an item proves nothing; one that we hold ourselves does.
    void offer_own(const Item& item);

    const Id& target() const { return target_; }
    std::uint32_t queries() const { return queries_; }
    std::uint32_t answers() const { return answers_; }
    std::uint32_t hops() const;
    void check_invariants() const;

 private:
    void add(const Contact& contact, std::uint8_t path, std::uint8_t hop);
    Candidate* find(const Endpoint& endpoint);
    void take_item(Candidate& from, const Found& found);
    void take_valid(Candidate& from, Item&& item);
    void count_holder(const Candidate& holder);
    void forget_holders();
    void take_claim(Candidate& from, std::int64_t sequence);
    void take_peers(const std::vector<Endpoint>& peers);
    void move_to(Candidate& candidate, const Id& id);
    std::vector<std::size_t> front() const;
    std::vector<std::size_t> frontier() const;
    bool is_spent() const { return queries_ >= kQueriesMax; }
    bool wants_retries() const;
    std::vector<std::size_t> retries() const;
    std::size_t in_flight() const;
    Probe ask(Candidate& candidate);

    Options options_;
    Id target_;
    Id own_id_;
    std::vector<Candidate> candidates_;  // nearest first
    std::optional<Item> item_;
    std::uint32_t holders_ = 0;
    std::vector<IpAddress> holder_blocks_;
    std::size_t independent_holders_ = 0;  // of different blocks
    std::uint32_t holder_hop_ = 0;
    std::vector<Endpoint> peers_;
    std::uint32_t queries_ = 0;
    std::uint32_t answers_ = 0;
    std::size_t late_seen_ = 0;
};

}  // namespace leither::dht
