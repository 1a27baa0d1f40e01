#include "leither/wallet/keyring.h"

#include <algorithm>
#include <filesystem>

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

}  // namespace

Keyring::Keyring(std::string directory) : directory_(std::move(directory)) {}

bool Keyring::is_valid_name(const std::string& name) {
    if (name.empty() || name.size() > kNameSizeMax) return false;
    if (name.front() == '.' || name.front() == '-') return false;
    return std::ranges::all_of(name, is_name_character);
}

Result<crypto::KeyPair, KeyFileError> Keyring::load(const std::string& name) const {
    // A name that could not have been added names no file; in particular none elsewhere.
    if (!is_valid_name(name)) return fail(KeyFileError::not_found);
    return crypto::load_key(path_of(directory_, name).string());
}

Result<void, KeyFileError> Keyring::add(const std::string& name, const crypto::KeyPair& key) {
    if (!is_valid_name(name) || !make_private_directory(directory_)) return fail(KeyFileError::io);
    return crypto::save_key(path_of(directory_, name).string(), key);
}

std::vector<NamedKey> Keyring::list() const {
    std::vector<NamedKey> keys;
    std::error_code error;
    fs::directory_iterator entry(directory_, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        if (entry->path().extension() != kExtension) continue;
        const std::string name = entry->path().stem().string();
        const auto key = load(name);
        if (key) keys.push_back({name, key->id(), key->public_key()});
    }
    std::ranges::sort(keys, {}, &NamedKey::name);
    return keys;
}

}  // namespace leither::wallet
