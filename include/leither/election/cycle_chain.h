// From the charter, or any committee one trusts, to a later one: links that each prove the next
// committee by the signatures of the one before. Needs neither store nor node
// (docs/protocol/receipts.md).
//
// Rationale: a block's certificate convinces only who knows its committee. Vote keys are erased
// after their term, so a chain that goes through every change is as strong as each committee was in
// its time. A committee that has gone on since needs no link: its keys are those that sign.
#pragma once

#include <optional>

#include "leither/election/pledged.h"
#include "leither/protocol/block.h"
#include "leither/protocol/checkpoint.h"
#include "leither/tree/proof.h"

namespace leither::election {

// A committee that the verifier trusts, from the term it knows it in until another is proven.
struct Trusted {
    std::uint64_t cycle = 0;
    protocol::Seats seats;
    // Of the term before, if they are known: they have decided the cycle block, on which a takeover
    // may stand.
    protocol::Seats former = {};
    friend bool operator==(const Trusted&, const Trusted&) = default;
};
Trusted trusted_from(const protocol::Charter& charter);

// What the links are checked within.
struct ChainContext {
    ChainId chain;
    Amount supply;
};

// A decided block and the election's record below its root. A cycle block proves the committee it
// seats; any other block, that the committee has gone on.
struct CycleLink {
    protocol::BlockHeader header;
    protocol::Certificate certificate;
    tree::AccountProof record;
    static void fields(auto& self, auto&& visit) {
        visit(self.header, self.certificate, self.record);
    }
};

// A takeover: the last block of the silent committee, what its state says of committees and
// candidates, and the act. Of a hand-over also the supervisor's leaf.
struct TakeoverLink {
    CycleLink last;
    tree::AccountProof candidates;
    protocol::Transaction act;
    std::optional<tree::AccountProof> supervisor;
    static void fields(auto& self, auto&& visit) {
        visit(self.last, self.candidates, self.act, self.supervisor);
    }
};

using Link = std::variant<CycleLink, TakeoverLink>;  // only ever append
// A day and more of half-hour cycles that all change the committee. Who is further behind starts
// from a later committee or checkpoint.
inline constexpr std::size_t kLinksMax = 64;
using CycleChain = Bounded<Link, kLinksMax>;

enum class ChainError : std::uint8_t {
    wrong_term,       // the certificate is of a term before the trusted committee's
    bad_certificate,  // that committee has not decided the block
    bad_record,       // the proof does not lead to an election's record, or to no member's
    bad_proof,
    not_continued,  // the record says that another committee has decided the block
    no_progress,    // proves no later term
    bad_takeover,   // the act does not hold on the last block
    other_block,    // not the block whose hash is trusted
};
const char* to_string(ChainError error);

// Whether `trusted`, or the same seats in a later term, have decided `header`.
Result<void, ChainError> verify_decided(const ChainContext& context, const Trusted& trusted,
                                        const protocol::BlockHeader& header,
                                        const protocol::Certificate& certificate);

// The committee that decides the height behind the link's block, as that block's state says.
// Refused unless `trusted`, the same seats in a later term, or the former ones of the cycle block
// have decided the block.
Result<Trusted, ChainError> committee_after(const ChainContext& context, const Trusted& trusted,
                                            const CycleLink& link);

// The committee that the chain leads to.
Result<Trusted, ChainError> follow(const ChainContext& context, Trusted trusted,
                                   const CycleChain& links);

// A decided block whose hash the verifier trusts, with its proof: who decides behind it. It says
// itself whose certificate it has, so that is checked too.
Result<Trusted, ChainError> anchored_by(const ChainContext& context,
                                        const protocol::BlockName& trusted, const CycleLink& block);

// A start without the chain behind it: a cycle block with the signatures of the candidates of a
// table that the verifier trusts, such as its last checkpoint's.
struct Checkpoint {
    CycleLink block;
    Bounded<CheckpointSignature, protocol::kCandidatesMax> signatures;
    static void fields(auto& self, auto&& visit) { visit(self.block, self.signatures); }
};
// The committee the cycle block has seated. Its certificate is not asked for: the pledge answers.
Result<Trusted, ChainError> trusted_from(const ChainContext& context, const Checkpoint& checkpoint,
                                         const protocol::CandidateTable& table);

}  // namespace leither::election
