// The ledger tree against its limits: each row measures the work that cannot be avoided beside it.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include <benchmark/benchmark.h>
#include <malloc.h>
#include <sodium.h>

#include "leither/base/prng.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/sign.h"
#include "leither/store/leveldb_store.h"
#include "leither/tree/proof.h"
#include "leither/tree/tree.h"

#include "measure.h"

namespace leither::bench {
namespace {

using tree::Change;
using tree::Synopsis;
using tree::Tree;

constexpr std::size_t kRecordBytes = 120;  // a member's record: key, balance, nonces, role, salt
constexpr std::size_t kChunk = 250'000;    // accounts loaded in one version
constexpr Amount kSupply = Amount::of(Amount::kMax);

tree::RecordBytes make_record(Prng& prng, std::uint64_t sum) {
    tree::RecordBytes record(kRecordBytes);
    prng.fill(std::span(record).subspan(8));
    std::memcpy(record.data(), &sum, sizeof sum);
    return record;
}

std::optional<Amount> sum_of(ByteView record) {
    std::uint64_t sum = 0;
    std::memcpy(&sum, record.data(), sizeof sum);
    return Amount::from(sum);
}

// A tree of random accounts on LevelDB, with the hash of each leaf kept as the ledger's overlay
// would.
class Ledger {
 public:
    explicit Ledger(std::size_t accounts, tree::Options options = {}) : options_(options) {
        crypto::initialise();
        store_ = store::open_leveldb({.path = dir_.path()}).value();
        tree_ = std::make_unique<Tree>(options, *store_);
        ids_.resize(accounts);
        for (Id& id : ids_) prng_.fill(id.span());
        std::sort(ids_.begin(), ids_.end());
        hashes_.resize(accounts);
        load();
    }

    std::size_t accounts() const { return ids_.size(); }
    const Id& id(std::size_t index) const { return ids_[index]; }
    Tree& tree() { return *tree_; }
    Prng& prng() { return prng_; }
    store::Store& store() { return *store_; }

    // New records for `count` distinct accounts drawn at random, by id.
    std::vector<Change> draw(std::size_t count) {
        std::vector<std::size_t> drawn(count);
        for (auto& index : drawn) index = prng_.below(ids_.size());
        std::sort(drawn.begin(), drawn.end());
        drawn.erase(std::unique(drawn.begin(), drawn.end()), drawn.end());
        std::vector<Change> changes;
        changes.reserve(drawn.size());
        for (const std::size_t index : drawn) {
            const std::uint64_t sum = prng_.below(1'000'000);
            changes.push_back({ids_[index], Change::Value{make_record(prng_, sum), Amount::of(sum)},
                               hashes_[index]});
        }
        return changes;
    }

    // One sealed version; `extra` bytes stand for the block and its seal.
    // Call `remember` behind it, outside of what is measured.
    void seal(const std::vector<Change>& changes, std::size_t extra = 0) {
        const double t0 = thread_cpu_seconds();
        auto update = tree_->prepare(changes, Sequence(sequence_)).value();
        const double t1 = thread_cpu_seconds();
        nodes_hashed_ = update.nodes_hashed();
        auto writes = update.take_writes();
        payload_ = writes.bytes();
        if (extra > 0) {
            Bytes block(extra);
            prng_.fill(block);
            writes.put(store::version_key(sequence_, store::KeyKind::block), std::move(block));
        }
        if (!store_->write(writes)) std::abort();
        const double t2 = thread_cpu_seconds();
        tree_->commit(std::move(update));
        ++sequence_;
        prepare_cpu_ += t1 - t0;
        write_cpu_ += t2 - t1;
        commit_cpu_ += thread_cpu_seconds() - t2;
    }

