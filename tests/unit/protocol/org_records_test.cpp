// What an organization's nodes sign: every altered bit is refused, every maximum fits.
#include <limits>

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

#include "support/org/org_sample.h"

namespace leither::protocol {
namespace {

using testing::altered;
using testing::kSampleNow;
using testing::OrgSample;

class OrgRecords : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    // No record with one bit turned passes `holds`.
    template <class T>
    void expect_every_bit_matters(const T& record, auto holds) {
        ASSERT_TRUE(holds(record));
        const Bytes bytes = bcs::encode(record);
        for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
            const auto decoded = bcs::decode<T>(altered(bytes, bit));
            EXPECT_FALSE(decoded && holds(*decoded)) << "bit " << bit;
        }
    }

    OrgSample sample;
    Prng prng{7};
};

TEST_F(OrgRecords, AnAlteredManifestIsRefused) {
    expect_every_bit_matters(
        sign(sample.manifest(), sample.organization), [this](const SignedManifest& manifest) {
            return check(manifest, sample.organization.id(), kSampleNow).has_value();
        });
}

TEST_F(OrgRecords, AnAlteredDelegationIsRefused) {
    expect_every_bit_matters(sample.delegation(sample.alice, sample.node),
                             [this](const SignedDelegation& delegation) {
                                 return check(delegation, sample.chain, kSampleNow).has_value();
                             });
}

TEST_F(OrgRecords, AnAlteredPassIsRefused) {
    expect_every_bit_matters(sample.pass(sample.bob.id()), [this](const SignedPass& pass) {
        return check(pass, sample.chain, kSampleNow).has_value();
    });
}

TEST_F(OrgRecords, AnAlteredRoutingRecordIsRefused) {
    expect_every_bit_matters(sign(sample.chain, sample.record(), sample.node),
                             [this](const SignedRoutingRecord& record) {
                                 return check(record, sample.chain, kSampleNow).has_value();
                             });
}

TEST_F(OrgRecords, AnAlteredEnvelopeIsRefused) {
    expect_every_bit_matters(sample.envelope("hello"), [this](const SignedEnvelope& envelope) {
        return check(envelope, sample.chain, kSampleNow).has_value();
    });
}

TEST_F(OrgRecords, AnAlteredLineIsRefused) {
    expect_every_bit_matters(sample.line(1, Hash{}, "hello"), [this](const SignedLine& line) {
        return check(line, sample.chain, kSampleNow).has_value();
    });
}

TEST_F(OrgRecords, AnAlteredDeliveryReceiptIsRefused) {
    const Delivery delivery{Hash::copy_of(Bytes(32, 0x99)), sample.bob.id()};
    const auto receipt = acknowledge(sample.chain, delivery.message,
                                     sample.delegation(sample.bob, sample.node), sample.node);
    expect_every_bit_matters(receipt, [&](const DeliveryReceipt& shown) {
        return check(shown, sample.chain, delivery, kSampleNow).has_value();
    });
    const Delivery other{Hash::copy_of(Bytes(32, 0x98)), sample.bob.id()};
    EXPECT_EQ(check(receipt, sample.chain, other, kSampleNow).error(), RecordError::bad_signature);
    const Delivery to_alice{delivery.message, sample.alice.id()};
    EXPECT_EQ(check(receipt, sample.chain, to_alice, kSampleNow).error(), RecordError::wrong_key);
}

TEST_F(OrgRecords, AnotherChainRefusesThem) {
    const ChainId other = ChainId::copy_of(Bytes(32, 0xdd));
    const auto bad = RecordError::bad_signature;
    EXPECT_EQ(check(sample.delegation(sample.alice, sample.node), other, kSampleNow).error(), bad);
    EXPECT_EQ(check(sample.pass(sample.bob.id()), other, kSampleNow).error(), bad);
    EXPECT_EQ(check(sign(sample.chain, sample.record(), sample.node), other, kSampleNow).error(),
              bad);
    EXPECT_EQ(check(sample.envelope("x"), other, kSampleNow).error(), bad);
    EXPECT_EQ(check(sample.line(1, Hash{}, "x"), other, kSampleNow).error(), bad);
}

