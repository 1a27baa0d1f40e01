#include "emitter.h"

#include "bits.h"

namespace leither::tree {
namespace {

bool is_new(const Node& node, Side side) {
    return !node.location[index_of(side)].is_placed();
}

}  // namespace

// Stacks the inner nodes of the run that begins at `slot`. Where it forks, both branches are
// written first, so that the fork can refer to them.
void Emitter::gather(const Slot& slot) {
    std::uint32_t index = slot.node;
    while (is_resident(index)) {
        run_.push_back(index);
        Node& node = slab_[index];
        const bool left = is_new(node, Side::left);
        const bool right = is_new(node, Side::right);
        if (left && right) {
            node.location[0] = emit(node.slot(Side::left), node.depth());
            node.location[1] = emit(node.slot(Side::right), node.depth());
        }
        if (left == right) return;
        index = node.child[left ? 0 : 1];
    }
}

void Emitter::emit_below(const Slot& slot) {
    const std::size_t first = run_.size();
    gather(slot);
    run_.resize(first);
}

Location Emitter::emit(const Slot& slot, int parent_depth) {
    const std::size_t first = run_.size();
    gather(slot);
    const Location start = writer_.next();
    Slot at = slot;
    for (std::size_t i = first; i < run_.size(); ++i) {
        Node& node = slab_[run_[i]];
        write_inner(run_[i], parent_depth, at.synopsis);
        parent_depth = node.depth();
        if (!is_new(node, Side::left) && !is_new(node, Side::right)) {
            at = Slot{};
            break;
        }
        const Side side = is_new(node, Side::left) ? Side::left : Side::right;
        at = node.slot(side);
        node.location[index_of(side)] = writer_.next();
    }
    if (at.node == kLeafNode) writer_.leaf(nodes_.leaves[at.location.tag()]);
    writer_.end_run();
    run_.resize(first);
    return start;
}

void Emitter::write_inner(std::uint32_t index, int parent_depth, const Synopsis& synopsis) {
    const Node& node = slab_[index];
    PageWriter::Inner inner;
    inner.parent_depth = parent_depth;
    inner.depth = node.depth();
    inner.prefix = slab_.prefix(index);
    if (!in_one_group(parent_depth, inner.depth)) inner.own = &synopsis;
    const bool left_new = is_new(node, Side::left);
    const bool right_new = is_new(node, Side::right);
    inner.kind = left_new    ? NodeKind::left_follows
                 : right_new ? NodeKind::right_follows
                             : NodeKind::pair;
    writer_.inner(inner);
    if (!left_new) writer_.reference(node.location[0]);
    if (!right_new) writer_.reference(node.location[1]);
}

}  // namespace leither::tree
