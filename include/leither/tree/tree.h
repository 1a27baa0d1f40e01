// The versioned sparse Merkle-sum tree: 160-bit ids -> record bytes with a sum, at every retained
// sequence (paper V, docs/protocol/tree.md; storage layout in docs/decisions/0002).
//
// Specification
//   * A node with one child is replaced by that child, so a leaf lies near depth log2(n) + 1.
//   * prepare() computes a new version beside the head without touching it: several candidates of
//     one head may exist, each to be committed or dropped. Nothing is visible before commit().
//   * The head's inner nodes live in memory as far as `cache_bytes` allows: always the top of the
//     tree, down to a depth that adapts. Records and older versions are read from the store.
//   * Pruning copies live nodes out of versions that fall behind the window, a bounded number with
//     each prepared version, and names the versions that may then be erased as a range.
// Complexity: prepare O(changes * depth); read O(depth) + one store read; prove likewise.
//
// Not thread-safe; one owner. Reads the store, never writes: writes come back as data.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "leither/base/number.h"
#include "leither/store/kv.h"
#include "leither/tree/proof.h"
#include "leither/tree/synopsis.h"

namespace leither::tree {

struct Options {
    // Bytes of inner nodes of the head kept in memory.
    std::size_t cache_bytes = std::size_t{108} << 20;
    // Bytes of store pages kept in memory (records of recently used accounts).
    std::size_t page_cache_bytes = std::size_t{4} << 20;
    // Old nodes looked at, and copied if live, with each prepared version while pruning is behind.
    std::size_t prune_step_nodes = 2048;
};

// Where a version's root is stored; part of its seal. Opaque to everybody else.
struct RootLocation {
    std::uint64_t location = 0;
    static void fields(auto& self, auto&& visit) { visit(self.location); }
    friend bool operator==(const RootLocation&, const RootLocation&) = default;
};

struct Version {
    Sequence sequence;
    Synopsis root;
    RootLocation location;
};

struct Leaf {
    RecordBytes record;
    Hash hash;                         // the leaf's, to name as `expected` in a Change
    std::optional<Sequence> previous;  // the sequence of the record this one replaced, if retained
    Sequence written;
};

struct Change {
    Id id;
    // The new record and its sum; nothing removes the leaf.
    struct Value {
        RecordBytes record;
        Amount sum;
    };
    std::optional<Value> value;
    // The hash of the leaf that is replaced, as read before; nothing for a new leaf. A mismatch is
    // a bug of the caller and CHECKed, so no change can land on a leaf it did not read.
    std::optional<Hash> expected;
};

// Sees the leaves of a version one by one; the record lives until it returns.
enum class Visit : std::uint8_t { go_on, stop };
using LeafVisitor = std::function<Visit(const Id& id, ByteView record, Amount sum)>;

class Tree {
 public:
    using Fault = store::Fault;

    // Opens at `head`; `retained_from` is the oldest sequence whose seal is kept (0 if none
    // pruned).
    Tree(Options options, const store::Reader& store, const Version& head, Sequence retained_from);
    // An empty tree, before its first version.
    Tree(Options options, const store::Reader& store);
    ~Tree();
    Tree(Tree&&) noexcept;

    const Version& head() const;

    // A version computed but not yet the head. Move-only; dropping it frees its nodes.
    class Update {
     public:
        Update(Update&&) noexcept;
        Update& operator=(Update&&) noexcept;
        ~Update();
        const Version& version() const;
        // The pages to write, to be taken once and written in the same batch as the seal.
        store::WriteBatch take_writes();
        std::size_t nodes_hashed() const;

     private:
        friend class Tree;
        struct Impl;
        explicit Update(std::unique_ptr<Impl> impl);
        std::unique_ptr<Impl> impl_;
    };

    // The head with `changes` applied, as version `sequence`. REQUIRES: changes sorted by id, no id
    // twice; sequence > head's; no sum overflow (the ledger conserves the supply).
    Result<Update, Fault> prepare(std::span<const Change> changes, Sequence sequence);
    // Makes `update` the head, once its writes are durable. REQUIRES: prepared from this head.
    void commit(Update&& update);

    // ---- Reading the head ----------------------------------------------------------------------
    // The leaf of `id`, nothing if it has none.
    Result<std::optional<Leaf>, Fault> read(const Id& id);
    // These are read next: brings the ways to them near the processor, all at once. Changes
    // nothing.
    void expect(std::span<const Id> ids) const;
    Result<AccountProof, Fault> prove(const Id& id);
    Result<PrefixProof, Fault> prove(const Prefix& prefix);

    // ---- Reading any retained version ----------------------------------------------------------
    Result<std::optional<Leaf>, Fault> read_at(const Version& version, const Id& id) const;
    Result<AccountProof, Fault> prove_at(const Version& version, const Id& id) const;
    Result<PrefixProof, Fault> prove_at(const Version& version, const Prefix& prefix) const;
    // Every leaf with id >= `from`, rising, until the visitor stops.
    Result<void, Fault> walk_at(const Version& version, const Id& from,
                                const LeafVisitor& visit) const;

    // ---- Pruning -------------------------------------------------------------------------------
    // From now on no version below `oldest` is read any more; prepared versions carry their live
    // nodes forward bit by bit. REQUIRES: oldest <= head's sequence; never falls.
    void retain_from(Sequence oldest);
    // Every page of the versions below the answer is dead: no retained version refers to it. Erase
    // store keys [0, answer). Rises as prepared versions are committed.
    Sequence erasable_below() const;

    struct Stats {
        std::size_t cached_nodes = 0;
        std::size_t cached_bytes = 0;
        std::uint64_t page_reads = 0;
    };
    Stats stats() const;
    // Re-hashes everything in memory and compares; for tests and fuzzing.
    void check_invariants() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::tree
