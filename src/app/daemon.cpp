#include "app/daemon.h"

#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "leither/base/version.h"
#include "leither/consensus/vote_log.h"
#include "leither/crypto/key_file.h"
#include "leither/io/data_dir.h"
#include "leither/io/event_loop.h"
#include "leither/io/local_api.h"
#include "leither/io/log_sink.h"
#include "leither/io/network_host.h"
#include "leither/io/os_entropy.h"
#include "leither/io/secret_file.h"
#include "leither/io/service_manager.h"
#include "leither/node/node.h"
#include "leither/store/leveldb_store.h"

#include "app/data_dir.h"
#include "app/network_config.h"
#include "app/repair.h"
#include "app/wallet_service.h"

namespace leither::app {

namespace {

namespace fs = std::filesystem;

// What waits for a block takes about this much; it turns the mempool's bytes into a number.
constexpr std::uint64_t kTransactionBytes = 300;

DataDir data_dir_of(const Config& config) {
    return DataDir(config.data_dir.empty() ? default_data_dir() : fs::path(config.data_dir));
}

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

// The node's identity. Made at the first start only: a lost key is not replaced behind the
// operator's back once there is a ledger that it sealed.
struct NodeKey {
    crypto::KeyPair key;
    bool is_new = false;
};
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

enum class IfMissing : std::uint8_t { create, refuse };

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

// Small: records, messages and lines, written now and then.
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

node::Options node_options(const Config& config) {
    const MemoryShares shares = share_memory(config.memory_max);
    node::Options options;
    options.tree.cache_bytes = shares.tree_cache.bytes;
    options.tree.page_cache_bytes = shares.page_cache.bytes;
    options.mempool.bytes_max = shares.mempool.bytes;
    options.mempool.transactions_max = shares.mempool.bytes / kTransactionBytes;
    options.catch_up_blocks_max = config.history_catch_up_blocks;
    options.pin = protocol::parse_block_name(config.history_checkpoint);
    options.receipts.receipts_max = config.receipts_max;
    options.receipts.bytes_max = config.receipts_bytes_max.bytes;
    options.history_pulses = config.history_mode == HistoryMode::full ? 0 : config.history_pulses;
    return options;
}

using RoomLevels = std::map<std::string, LogLevel, std::less<>>;

RoomLevels room_levels(const Config& config) {
    RoomLevels levels;
    const auto add = [&levels](const char* room, std::optional<LogLevel> level) {
        if (level) levels[room] = *level;
    };
    add("consensus", config.log_level_consensus);
    add("node", config.log_level_node);
    add("rpc", config.log_level_rpc);
    add("io", config.log_level_io);
    add("app", config.log_level_app);
    add("dht", config.log_level_dht);
    add("peer", config.log_level_peer);
    add("org", config.log_level_org);
    return levels;
}

std::unique_ptr<io::SpdlogSink> open_log(const Config& config) {
    io::LogOptions options;
    options.level = config.log_level;
    options.rooms = room_levels(config);
    options.file = config.log_file;
    options.file_bytes_max = config.log_file_bytes_max.bytes;
    options.files_max = config.log_file_count;
    auto sink = io::SpdlogSink::open(options);
    if (!sink) throw DaemonFailure(DaemonExit::environment, sink.error());
    return std::move(*sink);
}

io::HttpOptions http_options(const Config& config, std::string cookie) {
    const auto listen = parse_listen_address(config.rpc_listen);
    CHECK(listen.has_value());  // load_config refuses everything else
    io::HttpOptions options;
    options.address = listen->address;
    options.port = listen->port;
    options.cookie = std::move(cookie);
    options.body_bytes_max = config.rpc_body_bytes_max.bytes;
    options.connections_max = config.rpc_connections_max;
    return options;
}

rpc::Options rpc_options(const Config& config) {
    rpc::Options options;
    options.batch_calls_max = config.rpc_batch_max;
    options.subscriptions_max = config.rpc_subscriptions_max;
    return options;
}

// The files by which clients find and convince us; gone when we are.
class ClientFiles {
 public:
    explicit ClientFiles(const DataDir& dir) : dir_(dir) {}
    ClientFiles(const ClientFiles&) = delete;
    ClientFiles& operator=(const ClientFiles&) = delete;
    ~ClientFiles() {
        ::unlink(dir_.address().c_str());
        ::unlink(dir_.cookie().c_str());
    }
    // The address comes last: whoever sees it finds the cookie too.
    void publish(std::string_view cookie, std::string_view url) {
        write(dir_.cookie(), cookie);
        write(dir_.address(), url);
    }

