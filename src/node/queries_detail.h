// What the queries share: reading with a fault turned into an answer, and walking one account's
// past.
#pragma once

#include <string_view>

#include "node_impl.h"

namespace leither::node {

// The ledger as queries read it. Valid until the node's next step.
struct LedgerView {
    OrgInstance* organization = nullptr;
    const Log* log = nullptr;

    static Answer<LedgerView> of(NodeImpl& node);

    // A fault is the operator's matter: the caller only learns that there was one.
    template <class T>
    Answer<T> read(Result<T, store::Fault>&& result) const {
        if (result) return std::move(*result);
        return fault("query_fault", result.error().detail);
    }
    // What must be there for a retained sequence.
    template <class T>
    Answer<T> present(std::optional<T>&& value, std::string_view missing) const {
        if (value) return *std::move(value);
        return fault(missing, {});
    }
    template <class T>
    Answer<T> system(const Id& id) const {
        const auto leaf = TRY(read(organization->tree().read(id)));
        if (!leaf) return fault("system_account_missing", id.hex());
        return std::get<T>(TRY(decode(*leaf)));
    }
    tl::unexpected<QueryError> fault(std::string_view event, std::string_view detail) const;

    Answer<protocol::Record> decode(const tree::RecordBytes& record) const;
    Answer<protocol::Record> decode(const tree::Leaf& leaf) const { return decode(leaf.record); }
    // `unknown_sequence` or `pruned` if it is not retained.
    Answer<ledger::Seal> seal(Sequence sequence) const;
    Answer<protocol::Transactions> block(Sequence sequence) const;
    // Nothing for the oldest sequence of a ledger that began with a state from others.
    Answer<std::optional<protocol::Transactions>> block_if_kept(Sequence sequence) const;
};

// The votes that block `counted` has counted.
Answer<std::vector<VoteItem>> votes_counted_in(const LedgerView& view, Sequence counted);

// The versions of one leaf, newest first, by the sequence each names as the one before it.
class LeafWalk {
 public:
    // At the version in force before sequence `before`; at the head if nothing.
    static Answer<LeafWalk> start(const LedgerView& view, const Id& id,
                                  std::optional<Sequence> before);

    // The present version; nothing when the walk has ended.
    const std::optional<tree::Leaf>& leaf() const { return leaf_; }
    // REQUIRES: leaf().
    Answer<void> step_back();

 private:
    LeafWalk(const LedgerView& view, const Id& id) : view_(view), id_(id) {}
    Answer<void> go_to(Sequence sequence);

    LedgerView view_;
    Id id_;
    std::optional<tree::Leaf> leaf_;
};

}  // namespace leither::node
