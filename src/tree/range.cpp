#include "leither/tree/range.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::tree {
namespace {

using Leaves = std::span<const PieceLeaf>;

PieceLeaf to_piece_leaf(const Id& id, ByteView record) {
    PieceLeaf leaf{id, {}};
    leaf.record.assign(record.begin(), record.end());
    return leaf;
}

// Sorted, none twice, all below the prefix.
bool well_ordered(const Prefix& prefix, Leaves leaves) {
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        if (!prefix.covers(leaves[i].id)) return false;
        if (i > 0 && leaves[i - 1].id >= leaves[i].id) return false;
    }
    return true;
}

// The synopsis of the tree of these leaves. Recursion is at most 160 deep: it splits at ever deeper
// bits. REQUIRES: leaves sorted, not empty.
Result<Synopsis, PieceError> synopsis_of(Leaves leaves, Amount supply, const SumOf& sum_of) {
    const Id& first = leaves.front().id;
    if (leaves.size() == 1) {
        const auto sum = sum_of(leaves.front().record);
        if (!sum || *sum > supply) return fail(PieceError::bad_record);
        return Synopsis{leaf_hash(first, record_hash(leaves.front().record)), *sum};
    }
    const unsigned depth = common_bits(first, leaves.back().id);
    const auto split =
        std::partition_point(leaves.begin(), leaves.end(),
                             [depth](const PieceLeaf& leaf) { return !bit_of(leaf.id, depth); });
    const Synopsis left = TRY(synopsis_of(Leaves(leaves.begin(), split), supply, sum_of));
    const Synopsis right = TRY(synopsis_of(Leaves(split, leaves.end()), supply, sum_of));
    const auto sum = left.sum.plus(right.sum);
    if (!sum || *sum > supply) return fail(PieceError::synopsis_mismatch);
    return Synopsis{inner_hash(depth, prefix_of(first, depth), left, right), *sum};
}

// Half of a prefix: one bit longer.
Prefix half_of(const Prefix& prefix, bool right) {
    Prefix half{prefix.id, static_cast<std::uint8_t>(prefix.bits + 1)};
    if (right) {
        half.id[prefix.bits / 8] =
            static_cast<std::uint8_t>(half.id[prefix.bits / 8] | 0x80U >> (prefix.bits % 8));
    }
    return half;
}

}  // namespace

const char* to_string(PieceError error) {
    switch (error) {
        case PieceError::bad_proof: return "bad_proof";
        case PieceError::leaves_not_sorted: return "leaves_not_sorted";
        case PieceError::bad_record: return "bad_record";
        case PieceError::synopsis_mismatch: return "synopsis_mismatch";
    }
    UNREACHABLE();
}

Result<std::optional<Piece>, store::Fault> export_piece(const Tree& tree, const Version& version,
                                                        const Prefix& prefix) {
    Piece piece;
    bool too_many = false;
    TRY(tree.walk_at(version, prefix.id, [&](const Id& id, ByteView record, Amount) {
        if (!prefix.covers(id)) return Visit::stop;
        too_many = piece.leaves.full();
        if (too_many) return Visit::stop;
        piece.leaves.push_back(to_piece_leaf(id, record));
        return Visit::go_on;
    }));
    if (too_many) return std::nullopt;
    piece.proof = TRY(tree.prove_at(version, prefix));
    return piece;
}

Result<std::vector<PieceLeaf>, PieceError> verify_piece(const Piece& piece, const Synopsis& root,
                                                        Amount supply, const SumOf& sum_of) {
    const auto proven = verify(piece.proof, root, supply);
    if (!proven) return fail(PieceError::bad_proof);
    if (!well_ordered(piece.proof.prefix, piece.leaves)) {
        return fail(PieceError::leaves_not_sorted);
    }
    const Synopsis found =
        piece.leaves.empty() ? empty_synopsis() : TRY(synopsis_of(piece.leaves, supply, sum_of));
    if (found != *proven) return fail(PieceError::synopsis_mismatch);
    return std::vector<PieceLeaf>(piece.leaves.begin(), piece.leaves.end());
}

Result<std::vector<PieceLeaf>, store::Fault> list_leaves(const Tree& tree, const Version& version,
                                                         const Id& from, std::size_t limit) {
    std::vector<PieceLeaf> leaves;
    if (limit == 0) return leaves;
    TRY(tree.walk_at(version, from, [&](const Id& id, ByteView record, Amount) {
        leaves.push_back(to_piece_leaf(id, record));
        return leaves.size() < limit ? Visit::go_on : Visit::stop;
    }));
    return leaves;
}

Import::Import(const Synopsis& root, Amount supply, SumOf sum_of)
    : root_(root), supply_(supply), sum_of_(std::move(sum_of)), missing_{Prefix{}} {}

std::optional<Prefix> Import::wanted() const {
    if (missing_.empty()) return std::nullopt;
    return missing_.back();
}

void Import::split(const Prefix& prefix) {
    const auto found = std::find(missing_.begin(), missing_.end(), prefix);
    if (found == missing_.end() || prefix.bits >= kIdBits) return;
    *found = half_of(prefix, /*right=*/true);
    missing_.push_back(half_of(prefix, /*right=*/false));
}

Result<void, PieceError> Import::take(const Piece& piece) {
    const auto found = std::find(missing_.begin(), missing_.end(), piece.proof.prefix);
    if (found == missing_.end()) return {};  // taken already, or never asked for
    const std::vector<PieceLeaf> leaves = TRY(verify_piece(piece, root_, supply_, sum_of_));
    missing_.erase(found);
    leaves_.insert(leaves_.end(), leaves.begin(), leaves.end());
    return {};
}

std::vector<Change> Import::finish() {
    CHECK(missing_.empty());
    std::sort(leaves_.begin(), leaves_.end(),
              [](const PieceLeaf& a, const PieceLeaf& b) { return a.id < b.id; });
    std::vector<Change> changes;
    changes.reserve(leaves_.size());
    for (PieceLeaf& leaf : leaves_) {
        const Amount sum = sum_of_(leaf.record).value();  // readable: the piece was verified
        changes.push_back({leaf.id, Change::Value{std::move(leaf.record), sum}, std::nullopt});
    }
    leaves_.clear();
    return changes;
}

}  // namespace leither::tree
