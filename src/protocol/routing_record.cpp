#include "leither/protocol/routing_record.h"

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

namespace leither::protocol {

namespace {

constexpr std::size_t kServedAccountBytes = 32 + 16 + 64;
constexpr std::size_t kSignedRecordBytesMax = 32 + 32 + (1 + 4 * kWireEndpointBytesMax) +
                                              (1 + kServedAccountsMax * kServedAccountBytes) + 8 +
                                              16 + 64;
static_assert(kSignedRecordBytesMax + crypto::kSealOverhead <= kItemContentBytesMax);

}  // namespace

Bytes signing_message(const ChainId& chain, const RoutingRecord& record) {
    return crypto::tagged_message(tags::kRoutingRecord, chain, bcs::encode(record));
}

SignedRoutingRecord sign(const ChainId& chain, const RoutingRecord& record,
                         const crypto::KeyPair& node) {
    CHECK(node.public_key() == record.node);
    return {record, node.sign(signing_message(chain, record))};
}

Result<void, RecordError> check(const SignedRoutingRecord& signed_, const ChainId& chain,
                                Instant now) {
    const RoutingRecord& record = signed_.record;
    TRY(check(record.validity, kRoutingRecordLifetimeMax, now));
    if (!crypto::verify(record.node, signing_message(chain, record), signed_.signature)) {
        return fail(RecordError::bad_signature);
    }
    return {};
}

ServedAccount served_account(const SignedDelegation& signed_) {
    return {signed_.delegation.account, signed_.delegation.validity, signed_.signature};
}

Delegations delegations_of(const RoutingRecord& record) {
    Delegations delegations;
    for (const ServedAccount& served : record.accounts) {
        delegations.push_back({{served.account, record.node, served.validity}, served.signature});
    }
    return delegations;
}

std::optional<Bytes> seal_record(const SignedRoutingRecord& signed_,
                                 const crypto::X25519PublicKey& read_key, Entropy& entropy) {
    return crypto::seal(read_key, bcs::encode(signed_), entropy);
}

Result<SignedRoutingRecord, RecordError> open_record(const RecordReader& reader, ByteView content,
                                                     const PublicKey& node, Instant now) {
    if (content.size() > kItemContentBytesMax) return fail(RecordError::bad_content);
    const auto plain = crypto::open(reader.read_key, content);
    if (!plain) return fail(RecordError::not_for_us);
    auto record = bcs::decode<SignedRoutingRecord>(*plain);
    if (!record) return fail(RecordError::bad_content);
    if (record->record.node != node) return fail(RecordError::wrong_key);
    TRY(check(*record, reader.chain, now));
    return *std::move(record);
}

}  // namespace leither::protocol
