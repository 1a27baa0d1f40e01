#include "leither/protocol/takeover.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"

#include "app/act.h"
#include "app/commands/commands.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;
using protocol::TakeoverSignature;
using TakeoverSeats = Bounded<protocol::Seat, protocol::kTinyCommitteeMax>;

struct TakeoverOptions {
    std::vector<std::string> seats;       // MEMBER:NODE-KEY
    std::vector<std::string> signatures;  // as `sign` prints them
    std::string by;
};

// ---- status -------------------------------------------------------------------------------------

std::string when_text(const json& status, const char* from) {
    const auto first = status.at(from).get<std::uint64_t>();
    const auto now = status.at("pulse").get<std::uint64_t>();
    if (now >= first) return "now";
    return fmt::format("in {} pulses, if no block comes", first - now);
}

std::string hand_over_text(const json& status) {
    if (status.at("seats").get<std::size_t>() > protocol::kTinyCommitteeMax) {
        return fmt::format("no: the committee has more than {} seats", protocol::kTinyCommitteeMax);
    }
    const auto needed = status.at("countersignatures").get<std::size_t>();
    return fmt::format("{}; {}", when_text(status, "hand_over_from"),
                       needed == 0 ? "nobody is a candidate, so a supervisor alone signs"
                                   : fmt::format("{} of {} candidates must sign", needed,
                                                 status.at("candidates").dump()));
}

std::string recovery_text(Session& session, const json& status) {
    const json& next = status.at("next");
    if (next.empty()) return "no: nobody is elected for the next term";
    std::string seats;
    for (const json& seat : next) {
        const auto member = Id::parse(seat.at("member").get<std::string>());
        seats += (seats.empty() ? "" : ", ") + (member ? session.short_name(*member) : "?");
    }
    return fmt::format("{}; candidates with more than two thirds of {} must sign; it seats {}",
                       when_text(status, "recovery_from"),
                       session.format_units(status.at("pledge")), seats);
}

std::string node_text(const json& status) {
    const json& adopted = status.at("adopted");
    if (!adopted.is_null()) {
        return fmt::format("stands behind {} {}, until pulse {}",
                           adopted.at("kind").get<std::string>(),
                           adopted.at("id").get<std::string>(), adopted.at("expiry").dump());
    }
    if (status.at("yielded").get<bool>()) return "has signed: it waits for the act";
    return status.at("row").is_null() ? "stands for no candidate, so it cannot sign" : "may sign";
}

void show(Session& session) {
    const json status = session.call("takeover.status", json::object());
    session.print(
        status,
        format_fields({{"last block",
                        fmt::format("{} at pulse {}; now {}", status.at("sequence").dump(),
                                    status.at("block_pulse").dump(), status.at("pulse").dump())},
                       {"hand-over", hand_over_text(status)},
                       {"recovery", recovery_text(session, status)},
                       {"this node", node_text(status)}}));
}

// ---- sign ---------------------------------------------------------------------------------------

// Whoever is seated votes with the node's key, as the bookkeepers of the charter do.
protocol::Seat seat_from(Session& session, const std::string& text) {
    const auto colon = text.rfind(':');
    const auto key =
        colon == std::string::npos ? std::nullopt : PublicKey::parse(text.substr(colon + 1));
    if (!key) {
        throw CliError(CliExit::usage, "bad_seat", fmt::format("\"{}\" is no seat.", text),
                       "Write MEMBER:NODE-KEY; leither node status at the new bookkeeper's node "
                       "tells its key.");
    }
    return {session.account(text.substr(0, colon)), *key, *key};
}

TakeoverSeats seats_from(Session& session, const TakeoverOptions& options) {
    if (options.seats.size() > TakeoverSeats::kMax) {
        throw CliError(CliExit::usage, "too_many_seats",
                       fmt::format("A hand-over seats at most {}.", TakeoverSeats::kMax),
                       "Name fewer with --seat; elections seat more later.");
    }
    TakeoverSeats seats;
    for (const std::string& text : options.seats) seats.push_back(seat_from(session, text));
    return seats;
}

void sign(Session& session, const TakeoverOptions& options) {
    json params = json::object();
    const TakeoverSeats seats = seats_from(session, options);
    if (!seats.empty()) params["seats"] = to_hex(bcs::encode(seats));
    const json said = session.call("takeover.sign", params);
    const std::string text = wallet::kTakeoverPrefix + said.at("signature").get<std::string>();
    session.print({{"signature", text}},
                  fmt::format("{}\nHand this to whoever replaces the committee. Until its act is "
                              "decided, or a later block comes, this node votes on no other.\n",
                              text));
}

// ---- The acts -----------------------------------------------------------------------------------

