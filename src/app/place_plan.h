// What is decided of places before anything is opened: names, shares of what the operator allows,
// ports. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.h"

namespace leither::app {

inline constexpr std::size_t kPlaceNameMax = 32;
// 1 to kPlaceNameMax of a-z, 0-9 and '-'.
bool is_place_name(std::string_view name);

// What one of `places` may take of what the operator allows the process: memory, disk for packs,
// connections; never less than the least that a key allows, or than 32 connections if so many are
// allowed.
Config share_of(const Config& whole, std::uint64_t places);

// How a memory.max is divided.
struct MemoryShares {
    ByteSize tree_cache;
    ByteSize page_cache;
    ByteSize write_buffer;  // the store may fill two
    ByteSize block_cache;
    ByteSize mempool;
};
MemoryShares share_memory(ByteSize memory_max);

struct PlacePorts {
    std::uint16_t udp = 0;
    std::uint16_t tcp = 0;
    friend bool operator==(const PlacePorts&, const PlacePorts&) = default;
};
std::string to_text(const PlacePorts& ports);
std::optional<PlacePorts> parse_place_ports(std::string_view text);

// The ports that a place tries, in this order: those it had, then those next to the configured
// ones, which are the first place's. 0 is any port that is free.
inline constexpr std::uint16_t kPortChoices = 64;
std::vector<PlacePorts> port_choices(const PlacePorts& configured,
                                     const std::optional<PlacePorts>& remembered);

}  // namespace leither::app
