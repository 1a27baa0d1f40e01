// The encodings of what an organization's nodes sign and say, frozen as those of the ledger.
#include <gtest/gtest.h>

#include "leither/protocol/catalogue_messages.h"
#include "leither/protocol/endorsement.h"
#include "leither/protocol/org_messages.h"

#include "support/golden.h"
#include "support/org/org_sample.h"

namespace leither::protocol {
namespace {

template <class T>
void expect_frozen(const std::string& type) {
    const auto digests = testing::golden_file("protocol.txt");
    ASSERT_TRUE(digests.contains(type)) << type << ' ' << testing::golden_digest<T>();
    EXPECT_EQ(testing::golden_digest<T>(), digests.at(type))
        << "the encoding of " << type << " has changed: see docs/protocol/encoding.md";
    Prng prng(7);
    for (int i = 0; i < 200; ++i) {
        const Bytes bytes = bcs::encode(testing::generate<T>(prng));
        const auto decoded = bcs::decode<T>(bytes);
        ASSERT_TRUE(decoded.has_value()) << bcs::to_string(decoded.error());
        EXPECT_EQ(bcs::encode(*decoded), bytes);
    }
}

#define FROZEN(Type)                \
    TEST(OrgGolden, Type) {         \
        expect_frozen<Type>(#Type); \
    }

FROZEN(SignedManifest)
FROZEN(ManifestItem)
FROZEN(SignedDelegation)
FROZEN(SignedPass)
FROZEN(SignedRoutingRecord)
FROZEN(SignedLetter)
FROZEN(SignedEnvelope)
FROZEN(DeliveryReceipt)
FROZEN(SignedLine)
FROZEN(ChatHead)
FROZEN(AskManifest)
FROZEN(ManifestReply)
FROZEN(Credentials)
FROZEN(Welcome)
FROZEN(RecordOffer)
FROZEN(RecordAsk)
FROZEN(RecordReply)
FROZEN(EnvelopeOffer)
FROZEN(EnvelopePost)
FROZEN(EnvelopeAck)
FROZEN(ChatPost)
FROZEN(ChatHave)
FROZEN(ChatAsk)
FROZEN(ChatLines)
FROZEN(SignedPack)
FROZEN(PackContents)
FROZEN(SignedTag)
FROZEN(SignedContribution)
FROZEN(SignedWithdrawal)
FROZEN(CatalogueHave)
FROZEN(CatalogueOffer)
FROZEN(CatalogueAsk)
FROZEN(CatalogueEntries)
FROZEN(ContentAsk)
FROZEN(ContentReply)
FROZEN(AskEndorsement)
FROZEN(EndorsementReply)

}  // namespace
}  // namespace leither::protocol
