// What lies in a data directory, made at the first start and opened at each: key, ledger, network
// store, vote keys. All throw DaemonFailure with cause and remedy.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "leither/base/entropy.h"
#include "leither/crypto/sign.h"
#include "leither/io/data_dir.h"
#include "leither/node/node.h"
#include "leither/node/vote_keys.h"
#include "leither/store/kv.h"

#include "app/config.h"
#include "app/daemon_failure.h"
#include "app/data_dir.h"

namespace leither::app {

void make_data_dir(const std::filesystem::path& root);
io::DataDirLock lock_data_dir(const std::filesystem::path& root);

// The node's identity. Made at the first start only: a lost key is not replaced behind the
// operator's back once there is a ledger that it sealed.
struct NodeKey {
    crypto::KeyPair key;
    bool is_new = false;
};
NodeKey load_node_key(const DataDir& dir);

enum class IfMissing : std::uint8_t { create, refuse };
std::unique_ptr<store::Store> open_store(const Config& config, const DataDir& dir,
                                         IfMissing if_missing);
// Small: records, messages and lines, written now and then.
std::unique_ptr<store::Store> open_network_store(const DataDir& dir);

// A key and a store that begin together: what this key has signed is in this store, nothing yet.
void begin_vote_log(store::Store& store, const DataDir& dir, Entropy& entropy);
std::optional<node::SecretFile> read_vote_keys(const DataDir& dir);

DaemonFailure failure_of(const store::Fault& fault, const DataDir& dir);
DaemonFailure failure_of(const node::OpenError& error, const DataDir& dir);

}  // namespace leither::app
