#include "leither/ledger/receipt.h"

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/crypto/sign.h"

namespace leither::ledger {

namespace {

using protocol::Charter;
using protocol::Record;

// The committee that has decided the header a receipt stands on: the charter's, or the one that
// the chain leads to from what the verifier trusts.
template <class AnyReceipt>
Result<election::Trusted, ReceiptError> decided_by(const AnyReceipt& receipt,
                                                   const Expectation& expected) {
    const auto& [charter, signature] = receipt.charter;
    if (expected.organization && crypto::id_of(charter.organization) != *expected.organization) {
        return fail(ReceiptError::wrong_organization);
    }
    if (!crypto::verify(charter.organization, signing_message(charter), signature)) {
        return fail(ReceiptError::bad_charter);
    }
    const election::ChainContext context{protocol::chain_id(charter), charter.supply};
    auto trusted = election::follow(
        context, expected.committee.value_or(election::trusted_from(charter)), receipt.committees);
    if (!trusted) return fail(ReceiptError::bad_committees);
    if (!election::verify_decided(context, *trusted, receipt.header, receipt.certificate)) {
        return fail(ReceiptError::bad_certificate);
    }
    return *std::move(trusted);
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

}  // namespace leither::ledger
