// task create, list, show, claim, submit, confirm, refuse: work that earns membership and pay.
#include "leither/wallet/task.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

#include "app/commands/acts.h"
#include "app/commands/commands.h"
#include "app/contributions.h"
#include "app/decision.h"
#include "app/joining.h"
#include "app/printable.h"
#include "app/qr.h"
#include "app/served.h"
#include "app/supervising.h"
#include "app/task_work.h"
#include "app/text_table.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr unsigned kDaysMax = 400;
constexpr unsigned kApplicationDays = 30;
constexpr std::size_t kDigitsMin = 4;
constexpr std::size_t kShortIdDigits = 12;
constexpr std::uint64_t kHistoryMax = 500;

// What this wallet's letters tell of one task.
struct Known {
    wallet::SignedTask task;
    Hash id;
    struct Entry {
        wallet::SignedWork work;
        OpenedLetter mail;
    };
    std::vector<Entry> claims;
    std::vector<Entry> submissions;
};

Instant now() {
    return instant_from_unix_ms(unix_ms_now());
}

bool is_true_task(const wallet::SignedTask& task, const ChainId& chain) {
    const auto holds = wallet::check(task, chain, now());
    return holds || holds.error() == wallet::TaskFault::expired;
}

Known& entry_for(std::vector<Known>& all, const wallet::SignedTask& task) {
    const Hash id = wallet::task_id(task.chain, task.task);
    const auto known = std::ranges::find(all, id, &Known::id);
    if (known != all.end()) return *known;
    all.push_back({task, id, {}, {}});
    return all.back();
}

std::vector<Known> tasks_in(const std::vector<OpenedLetter>& mail, const ChainId& chain) {
    std::vector<Known> all;
    for (const OpenedLetter& one : mail) {
        const auto task = wallet::task_from_text(wallet::find_link(one.text, wallet::kTaskPrefix));
        if (task && is_true_task(*task, chain)) entry_for(all, *task);
        const auto claim =
            wallet::claim_from_text(wallet::find_link(one.text, wallet::kClaimPrefix));
        if (claim && wallet::check(*claim, chain)) {
            entry_for(all, claim->task).claims.push_back({*claim, one});
        }
        const auto done =
            wallet::submission_from_text(wallet::find_link(one.text, wallet::kSubmissionPrefix));
        if (done && wallet::check(*done, chain)) {
            entry_for(all, done->task).submissions.push_back({*done, one});
        }
    }
    return all;
}

[[noreturn]] void refuse_task(wallet::TaskFault fault) {
    const char* why = "";
    switch (fault) {
        case wallet::TaskFault::wrong_organization: why = "It is of another organization."; break;
        case wallet::TaskFault::not_promised:
            why = "The supervisor it names has not signed it.";
            break;
        case wallet::TaskFault::not_signed: why = "The worker has not signed it."; break;
        case wallet::TaskFault::expired: why = "The time for it is over."; break;
    }
    throw CliError(CliExit::refused, std::string("task_") + wallet::to_string(fault), why,
                   "Ask the supervisor for the task's text once more.");
}

// By its text, or by the first digits of one that letters have told of.
Known find_task(const std::vector<OpenedLetter>& mail, const ChainId& chain,
                const std::string& wanted) {
    std::vector<Known> all = tasks_in(mail, chain);
    if (wanted.starts_with("leither:") || wanted.starts_with("LEITHER:")) {
        const auto task = wallet::task_from_text(wanted);
        if (!task) {
            throw CliError(CliExit::usage, std::string("task_") + wallet::to_string(task.error()),
                           wallet::explain(task.error(), "task"),
                           "Ask the supervisor for the text that leither task create prints.");
        }
        const auto holds = wallet::check(*task, chain, now());
        if (!holds && holds.error() != wallet::TaskFault::expired) refuse_task(holds.error());
        return entry_for(all, *task);
    }
    std::vector<Known> matching;
    for (Known& one : all) {
        if (one.id.hex().starts_with(wanted)) matching.push_back(std::move(one));
    }
    if (wanted.size() < kDigitsMin || matching.size() > 1) {
        throw CliError(CliExit::usage, "ambiguous_id",
                       fmt::format("\"{}\" names {}.", wanted, count_of(matching.size(), "task")),
                       "Write more digits of it.");
    }
    if (!matching.empty()) return std::move(matching.front());
    throw CliError(CliExit::refused, "not_found", fmt::format("No task {} is known here.", wanted),
                   "Give its text, or see what is known with: leither task list");
}

