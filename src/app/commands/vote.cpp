// vote propose, list, show, cast, result: what the members decide together.
#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/commands/acts.h"
#include "app/commands/commands.h"
#include "app/contributions.h"
#include "app/decision.h"
#include "app/parameter.h"
#include "app/printable.h"
#include "app/text_table.h"
#include "app/vote_text.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr std::size_t kShortIdDigits = 12;
constexpr std::size_t kIdDigitsMin = 4;
// Votes among which the beginning of an id is looked for.
constexpr std::uint64_t kSearchedMax = 500;

// ---- Which vote --------------------------------------------------------------------------------

[[noreturn]] void refuse_vote(CliExit exit, const char* name, const std::string& message) {
    throw CliError(exit, name, message, "See them with: leither vote list --all");
}

// A vote's id, or its first digits.
std::string vote_id_of(Session& session, const std::string& text) {
    if (const auto id = Id::parse(text)) return id->hex();
    const bool is_hex = text.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!is_hex || text.size() < kIdDigitsMin || text.size() > 2 * Id::kSize) {
        refuse_vote(CliExit::usage, "bad_id",
                    fmt::format("\"{}\" is no vote: give its id, or at least its first {} digits.",
                                text, kIdDigitsMin));
    }
    const json votes = session.call("vote.list", {{"state", "all"}, {"limit", kSearchedMax}});
    std::string found;
    for (const json& vote : votes.at("items")) {
        const auto id = vote.at("vote").get<std::string>();
        if (!id.starts_with(text)) continue;
        if (!found.empty()) {
            refuse_vote(CliExit::usage, "ambiguous",
                        fmt::format("Several votes begin with {}.", text));
        }
        found = id;
    }
    if (found.empty()) {
        refuse_vote(CliExit::refused, "not_found", fmt::format("No vote begins with {}.", text));
    }
    return found;
}

// With --from: also that account's part in it.
json get_vote(Session& session, const VoteOptions& options) {
    json params = {{"vote", vote_id_of(session, options.vote)}};
    if (!options.from.empty()) params["account"] = session.account(options.from).hex();
    return session.call("vote.get", params);
}

// ---- propose -----------------------------------------------------------------------------------

void propose(Session& session, const VoteOptions& options, const protocol::Subject& subject) {
    const auto supervisor = session.supervisor_key(options.act.by);
    const auto draft = draft_for(session, supervisor.id());
    const auto transaction = wallet::sign(draft, protocol::Propose{subject}, supervisor, nullptr);
    const Id vote =
        protocol::vote_id(draft.chain, supervisor.id(), draft.nonce.lane, draft.nonce.counter);
    json result = decide(session, transaction, options.act);
    result["vote"] = vote.hex();
    std::string until;
    if (options.act.wait) {
        const json opened = session.call("vote.get", {{"vote", vote.hex()}});
        result["closes"] = opened.at("closes");
        until = fmt::format("Proposed: {}.\nOpen until {}; at least {} yes of {} needed.\n",
                            subject_text(session, opened.at("subject")),
                            format_time(opened.at("closes_ms").get<std::uint64_t>()),
                            opened.at("quorum").at("needed").dump(),
                            count_of(opened.at("members").get<std::uint64_t>(), "member"));
    }
    session.print(result, fmt::format("{}Vote {} {}.\nMembers vote with: leither vote cast {} "
                                      "yes --from KEY\n",
                                      until, vote.hex(), state_text(result),
                                      vote.hex().substr(0, kShortIdDigits)));
}

protocol::LongText reason_of(const VoteOptions& options) {
    if (!options.reason.empty()) return long_text(options.reason, "reason");
    throw CliError(CliExit::usage, "missing_reason", "--reason is empty.",
                   "Say what it is for; the members read it when they vote.");
}
}  // namespace

void propose_parameter(Session& session, const VoteOptions& options) {
    // Before anything is asked of the daemon, so that a slip costs no transaction.
    propose(session, options,
            protocol::ParamProposal{parameter_change(options.parameter, options.value),
                                    reason_of(options)});
}

void propose_reward(Session& session, const VoteOptions& options, protocol::RewardKind kind) {
    const Id member = session.account(options.member);
    const Amount amount = session.amount(options.amount);
    const Grounds grounds =
        grounds_for(session, member, options.work, {options.reason, options.proof});
    propose(session, options, protocol::Grant{kind, member, amount, grounds.reason, grounds.proof});
}