 private:
    static void write(const fs::path& path, std::string_view content) {
        auto written = io::write_private_file(path.string(), content);
        if (!written) throw DaemonFailure(DaemonExit::environment, written.error());
    }
    const DataDir& dir_;
};

// SIGHUP: applies what can be applied and says what cannot.
class Reloader {
 public:
    Reloader(Config running, const ConfigOrigin& origin, io::SpdlogSink& sink, Log log)
        : running_(std::move(running)), origin_(origin), sink_(sink), log_(std::move(log)) {}

    void reload() {
        const auto loaded = load_config_file(origin_.file, origin_.overrides);
        if (!loaded) {
            for (const auto& fault : loaded.error()) {
                log_.error("config_not_reloaded", "fault={:?}", fault);
            }
            return;
        }
        const Config& fresh = loaded->config;
        for (const auto& change : differences(running_, fresh, Applies::at_once)) {
            log_.info("config_applied", "{}", change);
        }
        for (const auto& change : differences(running_, fresh, Applies::at_restart)) {
            log_.warn("config_needs_restart", "{}", change);
        }
        sink_.set_levels(fresh.log_level, room_levels(fresh));
        adopt_levels(fresh);
    }

 private:
    // What needs a restart stays as it runs, so that the next SIGHUP says it again.
    void adopt_levels(const Config& fresh) {
        for (const ConfigKey& key : config_keys()) {
            if (key.applies != Applies::at_once) continue;
            std::visit([&](auto member) { running_.*member = fresh.*member; }, key.member);
        }
    }

    Config running_;
    const ConfigOrigin& origin_;
    io::SpdlogSink& sink_;
    Log log_;
};

std::unique_ptr<io::NetworkHost> open_sockets(const Config& config, const DataDir& dir,
                                              store::Store& store, io::Reactor& reactor,
                                              const Log& log) {
    auto options = network_host_options(config);
    options.usage_file = dir.traffic().string();
    auto host = std::make_unique<io::NetworkHost>(options, store, reactor, log);
    const auto listening = host->listen();
    if (listening) return host;
    // Whoever has chosen no port shall not have to: a second node on this machine takes another.
    if (config.dht_listen != Config{}.dht_listen || !config.peer_listen.empty()) {
        throw DaemonFailure(DaemonExit::environment, listening.error());
    }
    log.warn("default_port_in_use", "detail=\"{}\"", listening.error());
    for (auto* endpoints : {&options.datagrams, &options.streams}) {
        for (Endpoint& endpoint : *endpoints) endpoint.port = 0;
    }
    host = std::make_unique<io::NetworkHost>(options, store, reactor, log);
    if (const auto again = host->listen(); !again) {
        throw DaemonFailure(DaemonExit::environment, again.error());
    }
    return host;
}

// The node's place in the network: its store and its sockets.
struct NetworkPlace {
    NetworkPlace(const Config& config, const DataDir& dir, io::Reactor& reactor, const Log& log)
        : store(open_network_store(dir)), host(open_sockets(config, dir, *store, reactor, log)) {}

