// Receipts: leaf, path, header and certificate, so that anyone proves offline what an account held
// at a sequence (protocol §9, docs/protocol/receipts.md). The siblings of the *full* form betray a
// neighbour's balance, so it goes only to those entitled; the *endorsed* form is for strangers.
#pragma once

#include <optional>

#include "leither/election/cycle_chain.h"
#include "leither/protocol/block.h"
#include "leither/protocol/endorsement.h"
#include "leither/tree/proof.h"

namespace leither::ledger {

struct Receipt {
    protocol::SignedCharter charter;
    election::CycleChain committees;  // from the charter's to the one that certified the header
    protocol::BlockHeader header;
    protocol::Certificate certificate;
    tree::AccountProof proof;
    static void fields(auto& self, auto&& visit) {
        visit(self.charter, self.committees, self.header, self.certificate, self.proof);
    }
};

// The same for the synopsis of a child organization.
struct ChildReceipt {
    protocol::SignedCharter charter;
    election::CycleChain committees;
    protocol::BlockHeader header;
    protocol::Certificate certificate;
    tree::PrefixProof proof;
    static void fields(auto& self, auto&& visit) {
        visit(self.charter, self.committees, self.header, self.certificate, self.proof);
    }
};

// For strangers: instead of the leaf, what the committee in office says of it.
struct EndorsedReceipt {
    protocol::SignedCharter charter;
    // To the committee that stands on the header. It has certified it, or the one before has.
    election::CycleChain committees;
    protocol::BlockHeader header;
    protocol::Certificate certificate;
    protocol::EndorsementClaim claim;
    tree::Path path;  // from the root to the branch
    protocol::SeatSignatures endorsements;
    static void fields(auto& self, auto&& visit) {
        visit(self.charter, self.committees, self.header, self.certificate, self.claim, self.path,
              self.endorsements);
    }
};

enum class ReceiptError : std::uint8_t {
    wrong_organization,  // not the one asked for
    bad_charter,         // not signed by the organization's key
    bad_committees,      // the chain from the charter's committee breaks
    bad_certificate,     // the committee did not decide this header
    bad_proof,           // the path does not lead to the header's root
    bad_record,
    bad_claim,        // of another block or branch, or of more than the branch holds
    bad_endorsement,  // no quorum of the committee in office has signed the claim
};
const char* to_string(ReceiptError error);

// What a receipt proves.
struct Proven {
    Id organization;
    Id account;
    Sequence sequence;
    std::uint64_t time_ms = 0;               // of the block's pulse
    bool trusted = false;                    // committee below 4: crash tolerance only
    std::optional<protocol::Record> record;  // nothing: the account did not exist
};

// What the verifier knows beforehand.
struct Expectation {
    std::optional<Id> organization;  // nothing: accept the receipt's own
    // A committee it trusts; the receipt's chain goes on from there. Nothing: the charter's.
    std::optional<election::Trusted> committee;
};
Result<Proven, ReceiptError> verify(const Receipt& receipt, const Expectation& expected);
// With nothing but the organization's id, or not even that.
Result<Proven, ReceiptError> verify(const Receipt& receipt, std::optional<Id> organization);

struct ProvenChild {
    Id organization;
    Sequence sequence;
    std::uint64_t time_ms = 0;
    bool trusted = false;
    Synopsis synopsis;
};
Result<ProvenChild, ReceiptError> verify(const ChildReceipt& receipt, const Expectation& expected);
Result<ProvenChild, ReceiptError> verify(const ChildReceipt& receipt,
                                         std::optional<Id> organization);

struct ProvenEndorsed {
    Id organization;
    Id account;
    Sequence sequence;
    std::uint64_t time_ms = 0;
    bool trusted = false;
    std::optional<protocol::Holding> holding;  // nothing: the account did not exist
    Prefix branch;
    Amount branch_sum;
};
Result<ProvenEndorsed, ReceiptError> verify(const EndorsedReceipt& receipt,
                                            const Expectation& expected);
Result<ProvenEndorsed, ReceiptError> verify(const EndorsedReceipt& receipt,
                                            std::optional<Id> organization);

}  // namespace leither::ledger
