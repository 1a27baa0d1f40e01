// The ledger as transactions see it while a block is built: the tree's head plus what has been
// changed on top, nothing of which is visible elsewhere until the tree update commits.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "leither/base/result.h"
#include "leither/protocol/block.h"
#include "leither/protocol/record.h"
#include "leither/protocol/transaction.h"
#include "leither/tree/tree.h"

namespace leither::ledger {

// What stays the same for all transactions of one organization.
struct Organization {
    protocol::Charter charter;
    ChainId chain;
    Id treasury;     // the organization's id
    Id bookkeeping;  // where the BookkeepingRecord lives
    Id election;     // and the ElectionRecord
    Id candidates;   // the CandidateTable
    Id tally;        // the TallyRecord
};
Organization organization_of(const protocol::Charter& charter);

// Where and when a transaction is applied.
struct Place {
    Pulse pulse;
    Sequence sequence;  // of the block that will hold it
    friend bool operator==(const Place&, const Place&) = default;
};

// The block that a state stands on, as far as no leaf tells.
struct Base {
    Hash hash;
    Pulse pulse;
};

// One leaf before and after everything done to a state; null where there is no account. Points into
// the state.
struct Transition {
    Id id;
    const protocol::Record* before = nullptr;
    const protocol::Record* after = nullptr;
};

class State {
 public:
    // The tree outlives the state and keeps its head while the state is used. `known`, if given, is
    // a state on the same head that outlives this one: what it has read is not read again.
    State(const Organization& organization, tree::Tree& tree, const State* known = nullptr);
    State(State&&) = default;
    State(const State&) = delete;

    // Reads the records that `transaction` (or the due rewards) will touch, so that the rules below
    // meet no fault. Idempotent.
    Result<void, store::Fault> load(const protocol::Transaction& transaction);
    Result<void, store::Fault> load(const Id& id);
    Result<void, store::Fault> load_system();
    // These are loaded next: the ways to their accounts are walked together, which is faster.
    // Changes nothing.
    void expect(std::span<const protocol::Transaction* const> transactions) const;

    // REQUIRES for all: loaded. Null if the account does not exist (or is of another kind).
    const protocol::MemberRecord* member(const Id& id) const;
    protocol::MemberRecord* member_for_change(const Id& id);
    const protocol::TreasuryRecord& treasury() const;
    protocol::TreasuryRecord& treasury_for_change();
    const protocol::BookkeepingRecord& bookkeeping() const;
    protocol::BookkeepingRecord& bookkeeping_for_change();
    const protocol::ElectionRecord& election() const;
    protocol::ElectionRecord& election_for_change();
    const protocol::TallyRecord& tally() const;
    protocol::TallyRecord& tally_for_change();
    // Large and seldom asked for: loaded with the transactions that need it.
    const protocol::CandidateTable& candidates() const;
    protocol::CandidateTable& candidates_for_change();
    const protocol::VoteRecord* vote(const Id& id) const;
    protocol::VoteRecord& vote_for_change(const Id& id);
    // Whether `id` has a leaf of any kind.
    bool exists(const Id& id) const;
    // Whether `id` had a leaf and lost it in this state. It gets no new one in the same block: its
    // nonces would start at the same counter again.
    bool was_removed(const Id& id) const;
    // REQUIRES: !exists(id) && !was_removed(id).
    void create_member(const Id& id, protocol::MemberRecord record);
    // REQUIRES: member(id).
    void remove_member(const Id& id);
    // REQUIRES: !exists(id).
    void create_vote(const Id& id, protocol::VoteRecord record);
    // The organization's own accounts, at genesis.
    struct System {
        protocol::TreasuryRecord treasury;
        protocol::BookkeepingRecord bookkeeping;
        protocol::ElectionRecord election;
    };
    void create_system(System system);

    // Transactions the member has signed within the pulse being built.
    std::uint32_t signed_this_pulse(const Id& id) const;
    void count_signed(const Id& id);

    const Organization& organization() const { return organization_; }

    // Known while a block is built or checked; a mempool judges without it.
    const std::optional<Base>& base() const { return base_; }
    void stand_on(const Base& base) { base_ = base; }

    // Everything changed, by id. The pointers live until the state changes.
    std::vector<Transition> transitions() const;
    // The same as Tree::prepare wants it.
    std::vector<tree::Change> changes() const;
    // With `tally` beside it, so that a block's own work needs no change of a shared state.
    // REQUIRES: the tally has not been changed.
    std::vector<tree::Change> changes(const protocol::TallyRecord& tally) const;

 private:
    struct Entry {
        std::optional<protocol::Record> record;  // nothing: no account
        std::optional<protocol::Record> before;  // as in the tree, once changed
        std::optional<Hash> original;  // the leaf's hash in the tree, nothing if it had none
        bool changed = false;
    };
    struct Changed {
        Id id;
        const Entry* entry;
    };
    // Ids are hashes of keys already.
    struct FirstBytes {
        std::size_t operator()(const Id& id) const {
            std::size_t bytes = 0;
            std::memcpy(&bytes, id.data(), sizeof(bytes));
            return bytes;
        }
    };
    // The account as in the tree, if this state has read it.
    std::optional<Entry> as_read(const Id& id) const;
    const Entry& entry(const Id& id) const;
    Entry& entry(const Id& id);
    void mark_changed(const Id& id, Entry& entry);
    void create(const Id& id, protocol::Record record);
    std::vector<Changed> changed_by_id() const;
    template <class Kind>
    const Kind& system(const Id& id) const;
    template <class Kind>
    Kind& system_for_change(const Id& id);

    Organization organization_;
    tree::Tree& tree_;
    const State* known_;
    // Never iterated: `changed_` says what to visit. Entries keep their address, also when the
    // state is moved.
    std::unordered_map<Id, Entry, FirstBytes> entries_;
    std::vector<Changed> changed_;
    // Looked at by every transaction; null until loaded.
    Entry* treasury_ = nullptr;
    Entry* bookkeeping_ = nullptr;
    std::unordered_map<Id, std::uint32_t, FirstBytes> signed_this_pulse_;
    std::optional<Base> base_;
};

}  // namespace leither::ledger