    // The caller's part: it knows the hash of the leaf that it read.
    void remember(const std::vector<Change>& changes) {
        auto at = ids_.begin();
        for (const Change& change : changes) {
            at = std::lower_bound(at, ids_.end(), change.id);
            hashes_[static_cast<std::size_t>(at - ids_.begin())] =
                tree::leaf_hash(change.id, tree::record_hash(change.value->record));
        }
    }
    void seal_and_remember(const std::vector<Change>& changes) {
        seal(changes);
        remember(changes);
    }

    // CPU of this thread since the last call, by phase, into the row's counters.
    void report_phases(benchmark::State& state) {
        const double rounds = static_cast<double>(state.iterations()) / 1e3;
        state.counters["prepare_ms"] = prepare_cpu_ / rounds;
        state.counters["write_ms"] = write_cpu_ / rounds;
        state.counters["commit_ms"] = commit_cpu_ / rounds;
    }
    void reset_phases() { prepare_cpu_ = write_cpu_ = commit_cpu_ = 0; }

    // Drops the tree and opens it anew at the head.
    void reopen() {
        const tree::Version head = tree_->head();
        tree_ = std::make_unique<Tree>(options_, *store_, head, Sequence(0));
    }

    std::size_t nodes_hashed() const { return nodes_hashed_; }
    std::size_t payload() const { return payload_; }
    const std::string path() const { return dir_.path(); }

 private:
    void load() {
        for (std::size_t first = 0; first < ids_.size(); first += kChunk) {
            std::vector<Change> changes;
            const std::size_t end = std::min(first + kChunk, ids_.size());
            changes.reserve(end - first);
            for (std::size_t i = first; i < end; ++i) {
                changes.push_back({ids_[i],
                                   Change::Value{make_record(prng_, 1000), Amount::of(1000)},
                                   std::nullopt});
            }
            seal_and_remember(changes);
        }
    }

    ScratchDir dir_;
    tree::Options options_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<Tree> tree_;
    Prng prng_{42};
    std::vector<Id> ids_;
    std::vector<Hash> hashes_;
    std::uint64_t sequence_ = 0;
    std::size_t nodes_hashed_ = 0;
    std::size_t payload_ = 0;
    double prepare_cpu_ = 0;
    double write_cpu_ = 0;
    double commit_cpu_ = 0;
};

// The limit: a pointer tree in memory, walked and hashed with libsodium's one-shot BLAKE2b, nothing
// stored, nothing kept of the past.
class PointerTree {
 public:
    explicit PointerTree(const Ledger& ledger) { root_ = build(ledger, 0, ledger.accounts(), 0); }

    // Walks to every account and rehashes what lies above, once a node.
    std::size_t rehash(const std::vector<Change>& changes) {
        hashed_ = 0;
        rehash(root_, changes.data(), changes.data() + changes.size());
        return hashed_;
    }

 private:
    struct Node {
        std::array<std::uint8_t, 32> hash{};
        std::uint64_t sum = 0;
        std::unique_ptr<Node> child[2];
        unsigned depth = 0;
    };

    std::unique_ptr<Node> build(const Ledger& ledger, std::size_t first, std::size_t end,
                                unsigned from) {
        auto node = std::make_unique<Node>();
        if (end - first == 1) return node;
        node->depth = std::max(from, common_bits(ledger.id(first), ledger.id(end - 1)));
        std::size_t split = first;
        while (split < end && !bit_of(ledger.id(split), node->depth)) ++split;
        node->child[0] = build(ledger, first, split, node->depth + 1);
        node->child[1] = build(ledger, split, end, node->depth + 1);
        return node;
    }

