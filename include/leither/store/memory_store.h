// A Store in memory that fails on demand, for tests and the simulator.
#pragma once

#include <map>

#include "leither/store/kv.h"

namespace leither::store {

// Each `write` and each `erase_range` is one operation, numbered from 0; one that only meets an
// earlier fault counts too. Not thread-safe. Copyable: a copy is the disk at that moment.
//
// A crash never leaves half a batch: LevelDB writes a batch as one checksummed log record and drops
// a torn one whole when it recovers, so this store does the same.
class MemoryStore final : public Store {
 public:
    enum class Failure : std::uint8_t {
        none,
        // The operation returns a fault and nothing of it is kept. An erase_range, which may stop
        // anywhere, has erased every second key.
        refuse,
        // The device acknowledges without syncing, from this operation on. All of it is visible
        // until `crash`, which drops it all: what is left is a prefix of the history.
        lose,
        // The operation returns a fault although it reached the disk: not visible now, visible
        // after `crash`.
        refuse_but_keep,
    };

    // The operation with this number fails in that way. After `refuse` and `refuse_but_keep` every
    // later one is refused, as by a LevelDB that has met a fault, until `crash`.
    void fail_at(std::uint64_t operation, Failure failure);
    // From now on every operation meets Fault::Kind::full; nothing of it is kept.
    void fill_up() { full_ = true; }
    void free_space() { full_ = false; }
    std::uint64_t operations() const { return operations_; }

    // What a machine finds after power loss: everything synced, nothing else. The failure asked for
    // is over; the disk is as full as before.
    void crash();

    Result<std::optional<std::string>, Fault> get(ByteView key) const override;
    std::unique_ptr<Cursor> cursor() const override;
    Result<void, Fault> write(const WriteBatch& batch) override;
    Result<void, Fault> erase_range(ByteView from, ByteView to) override;

 private:
    using Map = std::map<Bytes, std::string>;
    // Immutable once shared (with a cursor, a copy or `after_crash_`): see `writable`.
    using Version = std::shared_ptr<Map>;

    // What happens to the operation that starts now; counts it.
    Result<Failure, Fault> begin_operation();
    static Map& writable(Version& version);

    Version live_ = std::make_shared<Map>();
    // What `crash` returns to, if that is not `live_`.
    Version after_crash_;
    std::uint64_t operations_ = 0;
    std::uint64_t fail_at_ = UINT64_MAX;
    Failure failure_ = Failure::none;
    bool full_ = false;
};

}  // namespace leither::store
