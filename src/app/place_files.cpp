#include "app/place_files.h"

#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "leither/base/check.h"
#include "leither/consensus/vote_log.h"
#include "leither/crypto/key_file.h"
#include "leither/io/os_entropy.h"
#include "leither/io/secret_file.h"
#include "leither/store/leveldb_store.h"

#include "app/place_plan.h"

namespace leither::app {

namespace fs = std::filesystem;

void make_data_dir(const fs::path& root) {
    std::error_code error;
    if (fs::create_directories(root, error)) fs::permissions(root, fs::perms::owner_all, error);
    if (!error && ::access(root.c_str(), R_OK | W_OK | X_OK) != 0) {
        error = {errno, std::generic_category()};
    }
    if (!error) return;
    throw DaemonFailure(DaemonExit::environment,
                        fmt::format("the data directory {} cannot be used ({}); make it writable "
                                    "for this user or choose another with --data-dir",
                                    root.string(), error.message()));
}

io::DataDirLock lock_data_dir(const fs::path& root) {
    auto lock = io::DataDirLock::acquire(root.string());
    if (lock) return std::move(*lock);
    if (!lock.error().pid) throw DaemonFailure(DaemonExit::environment, lock.error().detail);
    throw DaemonFailure(
        DaemonExit::locked,
        fmt::format("another leitherd (process {}) uses {}; stop it first, or choose another "
                    "directory with --data-dir",
                    *lock.error().pid, root.string()));
}

namespace {

std::string key_remedy(crypto::KeyFileError error, const std::string& path) {
    using crypto::KeyFileError;
    switch (error) {
        case KeyFileError::not_found:
        case KeyFileError::exists: return "start again";
        case KeyFileError::locked:
        case KeyFileError::wrong_passphrase:
            return "it is a wallet's sealed key: the node's own is never sealed";
        case KeyFileError::bad_format: return "restore it from a backup";
        case KeyFileError::too_permissive: return "run: chmod 600 " + path;
        case KeyFileError::io: return "check the directory's permissions and free space";
    }
    UNREACHABLE();
}

[[noreturn]] void fail_on_key(crypto::KeyFileError error, const std::string& path) {
    throw DaemonFailure(DaemonExit::environment,
                        fmt::format("the node key {}: {}; {}", path, crypto::to_string(error),
                                    key_remedy(error, path)));
}

}  // namespace

NodeKey load_node_key(const DataDir& dir) {
    const std::string path = dir.node_key().string();
    auto key = crypto::load_key(path);
    if (key) return {*key};
    if (key.error() != crypto::KeyFileError::not_found) fail_on_key(key.error(), path);
    if (fs::exists(dir.ledger())) {
        throw DaemonFailure(DaemonExit::damaged,
                            fmt::format("{} holds a ledger, but the node key {} is missing; "
                                        "restore it from a backup",
                                        dir.ledger().string(), path));
    }
    io::OsEntropy entropy;
    const auto fresh = crypto::KeyPair::generate(entropy);
    if (auto saved = crypto::save_key(path, fresh); !saved) fail_on_key(saved.error(), path);
    return {fresh, true};
}

DaemonFailure failure_of(const store::Fault& fault, const DataDir& dir) {
    const std::string ledger = dir.ledger().string();
    switch (fault.kind) {
        case store::Fault::Kind::full:
            return {DaemonExit::environment,
                    fmt::format("no space left for {} ({}); free some and start again: nothing "
                                "that was reported committed is lost",
                                ledger, fault.detail)};
        case store::Fault::Kind::locked:
            return {DaemonExit::locked, fmt::format("another process holds {} ({}); stop it first",
                                                    ledger, fault.detail)};
        case store::Fault::Kind::corrupt:
            return {DaemonExit::damaged,
                    fmt::format("the ledger in {0} is damaged ({1}); repair it with: leitherd "
                                "--data-dir {2} --repair",
                                ledger, fault.detail, dir.root().string())};
        case store::Fault::Kind::missing:
        case store::Fault::Kind::io: break;
    }
    return {DaemonExit::environment,
            fmt::format("the ledger in {} cannot be read or written ({}); check the device and "
                        "the permissions, then start again",
                        ledger, fault.detail)};
}

DaemonFailure failure_of(const node::OpenError& error, const DataDir& dir) {
    switch (error.kind) {
        case node::OpenError::Kind::fault:
        case node::OpenError::Kind::inconsistent:
            return {DaemonExit::damaged,
                    fmt::format("the ledger in {} does not hold together ({}); repair it with: "
                                "leitherd --data-dir {} --repair",
                                dir.ledger().string(), error.detail, dir.root().string())};
        case node::OpenError::Kind::wrong_key:
            return {DaemonExit::damaged,
                    fmt::format("the ledger in {} was founded with another node key ({}); put "
                                "the original node.key back into {}",
                                dir.ledger().string(), error.detail, dir.root().string())};
        case node::OpenError::Kind::wrong_chain: return {DaemonExit::damaged, error.detail};
    }
    UNREACHABLE();
}

std::unique_ptr<store::Store> open_store(const Config& config, const DataDir& dir,
                                         IfMissing if_missing) {
    const MemoryShares shares = share_memory(config.memory_max);
    store::LevelDbOptions options;
    options.path = dir.ledger().string();
    options.create_if_missing = if_missing == IfMissing::create;
    options.write_buffer_bytes = shares.write_buffer.bytes;
    options.block_cache_bytes = shares.block_cache.bytes;
    auto store = store::open_leveldb(options);
    if (!store) throw failure_of(store.error(), dir);
    return std::move(*store);
}

// A key and a store that begin together: what this key has signed is in this store, nothing yet.
void begin_vote_log(store::Store& store, const DataDir& dir, Entropy& entropy) {
    crypto::SecretBytes<32> seed;
    entropy.fill(seed.span());
    store::WriteBatch batch;
    consensus::vote_log::put(batch, consensus::Vouch{});
    const node::SecretFile keys = node::vote_keys::begin(seed, batch);
    auto written = io::replace_secret_file(dir.vote_keys().string(), keys.view());
    if (written) written = store.write(batch);
    if (!written) throw failure_of(written.error(), dir);
}

std::optional<node::SecretFile> read_vote_keys(const DataDir& dir) {
    // One byte more than a file has at most: what is longer is the node's to refuse.
    auto bytes = io::read_secret_file(dir.vote_keys().string(), node::VoteKeys::kFileBytesMax + 1);
    if (!bytes) {
        throw DaemonFailure(DaemonExit::environment,
                            "the vote keys cannot be read: " + bytes.error());
    }
    if (!*bytes) return std::nullopt;
    return node::SecretFile(**std::move(bytes));
}

std::unique_ptr<store::Store> open_network_store(const DataDir& dir) {
    store::LevelDbOptions options;
    options.path = dir.network().string();
    options.write_buffer_bytes = std::size_t{256} << 10;
    options.block_cache_bytes = std::size_t{128} << 10;
    auto store = store::open_leveldb(options);
    if (store) return std::move(*store);
    throw DaemonFailure(
        DaemonExit::environment,
        fmt::format("the network's records in {} cannot be opened ({}: {}); nothing of the ledger "
                    "lies there: if the device is in order, move the directory away and start "
                    "again",
                    dir.network().string(), store::to_string(store.error().kind),
                    store.error().detail));
}

}  // namespace leither::app
