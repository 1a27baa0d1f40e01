#include "app/finality_text.h"

#include <cstdint>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace leither::app {

namespace {

using nlohmann::json;

std::uint64_t number(const json& finality, const char* field) {
    return finality.at(field).get<std::uint64_t>();
}

std::string progress_text(const json& finality) {
    const std::uint64_t online = number(finality, "online");
    const std::uint64_t countersigned = number(finality, "countersigned");
    return fmt::format("{} of {} members' nodes online {} countersigned", countersigned, online,
                       countersigned == 1 ? "has" : "have");
}

}  // namespace

std::string finality_text(const json& finality) {
    if (finality.at("certified") == true) {
        return "final: its certificate is enough";
    }
    const std::uint64_t dissenting = number(finality, "dissenting");
    if (finality.at("final") == true) {
        return dissenting == 0
                   ? fmt::format("final: {}", progress_text(finality))
                   : fmt::format("final here: {}, but {} another block; ask the bookkeepers",
                                 progress_text(finality), dissenting);
    }
    if (dissenting > 0) {
        return fmt::format(
            "NOT FINAL: {}, and {} another block instead. Hand out nothing for it; ask the "
            "bookkeepers which block holds, and see: leither evidence list",
            progress_text(finality), dissenting);
    }
    const std::uint64_t needed = number(finality, "needed");
    if (number(finality, "online") == 0) {
        return fmt::format(
            "not final: no other node online has countersigned. {} must; connect members' nodes "
            "(leither org follow, leither node serve) or let four bookkeepers decide",
            needed);
    }
    return fmt::format("not final: {}, {} must. It comes by itself with enough nodes online",
                       progress_text(finality), needed);
}

}  // namespace leither::app
