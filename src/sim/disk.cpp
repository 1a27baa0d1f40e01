#include "leither/sim/disk.h"

#include "leither/base/check.h"

namespace leither::sim {

namespace {

using store::MemoryStore;
using store::WriteBatch;

constexpr std::array kAllParts = {Disk::Part::ledger, Disk::Part::network};

}  // namespace

void Disk::put_in(Part part, const WriteBatch& batch) {
    CHECK(of(part).store.write(batch).has_value());
}

// ---- Operations

Duration Disk::begin(Part part, Operation&& operation) {
    One& one = of(part);
    CHECK(!one.is_busy(), "a store does one thing at a time");
    one.under_way = std::move(operation);
    const Latency& latency = options_.latency[static_cast<std::size_t>(part)];
    const auto spread = static_cast<std::uint64_t>((latency.max - latency.min).count());
    return latency.min + Duration(static_cast<Duration::rep>(chance_.below(spread + 1)));
}

Duration Disk::write(Part part, WriteBatch&& batch, Keys keys) {
    CHECK(!keys || part == Part::ledger);
    return begin(part, {std::move(batch), std::nullopt, std::move(keys)});
}

Duration Disk::prune(Part part, const ledger::Pruning& pruning) {
    return begin(part, {std::nullopt, pruning});
}

Result<void, store::Fault> Disk::finish(Part part) {
    One& one = of(part);
    CHECK(one.is_busy());
    const Operation done = *std::exchange(one.under_way, std::nullopt);
    const bool keeps = std::exchange(one.keeps_what_fails, false);
    if (done.pruning) return ledger::prune(one.store, *done.pruning);
    if (done.keys && !is_full_) keys_ = done.keys;
    if (auto written = one.store.write(*done.batch); !written) {
        if (keeps && !is_full_) one.unseen = *done.batch;
        return written;
    }
    ++one.written;
    tell(part, *done.batch);
    if (one.lies) {
        one.lies->told.push_back(*done.batch);
        one.lies->keys.push_back(done.keys);
    }
    return {};
}

// ---- Faults

void Disk::fill_up() {
    is_full_ = true;
    refill();
}

void Disk::free_space() {
    is_full_ = false;
    refill();
}

void Disk::refill() {
    for (One& one : stores_) {
        if (is_full_) {
            one.store.fill_up();
        } else {
            one.store.free_space();
        }
    }
}

void Disk::fail_next(Part part, Kept kept) {
    of(part).keeps_what_fails = kept == Kept::all;
    MemoryStore& store = of(part).store;
    store.fail_at(store.operations(), kept == Kept::all ? MemoryStore::Failure::refuse_but_keep
                                                        : MemoryStore::Failure::refuse);
}

void Disk::mend() {
    for (One& one : stores_) {
        one.keeps_what_fails = false;
        one.store.fail_at(0, MemoryStore::Failure::none);
    }
}

void Disk::begin_lying() {
    for (One& one : stores_) {
        if (!one.lies) one.lies = Lies{one.store, {}, {}, keys_};
    }
}

void Disk::end_lying() {
    for (One& one : stores_) one.lies.reset();
}

void Disk::crash() {
    for (const Part part : kAllParts) {
        tear(part);
        of(part).store.crash();
        show_unseen(part);
        forget_lies(of(part));
    }
    refill();
}

void Disk::close() {
    for (const Part part : kAllParts) {
        tear(part);
        of(part).store.crash();
        show_unseen(part);
    }
}

void Disk::show_unseen(Part part) {
    of(part).keeps_what_fails = false;
    const auto unseen = std::exchange(of(part).unseen, std::nullopt);
    if (!unseen) return;
    tell(part, *unseen);
    if (!of(part).lies) return;
    of(part).lies->told.push_back(*unseen);
    of(part).lies->keys.push_back(part == Part::ledger ? keys_ : std::nullopt);
}

void Disk::tear(Part part) {
    One& one = of(part);
    if (!one.is_busy()) return;
    const bool is_kept = tear_ == Tear::kept || (tear_ == Tear::by_chance && chance_.chance(1, 2));
    if (one.under_way->pruning && !is_kept) {
        // It has noted what is to go, and erased part of it: the next one erases the rest.
        if (tear_ == Tear::by_chance) {
            one.store.fail_at(one.store.operations() + 1, MemoryStore::Failure::refuse);
            (void)ledger::prune(one.store, *one.under_way->pruning);
        }
    } else if (is_kept) {
        // A full or failing device keeps nothing: so be it.
        (void)finish(part);
    } else if (one.under_way->keys && !is_full_ &&
               (tear_ == Tear::keys_only || (tear_ == Tear::by_chance && chance_.chance(1, 2)))) {
        keys_ = one.under_way->keys;
    }
    one.under_way.reset();
}

void Disk::forget_lies(One& one) {
    if (!one.lies) return;
    const Lies lies = *std::exchange(one.lies, std::nullopt);
    const std::size_t kept = chance_.below(lies.told.size() + 1);
    one.store = lies.before;
    one.store.crash();
    one.store.free_space();
    const bool has_keys = &one == &of(Part::ledger);
    if (has_keys) keys_ = lies.keys_before;
    for (std::size_t i = 0; i < kept; ++i) {
        CHECK(one.store.write(lies.told[i]).has_value());
        if (has_keys && lies.keys[i]) keys_ = lies.keys[i];
    }
}

// ---- Backups

void Disk::restore(const Image& image, KeyFile file) {
    if (file == KeyFile::is_lost) keys_.reset();
    for (std::size_t i = 0; i < kParts; ++i) {
        CHECK(!stores_[i].is_busy());
        stores_[i].store = image[i];
        stores_[i].store.crash();
        stores_[i].lies.reset();
    }
    refill();
}

}  // namespace leither::sim
