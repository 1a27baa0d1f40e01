#include "app/config_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <numeric>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/base/check.h"
#include "leither/io/log_sink.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr std::uint64_t kTextSizeMax = 4096;
constexpr std::string_view kInherit = "as log.level";

constexpr ConfigKey kKeys[] = {
    {"data_dir", &Config::data_dir, 0, kTextSizeMax, Applies::at_restart,
     "Directory of everything the daemon keeps. Empty: $STATE_DIRECTORY, else "
     "$XDG_DATA_HOME/leither, else ~/.local/share/leither."},
    {"rpc.listen", &Config::rpc_listen, 1, 64, Applies::at_restart,
     "Loopback address and port of the local API. Port 0 takes a free one; the file `address` in "
     "the data directory tells which."},
    {"rpc.body_bytes_max", &Config::rpc_body_bytes_max, 4096, 64 << 20, Applies::at_restart,
     "Largest request body."},
    {"rpc.batch_max", &Config::rpc_batch_max, 1, 10'000, Applies::at_restart,
     "Most calls in one JSON-RPC batch."},
    {"rpc.connections_max", &Config::rpc_connections_max, 1, 4096, Applies::at_restart,
     "Most connections to the local API at once."},
    {"rpc.subscriptions_max", &Config::rpc_subscriptions_max, 1, 1024, Applies::at_restart,
     "Most subscriptions of one connection."},
    {"log.level", &Config::log_level, 0, 0, Applies::at_once,
     "Least severe lines that are logged."},
    {"log.levels.consensus", &Config::log_level_consensus, 0, 0, Applies::at_once,
     "The same for the room `consensus` (sealing) alone. Empty: as log.level."},
    {"log.levels.node", &Config::log_level_node, 0, 0, Applies::at_once,
     "The same for the room `node` alone."},
    {"log.levels.rpc", &Config::log_level_rpc, 0, 0, Applies::at_once,
     "The same for the room `rpc` alone."},
    {"log.levels.io", &Config::log_level_io, 0, 0, Applies::at_once,
     "The same for the room `io` (connections, disk) alone."},
    {"log.levels.app", &Config::log_level_app, 0, 0, Applies::at_once,
     "The same for the room `app` (start, stop, configuration) alone."},
    {"log.levels.dht", &Config::log_level_dht, 0, 0, Applies::at_once,
     "The same for the room `dht` (finding nodes and records) alone."},
    {"log.levels.peer", &Config::log_level_peer, 0, 0, Applies::at_once,
     "The same for the room `peer` (connections to other nodes) alone."},
    {"log.levels.org", &Config::log_level_org, 0, 0, Applies::at_once,
     "The same for the room `org` (what members' nodes tell each other) alone."},
    {"log.file", &Config::log_file, 0, kTextSizeMax, Applies::at_restart,
     "A file to log to besides standard output. Empty: none."},
    {"log.file_bytes_max", &Config::log_file_bytes_max, 64 << 10, std::uint64_t{4} << 30,
     Applies::at_restart, "The log file is rotated at this size."},
    {"log.file_count", &Config::log_file_count, 1, 100, Applies::at_restart,
     "Rotated log files that are kept."},
    {"organizations.max", &Config::organizations_max, 1, 64, Applies::at_restart,
     "Most organizations that this daemon serves at once. memory.max, content.max_bytes and "
     "peer.connections_max are divided among them; what network.* allows they share."},
    {"memory.max", &Config::memory_max, 16 << 20, std::uint64_t{1} << 40, Applies::at_restart,
     "Memory for caches, write buffers and waiting transactions together."},
    {"history.mode", &Config::history_mode, 0, 0, Applies::at_restart,
     "`full` keeps every version of the ledger; `window` erases what is older than "
     "history.pulses."},
    {"history.pulses", &Config::history_pulses, 10, std::uint64_t{1} << 32, Applies::at_restart,
     "Pulses whose versions stay readable in mode `window`. Keep at least publicity + 1200 pulses "
     "+ 2 cycles of your organization."},
    {"history.catch_up_blocks", &Config::history_catch_up_blocks, 16, std::uint64_t{1} << 32,
     Applies::at_restart,
     "A node that is further behind takes the state that its neighbours prove, and has no history "
     "from before; else it takes every block."},
    {"history.checkpoint", &Config::history_checkpoint, 0, 128, Applies::at_restart,
     "SEQUENCE:HASH of a block that you trust, as `leither checkpoint show` prints it. This node "
     "then takes no ledger that lacks it. Empty: the organization's manifest names one."},
    {"receipts.max", &Config::receipts_max, 0, 1'000'000, Applies::at_restart,
     "Most receipts that are kept for the accounts of this node's users; the oldest go first. 0: "
     "none are kept."},
    {"receipts.bytes_max", &Config::receipts_bytes_max, 64 << 10, std::uint64_t{1} << 34,
     Applies::at_restart, "Most bytes of receipts that are kept."},
    {"verify.threads", &Config::verify_threads, 0, 256, Applies::at_restart,
     "Threads that check signatures. 0: one for each core."},
    {"wallet.enabled", &Config::wallet_enabled, 0, 0, Applies::at_restart,
     "Whether the daemon holds the wallet of its data directory: for the dashboard, and to pay "
     "what its policy allows. false: it runs without spending keys, and only leither signs."},
    {"wallet.dir", &Config::wallet_dir, 0, kTextSizeMax, Applies::at_restart,
     "The wallet's directory. Empty: `wallet` in the data directory, as for leither."},
    {"wallet.lock_after_s", &Config::wallet_lock_after_s, 0, 31'536'000, Applies::at_restart,
     "Seconds after which keys that a passphrase has opened are closed again. 0: only by `leither "
     "wallet lock`, or when the daemon stops."},
    {"network.enabled", &Config::network_enabled, 0, 0, Applies::at_restart,
     "Whether this node takes part in the network at all."},
    {"network.map_ports", &Config::network_map_ports, 0, 0, Applies::at_restart,
     "Whether the home router is asked to forward our ports (UPnP, NAT-PMP)."},
    {"network.upload_max", &Config::network_upload_max, 0, std::uint64_t{1} << 31,
     Applies::at_restart, "Most bytes sent in a second. 0: without limit."},
    {"network.download_max", &Config::network_download_max, 0, std::uint64_t{1} << 31,
     Applies::at_restart, "Most bytes received in a second. 0: without limit."},
    {"network.month_max", &Config::network_month_max, 0, std::uint64_t{1} << 50,
     Applies::at_restart,
     "Most bytes in a calendar month, both ways together; then the node goes on at a trickle. 0: "
     "without limit."},
    {"dht.listen", &Config::dht_listen, 1, 200, Applies::at_restart,
     "Addresses and UDP port of the DHT, one of each family at most, separated by commas: "
     "0.0.0.0:7400, [::]:7400. If the default port is in use, any free one is taken."},
    {"dht.bootstrap", &Config::dht_bootstrap, 0, kTextSizeMax, Applies::at_restart,
     "Addresses or host names, and ports, of nodes to begin with, separated by commas: one that "
     "you trust to know the network is enough."},
    {"dht.public_network", &Config::dht_public_network, 0, 0, Applies::at_restart,
     "Whether this node joins the public BitTorrent DHT instead of a network of its own. Records "
     "then go to strangers."},
    {"dht.admit", &Config::dht_admit, 1, 16, Applies::at_restart,
     "What becomes of other programs in a network of our own: `tagged` reads only ours, `guests` "
     "answers others, `any` counts them as nodes too."},
    {"dht.allow", &Config::dht_allow, 0, kTextSizeMax, Applies::at_restart,
     "If not empty, the only address ranges the DHT has to do with, separated by commas: "
     "10.0.0.0/8, 2001:db8::/32."},
    {"dht.local_network", &Config::dht_local_network, 0, 0, Applies::at_restart,
     "Whether many nodes may share one private or loopback address: for communities within one "
     "local network, and for tests."},
    {"peer.listen", &Config::peer_listen, 0, 200, Applies::at_restart,
     "Addresses and TCP port for connections, as dht.listen. Empty: the same as dht.listen. `none` "
     "accepts none; the node then dials others and is a full member all the same."},
    {"peer.connect", &Config::peer_connect, 0, kTextSizeMax, Applies::at_restart,
     "Addresses and ports of nodes to keep connections to, separated by commas."},
    {"peer.connections_max", &Config::peer_connections_max, 4, 4096, Applies::at_restart,
     "Most connections to other nodes at once."},
    {"content.max_bytes", &Config::content_max_bytes, 1 << 20, std::uint64_t{1} << 40,
     Applies::at_restart,
     "Most bytes of packs that this node keeps: those that its users have published or fetched."},
};

