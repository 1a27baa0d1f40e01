// A Store in memory that fails on demand, for tests and the simulator.
#pragma once

#include <map>

#include "leither/store/kv.h"

namespace leither::store {

// Each `write` is one operation, numbered from 0. Copyable: a copy is the disk at that moment.
class MemoryStore final : public Store {
 public:
    enum class Failure : std::uint8_t {
        none,
        refuse,         // the operation returns a fault and nothing of it is kept
        lose,           // it returns success, but a crash drops it (an unsynced write)
        refuse_but_keep // it returns a fault although the batch reached the disk
    };

    // The operation with this number fails in that way; later ones all `refuse` if `Failure` is
    // refuse or refuse_but_keep.
    void fail_at(std::uint64_t operation, Failure failure);
    void fill_up() { full_ = true; }    // from now on every write meets Fault::Kind::full
    void free_space() { full_ = false; }
    std::uint64_t operations() const { return operations_; }

    // What a machine finds after power loss: everything synced, nothing else.
    void crash();

    Result<std::optional<std::string>, Fault> get(ByteView key) const override;
    std::unique_ptr<Cursor> cursor() const override;
    Result<void, Fault> write(const WriteBatch& batch) override;
    Result<void, Fault> erase_range(ByteView from, ByteView to) override;

 private:
    using Map = std::map<Bytes, std::string>;
    Map live_;
    Map synced_;
    std::uint64_t operations_ = 0;
    std::uint64_t fail_at_ = UINT64_MAX;
    Failure failure_ = Failure::none;
    bool full_ = false;
};

}  // namespace leither::store
