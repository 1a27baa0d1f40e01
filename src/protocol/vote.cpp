#include "leither/protocol/vote.h"

#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/crypto/sign.h"
#include "leither/protocol/domain_tags.h"

namespace leither::protocol {

namespace {

struct Conviction {
    const ChainId& chain;
    std::span<const PublicKey> committee;

    bool is_signed(std::uint16_t seat, ByteView message, const Signature& signature) const {
        return seat < committee.size() && crypto::verify(committee[seat], message, signature);
    }
    bool is_signed(const Vote& vote) const {
        return is_signed(vote.seat, signing_message(chain, vote), vote.signature);
    }
    bool is_signed(std::uint16_t seat, const ProposalClaim& claim) const {
        return is_signed(seat, signing_message(chain, claim), claim.signature);
    }

    bool operator()(const DoubleProposal& both) const {
        const auto& [seat, first, second] = both;
        const bool differ = first.block != second.block || first.valid_round != second.valid_round;
        return first.slot == second.slot && differ && is_signed(seat, first) &&
               is_signed(seat, second);
    }
    bool operator()(const DoubleVote& both) const {
        const auto& [first, second] = both;
        return first.slot == second.slot && first.kind == second.kind &&
               first.seat == second.seat && first.block != second.block && is_signed(first) &&
               is_signed(second);
    }
    bool operator()(const DoubleDecision& both) const {
        return both.first.sequence == both.second.sequence && both.first != both.second &&
               verify(both.first_certificate, chain, both.first, committee) &&
               verify(both.second_certificate, chain, both.second, committee);
    }
};

}  // namespace

const char* to_string(VoteKind kind) {
    switch (kind) {
        case VoteKind::prevote: return "prevote";
        case VoteKind::precommit: return "precommit";
    }
    UNREACHABLE();
}

const char* to_string(RoundStep step) {
    switch (step) {
        case RoundStep::idle: return "idle";
        case RoundStep::propose: return "propose";
        case RoundStep::prevote: return "prevote";
        case RoundStep::precommit: return "precommit";
        case RoundStep::decided: return "decided";
    }
    UNREACHABLE();
}

Bytes signing_message(const ChainId& chain, const Vote& vote) {
    bcs::Writer out;
    bcs::write(out, vote.slot);
    switch (vote.kind) {
        case VoteKind::prevote:
            bcs::write(out, vote.block);
            return crypto::tagged_message(tags::kPrevote, chain, out.view());
        case VoteKind::precommit:
            if (vote.block) return precommit_message(chain, vote.slot, *vote.block);
            return crypto::tagged_message(tags::kNilPrecommit, chain, out.view());
    }
    UNREACHABLE();
}

Bytes signing_message(const ChainId& chain, const ProposalClaim& claim) {
    bcs::Writer out;
    bcs::write(out, claim.slot);
    bcs::write(out, claim.valid_round);
    bcs::write(out, claim.block);
    return crypto::tagged_message(tags::kProposal, chain, out.view());
}

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
    const bool rising = std::ranges::adjacent_find(prevotes, std::ranges::greater_equal{},
                                                   &SeatSignature::seat) == prevotes.end();
    return rising && prevotes.empty() == !valid_round &&
           (!valid_round || *valid_round < slot.round);
}

bool Status::is_canonical() const {
    return std::ranges::adjacent_find(rounds, std::ranges::greater_equal{}, &RoundStatus::round) ==
           rounds.end();
}

bool convicts(const Evidence& evidence, const ChainId& chain,
              std::span<const PublicKey> committee) {
    return std::visit(Conviction{chain, committee}, evidence);
}

}  // namespace leither::protocol