    std::unique_ptr<store::Store> store;
    std::unique_ptr<io::NetworkHost> host;
};

// What a daemon runs on, from the ground up: each needs those before it.
struct Machine {
    io::OsEntropy entropy;
    io::WallClock clock;
    io::Reactor reactor;
    std::unique_ptr<NetworkPlace> network;
};

Result<node::Node, node::OpenError> open_node(const Config& config, const crypto::KeyPair& key,
                                              const store::Store& store, Machine& machine,
                                              const Log& log) {
    node::Options options = node_options(config);
    options.vote_keys = read_vote_keys(data_dir_of(config));
    options.office_seed.emplace();
    machine.entropy.fill(options.office_seed->span());
    if (!machine.network) return node::Node::open(options, store, key, log);
    return node::Node::open(options, store, key, log,
                            {network_options(config, machine.network->host->streams()),
                             *machine.network->store, machine.entropy, machine.clock.now()});
}

WalletOptions wallet_options(const Config& config, const DataDir& dir) {
    return {config.wallet_dir.empty() ? dir.wallet().string() : config.wallet_dir,
            std::chrono::seconds(config.wallet_lock_after_s)};
}

// Everything between an open node and the end of its event loop.
void serve(const LoadedConfig& loaded, const ConfigOrigin& origin, const DataDir& dir,
           store::Store& store, node::Node& node, Machine& machine, io::SpdlogSink& sink) {
    const Config& config = loaded.config;
    const Log log(&sink, "app");
    io::Reactor& reactor = machine.reactor;
    io::EventLoopOptions loop_options;
    loop_options.verify_threads = static_cast<unsigned>(config.verify_threads);
    loop_options.vote_keys_file = dir.vote_keys().string();
    io::EventLoop loop(loop_options, reactor, node, store, machine.clock, log.with_room("io"));
    if (machine.network) loop.set_network(*machine.network->host);
    const std::string cookie = io::make_cookie(machine.entropy);
    io::LocalApi api(http_options(config, cookie), rpc_options(config), reactor, loop,
                     log.with_room("rpc"), {&sink.recent(), dir.root().string()});
    std::optional<WalletService> wallet;
    if (config.wallet_enabled) {
        wallet.emplace(wallet_options(config, dir), reactor, api, log);
    }
    auto url = api.listen();
    if (!url) throw DaemonFailure(DaemonExit::environment, url.error());

    io::ServiceManager service;
    Reloader reloader(config, origin, sink, log);
    reactor.on_signals({SIGTERM, SIGINT, SIGHUP}, [&](int signal) {
        if (signal == SIGHUP) {
            service.reloading();
            reloader.reload();
            service.ready("serving " + *url);
            return;
        }
        log.info("stopping", "signal={}", signal);
        service.stopping();
        loop.stop();
    });
    ClientFiles files(dir);
    files.publish(cookie, *url);
    log.info("ready", "version={} url={} data_dir={} node_key={}", kVersion, *url,
             dir.root().string(), node.node_key().hex());
    service.ready("serving " + *url);

    const auto fault = loop.run();
    if (fault) throw failure_of(*fault, dir);
    log.info("stopped");
}

}  // namespace

MemoryShares share_memory(ByteSize memory_max) {
    // Measured with 1 M accounts: the rest, about an eighth, is code, stacks and buffers in flight.
    const std::uint64_t part = memory_max.bytes / 160;
    return {.tree_cache = {104 * part},
            .page_cache = {4 * part},
            .write_buffer = {8 * part},
            .block_cache = {part},
            .mempool = {12 * part}};
}

void run_daemon(const LoadedConfig& loaded, const ConfigOrigin& origin) {
    const DataDir dir = data_dir_of(loaded.config);
    make_data_dir(dir.root());
    const io::DataDirLock lock = lock_data_dir(dir.root());
    const auto sink = open_log(loaded.config);
    const Log log(sink.get(), "node");
    const NodeKey node_key = load_node_key(dir);
    Machine machine;
    const auto store = open_store(loaded.config, dir, IfMissing::create);
    if (node_key.is_new) begin_vote_log(*store, dir, machine.entropy);
    if (loaded.config.network_enabled) {
        machine.network = std::make_unique<NetworkPlace>(loaded.config, dir, machine.reactor,
                                                         log.with_room("io"));
    }
    auto node = open_node(loaded.config, node_key.key, *store, machine, log);
    if (!node) throw failure_of(node.error(), dir);
    serve(loaded, origin, dir, *store, *node, machine, *sink);
}

void verify_ledger(const Config& config) {
    const DataDir dir = data_dir_of(config);
    const io::DataDirLock lock = lock_data_dir(dir.root());
    const auto store = open_store(config, dir, IfMissing::refuse);
    const bool watched = ::isatty(STDERR_FILENO) == 1;
    const auto verified = node::verify_store(*store, [watched](Sequence sequence) {
        if (watched) fmt::print(stderr, "\rsequence {}", sequence.value());
    });
    if (watched) fmt::print(stderr, "\n");
    if (!verified) throw failure_of(verified.error(), dir);
    fmt::print(
        "The ledger holds: sequences 0 to {}, {} transactions re-executed.\nroot {} sum {}\n",
        verified->sequence.value(), verified->transactions, verified->root.hash.hex(),
        verified->root.sum.units());
}

void repair(const Config& config) {
    const DataDir dir = data_dir_of(config);
    const io::DataDirLock lock = lock_data_dir(dir.root());
    const auto repaired = repair_ledger(dir);
    if (!repaired) {
        throw DaemonFailure(DaemonExit::damaged,
                            fmt::format("the ledger in {} cannot be repaired: {}; restore the data "
                                        "directory from a backup",
                                        dir.ledger().string(), repaired.error()));
    }
    fmt::print("Rebuilt every sequence up to {}. The damaged ledger is kept in {}.\n",
               repaired->newest.value(), (dir.root() / "ledger.damaged").string());
    if (repaired->stopped.empty()) return;
    fmt::print(
        "The next one cannot be rebuilt ({}); it and all behind it are gone. Compare with\n"
        "the receipts that members hold before you start leitherd again.\n",
        repaired->stopped);
}

}  // namespace leither::app
