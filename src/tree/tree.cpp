#include "leither/tree/tree.h"

#include <algorithm>

#include "builder.h"
#include "cache_limit.h"
#include "candidate.h"
#include "prover.h"
#include "pruner.h"

namespace leither::tree {
namespace {

Slot root_slot(const Version& version) {
    const bool empty = version.root == empty_synopsis();
    return {version.root, Location::unpack(version.location.location),
            empty ? kNoNode : kNotLoaded};
}

Operation to_operation(const Change& change, std::size_t index) {
    Operation operation{change.id, Operation::Kind::set, 0, static_cast<std::uint32_t>(index)};
    if (!change.value) operation.kind = Operation::Kind::remove;
    CHECK(change.value || change.expected, "a removal must name the leaf it read");
    return operation;
}

// Changes and moves in one sorted list. A leaf that changes anyway needs no move.
std::vector<Operation> merge(std::span<const Change> changes,
                             std::span<const Relocation> relocations) {
    std::vector<Operation> operations;
    operations.reserve(changes.size() + relocations.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < relocations.size(); ++i) {
        const Relocation& relocation = relocations[i];
        for (; next < changes.size() && changes[next].id < relocation.id; ++next) {
            operations.push_back(to_operation(changes[next], next));
        }
        if (next < changes.size() && changes[next].id == relocation.id) continue;
        operations.push_back({relocation.id, Operation::Kind::move, relocation.depth,
                              static_cast<std::uint32_t>(i)});
    }
    for (; next < changes.size(); ++next) {
        operations.push_back(to_operation(changes[next], next));
    }
    return operations;
}

}  // namespace

struct Tree::Update::Impl : Candidate {
    using Candidate::Candidate;
};

Tree::Update::Update(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tree::Update::Update(Update&&) noexcept = default;
Tree::Update& Tree::Update::operator=(Update&&) noexcept = default;
Tree::Update::~Update() = default;
const Version& Tree::Update::version() const {
    return impl_->version;
}
store::WriteBatch Tree::Update::take_writes() {
    return std::exchange(impl_->writes, {});
}
std::size_t Tree::Update::nodes_hashed() const {
    return impl_->hashed;
}

struct Tree::Impl {
    Impl(const Options& given, const store::Reader& store)
        : options(given), head(store, given.page_cache_bytes), cache_limit(given.cache_bytes) {}

    // What was loaded below an old node since it was copied belongs to its twin.
    void adopt_loaded(std::span<const Replaced> all);
    // Brings the path to `id` into memory as deep as the cache may go.
    Result<void, Fault> warm(const Id& id);
    Prover prover_at(const Version& at) { return {head.pages, nullptr, root_slot(at)}; }
    Prover prover_at_head() { return {head.pages, &head.slab, head.root}; }

    Options options;
    Head head;
    CacheLimit cache_limit;
    Pruner pruner;
    Version version;
    bool has_version = false;
    std::uint64_t commits = 0;
};

Tree::Tree(Options options, const store::Reader& store)
    : impl_(std::make_unique<Impl>(options, store)) {
    impl_->version.root = empty_synopsis();
    impl_->head.root = root_slot(impl_->version);
}

Tree::Tree(Options options, const store::Reader& store, const Version& head, Sequence retained_from)
    : impl_(std::make_unique<Impl>(options, store)) {
    impl_->version = head;
    impl_->has_version = true;
    impl_->head.root = root_slot(head);
    impl_->pruner.retain_from(retained_from);
}

Tree::~Tree() = default;
Tree::Tree(Tree&&) noexcept = default;

const Version& Tree::head() const {
    return impl_->version;
}

// ---- Changing ----------------------------------------------------------------------------------

Result<Tree::Update, store::Fault> Tree::prepare(std::span<const Change> changes,
                                                 Sequence sequence) {
    CHECK(!impl_->has_version || sequence > impl_->version.sequence);
    DCHECK(std::is_sorted(changes.begin(), changes.end(),
                          [](const Change& a, const Change& b) { return a.id < b.id; }));
    // A version that writes much must also prune much, or pruning would never catch up.
    constexpr std::size_t kScannedPerChange = 16;
    const std::size_t scan_max =
        impl_->options.prune_step_nodes + kScannedPerChange * changes.size();
    const Pruner::Step step = TRY(impl_->pruner.scan(impl_->head, scan_max));

    auto candidate = std::make_unique<Update::Impl>(impl_->head.slab);
    candidate->base = impl_->commits;
    candidate->prune = step.progress;
    Builder builder(impl_->head, *candidate, changes, step.relocations, sequence);
    const Slot root = TRY(builder.apply(merge(changes, step.relocations)));
    candidate->writes = builder.finish();
    candidate->root = root;
    candidate->loads = impl_->head.loads();
    candidate->version = {sequence, root.synopsis, RootLocation{root.location.packed()}};
    return Update(std::move(candidate));
}

void Tree::Impl::adopt_loaded(std::span<const Replaced> all) {
    for (const auto& [old, twin] : all) {
        if (twin == kNoNode) continue;
        const Node& from = head.slab[old];
        Node& to = head.slab[twin];
        for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
            const bool same = to.location[i] == from.location[i];
            if (same && to.child[i] == kNotLoaded) to.child[i] = from.child[i];
        }
    }
}

void Tree::commit(Update&& update) {
    const auto candidate = std::move(update.impl_);
    CHECK(candidate && candidate->base == impl_->commits, "prepared from another head");
    // Only if nodes were loaded meanwhile can an old node know children that its twin does not.
    if (candidate->loads != impl_->head.loads()) impl_->adopt_loaded(candidate->replaced);
    for (const Replaced& replaced : candidate->replaced) impl_->head.slab.free(replaced.node);
    impl_->head.root = candidate->root;
    impl_->version = candidate->version;
    impl_->has_version = true;
    ++impl_->commits;
    impl_->pruner.committed(candidate->version.sequence, candidate->prune);
    impl_->cache_limit.enforce(impl_->head, candidate->fresh);
    candidate->fresh.clear();
}

// ---- Reading -----------------------------------------------------------------------------------

Result<void, store::Fault> Tree::Impl::warm(const Id& id) {
    if (head.root.node == kNotLoaded && cache_limit.admits(0)) TRY(head.load_root());
    std::uint32_t index = head.root.node;
    while (is_resident(index)) {
        const int depth = head.slab[index].depth();
        const Side side = side_of(id, static_cast<unsigned>(depth));
        const bool missing = head.slab[index].child[index_of(side)] == kNotLoaded;
        if (missing && cache_limit.admits(depth + 1)) TRY(head.load_child(index, side));
        index = head.slab[index].child[index_of(side)];
    }
    return {};
}

Result<std::optional<Leaf>, store::Fault> Tree::read(const Id& id) {
    const Head::Edge edge = impl_->head.resident_edge(id);
    if (edge.slot.is_empty()) return std::nullopt;
    const HeldNode held =
        TRY(impl_->head.pages.leaf_towards(edge.slot.location, edge.parent_depth, id));
    if (held.node.leaf.id != id) return std::nullopt;
    return to_leaf(held.node.leaf, impl_->pruner.retained_from());
}

void Tree::expect(std::span<const Id> ids) const {
    const std::uint32_t root = impl_->head.root.node;
    for (; !ids.empty(); ids = ids.subspan(std::min(Head::kPathsMax, ids.size()))) {
        impl_->head.prefetch_paths(root, ids.first(std::min(Head::kPathsMax, ids.size())),
                                   [](const Id& id) -> const Id& { return id; });
    }
}

Result<std::optional<Leaf>, store::Fault> Tree::read_at(const Version& version,
                                                        const Id& id) const {
    const Slot root = root_slot(version);
    if (root.is_empty()) return std::nullopt;
    const HeldNode held = TRY(impl_->head.pages.leaf_towards(root.location, kAboveRoot, id));
    if (held.node.leaf.id != id) return std::nullopt;
    return to_leaf(held.node.leaf, impl_->pruner.retained_from());
}

Result<AccountProof, store::Fault> Tree::prove(const Id& id) {
    TRY(impl_->warm(id));
    return impl_->prover_at_head().prove(id);
}

Result<PrefixProof, store::Fault> Tree::prove(const Prefix& prefix) {
    TRY(impl_->warm(prefix.id));
    return impl_->prover_at_head().prove(prefix);
}

Result<AccountProof, store::Fault> Tree::prove_at(const Version& version, const Id& id) const {
    return impl_->prover_at(version).prove(id);
}

Result<PrefixProof, store::Fault> Tree::prove_at(const Version& version,
                                                 const Prefix& prefix) const {
    return impl_->prover_at(version).prove(prefix);
}

Result<void, store::Fault> Tree::walk_at(const Version& version, const Id& from,
                                         const LeafVisitor& visit) const {
    const Slot root = root_slot(version);
    if (root.is_empty()) return {};
    return impl_->head.pages.walk({root.location, kAboveRoot, Id{}}, from, visit);
}

// ---- Pruning and figures -----------------------------------------------------------------------

void Tree::retain_from(Sequence oldest) {
    CHECK(oldest <= impl_->version.sequence);
    impl_->pruner.retain_from(oldest);
}

Sequence Tree::erasable_below() const {
    return impl_->pruner.erasable_below();
}

Tree::Stats Tree::stats() const {
    return {impl_->head.slab.nodes(), impl_->head.slab.bytes(), impl_->head.pages.reads()};
}

void Tree::check_invariants() const {
    const Slab& slab = impl_->head.slab;
    std::vector<Head::Edge> pending{{impl_->head.root, kAboveRoot}};
    std::size_t reachable = 0;
    while (!pending.empty()) {
        const auto [slot, parent_depth] = pending.back();
        pending.pop_back();
        CHECK(slot.is_empty() || slot.location.is_placed());
        if (!is_resident(slot.node)) continue;
        ++reachable;
        const Node& node = slab[slot.node];
        CHECK(node.depth() > parent_depth);
        CHECK(slot.synopsis.hash == inner_hash(static_cast<unsigned>(node.depth()),
                                               slab.prefix(slot.node), node.synopsis[0],
                                               node.synopsis[1]));
        CHECK(slot.synopsis.sum == node.synopsis[0].sum.plus(node.synopsis[1].sum));
        for (const Side side : {Side::left, Side::right}) {
            pending.push_back({node.slot(side), node.depth()});
        }
    }
    CHECK(reachable <= slab.nodes());
}

}  // namespace leither::tree