std::string short_id(const Hash& id) {
    return id.hex().substr(0, kShortIdDigits);
}

// As wallets that keep no ledger can write them too.
std::string amount_text(Session& session, Amount amount) {
    const json status = session.call("node.status", json::object());
    if (!status.at("organization").is_null()) return session.format(amount);
    const json& network = status.at("network");
    const json manifest = network.is_null() || network.at("organization").is_null()
                              ? json(nullptr)
                              : network.at("organization").at("manifest");
    if (manifest.is_null()) return std::to_string(amount.units());
    return format_amount(amount, manifest.at("decimals").get<unsigned>()) + " " +
           manifest.at("unit").get<std::string>();
}

// Whether the ledger has paid the worker for it. Nothing where this node keeps none.
std::optional<bool> is_paid(Session& session, const Known& known, const Id& worker) {
    const json status = session.call("node.status", json::object());
    if (status.at("organization").is_null()) return std::nullopt;
    const std::string reason(wallet::reason_of(known.task.chain, known.task.task));
    const json page =
        session.call("account.history", {{"account", worker.hex()}, {"limit", kHistoryMax}});
    return std::ranges::any_of(page.at("items"), [&](const json& item) {
        const auto kind = item.at("kind").get<std::string>();
        return (kind == "earn" || kind == "reward") && item.value("reference", "") == reason &&
               item.at("direction") == "in";
    });
}

// ---- create ------------------------------------------------------------------------------------
}  // namespace

void create_task(Session& session, const TaskOptions& options) {
    const crypto::KeyPair supervisor = session.supervisor_key(options.act.by);
    const bool is_title = !options.title.empty() &&
                          options.title.size() <= wallet::TaskTitle::kMax &&
                          bcs::is_utf8(as_bytes(options.title));
    if (!is_title) {
        throw CliError(
            CliExit::usage, "bad_text",
            fmt::format("The title must have 1 to {} bytes of UTF-8.", wallet::TaskTitle::kMax),
            "Shorten it; say more with --text.");
    }
    wallet::Task task;
    task.supervisor = supervisor.public_key();
    task.title = wallet::TaskTitle(options.title);
    task.text = long_text(options.text, "text");
    task.amount = session.amount(options.amount);
    if (task.amount.is_zero()) {
        throw CliError(CliExit::usage, "zero_amount", "A task pays something.",
                       "Name an amount above zero; who shall only be admitted is admitted with: "
                       "leither org approve");
    }
    task.validity = protocol::Validity::from(now(), std::chrono::hours(24 * options.days));
    const auto signed_ = wallet::sign_task(session.organization().chain, task, supervisor);
    const std::string text = wallet::to_text(signed_);
    const Hash id = wallet::task_id(signed_.chain, signed_.task);
    if (has_mail(session)) {
        ensure_served(session, supervisor, ServedAs::reader);
        send_mail(session, supervisor, supervisor.public_key(),
                  fmt::format("A task that I have promised.\n{}", text));
    }
    std::string shown = text + "\n";
    if (options.qr) shown += show_qr(wallet::in_capitals(text));
    session.print({{"task", text}, {"id", id.hex()}, {"expires_ms", task.validity.expires_ms}},
                  fmt::format("{}Task {}: {} for {}.\nHand this to whoever may do it; they run:\n"
                              "  leither task claim TEXT --from KEY\n",
                              shown, short_id(id), session.format(task.amount), options.title));
}

