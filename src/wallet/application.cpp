#include "leither/wallet/application.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "leither/crypto/hash.h"
#include "leither/wallet/request.h"

namespace leither::wallet {

namespace {

constexpr std::string_view kJoinPrefix = "leither:join:";

}  // namespace

bool is_own(const OpenedLetter& letter) {
    return crypto::id_of(letter.sender) == letter.account;
}

Id Application::applicant() const {
    return crypto::id_of(signed_.application.applicant);
}

std::optional<Application> application_in(std::string_view text, const ChainId& chain) {
    const auto link = find_link(text, kJoinPrefix);
    if (link.empty()) return std::nullopt;
    const auto signed_ = application_from_text(link);
    if (!signed_ || signed_->chain != chain) return std::nullopt;
    const protocol::Application& application = signed_->application;
    const bool is_signed = crypto::verify(application.applicant,
                                          signing_message(chain, application), signed_->signature);
    if (!is_signed) return std::nullopt;
    return Application{*signed_, std::string(link), Id{}, PublicKey{}, 0, {}};
}

std::vector<Application> applications_in(std::span<const OpenedLetter> mail, const ChainId& chain) {
    std::map<Id, Application> newest;
    for (const OpenedLetter& one : mail) {
        auto found = application_in(one.text, chain);
        if (!found || is_own(one)) continue;
        Application& entry = newest[found->applicant()];
        std::vector<Hash> letters = std::move(entry.letters);
        letters.push_back(one.message);
        entry = {
            std::move(found->signed_), std::move(found->text), one.account, one.sender, one.sent_ms,
            std::move(letters)};
    }
    std::vector<Application> all;
    for (auto& [applicant, application] : newest) all.push_back(std::move(application));
    std::ranges::sort(all, {}, &Application::sent_ms);
    return all;
}

std::optional<Declining> find_decline(std::span<const OpenedLetter> mail, const ChainId& chain,
                                      std::string_view declined) {
    std::optional<Declining> latest;
    const Hash name = name_of(declined);
    for (const OpenedLetter& one : mail) {
        const auto link = find_link(one.text, kDeclinePrefix);
        const auto decline = decline_from_text(link);
        const bool is_it = decline && decline->chain == chain && decline->request == name;
        if (is_it) latest = Declining{one.sender, std::string(decline->reason)};
    }
    return latest;
}

std::optional<OwnApplication> own_application(std::span<const OpenedLetter> mail, const Id& account,
                                              const ChainId& chain) {
    std::optional<OwnApplication> newest;
    for (const OpenedLetter& one : mail) {
        if (!is_own(one) || one.account != account) continue;
        auto found = application_in(one.text, chain);
        const auto link = find_link(one.text, kInvitationPrefix);
        auto invitation = invitation_from_text(link);
        if (!found || !invitation) continue;
        newest = OwnApplication{std::move(found->signed_), std::move(found->text),
                                *std::move(invitation), one.sent_ms, one.message};
    }
    return newest;
}

std::string note_of(const SignedApplication& application, const Invitation& invitation) {
    return fmt::format("My application.\n{}\n{}", to_text(application), to_text(invitation));
}

bool still_asks(const OwnApplication& own, std::span<const OpenedLetter> mail,
                const Invitation& invitation, std::uint64_t now_ms) {
    const bool holds = own.signed_.application.expiry > invitation.pulse_at(now_ms);
    return holds && own.invitation.member == invitation.member &&
           !find_decline(mail, invitation.introduction.chain, own.text);
}

}  // namespace leither::wallet
