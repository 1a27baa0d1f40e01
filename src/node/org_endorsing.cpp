// An organization's node and endorsements: the ledger as Endorsing wants it, and what becomes of
// what was gathered.
#include "leither/ledger/committees.h"

#include "org_instance.h"

namespace leither::node {

using store::Fault;

// Nothing where the state itself does not name the committee in office: while a takeover stands,
// and of the block it stands on.
Result<std::optional<Endorsing::Prepared>, Fault> OrgInstance::prepare_endorsement(
    const Id& account, Sequence sequence) const {
    if (sequence < oldest()) return std::nullopt;
    const std::uint64_t cycle = law_->term().cycle;
    auto seal = TRY(ledger::read_seal(store_, sequence));
    if (!seal || seal->certificate.signatures.empty()) return std::nullopt;
    const auto election = TRY(ledger::election_at(organization_, tree_, *seal));
    if (election.cycle != cycle) return std::nullopt;
    auto made = TRY(ledger::endorsable(organization_, tree_, *seal, cycle, account));
    return Endorsing::Prepared{*std::move(seal), std::move(made)};
}

Result<void, Fault> OrgInstance::endorse(Endorsing::Input&& input, Instant now, Effects& fx) {
    const Endorsing::Ground ground{law_->term(), head().header.sequence,
                                   [this](const Id& account, Sequence sequence) {
                                       return prepare_endorsement(account, sequence);
                                   }};
    return take(TRY(endorsing_->step(std::move(input), ground, now)), fx);
}

Result<void, Fault> OrgInstance::take(Endorsing::Effects&& done, Effects& fx) {
    for (auto& send : done.sends) {
        sends_.push_back({send.to, peer_message(std::move(send.message))});
    }
    std::ranges::move(done.blamed, std::back_inserter(blamed_));
    for (Endorsing::Done& one : done.done) {
        NetworkReply reply{0, fail(NetworkFailure{})};
        if (one.outcome) {
            reply.answer = TRY(endorsed_receipt(*std::move(one.outcome)));
        } else {
            reply.answer = fail(std::move(one.outcome).error());
        }
        for (const Token token : one.tokens) {
            reply.token = token;
            fx.replies.emplace_back(reply);
        }
    }
    return {};
}

Result<ledger::EndorsedReceipt, Fault> OrgInstance::endorsed_receipt(
    Endorsing::Gathered&& gathered) const {
    ledger::Seal& seal = gathered.prepared.seal;
    auto committees = TRY(ledger::committees_behind(organization_, store_, tree_, seal, oldest()));
    return ledger::EndorsedReceipt{charter_,
                                   std::move(committees),
                                   seal.header,
                                   std::move(seal.certificate),
                                   std::move(gathered.prepared.made.claim),
                                   std::move(gathered.prepared.made.path),
                                   std::move(gathered.signatures)};
}

void OrgInstance::refuse_all(protocol::Refusal why, Effects& fx) {
    admission_.refuse_all(why, fx);
    const bool stops = why == protocol::Refusal::stopping;
    const NetworkFailure failure{
        stops ? NetworkError::stopping : NetworkError::no_organization,
        stops ? "the node stops" : "a later state of the ledger takes its place: ask again"};
    // Failures need no store.
    CHECK(take(endorsing_->abandon(failure), fx).has_value());
}

}  // namespace leither::node