TEST_F(OrgRecords, ValidityIsRefusedInItsOrder) {
    const Duration most = std::chrono::hours(1);
    const auto at = [](Validity validity) {
        return check(validity, std::chrono::hours(1), kSampleNow);
    };
    const std::uint64_t now = testing::kSampleMs;
    const std::uint64_t hour = 3'600'000;
    const std::uint64_t ahead = 600'000;  // kClockTolerance
    EXPECT_TRUE(at({now, now + hour}));
    EXPECT_EQ(at({now, now + hour + 1}).error(), RecordError::too_long_lived);
    EXPECT_EQ(at({now + ahead + 1, now + hour}).error(), RecordError::from_the_future);
    EXPECT_TRUE(at({now + ahead, now + hour}));
    EXPECT_EQ(at({now - hour, now}).error(), RecordError::expired);
    EXPECT_TRUE(at({now - hour + 1, now + 1}));
    EXPECT_EQ(at({now + 1, now}).error(), RecordError::too_long_lived);
    EXPECT_EQ(Validity::from(kSampleNow, most), (Validity{now, now + hour}));
}

TEST_F(OrgRecords, ALargestManifestFitsAnItem) {
    const Bytes bytes = bcs::encode(sign(sample.largest_manifest(), sample.organization));
    EXPECT_EQ(bytes.size(), 926U);
    EXPECT_LE(bytes.size(), kItemContentBytesMax);
    EXPECT_TRUE(bcs::decode<SignedManifest>(bytes).has_value());
    Manifest larger = sample.largest_manifest();
    bcs::Writer out;
    larger.keepers.push_back(larger.keepers.front());
    EXPECT_GT(larger.keepers.size(), kKeepersMax);
}

// A list one longer than its maximum, made by raising its length byte.
TEST_F(OrgRecords, OneMoreThanTheMaximumIsRefused) {
    RoutingRecord record = sample.largest_record();
    Bytes bytes = bcs::encode(record);
    const std::size_t length_at = 32 + 32;
    ASSERT_EQ(bytes[length_at], 4);
    bytes[length_at] = 5;
    EXPECT_EQ(bcs::decode<RoutingRecord>(bytes).error(), bcs::DecodeError::too_long);

    Bytes manifest = bcs::encode(sample.largest_manifest());
    const std::size_t keepers_at = 32 + 32 + 65 + 17 + 1 + 48 + 32;
    ASSERT_EQ(manifest[keepers_at], kKeepersMax);
    manifest[keepers_at] = kKeepersMax + 1;
    EXPECT_EQ(bcs::decode<Manifest>(manifest).error(), bcs::DecodeError::too_long);
}

TEST_F(OrgRecords, ALargestRoutingRecordFitsAnItemWhenSealed) {
    const auto record = sign(sample.chain, sample.largest_record(), sample.node);
    const auto read_key = read_key_of(sample.organization);
    const auto sealed = seal_record(record, read_key.public_key(), prng);
    ASSERT_TRUE(sealed.has_value());
    EXPECT_EQ(sealed->size(), 950U);
    const RecordReader reader{read_key, sample.chain};
    EXPECT_EQ(*open_record(reader, *sealed, sample.node.public_key(), kSampleNow), record);
}

TEST_F(OrgRecords, ASealedRecordOpensOnlyForItsReadersAndItsNode) {
    const auto record = sign(sample.chain, sample.record(), sample.node);
    const auto read_key = read_key_of(sample.organization);
    const auto sealed = seal_record(record, read_key.public_key(), prng);
    const RecordReader reader{read_key, sample.chain};
    const auto open = [&](ByteView content, const PublicKey& node) {
        return open_record(reader, content, node, kSampleNow);
    };
    const auto stranger = crypto::X25519KeyPair::derive(sample.alice.seed(), "leither/test/1");
    EXPECT_EQ(open_record({stranger, sample.chain}, *sealed, sample.node.public_key(), kSampleNow)
                  .error(),
              RecordError::not_for_us);
    EXPECT_EQ(open(*sealed, sample.alice.public_key()).error(), RecordError::wrong_key);
    EXPECT_EQ(open(altered(*sealed, 300), sample.node.public_key()).error(),
              RecordError::not_for_us);
    EXPECT_EQ(open(Bytes(kItemContentBytesMax + 1), sample.node.public_key()).error(),
              RecordError::bad_content);
    const auto junk = crypto::seal(read_key.public_key(), Bytes(10), prng);
    EXPECT_EQ(open(*junk, sample.node.public_key()).error(), RecordError::bad_content);
}

TEST_F(OrgRecords, DelegationsOfARecordAreThoseThatWerePutIn) {
    const auto delegations = delegations_of(sample.record());
    ASSERT_EQ(delegations.size(), 1U);
    EXPECT_EQ(delegations.front(), sample.delegation(sample.alice, sample.node));
}

