#include "pruner.h"

#include <algorithm>

namespace leither::tree {
namespace {

// One run of a scanned page: the offsets at which its nodes begin, and the last node.
struct Run {
    std::uint32_t first_offset = 0;
    StoredNode last;
    std::size_t nodes = 0;
};

Result<Run, store::Fault> next_run(ByteView page, Location start) {
    Run run;
    run.first_offset = start.offset();
    for (Location at = start;;) {
        run.last = TRY(parse_node(page, at));
        ++run.nodes;
        const NodeKind kind = run.last.kind;
        if (kind == NodeKind::leaf || kind == NodeKind::pair) return run;
        at = Location::at(at.sequence(), at.page(), run.last.next_offset);
    }
}

bool lies_in(const Run& run, Location location) {
    const Location last = run.last.location;
    return location.packed() <= last.packed() &&
           location.packed() + (last.offset() - run.first_offset) >= last.packed();
}

// Any id below the run's end. Nothing if the way down is gone: pages that were erased are dead, and
// so is whatever refers to them.
Result<std::optional<Id>, store::Fault> id_below(const Run& run, Pages& pages) {
    if (run.last.is_leaf()) return run.last.leaf.id;
    const auto leaf = pages.any_leaf(run.last.child[0]);
    if (leaf) return leaf->node.leaf.id;
    if (leaf.error().kind == store::Fault::Kind::corrupt) return std::nullopt;
    return fail(leaf.error());
}

// The depth of the deepest node of `run` that the head's path to `id` passes; kIdBits for the leaf.
Result<std::optional<unsigned>, store::Fault> deepest_live(const Run& run, const Id& id,
                                                           Head& head) {
    std::optional<unsigned> live;
    Slot slot = head.root;
    int parent_depth = kAboveRoot;
    const std::uint64_t version = run.last.location.sequence();
    // A parent is never older than its child, so the path is left where it grows older than the
    // run.
    while (is_resident(slot.node) && slot.location.sequence() >= version) {
        const Node& node = head.slab[slot.node];
        parent_depth = node.depth();
        if (lies_in(run, slot.location)) live = static_cast<unsigned>(parent_depth);
        slot = node.slot(side_of(id, static_cast<unsigned>(parent_depth)));
    }
    Location at = slot.location;
    while (!slot.is_empty() && at.sequence() >= version) {
        const HeldNode held = TRY(head.pages.node(at));
        parent_depth += 1 + static_cast<int>(held.node.skip);
        if (!held.node.is_leaf() && parent_depth >= static_cast<int>(kIdBits)) {
            return fail(corrupt(at, "deeper than an id"));
        }
        if (lies_in(run, at)) {
            live = held.node.is_leaf() ? kIdBits : static_cast<unsigned>(parent_depth);
        }
        if (held.node.is_leaf()) break;
        at = held.node.child[index_of(side_of(id, static_cast<unsigned>(parent_depth)))];
    }
    return live;
}

// Appends what is live of the page; answers the number of nodes looked at.
Result<std::size_t, store::Fault> scan_page(ByteView page, Location start, Head& head,
                                            std::vector<Relocation>& relocations) {
    std::size_t nodes = 0;
    for (Location at = start; at.offset() < page.size();) {
        const Run run = TRY(next_run(page, at));
        nodes += run.nodes;
        const auto id = TRY(id_below(run, head.pages));
        const auto depth = id ? TRY(deepest_live(run, *id, head)) : std::nullopt;
        if (depth) {
            Relocation relocation;
            relocation.id = *id;
            relocation.depth = static_cast<std::uint8_t>(*depth);
            if (*depth == kIdBits) {
                const StoredLeaf& leaf = run.last.leaf;
                relocation.sum = leaf.sum;
                relocation.written = leaf.written;
                relocation.previous = leaf.previous;
                relocation.record.assign(leaf.record.begin(), leaf.record.end());
            }
            relocations.push_back(std::move(relocation));
        }
        if (run.last.next_offset >= page.size()) break;
        at = Location::at(at.sequence(), at.page(), run.last.next_offset);
    }
    return nodes;
}

// By id; of several nodes on the way to one id the deepest, which moves those above it as well.
void sort_and_merge(std::vector<Relocation>& relocations) {
    std::sort(relocations.begin(), relocations.end(), [](const auto& a, const auto& b) {
        return a.id != b.id ? a.id < b.id : a.depth > b.depth;
    });
    const auto same_id = [](const auto& a, const auto& b) { return a.id == b.id; };
    relocations.erase(std::unique(relocations.begin(), relocations.end(), same_id),
                      relocations.end());
}

}  // namespace

void Pruner::retain_from(Sequence oldest) {
    CHECK(oldest >= retained_from_);
    retained_from_ = oldest;
}

Result<Pruner::Step, store::Fault> Pruner::scan(Head& head, std::size_t nodes_max) const {
    Step step{{}, progress_};
    PruneProgress& at = step.progress;
    if (at.sequence >= retained_from_.value()) return step;
    const auto cursor = head.pages.store().cursor();
    cursor->seek(store::version_key(at.sequence, store::KeyKind::page, at.page));
    for (std::size_t nodes = 0; nodes < nodes_max; cursor->next()) {
        if (const auto fault = cursor->fault()) return fail(*fault);
        const auto done = PruneProgress{retained_from_.value(), 0};
        if (!cursor->valid()) {
            at = done;
            break;
        }
        const auto key = store::parse_version_key(cursor->key());
        if (!key || key->sequence >= retained_from_.value()) {
            at = done;
            break;
        }
        if (key->kind != store::KeyKind::page) continue;
        const Location start = Location::at(key->sequence, key->index, 0);
        nodes += TRY(scan_page(cursor->value(), start, head, step.relocations));
        at = {key->sequence, key->index + 1};
    }
    sort_and_merge(step.relocations);
    return step;
}

void Pruner::committed(Sequence version, const PruneProgress& progress) {
    progress_ = progress;
    const bool advanced = milestones_.empty() ? progress.sequence > erasable_below_
                                              : progress.sequence > milestones_.back().below;
    if (advanced) milestones_.push_back({progress.sequence, version.value()});
}

Sequence Pruner::erasable_below() {
    while (!milestones_.empty() && milestones_.front().version <= retained_from_.value()) {
        erasable_below_ = milestones_.front().below;
        milestones_.pop_front();
    }
    return Sequence(erasable_below_);
}

}  // namespace leither::tree
