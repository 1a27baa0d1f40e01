#include "app/data_dir.h"

#include <cstdlib>
#include <string>

namespace leither::app {

namespace {

// The variable's value; empty if it is not set.
std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

}  // namespace

std::filesystem::path default_data_dir() {
    if (auto state = environment("STATE_DIRECTORY"); !state.empty()) return state;
    const std::filesystem::path leither = "leither";
    if (auto data = environment("XDG_DATA_HOME"); !data.empty()) return data / leither;
    if (auto home = environment("HOME"); !home.empty()) return home + "/.local/share/leither";
    return leither;
}

}  // namespace leither::app