namespace {

// ---- list, show --------------------------------------------------------------------------------

std::string state_of(Session& session, const std::vector<OpenedLetter>& mail, const Known& known) {
    for (const auto& done : known.submissions) {
        const Id worker = crypto::id_of(done.work.work.worker);
        if (is_paid(session, known, worker) == true) return "paid to " + session.short_name(worker);
    }
    const std::string text =
        known.submissions.empty() ? std::string() : wallet::to_text(known.submissions.back().work);
    if (!text.empty()) {
        if (const auto declined = find_decline(mail, known.task.chain, text)) {
            return "not accepted: " + printable(declined->reason, LineBreaks::escaped);
        }
        const Id worker = crypto::id_of(known.submissions.back().work.work.worker);
        return "handed in by " + session.short_name(worker);
    }
    if (!known.task.task.validity.holds(now())) return "over";
    if (known.claims.empty()) return "open";
    const Id worker = crypto::id_of(known.claims.back().work.work.worker);
    return "claimed by " + session.short_name(worker);
}

json works_json(const std::vector<Known::Entry>& entries) {
    json out = json::array();
    for (const auto& entry : entries) {
        const Id worker = crypto::id_of(entry.work.work.worker);
        json one = {{"worker", worker.hex()}, {"sent_ms", entry.mail.sent_ms}};
        if (!entry.work.work.proof.empty()) one["proof"] = std::string(entry.work.work.proof);
        out.push_back(std::move(one));
    }
    return out;
}

json to_json(const Known& known) {
    const wallet::Task& task = known.task.task;
    return {{"id", known.id.hex()},
            {"title", std::string(task.title)},
            {"text", std::string(task.text)},
            {"amount", std::to_string(task.amount.units())},
            {"supervisor", crypto::id_of(task.supervisor).hex()},
            {"expires_ms", task.validity.expires_ms},
            {"claims", works_json(known.claims)},
            {"submissions", works_json(known.submissions)},
            {"task", wallet::to_text(known.task)}};
}
}  // namespace

void list_tasks(Session& session) {
    const ChainId chain = followed_chain(session);
    const std::vector<OpenedLetter> mail = read_mail(session);
    json all = json::array();
    TextTable table({{"ID"}, {"PAYS", Align::right}, {"UNTIL"}, {"STATE"}, {"TITLE"}});
    for (const Known& known : tasks_in(mail, chain)) {
        const wallet::Task& task = known.task.task;
        const std::string state = state_of(session, mail, known);
        json one = to_json(known);
        one["state"] = state;
        all.push_back(std::move(one));
        table.add({short_id(known.id), amount_text(session, task.amount),
                   format_time(task.validity.expires_ms), state,
                   printable(task.title, LineBreaks::escaped)});
    }
    session.print(all, table.empty() ? "No tasks.\n" : table.text());
}

namespace {

void show(Session& session, const std::string& wanted) {
    const ChainId chain = followed_chain(session);
    const std::vector<OpenedLetter> mail = read_mail(session);
    const Known known = find_task(mail, chain, wanted);
    const wallet::Task& task = known.task.task;
    const std::string state = state_of(session, mail, known);
    json out = to_json(known);
    out["state"] = state;
    std::vector<std::pair<std::string, std::string>> fields = {
        {"id", known.id.hex()},
        {"title", printable(task.title, LineBreaks::escaped)},
        {"what", printable(task.text, LineBreaks::escaped)},
        {"pays", amount_text(session, task.amount)},
        {"promised by", session.display(crypto::id_of(task.supervisor))},
        {"until", format_time(task.validity.expires_ms)},
        {"state", state}};
    for (const auto& done : known.submissions) {
        fields.emplace_back("proof of " + session.short_name(crypto::id_of(done.work.work.worker)),
                            printable(done.work.work.proof, LineBreaks::escaped));
    }
    session.print(out, format_fields(fields));
}

// ---- claim, submit -----------------------------------------------------------------------------

void ensure_open(const Known& known) {
    if (!known.task.task.validity.holds(now())) refuse_task(wallet::TaskFault::expired);
}

// A note to oneself first: from it the letter is sent again if something is cut off behind it.
void tell(Session& session, const crypto::KeyPair& worker, const wallet::SignedWork& work,
          const std::string& words) {
    const std::string text = fmt::format("{}\n{}", words, wallet::to_text(work));
    const PublicKey& supervisor = work.task.task.supervisor;
    const std::uint64_t begun = unix_ms_now();
    send_mail(session, worker, worker.public_key(), text);
    if (supervisor == worker.public_key()) return;
    if (!state_of_mail(session, crypto::id_of(supervisor), begun)) {
        send_mail(session, worker, supervisor, text);
    }
}
}  // namespace

void claim_task(Session& session, const TaskOptions& options) {
    const ChainId chain = followed_chain(session);
    const crypto::KeyPair worker = session.key(options.from);
    ensure_served(session, worker, ServedAs::reader);
    const Known known = find_task(read_mail(session), chain, options.task);
    ensure_open(known);
    tell(session, worker, wallet::sign_work(known.task, {}, worker), "I take this task.");
    session.print({{"id", known.id.hex()}, {"state", "claimed"}},
                  fmt::format("Task {} is yours to do; hand it in with:\n"
                              "  leither task submit {} --text PROOF --from {}\n",
                              short_id(known.id), short_id(known.id), options.from));
}

