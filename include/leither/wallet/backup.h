// A member's backup: what it takes to go on elsewhere, as one encrypted file (docs/protocol/
// backup.md). What a *node* is (its key, its vote keys, its ledger) is never part of it.
#pragma once

#include <cstdint>
#include <optional>

#include "leither/base/bounded.h"
#include "leither/base/entropy.h"
#include "leither/base/fixed_bytes.h"
#include "leither/base/result.h"
#include "leither/crypto/recovery_words.h"

namespace leither::wallet {

// A file of the wallet's directory: a key, sealed or not, policy, contacts, or the journal of
// promises.
struct BackupFile {
    BoundedText<100> name;
    Bounded<std::uint8_t, 32 << 20> content;
    static void fields(auto& self, auto&& visit) { visit(self.name, self.content); }
    // A plain name: no path leads out of the directory.
    bool is_canonical() const;
    friend bool operator==(const BackupFile&, const BackupFile&) = default;
};

// What finds the organization again, and tells whether it is the same.
struct BackupOrganization {
    Id id;
    std::optional<ChainId> chain;
    BoundedText<64> name;
    Bounded<std::uint8_t, 256 << 10> charter;  // encoded; empty: this node kept no ledger
    BoundedText<128> checkpoint;               // "SEQUENCE:HASH"; empty: none was known
    Bounded<BoundedText<64>, 32> peers;        // addresses and ports of its nodes
    Bounded<Id, 16> served;                    // accounts whose messages the node kept
    static void fields(auto& self, auto&& visit) {
        visit(self.id, self.chain, self.name, self.charter, self.checkpoint, self.peers,
              self.served);
    }
    friend bool operator==(const BackupOrganization&, const BackupOrganization&) = default;
};

struct Backup {
    std::uint64_t created_ms = 0;
    Bounded<BackupFile, 512> files;  // rising by name
    Bounded<BackupOrganization, 16> organizations;
    Bounded<Bounded<std::uint8_t, 1 << 20>, 1000> receipts;  // encoded ledger::Receipt
    static void fields(auto& self, auto&& visit) {
        visit(self.created_ms, self.files, self.organizations, self.receipts);
    }
    bool is_canonical() const;
    friend bool operator==(const Backup&, const Backup&) = default;
};

inline constexpr std::size_t kBackupBytesMax = 64 << 20;  // of the file

// The file's bytes: nobody without the words reads or alters it. Two files are sealed by different
// keys, though the words be the same. REQUIRES: the file keeps to kBackupBytesMax.
Bytes seal_backup(const Backup& backup, const crypto::RecoverySecret& words, Entropy& entropy);

// In order of precedence.
enum class BackupError : std::uint8_t {
    not_a_backup,   // other bytes than a backup begins with, or too many
    does_not_open,  // other words, or some byte has changed
    bad_content,    // it opens, but was written by another version
};
const char* to_string(BackupError error);
Result<Backup, BackupError> open_backup(ByteView file, const crypto::RecoverySecret& words);

}  // namespace leither::wallet
