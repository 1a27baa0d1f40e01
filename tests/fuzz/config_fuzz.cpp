// Configuration files: any text is read or refused with faults, and what is read is within bounds
// and reads back the same from its own description.
#include <cstddef>
#include <cstdint>
#include <string>

#include "leither/base/check.h"

#include "app/config_file.h"

using namespace leither::app;

namespace {

// "key.path=value" for each key, as on a command line.
std::vector<std::string> as_settings(const Config& config) {
    std::vector<std::string> settings;
    for (const ConfigKey& key : config_keys()) {
        std::string value = value_text(config, key);
        // Texts with escapes are not written on the command line as JSON writes them.
        if (value.find('\\') != std::string::npos) continue;
        if (value.starts_with('"')) value = value.substr(1, value.size() - 2);
        settings.push_back(std::string(key.path) + "=" + value);
    }
    return settings;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto loaded = load_config({"fuzz.json", text, {}});
    if (!loaded) {
        CHECK(!loaded.error().empty());
        return 0;
    }
    CHECK(!describe(*loaded).empty());
    const auto again = load_config({"", std::nullopt, as_settings(loaded->config)});
    CHECK(again.has_value());
    for (const ConfigKey& key : config_keys()) {
        if (value_text(loaded->config, key).find('\\') != std::string::npos) continue;
        CHECK(same_value(loaded->config, again->config, key));
    }
    return 0;
}