namespace {

// Of a guest, who needs one to be paid. Nothing for a member.
std::optional<wallet::SignedApplication> application_for(Session& session,
                                                         const std::vector<OpenedLetter>& mail,
                                                         const crypto::KeyPair& worker,
                                                         const TaskOptions& options) {
    if (is_known_member(session, worker.id())) return std::nullopt;
    const auto own = own_application(mail, worker.id(), followed_chain(session));
    if (!own) {
        throw CliError(CliExit::refused, "not_introduced",
                       "This wallet has no invitation to the organization.",
                       "Join first: leither org join LINK --from " + options.from);
    }
    return sign_application_for(own->invitation, worker, options.note, kApplicationDays);
}

// As a contribution, that a reward can name: the same if it is handed in again.
Hash record_work(Session& session, const wallet::Task& task, const TaskOptions& options) {
    // Nothing is made public that the proof has no room to name.
    static_cast<void>(long_text(protocol::proof_text({Hash{}}, options.text), "proof"));
    const json recorded = contribute_once(session, {.account = options.from,
                                                    .kind = contribution_kind_of(options.kind),
                                                    .text = task.title,
                                                    .evidence = options.text,
                                                    .builds_on = options.work.contributions});
    return Hash::parse(recorded.at("id").get<std::string>()).value();
}

}  // namespace

void submit_task(Session& session, const TaskOptions& options) {
    const ChainId chain = followed_chain(session);
    const crypto::KeyPair worker = session.key(options.from);
    ensure_served(session, worker, ServedAs::reader);
    if (options.text.empty()) {
        throw CliError(CliExit::usage, "missing_proof", "What shows that it is done?",
                       "Say with --text where the supervisor finds it.");
    }
    const std::vector<OpenedLetter> mail = read_mail(session);
    const Known known = find_task(mail, chain, options.task);
    if (!options.late) ensure_open(known);
    const auto application = application_for(session, mail, worker, options);
    std::vector<Hash> contributions;
    if (!options.kind.empty()) {
        if (application) {
            throw CliError(CliExit::refused, "not_a_member",
                           "Only members record contributions; a guest's work is recorded with the "
                           "payment that admits it.",
                           "Hand it in without --kind.");
        }
        contributions.push_back(record_work(session, known.task.task, options));
    }
    const auto work = wallet::sign_work(
        known.task, long_text(protocol::proof_text(contributions, options.text), "proof"), worker,
        application);
    tell(session, worker, work, "This task is done.");
    session.print({{"id", known.id.hex()}, {"state", "submitted"}, {"work", wallet::to_text(work)}},
                  fmt::format("Handed in. The supervisor decides with:\n"
                              "  leither task confirm {}\n",
                              short_id(known.id)));
}

