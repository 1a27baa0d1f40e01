// The keys of a node's seats, in a file of their own beside the ledger's store: whoever copies the
// store has none of them (docs/protocol/storage.md).
//
// Specification
//   * File and store know each other by a stamp that both hold. A file without its store, or a
//     store without its file, is a copy or what is left of one: such a node signs nothing until the
//     next cycle, and has lost its keys.
//   * The stamp changes with each start and each cycle in which the node may vote, so that a store
//     brought back from earlier does not fit. The file takes the new stamp first, beside the former
//     one; then the store; then the file drops the former. Whatever a crash leaves in between fits.
#pragma once

#include <optional>

#include "leither/base/bounded.h"
#include "leither/base/fixed_bytes.h"
#include "leither/crypto/secret.h"
#include "leither/store/kv.h"

namespace leither::node {

// A file's content, overwritten when it dies.
class SecretFile {
 public:
    explicit SecretFile(Bytes bytes) : bytes_(std::move(bytes)) {}
    SecretFile(const SecretFile&) = default;
    SecretFile(SecretFile&&) noexcept = default;
    SecretFile& operator=(const SecretFile& other) {
        if (this != &other) *this = SecretFile(other);
        return *this;
    }
    SecretFile& operator=(SecretFile&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~SecretFile() { crypto::erase(bytes_); }

    ByteView view() const { return bytes_; }
    friend bool operator==(const SecretFile&, const SecretFile&) = default;

 private:
    Bytes bytes_;
};

struct VoteKeys {
    static constexpr std::uint8_t kVersion = 1;
    // Committees whose keys may be wanted: former, present and the next two, the last reveal and
    // the coming one.
    static constexpr std::size_t kKeysMax = 8;
    // A file is no longer.
    static constexpr std::size_t kFileBytesMax = 512;

    struct Kept {
        std::uint64_t cycle = 0;  // the term it was drawn for
        Hash seed;
        static void fields(auto& self, auto&& visit) { visit(self.cycle, self.seed); }
    };
    std::uint8_t version = kVersion;
    Hash stamp;                    // of the store that it belongs to
    std::optional<Hash> former;    // that the store may still have
    Bounded<Kept, kKeysMax> keys;  // by cycle, rising
    static void fields(auto& self, auto&& visit) {
        visit(self.version, self.stamp, self.former, self.keys);
    }
    bool is_canonical() const;
};

// How the file was found at the start.
enum class VoteKeysFound : std::uint8_t {
    fitting,
    missing,
    unreadable,  // damaged, or written by another version
    foreign,     // of another store, or of this one at another time
};
const char* to_string(VoteKeysFound found);

namespace vote_keys {

struct Opened {
    VoteKeysFound found = VoteKeysFound::fitting;
    VoteKeys keys;  // those of a fitting file; none of any other
};
Result<Opened, store::Fault> open(const store::Reader& store,
                                  const std::optional<SecretFile>& file);

SecretFile encode(const VoteKeys& keys);
void put_stamp(store::WriteBatch& batch, const Hash& stamp);
// Of a node key and a store that begin together. The file is to be there before the batch is.
// `seed` is drawn for this alone.
SecretFile begin(const crypto::SecretBytes<32>& seed, store::WriteBatch& batch);

}  // namespace vote_keys

}  // namespace leither::node
