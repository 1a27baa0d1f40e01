// An ordered key-value store: the only way the node touches durable data.
//
// Keys are ordered bytewise. Readers may run while another thread writes; each `get` sees a batch
// whole or not at all. One writer at a time.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leither/base/bytes.h"
#include "leither/base/result.h"

namespace leither::store {

// An environment fault, not a refusal: after `io` or `corrupt` from a write the node stops.
struct Fault {
    enum class Kind : std::uint8_t {
        io,       // the device or file system said no (permission, read-only, unplugged)
        full,     // no space left, or none that quota and limits allow
        locked,   // another process holds the store
        corrupt,  // a checksum does not match
        missing,  // no store there, and creating one was not asked for
    };
    Kind kind = Kind::io;
    std::string detail;  // for the operator; names the path
};
const char* to_string(Fault::Kind kind);

// Walks the store as it was when the cursor was made; later writes do not show. The store outlives
// its cursors. A cursor belongs to one thread.
class Cursor {
 public:
    virtual ~Cursor() = default;
    virtual void seek(ByteView key) = 0;  // first key >= `key`
    virtual void seek_to_last() = 0;
    virtual void next() = 0;  // REQUIRES: valid()
    virtual void prev() = 0;  // REQUIRES: valid()
    virtual bool valid() const = 0;
    // The views live until the cursor moves. REQUIRES: valid()
    virtual ByteView key() const = 0;
    virtual ByteView value() const = 0;
    // A fault met on the way ends the iteration (valid() turns false) and is told here.
    virtual std::optional<Fault> fault() const = 0;
};

class Reader {
 public:
    virtual ~Reader() = default;
    // Nothing if the key is absent.
    virtual Result<std::optional<std::string>, Fault> get(ByteView key) const = 0;
    virtual std::unique_ptr<Cursor> cursor() const = 0;
};

class WriteBatch {
 public:
    struct Put {
        Bytes key;
        Bytes value;
    };
    struct Erase {
        Bytes key;
    };

    void put(Bytes key, Bytes value) {
        bytes_ += key.size() + value.size();
        puts_.push_back({std::move(key), std::move(value)});
    }
    void erase(Bytes key) {
        bytes_ += key.size();
        erases_.push_back({std::move(key)});
    }
    void append(WriteBatch&& other) {
        bytes_ += other.bytes_;
        std::move(other.puts_.begin(), other.puts_.end(), std::back_inserter(puts_));
        std::move(other.erases_.begin(), other.erases_.end(), std::back_inserter(erases_));
    }
    bool empty() const { return puts_.empty() && erases_.empty(); }
    std::size_t bytes() const { return bytes_; }
    const std::vector<Put>& puts() const { return puts_; }
    const std::vector<Erase>& erases() const { return erases_; }

 private:
    std::vector<Put> puts_;  // no key is both put and erased in one batch
    std::vector<Erase> erases_;
    std::size_t bytes_ = 0;
};

class Store : public Reader {
 public:
    // Applies the batch whole and syncs it to the device before it returns. After a fault the batch
    // is not visible and the store takes no more writes: every one meets the same fault. Once it is
    // reopened it holds that batch whole or not at all (the device may have failed after writing).
    virtual Result<void, Fault> write(const WriteBatch& batch) = 0;

    // Erases every key in [from, to) and gives the space back. Slow; runs on the writer's thread,
    // keeps readers going. A crash or fault in between leaves any part of the range and everything
    // outside it.
    virtual Result<void, Fault> erase_range(ByteView from, ByteView to) = 0;
};

// Keys that begin with the sequence they were written at sort by age. New data then only ever goes
// to the end of the store, so LevelDB never rewrites old tables to make room (docs/decisions/0002).
enum class KeyKind : std::uint8_t {
    // On disk; never change these values.
    seal = 0,   // header, certificate and tree root of a sequence: ledger
    block = 1,  // its transactions: ledger
    page = 2,   // tree nodes: tree
    genesis = 3,
    vote = 4,  // what a bookkeeper signed, at the height it is voting on: consensus
};

// 8 bytes sequence, 1 byte kind, 4 bytes index, all big-endian.
Bytes version_key(std::uint64_t sequence, KeyKind kind, std::uint32_t index = 0);
struct VersionKey {
    std::uint64_t sequence = 0;
    KeyKind kind = KeyKind::seal;
    std::uint32_t index = 0;
};
// Nothing if `key` is not a version key.
std::optional<VersionKey> parse_version_key(ByteView key);

}  // namespace leither::store