std::vector<TakeoverSignature> signatures_from(const TakeoverOptions& options) {
    std::vector<TakeoverSignature> all;
    for (const std::string& text : options.signatures) {
        const auto one = wallet::takeover_from_text(text);
        if (!one) {
            throw CliError(CliExit::usage, "bad_signature_text",
                           fmt::format("\"{}\" is no signature of a takeover.", text.substr(0, 40)),
                           "Give the whole line that leither takeover sign prints.");
        }
        if (!all.empty() && (one->last != all.front().last || one->seats != all.front().seats)) {
            throw CliError(CliExit::usage, "signatures_differ",
                           "Not all signatures are of the same block and the same seats.",
                           "Let everybody sign again, with the same --seat options.");
        }
        all.push_back(*one);
    }
    std::ranges::sort(all, {}, [](const TakeoverSignature& one) { return one.by.row; });
    const auto is_same = [](const TakeoverSignature& one, const TakeoverSignature& other) {
        return one.by.row == other.by.row;
    };
    all.erase(std::unique(all.begin(), all.end(), is_same), all.end());
    return all;
}

protocol::LastBlock last_block(Session& session) {
    const json status = session.call("takeover.status", json::object());
    const auto hash = Hash::parse(status.at("block").get<std::string>());
    CHECK(hash.has_value());
    return {status.at("cycle").get<std::uint64_t>(),
            Sequence(status.at("sequence").get<std::uint64_t>()), *hash};
}

void submit(Session& session, const protocol::Action& action, const crypto::KeyPair& signer,
            const std::string& what) {
    const auto transaction = wallet::sign(draft_for(session, signer.id()), action, signer, nullptr);
    const json result =
        session.call("takeover.submit", {{"transaction", to_hex(bcs::encode(transaction))}});
    session.print(result, fmt::format("{}\n{} is on its way to the nodes it seats. Ask later with: "
                                      "leither takeover status\n",
                                      what, result.at("id").get<std::string>()));
}

void hand_over(Session& session, const TakeoverOptions& options) {
    protocol::HandOver act;
    const auto signatures = signatures_from(options);
    act.last = signatures.empty() ? last_block(session) : signatures.front().last;
    act.seats = signatures.empty() ? seats_from(session, options) : signatures.front().seats;
    const TakeoverSeats named = seats_from(session, options);
    if (act.seats.empty() || (!named.empty() && named != act.seats)) {
        throw CliError(CliExit::usage, "no_seats",
                       "The signatures are not for a hand-over to these seats.",
                       "Name the seats with --seat, as those who signed did.");
    }
    for (const TakeoverSignature& one : signatures) {
        if (act.countersigned.full()) break;
        act.countersigned.push_back(one.by);
    }
    submit(session, act, session.supervisor_key(options.by), "Bookkeeping handed over.");
}

void recover(Session& session, const TakeoverOptions& options) {
    const auto signatures = signatures_from(options);
    if (signatures.empty() || !signatures.front().seats.empty()) {
        throw CliError(CliExit::usage, "no_signatures", "A recovery needs candidates' signatures.",
                       "Each of them runs: leither takeover sign");
    }
    protocol::Recovery act;
    act.last = signatures.front().last;
    for (const TakeoverSignature& one : signatures) act.signatures.push_back(one.by);
    submit(session, act, session.key(options.by), "The next committee is called into office.");
}

void add_signatures_option(CLI::App& command, TakeoverOptions& options) {
    command
        .add_option("--signature", options.signatures,
                    "What leither takeover sign has printed at a candidate's node; once for each")
        ->type_name("TEXT")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_seats_option(CLI::App& command, TakeoverOptions& options) {
    command
        .add_option("--seat", options.seats,
                    "Member and node key of a new bookkeeper; up to three times")
        ->type_name("MEMBER:NODE-KEY")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

}  // namespace

void add_takeover_commands(CLI::App& cli, Session& session) {
    const auto options = std::make_shared<TakeoverOptions>();
    auto* group = cli.add_subcommand("takeover", "Replace bookkeepers that are silent");
    group->require_subcommand(1);
    group->add_subcommand("status", "How long no block has come, and what may be done about it")
        ->callback([&session] { show(session); });

    auto* signing = group->add_subcommand(
        "sign", "As a candidate's node: say that the committee is silent behind the last block");
    add_seats_option(*signing, *options);
    signing->footer(
        "With --seat for a hand-over to those nodes, without for a recovery.\n"
        "Examples:\n"
        "  leither takeover sign --seat anna:HEX\n"
        "  leither takeover sign");
    signing->callback([&session, options] { sign(session, *options); });

    auto* handing = group->add_subcommand(
        "hand-over", "Seat others in the place of at most three bookkeepers (a supervisor's act)");
    add_seats_option(*handing, *options);
    add_signatures_option(*handing, *options);
    handing
        ->add_option("--by", options->by,
                     "Key of the supervisor who signs; default: one of this wallet")
        ->type_name("KEY");
    handing->footer("Example: leither takeover hand-over --seat anna:HEX --signature TEXT");
    handing->callback([&session, options] { hand_over(session, *options); });

    auto* recovering = group->add_subcommand(
        "recover", "Seat the next committee before its time, where a cycle has not ended");
    add_signatures_option(*recovering, *options);
    recovering->add_option("--from", options->by, "Key of the member who signs the act")
        ->required()
        ->type_name("KEY");
    recovering->footer(
        "Example: leither takeover recover --from anna --signature TEXT --signature TEXT");
    recovering->callback([&session, options] { recover(session, *options); });
}

}  // namespace leither::app