namespace {

// ---- list, show, cast, result ------------------------------------------------------------------

void list(Session& session, const VoteOptions& options) {
    json params = {{"state", options.state}, {"limit", options.limit}};
    if (options.before) params["before"] = *options.before;
    if (!options.from.empty()) params["account"] = session.account(options.from).hex();
    const json page = session.call("vote.list", params);
    TextTable table({{"VOTE"},
                     {"STATE"},
                     {"YES", Align::right},
                     {"NO", Align::right},
                     {"NEEDED", Align::right},
                     {"CLOSES"},
                     {"YOURS"},
                     {"ABOUT"}});
    for (const json& vote : page.at("items")) {
        const auto needed = std::max(vote.at("quorum").at("needed").get<std::uint64_t>(),
                                     vote.at("majority").at("needed").get<std::uint64_t>());
        table.add({vote.at("vote").get<std::string>().substr(0, kShortIdDigits),
                   vote.at("state").get<std::string>(), vote.at("yes").dump(), vote.at("no").dump(),
                   std::to_string(needed), format_time(vote.at("closes_ms").get<std::uint64_t>()),
                   own_text(vote), subject_text(session, vote.at("subject"))});
    }
    std::string text =
        table.empty() ? fmt::format("No votes ({}).\n", options.state) : table.text();
    if (const auto next = page.find("next"); next != page.end() && next->is_number()) {
        text += fmt::format("Older ones follow: --before {}\n", next->dump());
    }
    if (page.value("pruned", false)) {
        text +=
            "Older ones lie behind the history window; leither vote show ID still knows them.\n";
    }
    session.print(page, text);
}

void show(Session& session, const VoteOptions& options) {
    const json vote = get_vote(session, options);
    const json& subject = vote.at("subject");
    const auto proposer = Id::parse(vote.at("proposer").get<std::string>()).value_or(Id());
    std::vector<std::pair<std::string, std::string>> fields = {
        {"vote", vote.at("vote").get<std::string>()},
        {"about", subject_text(session, subject)},
        {"proposed by", session.display(proposer)},
        {"closes",
         fmt::format("{} (pulse {})", format_time(vote.at("closes_ms").get<std::uint64_t>()),
                     vote.at("closes").dump())},
        {"how it stands", verdict_text(vote)}};
    if (subject.contains("least")) {
        fields.emplace_back("bounds", fmt::format("{} to {}", subject.at("least").dump(),
                                                  subject.at("most").dump()));
    }
    if (const auto proof = subject.value("proof", ""); !proof.empty()) {
        fields.emplace_back("proof", printable(proof, LineBreaks::escaped));
    }
    if (const auto effect = effect_text(vote); !effect.empty()) {
        fields.emplace_back("effect", effect);
    }
    if (vote.contains("own")) fields.emplace_back("your ballot", own_text(vote));
    session.print(vote, format_fields(fields));
}

void cast(Session& session, const VoteOptions& options) {
    const auto voter = session.key(options.from);
    const auto id = vote_id_of(session, options.vote);
    const auto choice = options.choice == "yes" ? protocol::Choice::yes : protocol::Choice::no;
    const auto transaction =
        wallet::sign(draft_for(session, voter.id()), protocol::Cast{Id::parse(id).value(), choice},
                     voter, nullptr);
    carry_out(session, transaction, options.act,
              fmt::format("{} says {} in vote {}.", session.short_name(voter.id()), options.choice,
                          id.substr(0, kShortIdDigits)));
}

void result(Session& session, const VoteOptions& options) {
    json vote = get_vote(session, options);
    const auto state = vote.at("state").get<std::string>();
    if (state == "open" || state == "counting") {
        throw CliError(CliExit::refused, "vote_open",
                       fmt::format("The vote is not counted yet: {}.", verdict_text(vote)),
                       fmt::format("It is counted in the first block after {}.",
                                   format_time(vote.at("closes_ms").get<std::uint64_t>())));
    }
    std::string verdict = verdict_text(vote);
    vote["explanation"] = verdict;
    const auto effect = effect_text(vote);
    session.print(vote, fmt::format("{}\n{}{}", subject_text(session, vote.at("subject")), verdict,
                                    effect.empty() ? "\n" : ". It is " + effect + ".\n"));
}

// ---- The command line --------------------------------------------------------------------------

using Options = std::shared_ptr<VoteOptions>;

void add_vote_option(CLI::App& command, const Options& options) {
    command.add_option("VOTE", options->vote, "Its id, or the first digits of it")->required();
}

void add_supervisor_option(CLI::App& command, const Options& options) {
    command
        .add_option("--by", options->act.by,
                    "Key of the supervisor who proposes; default: one of this wallet")
        ->type_name("KEY");
    add_wait_option(command, options->act);
}

void add_reason_option(CLI::App& command, const Options& options) {
    command.add_option("--reason", options->reason, "What for; public to the organization")
        ->required();
}

void add_reward_kind(CLI::App& group, Session& session, const Options& options,
                     protocol::RewardKind kind, const char* what) {
    auto* command = group.add_subcommand(protocol::to_string(kind), what);
    command->add_option("MEMBER", options->member, "Key name or account number")->required();
    command->add_option("AMOUNT", options->amount, "How much, from the treasury")->required();
    add_work_options(*command, options->work);
    command->add_option(
        "--reason", options->reason,
        "What for; public to the organization; default: what the contribution says");
    command->add_option("--proof", options->proof, "Where the evidence is");
    add_supervisor_option(*command, options);
    command->footer(
        fmt::format("Example: leither vote propose {} anna 40 --reason \"built the oven\"",
                    protocol::to_string(kind)));
    command->callback([&session, options, kind] { propose_reward(session, *options, kind); });
}

void add_propose(CLI::App& group, Session& session, const Options& options) {
    auto* propose =
        group.add_subcommand("propose", "Open a vote of the members (a supervisor's act)");
    propose->require_subcommand(1);
    propose->footer(
        "A vote passes if two thirds of the ballots and a third of the members say yes.\n"
        "Examples:\n"
        "  leither vote propose parameter publicity_pulses 3600 --reason \"a day is too long\"\n"
        "  leither vote propose structural anna 40 --reason \"built the oven\"\n"
        "  leither vote propose operation ben 5 --reason \"keeps the server running\"");
    auto* parameter =
        propose->add_subcommand("parameter", "Change a parameter of the organization");
    parameter->add_option("NAME", options->parameter, "Its name, as in leither org info --json")
        ->required();
    parameter->add_option("VALUE", options->value, "The value it shall have")->required();
    add_reason_option(*parameter, options);
    add_supervisor_option(*parameter, options);
    parameter->footer(
        "If it passes, it is in force from the cycle after next.\n"
        "Example: leither vote propose parameter supervisors_required 2 --reason \"four eyes\"");
    parameter->callback([&session, options] { propose_parameter(session, *options); });
    add_reward_kind(*propose, session, options, protocol::RewardKind::structural,
                    "Reward what a member has built for the organization");
    add_reward_kind(*propose, session, options, protocol::RewardKind::operation,
                    "Reward what a member does to keep the organization going");
}

}  // namespace

