#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

std::string member_text(Session& session, const json& row) {
    const auto hex = row.at("member").get<std::string>();
    const auto id = Id::parse(hex);
    return id ? session.short_name(*id) : hex;
}

std::string seats_text(Session& session, const json& seats) {
    std::string text;
    for (const json& seat : seats) {
        text += (text.empty() ? "" : ", ") + member_text(session, seat);
    }
    return text.empty() ? "nobody: whoever is in office goes on" : text;
}

std::string committee_text(Session& session, const json& committee) {
    const json& spares = committee.at("spares");
    return seats_text(session, committee.at("seats")) +
           (spares.empty() ? "" : "; spares: " + seats_text(session, spares));
}

std::string ready_text(Session& session, const json& ready) {
    std::string text;
    for (const json& member : ready) {
        text += (text.empty() ? "" : ", ") + member_text(session, {{"member", member}});
    }
    return text.empty() ? "nobody yet" : text;
}

std::string node_text(Session& session, const json& status) {
    const json& candidacy = status.at("candidacy");
    const json& seat = status.at("seat");
    std::string text = "stands for nobody";
    if (!candidacy.is_null()) {
        text = fmt::format("stands for {} with {}{}",
                           member_text(session, {{"member", candidacy.at("account")}}),
                           session.format_units(candidacy.at("pledge")),
                           candidacy.at("revealed").get<bool>() ? ", has revealed" : "");
    }
    if (!seat.is_null()) {
        const auto silence = status.at("silence").get<std::string>();
        text += fmt::format("; votes on seat {}", seat.dump());
        if (silence != "none") text += fmt::format(", but is silent now ({})", silence);
        if (silence == "log") text += ": it signs nothing until the next cycle";
    }
    if (const auto found = status.at("vote_keys").get<std::string>(); found != "fitting") {
        text += fmt::format(
            "; its vote keys were {} at its start: seats that it won before are lost to it, it has "
            "one again when it is elected anew",
            found);
    }
    return text;
}

std::string author_text(Session& session, const json& author) {
    if (author.is_null()) return "nobody: there is the founding alone";
    return fmt::format("{} on seat {}: block {} at pulse {}", member_text(session, author),
                       author.at("seat").dump(), author.at("sequence").dump(),
                       author.at("pulse").dump());
}

std::string due_text(const json& due) {
    if (due.is_null()) return "nothing";
    return fmt::format("{} at pulse {}", due.at("act").get<std::string>(), due.at("pulse").dump());
}

void committee(Session& session) {
    const json status = session.call("office.status", json::object());
    std::string text = format_fields(
        {{"term", fmt::format("{}, from pulse {} to {}; now {}", status.at("cycle").dump(),
                              status.at("first_pulse").dump(), status.at("end_pulse").dump(),
                              status.at("pulse").dump())},
         {"reveals", fmt::format("from pulse {} to {}", status.at("reveal_from").dump(),
                                 status.at("reveal_last").dump())},
         {"leads", author_text(session, status.at("author"))},
         {"next", committee_text(session, status.at("next"))},
         {"ready for it", ready_text(session, status.at("ready"))},
         {"after that", committee_text(session, status.at("after_next"))},
         {"this node", node_text(session, status)},
         {"next act", due_text(status.at("due"))}});
    TextTable seats({{"SEAT", Align::right}, {"MEMBER"}, {"NODE KEY"}});
    std::size_t number = 0;
    for (const json& seat : status.at("present")) {
        seats.add({std::to_string(number++), member_text(session, seat),
                   seat.at("node_key").get<std::string>()});
    }
    TextTable candidates({{"CANDIDATE"}, {"PLEDGE", Align::right}, {"NODE KEY"}});
    for (const json& row : status.at("candidates")) {
        candidates.add({member_text(session, row), session.format_units(row.at("pledge")),
                        row.at("node_key").get<std::string>()});
    }
    text += "\n" + seats.text();
    if (!candidates.empty()) text += "\n" + candidates.text();
    session.print(status, text);
}

void registration(Session& session, const std::string& account) {
    const json said =
        session.call("office.registration", {{"account", session.account(account).hex()}});
    session.print(said,
                  format_fields({{"node key", said.at("node_key").get<std::string>()},
                                 {"reveal chain", said.at("reveal_chain").get<std::string>()}}));
}

}  // namespace

void add_committee_command(CLI::App& cli, Session& session) {
    const auto account = std::make_shared<std::string>();
    auto* show = cli.add_subcommand(
        "committee", "Who keeps the books, who will next, and what this node does for it");
    show->add_option("--registration", *account,
                     "Instead: what a pledge of this account registers for this node")
        ->type_name("ACCOUNT");
    show->footer(
        "Examples:\n"
        "  leither committee\n"
        "  leither committee --registration anna");
    show->callback([&session, account] {
        account->empty() ? committee(session) : registration(session, *account);
    });
}

}  // namespace leither::app
