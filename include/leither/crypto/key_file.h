// A key on disk: one line of JSON-free text, mode 0600, written by rename so that a crash leaves
// either no file or a whole one. Plain: "leither-key-1 <seed>\n". Sealed under a passphrase:
// "leither-key-2 <public key> <salt> <passes> <memory KiB> <sealed seed>\n", whose beginning up to
// the sealed seed is authenticated with it (docs/protocol/names.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "leither/base/result.h"
#include "leither/crypto/passphrase.h"
#include "leither/crypto/sign.h"

namespace leither::crypto {

enum class KeyFileError : std::uint8_t {
    not_found,
    exists,  // `save_key` never replaces a key
    bad_format,
    too_permissive,    // others may read it: chmod 600 it
    io,                // the directory cannot be read or written
    locked,            // sealed, and no passphrase was given
    wrong_passphrase,  // sealed under another, or altered
};
const char* to_string(KeyFileError error);

// What a file tells without its passphrase.
struct KeyFileInfo {
    PublicKey key;
    std::optional<Protection> protection;  // nothing: it is not sealed
};
Result<KeyFileInfo, KeyFileError> inspect_key(const std::string& path);

// `opener` is needed for sealed files only, and must have been derived by the file's protection.
Result<KeyPair, KeyFileError> load_key(const std::string& path,
                                       const PassphraseKey* opener = nullptr);

// How a file is sealed.
struct Sealing {
    const PassphraseKey& key;
    Entropy& entropy;
};
Result<void, KeyFileError> save_key(const std::string& path, const KeyPair& key,
                                    const Sealing* sealing = nullptr);
// Puts the same key into the file's place, sealed or (without `sealing`) plain, and overwrites
// what the file held before: best effort, since file systems that journal or copy on write, and
// flash memory, keep old blocks elsewhere. A crash leaves the file of before or the new one.
Result<void, KeyFileError> rewrite_key(const std::string& path, const KeyPair& key,
                                       const Sealing* sealing);

}  // namespace leither::crypto