    void rehash(const std::unique_ptr<Node>& node, const Change* first, const Change* end) {
        std::array<std::uint8_t, 102> preimage{};
        if (!node->child[0]) {
            node->sum = first->value->sum.units();
            std::copy(first->id.data(), first->id.data() + Id::kSize, preimage.data() + 1);
            std::copy_n(first->value->record.data(), 32, preimage.data() + 21);
            finish(*node, preimage.data(), 53);
            return;
        }
        const Change* split = std::partition_point(
            first, end, [&](const Change& change) { return !bit_of(change.id, node->depth); });
        if (first != split) rehash(node->child[0], first, split);
        if (split != end) rehash(node->child[1], split, end);
        preimage[0] = 1;
        preimage[1] = static_cast<std::uint8_t>(node->depth);
        const Id prefix = prefix_of(first->id, node->depth);
        std::copy(prefix.data(), prefix.data() + Id::kSize, preimage.data() + 2);
        std::uint8_t* out = preimage.data() + 22;
        for (const auto& child : node->child) {
            out = std::copy(child->hash.begin(), child->hash.end(), out);
            std::memcpy(out, &child->sum, 8);
            out += 8;
        }
        node->sum = node->child[0]->sum + node->child[1]->sum;
        finish(*node, preimage.data(), preimage.size());
    }

    void finish(Node& node, const std::uint8_t* preimage, std::size_t size) {
        crypto_generichash_blake2b(node.hash.data(), node.hash.size(), preimage, size, nullptr, 0);
        ++hashed_;
    }

