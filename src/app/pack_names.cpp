#include "app/pack_names.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/printable.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr std::size_t kDigitsMin = 8;

bool is_digits(const std::string& text) {
    return text.size() >= kDigitsMin && text.size() < 2 * Hash::kSize &&
           std::ranges::all_of(
               text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

Hash find_pack(Session& session, const std::string& which) {
    if (const auto id = Hash::parse(which)) return *id;
    std::vector<std::string> found;
    for (const json& pack : session.call("app.list", json::object())) {
        const auto id = pack.at("id").get<std::string>();
        const bool is_it = (is_digits(which) && id.starts_with(which)) || pack.at("name") == which;
        if (is_it) found.push_back(id);
    }
    if (found.size() == 1) return Hash::parse(found.front()).value();
    const std::string shown = printable(which, LineBreaks::escaped);
    if (found.empty()) {
        throw CliError(CliExit::refused, "unknown_pack",
                       fmt::format("No pack \"{}\" is known here.", shown),
                       "See all of them with: leither app list");
    }
    throw CliError(CliExit::usage, "ambiguous",
                   fmt::format("\"{}\" may be any of {} packs.", shown, found.size()),
                   "Name the one you mean by its id: leither app list");
}

}  // namespace leither::app
