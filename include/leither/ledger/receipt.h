// Receipts: leaf, path, header and certificate, so that anyone proves offline what an account held
// at a sequence (protocol §9, docs/protocol/receipts.md). This is the *full* form: its siblings
// betray a neighbour's balance, so it goes only to those entitled.
#pragma once

#include <optional>

#include "leither/protocol/block.h"
#include "leither/tree/proof.h"

namespace leither::ledger {

struct Receipt {
    protocol::SignedCharter charter;
    protocol::BlockHeader header;
    protocol::Certificate certificate;
    tree::AccountProof proof;
    static void fields(auto& self, auto&& visit) {
        visit(self.charter, self.header, self.certificate, self.proof);
    }
};

// The same for the synopsis of a child organization.
struct ChildReceipt {
    protocol::SignedCharter charter;
    protocol::BlockHeader header;
    protocol::Certificate certificate;
    tree::PrefixProof proof;
    static void fields(auto& self, auto&& visit) {
        visit(self.charter, self.header, self.certificate, self.proof);
    }
};

enum class ReceiptError : std::uint8_t {
    wrong_organization,  // not the one asked for
    bad_charter,         // not signed by the organization's key
    bad_certificate,     // the committee did not decide this header
    bad_proof,           // the path does not lead to the header's root
    bad_record,
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

// `organization`: the id the verifier expects, nothing to accept the receipt's own.
Result<Proven, ReceiptError> verify(const Receipt& receipt, std::optional<Id> organization);

struct ProvenChild {
    Id organization;
    Sequence sequence;
    std::uint64_t time_ms = 0;
    bool trusted = false;
    Synopsis synopsis;
};
Result<ProvenChild, ReceiptError> verify(const ChildReceipt& receipt,
                                         std::optional<Id> organization);

}  // namespace leither::ledger
