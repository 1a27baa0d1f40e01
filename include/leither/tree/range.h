// State by prefix range: a piece holds every leaf below a prefix and the proof of that prefix, so
// it can be checked alone, whoever sent it. Pieces may come in any order from any mix of peers.
#pragma once

#include <cstdint>
#include <vector>

#include "leither/base/bounded.h"
#include "leither/base/result.h"
#include "leither/tree/proof.h"
#include "leither/tree/tree.h"

namespace leither::tree {

inline constexpr std::size_t kPieceLeavesMax = 4096;

struct PieceLeaf {
    Id id;
    RecordBytes record;
    static void fields(auto& self, auto&& visit) { visit(self.id, self.record); }
};

struct Piece {
    PrefixProof proof;
    Bounded<PieceLeaf, kPieceLeavesMax> leaves;  // by id, rising
    static void fields(auto& self, auto&& visit) { visit(self.proof, self.leaves); }
};

enum class PieceError : std::uint8_t {
    bad_proof,          // the prefix proof does not hold
    leaves_not_sorted,  // or outside the prefix
    bad_record,
    synopsis_mismatch,  // the leaves do not add up to the proven synopsis
};
const char* to_string(PieceError error);

// The piece of `version` below `prefix`, or nothing if more than
// kPieceLeavesMax leaves lie below it (ask for its two halves).
Result<std::optional<Piece>, store::Fault> export_piece(const Tree& tree, const Version& version,
                                                        const Prefix& prefix);
// The piece's leaves, proven complete.
Result<std::vector<PieceLeaf>, PieceError> verify_piece(const Piece& piece, const Synopsis& root,
                                                        Amount supply, const SumOf& sum_of);

// Up to `limit` leaves of `version` with id >= `from`, in order: for listings.
Result<std::vector<PieceLeaf>, store::Fault> list_leaves(const Tree& tree, const Version& version,
                                                         const Id& from, std::size_t limit);

// Collects verified pieces until they cover the whole id space, then yields the changes that build
// the tree. Resumable: pieces already taken are not asked for again.
class Import {
 public:
    Import(const Synopsis& root, Amount supply, SumOf sum_of);
    // The next prefix to fetch, nothing when complete.
    std::optional<Prefix> wanted() const;
    // The prefix has too many leaves for one piece: asks for its halves instead.
    void split(const Prefix& prefix);
    Result<void, PieceError> take(const Piece& piece);
    // REQUIRES: !wanted(). Sorted changes for Tree::prepare on an empty tree.
    std::vector<Change> finish();

 private:
    Synopsis root_;
    Amount supply_;
    SumOf sum_of_;
    std::vector<Prefix> missing_;
    std::vector<PieceLeaf> leaves_;
};

}  // namespace leither::tree
