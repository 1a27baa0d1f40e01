// A machine's disk: the file of its vote keys, and stores in memory behind a device that takes
// time, fills up, fails, and loses what was not synced when the power goes.
//
// Specification
//   * A batch that is being written is seen by nobody before `finish`. If the power goes in
//   between, the device holds it whole or not at all: LevelDB writes a batch as one checksummed
//   record and drops a torn one when it opens.
//   * Vote keys that come with a batch are there before it: power that goes in between leaves
//   their file replaced and the batch lost.
//   * A device that lies acknowledges without syncing. When the power goes, it has lost everything
//   it acknowledged from some point on, and nothing before: the tail of LevelDB's log.
//   * After a fault every operation on that store is refused until the power has gone or the
//   program has been started again.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "leither/base/prng.h"
#include "leither/base/time.h"
#include "leither/ledger/block_store.h"
#include "leither/node/vote_keys.h"
#include "leither/store/memory_store.h"

namespace leither::sim {

class Disk {
 public:
    // A node's two stores.
    enum class Part : std::uint8_t { ledger, network };
    static constexpr std::size_t kParts = 2;

    // Drawn for each operation: until it is synced.
    struct Latency {
        Duration min = std::chrono::milliseconds(1);
        Duration max = std::chrono::milliseconds(12);
    };
    struct Options {
        std::array<Latency, kParts> latency{};  // of each part
    };
    // What becomes of an operation under way when the power goes.
    enum class Tear : std::uint8_t { by_chance, lost, keys_only, kept };
    using Keys = std::optional<node::SecretFile>;
    // Told of each batch that a reader can see from now on, in order.
    using Watcher = std::function<void(Part part, const store::WriteBatch& batch)>;

    Disk(const Options& options, const Prng& chance) : options_(options), chance_(chance) {}
    void watch(Watcher watcher) { watcher_ = std::move(watcher); }

    // What it holds before the machine is switched on first.
    void put_in(Part part, const store::WriteBatch& batch);
    void put_in(node::SecretFile keys) { keys_ = std::move(keys); }
    const Keys& vote_keys() const { return keys_; }
    // Outlived by the disk; its content changes by the disk's operations alone.
    const store::Reader& reader(Part part) const { return of(part).store; }

    // ---- Operations. One of a store at a time; each takes as long as it says.
    Duration write(Part part, store::WriteBatch&& batch, Keys keys = std::nullopt);
    Duration prune(Part part, const ledger::Pruning& pruning);
    bool is_busy(Part part) const { return of(part).is_busy(); }
    // Batches so far.
    std::uint64_t written(Part part) const { return of(part).written; }
    // The operation has had its time. REQUIRES: is_busy.
    Result<void, store::Fault> finish(Part part);

    // ---- Faults
    void set_tear(Tear tear) { tear_ = tear; }
    void fill_up();
    void free_space();
    // The next operation of this store fails: nothing of it is kept, or all of it although it
    // failed.
    enum class Kept : std::uint8_t { nothing, all };
    void fail_next(Part part, Kept kept = Kept::nothing);
    // What was to fail and has not met an operation yet does not fail.
    void mend();
    // From now on the device acknowledges what it has not synced.
    void begin_lying();
    // Syncs what it has lied about.
    void end_lying();
    // The power goes.
    void crash();
    // The program ends, and with it what it was writing; the kernel and its buffers live on.
    void close();

    // ---- Backups, of the stores alone
    using Image = std::array<store::MemoryStore, kParts>;
    Image image() const { return {stores_[0].store, stores_[1].store}; }
    enum class KeyFile : std::uint8_t { is_lost, stays };
    // REQUIRES: the program does not run.
    void restore(const Image& image, KeyFile file = KeyFile::is_lost);

 private:
    struct Operation {
        std::optional<store::WriteBatch> batch;
        std::optional<ledger::Pruning> pruning;
        Keys keys = std::nullopt;  // of the ledger's batch
    };
    // What was acknowledged since the device began to lie.
    struct Lies {
        store::MemoryStore before;
        std::vector<store::WriteBatch> told;
        std::vector<Keys> keys;  // of each
        Keys keys_before;
    };
    struct One {
        store::MemoryStore store;
        std::optional<Operation> under_way;
        std::optional<Lies> lies;
        std::uint64_t written = 0;
        bool keeps_what_fails = false;            // the next time
        std::optional<store::WriteBatch> unseen;  // kept although it failed
        bool is_busy() const { return under_way.has_value(); }
    };

    One& of(Part part) { return stores_[static_cast<std::size_t>(part)]; }
    const One& of(Part part) const { return stores_[static_cast<std::size_t>(part)]; }
    Duration begin(Part part, Operation&& operation);
    // At a crash.
    void tear(Part part);
    void forget_lies(One& one);
    void show_unseen(Part part);
    void refill();
    void tell(Part part, const store::WriteBatch& batch) const {
        if (watcher_) watcher_(part, batch);
    }

    Options options_;
    Prng chance_;
    Watcher watcher_;
    std::array<One, kParts> stores_;
    Keys keys_;
    Tear tear_ = Tear::by_chance;
    bool is_full_ = false;
};

}  // namespace leither::sim
