// What bookkeepers say to each other to agree on a block, beside their votes
// (docs/protocol/agreement.md).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "leither/protocol/block.h"
#include "leither/protocol/vote.h"

namespace leither::protocol {

// A claim and what it claims.
struct Proposal {
    Slot slot;
    std::optional<std::uint32_t> valid_round;
    // The quorum of prevotes for the block in valid_round. With the proposal, since a seat that
    // votes twice can show each half of the committee another vote.
    SeatSignatures prevotes;
    BlockHeader header;
    // Decided the block's parent; its seats are header.signers. Nothing at sequence 1, whose parent
    // the charter's signature decides.
    std::optional<Certificate> parent;
    // Nothing: the receiver has them already.
    std::optional<Transactions> transactions;
    Signature signature;  // of claim_of()
    static void fields(auto& self, auto&& visit) {
        visit(self.slot, self.valid_round, self.prevotes, self.header, self.parent,
              self.transactions, self.signature);
    }
    bool is_canonical() const;

    // Beside the transactions.
    static constexpr std::uint32_t kOverheadBytesMax = 41 + 5 + (1 + 66 * kSeatsMax) +
                                                       kBlockHeaderBytes + 1 +
                                                       (41 + 32 + 1 + 66 * kSeatsMax) + 1 + 5 + 64;
};
ProposalClaim claim_of(const ChainId& chain, const Proposal& proposal);

// "I am here": by the chief while nothing waits.
struct Heartbeat {
    std::uint64_t cycle = 0;
    Sequence height;  // of the head
    Hash head;        // its hash
    Pulse pulse;
    std::uint16_t seat = 0;
    Signature signature;
    static void fields(auto& self, auto&& visit) {
        visit(self.cycle, self.height, self.head, self.pulse, self.seat, self.signature);
    }
    friend bool operator==(const Heartbeat&, const Heartbeat&) = default;

    static constexpr std::uint32_t kBytesMax = 8 + 8 + 32 + 8 + 2 + 64;
};
Bytes signing_message(const ChainId& chain, const Heartbeat& heartbeat);

// A decided block for one who missed its votes. Without transactions it shows that the receiver is
// behind, or is for one who has them.
struct Decision {
    BlockHeader header;
    Certificate certificate;
    std::optional<Transactions> transactions;
    static void fields(auto& self, auto&& visit) {
        visit(self.header, self.certificate, self.transactions);
    }

    static constexpr std::uint32_t kOverheadBytesMax =
        kBlockHeaderBytes + (41 + 32 + 1 + 66 * kSeatsMax) + 1 + 5;
};

// What its sender wants to be told.
enum class Interest : std::uint8_t {  // encoded; never change these values
    decisions,
    votes,  // proposals and votes too: it votes, or passes them on
};
constexpr Interest last_of(Interest) {
    return Interest::votes;
}

// Encoded; never change these values.
enum class RoundStep : std::uint8_t { idle, propose, prevote, precommit, decided };
constexpr RoundStep last_of(RoundStep) {
    return RoundStep::decided;
}

// What the sender holds of a round, by seat.
struct RoundStatus {
    std::uint32_t round = 0;
    bool has_proposal = false;
    std::uint32_t prevotes = 0;
    std::uint32_t precommits = 0;
    static void fields(auto& self, auto&& visit) {
        visit(self.round, self.has_proposal, self.prevotes, self.precommits);
    }
    friend bool operator==(const RoundStatus&, const RoundStatus&) = default;
};

// Where the sender stands; unsigned, it speaks for itself over its own connection. Whoever reads it
// sends the votes it lacks, and the proposal it asks for.
struct Status {
    static constexpr std::size_t kRoundsMax = 8;
    std::uint64_t cycle = 0;
    Sequence height;  // the one it works on, or that is next
    std::uint32_t round = 0;
    RoundStep step = RoundStep::idle;
    Pulse pulse;
    Interest interest = Interest::decisions;
    std::uint32_t connected = 0;              // bit s: it is connected to the node of seat s
    std::optional<std::uint32_t> wanted;      // the receiver shall send this round's proposal
    Bounded<RoundStatus, kRoundsMax> rounds;  // those that matter to it, rising
    static void fields(auto& self, auto&& visit) {
        visit(self.cycle, self.height, self.round, self.step, self.pulse, self.interest,
              self.connected, self.wanted, self.rounds);
    }
    friend bool operator==(const Status&, const Status&) = default;
    bool is_canonical() const;

    static constexpr std::uint32_t kBytesMax = 8 + 8 + 4 + 1 + 8 + 1 + 4 + 5 + 1 + 13 * kRoundsMax;
};

using AgreementMessage = std::variant<Proposal, Vote, Heartbeat, Status, Decision>;

// Two blocks decided at one height: more than f lie. Who signed both in one slot is convicted by
// that; who did in different rounds, only by the locks it cannot have left.
struct Fork {
    BlockHeader first;
    Certificate first_certificate;
    BlockHeader second;
    Certificate second_certificate;
    static void fields(auto& self, auto&& visit) {
        visit(self.first, self.first_certificate, self.second, self.second_certificate);
    }
};
// Whether `committee` (keys by seat) has decided both.
bool is_proven(const Fork& fork, const ChainId& chain, std::span<const PublicKey> committee);
// By the seats that signed both certificates, if these are of one slot.
std::vector<Conflict> conflicts_in(const Fork& fork);

}  // namespace leither::protocol
