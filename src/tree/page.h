// The stored form of nodes (docs/protocol/tree.md gives worked bytes).
//
// A page is a sequence of runs. A run is a chain of new nodes, each followed by its only new child;
// it ends in a leaf, or in a node that names both its children by reference.
//
//   tag        kind (2 bits) | flag (1 bit) << 2 | min(skip, 31) << 3
//   inner      [skip - 31, if 31] [skipped prefix bits] [own hash, own sum, if flag] references
//   leaf       id, sum, previous, [age, if flag], record length, record
//   reference  version delta, position in that version
//
// Numbers are varints. `skip` counts the levels between a node and its parent; the bits skipped are
// stored, zero-padded. The flag of an inner node says that it carries its synopsis, the flag of a
// leaf that it was moved here by pruning, `age` versions after it was written.
#pragma once

#include <cstdint>
#include <optional>

#include "leither/base/number.h"
#include "leither/base/result.h"
#include "leither/store/kv.h"
#include "leither/tree/proof.h"

#include "location.h"

namespace leither::tree {

// On disk; never change these values.
enum class NodeKind : std::uint8_t {
    leaf = 0,
    left_follows = 1,   // the left child is the next node of the run, the right one a reference
    right_follows = 2,  // the other way round
    pair = 3,           // both children are references; the run ends
};

// A leaf as stored. `record` points into the page.
struct StoredLeaf {
    Id id;
    Amount sum;
    std::uint64_t written = 0;
    std::optional<std::uint64_t> previous;
    ByteView record;
};

// One node as parsed, before its place in the tree is known.
struct StoredNode {
    NodeKind kind = NodeKind::leaf;
    unsigned skip = 0;
    ByteView skipped_bits;
    std::optional<Synopsis> own;
    Location child[2];
    StoredLeaf leaf;
    Location location;
    std::uint32_t next_offset = 0;  // where the node behind it in the page begins

    bool is_leaf() const { return kind == NodeKind::leaf; }
};

// The node at `location`, whose page is `page`. Never reads outside the page, whatever it holds.
Result<StoredNode, store::Fault> parse_node(ByteView page, Location location);

// Depth and prefix of an inner node below a parent, both checked.
struct Place {
    int depth = 0;
    Id prefix;
};
// `above`: the first parent_depth + 1 bits of every id below the node, the rest zero.
Result<Place, store::Fault> place_of(const StoredNode& node, int parent_depth, const Id& above);

store::Fault corrupt(Location location, const char* what);

// Writes the pages of one version. Nodes of a run are appended in order, then the run is ended.
class PageWriter {
 public:
    // A page is closed by the first run that ends at or behind this many bytes.
    static constexpr std::size_t kPageBytes = 4096;

    explicit PageWriter(Sequence sequence);

    // Where the next node will begin.
    Location next() const;
    struct Inner {
        NodeKind kind = NodeKind::pair;
        int parent_depth = 0;
        int depth = 0;
        Id prefix;
        const Synopsis* own = nullptr;  // given if the parent lies in another group
    };
    // Begins an inner node; its references follow through `reference`, left before right.
    void inner(const Inner& node);
    void reference(Location child);
    void leaf(const StoredLeaf& leaf);
    void end_run();
    store::WriteBatch finish();

 private:
    void varint(std::uint64_t value);
    void raw(ByteView bytes);
    void tag(NodeKind kind, bool flag, unsigned skip);
    void close_page();

    std::uint64_t sequence_;
    std::uint32_t page_ = 0;
    Bytes buffer_;
    store::WriteBatch batch_;
};

}  // namespace leither::tree