TEST_F(OrgRecords, ALetterOpensForItsRecipientAlone) {
    const SignedEnvelope envelope = sample.envelope("good morning");
    const auto letter = open_letter(sample.chain, envelope.envelope, sample.bob);
    ASSERT_TRUE(letter.has_value());
    EXPECT_EQ(letter->letter.text, "good morning");
    EXPECT_EQ(letter->letter.sender, sample.alice.public_key());
    EXPECT_EQ(open_letter(sample.chain, envelope.envelope, sample.alice).error(),
              RecordError::not_for_us);
    Envelope readdressed = envelope.envelope;
    readdressed.recipient = sample.alice.id();
    EXPECT_EQ(open_letter(sample.chain, readdressed, sample.alice).error(),
              RecordError::not_for_us);
}

TEST_F(OrgRecords, ALetterPassedOnAsOnesOwnIsRefused) {
    // Bob seals Alice's letter to him anew, for Carol.
    const auto carol = testing::key_named("carol");
    SignedLetter letter = sample.letter("for bob");
    Envelope envelope;
    envelope.recipient = carol.id();
    const auto sealed =
        crypto::seal(*crypto::seal_key_of(carol.public_key()), bcs::encode(letter), prng);
    envelope.sealed.assign(sealed->begin(), sealed->end());
    EXPECT_EQ(open_letter(sample.chain, envelope, carol).error(), RecordError::wrong_key);
    letter.letter.recipient = carol.id();
    const auto forged =
        crypto::seal(*crypto::seal_key_of(carol.public_key()), bcs::encode(letter), prng);
    envelope.sealed.assign(forged->begin(), forged->end());
    EXPECT_EQ(open_letter(sample.chain, envelope, carol).error(), RecordError::bad_signature);
    EXPECT_EQ(seal_letter(letter, sample.bob.public_key(), prng).error(), RecordError::wrong_key);
}

TEST_F(OrgRecords, ALongestLetterFitsItsEnvelopeAndPost) {
    SignedLetter letter = sample.letter(std::string(kLetterTextMax, 'a'));
    letter.letter.reply_to = Hash{};
    letter = sign(sample.chain, letter.letter, sample.alice);
    const auto sealed = seal_letter(letter, sample.bob.public_key(), prng);
    ASSERT_TRUE(sealed.has_value());
    EXPECT_EQ(sealed->size(), kSealedLetterBytesMax);
    Envelope envelope = sample.envelope("").envelope;
    envelope.sealed = *sealed;
    const EnvelopePost post{sign(sample.chain, std::move(envelope), sample.node)};
    EXPECT_EQ(bcs::encode(post).size(), EnvelopePost::kBytesMax);
}

TEST_F(OrgRecords, TheMessageIdIsThatOfRecipientAndSealedBytesAlone) {
    Envelope envelope = sample.envelope("x").envelope;
    const Hash id = message_id(sample.chain, envelope);
    envelope.node = sample.bob.public_key();
    envelope.validity.expires_ms -= 1;
    EXPECT_EQ(message_id(sample.chain, envelope), id);
    envelope.recipient = sample.alice.id();
    EXPECT_NE(message_id(sample.chain, envelope), id);
}

TEST_F(OrgRecords, ALongestLineFitsAnItemWhenSealed) {
    const auto read_key = read_key_of(sample.organization);
    const SignedLine line = sample.line(2, Hash::copy_of(Bytes(32, 1)), std::string(500, 'a'));
    const auto sealed = seal_line(line, read_key.public_key());
    ASSERT_TRUE(sealed.has_value());
    EXPECT_LE(sealed->size(), kItemContentBytesMax);
    EXPECT_EQ(*open_line(*sealed, read_key), line);
    EXPECT_EQ(open_line(altered(*sealed, 400), read_key).error(), RecordError::not_for_us);
    ChatHead head;
    head.lines.resize(kChatHeadLines);
    EXPECT_LE(bcs::encode(head).size(), kItemContentBytesMax);
}

