#include "app/wallet_service.h"

#include <map>
#include <utility>

#include <fmt/format.h>

#include "leither/base/check.h"
#include "leither/crypto/secret.h"
#include "leither/io/os_entropy.h"

#include "app/act.h"
#include "app/contributions.h"
#include "app/decision.h"
#include "app/endorsing.h"
#include "app/letters.h"
#include "app/receipt_file.h"
#include "app/served.h"
#include "app/wallet_acts.h"

namespace leither::app {

namespace {

using nlohmann::json;
using std::chrono::seconds;

constexpr std::size_t kJobsMax = 64;
// What waits for a block or for a letter's way is looked at as often, besides being told of both.
constexpr seconds kWorkInterval{5};
// After a failure, and while rules of a policy wait for letters that no event has told of.
constexpr seconds kPatientInterval{60};
constexpr int kWalletError = 9;
constexpr int kInvalidParams = -32602;
constexpr int kInternal = -32603;

std::string text(const json& params, const char* field) {
    return params.value(field, std::string());
}

Amount amount(const json& params) {
    const auto amount = parse_amount(text(params, "amount"), 0);
    if (amount) return *amount;
    throw CliError(CliExit::usage, "bad_amount",
                   "\"amount\" must be a text of digits, in smallest units.",
                   "Send \"1250\" for 12.50 at two decimals.");
}

std::uint64_t expiry_pulses(Session& session, const json& params) {
    constexpr std::uint64_t kSecondsDefault = 600;
    const std::uint64_t pulse_ms = session.organization().charter.params.pulse_ms;
    return (params.value("expires_s", kSecondsDefault) * 1000 + pulse_ms - 1) / pulse_ms;
}

WalletDesk::Order order(Session& session, const json& params, const char* payee) {
    return {text(params, payee), amount(params), text(params, "reference"),
            expiry_pulses(session, params), text(params, "payer")};
}

rpc::WalletFailure failure_of(const CliError& error) {
    const int code = error.exit() == CliExit::usage ? kInvalidParams : kWalletError;
    std::string message = error.what();
    if (!error.next_step().empty()) message += " " + error.next_step();
    return {code, std::move(message), rpc::Json{{"name", error.name()}}};
}

rpc::WalletFailure failure_of(const RpcError& error) {
    const auto& details = error.details();
    rpc::Json data = {{"name", details.name}};
    if (details.actual != 0 || details.limit != 0) {
        data["actual"] = details.actual;
        data["limit"] = details.limit;
    }
    return {details.code, details.message, std::move(data)};
}

// What one of the methods below is asked for.
struct Asked {
    WalletDesk& desk;
    Session& session;
    const json& params;

