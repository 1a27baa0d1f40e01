#include "head.h"

namespace leither::tree {
namespace {

// Moves a loaded group into the slab; answers its top.
Slot install(const Group& group, Slab& slab) {
    std::vector<std::uint32_t> cells;
    cells.reserve(group.nodes.size());
    for (const GroupNode& node : group.nodes) {
        cells.push_back(slab.allocate(node.depth, node.prefix));
    }
    const auto named_by_cell = [&cells](Slot slot) {
        if (is_resident(slot.node)) slot.node = cells[slot.node];
        return slot;
    };
    for (std::size_t i = 0; i < cells.size(); ++i) {
        for (const Side side : {Side::left, Side::right}) {
            slab[cells[i]].set(side, named_by_cell(group.nodes[i].child[index_of(side)]));
        }
    }
    return named_by_cell(group.top);
}

}  // namespace

Result<Slot, store::Fault> Head::load(const Slot& slot, int parent_depth, const Id& above) {
    CHECK(slot.node == kNotLoaded);
    const Group group = TRY(pages.group({slot.location, parent_depth, above}, slot.synopsis));
    ++loads_;
    return install(group, slab);
}

Result<void, store::Fault> Head::load_root() {
    root = TRY(load(root, kAboveRoot, Id{}));
    return {};
}

Result<void, store::Fault> Head::load_child(std::uint32_t node, Side side) {
    const int depth = slab[node].depth();
    const Id above = with_bit(slab.prefix(node), static_cast<unsigned>(depth), side);
    const Slot loaded = TRY(load(slab[node].slot(side), depth, above));
    slab[node].child[index_of(side)] = loaded.node;
    return {};
}

Head::Edge Head::resident_edge(const Id& id) const {
    Edge edge{root, kAboveRoot};
    while (is_resident(edge.slot.node)) {
        const Node& node = slab[edge.slot.node];
        edge.parent_depth = node.depth();
        edge.slot = node.slot(side_of(id, static_cast<unsigned>(node.depth())));
    }
    return edge;
}

}  // namespace leither::tree
