#include "app/served.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"
#include "leither/protocol/delegation.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr unsigned kServeDays = 365;
constexpr std::uint64_t kRenewBeforeMs = std::uint64_t{14} * 86'400'000;
// A manifest, and a keeper's word, come within a round trip or two of connecting.
constexpr auto kPatience = std::chrono::seconds(15);
constexpr auto kPollInterval = std::chrono::milliseconds(100);

// The followed organization as node.status shows it.
json community_of(Session& session) {
    const json status = session.call("node.status", json::object());
    const json& network = status.at("network");
    if (network.is_null()) {
        throw CliError(CliExit::refused, "no_network", "The daemon runs without network.",
                       "Set network.enabled to true and start it again.");
    }
    if (network.at("organization").is_null()) {
        throw CliError(CliExit::refused, "no_organization", "The daemon follows no organization.",
                       "Follow one with: leither org follow ORG-ID");
    }
    return network.at("organization");
}

// Polls until `holds` or the patience ends; whether it did.
bool wait_for(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        std::this_thread::sleep_for(kPollInterval);
    }
    return true;
}

// The account's row in node.status; null if it is not served.
json entry_of(Session& session, const Id& account) {
    const json community = community_of(session);
    for (const json& entry : community.at("accounts")) {
        if (entry.at("account") == account.hex()) return entry;
    }
    return nullptr;
}

}  // namespace

ChainId followed_chain(Session& session) {
    std::optional<ChainId> chain;
    const bool known = wait_for([&] {
        const json text = community_of(session).at("chain_id");
        if (text.is_string()) chain = ChainId::parse(text.get<std::string>());
        return chain.has_value();
    });
    if (known) return *chain;
    throw CliError(CliExit::refused, "no_manifest",
                   "The organization's manifest has not been found yet.",
                   "See whether anybody is connected: leither peers; then run this again. Where "
                   "the organization was founded, publish it: leither org publish");
}

std::vector<Id> served_accounts(Session& session) {
    std::vector<Id> accounts;
    const json community = community_of(session);
    for (const json& entry : community.at("accounts")) {
        const auto id = Id::parse(entry.at("account").get<std::string>());
        const bool holds = entry.at("expires_ms").get<std::uint64_t>() > unix_ms_now();
        if (id && holds) accounts.push_back(*id);
    }
    return accounts;
}

void serve(Session& session, const crypto::KeyPair& key, unsigned days) {
    const ChainId chain = followed_chain(session);
    const json status = session.call("node.status", json::object());
    const auto node = PublicKey::parse(status.at("node_key").get<std::string>());
    const protocol::Delegation delegation{
        key.public_key(), node.value(),
        protocol::Validity::from(instant_from_unix_ms(unix_ms_now()),
                                 std::chrono::hours(24 * days))};
    const auto signed_ = protocol::sign(chain, delegation, key);
    session.call("account.serve", {{"delegation", to_hex(bcs::encode(signed_))}});
}

void ensure_served(Session& session, const crypto::KeyPair& key, ServedAs as) {
    followed_chain(session);
    const json entry = entry_of(session, key.id());
    const bool lasts = !entry.is_null() &&
                       entry.at("expires_ms").get<std::uint64_t>() > unix_ms_now() + kRenewBeforeMs;
    if (!lasts) serve(session, key, kServeDays);
    if (as == ServedAs::reader) return;
    const auto is_member = [&] {
        const json now = entry_of(session, key.id());
        return !now.is_null() && now.at("member").get<bool>();
    };
    if (wait_for(is_member)) return;
    throw CliError(
        CliExit::refused, "not_a_member",
        fmt::format("{} is no member, as far as this node can tell.", session.display(key.id())),
        "A supervisor admits with: leither member add. If that has been done, a node "
        "that keeps the ledger must be connected: leither peers");
}

void check_text(std::string_view text, std::size_t max, std::string_view what) {
    if (text.empty() || text.size() > max) {
        throw CliError(CliExit::usage, text.empty() ? "empty_text" : "text_too_long",
                       fmt::format("A {} has 1 to {} bytes, this one {}.", what, max, text.size()),
                       text.empty() ? "Say something." : "Shorten it, or send it in parts.");
    }
    if (!bcs::is_utf8(as_bytes(text))) {
        throw CliError(CliExit::usage, "bad_text", fmt::format("The {} is no UTF-8 text.", what),
                       "Convert it, for example with iconv.");
    }
}

}  // namespace leither::app