    std::string text(const char* field) const { return app::text(params, field); }
    std::string account() const { return text("account"); }
};

json pay(const Asked& asked) {
    if (asked.params.contains("text") == asked.params.contains("payee")) {
        throw CliError(CliExit::usage, "which_payee", "Send \"text\", or \"payee\" and \"amount\".",
                       "One of the two.");
    }
    if (asked.params.contains("text")) return asked.desk.pay(asked.account(), asked.text("text"));
    return asked.desk.pay_own(asked.account(), order(asked.session, asked.params, "payee"));
}

json send(const Asked& asked) {
    return send_letter(asked.session, asked.account(), asked.session.account(asked.text("to")),
                       {asked.text("text")});
}

json contribute_as_asked(const Asked& asked) {
    ContributionOrder order{asked.account(),
                            protocol::contribution_kind(asked.text("kind")).value(),
                            asked.text("text"), asked.text("evidence")};
    if (asked.params.contains("builds_on")) {
        order.builds_on = asked.params.at("builds_on").get<std::vector<std::string>>();
    }
    return contribute(asked.session, order);
}

json cast_ballot(const Asked& asked) {
    const auto voter = asked.session.key(asked.account());
    const auto choice =
        asked.text("choice") == "yes" ? protocol::Choice::yes : protocol::Choice::no;
    const protocol::Cast cast{Id::parse(asked.text("vote")).value(), choice};
    return submit_act(asked.session,
                      wallet::sign(draft_for(asked.session, voter.id()), cast, voter, nullptr));
}

json endorsed(const Asked& asked) {
    const auto receipt = endorse(asked.session, asked.account());
    return {{"account", receipt.claim.account.hex()},
            {"sequence", receipt.header.sequence.value()},
            {"file", json::parse(receipt_to_text(receipt))}};
}

// All but those that concern the keyring itself.
const std::map<std::string_view, json (*)(const Asked&)> kActs = {
    {"wallet.request",
     [](const Asked& a) { return a.desk.request(order(a.session, a.params, "account")); }},
    {"wallet.requests", [](const Asked& a) { return a.desk.requests(); }},
    {"wallet.read", [](const Asked& a) { return a.desk.read(a.text("text")); }},
    {"wallet.pay", pay},
    {"wallet.inbox", [](const Asked& a) { return a.desk.inbox(); }},
    {"wallet.accept", [](const Asked& a) { return a.desk.accept(a.text("id")); }},
    {"wallet.decline",
     [](const Asked& a) { return a.desk.decline(a.text("id"), a.text("reason")); }},
    {"wallet.why",
     [](const Asked& a) { return a.desk.why(a.text("id"), Id::parse(a.text("signer"))); }},
    {"wallet.policy", [](const Asked& a) { return a.desk.policy(); }},
    {"wallet.set_policy", [](const Asked& a) { return a.desk.set_policy(a.params.at("rules")); }},
    {"wallet.contacts", [](const Asked& a) { return a.desk.contacts(); }},
    {"wallet.set_contact",
     [](const Asked& a) {
         return a.desk.set_contact(Id::parse(a.text("account")).value(), a.text("name"));
     }},
    {"wallet.letters",
     [](const Asked& a) { return letters_json(a.session, a.session.key(a.account())); }},
    {"wallet.send", send},
    {"wallet.chat",
     [](const Asked& a) { return say_line(a.session, a.account(), a.text("text")); }},
    {"wallet.contribute", contribute_as_asked},
    {"wallet.cast", cast_ballot},
    {"wallet.endorse", endorsed},
};

json act_on(Session& session, const std::string& method, const json& params) {
    if (const WalletAct act = find_wallet_act(method)) return act(session, params);
    const auto act = kActs.find(method);
    CHECK(act != kActs.end(), method);
    WalletDesk desk(session);
    return act->second({desk, session, params});
}

// One call of our own on its way; the thread may have given up on it when it is answered.
struct OwnCall {
    std::mutex& mutex;
    std::condition_variable& changed;
    std::optional<std::string> reply;
};

// Nothing is to be found: the caller and the keyring are given.
GlobalOptions options_within(const std::string& place) {
    GlobalOptions options;
    options.org = place;
    return options;
}

}  // namespace

WalletService::WalletService(SharedWallet& shared, const std::string& place, io::Reactor& reactor,
                             io::PlaceApi& api, Log log)
    : shared_(shared),
      reactor_(reactor),
      link_(std::make_shared<Link>(Link{&api})),
      log_(std::move(log)),
      session_options_(options_within(place)),
      keyring_(shared.keyring),
      mutex_(shared.mutex),
      changed_(shared.changed),
      thread_([this] { run(); }) {
    api.set_wallet(*this);
}

WalletService::~WalletService() {
    link_->api = nullptr;
    {
        const std::lock_guard hold(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

bool WalletService::call(node::Token token, std::string_view method, rpc::Json params) {
    {
        const std::lock_guard hold(mutex_);
        if (jobs_.size() >= kJobsMax) return false;
        jobs_.push_back({token, std::string(method), json(std::move(params))});
    }
    changed_.notify_all();
    return true;
}

void WalletService::on_event(const node::Event& event) {
    const bool is_letter = std::holds_alternative<node::LetterArrived>(event);
    const bool is_block = std::holds_alternative<node::BlockSealed>(event);
    if (!is_letter && !is_block) return;
    {
        const std::lock_guard hold(mutex_);
        if (is_block && !blocks_matter_) return;
        work_due_ = true;
    }
    changed_.notify_all();
}

// ---- On the thread -----------------------------------------------------------------------------

json WalletService::call(const std::string& method, const json& params) {
    const auto own = std::make_shared<OwnCall>(mutex_, changed_, std::nullopt);
    std::string request =
        json{{"jsonrpc", "2.0"}, {"id", 0}, {"method", method}, {"params", params}}.dump(
            -1, ' ', false, json::error_handler_t::replace);
    reactor_.post([link = link_, own, request = std::move(request)] {
        if (link->api == nullptr) return;  // then nobody waits either
        link->api->call(request, [own](std::string reply) {
            const std::lock_guard hold(own->mutex);
            own->reply = std::move(reply);
            own->changed.notify_all();
        });
    });
    std::unique_lock hold(mutex_);
    changed_.wait(hold, [&] { return own->reply.has_value() || stopping_; });
    if (!own->reply) throw RpcUnreachable("the daemon is stopping");
    return result_of(json::parse(*own->reply));
}

std::optional<WalletService::Job> WalletService::next_job() {
    std::unique_lock hold(mutex_);
    std::optional<Clock::time_point> wake = shared_.lock_at;
    if (work_at_ && (!wake || *work_at_ < *wake)) wake = work_at_;
    const auto is_due = [this] {
        return stopping_ || work_due_ || !jobs_.empty() || shared_.unlocks != unlocks_seen_;
    };
    if (wake) {
        changed_.wait_until(hold, *wake, is_due);
    } else {
        changed_.wait(hold, is_due);
    }
    if (jobs_.empty() || stopping_) return std::nullopt;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
}

void WalletService::run() {
    for (;;) {
        auto job = next_job();
        bool is_work_due = false;
        {
            const std::lock_guard hold(mutex_);
            if (stopping_) return;
            is_work_due = std::exchange(work_due_, false);
            if (std::exchange(unlocks_seen_, shared_.unlocks) != shared_.unlocks) {
                is_work_due = true;
            }
        }
        if (!take_turn()) return;
        lock_if_due();
        if (job) answer(*std::move(job));
        if (work_at_ && Clock::now() >= *work_at_) is_work_due = true;
        if (is_work_due) work();
        end_turn();
    }
}

// Not if the service is to end: whoever has the turn may need the reactor, which waits for us then.
bool WalletService::take_turn() {
    std::unique_lock hold(mutex_);
    changed_.wait(hold, [this] { return stopping_ || !shared_.is_taken; });
    if (stopping_) return false;
    shared_.is_taken = true;
    return true;
}

void WalletService::end_turn() {
    {
        const std::lock_guard hold(mutex_);
        shared_.is_taken = false;
    }
    changed_.notify_all();
}

void WalletService::set_lock_at(std::optional<Clock::time_point> at) {
    const std::lock_guard hold(mutex_);
    shared_.lock_at = at;
}

void WalletService::answer(Job&& job) {
    Session session(session_options_, *this, keyring_);
    rpc::WalletResult result;
    try {
        result = rpc::Json(carry_out(session, job));
    } catch (const CliError& error) {
        result = fail(failure_of(error));
    } catch (const RpcError& error) {
        result = fail(failure_of(error));
    } catch (const RpcUnreachable&) {
        return;  // the dispatcher has answered: stopping
    } catch (const std::exception& error) {
        result = fail(rpc::WalletFailure{kInternal, error.what(), nullptr});
    }
    reactor_.post([link = link_, token = job.token, result = std::move(result)] {
        if (link->api != nullptr) link->api->on_wallet_reply(token, result);
    });
}

json WalletService::carry_out(Session& session, const Job& job) {
    if (job.method == "wallet.status") return status(session);
    if (job.method == "wallet.unlock") {
        auto passphrase = text(job.params, "passphrase");
        return unlock(passphrase);
    }
    if (job.method == "wallet.lock") {
        keyring_.lock();
        set_lock_at(std::nullopt);
        return true;
    }
    if (job.method == "wallet.create") return create(session, text(job.params, "name"));
    json result = act_on(session, job.method, job.params);
    const std::lock_guard hold(mutex_);
    work_due_ = true;  // what it has begun may be to be followed
    return result;
}

json WalletService::status(Session& session) {
    json accounts = json::array();
    for (const auto& key : keyring_.list()) {
        json account = {{"name", key.name}, {"account", key.id.hex()}, {"key", key.key.hex()},
                        {"member", false},  {"role", nullptr},         {"balance", nullptr}};
        try {
            const json record = call("account.get", {{"account", key.id.hex()}}).at("record");
            if (record.is_object() && record.value("kind", "") == "member") {
                account["member"] = true;
                account["role"] = record.at("role");
                account["balance"] = record.at("balance");
            }
        } catch (const RpcError& error) {
            log_.debug("wallet_account_unknown", "name={}", error.details().name);
        }
        accounts.push_back(std::move(account));
    }
    const bool is_protected = keyring_.is_protected();
    json out = {{"enabled", true},
                {"encrypted", is_protected},
                {"locked", is_protected && !keyring_.is_unlocked()},
                {"locks_in_s", nullptr},
                {"directory", session.keyring().directory()},
                {"accounts", std::move(accounts)}};
    if (is_protected && keyring_.is_unlocked() && shared_.lock_at) {
        const auto left = std::chrono::duration_cast<seconds>(*shared_.lock_at - Clock::now());
        out["locks_in_s"] = std::max<std::int64_t>(left.count(), 0);
    }
    return out;
}

json WalletService::unlock(std::string& passphrase) {
    auto unlocked = keyring_.unlock(passphrase);
    crypto::erase({reinterpret_cast<std::uint8_t*>(passphrase.data()), passphrase.size()});
    if (!unlocked) fail_on_passphrase(unlocked.error(), keyring_.directory());
    const seconds lock_after = shared_.options.lock_after;
    log_.info("wallet_unlocked", "for_s={}", lock_after.count());
    {
        const std::lock_guard hold(mutex_);
        shared_.lock_at.reset();
        if (lock_after > seconds::zero()) shared_.lock_at = Clock::now() + lock_after;
        ++shared_.unlocks;
    }
    changed_.notify_all();
    return true;
}

json WalletService::create(Session& session, const std::string& name) {
    const auto key = new_key(session, name);
    return {{"name", key.name}, {"account", key.id.hex()}, {"key", key.key.hex()}};
}

void WalletService::lock_if_due() {
    if (!shared_.lock_at || Clock::now() < *shared_.lock_at) return;
    keyring_.lock();
    set_lock_at(std::nullopt);
    log_.info("wallet_locked", "after_s={}", shared_.options.lock_after.count());
}

void WalletService::work() {
    Session session(session_options_, *this, keyring_);
    std::optional<seconds> again;
    try {
        WalletDesk desk(session);
        if (desk.is_idle()) {
            work_at_.reset();
            return;
        }
        again = desk.work(tried_) ? kWorkInterval : kPatientInterval;
    } catch (const CliError& error) {
        log_.debug("wallet_work_failed", "name={} detail={:?}", error.name(),
                   std::string_view(error.what()));
        again = kPatientInterval;
    } catch (const RpcError& error) {
        log_.debug("wallet_work_failed", "name={}", error.details().name);
        again = kPatientInterval;
    } catch (const RpcUnreachable&) {
        return;  // stopping
    } catch (const std::exception& error) {
        log_.warn("wallet_work_failed", "detail={:?}", std::string_view(error.what()));
        again = kPatientInterval;
    }
    work_at_ = Clock::now() + *again;
    const std::lock_guard hold(mutex_);
    blocks_matter_ = *again == kWorkInterval || !tried_.empty();
}

}  // namespace leither::app