void add_vote_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("vote", "Votes of the members: parameters and rewards");
    group->require_subcommand(1);
    const auto options = std::make_shared<VoteOptions>();
    add_propose(*group, session, options);

    auto* all = group->add_subcommand("list", "Votes that are open, or closed ones");
    all->add_flag_callback(
        "--closed", [options] { options->state = "closed"; }, "Closed ones, newest first");
    all->add_flag_callback(
        "--all", [options] { options->state = "all"; }, "Both");
    all->add_option("--from", options->from, "Show this account's part in each")->type_name("KEY");
    all->add_option("--limit", options->limit, "At most so many closed ones")
        ->capture_default_str();
    all->add_option("--before", options->before, "Only those counted before this sequence");
    all->footer(
        "Examples:\n"
        "  leither vote list --from anna\n"
        "  leither vote list --closed --limit 10");
    all->callback([&session, options] { list(session, *options); });

    auto* one = group->add_subcommand("show", "One vote: what it would change, how it stands");
    add_vote_option(*one, options);
    one->add_option("--from", options->from, "Show what this account has cast")->type_name("KEY");
    one->footer("Example: leither vote show 3f2a9c41 --from anna");
    one->callback([&session, options] { show(session, *options); });

    auto* ballot = group->add_subcommand("cast", "Vote yes or no, once");
    add_vote_option(*ballot, options);
    ballot->add_option("CHOICE", options->choice, "yes or no")
        ->required()
        ->check(CLI::IsMember({"yes", "no"}));
    ballot->add_option("--from", options->from, "Key of the voter")->required()->type_name("KEY");
    add_wait_option(*ballot, options->act);
    ballot->footer("Example: leither vote cast 3f2a9c41 yes --from anna");
    ballot->callback([&session, options] { cast(session, *options); });

    auto* end = group->add_subcommand("result", "How a closed vote ended, and why");
    add_vote_option(*end, options);
    end->footer("Example: leither vote result 3f2a9c41");
    end->callback([&session, options] { result(session, *options); });
}

}  // namespace leither::app
