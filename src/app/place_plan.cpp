#include "app/place_plan.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "leither/base/check.h"

#include "app/config_table.h"

namespace leither::app {

namespace {

// A node with fewer may not reach all that keep its ledger.
constexpr std::uint64_t kConnectionsMin = 32;

// The number at the front, which is taken off.
std::optional<std::uint16_t> take_port(std::string_view& text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return port;
}

std::uint64_t share(std::uint64_t whole, std::uint64_t places, std::string_view key) {
    const ConfigKey* row = find_config_key(key);
    CHECK(row != nullptr, key);
    return std::max(whole / places, row->min);
}

// 0 stays 0; nothing above the last port.
std::optional<std::uint16_t> port_beside(std::uint16_t configured, std::uint16_t step) {
    if (configured == 0) return configured;
    if (configured > std::numeric_limits<std::uint16_t>::max() - step) return std::nullopt;
    return static_cast<std::uint16_t>(configured + step);
}

}  // namespace

bool is_place_name(std::string_view name) {
    return !name.empty() && name.size() <= kPlaceNameMax && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

Config share_of(const Config& whole, std::uint64_t places) {
    CHECK(places > 0);
    Config part = whole;
    part.memory_max.bytes = share(whole.memory_max.bytes, places, "memory.max");
    part.content_max_bytes.bytes =
        share(whole.content_max_bytes.bytes, places, "content.max_bytes");
    part.peer_connections_max = std::min(
        whole.peer_connections_max, std::max(whole.peer_connections_max / places, kConnectionsMin));
    return part;
}

MemoryShares share_memory(ByteSize memory_max) {
    // Measured with 1 M accounts: the rest, about an eighth, is code, stacks and buffers in flight.
    const std::uint64_t part = memory_max.bytes / 160;
    return {.tree_cache = {104 * part},
            .page_cache = {4 * part},
            .write_buffer = {8 * part},
            .block_cache = {part},
            .mempool = {12 * part}};
}

std::string to_text(const PlacePorts& ports) {
    return fmt::format("{} {}", ports.udp, ports.tcp);
}

std::optional<PlacePorts> parse_place_ports(std::string_view text) {
    const auto udp = take_port(text);
    if (!udp || !text.starts_with(' ')) return std::nullopt;
    text.remove_prefix(1);
    const auto tcp = take_port(text);
    if (!tcp || !text.empty()) return std::nullopt;
    return PlacePorts{*udp, *tcp};
}

std::vector<PlacePorts> port_choices(const PlacePorts& configured,
                                     const std::optional<PlacePorts>& remembered) {
    std::vector<PlacePorts> choices;
    if (remembered) choices.push_back(*remembered);
    for (std::uint16_t step = 1; step <= kPortChoices; ++step) {
        const auto udp = port_beside(configured.udp, step);
        const auto tcp = port_beside(configured.tcp, step);
        if (!udp || !tcp) break;
        const PlacePorts next{*udp, *tcp};
        if (std::ranges::find(choices, next) == choices.end()) choices.push_back(next);
    }
    return choices;
}

}  // namespace leither::app
