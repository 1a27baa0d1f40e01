// What an organization's nodes sign and say, from peers or the DHT: canonical or refused; and no
// record that we did not sign holds.
#include "leither/protocol/org_messages.h"

#include "support/codec_fuzz.h"

using namespace leither;

namespace {

constexpr Instant kNow = instant_from_unix_ms(1'800'000'000'000);

crypto::KeyPair key(std::uint8_t n) {
    crypto::KeyPair::Seed seed{};
    seed[0] = n;
    return crypto::KeyPair::from_seed(seed);
}

// Checked with whatever validity and signature it has: an answer, never a crash.
template <class T>
void check_record(ByteView input) {
    const auto record = bcs::decode<T>(input);
    if (record) static_cast<void>(check(*record, ChainId{}, kNow));
}

void check_manifest(ByteView input) {
    const auto manifest = bcs::decode<protocol::SignedManifest>(input);
    if (!manifest) return;
    CHECK(!check(*manifest, key(1).id(), kNow));
}

void check_receipt(ByteView input) {
    const auto receipt = bcs::decode<protocol::DeliveryReceipt>(input);
    if (!receipt) return;
    const protocol::Delivery delivery{Hash{}, key(2).id()};
    CHECK(!check(*receipt, ChainId{}, delivery, kNow));
}

void check_endpoints(ByteView input) {
    const auto record = bcs::decode<protocol::SignedRoutingRecord>(input);
    if (!record) return;
    for (const auto& endpoint : record->record.endpoints) {
        CHECK(protocol::WireEndpoint::of(endpoint.endpoint()) == endpoint);
    }
    CHECK(delegations_of(record->record).size() == record->record.accounts.size());
}

// Opened although sealed by anybody: what the inner decoder is given is the fuzzer's own choice.
void check_sealed(ByteView input) {
    const auto read_key = protocol::read_key_of(key(1));
    const auto sealed = crypto::seal_alike(read_key.public_key(), input);
    static_cast<void>(
        protocol::open_record({read_key, ChainId{}}, *sealed, key(3).public_key(), kNow));
    static_cast<void>(protocol::open_line(*sealed, read_key));
    protocol::Envelope envelope;
    envelope.recipient = key(2).id();
    const auto to = crypto::seal_key_of(key(2).public_key());
    const auto letter = crypto::seal_alike(*to, input);
    if (letter->size() > protocol::kSealedLetterBytesMax) return;
    envelope.sealed.assign(letter->begin(), letter->end());
    CHECK(!open_letter(ChainId{}, envelope, key(2)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace protocol;
    const ByteView input(data, size);
    testing::check_canonical_any<SignedManifest, ManifestItem, SignedDelegation, SignedPass,
                                 SignedRoutingRecord, SignedLetter, SignedEnvelope, DeliveryReceipt,
                                 SignedLine, ChatHead, AskManifest, ManifestReply, Credentials,
                                 Welcome, RecordOffer, RecordAsk, RecordReply, EnvelopeOffer,
                                 EnvelopePost, EnvelopeAck, ChatPost, ChatHave, ChatAsk, ChatLines>(
        input);
    if (input.empty()) return 0;
    const ByteView body = input.subspan(1);
    check_manifest(body);
    check_record<SignedDelegation>(body);
    check_record<SignedPass>(body);
    check_record<SignedRoutingRecord>(body);
    check_record<SignedEnvelope>(body);
    check_record<SignedLine>(body);
    check_receipt(body);
    check_endpoints(body);
    check_sealed(body);
    return 0;
}
