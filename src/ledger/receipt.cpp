#include "leither/ledger/receipt.h"

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/crypto/sign.h"
#include "leither/protocol/quorum.h"
#include "leither/tree/above.h"

namespace leither::ledger {

namespace {

using protocol::Charter;
using protocol::Record;

election::ChainContext context_of(const Charter& charter) {
    return {protocol::chain_id(charter), charter.supply};
}

// The charter's committee, or the one that the chain leads to from what the verifier trusts.
template <class AnyReceipt>
Result<election::Trusted, ReceiptError> led_to(const AnyReceipt& receipt,
                                               const Expectation& expected) {
    const auto& [charter, signature] = receipt.charter;
    if (expected.organization && crypto::id_of(charter.organization) != *expected.organization) {
        return fail(ReceiptError::wrong_organization);
    }
    if (!crypto::verify(charter.organization, signing_message(charter), signature)) {
        return fail(ReceiptError::bad_charter);
    }
    auto trusted = election::follow(context_of(charter),
                                    expected.committee.value_or(election::trusted_from(charter)),
                                    receipt.committees);
    if (!trusted) return fail(ReceiptError::bad_committees);
    return *std::move(trusted);
}

// The same, which has decided the header a receipt stands on.
template <class AnyReceipt>
Result<election::Trusted, ReceiptError> decided_by(const AnyReceipt& receipt,
                                                   const Expectation& expected) {
    auto trusted = TRY(led_to(receipt, expected));
    if (!election::verify_decided(context_of(receipt.charter.charter), trusted, receipt.header,
                                  receipt.certificate)) {
        return fail(ReceiptError::bad_certificate);
    }
    return trusted;
}

// A cycle block is decided by the committee before: as that is known in the term before.
election::Trusted deciders_of(const election::Trusted& in_office,
                              const protocol::Certificate& certificate) {
    const bool by_former =
        certificate.slot.cycle + 1 == in_office.cycle && !in_office.former.empty();
    return by_former ? election::Trusted{certificate.slot.cycle, in_office.former, {}} : in_office;
}

bool fits(const EndorsedReceipt& receipt, const ChainId& chain) {
    const protocol::EndorsementClaim& claim = receipt.claim;
    if (!claim.is_canonical() || !claim.slot.branch.covers(claim.account)) return false;
    if (claim.slot.height != receipt.header.sequence) return false;
    if (claim.slot.cycle < receipt.certificate.slot.cycle) return false;
    if (claim.block != hash_as_parent(chain, receipt.header)) return false;
    if (!claim.holding) return true;
    const auto sum = claim.holding->balance.plus(claim.holding->frozen);
    return sum && *sum <= claim.synopsis.sum;
}

std::uint64_t time_ms(const Charter& charter, Pulse pulse) {
    return charter.time_ms + pulse.value() * charter.params.pulse_ms;
}

ReceiptError error_of(tree::ProofError error) {
    return error == tree::ProofError::bad_record ? ReceiptError::bad_record
                                                 : ReceiptError::bad_proof;
}

}  // namespace

const char* to_string(ReceiptError error) {
    switch (error) {
        case ReceiptError::wrong_organization: return "wrong_organization";
        case ReceiptError::bad_charter: return "bad_charter";
        case ReceiptError::bad_committees: return "bad_committees";
        case ReceiptError::bad_certificate: return "bad_certificate";
        case ReceiptError::bad_proof: return "bad_proof";
        case ReceiptError::bad_record: return "bad_record";
        case ReceiptError::bad_claim: return "bad_claim";
        case ReceiptError::bad_endorsement: return "bad_endorsement";
    }
    UNREACHABLE();
}

Result<Proven, ReceiptError> verify(const Receipt& receipt, const Expectation& expected) {
    const auto committee = TRY(decided_by(receipt, expected));
    const Charter& charter = receipt.charter.charter;
    const auto bytes =
        tree::verify(receipt.proof, receipt.header.root, charter.supply, protocol::sum_of_encoded);
    if (!bytes) return fail(error_of(bytes.error()));

    Proven proven{.organization = crypto::id_of(charter.organization),
                  .account = receipt.proof.id,
                  .sequence = receipt.header.sequence,
                  .time_ms = time_ms(charter, receipt.header.pulse),
                  .trusted = protocol::is_trusted(committee.seats.size()),
                  .record = std::nullopt};
    if (*bytes) {
        auto record = bcs::decode<Record>(**bytes);
        if (!record) return fail(ReceiptError::bad_record);
        proven.record = *std::move(record);
    }
    return proven;
}

Result<Proven, ReceiptError> verify(const Receipt& receipt, std::optional<Id> organization) {
    return verify(receipt, Expectation{organization, std::nullopt});
}

Result<ProvenChild, ReceiptError> verify(const ChildReceipt& receipt,
                                         std::optional<Id> organization) {
    return verify(receipt, Expectation{organization, std::nullopt});
}

Result<ProvenChild, ReceiptError> verify(const ChildReceipt& receipt, const Expectation& expected) {
    const auto committee = TRY(decided_by(receipt, expected));
    const Charter& charter = receipt.charter.charter;
    const auto synopsis = tree::verify(receipt.proof, receipt.header.root, charter.supply);
    if (!synopsis) return fail(error_of(synopsis.error()));
    return ProvenChild{.organization = crypto::id_of(charter.organization),
                       .sequence = receipt.header.sequence,
                       .time_ms = time_ms(charter, receipt.header.pulse),
                       .trusted = protocol::is_trusted(committee.seats.size()),
                       .synopsis = *synopsis};
}

Result<ProvenEndorsed, ReceiptError> verify(const EndorsedReceipt& receipt,
                                            const Expectation& expected) {
    const auto in_office = TRY(led_to(receipt, expected));
    const Charter& charter = receipt.charter.charter;
    const auto context = context_of(charter);
    const auto deciders = deciders_of(in_office, receipt.certificate);
    if (!election::verify_decided(context, deciders, receipt.header, receipt.certificate)) {
        return fail(ReceiptError::bad_certificate);
    }
    const protocol::EndorsementClaim& claim = receipt.claim;
    if (claim.slot.cycle < in_office.cycle || !fits(receipt, context.chain)) {
        return fail(ReceiptError::bad_claim);
    }
    if (!tree::verify_above(claim.slot.branch, receipt.path, claim.synopsis, receipt.header.root,
                            charter.supply)) {
        return fail(ReceiptError::bad_proof);
    }
    if (!protocol::verify_quorum(receipt.endorsements, signing_message(context.chain, claim),
                                 vote_keys(in_office.seats), crypto::verify)) {
        return fail(ReceiptError::bad_endorsement);
    }
    return ProvenEndorsed{.organization = crypto::id_of(charter.organization),
                          .account = claim.account,
                          .sequence = receipt.header.sequence,
                          .time_ms = time_ms(charter, receipt.header.pulse),
                          .trusted = protocol::is_trusted(in_office.seats.size()) ||
                                     protocol::is_trusted(deciders.seats.size()),
                          .holding = claim.holding,
                          .branch = claim.slot.branch,
                          .branch_sum = claim.synopsis.sum};
}

Result<ProvenEndorsed, ReceiptError> verify(const EndorsedReceipt& receipt,
                                            std::optional<Id> organization) {
    return verify(receipt, Expectation{organization, std::nullopt});
}

}  // namespace leither::ledger
