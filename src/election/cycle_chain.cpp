#include "leither/election/cycle_chain.h"

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/crypto/sign.h"

namespace leither::election {

namespace {

using protocol::ElectionRecord;
using protocol::LastBlock;
using protocol::Record;

// The record that the proof opens: of that account, below that root, of that kind.
template <class Kind>
Result<Kind, ChainError> opened(const ChainContext& context, const tree::AccountProof& proof,
                                const Id& id, const protocol::BlockHeader& header) {
    if (proof.id != id) return fail(ChainError::bad_record);
    const auto bytes = tree::verify(proof, header.root, context.supply, protocol::sum_of_encoded);
    if (!bytes) return fail(ChainError::bad_proof);
    if (!*bytes) return fail(ChainError::bad_record);
    const auto record = bcs::decode<Record>(**bytes);
    if (!record || !std::holds_alternative<Kind>(*record)) return fail(ChainError::bad_record);
    return std::get<Kind>(*record);
}

LastBlock named(const ChainContext& context, std::uint64_t cycle,
                const protocol::BlockHeader& header) {
    return {cycle, header.sequence, hash_as_parent(context.chain, header)};
}

// The record of a block that `trusted` has decided and that says so itself.
Result<ElectionRecord, ChainError> decided_record(const ChainContext& context,
                                                  const Trusted& trusted, const CycleLink& link) {
    const bool by_former =
        link.certificate.slot.cycle + 1 == trusted.cycle && !trusted.former.empty();
    const protocol::Seats& seats = by_former ? trusted.former : trusted.seats;
    TRY(verify_decided(context, {trusted.cycle - (by_former ? 1 : 0), seats}, link.header,
                       link.certificate));
    auto record = TRY(opened<ElectionRecord>(context, link.record,
                                             protocol::election_id(context.chain), link.header));
    const auto authority = authority_over(record, link.header.sequence);
    if (authority.cycle != link.certificate.slot.cycle || authority.seats != seats) {
        return fail(ChainError::not_continued);
    }
    if (by_former && (record.cycle != trusted.cycle || record.present != trusted.seats)) {
        return fail(ChainError::not_continued);
    }
    return record;
}

// The seats an act puts in place, judged by the state of the last block.
struct TakeoverCheck {
    const ChainContext& context;
    const Standing& standing;
    const TakeoverLink& link;
    using Answer = Result<protocol::Seats, ChainError>;

    static Answer answer(const Result<protocol::Seats, Refused>& seats) {
        if (!seats) return fail(ChainError::bad_takeover);
        return *seats;
    }
    Answer operator()(const protocol::HandOver& act) const {
        if (!link.supervisor || link.act.signatures.empty()) return fail(ChainError::bad_takeover);
        const auto supervisor = TRY(opened<protocol::MemberRecord>(
            context, *link.supervisor, link.act.body.signer, link.last.header));
        const Bytes message = signing_message(context.chain, link.act.body);
        if (supervisor.role != protocol::Role::supervisor || !act.is_canonical() ||
            !crypto::verify(supervisor.key, message, link.act.signatures.front())) {
            return fail(ChainError::bad_takeover);
        }
        return answer(check_hand_over(standing, act));
    }
    Answer operator()(const protocol::Recovery& act) const {
        return answer(check_recovery(standing, act));
    }
    Answer operator()(const auto&) const { return fail(ChainError::bad_takeover); }
};

struct Step {
    const ChainContext& context;
    const Trusted& trusted;
    using Answer = Result<Trusted, ChainError>;

    Answer operator()(const CycleLink& link) const {
        auto next = TRY(committee_after(context, trusted, link));
        if (next.cycle <= trusted.cycle) return fail(ChainError::no_progress);
        return next;
    }
    Answer operator()(const TakeoverLink& link) const {
        const ElectionRecord record = TRY(decided_record(context, trusted, link.last));
        const auto table = TRY(opened<protocol::CandidateTable>(
            context, link.candidates, protocol::candidates_id(context.chain), link.last.header));
        const Standing standing{context.chain, record, table,
                                named(context, record.cycle, link.last.header)};
        auto seats = TRY(std::visit(TakeoverCheck{context, standing, link}, link.act.body.action));
        return Trusted{record.cycle + 1, std::move(seats), record.present};
    }
};

}  // namespace

const char* to_string(ChainError error) {
    switch (error) {
        case ChainError::wrong_term: return "wrong_term";
        case ChainError::bad_certificate: return "bad_certificate";
        case ChainError::bad_record: return "bad_record";
        case ChainError::bad_proof: return "bad_proof";
        case ChainError::not_continued: return "not_continued";
        case ChainError::no_progress: return "no_progress";
        case ChainError::bad_takeover: return "bad_takeover";
        case ChainError::other_block: return "other_block";
    }
    UNREACHABLE();
}

Trusted trusted_from(const protocol::Charter& charter) {
    Trusted trusted;
    for (const PublicKey& key : charter.bookkeepers) {
        trusted.seats.push_back({crypto::id_of(key), key, key});
    }
    return trusted;
}

Result<void, ChainError> verify_decided(const ChainContext& context, const Trusted& trusted,
                                        const protocol::BlockHeader& header,
                                        const protocol::Certificate& certificate) {
    if (certificate.slot.cycle < trusted.cycle) return fail(ChainError::wrong_term);
    if (!protocol::verify(certificate, context.chain, header, vote_keys(trusted.seats))) {
        return fail(ChainError::bad_certificate);
    }
    return {};
}

Result<Trusted, ChainError> committee_after(const ChainContext& context, const Trusted& trusted,
                                            const CycleLink& link) {
    ElectionRecord record = TRY(decided_record(context, trusted, link));
    return Trusted{record.cycle, std::move(record.present), std::move(record.former)};
}

Result<Trusted, ChainError> follow(const ChainContext& context, Trusted trusted,
                                   const CycleChain& links) {
    for (const Link& link : links) trusted = TRY(std::visit(Step{context, trusted}, link));
    return trusted;
}

Result<Trusted, ChainError> anchored_by(const ChainContext& context,
                                        const protocol::BlockName& trusted,
                                        const CycleLink& block) {
    const protocol::BlockHeader& header = block.header;
    if (header.sequence != trusted.sequence ||
        hash_as_parent(context.chain, header) != trusted.hash) {
        return fail(ChainError::other_block);
    }
    const auto record = TRY(opened<ElectionRecord>(context, block.record,
                                                   protocol::election_id(context.chain), header));
    const auto authority = authority_over(record, header.sequence);
    TRY(verify_decided(context, {authority.cycle, authority.seats}, header, block.certificate));
    if (block.certificate.slot.cycle != authority.cycle) return fail(ChainError::wrong_term);
    return Trusted{record.cycle, record.present, record.former};
}

Result<Trusted, ChainError> trusted_from(const ChainContext& context, const Checkpoint& checkpoint,
                                         const protocol::CandidateTable& table) {
    const CycleLink& block = checkpoint.block;
    const auto record = TRY(opened<ElectionRecord>(
        context, block.record, protocol::election_id(context.chain), block.header));
    if (record.first_sequence != block.header.sequence) return fail(ChainError::bad_record);
    if (!check_checkpoint(context.chain, named(context, record.cycle, block.header), table,
                          checkpoint.signatures)) {
        return fail(ChainError::bad_certificate);
    }
    return Trusted{record.cycle, record.present, record.former};
}

}  // namespace leither::election
