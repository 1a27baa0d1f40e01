// What a node does for the candidacy of its member: it reveals, says that it is there, claims what
// the member has earned, and keeps the keys of its seats (docs/protocol/election.md).
//
// Specification
//   * The node stands for the first member, by id, whose candidacy names its node key and a reveal
//     chain of its own. Chains follow from the node key, the member and the cycle of the pledge,
//     so nobody else can register one, and none is used twice.
//   * Reveal and `ready` are due two pulses after reveals are taken, so that no neighbour's clock
//     is behind it; claims from the beginning of a term. What is not committed is sent again after
//     a quarter of that time: the same act while it waits, a new one if it was dropped.
//   * `ready` is sent only by a node that holds the key of its seat.
//   * A vote key is drawn for each term and durable before the reveal that names it leaves. It is
//     erased when no committee of the election's record names it, nor a reveal still to be drawn
//     from. Keys lie in a file of their own (vote_keys.h).
//   * Nothing is due while the head lies behind the cycle's end, or when nobody stands: such a node
//     has no deadline and writes nothing.
// Rationale
//   * Chains are derived, keys are not: a link that is known too early costs the seed a part of its
//     chance, a key that could be derived again would sign for every term that ever was.
//
// Sans-I/O. What it has sent comes back as the ledger's next head.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "leither/crypto/secret.h"
#include "leither/crypto/sign.h"
#include "leither/node/vote_keys.h"
#include "leither/protocol/transaction.h"

namespace leither::node {

// A member for whom the node key stands as a candidate.
struct Standing {
    Id member;
    Amount pledge;
    std::uint64_t pledged_in = 0;  // the cycle
    protocol::Candidacy candidacy;
};

class Office {
 public:
    using Secret = crypto::SecretBytes<32>;
    // Links of one chain: nearly four years of half-hour cycles.
    static constexpr std::uint32_t kLinks = 1U << 16;
    struct Setup {
        ChainId chain;
        crypto::KeyPair node_key;
        Secret seed;  // vote keys and stamps are drawn from it
        VoteKeys kept;
    };
    // What the ledger's head says.
    struct Head {
        protocol::ElectionRecord record;
        protocol::Windows windows;
        std::uint32_t expiry_pulses_max = 0;
        std::vector<Standing> standings;  // of this node key, by member
    };
    enum class Duty : std::uint8_t { reveal, ready, claim };
    struct Due {
        Duty duty = Duty::reveal;
        Pulse pulse;
    };
    // For the transactions of a turn.
    struct Lane {
        std::uint64_t counter = 0;                     // the member's next in the nodes' lane
        std::function<bool(const Hash&)> still_waits;  // by id
    };
    struct Turn {
        // To be written before anything else comes of it; then on_durable().
        std::optional<SecretFile> keys;
        std::vector<protocol::Transaction> acts;     // to be submitted, in order
        std::vector<protocol::Transaction> reminds;  // that wait here already: to be told again
    };

    // A new stamp: the file with the former beside it, then the store, then the file without.
    struct Stamping {
        SecretFile offered;
        store::WriteBatch store;
        SecretFile settled;
    };

    explicit Office(Setup setup);

    // What a pledge made now, in cycle `cycle`, registers. Takes some milliseconds.
    protocol::Registration registration(const Id& member, std::uint64_t cycle) const;

    // The head has moved in a way that concerns elections, or the node has just opened. A file: of
    // the keys that are still needed; nothing waits for it.
    std::optional<SecretFile> follow(Head head);
    // Whether this node may come to vote, so that a store of earlier must not fit its keys.
    bool may_vote() const;
    Stamping stamp();
    // The member's unclaimed rewards, after each follow().
    void set_claims(const std::vector<protocol::Claim>& claims);
    // The pulse from which turn() has something to do.
    std::optional<Pulse> due() const;
    Turn turn(Pulse now, const Lane& lane);
    void on_durable();

    // The key with which this node votes on the seat, if it is its own.
    std::optional<crypto::KeyPair> vote_key(const protocol::Seat& seat) const;

    const PublicKey& node_key() const { return node_key_.public_key(); }
    // With the node key.
    Signature sign(ByteView message) const { return node_key_.sign(message); }
    // For whom this node stands.
    const std::optional<Standing>& standing() const { return standing_; }
    std::optional<Due> next_duty() const;
    std::size_t keys() const { return keys_.size(); }
    void check_invariants() const;

 private:
    struct Held {
        std::uint64_t cycle = 0;
        crypto::KeyPair key;
    };
    struct Task {
        Duty duty = Duty::reveal;
        std::uint64_t cycle = 0;  // that it belongs to
        Pulse last;               // no turn behind it
        std::uint64_t pace = 0;   // pulses to the next try
        Pulse next;               // try
        std::optional<protocol::Claim> claim = {};
        std::optional<protocol::Transaction> sent = {};

        bool is(const Task& other) const { return duty == other.duty && cycle == other.cycle; }
    };
    // Of the chain: the link to reveal next.
    struct Chain {
        Id member;
        Hash last_link;
        std::optional<Hash> next;  // nothing: no chain of ours, or it has come to its end
        bool is_ours = false;
    };

    Hash chain_secret(const Id& member, std::uint64_t cycle) const;
    Chain find_chain(const Standing& standing) const;
    const Chain& chain_of(const Standing& standing);
    void choose_standing();
    bool is_wanted(const Held& held) const;
    const Held* key_for(std::uint64_t cycle) const;
    const Held* key_of(const PublicKey& vote_key) const;
    SecretFile file() const;
    void advance_seed();
    void draw_key(std::uint64_t cycle);
    std::optional<Task> reveal_task() const;
    std::optional<Task> ready_task() const;
    Task window_task(Duty duty) const;
    void set_tasks(std::vector<Task> tasks, std::span<const Duty> of);
    protocol::Action action_of(const Task& task) const;
    protocol::Transaction sign(const Task& task, Pulse now, std::uint64_t counter) const;

    ChainId chain_;
    crypto::KeyPair node_key_;
    Secret seed_;
    Hash stamp_;
    std::optional<Hash> former_stamp_;
    std::vector<Held> keys_;  // by cycle, rising
    Head head_;
    std::optional<Standing> standing_;
    std::optional<Hash> next_link_;  // of the standing
    std::vector<Chain> known_;       // chains looked at, of the head's standings
    std::vector<Task> tasks_;
    bool is_writing_ = false;  // a key that a reveal waits for
};
std::string_view to_string(Office::Duty duty);

}  // namespace leither::node
