// The keys a member or founder signs with, by name, in one directory of key files (mode 0600).
// Several accounts and organizations may share it. They may be sealed under one passphrase for the
// whole directory; names, accounts and public keys are readable without it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "leither/base/entropy.h"
#include "leither/base/result.h"
#include "leither/crypto/key_file.h"

namespace leither::wallet {

struct NamedKey {
    std::string name;
    Id id;
    PublicKey key;
};

enum class KeyringError : std::uint8_t {
    empty,              // there is no key to protect
    already_protected,  // every key is sealed
    not_protected,      // no key is sealed
    locked,             // sealed keys, and the keyring has not been unlocked
    wrong_passphrase,
    bad_passphrase,  // empty, or longer than kPassphraseBytesMax
    no_memory,       // the passphrase cannot be checked: its file asks for more than there is
    unreadable,      // a key file cannot be read or written
};
const char* to_string(KeyringError error);

class Keyring {
 public:
    explicit Keyring(std::string directory);

    // Names: 1..64 of [a-z0-9_.-], not starting with '.' or '-'.
    static bool is_valid_name(const std::string& name);

    // `locked` if the key is sealed and the keyring is not unlocked.
    Result<crypto::KeyPair, crypto::KeyFileError> load(const std::string& name) const;
    // Into a protected directory sealed; `locked` if the keyring is not unlocked then.
    Result<void, crypto::KeyFileError> add(const std::string& name, const crypto::KeyPair& key,
                                           Entropy& entropy);
    // Sorted by name; unreadable files are left out.
    std::vector<NamedKey> list() const;
    const std::string& directory() const { return directory_; }

    // ---- The passphrase. Deriving its key takes a fraction of a second.
    // Whether a key is sealed.
    bool is_protected() const;
    bool is_unlocked() const { return opener_.has_value(); }
    Result<void, KeyringError> unlock(std::string_view passphrase);
    // Forgets what `unlock` has derived.
    void lock() { opener_.reset(); }
    // Seals every key that is not, and stays unlocked. What a crash has left half sealed is
    // finished by the same passphrase.
    Result<void, KeyringError> protect(std::string_view passphrase, Entropy& entropy,
                                       const crypto::PassphraseCost& cost = {});
    // Makes every key plain; `locked` if it is not unlocked.
    Result<void, KeyringError> unprotect();

 private:
    // Names of key files that can be read, by what they tell.
    struct Entry {
        std::string name;
        crypto::KeyFileInfo info;
    };
    std::vector<Entry> entries() const;

    std::string directory_;
    std::optional<crypto::PassphraseKey> opener_;
};

}  // namespace leither::wallet
