#include "app/place.h"

#include <utility>

#include <fmt/format.h>

#include "leither/base/check.h"
#include "leither/io/data_dir.h"

#include "app/network_config.h"

namespace leither::app {

namespace {

// What waits for a block takes about this much; it turns the mempool's bytes into a number.
constexpr std::uint64_t kTransactionBytes = 300;

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

rpc::Options rpc_options(const Config& config) {
    rpc::Options options;
    options.batch_calls_max = config.rpc_batch_max;
    options.subscriptions_max = config.rpc_subscriptions_max;
    return options;
}

PlacePorts ports_of(const io::NetworkHostOptions& options) {
    return {options.datagrams.front().port,
            options.streams.empty() ? std::uint16_t{0} : options.streams.front().port};
}

io::NetworkHostOptions with_ports(io::NetworkHostOptions options, const PlacePorts& ports) {
    for (Endpoint& endpoint : options.datagrams) endpoint.port = ports.udp;
    for (Endpoint& endpoint : options.streams) endpoint.port = ports.tcp;
    return options;
}

bool holds_locks(const node::Queries& queries, const Id& account) {
    const auto answer = queries.account(account, std::nullopt);
    if (!answer || !answer->record) return false;
    const auto* member = std::get_if<protocol::MemberRecord>(&*answer->record);
    return member != nullptr && !member->locks.empty();
}

}  // namespace

Place::Place(PlaceOptions options, Machine& machine, const Log& log)
    : options_(std::move(options)), machine_(machine), log_(log) {
    if (!options_.name.empty()) {
        make_data_dir(options_.dir.root());
        lock_.emplace(lock_data_dir(options_.dir.root()));
    }
    const NodeKey key = load_node_key(options_.dir);
    store_ = open_store(options_.config, options_.dir, IfMissing::create);
    if (key.is_new) begin_vote_log(*store_, options_.dir, machine_.entropy);
    if (options_.config.network_enabled) {
        network_.emplace();
        network_->store = open_network_store(options_.dir);
        network_->host = open_sockets(*network_->store);
    }
    open_node(key.key);
}

// In the order in which they use each other.
Place::~Place() {
    wallet_.reset();
    api_.reset();
    loop_.reset();
}

std::unique_ptr<io::NetworkHost> Place::try_ports(store::Store& store,
                                                  const io::NetworkHostOptions& options) {
    auto host =
        std::make_unique<io::NetworkHost>(options, store, machine_.reactor, log_.with_room("io"));
    const auto listening = host->listen();
    if (listening) return host;
    listening_fault_ = listening.error();
    return nullptr;
}

std::unique_ptr<io::NetworkHost> Place::open_sockets(store::Store& store) {
    auto host = options_.name.empty() ? listen_first(store) : listen_beside(store);
    if (host == nullptr) throw DaemonFailure(DaemonExit::environment, listening_fault_);
    return host;
}

std::unique_ptr<io::NetworkHost> Place::listen_first(store::Store& store) {
    const Config& config = options_.config;
    auto options = network_host_options(config);
    options.line = machine_.line;
    if (auto host = try_ports(store, options)) return host;
    // Whoever has chosen no port shall not have to: a second node on this machine takes another.
    if (config.dht_listen != Config{}.dht_listen || !config.peer_listen.empty()) return nullptr;
    log_.warn("default_port_in_use", "detail=\"{}\"", listening_fault_);
    return try_ports(store, with_ports(options, {0, 0}));
}

// The ports it had; else the next that are free, which it has from then on.
std::unique_ptr<io::NetworkHost> Place::listen_beside(store::Store& store) {
    auto options = network_host_options(options_.config);
    options.line = machine_.line;
    const std::string file = options_.dir.ports().string();
    const auto text = io::read_private_file(file);
    const auto remembered = text ? parse_place_ports(*text) : std::nullopt;
    std::unique_ptr<io::NetworkHost> host;
    for (const PlacePorts& ports : port_choices(ports_of(options), remembered)) {
        host = try_ports(store, with_ports(options, ports));
        if (host != nullptr) break;
    }
    if (host == nullptr) return nullptr;
    const PlacePorts taken{host->datagram_port(), host->stream_port()};
    if (remembered == taken) return host;
    if (remembered) {
        log_.warn("ports_changed", "udp={} tcp={} detail=\"those it had are in use\"", taken.udp,
                  taken.tcp);
    }
    if (const auto written = io::write_private_file(file, to_text(taken)); !written) {
        throw DaemonFailure(DaemonExit::environment, written.error());
    }
    return host;
}

void Place::open_node(const crypto::KeyPair& key) {
    node::Options options = node_options(options_.config);
    options.vote_keys = read_vote_keys(options_.dir);
    options.office_seed.emplace();
    machine_.entropy.fill(options.office_seed->span());
    auto node = network_
                    ? node::Node::open(options, *store_, key, log_,
                                       {network_options(options_.config, network_->host->streams()),
                                        *network_->store, machine_.entropy, machine_.clock.now()})
                    : node::Node::open(options, *store_, key, log_);
    if (!node) throw failure_of(node.error(), options_.dir);
    node_.emplace(std::move(*node));
}

void Place::serve(const Surroundings& surroundings, io::EventLoop::Ended ended) {
    io::EventLoopOptions loop_options;
    loop_options.verify = machine_.verify;
    loop_options.vote_keys_file = options_.dir.vote_keys().string();
    loop_options.stop_all = surroundings.stop_all;
    loop_.emplace(std::move(loop_options), machine_.reactor, *node_, *store_, machine_.clock,
                  log_.with_room("io"));
    if (network_) loop_->set_network(*network_->host);
    api_.emplace(io::PlaceApiOptions{options_.name, options_.dir.root().string(),
                                     rpc_options(options_.config)},
                 surroundings.api, *loop_);
    if (surroundings.wallet != nullptr) {
        wallet_.emplace(*surroundings.wallet, options_.name, machine_.reactor, *api_,
                        log_.with_room("app"));
    }
    loop_->begin(std::move(ended));
}

void Place::finish() {
    loop_->finish();
}

rpc::PlaceStatus Place::status() const {
    rpc::PlaceStatus status;
    status.name = options_.name;
    status.directory = options_.dir.root().string();
    const auto queries = node_->queries();
    if (const auto ledger = queries.status()) {
        status.organization = ledger->organization.treasury;
        status.organization_name = ledger->organization.charter.name;
    } else if (const auto network = queries.network(machine_.clock.now());
               network && network->community) {
        status.organization = network->community->organization;
    }
    if (const auto manifest = queries.manifest(); manifest && status.organization_name.empty()) {
        status.organization_name = manifest->content.manifest.name;
    }
    if (!network_) return status;
    status.udp_port = network_->host->datagram_port();
    if (const std::uint16_t port = network_->host->stream_port(); port != 0) {
        status.tcp_port = port;
    }
    return status;
}

std::optional<std::string> Place::why_needed() const {
    const auto queries = node_->queries();
    const auto office = queries.office(machine_.clock.now());
    if (office && office->seat) {
        return "its node is a bookkeeper in office: without it the others may not be able to "
               "decide";
    }
    if (office && office->candidate) {
        return fmt::format("its node stands for election for {}", office->candidate->member.hex());
    }
    const auto network = queries.network(machine_.clock.now());
    if (!network || !network->community) return std::nullopt;
    for (const auto& served : network->community->accounts) {
        if (!holds_locks(queries, served.account)) continue;
        return fmt::format("account {}, which it serves, has credit locked", served.account.hex());
    }
    return std::nullopt;
}

}  // namespace leither::app