namespace {

// ---- confirm, refuse ---------------------------------------------------------------------------

struct Submission {
    Known known;
    wallet::SignedWork work;
    std::vector<Hash> letters;  // that carry it, or the worker's claim of it
};

bool is_by(const wallet::SignedWork& work, const Id& worker) {
    return crypto::id_of(work.work.worker) == worker;
}

// By its text, or the newest that has been handed in of a task.
Submission find_submission(Session& session, const TaskOptions& options) {
    const ChainId chain = followed_chain(session);
    const std::vector<OpenedLetter> mail = read_mail(session);
    if (options.task.starts_with(wallet::kSubmissionPrefix)) {
        const auto work = wallet::submission_from_text(options.task);
        if (!work) {
            throw CliError(CliExit::usage, std::string("work_") + wallet::to_string(work.error()),
                           wallet::explain(work.error(), "piece of work"),
                           "Ask for the text that leither task submit --json prints.");
        }
        if (const auto holds = wallet::check(*work, chain); !holds) refuse_task(holds.error());
        std::vector<Known> none;
        return {entry_for(none, work->task), *work, {}};
    }
    Known known = find_task(mail, chain, options.task);
    std::optional<wallet::SignedWork> newest;
    std::size_t workers = 0;
    for (const auto& entry : known.submissions) {
        if (is_own(entry.mail)) continue;
        const Id worker = crypto::id_of(entry.work.work.worker);
        if (!options.worker.empty() && !worker.hex().starts_with(options.worker)) continue;
        if (!newest || !is_by(*newest, worker)) ++workers;
        newest = entry.work;
    }
    if (workers > 1) {
        throw CliError(CliExit::usage, "which_worker", "Several have handed this in.",
                       "Name one: --worker ACCOUNT");
    }
    if (!newest) {
        throw CliError(CliExit::refused, "not_submitted", "Nobody has handed this task in yet.",
                       "See: leither task show " + short_id(known.id));
    }
    Submission found{std::move(known), *newest, {}};
    const Id worker = crypto::id_of(newest->work.worker);
    for (const auto* entries : {&found.known.claims, &found.known.submissions}) {
        for (const auto& entry : *entries) {
            const bool is_theirs = is_by(entry.work, worker) && !is_own(entry.mail);
            if (is_theirs) found.letters.push_back(entry.mail.message);
        }
    }
    return found;
}

protocol::Action action_for(Session& session, const wallet::SignedWork& work) {
    const wallet::SignedTask& promised = work.task;
    const Id worker = crypto::id_of(work.work.worker);
    const auto reason = wallet::reason_of(promised.chain, promised.task);
    if (is_known_member(session, worker)) {
        return protocol::Reward{protocol::RewardKind::service, worker, promised.task.amount, reason,
                                work.work.proof};
    }
    if (!work.application) {
        throw CliError(CliExit::refused, "no_application",
                       fmt::format("{} is no member, and the work carries no application.",
                                   session.display(worker)),
                       "They hand it in once more: leither task submit");
    }
    return protocol::Earn{work.application->application, work.work.task, promised.task.amount,
                          reason, work.work.proof};
}

// What keeps work from being accepted, beside what the ledger refuses.
void check_confirmable(Session& session, const Submission& found, const NamedWork& named) {
    const wallet::SignedTask& promised = found.work.task;
    const Id worker = crypto::id_of(found.work.work.worker);
    const Id promiser = crypto::id_of(promised.task.supervisor);
    if (std::ranges::count(session.organization().supervisors, promiser) == 0) {
        throw CliError(
            CliExit::refused, "not_promised",
            fmt::format("{}, who has promised it, is no supervisor.", session.display(promiser)),
            "Reward the work yourself: leither reward");
    }
    if (is_paid(session, found.known, worker) == true) {
        forget_mail(session, found.letters);
        throw CliError(CliExit::refused, "already_paid",
                       fmt::format("{} has been paid for this task.", session.display(worker)),
                       "See: leither history " + worker.hex());
    }
    check_rewardable(session, worker, named, found.work.work.proof);
}
}  // namespace

void confirm_task(Session& session, const TaskOptions& options) {
    const Submission found = find_submission(session, options);
    const wallet::SignedTask& promised = found.work.task;
    const Id worker = crypto::id_of(found.work.work.worker);
    if (!options.late) ensure_open(found.known);
    check_confirmable(session, found, options.work);
    protocol::Action action = action_for(session, found.work);
    const bool is_admission = std::holds_alternative<protocol::Earn>(action);
    const auto half =
        is_admission ? std::optional(found.work.application->signature) : std::nullopt;
    const std::string what =
        is_admission ? fmt::format("Admitted {}, who earns {}.", session.display(worker),
                                   session.format(promised.task.amount))
                     : fmt::format("{} earns {}.", session.display(worker),
                                   session.format(promised.task.amount));
    const auto outcome =
        act_as_supervisors(session, {std::move(action), half, nullptr, what}, options.act);
    if (outcome == ActOutcome::submitted && options.act.wait) forget_mail(session, found.letters);
}

void refuse_task_work(Session& session, const TaskOptions& options) {
    const Submission found = find_submission(session, options);
    const crypto::KeyPair supervisor = session.supervisor_key(options.act.by);
    const Hash id = decline_by_letter(session, supervisor, found.work.work.worker,
                                      wallet::to_text(found.work), options.reason);
    forget_mail(session, found.letters);
    session.print({{"id", id.hex()}}, "Not accepted; the reason is on its way to the worker.\n");
}

namespace {

CLI::Option* add_task_option(CLI::App& command, TaskOptions& options) {
    return command.add_option("TASK", options.task, "leither:task:... text, or its first digits")
        ->required();
}

void add_deciding_options(CLI::App& command, TaskOptions& options) {
    command
        .add_option("TASK", options.task,
                    "The task's first digits or text, or leither:submit:... text")
        ->required();
    command.add_option("--worker", options.worker, "Whose work, where several have handed it in")
        ->type_name("ACCOUNT");
}

}  // namespace