    std::unique_ptr<Node> root_;
    std::size_t hashed_ = 0;
};

bool large_runs_asked_for() {
    return std::getenv("LEITHER_BENCH_LARGE") != nullptr;
}

tree::Options options_for(std::size_t accounts) {
    tree::Options options;
    // Ten million accounts exceed the default memory; the row is about cost, so it gets enough.
    if (accounts > 1'000'000) options.cache_bytes = std::size_t{120} * accounts;
    return options;
}

// ---- Rows --------------------------------------------------------------------------------------

// `ratio`: (CPU to walk and hash the same dirty nodes) / (CPU of a durable batch, LevelDB
// included).
void batch_apply(benchmark::State& state) {
    const auto accounts = static_cast<std::size_t>(state.range(0));
    if (accounts > 1'000'000 && !large_runs_asked_for()) {
        state.SkipWithError("set LEITHER_BENCH_LARGE=1");
        return;
    }
    const std::size_t batch = std::min<std::size_t>(10'000, accounts / 10);
    Ledger ledger(accounts, options_for(accounts));
    PointerTree limit(ledger);
    double ours = 0;
    double bare = 0;
    double worst = 0;
    std::size_t updates = 0;
    std::size_t nodes = 0;
    for (int i = 0; i < 3; ++i) ledger.seal_and_remember(ledger.draw(batch));
    ledger.reset_phases();
    for (auto _ : state) {
        const auto changes = ledger.draw(batch);
        const double t0 = process_cpu_seconds();
        nodes += limit.rehash(changes);
        const double t1 = process_cpu_seconds();
        const double w1 = wall_seconds();
        ledger.seal(changes);
        const double w2 = wall_seconds();
        const double t2 = process_cpu_seconds();
        bare += t1 - t0;
        ours += t2 - t1;
        worst = std::max(worst, w2 - w1);
        updates += changes.size();
        state.SetIterationTime(w2 - w1);
        ledger.remember(changes);
    }
    const auto rounds = static_cast<double>(state.iterations());
    state.counters["updates_per_cpu_s"] = static_cast<double>(updates) / ours;
    state.counters["limit_per_cpu_s"] = static_cast<double>(updates) / bare;
    state.counters["ratio"] = bare / ours;
    ledger.report_phases(state);
    state.counters["worst_ms"] = worst * 1e3;
    state.counters["dirty_nodes"] = static_cast<double>(nodes) / rounds;
    state.counters["payload_kb"] = static_cast<double>(ledger.payload()) / 1e3;
    state.counters["cpu_us_per_node"] = ours * 1e6 / static_cast<double>(nodes);
}
BENCHMARK(batch_apply)
    ->Name("tree/batch_apply")
    ->Arg(10'000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Arg(10'000'000)
    ->Iterations(30)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

// The worst of 1,000 durable batches of 10,000 in a million accounts.
BENCHMARK(batch_apply)
    ->Name("tree/worst_seal")
    ->Arg(1'000'000)
    ->Iterations(1000)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

// A branch of 65,536 accounts, 60 of them changed a pulse: bytes handed to the kernel, log, tables
// and compaction together, the block included.
void branch_bytes(benchmark::State& state) {
    constexpr std::size_t kBlockBytes = 6'000;
    Ledger ledger(65'536);
    const std::uint64_t before = bytes_written();
    double payload = 0;
    double cpu = 0;
    for (auto _ : state) {
        const auto changes = ledger.draw(60);
        const double t0 = process_cpu_seconds();
        ledger.seal(changes, kBlockBytes);
        cpu += process_cpu_seconds() - t0;
        payload += static_cast<double>(ledger.payload());
        ledger.remember(changes);
    }
    const auto pulses = static_cast<double>(state.iterations());
    state.counters["kb_per_pulse"] = static_cast<double>(bytes_written() - before) / pulses / 1e3;
    state.counters["tree_payload_kb"] = payload / pulses / 1e3;
    state.counters["cpu_us_per_pulse"] = cpu * 1e6 / pulses;
    state.counters["anonymous_mb"] = static_cast<double>(anonymous_bytes()) / 1e6;
}
BENCHMARK(branch_bytes)
    ->Name("tree/branch_bytes")
    ->Iterations(10'000)
    ->Unit(benchmark::kMicrosecond);

// `ratio`: CPU to merge 65,536 branch synopses / CPU of the 65,535 bare hashes.
void merge(benchmark::State& state) {
    Prng prng(7);
    std::vector<Synopsis> branches(65'536);
    for (Synopsis& branch : branches) {
        prng.fill(branch.hash.span());
        branch.sum = Amount::of(prng.below(1000));
    }
    double ours = 0;
    double bare = 0;
    std::array<std::uint8_t, 102> preimage{};
    for (auto _ : state) {
        const double t0 = thread_cpu_seconds();
        const auto root = tree::merge_branches(branches);
        const double t1 = thread_cpu_seconds();
        if (!root) std::abort();
        for (std::size_t i = 0; i + 1 < branches.size(); ++i) {
            crypto_generichash_blake2b(preimage.data() + 22, 32, preimage.data(), preimage.size(),
                                       nullptr, 0);
        }
        bare += thread_cpu_seconds() - t1;
        ours += t1 - t0;
    }
    state.counters["ratio"] = ours / bare;
}
BENCHMARK(merge)->Name("tree/merge_branches")->Iterations(50)->Unit(benchmark::kMillisecond);

double median(std::vector<double>& values) {
    std::nth_element(values.begin(),
                     values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

// A million accounts with 200 versions of 1,000 changes behind them.
Ledger& aged_ledger() {
    static Ledger ledger(1'000'000);
    static std::vector<tree::Version> past;
    if (past.empty()) {
        for (int i = 0; i < 200; ++i) {
            ledger.seal_and_remember(ledger.draw(1000));
            past.push_back(ledger.tree().head());
        }
    }
    return ledger;
}

void export_head(benchmark::State& state) {
    Ledger& ledger = aged_ledger();
    std::vector<double> times;
    std::size_t largest_excess = 0;
    for (auto _ : state) {
        const Id& id = ledger.id(ledger.prng().below(ledger.accounts()));
        const double t0 = wall_seconds();
        const auto proof = ledger.tree().prove(id);
        const Bytes encoded = bcs::encode(*proof);
        times.push_back(wall_seconds() - t0);
        if (encoded.size() > 42 * proof->path.size() + 256) ++largest_excess;
    }
    state.counters["median_us"] = median(times) * 1e6;
    state.counters["proofs_too_large"] = static_cast<double>(largest_excess);
}
BENCHMARK(export_head)->Name("tree/export_head")->Iterations(20'000)->Unit(benchmark::kMicrosecond);

// Half-way back in the history, pages no longer in our cache for the most part.
void export_past(benchmark::State& state) {
    Ledger& ledger = aged_ledger();
    const tree::Version then = ledger.tree().head();
    for (int i = 0; i < 100; ++i) ledger.seal_and_remember(ledger.draw(1000));
    std::vector<double> times;
    const auto reads = ledger.tree().stats().page_reads;
    for (auto _ : state) {
        const Id& id = ledger.id(ledger.prng().below(ledger.accounts()));
        const double t0 = wall_seconds();
        const auto proof = ledger.tree().prove_at(then, id);
        times.push_back(wall_seconds() - t0);
        if (!proof || !tree::verify(*proof, then.root, kSupply, sum_of)) std::abort();
    }
    state.counters["median_us"] = median(times) * 1e6;
    state.counters["page_reads"] = static_cast<double>(ledger.tree().stats().page_reads - reads) /
                                   static_cast<double>(state.iterations());
}
BENCHMARK(export_past)->Name("tree/export_past")->Iterations(5'000)->Unit(benchmark::kMicrosecond);

// `ratio`: CPU to verify a proof / CPU of as many bare hashes as it contains.
void verify(benchmark::State& state) {
    Ledger& ledger = aged_ledger();
    std::vector<tree::AccountProof> proofs;
    for (int i = 0; i < 1000; ++i) {
        proofs.push_back(
            ledger.tree().prove(ledger.id(ledger.prng().below(ledger.accounts()))).value());
    }
    const Synopsis root = ledger.tree().head().root;
    const tree::SumOf sum = sum_of;
    double ours = 0;
    double bare = 0;
    std::array<std::uint8_t, 102> preimage{};
    for (auto _ : state) {
        const double t0 = thread_cpu_seconds();
        for (const auto& proof : proofs) {
            const auto record = tree::verify(proof, root, kSupply, sum);
            if (!record || !*record) std::abort();
        }
        const double t1 = thread_cpu_seconds();
        for (const auto& proof : proofs) {
            for (std::size_t i = 0; i < proof.path.size() + 2; ++i) {
                crypto_generichash_blake2b(preimage.data() + 22, 32, preimage.data(),
                                           preimage.size(), nullptr, 0);
            }
        }
        bare += thread_cpu_seconds() - t1;
        ours += t1 - t0;
    }
    state.counters["ratio"] = ours / bare;
}
BENCHMARK(verify)->Name("tree/verify")->Iterations(20)->Unit(benchmark::kMillisecond);

// Anonymous memory that a ledger adds to the process, after batches, its accounts' ids not counted.
void memory(benchmark::State& state) {
    const auto accounts = static_cast<std::size_t>(state.range(0));
    malloc_trim(0);
    const std::size_t before = anonymous_bytes();
    Ledger ledger(accounts);
    const std::size_t batch = std::max<std::size_t>(1, accounts / 100);
    for (auto _ : state) ledger.seal_and_remember(ledger.draw(batch));
    malloc_trim(0);
    const double own = static_cast<double>(accounts * (sizeof(Id) + sizeof(Hash)));
    state.counters["anonymous_mb"] =
        (static_cast<double>(anonymous_bytes()) - static_cast<double>(before) - own) / 1e6;
    state.counters["tree_mb"] = static_cast<double>(ledger.tree().stats().cached_bytes) / 1e6;
}
BENCHMARK(memory)
    ->Name("tree/memory")
    ->Arg(1'000)
    ->Arg(65'536)
    ->Arg(1'000'000)
    ->Iterations(20)
    ->Unit(benchmark::kMillisecond);

// Opening and the first batch, when nothing is in memory yet.
void cold_batch(benchmark::State& state) {
    Ledger& ledger = aged_ledger();
    for (auto _ : state) {
        state.PauseTiming();
        ledger.reopen();
        const auto changes = ledger.draw(2000);
        state.ResumeTiming();
        ledger.seal(changes);
        state.PauseTiming();
        ledger.remember(changes);
        state.ResumeTiming();
    }
}
BENCHMARK(cold_batch)
    ->Name("tree/cold_batch_of_2000")
    ->Iterations(3)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace leither::bench
