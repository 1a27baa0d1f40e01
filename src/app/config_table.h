// The one table of configuration keys. Parsing, error messages, --print-config, the sample
// config/leitherd.json and the reference in docs/configuration.md are all made from it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include <nlohmann/json_fwd.hpp>

#include "leither/base/result.h"

#include "app/config.h"

namespace leither::app {

enum class Applies : std::uint8_t {
    at_once,     // SIGHUP makes it so
    at_restart,  // SIGHUP only says that it differs
};

// Where a key's value lives; its type decides how the value is written.
using ConfigMember =
    std::variant<std::string Config::*, std::uint64_t Config::*, bool Config::*, ByteSize Config::*,
                 LogLevel Config::*, std::optional<LogLevel> Config::*, HistoryMode Config::*>;

struct ConfigKey {
    std::string_view path;  // "section.name", or "name"
    ConfigMember member;
    std::uint64_t min;  // of numbers and sizes; of texts, their shortest length
    std::uint64_t max;
    Applies applies;
    std::string_view doc;  // one sentence or two, for operators
};

std::span<const ConfigKey> config_keys();
// Null if there is no such key.
const ConfigKey* find_config_key(std::string_view path);
// The known path with the fewest edits from `path`.
std::string_view nearest_config_key(std::string_view path);

// Stores `value` as `key`'s; the error says what is allowed and gives an example.
Result<void, std::string> assign(Config& config, const ConfigKey& key, const nlohmann::json& value);
// The same from the command line, where numbers need no type of their own.
Result<void, std::string> assign_text(Config& config, const ConfigKey& key, std::string_view text);

// The value as JSON text: 64, "160MiB", "info", "".
std::string value_text(const Config& config, const ConfigKey& key);
// "a number from 1 to 64", for errors and docs.
std::string allowed_text(const ConfigKey& key);
bool same_value(const Config& a, const Config& b, const ConfigKey& key);

const char* to_string(HistoryMode mode);
// 1048576 -> "1MiB"; the largest unit that divides it.
std::string format_size(ByteSize size);
// "64KiB", "160MiB", "2GiB" or plain bytes; nothing if it is no size or above 2^63.
std::optional<ByteSize> parse_size(std::string_view text);

}  // namespace leither::app
