// Evidence that proves itself: what a bookkeeper must never have signed, and the way from the
// charter to the seat whose key signed it. Judged without store, node or network
// (docs/protocol/election.md).
//
// Rationale
//   * A signature convicts a key; what convicts a member is that the key held its seat at that
//     height. That says the state behind the block before: so the record carries this block, its
//     place in the chain of committees, and no more.
//   * It lies here beside receipts and not in room protocol, for a chain of committees needs proofs
//     of the tree.
#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "leither/election/cycle_chain.h"
#include "leither/protocol/agreement.h"
#include "leither/protocol/evidence.h"

namespace leither::ledger {

// Two statements of one seat in one slot, or two blocks decided at one height.
using Offence = std::variant<protocol::Conflict, protocol::Fork>;  // only ever append

struct EvidenceRecord {
    static constexpr std::uint8_t kVersion = 1;
    std::uint8_t version = kVersion;
    protocol::SignedCharter charter;
    // From the charter's committee to the one that has decided `before`.
    election::CycleChain committees;
    // The block before the offence's height, whose state says who decides there. Nothing at height
    // 1, where the charter says it.
    std::optional<election::CycleLink> before;
    Offence offence;
    static void fields(auto& self, auto&& visit) {
        visit(self.version, self.charter, self.committees, self.before, self.offence);
    }
    bool is_canonical() const { return version == kVersion; }
};
// Encoded. Chains of dozens of changing committees of 31 fit; longer ones start from a later
// committee.
inline constexpr std::size_t kEvidenceBytesMax = std::size_t{2} << 20;

// Never change these values: they are hashed.
enum class OffenceKind : std::uint8_t { double_proposal, double_prevote, double_precommit, fork };
constexpr OffenceKind last_of(OffenceKind) {
    return OffenceKind::fork;
}
const char* to_string(OffenceKind kind);

// What an offence is called: two pieces of evidence with one name tell of the same fault.
struct OffenceName {
    OffenceKind kind = OffenceKind::fork;
    std::uint64_t cycle = 0;
    Sequence height;
    std::uint32_t round = 0;  // 0 of a fork
    std::uint16_t seat = 0;   // 0 of a fork
    static void fields(auto& self, auto&& visit) {
        visit(self.kind, self.cycle, self.height, self.round, self.seat);
    }
    friend bool operator==(const OffenceName&, const OffenceName&) = default;
};
OffenceName name_of(const Offence& offence);
inline constexpr std::string_view kEvidenceTag = "leither/evidence/1";
// Under which nodes keep it and people speak of it.
Hash evidence_id(const ChainId& chain, const OffenceName& name);

// In the order in which they are looked for.
enum class EvidenceError : std::uint8_t {
    too_large,        // more than kEvidenceBytesMax
    unknown_version,  // of a later protocol
    malformed,        // not a record's one encoding
    wrong_organization,
    bad_charter,     // not signed by the organization's key
    bad_committees,  // the chain from the charter's committee breaks
    bad_before,      // the block before is missing, of another height, or that committee's not
    wrong_slot,      // not of the term or branch that this height belongs to
    unknown_seat,    // the committee has no such seat
    not_proven,      // the seat's key has not signed both, or the committee not decided both
};
const char* to_string(EvidenceError error);
// The cause in plain words, and what to do.
struct Explanation {
    std::string_view cause;
    std::string_view remedy;
};
Explanation explain(EvidenceError error);

// A record from outside; bounded before anything is allocated for it.
Result<EvidenceRecord, EvidenceError> read_evidence(ByteView bytes);

struct Accused {
    std::uint16_t seat = 0;
    protocol::Seat who;
};
// What a record proves.
struct Judgement {
    Id organization;
    ChainId chain;
    OffenceName name;
    std::size_t committee = 0;        // seats
    std::uint64_t after_time_ms = 0;  // of the block before; of the founding at height 1
    std::vector<Accused> guilty;      // by seat, rising
    // Of a fork: signed both certificates, but in different rounds. Prevotes that freed them may
    // explain it; only if they show none are they at fault.
    std::vector<Accused> answerable;
    // What convicts each of the guilty before the ledger's rule, in their order.
    std::vector<protocol::Conflict> conflicts;
};

// What the judge knows beforehand.
struct EvidenceExpectation {
    std::optional<Id> organization = std::nullopt;  // nothing: accept the record's own
    // A committee it trusts; the record's chain goes on from there. Nothing: the charter's.
    std::optional<election::Trusted> committee = std::nullopt;
};
Result<Judgement, EvidenceError> judge(const EvidenceRecord& record,
                                       const EvidenceExpectation& expected);

// Whether it is a pledge that answers for a fault in that term: it stood before. What is pledged
// anew after a verdict does not, so nobody pays twice for one fault.
bool answers_for(const protocol::Lock& lock, std::uint64_t cycle);
// What the rule on evidence takes of a member for it. Nothing: no pledge answers.
std::optional<Amount> pledge_at_stake(const protocol::MemberRecord& member, std::uint64_t cycle);

}  // namespace leither::ledger
