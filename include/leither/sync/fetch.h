// The state of one proven root, in pieces from several peers of which none is trusted.
//
// Specification
//   * The id space is cut into ranges by prefix, each to be fetched from anybody. A range that
//     does not fit one piece is cut in halves when a peer says so.
//   * A piece is taken if it proves itself complete below the root (tree/range.h), whoever sent it,
//     in any order, once. Taken, it leaves as a write under its prefix; nothing of it stays in
//     memory but the prefix.
//   * After a restart the ranges still missing follow from the keys of what was written: an
//     accepted piece is never fetched again. A write that was lost is just a range that is
//     missing.
//   * "split" is no proof. When both halves of a range have come, it is known whether they would
//     have fit one piece; then whoever said that they do not is told as a liar. One range is asked
//     for at all times, so such a liar only costs requests.
//   * At most kRangesMax ranges.
// Rationale: what is on disk is not verified again when it is read, since the tree built from it
//   must have the root (state.h).
//
// Neither clock nor peers' conduct: whom to ask and how long to wait is catch_up's.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "leither/protocol/sync_messages.h"
#include "leither/store/gathered_writes.h"
#include "leither/tree/range.h"

namespace leither::sync {

inline constexpr std::size_t kRangesMax = 65'536;

// The keys of one state's pieces in a store: they sort by id.
class PieceKeys {
 public:
    // `prefix` keeps them apart from all else there.
    explicit PieceKeys(Bytes prefix) : start_(std::move(prefix)) {}
    Bytes key(const Prefix& prefix) const;
    // Nothing if it is not a piece's.
    std::optional<Prefix> parse(ByteView key) const;
    const Bytes& start() const { return start_; }

 private:
    Bytes start_;
};
// What is written of a piece.
using PieceLeaves = Bounded<tree::PieceLeaf, tree::kPieceLeavesMax>;

// What a range holds, as far as it limits a piece.
struct Weight {
    std::size_t leaves = 0;
    std::size_t bytes = 0;  // of the leaves, encoded
    bool fits_one_piece() const;
};
Weight weight_of(std::span<const tree::PieceLeaf> leaves);

class Fetch {
 public:
    struct Target {
        Synopsis root;
        Amount supply;
        tree::SumOf sum_of;
    };
    Fetch(Target target, PieceKeys keys);
    // Goes on where the pieces in the store end.
    static Result<Fetch, store::Fault> resume(Target target, PieceKeys keys,
                                              const store::Reader& store);

    // A range that nobody is asked for, which is asked for now.
    std::optional<Prefix> next();
    bool has_next() const { return !waiting_.empty(); }
    // Whoever was asked for it will not bring it.
    void give_back(const Prefix& prefix);
    // REQUIRES: `by` was asked for it. False: no range can be cut there, so it is a lie, or there
    // are too many.
    bool split(const Prefix& prefix, const Id& by);

    struct Taken {
        std::size_t leaves = 0;
        std::vector<Id> liars;  // who said that a range does not fit one piece, though it does
    };
    // Writes a piece of a missing range, asked for or not; one that is not missing changes nothing.
    Result<Taken, tree::PieceError> take(const tree::Piece& piece, store::GatheredWrites& writes);
    bool is_complete() const { return waiting_.empty() && asked_.empty(); }
    // Erases all that was taken.
    void discard(store::GatheredWrites& writes);

    std::size_t pieces() const { return taken_.size(); }
    std::size_t missing() const { return waiting_.size() + asked_.size(); }
    // Of the id space that is taken, in 1/65,536.
    std::uint32_t share() const;
    void check_invariants() const;

 private:
    void weigh(Prefix prefix, Weight weight, std::vector<Id>& liars);

    Target target_;
    PieceKeys keys_;
    // Missing ranges; with what is taken they cover the id space without overlap.
    std::set<Prefix> waiting_;
    std::set<Prefix> asked_;
    std::set<Prefix> taken_;
    // Whole ranges taken since the start, whose sibling is not whole yet.
    std::map<Prefix, Weight> whole_;
    std::map<Prefix, Id> split_by_;
};

}  // namespace leither::sync
