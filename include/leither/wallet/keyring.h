// The keys a member or founder signs with, by name, in one directory of key files (mode 0600).
// Several accounts and organizations may share it. The daemon never needs it.
#pragma once

#include <string>
#include <vector>

#include "leither/base/result.h"
#include "leither/crypto/key_file.h"

namespace leither::wallet {

struct NamedKey {
    std::string name;
    Id id;
    PublicKey key;
};

class Keyring {
 public:
    explicit Keyring(std::string directory);

    // Names: 1..64 of [a-z0-9_.-], not starting with '.' or '-'.
    static bool is_valid_name(const std::string& name);

    Result<crypto::KeyPair, crypto::KeyFileError> load(const std::string& name) const;
    Result<void, crypto::KeyFileError> add(const std::string& name, const crypto::KeyPair& key);
    // Sorted by name; unreadable files are left out.
    std::vector<NamedKey> list() const;
    const std::string& directory() const { return directory_; }

 private:
    std::string directory_;
};

}  // namespace leither::wallet
