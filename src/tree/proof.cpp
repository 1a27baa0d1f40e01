#include "leither/tree/proof.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/tree/above.h"

namespace leither::tree {
namespace {

template <class... Ts>
struct Overload : Ts... {
    using Ts::operator()...;
};
template <class... Ts>
Overload(Ts...) -> Overload<Ts...>;

using Checked = Result<void, ProofError>;

// Depths strictly rise, and every step lies above `limit`.
Checked check_depths(const Path& path, unsigned limit) {
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i].depth >= limit) return fail(ProofError::depths_not_rising);
        if (i > 0 && path[i].depth <= path[i - 1].depth) return fail(ProofError::depths_not_rising);
    }
    return {};
}

// The number of leading bits that everything at the end of the path shares with its id.
unsigned bits_shared_below(const Path& path) {
    return path.empty() ? 0 : path.back().depth + 1U;
}

// The sum of what lies at the end of the path: the root's less what hangs beside the path. The
// hashes bind each of these sums, so no other split of the root's sum leads to the root's hash.
Result<Amount, ProofError> sum_at_end(const Path& path, const Synopsis& root, Amount supply) {
    if (root.sum > supply) return fail(ProofError::sum_overflow);
    Amount rest = root.sum;
    for (const Step& step : path) {
        const auto less = rest.minus(step.sibling.sum);
        if (!less) return fail(ProofError::sum_overflow);
        rest = *less;
    }
    return rest;
}

// Adds and hashes upward from `end`; the result must be the root.
Checked climb(Synopsis end, const Path& path, const Id& id, const Synopsis& root, Amount supply) {
    if (end.sum > supply) return fail(ProofError::sum_overflow);
    for (auto step = path.rbegin(); step != path.rend(); ++step) {
        const auto sum = end.sum.plus(step->sibling.sum);
        if (!sum || *sum > supply) return fail(ProofError::sum_overflow);
        const bool on_right = bit_of(id, step->depth);
        end = Synopsis{inner_hash(step->depth, prefix_of(id, step->depth),
                                  on_right ? step->sibling : end, on_right ? end : step->sibling),
                       *sum};
    }
    if (end != root) return fail(ProofError::root_mismatch);
    return {};
}

Checked check_empty(const Path& path, const Synopsis& root) {
    if (!path.empty()) return fail(ProofError::prefix_mismatch);
    if (root != empty_synopsis()) return fail(ProofError::root_mismatch);
    return {};
}

Result<Synopsis, ProofError> synopsis_of(const OtherNode& node, Amount supply) {
    if (node.depth >= kIdBits) return fail(ProofError::depths_not_rising);
    if (prefix_of(node.prefix, node.depth) != node.prefix) return fail(ProofError::prefix_mismatch);
    const auto sum = node.left.sum.plus(node.right.sum);
    if (!sum || *sum > supply) return fail(ProofError::sum_overflow);
    return Synopsis{inner_hash(node.depth, node.prefix, node.left, node.right), *sum};
}

// A path that ends at a closed leaf: where it hangs, and its synopsis if the path leads to the
// root.
Result<Synopsis, ProofError> check_other_leaf(const OtherLeaf& leaf, const Path& path, const Id& id,
                                              const Synopsis& root, Amount supply) {
    if (common_bits(leaf.id, id) < bits_shared_below(path)) {
        return fail(ProofError::prefix_mismatch);
    }
    const Amount sum = TRY(sum_at_end(path, root, supply));
    const Synopsis end{leaf_hash(leaf.id, leaf.record_hash), sum};
    TRY(climb(end, path, id, root, supply));
    return end;
}

Result<Synopsis, ProofError> check_other_node(const OtherNode& node, const Path& path, const Id& id,
                                              const Synopsis& root, Amount supply) {
    const unsigned shared = bits_shared_below(path);
    if (node.depth < shared) return fail(ProofError::depths_not_rising);
    if (common_bits(node.prefix, id) < shared) return fail(ProofError::prefix_mismatch);
    const Synopsis end = TRY(synopsis_of(node, supply));
    TRY(climb(end, path, id, root, supply));
    return end;
}

}  // namespace

const char* to_string(ProofError error) {
    switch (error) {
        case ProofError::depths_not_rising: return "depths_not_rising";
        case ProofError::prefix_mismatch: return "prefix_mismatch";
        case ProofError::sum_overflow: return "sum_overflow";
        case ProofError::bad_record: return "bad_record";
        case ProofError::root_mismatch: return "root_mismatch";
    }
    UNREACHABLE();
}

Result<std::optional<RecordBytes>, ProofError> verify(const AccountProof& proof,
                                                      const Synopsis& root, Amount supply,
                                                      const SumOf& sum_of) {
    using Verdict = Result<std::optional<RecordBytes>, ProofError>;
    const Path& path = proof.path;
    const Id& id = proof.id;
    TRY(check_depths(path, kIdBits));
    return std::visit(Overload{
                          [&](const Presence& end) -> Verdict {
                              const auto sum = sum_of(end.record);
                              if (!sum) return fail(ProofError::bad_record);
                              const Synopsis leaf{leaf_hash(id, record_hash(end.record)), *sum};
                              TRY(climb(leaf, path, id, root, supply));
                              return end.record;
                          },
                          [&](const EmptyTree&) -> Verdict {
                              TRY(check_empty(path, root));
                              return std::nullopt;
                          },
                          [&](const OtherLeaf& end) -> Verdict {
                              if (end.id == id) return fail(ProofError::prefix_mismatch);
                              TRY(check_other_leaf(end, path, id, root, supply));
                              return std::nullopt;
                          },
                          [&](const OtherNode& end) -> Verdict {
                              if (common_bits(end.prefix, id) >= end.depth) {
                                  return fail(ProofError::prefix_mismatch);
                              }
                              TRY(check_other_node(end, path, id, root, supply));
                              return std::nullopt;
                          },
                      },
                      proof.end);
}

Result<Synopsis, ProofError> verify(const PrefixProof& proof, const Synopsis& root, Amount supply) {
    using Verdict = Result<Synopsis, ProofError>;
    const Path& path = proof.path;
    const Prefix& prefix = proof.prefix;
    if (!prefix.is_canonical()) return fail(ProofError::prefix_mismatch);
    // A step at or below the prefix would hide what hangs beside it.
    TRY(check_depths(path, prefix.bits));
    return std::visit(
        Overload{
            [&](const EmptyTree&) -> Verdict {
                TRY(check_empty(path, root));
                return empty_synopsis();
            },
            [&](const OtherLeaf& end) -> Verdict {
                const Synopsis leaf = TRY(check_other_leaf(end, path, prefix.id, root, supply));
                return prefix.covers(end.id) ? leaf : empty_synopsis();
            },
            [&](const OtherNode& end) -> Verdict {
                const Synopsis node = TRY(check_other_node(end, path, prefix.id, root, supply));
                if (end.depth >= prefix.bits && prefix.covers(end.prefix)) return node;
                const unsigned decisive = std::min<unsigned>(end.depth, prefix.bits);
                if (common_bits(end.prefix, prefix.id) >= decisive) {
                    return fail(ProofError::prefix_mismatch);
                }
                return empty_synopsis();
            },
        },
        proof.end);
}

Checked verify_above(const Prefix& prefix, const Path& path, const Synopsis& synopsis,
                     const Synopsis& root, Amount supply) {
    if (!prefix.is_canonical()) return fail(ProofError::prefix_mismatch);
    TRY(check_depths(path, prefix.bits));
    return climb(synopsis, path, prefix.id, root, supply);
}

}  // namespace leither::tree
