#include "app/payment_words.h"

#include <cstdint>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/wallet/payment_state.h"

#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;
using wallet::PaymentState;

std::uint64_t number(const json& finality, const char* field) {
    return finality.at(field).get<std::uint64_t>();
}

std::string progress_text(const json& finality) {
    const std::uint64_t online = number(finality, "online");
    const std::uint64_t countersigned = number(finality, "countersigned");
    return fmt::format("{} of {} members' nodes online {} checked it", countersigned, online,
                       countersigned == 1 ? "has" : "have");
}

std::string secured_text(const json& status) {
    const std::string why = finality_text(status.at("finality"));
    if (status.at("contested") == true) {
        return fmt::format(
            "{}; but another block was decided, so it does not settle. See: leither evidence list",
            why);
    }
    return fmt::format("{}; settled at {} unless somebody proves an error", why,
                       format_time(number(status, "settles_ms")));
}

}  // namespace

std::string finality_text(const json& finality) {
    if (finality.at("certified") == true) {
        return "the certificate of four bookkeepers or more is enough";
    }
    const std::uint64_t dissenting = number(finality, "dissenting");
    if (finality.at("final") == true) {
        return dissenting == 0 ? progress_text(finality)
                               : fmt::format("here {}, but {} another block; ask the bookkeepers",
                                             progress_text(finality), dissenting);
    }
    if (dissenting > 0) {
        return fmt::format(
            "DISPUTED: {}, and {} another block instead. Hand out nothing for it; ask the "
            "bookkeepers which block holds, and see: leither evidence list",
            progress_text(finality), dissenting);
    }
    const std::uint64_t needed = number(finality, "needed");
    if (number(finality, "online") == 0) {
        return fmt::format(
            "no other node online has checked it. {} must; connect members' nodes "
            "(leither org follow, leither node serve) or let four bookkeepers decide",
            needed);
    }
    return fmt::format("{}, {} must. It comes by itself with enough nodes online",
                       progress_text(finality), needed);
}

std::string standing_text(const json& status) {
    const auto state = wallet::payment_state(status.at("state").get<std::string>());
    if (state == PaymentState::settled) {
        return "nobody has proven an error while it was public; nothing is left to do";
    }
    if (state == PaymentState::secured) return secured_text(status);
    return "not secured: " + finality_text(status.at("finality"));
}

std::string state_text(const json& status) {
    const auto word = status.at("state").get<std::string>();
    const auto state = wallet::payment_state(word);
    if (const auto refusal = status.find("refusal"); refusal != status.end()) {
        const std::string cause = refusal->at("message").get<std::string>();
        return state == PaymentState::expired
                   ? fmt::format("has expired and was not committed: {}", cause)
                   : fmt::format("was refused and was not committed: {}", cause);
    }
    if (state && wallet::is_decided(*state)) {
        // As a node answers who submits it once more.
        if (!status.contains("sequence")) return "is " + word;
        return fmt::format("is {} in sequence {}{} {}", word, status.at("sequence").dump(),
                           state == PaymentState::committed ? "," : ":", standing_text(status));
    }
    return fmt::format("is {}: it waits for the next block", word);
}

}  // namespace leither::app