TEST_F(OrgRecords, OnlyALineOfNumberOneHasNoPredecessor) {
    EXPECT_TRUE(sample.line(1, Hash{}, "x").line.is_canonical());
    EXPECT_FALSE(sample.line(0, Hash{}, "x").line.is_canonical());
    EXPECT_FALSE(sample.line(2, Hash{}, "x").line.is_canonical());
    const Hash before = Hash::copy_of(Bytes(32, 1));
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    EXPECT_TRUE(sample.line(kMost - 1, before, "x").line.is_canonical());
    EXPECT_FALSE(sample.line(kMost, before, "x").line.is_canonical());
    EXPECT_FALSE(sample.line(1, Hash::copy_of(Bytes(32, 1)), "x").line.is_canonical());
}

// The longest of each kind takes exactly its declared maximum.
TEST_F(OrgRecords, MessagesKeepToTheirMaximum) {
    const auto size = [](const auto& message) { return bcs::encode(message).size(); };
    EXPECT_EQ(size(AskManifest{}), AskManifest::kBytesMax);
    Credentials credentials;
    credentials.delegations.resize(kServedAccountsMax);
    credentials.passes.resize(kServedAccountsMax);
    EXPECT_EQ(size(credentials), Credentials::kBytesMax);
    Welcome welcome;
    welcome.read_secret.resize(32 + crypto::kSealOverhead);
    welcome.passes.resize(kServedAccountsMax);
    EXPECT_EQ(size(welcome), Welcome::kBytesMax);
    RecordOffer offer;
    offer.records.resize(kRecordNoticesMax);
    EXPECT_EQ(size(offer), RecordOffer::kBytesMax);
    RecordAsk ask;
    ask.nodes.resize(kRecordNoticesMax);
    EXPECT_EQ(size(ask), RecordAsk::kBytesMax);
    RecordReply reply;
    reply.records.assign(kRecordsPerReply,
                         sign(sample.chain, sample.largest_record(), sample.node));
    EXPECT_LE(size(reply), RecordReply::kBytesMax);
    EXPECT_LE(
        size(ManifestReply{ManifestItem{sign(sample.largest_manifest(), sample.organization), {}}}),
        ManifestReply::kBytesMax);
    EXPECT_EQ(size(EnvelopeOffer{}), EnvelopeOffer::kBytesMax);
    EXPECT_EQ(size(EnvelopeAck{{}, EnvelopeOutcome::delivered, DeliveryReceipt{}}),
              EnvelopeAck::kBytesMax);
    const SignedLine line = sample.line(1, Hash{}, std::string(500, 'a'));
    EXPECT_EQ(size(line), kSignedLineBytesMax);
    EXPECT_EQ(size(ChatPost{line, SignedPass{}}), ChatPost::kBytesMax);
    ChatHave have;
    have.tips.resize(kChatTipsMax);
    EXPECT_EQ(size(have), ChatHave::kBytesMax);
    EXPECT_EQ(size(ChatAsk{}), ChatAsk::kBytesMax);
    ChatLines lines;
    lines.lines.assign(kChatLinesPerReply, line);
    lines.pass = SignedPass{};
    EXPECT_EQ(size(lines), ChatLines::kBytesMax);
}

TEST_F(OrgRecords, TipsRiseWithinTheirRange) {
    const auto id = [](std::uint8_t first) {
        Id out;
        out[0] = first;
        return out;
    };
    ChatHave have{id(1), id(9), {}};
    EXPECT_TRUE(have.is_canonical());
    have.tips = {{id(1), 1, {}}, {id(9), 1, {}}};
    EXPECT_TRUE(have.is_canonical());
    have.tips = {{id(2), 1, {}}, {id(2), 1, {}}};
    EXPECT_FALSE(have.is_canonical());
    have.tips = {{id(0), 1, {}}};
    EXPECT_FALSE(have.is_canonical());
    have.tips = {{id(10), 1, {}}};
    EXPECT_FALSE(have.is_canonical());
    EXPECT_FALSE((ChatHave{id(2), id(1), {}}).is_canonical());
}

TEST_F(OrgRecords, LinesOfAnAnswerAreOneAuthorsInARow) {
    ChatLines lines;
    EXPECT_TRUE(lines.is_canonical());
    const Hash some = Hash::copy_of(Bytes(32, 1));
    lines.lines = {sample.line(4, some, "a"), sample.line(5, some, "b")};
    EXPECT_TRUE(lines.is_canonical());
    lines.lines.push_back(sample.line(7, some, "c"));
    EXPECT_FALSE(lines.is_canonical());
    lines.lines.back().line.number = 6;
    lines.lines.back().line.author = sample.bob.public_key();
    EXPECT_FALSE(lines.is_canonical());
}

}  // namespace
}  // namespace leither::protocol