constexpr std::string_view kLevelsAllowed =
    R"(one of "trace", "debug", "info", "warn", "error", "off")";

std::optional<HistoryMode> parse_history_mode(std::string_view word) {
    for (const HistoryMode mode : {HistoryMode::full, HistoryMode::window}) {
        if (word == to_string(mode)) return mode;
    }
    return std::nullopt;
}

template <class... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

// Each `read` turns JSON into a value of the member's type, or nothing if it is none.
bool read(const json& value, const ConfigKey& key, std::string& out) {
    if (!value.is_string()) return false;
    out = value.get<std::string>();
    return out.size() >= key.min && out.size() <= key.max;
}
bool read(const json& value, const ConfigKey& key, std::uint64_t& out) {
    if (!value.is_number_unsigned()) return false;
    out = value.get<std::uint64_t>();
    return out >= key.min && out <= key.max;
}
bool read(const json& value, const ConfigKey&, bool& out) {
    if (!value.is_boolean()) return false;
    out = value.get<bool>();
    return true;
}
bool read(const json& value, const ConfigKey& key, ByteSize& out) {
    std::optional<ByteSize> size;
    if (value.is_number_unsigned()) size = ByteSize{value.get<std::uint64_t>()};
    if (value.is_string()) size = parse_size(value.get_ref<const std::string&>());
    if (!size || size->bytes < key.min || size->bytes > key.max) return false;
    out = *size;
    return true;
}
bool read(const json& value, const ConfigKey&, LogLevel& out) {
    if (!value.is_string()) return false;
    const auto level = io::parse_log_level(value.get_ref<const std::string&>());
    if (level) out = *level;
    return level.has_value();
}
bool read(const json& value, const ConfigKey& key, std::optional<LogLevel>& out) {
    if (value.is_string() && value.get_ref<const std::string&>().empty()) {
        out.reset();
        return true;
    }
    LogLevel level{};
    if (!read(value, key, level)) return false;
    out = level;
    return true;
}
bool read(const json& value, const ConfigKey&, HistoryMode& out) {
    if (!value.is_string()) return false;
    const auto mode = parse_history_mode(value.get_ref<const std::string&>());
    if (mode) out = *mode;
    return mode.has_value();
}

