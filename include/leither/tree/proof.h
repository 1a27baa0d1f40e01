// Proofs that need no store and no node: bytes in, verdict out (docs/protocol/proofs.md).
//
// A proof is checked against a root synopsis that the verifier trusts (from a certified header).
// The verifier demands strictly rising depths and prefixes equal to the id's bits, recomputes the
// leaf's sum from the opened record through the caller's `SumOf`, adds upward with overflow checked
// and refuses any partial sum above the supply.
//
// Encoded size <= 42 bytes * depth + 256, record included up to 160 bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <variant>

#include "leither/base/bounded.h"
#include "leither/base/result.h"
#include "leither/tree/synopsis.h"

namespace leither::tree {

// Largest record a leaf may hold: the full table of candidates, and rewards that wait.
inline constexpr std::size_t kRecordBytesMax = 64 << 10;
using RecordBytes = Bounded<std::uint8_t, kRecordBytesMax>;

// One inner node above the leaf, root first. Its prefix is not sent: it is the id's first bits.
struct Step {
    std::uint8_t depth = 0;
    Synopsis sibling;
    static void fields(auto& self, auto&& visit) { visit(self.depth, self.sibling); }
};
using Path = Bounded<Step, kIdBits>;

// The account's own leaf, opened.
struct Presence {
    RecordBytes record;
    static void fields(auto& self, auto&& visit) { visit(self.record); }
};
// The tree is empty.
struct EmptyTree {
    static void fields(auto&, auto&& visit) { visit(); }
};
// The path ends at the leaf of another account; its record stays closed.
struct OtherLeaf {
    Id id;
    Hash record_hash;
    static void fields(auto& self, auto&& visit) { visit(self.id, self.record_hash); }
};
// The path ends at a node whose prefix departs from the id.
struct OtherNode {
    std::uint8_t depth = 0;
    Id prefix;
    Synopsis left;
    Synopsis right;
    static void fields(auto& self, auto&& visit) {
        visit(self.depth, self.prefix, self.left, self.right);
    }
};

struct AccountProof {
    Id id;
    Path path;
    std::variant<Presence, EmptyTree, OtherLeaf, OtherNode> end;
    static void fields(auto& self, auto&& visit) { visit(self.id, self.path, self.end); }
};

// Proves the synopsis of everything below a prefix: the path down to the first node at or below
// `prefix.bits`. Its end is that node (leaf closed, or inner), or shows that nothing is there.
struct PrefixProof {
    Prefix prefix;
    Path path;
    std::variant<EmptyTree, OtherLeaf, OtherNode> end;
    static void fields(auto& self, auto&& visit) { visit(self.prefix, self.path, self.end); }
};

enum class ProofError : std::uint8_t {
    depths_not_rising,  // depths must strictly rise and stay below 160
    prefix_mismatch,  // the end does not lie where the path leads, or does not prove what it claims
    sum_overflow,     // a partial sum is above the supply
    bad_record,       // the opened record has no readable sum
    root_mismatch,    // the path leads to another root
};
const char* to_string(ProofError error);

// The sum an opened record stands for, nothing if the bytes are no record (ledger::record_sum).
using SumOf = std::function<std::optional<Amount>(ByteView record)>;

// The record of `proof.id` below `root`, or nothing if the proof shows that it has none.
Result<std::optional<RecordBytes>, ProofError> verify(const AccountProof& proof,
                                                      const Synopsis& root, Amount supply,
                                                      const SumOf& sum_of);

// The synopsis of everything below `proof.prefix`.
Result<Synopsis, ProofError> verify(const PrefixProof& proof, const Synopsis& root, Amount supply);

}  // namespace leither::tree
