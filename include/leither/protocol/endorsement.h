// What a committee says of one account, for its owner to show to strangers, and how the owner asks
// for it (docs/protocol/receipts.md, "Endorsed form").
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "leither/base/synopsis.h"
#include "leither/crypto/sign.h"
#include "leither/protocol/slot.h"

namespace leither::protocol {

enum class HolderKind : std::uint8_t { member, treasury, system };  // encoded; never change these
constexpr HolderKind last_of(HolderKind) {
    return HolderKind::system;
}
const char* to_string(HolderKind kind);

// What strangers may know of an account's record: no key, role, nonce or salt.
struct Holding {
    HolderKind kind = HolderKind::member;
    Amount balance;
    Amount frozen;  // beside the balance
    static void fields(auto& self, auto&& visit) { visit(self.kind, self.balance, self.frozen); }
    friend bool operator==(const Holding&, const Holding&) = default;
};

// By the committee that stands on the block, with the keys it votes with.
struct EndorsementClaim {
    Slot slot;          // the term in office, the branch that is shown, the sequence; round 0
    Hash block;         // decided at that sequence
    Synopsis synopsis;  // of the branch
    Id account;
    std::optional<Holding> holding;  // nothing: there is no such account
    static void fields(auto& self, auto&& visit) {
        visit(self.slot, self.block, self.synopsis, self.account, self.holding);
    }
    bool is_canonical() const { return slot.round == 0 && slot.branch.is_canonical(); }
    friend bool operator==(const EndorsementClaim&, const EndorsementClaim&) = default;
};
Bytes signing_message(const ChainId& chain, const EndorsementClaim& claim);

// "Endorse what my account held at this sequence": by the account's key, to each bookkeeper. It
// names one state and one term, so shown again it brings nothing that was not asked for.
struct AskEndorsement {
    PublicKey account;
    std::uint64_t cycle = 0;  // the term of who shall answer
    Sequence sequence;
    Signature signature;
    static void fields(auto& self, auto&& visit) {
        visit(self.account, self.cycle, self.sequence, self.signature);
    }
    friend bool operator==(const AskEndorsement&, const AskEndorsement&) = default;

    static constexpr std::uint32_t kBytesMax = 32 + 8 + 8 + 64;
};
Bytes signing_message(const ChainId& chain, const AskEndorsement& ask);
AskEndorsement ask_endorsement(const ChainId& chain, std::uint64_t cycle, Sequence sequence,
                               const crypto::KeyPair& account);
bool is_signed(const AskEndorsement& ask, const ChainId& chain);

// Why a bookkeeper endorses nothing. Encoded; never change these values.
enum class EndorsementRefusal : std::uint8_t {
    behind,      // its ledger has not come to that sequence
    other_term,  // the term named is not the one it is in, or the state is older
    not_kept,    // it keeps no certified block of that sequence
};
constexpr EndorsementRefusal last_of(EndorsementRefusal) {
    return EndorsementRefusal::not_kept;
}
const char* to_string(EndorsementRefusal refusal);

// One seat's answer: its signature of the claim, which whoever keeps the ledger knows itself.
struct EndorsementReply {
    Id account;
    std::uint64_t cycle = 0;
    Sequence sequence;
    std::uint16_t seat = 0;
    std::variant<Signature, EndorsementRefusal> said;
    static void fields(auto& self, auto&& visit) {
        visit(self.account, self.cycle, self.sequence, self.seat, self.said);
    }
    friend bool operator==(const EndorsementReply&, const EndorsementReply&) = default;

    static constexpr std::uint32_t kBytesMax = 20 + 8 + 8 + 2 + 1 + 64;
};

}  // namespace leither::protocol
