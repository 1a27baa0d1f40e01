#include "leither/ledger/receipt.h"

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/crypto/sign.h"

namespace leither::ledger {

namespace {

using protocol::Charter;
using protocol::Record;

// That the organization's committee decided the header a receipt stands on. The first committee is
// in the charter and serves until elections replace it.
Result<void, ReceiptError> check_decided(const protocol::SignedCharter& signed_charter,
                                         const protocol::BlockHeader& header,
                                         const protocol::Certificate& certificate,
                                         std::optional<Id> organization) {
    const Charter& charter = signed_charter.charter;
    if (organization && crypto::id_of(charter.organization) != *organization) {
        return fail(ReceiptError::wrong_organization);
    }
    if (!crypto::verify(charter.organization, signing_message(charter), signed_charter.signature)) {
        return fail(ReceiptError::bad_charter);
    }
    const ChainId chain = protocol::chain_id(charter);
    if (!protocol::verify(certificate, chain, header, charter.bookkeepers)) {
        return fail(ReceiptError::bad_certificate);
    }
    return {};
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
        case ReceiptError::bad_certificate: return "bad_certificate";
        case ReceiptError::bad_proof: return "bad_proof";
        case ReceiptError::bad_record: return "bad_record";
    }
    UNREACHABLE();
}

Result<Proven, ReceiptError> verify(const Receipt& receipt, std::optional<Id> organization) {
    TRY(check_decided(receipt.charter, receipt.header, receipt.certificate, organization));
    const Charter& charter = receipt.charter.charter;
    const auto bytes =
        tree::verify(receipt.proof, receipt.header.root, charter.supply, protocol::sum_of_encoded);
    if (!bytes) return fail(error_of(bytes.error()));

    Proven proven{.organization = crypto::id_of(charter.organization),
                  .account = receipt.proof.id,
                  .sequence = receipt.header.sequence,
                  .time_ms = time_ms(charter, receipt.header.pulse),
                  .trusted = protocol::is_trusted(charter.bookkeepers.size()),
                  .record = std::nullopt};
    if (*bytes) {
        auto record = bcs::decode<Record>(**bytes);
        if (!record) return fail(ReceiptError::bad_record);
        proven.record = *std::move(record);
    }
    return proven;
}

Result<ProvenChild, ReceiptError> verify(const ChildReceipt& receipt,
                                         std::optional<Id> organization) {
    TRY(check_decided(receipt.charter, receipt.header, receipt.certificate, organization));
    const Charter& charter = receipt.charter.charter;
    const auto synopsis = tree::verify(receipt.proof, receipt.header.root, charter.supply);
    if (!synopsis) return fail(error_of(synopsis.error()));
    return ProvenChild{.organization = crypto::id_of(charter.organization),
                       .sequence = receipt.header.sequence,
                       .time_ms = time_ms(charter, receipt.header.pulse),
                       .trusted = protocol::is_trusted(charter.bookkeepers.size()),
                       .synopsis = *synopsis};
}

}  // namespace leither::ledger
