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
#include "leither/io/data_dir.h"
#include "leither/io/local_api.h"
#include "leither/io/log_sink.h"
#include "leither/io/service_manager.h"
#include "leither/node/node.h"

#include "app/data_dir.h"
#include "app/network_config.h"
#include "app/place_files.h"
#include "app/place_list.h"
#include "app/repair.h"
#include "app/wallet_service.h"

namespace leither::app {

namespace {

namespace fs = std::filesystem;

DataDir data_dir_of(const Config& config) {
    return DataDir(config.data_dir.empty() ? default_data_dir() : fs::path(config.data_dir));
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

WalletOptions wallet_options(const Config& config, const DataDir& dir) {
    return {config.wallet_dir.empty() ? dir.wallet().string() : config.wallet_dir,
            std::chrono::seconds(config.wallet_lock_after_s)};
}

// As far as it does not depend on the places.
void prepare(Machine& machine, const Config& config, const DataDir& dir, const Log& log) {
    machine.verify =
        io::make_verify_pool(static_cast<unsigned>(config.verify_threads), machine.reactor);
    if (!config.network_enabled) return;
    machine.line = io::make_line(line_caps(config), dir.traffic().string(), log.with_room("io"));
}

// Everything between open places and the end of the last one.
void serve(const LoadedConfig& loaded, const ConfigOrigin& origin, const DataDir& dir,
           const std::string& cookie, Machine& machine, io::SpdlogSink& sink) {
    const Config& config = loaded.config;
    const Log log(&sink, "app");
    io::Reactor& reactor = machine.reactor;
    io::ServiceManager service;
    std::function<void()> stop_all;
    io::LocalApi api(http_options(config, cookie), reactor, machine.clock, log.with_room("rpc"),
                     {&sink.recent(), machine.line, [&stop_all] { stop_all(); }});
    std::optional<SharedWallet> wallet;
    if (config.wallet_enabled) wallet.emplace(wallet_options(config, dir));
    PlaceList places(config, dir, {machine, api, wallet ? &*wallet : nullptr, sink, [&stop_all] {
                                       stop_all();
                                   }});
    stop_all = [&] {
        service.stopping();
        places.finish_all();
        api.close();
    };
    api.set_places(places);
    places.open_all();
    auto url = api.listen();
    if (!url) throw DaemonFailure(DaemonExit::environment, url.error());

    Reloader reloader(config, origin, sink, log);
    reactor.on_signals({SIGTERM, SIGINT, SIGHUP}, [&](int signal) {
        if (signal == SIGHUP) {
            service.reloading();
            reloader.reload();
            service.ready("serving " + *url);
            return;
        }
        log.info("stopping", "signal={}", signal);
        stop_all();
    });
    ClientFiles files(dir);
    files.publish(cookie, *url);
    log.info("ready", "version={} url={} data_dir={} node_key={}", kVersion, *url,
             dir.root().string(), places.node_key().value().hex());
    service.ready("serving " + *url);

    places.serve_all([&] {
        api.close();
        reactor.stop();
    });
    reactor.run();
    if (const auto failure = places.failure()) throw DaemonFailure(*failure);
    log.info("stopped");
}

}  // namespace

void run_daemon(const LoadedConfig& loaded, const ConfigOrigin& origin) {
    const DataDir dir = data_dir_of(loaded.config);
    make_data_dir(dir.root());
    const io::DataDirLock lock = lock_data_dir(dir.root());
    const auto sink = open_log(loaded.config);
    Machine machine;
    prepare(machine, loaded.config, dir, Log(sink.get(), "io"));
    serve(loaded, origin, dir, io::make_cookie(machine.entropy), machine, *sink);
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
