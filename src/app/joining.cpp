#include "app/joining.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/wallet/request.h"

#include "app/served.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr std::string_view kJoinPrefix = "leither:join:";
constexpr std::size_t kDigitsMin = 4;

}  // namespace

wallet::Invitation read_invitation(std::string_view text) {
    auto invitation = wallet::invitation_from_text(text);
    if (invitation) return *std::move(invitation);
    throw CliError(CliExit::usage,
                   std::string("invitation_") + wallet::to_string(invitation.error()),
                   wallet::explain(invitation.error(), "invitation"),
                   "Ask whoever invited you for the text that leither invite prints.");
}

std::vector<Application> applications_in(Session& session, const std::vector<OpenedLetter>& mail) {
    if (mail.empty()) return {};
    return wallet::applications_in(mail, followed_chain(session));
}

Application find_application(Session& session, const std::string& wanted) {
    if (wanted.starts_with(kJoinPrefix)) {
        auto found = wallet::application_in(wanted, followed_chain(session));
        if (found) return *std::move(found);
        throw CliError(CliExit::usage, "bad_application",
                       "This is no application to this organization, or its applicant has not "
                       "signed it.",
                       "Ask the applicant for the text that leither member apply prints.");
    }
    std::vector<Application> matching;
    for (auto& one : applications_in(session, read_mail(session))) {
        if (one.applicant().hex().starts_with(wanted)) matching.push_back(std::move(one));
    }
    if (wanted.size() < kDigitsMin || matching.size() > 1) {
        throw CliError(CliExit::usage, "ambiguous_id",
                       fmt::format("\"{}\" names several applicants, or might.", wanted),
                       "Write more digits of the applicant's account.");
    }
    if (!matching.empty()) return std::move(matching.front());
    throw CliError(CliExit::refused, "not_found",
                   fmt::format("No application of {} has arrived here.", wanted),
                   "See what has with: leither org applications");
}

Hash decline_by_letter(Session& session, const crypto::KeyPair& by, const PublicKey& to,
                       std::string_view declined, const std::string& reason) {
    const std::string text = decline_text(followed_chain(session), declined, reason);
    ensure_served(session, by, ServedAs::reader);
    return send_mail(session, by, to, text);
}

std::string decline_text(const ChainId& chain, std::string_view declined,
                         const std::string& reason) {
    const bool is_text = reason.size() <= protocol::Text::kMax && bcs::is_utf8(as_bytes(reason));
    if (!is_text || reason.empty()) {
        throw CliError(
            CliExit::usage, "bad_text",
            fmt::format("The reason must have 1 to {} bytes of UTF-8.", protocol::Text::kMax),
            "Say in a line why.");
    }
    return to_text(wallet::Decline{chain, wallet::name_of(declined), protocol::Text(reason)});
}

wallet::SignedApplication sign_application_for(const wallet::Invitation& invitation,
                                               const crypto::KeyPair& applicant,
                                               const std::string& note, unsigned days) {
    if (note.size() > protocol::Text::kMax || !bcs::is_utf8(as_bytes(note))) {
        throw CliError(CliExit::usage, "bad_text", "The note is too long, or no UTF-8.",
                       fmt::format("Use at most {} bytes.", protocol::Text::kMax));
    }
    protocol::Application application;
    application.applicant = applicant.public_key();
    application.sponsor = crypto::id_of(invitation.member);
    application.note = protocol::Text(note);
    application.expiry = invitation.pulse_at(unix_ms_now() + days * std::uint64_t{86'400'000});
    return wallet::sign_application(invitation.introduction.chain, application, applicant);
}

bool is_known_member(Session& session, const Id& account) {
    const json status = session.call("node.status", json::object());
    const json& network = status.at("network");
    if (!network.is_null() && !network.at("organization").is_null()) {
        for (const json& entry : network.at("organization").at("accounts")) {
            if (entry.at("account") == account.hex() && entry.at("member").get<bool>()) return true;
        }
    }
    if (status.at("organization").is_null()) return false;
    const json found = session.call("account.get", {{"account", account.hex()}});
    const json& record = found.at("record");
    return !record.is_null() && record.at("kind") == "member";
}

}  // namespace leither::app