json to_json(const std::string& value) {
    return value;
}
json to_json(std::uint64_t value) {
    return value;
}
json to_json(bool value) {
    return value;
}
json to_json(ByteSize value) {
    return format_size(value);
}
json to_json(LogLevel value) {
    return io::to_string(value);
}
json to_json(const std::optional<LogLevel>& value) {
    return value ? io::to_string(*value) : "";
}
json to_json(HistoryMode value) {
    return to_string(value);
}

// Levenshtein's distance, one row at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row.back();
}

struct SizeUnit {
    std::string_view name;
    unsigned shift;
};
constexpr std::array<SizeUnit, 4> kSizeUnits = {
    {{"TiB", 40}, {"GiB", 30}, {"MiB", 20}, {"KiB", 10}}};

std::optional<std::uint64_t> parse_digits(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

}  // namespace

std::span<const ConfigKey> config_keys() {
    return kKeys;
}

const ConfigKey* find_config_key(std::string_view path) {
    const auto* found = std::ranges::find(kKeys, path, &ConfigKey::path);
    return found == std::end(kKeys) ? nullptr : found;
}

std::string_view nearest_config_key(std::string_view path) {
    // Longer names are no key's near relatives, and the distance is quadratic.
    path = path.substr(0, 64);
    return std::ranges::min_element(
               kKeys, {}, [path](const ConfigKey& key) { return edit_distance(path, key.path); })
        ->path;
}