json confirm_work(Session& session, const std::string& text, const ActOptions& act) {
    TaskOptions options;
    options.task = text;
    const Submission found = find_submission(session, options);
    ensure_open(found.known);
    check_confirmable(session, found, options.work);
    protocol::Action action = action_for(session, found.work);
    const bool is_admission = std::holds_alternative<protocol::Earn>(action);
    const auto half =
        is_admission ? std::optional(found.work.application->signature) : std::nullopt;
    const auto supervisor = session.supervisor_key(act.by);
    const auto transaction = wallet::completed(wallet::offer(
        draft_for(session, supervisor.id()), std::move(action), half, supervisor, {}));
    CHECK(transaction.has_value());
    return decide(session, *transaction, act);
}

void add_task_commands(CLI::App& cli, Session& session) {
    auto* group = cli.add_subcommand("task", "Work that earns membership and pay");
    group->require_subcommand(1);
    const auto options = std::make_shared<TaskOptions>();

    auto* make = group->add_subcommand("create", "Promise pay for a piece of work");
    make->add_option("TITLE", options->title, "What is to be done, in a line")->required();
    make->add_option("--amount", options->amount, "What it pays")->required();
    make->add_option("--text", options->text, "More about it");
    make->add_option("--days", options->days, "How long it may be handed in")
        ->check(CLI::Range(1u, kDaysMax))
        ->capture_default_str();
    make->add_option("--by", options->act.by, "Key of the supervisor who promises")
        ->type_name("KEY");
    make->add_flag("--qr", options->qr, "Show it as a QR code too");
    make->footer("Example: leither task create \"Repair the oven\" --amount 40 --days 14 --qr");
    make->callback([&session, options] { create_task(session, *options); });

    auto* all = group->add_subcommand("list", "Tasks known to this wallet, and how they stand");
    all->footer("Example: leither task list");
    all->callback([&session] { list_tasks(session); });

    auto* one = group->add_subcommand("show", "One task with all that is known of it");
    add_task_option(*one, *options);
    one->footer("Example: leither task show 1f0c");
    one->callback([&session, options] { show(session, options->task); });

    auto* take = group->add_subcommand("claim", "Say that you do it");
    add_task_option(*take, *options);
    take->add_option("--from", options->from, "Key of whoever does it")
        ->required()
        ->type_name("KEY");
    take->footer("Example: leither task claim leither:task:qpzr... --from anna");
    take->callback([&session, options] { claim_task(session, *options); });

    auto* done = group->add_subcommand("submit", "Hand in finished work");
    add_task_option(*done, *options);
    done->add_option("--text", options->text, "What shows that it is done")->required();
    done->add_option("--from", options->from, "Key of whoever has done it")
        ->required()
        ->type_name("KEY");
    auto* kind = done->add_option(
        "--kind", options->kind,
        "Of a member: record it as a contribution of this kind: " + contribution_kinds());
    done->add_option("--builds-on", options->work.contributions,
                     "Earlier contribution it builds on; at most 4")
        ->needs(kind)
        ->type_name("ID")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    done->add_option("--note", options->note, "Of a guest: a line in the application");
    done->add_flag("--late", options->late, "Although the time for it is over");
    done->footer(
        "Examples:\n"
        "  leither task submit 1f0c --text \"it bakes again\" --from anna\n"
        "  leither task submit 1f0c --text \"it bakes again\" --from anna --kind support");
    done->callback([&session, options] { submit_task(session, *options); });

    auto* accept = group->add_subcommand("confirm", "Accept work: pays, and admits a guest");
    add_deciding_options(*accept, *options);
    accept->add_flag("--late", options->late, "Although the time for it is over");
    add_again_option(*accept, options->work);
    add_offer_options(*accept, options->act);
    accept->footer("Example: leither task confirm 1f0c");
    accept->callback([&session, options] { confirm_task(session, *options); });

    auto* decline = group->add_subcommand("refuse", "Do not accept work, with a reason");
    add_deciding_options(*decline, *options);
    decline->add_option("--reason", options->reason, "Why; the worker reads it")->required();
    decline->add_option("--by", options->act.by, "Key of the supervisor")->type_name("KEY");
    decline->footer("Example: leither task refuse 1f0c --reason \"the door still leaks\"");
    decline->callback([&session, options] { refuse_task_work(session, *options); });
}

}  // namespace leither::app
