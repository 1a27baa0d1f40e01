// The worked examples of what an organization's nodes sign.
#include <gtest/gtest.h>

#include "leither/codec/bcs.h"

#include "support/org/org_sample.h"
#include "support/worked_bytes.h"

namespace leither::protocol {
namespace {

using testing::OrgSample;
using testing::worked_bytes;

class OrgDocs : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    static Bytes bytes_of(ByteView view) { return {view.begin(), view.end()}; }
    OrgSample sample;
};

TEST_F(OrgDocs, ManifestDelegationPassAndRecordEncodeAsShown) {
    const char* page = "protocol/organization.md";
    EXPECT_EQ(bcs::encode(sign(sample.manifest(), sample.organization)),
              worked_bytes(page, "manifest"));
    EXPECT_EQ(bcs::encode(sample.delegation(sample.alice, sample.node)),
              worked_bytes(page, "delegation"));
    EXPECT_EQ(bcs::encode(sample.pass(sample.alice.id())), worked_bytes(page, "pass"));
    EXPECT_EQ(bcs::encode(sign(sample.chain, sample.record(), sample.node)),
              worked_bytes(page, "routing record"));
}

TEST_F(OrgDocs, LetterEnvelopeAndReceiptEncodeAsShown) {
    const char* page = "protocol/messages.md";
    const SignedEnvelope envelope = sample.envelope("hi");
    const Hash id = message_id(sample.chain, envelope.envelope);
    EXPECT_EQ(bcs::encode(sample.letter("hi")), worked_bytes(page, "letter"));
    EXPECT_EQ(bcs::encode(envelope), worked_bytes(page, "envelope"));
    EXPECT_EQ(bytes_of(id.view()), worked_bytes(page, "message id"));
    const auto receipt =
        acknowledge(sample.chain, id, sample.delegation(sample.bob, sample.node), sample.node);
    EXPECT_EQ(bcs::encode(receipt), worked_bytes(page, "delivery receipt"));
}

TEST_F(OrgDocs, LineEncodesHashesAndIsSealedAsShown) {
    const char* page = "protocol/chat.md";
    const SignedLine line = sample.line(1, Hash{}, "good morning");
    EXPECT_EQ(bcs::encode(line), worked_bytes(page, "line"));
    EXPECT_EQ(bytes_of(line_hash(sample.chain, line.line).view()), worked_bytes(page, "line hash"));
    const auto read_key = read_key_of(sample.organization);
    EXPECT_EQ(*seal_line(line, read_key.public_key()), worked_bytes(page, "sealed line"));
}

}  // namespace
}  // namespace leither::protocol