Result<void, std::string> assign(Config& config, const ConfigKey& key, const json& value) {
    const bool taken = std::visit(
        [&](auto member) {
            auto fresh = config.*member;
            if (!read(value, key, fresh)) return false;
            config.*member = std::move(fresh);
            return true;
        },
        key.member);
    if (taken) return {};
    return fail(fmt::format(
        "\"{}\" must be {}, not {}; the default is {}", key.path, allowed_text(key),
        value.dump(-1, ' ', false, json::error_handler_t::replace), value_text(Config{}, key)));
}

Result<void, std::string> assign_text(Config& config, const ConfigKey& key, std::string_view text) {
    const bool is_number = std::holds_alternative<std::uint64_t Config::*>(key.member);
    const auto digits = parse_digits(text);
    if (is_number && digits) return assign(config, key, json(*digits));
    if (std::holds_alternative<bool Config::*>(key.member) && (text == "true" || text == "false")) {
        return assign(config, key, json(text == "true"));
    }
    return assign(config, key, json(std::string(text)));
}

std::string value_text(const Config& config, const ConfigKey& key) {
    // A path from the command line need not be UTF-8.
    return std::visit(
        [&](auto member) {
            return to_json(config.*member).dump(-1, ' ', false, json::error_handler_t::replace);
        },
        key.member);
}

std::string allowed_text(const ConfigKey& key) {
    return std::visit(
        Overloaded{
            [&](std::string Config::*) {
                return fmt::format("a text of {} to {} characters", key.min, key.max);
            },
            [&](std::uint64_t Config::*) {
                return fmt::format("a number from {} to {}", key.min, key.max);
            },
            [&](bool Config::*) { return std::string("true or false"); },
            [&](ByteSize Config::*) {
                return fmt::format("a size from \"{}\" to \"{}\"", format_size({key.min}),
                                   format_size({key.max}));
            },
            [&](LogLevel Config::*) { return std::string(kLevelsAllowed); },
            [&](std::optional<LogLevel> Config::*) {
                return fmt::format("{}, or \"\" ({})", kLevelsAllowed, kInherit);
            },
            [&](HistoryMode Config::*) { return std::string(R"(one of "full", "window")"); },
        },
        key.member);
}

bool same_value(const Config& a, const Config& b, const ConfigKey& key) {
    return std::visit([&](auto member) { return a.*member == b.*member; }, key.member);
}

const char* to_string(HistoryMode mode) {
    switch (mode) {
        case HistoryMode::full: return "full";
        case HistoryMode::window: return "window";
    }
    UNREACHABLE();
}

std::string format_size(ByteSize size) {
    for (const SizeUnit& unit : kSizeUnits) {
        if (size.bytes != 0 && size.bytes % (std::uint64_t{1} << unit.shift) == 0) {
            return fmt::format("{}{}", size.bytes >> unit.shift, unit.name);
        }
    }
    return std::to_string(size.bytes);
}

std::optional<ByteSize> parse_size(std::string_view text) {
    unsigned shift = 0;
    for (const SizeUnit& unit : kSizeUnits) {
        if (!text.ends_with(unit.name)) continue;
        shift = unit.shift;
        text.remove_suffix(unit.name.size());
        break;
    }
    const auto digits = parse_digits(text);
    if (!digits || *digits > (std::uint64_t{1} << 63) >> shift) return std::nullopt;
    return ByteSize{*digits << shift};
}

}  // namespace leither::app
