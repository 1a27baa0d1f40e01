// The ledger as transactions see it while a block is built: the tree's head plus what has been
// changed on top, nothing of which is visible elsewhere until the tree update commits.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
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
};
Organization organization_of(const protocol::Charter& charter);

// Where and when a transaction is applied.
struct Place {
    Pulse pulse;
    Sequence sequence;  // of the block that will hold it
};

class State {
 public:
    // The tree outlives the state and keeps its head while the state is used.
    State(const Organization& organization, tree::Tree& tree);

    // Reads the records that `transaction` (or the due rewards) will touch, so that the rules below
    // meet no fault. Idempotent.
    Result<void, store::Fault> load(const protocol::Transaction& transaction);
    Result<void, store::Fault> load(const Id& id);
    Result<void, store::Fault> load_system();

    // REQUIRES for all: loaded. Null if the account does not exist (or is of another kind).
    const protocol::MemberRecord* member(const Id& id) const;
    protocol::MemberRecord* member_for_change(const Id& id);
    const protocol::TreasuryRecord& treasury() const;
    protocol::TreasuryRecord& treasury_for_change();
    const protocol::BookkeepingRecord& bookkeeping() const;
    protocol::BookkeepingRecord& bookkeeping_for_change();
    void create_member(const Id& id, protocol::MemberRecord record);
    void remove_member(const Id& id);

    // Transactions the member has signed within the pulse being built.
    std::uint32_t signed_this_pulse(const Id& id) const;
    void count_signed(const Id& id);
    void start_pulse();  // forgets those counts

    const Organization& organization() const { return organization_; }

    // Everything changed, as Tree::prepare wants it.
    std::vector<tree::Change> changes() const;

 private:
    struct Entry {
        std::optional<protocol::Record> record;  // nothing: no account
        std::optional<Hash> original;            // the leaf's hash in the tree, nothing if it had none
        bool changed = false;
    };
    Entry* find(const Id& id);
    const Entry* find(const Id& id) const;

    Organization organization_;
    tree::Tree& tree_;
    std::map<Id, Entry> entries_;
    std::map<Id, std::uint32_t> signed_this_pulse_;
};

}  // namespace leither::ledger
