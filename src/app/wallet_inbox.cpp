// WalletDesk: what has arrived, what is answered, what is done without being asked.
#include <algorithm>

#include <fmt/format.h>

#include "leither/crypto/hash.h"

#include "app/act.h"
#include "app/decision.h"
#include "app/joining.h"
#include "app/letters.h"
#include "app/served.h"
#include "app/task_work.h"
#include "app/wallet_desk.h"

namespace leither::app {

namespace {

using nlohmann::json;
using wallet::ItemState;

constexpr std::size_t kDigitsMin = 4;

// What was done, or not.
void check_waits(const wallet::InboxItem& item) {
    if (item.state == ItemState::waiting) return;
    throw CliError(CliExit::refused, wallet::to_string(item.state),
                   fmt::format("It is {} already.", wallet::to_string(item.state)),
                   item.request ? "See: leither why " + item.id.hex() : "See: leither inbox --all");
}

[[noreturn]] void fail_on_kind(const wallet::InboxItem& item) {
    throw CliError(CliExit::refused, "not_a_request",
                   fmt::format("{} is no payment request, application or finished work but: {}.",
                               item.id.hex(), wallet::to_string(item.kind)),
                   "See: leither message read " + item.letter.hex());
}

// The key to which it has come, if that is a supervisor's; else any of the wallet will do.
std::string supervisor_for(Session& session, const wallet::InboxItem& item) {
    const auto& supervisors = session.organization().supervisors;
    return std::ranges::count(supervisors, item.account) > 0 ? item.account.hex() : "";
}

// Work that is accepted is the ledger's from then on; its letter has nothing more to say.
json confirm(Session& session, const wallet::InboxItem& item) {
    ActOptions options;
    options.by = supervisor_for(session, item);
    const json done = confirm_work(session, item.text, options);
    session.call("message.forget", {{"message", item.letter.hex()}});
    return {{"id", done.at("id")}, {"state", done.at("state")}};
}

}  // namespace

std::vector<wallet::OpenedLetter> WalletDesk::all_letters() {
    std::vector<wallet::OpenedLetter> all;
    const auto keys = session_.keyring().list();
    for (const Id& account : served_accounts(session_)) {
        const auto known = std::ranges::find(keys, account, &wallet::NamedKey::id);
        if (known == keys.end()) continue;
        const auto opened = opened_letters(session_, session_.key(known->name));
        all.insert(all.end(), opened.begin(), opened.end());
    }
    return all;
}

std::vector<wallet::OpenedLetter> WalletDesk::letters(Reach reach) {
    if (reach == Reach::all) return all_letters();
    const auto& keyring = session_.keyring();
    if (keyring.is_protected() && !keyring.is_unlocked()) return {};
    try {
        return all_letters();
    } catch (const CliError&) {  // no network, or not yet
        return {};
    } catch (const RpcError&) {
        return {};
    }
}

WalletDesk::View WalletDesk::view(Reach reach) {
    View view;
    view.journal = files_.journal();
    view.policy = files_.policy();
    view.time = time();
    view.letters = letters(reach);
    wallet::InboxFacts facts;
    facts.time = view.time;
    facts.now_ms = unix_ms_now();
    facts.fate = [this](const Hash& id, const Id& signer) { return fate_of(id, signer); };
    facts.is_member = [this](const Id& account) { return is_known_member(session_, account); };
    view.items = wallet::inbox(view.letters, view.journal, view.policy, facts);
    return view;
}

std::string WalletDesk::why_text(const wallet::PolicyAnswer& answer) {
    using wallet::PolicyVerdict;
    const std::string words = wallet::words_of(answer.verdict);
    const bool has_numbers = answer.verdict == PolicyVerdict::above_amount_max ||
                             answer.verdict == PolicyVerdict::above_per_day;
    if (!has_numbers) return words;
    return fmt::format("{}: {} against {}", words, session_.format(answer.actual),
                       session_.format(answer.limit));
}

json WalletDesk::item_json(const wallet::InboxItem& item) {
    json out = {{"id", item.id.hex()},
                {"kind", wallet::to_string(item.kind)},
                {"account", item.account.hex()},
                {"from", crypto::id_of(item.sender).hex()},
                {"sent_ms", item.sent_ms},
                {"state", wallet::to_string(item.state)},
                {"text", item.text},
                {"letter", item.letter.hex()}};
    if (!item.words.empty()) out["message"] = item.words;
    if (item.application) {
        const auto& application = item.application->application;
        out["applicant"] = crypto::id_of(application.applicant).hex();
        if (!application.note.empty()) out["reference"] = application.note;
        out["expires_ms"] = time_ms_of(application.expiry);
    }
    if (!item.request) return out;
    const auto& request = item.request->request;
    out["payee"] = request.payee.hex();
    out["amount"] = std::to_string(request.amount.units());
    out["reference"] = request.reference;
    out["expires_ms"] = time_ms_of(request.expiry);
    if (item.transaction) out["transaction"] = item.transaction->hex();
    if (!item.refusal.empty()) out["refusal"] = item.refusal;
    if (item.why_waiting) out["why_waiting"] = why_text(*item.why_waiting);
    return out;
}

json WalletDesk::inbox() {
    json items = json::array();
    for (const auto& item : view(Reach::all).items) items.push_back(item_json(item));
    return {{"items", std::move(items)}};
}

wallet::InboxItem WalletDesk::find(const std::string& id) {
    std::vector<wallet::InboxItem> found;
    for (auto& item : view(Reach::all).items) {
        if (item.id.hex().starts_with(id)) found.push_back(std::move(item));
    }
    if (id.size() < kDigitsMin || found.size() > 1) {
        throw CliError(CliExit::usage, "ambiguous_id",
                       fmt::format("\"{}\" names {} items.", id, found.size()),
                       "Write more digits of it.");
    }
    if (!found.empty()) return std::move(found.front());
    throw CliError(CliExit::refused, "not_found", fmt::format("Nothing in the inbox is {}.", id),
                   "See what is with: leither inbox");
}

json WalletDesk::accept(const std::string& id) {
    const auto item = find(id);
    if (item.application) {
        check_waits(item);
        return admit(item);
    }
    if (item.kind == wallet::TokenKind::submission) {
        check_waits(item);
        return confirm(session_, item);
    }
    if (!item.request) fail_on_kind(item);
    if (item.state == ItemState::declined) check_waits(item);
    return pay_request(item.account.hex(), *item.request, wallet::Cause::by_hand);
}

json WalletDesk::admit(const wallet::InboxItem& item) {
    const auto supervisor = session_.supervisor_key(supervisor_for(session_, item));
    return submit_act(session_, wallet::admit(draft_for(session_, supervisor.id()),
                                              *item.application, supervisor));
}

json WalletDesk::decline(const std::string& id, const std::string& reason) {
    const auto item = find(id);
    const bool is_work = item.kind == wallet::TokenKind::submission;
    if (!item.request && !item.application && !is_work) fail_on_kind(item);
    check_waits(item);
    if (!reason.empty()) check_text(reason, protocol::Text::kMax, "reason");
    const auto owner = session_.key(item.account.hex());
    const PublicKey to = item.application ? item.application->application.applicant : item.sender;
    const wallet::Decline decline{time().chain, item.name, protocol::Text(reason)};
    const std::string words = fmt::format("Declined{}.\n{}", reason.empty() ? "" : ": " + reason,
                                          wallet::to_text(decline));
    ensure_served(session_, owner, ServedAs::reader);
    const wallet::Declined record{unix_ms_now(), decline,
                                  seal_letter(session_, owner, to, {words, item.letter})};
    const auto guard = files_.lock();
    auto journal = files_.journal();
    const auto* signed_since = journal.paying(item.id);
    if (signed_since != nullptr && journal.not_taken(item.id) == nullptr) {
        throw CliError(CliExit::refused, "accepted", "The request has been accepted meanwhile.",
                       "See: leither why " + item.id.hex());
    }
    files_.append(journal, record, record.at_ms);
    note_posted(journal, item.name, *record.letter);
    return true;
}

// ---- Without being asked -----------------------------------------------------------------------

bool WalletDesk::resume(wallet::Journal& journal) {
    const wallet::PaymentFacts facts{
        [this](const Hash& id, const Id& signer) { return fate_of(id, signer); },
        [this](const Id& account, std::uint8_t lane) { return counter_of(account, lane); }};
    const auto left = wallet::unfinished(journal, time(), facts);
    bool is_more = left.is_under_way;
    // What is submitted adds to the journal.
    std::vector<wallet::Paying> payments;
    for (const auto* paying : left.payments) payments.push_back(*paying);
    for (const auto& [request, letter] : left.letters) {
        try {
            note_posted(journal, request, letter);
        } catch (const RpcError&) {
            is_more = true;  // not served yet, or no room: later
        }
    }
    for (const auto& paying : payments) {
        try {
            submit(journal, paying);
            is_more = true;
        } catch (const RpcError&) {
            continue;  // in the journal: whoever asks is told
        }
    }
    return is_more;
}

bool WalletDesk::pay_by_policy(TriedAt& tried) {
    const View seen = view(Reach::at_hand);
    const auto refusals = wallet::refusals_in(seen.letters, seen.journal, unix_ms_now());
    if (!refusals.empty()) {
        const auto guard = files_.lock();
        auto journal = files_.journal();
        for (const auto& refusal : wallet::refusals_in(seen.letters, journal, unix_ms_now())) {
            files_.append(journal, refusal, refusal.at_ms);
        }
    }
    bool is_more = false;
    for (const auto& item : seen.items) {
        const bool pays = item.state == ItemState::waiting && item.why_waiting &&
                          item.why_waiting->verdict == wallet::PolicyVerdict::pays;
        if (item.state == ItemState::accepted) is_more = true;
        const auto last = tried.find(item.id);
        if (!pays || (last != tried.end() && last->second == seen.time.head)) continue;
        tried[item.id] = seen.time.head;
        // What the policy allows is asked again: payments of this very loop count too.
        const auto answer = wallet::judge_item(item, files_.journal(), seen.policy, unix_ms_now());
        if (answer.verdict != wallet::PolicyVerdict::pays) continue;
        try {
            pay_request(item.account.hex(), *item.request, wallet::Cause::by_policy);
            is_more = true;
        } catch (const RpcError&) {
            continue;  // in the journal; tried again when a block has changed something
        } catch (const CliError&) {
            continue;  // paid, expired or locked meanwhile
        }
    }
    if (tried.size() > 4 * seen.items.size() + 64) tried.clear();
    return is_more;
}

bool WalletDesk::is_idle() const {
    return files_.policy().empty() && files_.journal().records().empty();
}

bool WalletDesk::work(TriedAt& tried) {
    bool is_more = false;
    {
        const auto guard = files_.lock();
        auto journal = files_.journal();
        is_more = resume(journal);
    }
    return pay_by_policy(tried) || is_more;
}

}  // namespace leither::app
