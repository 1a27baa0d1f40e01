#include "app/act.h"

#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"
#include "leither/wallet/payment_state.h"

#include "app/decision.h"
#include "app/payment_words.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr std::uint8_t kLane = 0;
// Of acts that wait for others, so that the supervisor's own need not.
constexpr std::uint8_t kOfferLane = 1;
// Long enough for a slow hand, short enough that "not committed" is soon certain.
constexpr std::uint64_t kExpiryPulses = 300;
constexpr int kWaitPulsesMax = 30;
constexpr auto kPollInterval = std::chrono::milliseconds(100);

std::optional<wallet::PaymentState> state_in(const json& status) {
    return wallet::payment_state(status.at("state").get<std::string>());
}

// As far as it was to be waited for, or further, or ended otherwise.
bool is_reached(const json& status, const ActOptions& options) {
    const auto state = state_in(status);
    if (!state || !wallet::is_decided(*state)) return state != wallet::PaymentState::pending;
    return *state >= *wallet::payment_state(options.until);
}

// Polls until the transaction is decided, and has got as far as is asked for, or the patience ends;
// its last state.
json wait_for_decision(Session& session, const std::string& id, const Id& signer,
                       const ActOptions& options) {
    const auto pulse = std::chrono::milliseconds(session.organization().charter.params.pulse_ms);
    const auto deadline = std::chrono::steady_clock::now() + kWaitPulsesMax * pulse;
    for (;;) {
        json status = session.call("transaction.status", {{"id", id}, {"signer", signer.hex()}});
        if (is_reached(status, options)) return status;
        if (std::chrono::steady_clock::now() >= deadline) return status;
        std::this_thread::sleep_for(kPollInterval);
    }
}

[[noreturn]] void throw_refused(const json& refusal) {
    throw RpcError({1, refusal.value("name", ""), refusal.value("actual", std::uint64_t{0}),
                    refusal.value("limit", std::uint64_t{0}), refusal.value("message", "")});
}

}  // namespace

void add_wait_option(CLI::App& command, ActOptions& options) {
    command.add_flag("--wait,!--no-wait", options.wait,
                     "Wait until it is committed (the default), or return at once");
    command
        .add_option("--until", options.until,
                    "What to wait for: committed, secured (four bookkeepers have decided it, or "
                    "half of the members' nodes online have checked it), settled")
        ->check(CLI::IsMember({"committed", "secured", "settled"}))
        ->capture_default_str();
}

void add_supervisor_options(CLI::App& command, ActOptions& options) {
    command
        .add_option("--by", options.by,
                    "Key of the supervisor who signs; default: one of this wallet")
        ->type_name("KEY");
    command
        .add_option("--cosigner", options.cosigners,
                    "Key of a further supervisor who signs; may be repeated")
        ->type_name("KEY")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    add_wait_option(command, options);
}

wallet::Draft draft_for(Session& session, const Id& signer) {
    const json next = session.call("account.nonce", {{"account", signer.hex()}, {"lane", kLane}});
    const auto pulse = next.at("pulse").get<std::uint64_t>();
    const auto expiry = std::min(pulse + kExpiryPulses, next.at("expiry_max").get<std::uint64_t>());
    return {session.organization().chain,
            {kLane, next.at("counter").get<std::uint64_t>()},
            Pulse(expiry)};
}

wallet::Draft draft_for_others(Session& session, const Id& signer) {
    const json next =
        session.call("account.nonce", {{"account", signer.hex()}, {"lane", kOfferLane}});
    return {session.organization().chain,
            {kOfferLane, next.at("counter").get<std::uint64_t>()},
            Pulse(next.at("expiry_max").get<std::uint64_t>())};
}

std::vector<crypto::KeyPair> cosigners_of(Session& session, const ActOptions& options) {
    std::vector<crypto::KeyPair> keys;
    for (const auto& name : options.cosigners) keys.push_back(session.key(name));
    return keys;
}

protocol::LongText long_text(const std::string& text, const char* what) {
    if (text.size() <= protocol::LongText::kMax && bcs::is_utf8(as_bytes(text))) {
        return protocol::LongText(text);
    }
    throw CliError(
        CliExit::usage, "bad_text",
        fmt::format("The {} must have at most {} bytes of UTF-8.", what, protocol::LongText::kMax),
        "Shorten it.");
}

json submit_act(Session& session, const protocol::Transaction& transaction) {
    // Whoever signs last may submit what another has made.
    for (const auto& known : session.keyring().list()) {
        if (known.id == transaction.body.signer) session.keep_receipts(known.id);
    }
    return session.call("transaction.submit", {{"transaction", to_hex(bcs::encode(transaction))}});
}

json decide(Session& session, const protocol::Transaction& transaction, const ActOptions& options) {
    return await_decision(session, submit_act(session, transaction), transaction.body.signer,
                          options);
}

json await_decision(Session& session, json result, const Id& signer, const ActOptions& options) {
    if (!options.wait) return result;
    const auto id = result.at("id").get<std::string>();
    const json status = wait_for_decision(session, id, signer, options);
    if (status.contains("refusal")) throw_refused(status.at("refusal"));
    const auto state = state_in(status);
    if (!state || !wallet::is_decided(*state)) {
        throw CliError(CliExit::undecided, "pending",
                       fmt::format("Transaction {} is not committed yet.", id),
                       fmt::format("Ask later with: leither transaction show {} --signer {}", id,
                                   signer.hex()));
    }
    if (!is_reached(status, options)) {
        throw CliError(CliExit::undecided, "not_" + options.until,
                       fmt::format("Transaction {} {}.", id, state_text(status)),
                       fmt::format("Ask later with: leither transaction show {}", id));
    }
    result.update(status);
    return result;
}

void carry_out(Session& session, const protocol::Transaction& transaction,
               const ActOptions& options, const std::string& what) {
    const json result = decide(session, transaction, options);
    session.print(result, fmt::format("{}\n{} {}.\n", what, result.at("id").get<std::string>(),
                                      state_text(result)));
}

std::uint64_t pulses_of(Session& session, const std::string& duration) {
    constexpr std::pair<char, std::uint64_t> kUnits[] = {
        {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86'400}};
    const auto refuse = [&duration] {
        throw CliError(CliExit::usage, "bad_duration",
                       fmt::format("\"{}\" is no duration.", duration),
                       "Write for example 90s, 10m, 2h or 1d.");
    };
    if (duration.size() < 2) refuse();
    const auto number = parse_amount(duration.substr(0, duration.size() - 1), 0);
    for (const auto& [unit, seconds] : kUnits) {
        if (duration.back() != unit || !number || number->units() > 86'400'000) continue;
        const std::uint64_t pulse_ms = session.organization().charter.params.pulse_ms;
        return (number->units() * seconds * 1000 + pulse_ms - 1) / pulse_ms;
    }
    refuse();
    UNREACHABLE();
}

}  // namespace leither::app
