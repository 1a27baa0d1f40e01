#include "leither/wallet/keyring.h"

#include <algorithm>
#include <filesystem>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

namespace leither::wallet {

namespace {

namespace fs = std::filesystem;
using crypto::KeyFileError;

constexpr std::string_view kExtension = ".key";
constexpr std::size_t kNameSizeMax = 64;

// Creates the directory for its owner alone; one that exists keeps its permissions.
bool make_private_directory(const fs::path& directory) {
    std::error_code error;
    if (fs::is_directory(directory, error)) return true;
    if (!fs::create_directories(directory, error)) return false;
    fs::permissions(directory, fs::perms::owner_all, error);
    return !error;
}

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

fs::path path_of(const std::string& directory, const std::string& name) {
    return fs::path(directory) / (name + std::string(kExtension));
}

bool is_usable(std::string_view passphrase) {
    return !passphrase.empty() && passphrase.size() <= crypto::kPassphraseBytesMax;
}

}  // namespace

const char* to_string(KeyringError error) {
    switch (error) {
        case KeyringError::empty: return "empty";
        case KeyringError::already_protected: return "already_protected";
        case KeyringError::not_protected: return "not_protected";
        case KeyringError::locked: return "locked";
        case KeyringError::wrong_passphrase: return "wrong_passphrase";
        case KeyringError::bad_passphrase: return "bad_passphrase";
        case KeyringError::no_memory: return "no_memory";
        case KeyringError::unreadable: return "unreadable";
    }
    UNREACHABLE();
}

Keyring::Keyring(std::string directory) : directory_(std::move(directory)) {}

bool Keyring::is_valid_name(const std::string& name) {
    if (name.empty() || name.size() > kNameSizeMax) return false;
    if (name.front() == '.' || name.front() == '-') return false;
    return std::ranges::all_of(name, is_name_character);
}

Result<crypto::KeyPair, KeyFileError> Keyring::load(const std::string& name) const {
    // A name that could not have been added names no file; in particular none elsewhere.
    if (!is_valid_name(name)) return fail(KeyFileError::not_found);
    return crypto::load_key(path_of(directory_, name).string(), opener_ ? &*opener_ : nullptr);
}

Result<void, KeyFileError> Keyring::add(const std::string& name, const crypto::KeyPair& key,
                                        Entropy& entropy) {
    if (!is_valid_name(name) || !make_private_directory(directory_)) return fail(KeyFileError::io);
    const std::string path = path_of(directory_, name).string();
    if (!is_protected()) return crypto::save_key(path, key);
    if (!opener_) return fail(KeyFileError::locked);
    const crypto::Sealing sealing{*opener_, entropy};
    return crypto::save_key(path, key, &sealing);
}

std::vector<Keyring::Entry> Keyring::entries() const {
    std::vector<Entry> entries;
    std::error_code error;
    fs::directory_iterator entry(directory_, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        if (entry->path().extension() != kExtension) continue;
        const std::string name = entry->path().stem().string();
        if (!is_valid_name(name)) continue;
        const auto info = crypto::inspect_key(entry->path().string());
        if (info) entries.push_back({name, *info});
    }
    std::ranges::sort(entries, {}, &Entry::name);
    return entries;
}

std::vector<NamedKey> Keyring::list() const {
    std::vector<NamedKey> keys;
    for (const Entry& entry : entries()) {
        keys.push_back({entry.name, crypto::id_of(entry.info.key), entry.info.key});
    }
    return keys;
}

bool Keyring::is_protected() const {
    return std::ranges::any_of(
        entries(), [](const Entry& entry) { return entry.info.protection.has_value(); });
}

Result<void, KeyringError> Keyring::unlock(std::string_view passphrase) {
    if (!is_usable(passphrase)) return fail(KeyringError::bad_passphrase);
    for (const Entry& entry : entries()) {
        if (!entry.info.protection) continue;
        auto opener = crypto::PassphraseKey::derive(*entry.info.protection, passphrase);
        if (!opener) return fail(KeyringError::no_memory);
        const auto opened = crypto::load_key(path_of(directory_, entry.name).string(), &*opener);
        if (!opened) {
            return fail(opened.error() == KeyFileError::wrong_passphrase
                            ? KeyringError::wrong_passphrase
                            : KeyringError::unreadable);
        }
        opener_ = *std::move(opener);
        return {};
    }
    return fail(KeyringError::not_protected);
}

Result<void, KeyringError> Keyring::protect(std::string_view passphrase, Entropy& entropy,
                                            const crypto::PassphraseCost& cost) {
    if (!is_usable(passphrase)) return fail(KeyringError::bad_passphrase);
    const auto all = entries();
    if (all.empty()) return fail(KeyringError::empty);
    const auto is_plain = [](const Entry& entry) { return !entry.info.protection; };
    if (std::ranges::none_of(all, is_plain)) return fail(KeyringError::already_protected);
    if (is_protected()) {
        TRY(unlock(passphrase));
    } else {
        auto opener =
            crypto::PassphraseKey::derive(crypto::new_protection(entropy, cost), passphrase);
        if (!opener) return fail(KeyringError::no_memory);
        opener_ = *std::move(opener);
    }
    const crypto::Sealing sealing{*opener_, entropy};
    for (const Entry& entry : all) {
        if (!is_plain(entry)) continue;
        const std::string path = path_of(directory_, entry.name).string();
        const auto key = crypto::load_key(path);
        if (!key || !crypto::rewrite_key(path, *key, &sealing)) {
            return fail(KeyringError::unreadable);
        }
    }
    return {};
}

Result<void, KeyringError> Keyring::unprotect() {
    if (!is_protected()) return fail(KeyringError::not_protected);
    if (!opener_) return fail(KeyringError::locked);
    for (const Entry& entry : entries()) {
        if (!entry.info.protection) continue;
        const std::string path = path_of(directory_, entry.name).string();
        const auto key = crypto::load_key(path, &*opener_);
        if (!key) {
            return fail(key.error() == KeyFileError::wrong_passphrase
                            ? KeyringError::wrong_passphrase
                            : KeyringError::unreadable);
        }
        if (!crypto::rewrite_key(path, *key, nullptr)) return fail(KeyringError::unreadable);
    }
    opener_.reset();
    return {};
}

}  // namespace leither::wallet
