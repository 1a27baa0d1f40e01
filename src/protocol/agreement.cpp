#include "leither/protocol/agreement.h"

#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

#include "rising.h"

namespace leither::protocol {

Bytes signing_message(const ChainId& chain, const Heartbeat& heartbeat) {
    bcs::Writer out;
    bcs::write(out, heartbeat.cycle);
    bcs::write(out, heartbeat.height);
    bcs::write(out, heartbeat.head);
    bcs::write(out, heartbeat.pulse);
    bcs::write(out, heartbeat.seat);
    return crypto::tagged_message(tags::kHeartbeat, chain, out.view());
}

ProposalClaim claim_of(const ChainId& chain, const Proposal& proposal) {
    return {proposal.slot, proposal.valid_round, block_hash(chain, proposal.header),
            proposal.signature};
}

bool Proposal::is_canonical() const {
    return strictly_rising(prevotes, &SeatSignature::seat) && prevotes.empty() == !valid_round &&
           (!valid_round || *valid_round < slot.round);
}

bool Status::is_canonical() const {
    return strictly_rising(rounds, &RoundStatus::round);
}

bool is_proven(const Fork& fork, const ChainId& chain, std::span<const PublicKey> committee) {
    return fork.first.sequence == fork.second.sequence && fork.first != fork.second &&
           verify(fork.first_certificate, chain, fork.first, committee) &&
           verify(fork.second_certificate, chain, fork.second, committee);
}

std::vector<Conflict> conflicts_in(const Fork& fork) {
    std::vector<Conflict> conflicts;
    const auto precommit = [](const Certificate& certificate, const SeatSignature& by) {
        return Vote{certificate.slot, VoteKind::precommit, certificate.block, by.seat,
                    by.signature};
    };
    const auto& others = fork.second_certificate.signatures;
    for (const SeatSignature& by : fork.first_certificate.signatures) {
        const auto other = std::ranges::find(others, by.seat, &SeatSignature::seat);
        if (other == others.end()) continue;
        auto conflict = conflict_between(precommit(fork.first_certificate, by),
                                         precommit(fork.second_certificate, *other));
        if (conflict) conflicts.push_back(*std::move(conflict));
    }
    return conflicts;
}

}  // namespace leither::protocol
