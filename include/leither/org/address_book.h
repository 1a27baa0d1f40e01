// Members' nodes: where they are, whom they serve, and so which node takes an account's messages.
//
// Specification
//   * Of two routing records of a node the one issued later holds; one issued earlier never
//     replaces it, wherever it comes from. A record that has expired is as good as none.
//   * A node serves an account if the account has delegated so; a node is a member's node if one of
//     its accounts is a member's, or if it is a keeper. Both are judged when asked, so a member who
//     leaves is out at once (with passes: when the last one expires).
//   * Bounded in nodes. When full, nodes that are no member's go first, then those heard of longest
//     ago; a stranger never takes a member's place.
// Rationale
//   * Delegations come with records and, from a node we are connected to, by its credentials;
//     either proves the same, so they are kept in one place.
// Complexity: all O(log n) but members_nodes and making room, O(n).
//
// Not thread-safe.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "leither/org/directory.h"
#include "leither/org/members.h"
#include "leither/protocol/org_messages.h"

namespace leither::org {

class AddressBook final : public Directory {
 public:
    struct Options {
        std::size_t nodes_max = 4096;
        std::size_t nodes_per_account_max = 4;  // the latest delegated count
        Duration expire_interval = std::chrono::minutes(10);
    };
    // `members` outlives the book.
    AddressBook(Options options, const ChainId& chain, const Members& members, ByteView prefix);
    Result<void, store::Fault> load(const store::Reader& reader, Instant now);

    enum class News : std::uint8_t { none, older, newer };
    // A record from wherever: checked here. `newer` if it replaced what was known.
    Result<News, protocol::RecordError> accept(const protocol::SignedRoutingRecord& record,
                                               Instant now);
    // What the node of a connection shows. Those that do not hold for it are passed over; the
    // answer is how many held.
    std::size_t introduce(const PublicKey& node, const protocol::Delegations& delegations,
                          Instant now);
    void expire(Instant now);

    // ---- Directory
    bool is_member(const Id& account, Instant now) const override;
    bool is_members_node(const Id& node, Instant now) const override;
    std::vector<Id> nodes_of(const Id& account, Instant now) const override;

    // Null if unknown or expired. Lives until the next call that is not const.
    const protocol::SignedRoutingRecord* record(const Id& node, Instant now) const;
    // Of an account that some node serves: what messages to it are sealed to.
    std::optional<PublicKey> account_key(const Id& account) const;
    std::vector<Id> members_nodes(Instant now) const;
    // By which the node serves, as far as is known.
    protocol::Delegations delegations_of(const Id& node) const;
    // In order of id, from `from` on: what to offer to others.
    std::vector<protocol::RecordNotice> notices(const Id& from, std::size_t max, Instant now) const;
    // When to call `expire` next: what has expired is never shown, but takes room.
    std::optional<Instant> next_deadline() const;

    std::size_t size() const { return nodes_.size(); }
    store::WriteBatch take_writes() { return writes_.take(); }
    void check_invariants() const;

 private:
    struct Served {
        PublicKey key;
        protocol::Validity validity;
    };
    struct Node {
        PublicKey key;
        std::optional<protocol::SignedRoutingRecord> record;
        std::map<Id, protocol::SignedDelegation> accounts;  // at most kServedAccountsMax
        Instant heard;
    };
    using Nodes = std::map<Id, Node>;

    bool is_members(const Node& node, Instant now) const;
    // Null if the book is full of better ones.
    Node* place(const PublicKey& key, bool is_member, Instant now);
    bool make_room(bool for_member, Instant now);
    protocol::Delegations holding(const PublicKey& node, const protocol::Delegations& delegations,
                                  Instant now) const;
    bool shows_member(const protocol::Delegations& delegations, Instant now) const;
    void serve(Node& node, const protocol::SignedDelegation& delegation);
    void forget_account(Node& node, const Id& account);
    void forget(Nodes::iterator node);

    Options options_;
    ChainId chain_;
    const Members& members_;
    Shelf records_shelf_;
    Shelf delegations_shelf_;
    Nodes nodes_;
    std::map<Id, std::set<Id>> nodes_by_account_;
    Instant expired_at_;
    GatheredWrites writes_;
};

}  // namespace leither::org
