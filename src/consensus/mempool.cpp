#include "leither/consensus/mempool.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_set>

namespace leither::consensus {

namespace {

using protocol::Refusal;
using protocol::Refused;
using store::Fault;

// Transaction ids are hashes already: any eight bytes spread them.
struct IdHasher {
    std::size_t operator()(const Hash& id) const {
        std::size_t value = 0;
        std::memcpy(&value, id.data(), sizeof value);
        return value;
    }
};

// While the pool is empty nothing renews the speculative state, and questions only add to it.
constexpr std::size_t kIdleReadsMax = 4096;

}  // namespace

struct Mempool::Impl {
    const MempoolOptions options;
    const ledger::Organization organization;
    tree::Tree& tree;

    std::deque<Entry> entries;
    std::unordered_set<Hash, IdHasher> ids;
    std::size_t bytes = 0;
    // The head with all entries applied; made when first needed.
    std::optional<ledger::State> state;
    // Where the entries were applied; nothing if not all at one place, or beyond a pulse's limits.
    std::optional<ledger::Place> applied_at;
    std::size_t reads_while_idle = 0;

    ledger::State& speculative();
    std::optional<Refused> no_room_for(const Entry& entry) const;
    Result<Result<void, Refused>, Fault> apply(const Entry& entry, const ledger::Place& place);
    void keep(Entry&& entry);
    void forget_idle_reads();
};

ledger::State& Mempool::Impl::speculative() {
    if (!state) state.emplace(organization, tree);
    return *state;
}

std::optional<Refused> Mempool::Impl::no_room_for(const Entry& entry) const {
    if (ids.contains(entry.id)) return Refused{Refusal::already_pending};
    if (entries.size() >= options.transactions_max) {
        return Refused{Refusal::mempool_full, entries.size(), options.transactions_max};
    }
    // Full by bytes: as many transactions as there are is as many as fit.
    if (bytes + entry.bytes > options.bytes_max) {
        return Refused{Refusal::mempool_full, entries.size(), entries.size()};
    }
    return std::nullopt;
}

Result<Result<void, Refused>, Fault> Mempool::Impl::apply(const Entry& entry,
                                                          const ledger::Place& place) {
    ledger::State& on = speculative();
    TRY(on.load(entry.transaction));
    auto verdict = ledger::check(on, place, entry.transaction, ledger::PulseLimit::enforce);
    const bool beyond_pulse = !verdict && verdict.error().code == Refusal::too_many_this_pulse;
    if (beyond_pulse) {
        verdict = ledger::check(on, place, entry.transaction, ledger::PulseLimit::ignore);
    }
    if (!verdict) return verdict;
    ledger::apply(on, place, entry.transaction, entry.id);
    if (entries.empty()) applied_at = place;
    if (beyond_pulse || applied_at != place) applied_at.reset();
    return verdict;
}

void Mempool::Impl::keep(Entry&& entry) {
    ids.insert(entry.id);
    bytes += entry.bytes;
    entries.push_back(std::move(entry));
}

void Mempool::Impl::forget_idle_reads() {
    if (!entries.empty()) {
        reads_while_idle = 0;
    } else if (++reads_while_idle > kIdleReadsMax) {
        reads_while_idle = 0;
        state.reset();
    }
}

Mempool::Mempool(MempoolOptions options, const ledger::Organization& organization, tree::Tree& tree)
    : impl_(new Impl{options, organization, tree, {}, {}, 0, std::nullopt, std::nullopt, 0}) {}
Mempool::Mempool(Mempool&&) noexcept = default;
Mempool::~Mempool() = default;

void Mempool::expect(std::span<const Entry> entries) {
    std::vector<const protocol::Transaction*> transactions;
    transactions.reserve(entries.size());
    for (const Entry& entry : entries) transactions.push_back(&entry.transaction);
    impl_->speculative().expect(transactions);
}

Mempool::Ruled<void> Mempool::add(Entry entry, const ledger::Place& place) {
    if (protocol::is_takeover(entry.transaction.body.action)) {
        return Result<void, Refused>(fail(Refused{Refusal::takeover_not_first}));
    }
    if (const auto refused = impl_->no_room_for(entry))
        return Result<void, Refused>(fail(*refused));
    impl_->forget_idle_reads();
    auto verdict = TRY(impl_->apply(entry, place));
    entry.since = place.pulse;
    if (verdict) impl_->keep(std::move(entry));
    return verdict;
}

Mempool::Ruled<std::vector<ledger::SignatureCheck>> Mempool::signature_checks(
    const protocol::Transaction& transaction) {
    impl_->forget_idle_reads();
    ledger::State& state = impl_->speculative();
    TRY(state.load(transaction));
    return ledger::signature_checks(state, transaction);
}

Result<std::optional<protocol::MemberRecord>, Fault> Mempool::member(const Id& id) {
    impl_->forget_idle_reads();
    ledger::State& state = impl_->speculative();
    TRY(state.load(id));
    const protocol::MemberRecord* member = state.member(id);
    if (member == nullptr) return std::nullopt;
    return *member;
}

const std::deque<Mempool::Entry>& Mempool::entries() const {
    return impl_->entries;
}

bool Mempool::contains(const Hash& id) const {
    return impl_->ids.contains(id);
}

std::size_t Mempool::size() const {
    return impl_->entries.size();
}

std::size_t Mempool::bytes() const {
    return impl_->bytes;
}

const ledger::State* Mempool::reads() const {
    return impl_->state ? &*impl_->state : nullptr;
}

const ledger::State* Mempool::executed_at(const ledger::Place& place) const {
    return !impl_->entries.empty() && impl_->applied_at == place ? reads() : nullptr;
}

Result<std::vector<Mempool::Dropped>, Fault> Mempool::on_block(std::span<const Hash> committed,
                                                               const ledger::Place& place) {
    for (const Hash& id : committed) impl_->ids.erase(id);
    std::deque<Entry> waiting = std::exchange(impl_->entries, {});
    const auto ids = std::exchange(impl_->ids, {});
    impl_->bytes = 0;
    impl_->state.reset();

    std::vector<Dropped> dropped;
    for (Entry& entry : waiting) {
        if (!ids.contains(entry.id)) continue;  // committed
        auto verdict = TRY(impl_->apply(entry, place));
        if (verdict) {
            impl_->keep(std::move(entry));
        } else {
            dropped.push_back({entry.id, verdict.error()});
        }
    }
    return dropped;
}

void Mempool::check_invariants() const {
    std::size_t bytes = 0;
    for (const Entry& entry : impl_->entries) {
        CHECK(impl_->ids.contains(entry.id));
        bytes += entry.bytes;
    }
    CHECK(bytes == impl_->bytes);
    CHECK(impl_->ids.size() == impl_->entries.size());
    CHECK(impl_->entries.size() <= impl_->options.transactions_max);
    CHECK(impl_->bytes <= impl_->options.bytes_max);
}

}  // namespace leither::consensus
