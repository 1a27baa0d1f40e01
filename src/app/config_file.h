// From file and command line to a Config: every fault found names its place, what is wrong and what
// to write instead.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_table.h"

namespace leither::app {

// Where a value comes from.
struct ConfigSource {
    enum class Kind : std::uint8_t { built_in, file, command_line };
    Kind kind = Kind::built_in;
    std::size_t line = 0;  // of the file
};

struct LoadedConfig {
    Config config;
    std::string file;                   // its name in messages; empty: none was read
    std::vector<ConfigSource> sources;  // in the order of config_keys()
};
// One message a fault, each "<place>: <fault>; <remedy>". Never empty.
using ConfigFaults = std::vector<std::string>;

// `text` (if any) is JSON with // and /* */ comments; `name` stands for it in messages. `overrides`
// are "key.path=value", stronger than the file; of two for one key the last holds.
struct ConfigInput {
    std::string name;
    std::optional<std::string> text;
    std::vector<std::string> overrides;
};
Result<LoadedConfig, ConfigFaults> load_config(const ConfigInput& input);

// Reads the file at `path` (empty: none) and loads it.
Result<LoadedConfig, ConfigFaults> load_config_file(const std::string& path,
                                                    const std::vector<std::string>& overrides);

// Where the local API listens: "127.0.0.1:7171", "[::1]:0".
struct ListenAddress {
    std::string address;
    std::uint16_t port = 0;
};
// Nothing unless `text` is a loopback address with a port.
std::optional<ListenAddress> parse_listen_address(std::string_view text);

// ---- What is made from the table
// ------------------------------------------------------------------ One line a key: value and
// where it comes from (--print-config).
std::string describe(const LoadedConfig& loaded);
// config/leitherd.json: every key with its default and explanation.
std::string sample_config();
// The table in docs/configuration.md.
std::string config_reference();

// Keys whose values differ and that take effect in the way asked for, "key: old -> new".
std::vector<std::string> differences(const Config& from, const Config& to, Applies applies);

}  // namespace leither::app
