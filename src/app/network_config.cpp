#include "app/network_config.h"

#include <algorithm>

#include <fmt/format.h>

#include "leither/base/version.h"

namespace leither::app {

namespace {

constexpr std::string_view kNowhere = "none";

// The parts between commas, without the blanks around them.
std::vector<std::string_view> parts_of(std::string_view text) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        std::string_view part = text.substr(0, comma);
        text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
        while (part.starts_with(' ')) part.remove_prefix(1);
        while (part.ends_with(' ')) part.remove_suffix(1);
        if (!part.empty()) parts.push_back(part);
    }
    return parts;
}

// The parts, read; the first that does not read is the error.
template <class T, class Parse>
Result<std::vector<T>, std::string> read_list(std::string_view text, Parse parse) {
    std::vector<T> items;
    for (const std::string_view part : parts_of(text)) {
        auto item = parse(part);
        if (!item) return fail(std::string(part));
        items.push_back(*item);
    }
    return items;
}

Result<std::vector<Endpoint>, std::string> read_endpoints(std::string_view text) {
    return read_list<Endpoint>(text, Endpoint::parse);
}
// Nodes to begin with, by address or by name.
struct BootstrapNodes {
    std::vector<Endpoint> endpoints;
    std::vector<io::HostName> names;
};
Result<BootstrapNodes, std::string> read_bootstrap(std::string_view text) {
    BootstrapNodes nodes;
    for (const std::string_view part : parts_of(text)) {
        if (const auto endpoint = Endpoint::parse(part)) {
            nodes.endpoints.push_back(*endpoint);
        } else if (auto name = io::HostName::parse(part)) {
            nodes.names.push_back(*std::move(name));
        } else {
            return fail(std::string(part));
        }
    }
    return nodes;
}
Result<std::vector<dht::AddressRange>, std::string> read_ranges(std::string_view text) {
    return read_list<dht::AddressRange>(text, dht::AddressRange::parse);
}

std::optional<dht::Admission> read_admission(std::string_view word) {
    if (word == "tagged") return dht::Admission::tagged;
    if (word == "guests") return dht::Admission::guests;
    if (word == "any") return dht::Admission::any;
    return std::nullopt;
}

std::string_view streams_text(const Config& config) {
    return config.peer_listen.empty() ? config.dht_listen : config.peer_listen;
}

std::vector<Endpoint> streams_of(const Config& config) {
    if (streams_text(config) == kNowhere) return {};
    return read_endpoints(streams_text(config)).value();
}

// One address of each family at most.
bool one_of_each_family(const std::vector<Endpoint>& endpoints) {
    std::size_t v4 = 0;
    for (const Endpoint& endpoint : endpoints) v4 += endpoint.address.is_v4() ? 1 : 0;
    return !endpoints.empty() && v4 <= 1 && endpoints.size() - v4 <= 1;
}

void check_endpoints(std::string_view key, std::string_view text,
                     std::vector<NetworkFault>& faults) {
    if (const auto read = read_endpoints(text); !read) {
        faults.push_back({key, fmt::format("\"{}\" must hold addresses and ports separated by "
                                           "commas, like 192.0.2.1:7400 or [2001:db8::1]:7400, "
                                           "not \"{}\"",
                                           key, read.error())});
    }
}

void check_listen(std::string_view key, std::string_view text, std::vector<NetworkFault>& faults) {
    const auto read = read_endpoints(text);
    if (read && one_of_each_family(*read)) return;
    faults.push_back(
        {key, fmt::format("\"{}\" must be one address and port, or one of IPv4 and one "
                          "of IPv6, like 0.0.0.0:7400 or 0.0.0.0:7400, [::]:7400, not "
                          "\"{}\"",
                          key, text)});
}

}  // namespace

std::vector<NetworkFault> check_network(const Config& config) {
    std::vector<NetworkFault> faults;
    check_listen("dht.listen", config.dht_listen, faults);
    if (!config.peer_listen.empty() && config.peer_listen != kNowhere) {
        check_listen("peer.listen", config.peer_listen, faults);
    }
    if (const auto read = read_bootstrap(config.dht_bootstrap); !read) {
        faults.push_back(
            {"dht.bootstrap",
             fmt::format("\"dht.bootstrap\" must hold addresses or host names, each with a port, "
                         "separated by commas, like 192.0.2.1:7400, [2001:db8::1]:7400 or "
                         "seed.example.org:7400, not \"{}\"",
                         read.error())});
    }
    check_endpoints("peer.connect", config.peer_connect, faults);
    if (!read_admission(config.dht_admit)) {
        faults.push_back({"dht.admit", fmt::format("\"dht.admit\" must be one of \"tagged\", "
                                                   "\"guests\", \"any\", not \"{}\"",
                                                   config.dht_admit)});
    }
    const auto ranges = read_ranges(config.dht_allow);
    if (!ranges || ranges->size() > dht::Wall::kRangesMax) {
        faults.push_back(
            {"dht.allow",
             fmt::format("\"dht.allow\" must hold at most {} address ranges separated "
                         "by commas, like 10.0.0.0/8 or 2001:db8::/32{}",
                         dht::Wall::kRangesMax, ranges ? "" : ", not \"" + ranges.error() + "\"")});
    }
    return faults;
}

io::NetworkHostOptions network_host_options(const Config& config) {
    io::NetworkHostOptions options;
    options.datagrams = read_endpoints(config.dht_listen).value();
    options.streams = streams_of(config);
    options.bootstrap = read_bootstrap(config.dht_bootstrap).value().names;
    options.map_ports = config.network_map_ports;
    options.connections_max = config.peer_connections_max + 64;
    return options;
}

peer::Budget::Options line_caps(const Config& config) {
    peer::Budget::Options caps;
    caps.up_bytes_per_second = static_cast<std::uint32_t>(config.network_upload_max.bytes);
    caps.down_bytes_per_second = static_cast<std::uint32_t>(config.network_download_max.bytes);
    caps.month_bytes_max = config.network_month_max.bytes;
    return caps;
}

node::NetworkOptions network_options(const Config& config, const std::vector<Endpoint>& listening) {
    node::NetworkOptions options;
    bool v4 = false;
    bool v6 = false;
    const auto datagrams = read_endpoints(config.dht_listen).value();
    for (const Endpoint& endpoint : datagrams) {
        (endpoint.address.is_v4() ? v4 : v6) = true;
    }
    options.dht.families = v4 && v6 ? dht::Families::both
                           : v6     ? dht::Families::v6
                                    : dht::Families::v4;
    options.dht.wall.network =
        config.dht_public_network ? dht::Network::mainline : dht::Network::separate;
    options.dht.wall.admission = read_admission(config.dht_admit).value();
    options.dht.wall.allow = read_ranges(config.dht_allow).value();
    options.dht.local =
        config.dht_local_network ? dht::LocalSources::exempt : dht::LocalSources::limited;
    options.dht.rates.local = options.dht.local;
    options.hub.connections_max = config.peer_connections_max;
    // Of few, most are for everybody all the same.
    options.hub.reserved_max = std::min(options.hub.reserved_max, options.hub.connections_max / 4);
    options.content.bytes_max = config.content_max_bytes.bytes;
    options.hub.agent = fmt::format("leither {}", kVersion);
    options.bootstrap = read_bootstrap(config.dht_bootstrap).value().endpoints;
    options.peers = read_endpoints(config.peer_connect).value();
    options.listen = listening;
    return options;
}

}  // namespace leither::app
