#include "leither/sync/state.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/protocol/record.h"

namespace leither::sync {

namespace {

using store::Fault;
using tree::Change;
using tree::PieceLeaf;

// Every leaf on disk in order of ids, or nothing if they are damaged.
Result<std::optional<std::vector<PieceLeaf>>, Fault> read_leaves(const store::Reader& store,
                                                                 const PieceKeys& keys) {
    std::vector<PieceLeaf> leaves;
    std::optional<Amount> total = Amount{};
    const auto cursor = store.cursor();
    for (cursor->seek(keys.start()); cursor->valid(); cursor->next()) {
        const auto prefix = keys.parse(cursor->key());
        if (!prefix) break;
        auto piece = bcs::decode<PieceLeaves>(cursor->value());
        if (!piece) return std::nullopt;
        for (PieceLeaf& leaf : *piece) {
            if (!leaves.empty() && leaves.back().id >= leaf.id) return std::nullopt;
            // Tree::prepare demands that no sum overflows.
            const auto sum = protocol::sum_of_encoded(leaf.record);
            total = sum ? total->plus(*sum) : std::nullopt;
            if (!total) return std::nullopt;
            leaves.push_back(std::move(leaf));
        }
    }
    if (auto fault = cursor->fault()) return fail(*std::move(fault));
    return leaves;
}

// What makes the head of a tree into the wanted leaves, fed its present leaves in order.
class Difference {
 public:
    // REQUIRES: every record has a sum.
    explicit Difference(std::vector<PieceLeaf>&& wanted) : wanted_(std::move(wanted)) {}

    void present(const Id& id, ByteView record) {
        while (next_ < wanted_.size() && wanted_[next_].id < id) add(std::nullopt);
        const Hash hash = tree::leaf_hash(id, tree::record_hash(record));
        if (next_ == wanted_.size() || wanted_[next_].id != id) {
            changes_.push_back({id, std::nullopt, hash});
        } else if (std::ranges::equal(wanted_[next_].record, record)) {
            ++next_;
        } else {
            add(hash);
        }
    }
    std::vector<Change> finish() {
        while (next_ < wanted_.size()) add(std::nullopt);
        return std::move(changes_);
    }

 private:
    void add(std::optional<Hash> expected) {
        PieceLeaf& leaf = wanted_[next_++];
        const Amount sum = protocol::sum_of_encoded(leaf.record).value();  // readable, as above
        changes_.push_back(
            {leaf.id, Change::Value{std::move(leaf.record), sum}, std::move(expected)});
    }

    std::vector<PieceLeaf> wanted_;
    std::size_t next_ = 0;
    std::vector<Change> changes_;
};

}  // namespace

const char* to_string(StateError error) {
    switch (error) {
        case StateError::damaged: return "damaged";
        case StateError::wrong_root: return "wrong_root";
    }
    UNREACHABLE();
}

Result<Head, Fault> head_at(const ledger::Organization& organization, const tree::Tree& tree,
                            const ledger::Seal& seal) {
    const auto leaf = TRY(tree.read_at(version_of(seal), organization.election));
    if (!leaf) return fail(Fault{Fault::Kind::corrupt, "the election's record is missing"});
    const auto record = bcs::decode<protocol::Record>(leaf->record);
    const auto* election = record ? std::get_if<protocol::ElectionRecord>(&*record) : nullptr;
    if (election == nullptr) {
        return fail(Fault{Fault::Kind::corrupt, "the election's record does not decode"});
    }
    const protocol::BlockHeader& header = seal.header;
    const auto authority = authority_over(*election, header.sequence.next());
    return Head{header.sequence, hash_as_parent(organization.chain, header), header.pulse,
                Trusted{authority.cycle, authority.seats, election->former}};
}

Result<Built, Fault> build_state(const store::Reader& store, const PieceKeys& keys,
                                 tree::Tree& tree, const protocol::BlockHeader& header) {
    auto leaves = TRY(read_leaves(store, keys));
    if (!leaves) return Built(fail(StateError::damaged));
    Difference difference(*std::move(leaves));
    const tree::Version& head = tree.head();
    if (head.root != tree::empty_synopsis()) {
        TRY(tree.walk_at(head, Id{}, [&](const Id& id, ByteView record, Amount) {
            difference.present(id, record);
            return tree::Visit::go_on;
        }));
    }
    auto update = TRY(tree.prepare(difference.finish(), header.sequence));
    if (update.version().root != header.root) return Built(fail(StateError::wrong_root));
    return Built(std::move(update));
}

}  // namespace leither::sync
