// Packs and tags: what may be in them, and their worked bytes.
#include "leither/protocol/pack.h"

#include <gtest/gtest.h>

#include "leither/crypto/hash.h"
#include "leither/protocol/peer_message.h"

#include "support/org/org_sample.h"
#include "support/worked_bytes.h"

namespace leither::protocol {
namespace {

using testing::kSampleNow;
using testing::make_pack;
using testing::SamplePack;

class PackTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    // What the documents show.
    SamplePack prices() const {
        Pack about;
        about.name = decltype(about.name)("Prices");
        about.version = decltype(about.version)("3");
        about.text = decltype(about.text)("What bread costs");
        about.published_ms = testing::kSampleMs;
        about.applications.push_back(
            {ApplicationKind::content, decltype(PackApplication::entry)("index.html")});
        const auto content = as_bytes("<p>Rye 120, wheat 100</p>\n");
        return make_pack(sample.chain, sample.alice, about,
                         {{"index.html", Bytes(content.begin(), content.end())}});
    }

    testing::OrgSample sample;
};

TEST_F(PackTest, APathThatCouldLeaveItsFolderOrHideIsRefused) {
    for (const char* path : {"a", "a/b.html", "Bäckerei/Brot 1.txt", "a-b_c+d(e).f"}) {
        EXPECT_TRUE(is_safe_path(path)) << path;
    }
    for (const char* path :
         {"",    "/",       "/a",       "a/",    "a//b", ".",  "..", "../a", "a/../b",
          "a/.", ".hidden", "a/.git/b", "a\\b",  "C:a",  "a*", "a?", "a\"b", "a<b",
          "a>b", "a|b",     "a\nb",     "a\x7f", "a ",   " a", "a.", "a/b ", "a/ b"}) {
        EXPECT_FALSE(is_safe_path(path)) << path;
    }
    EXPECT_TRUE(is_safe_path(std::string(100, 'a')));
    EXPECT_FALSE(is_safe_path(std::string(101, 'a')));
    EXPECT_FALSE(is_safe_path(std::string_view("a\0b", 3)));
}

TEST_F(PackTest, AFileHasAsManyPiecesAsItsBytesNeed) {
    EXPECT_EQ(pieces_of(0), 0u);
    EXPECT_EQ(pieces_of(1), 1u);
    EXPECT_EQ(pieces_of(kContentPieceMax), 1u);
    EXPECT_EQ(pieces_of(kContentPieceMax + 1), 2u);
    EXPECT_EQ(piece_bytes(kContentPieceMax + 1, 0), kContentPieceMax);
    EXPECT_EQ(piece_bytes(kContentPieceMax + 1, 1), 1u);
    EXPECT_EQ(piece_bytes(kContentPieceMax, 0), kContentPieceMax);
    PackFile file;
    file.bytes = kContentPieceMax + 1;
    file.pieces.resize(2);
    EXPECT_TRUE(file.is_canonical());
    file.pieces.resize(1);
    EXPECT_FALSE(file.is_canonical());
    file.pieces.resize(3);
    EXPECT_FALSE(file.is_canonical());
    file.bytes = kPackBytesMax + 1;
    file.pieces.resize(pieces_of(file.bytes));
    EXPECT_FALSE(file.is_canonical());
}

PackContents contents_of(std::initializer_list<const char*> paths) {
    PackContents contents;
    for (const char* path : paths) {
        contents.files.emplace_back();
        contents.files.back().path = decltype(PackFile::path)(path);
    }
    return contents;
}

TEST_F(PackTest, FilesStandInOrderAndNoneIsAFolderOfAnother) {
    EXPECT_TRUE(contents_of({"a", "b", "c/d", "c/e"}).is_canonical());
    EXPECT_FALSE(contents_of({}).is_canonical());
    EXPECT_FALSE(contents_of({"b", "a"}).is_canonical());
    EXPECT_FALSE(contents_of({"a", "a"}).is_canonical());
    EXPECT_FALSE(contents_of({"a", "../b"}).is_canonical());
    EXPECT_FALSE(contents_of({"a", "a/b"}).is_canonical());
    // "a-b" stands between the file and what would be in the folder of its name.
    EXPECT_FALSE(contents_of({"a", "a-b", "a/c"}).is_canonical());
    EXPECT_TRUE(contents_of({"a-b", "a/c", "ab"}).is_canonical());
}

TEST_F(PackTest, AManifestOutOfBoundsIsNotCanonical) {
    const Pack good = prices().pack.pack;
    ASSERT_TRUE(good.is_canonical());
    const auto refused = [&good](auto change) {
        Pack pack = good;
        change(pack);
        return !pack.is_canonical() && !bcs::decode<Pack>(bcs::encode(pack));
    };
    EXPECT_TRUE(refused([](Pack& pack) { pack.name.clear(); }));
    EXPECT_TRUE(refused([](Pack& pack) { pack.name[0] = '\x1b'; }));
    EXPECT_TRUE(refused([](Pack& pack) { pack.version.clear(); }));
    EXPECT_TRUE(refused([](Pack& pack) { pack.text.push_back('\n'); }));
    EXPECT_TRUE(refused([](Pack& pack) { pack.applications.clear(); }));
    EXPECT_TRUE(refused([](Pack& pack) { pack.applications[0].entry.assign("../x"); }));
    EXPECT_TRUE(refused([](Pack& pack) { pack.contents_bytes = 0; }));
    EXPECT_TRUE(refused([](Pack& pack) { pack.contents_bytes = kContentPieceMax + 1; }));
    EXPECT_TRUE(refused([](Pack& pack) { pack.bytes = 0; }));
    EXPECT_TRUE(refused([](Pack& pack) { pack.bytes = kPackBytesMax + 1; }));
    EXPECT_FALSE(refused([](Pack& pack) { pack.bytes = kPackBytesMax; }));
}

TEST_F(PackTest, ContentsAreReadOnlyAsThePackNamesThem) {
    const SamplePack good = prices();
    ASSERT_TRUE(read_contents(good.pack.pack, good.contents).has_value());

    const Bytes other = testing::altered(good.contents, 100);
    EXPECT_EQ(read_contents(good.pack.pack, other).error(), ContentsError::wrong_hash);

    Pack pack = good.pack.pack;
    const Bytes nonsense{0xff, 0xff};
    pack.contents = crypto::blake2b_256(nonsense);
    pack.contents_bytes = 2;
    EXPECT_EQ(read_contents(pack, nonsense).error(), ContentsError::bad_encoding);

    pack = good.pack.pack;
    ++pack.bytes;
    EXPECT_EQ(read_contents(pack, good.contents).error(), ContentsError::wrong_total);

    pack = good.pack.pack;
    pack.applications[0].entry = decltype(PackApplication::entry)("other.html");
    EXPECT_EQ(read_contents(pack, good.contents).error(), ContentsError::missing_entry);
}

TEST_F(PackTest, APackHoldsOnlyForItsChainPublisherAndClock) {
    const SignedPack pack = prices().pack;
    EXPECT_TRUE(check(pack, sample.chain, kSampleNow).has_value());
    EXPECT_EQ(check(pack, ChainId{}, kSampleNow).error(), RecordError::bad_signature);
    SignedPack other = pack;
    other.pack.version = decltype(Pack::version)("4");
    EXPECT_EQ(check(other, sample.chain, kSampleNow).error(), RecordError::bad_signature);
    const Instant early = kSampleNow - kClockTolerance - std::chrono::milliseconds(1);
    EXPECT_EQ(check(pack, sample.chain, early).error(), RecordError::from_the_future);
    EXPECT_TRUE(check(pack, sample.chain, kSampleNow - kClockTolerance).has_value());
}

TEST_F(PackTest, ATagHasOneSpelling) {
    for (const char* tag : {"bread", "7-grain", "a_b.c", "brötchen", "хлеб"}) {
        EXPECT_TRUE(is_tag(tag)) << tag;
    }
    for (const char* tag : {"", "Bread", "two words", "a#", "tab\t", "a/b", "\xff"}) {
        EXPECT_FALSE(is_tag(tag)) << tag;
    }
    EXPECT_TRUE(is_tag(std::string(kTagBytesMax, 'a')));
    EXPECT_FALSE(is_tag(std::string(kTagBytesMax + 1, 'a')));
}

TEST_F(PackTest, ATagEntryHoldsUntilItExpiresAndNoLongerThanItMay) {
    const auto target = AccountTarget{sample.bob.id()};
    const SignedTag tag = sample.tag(sample.alice, "bread", target);
    EXPECT_TRUE(check(tag, sample.chain, kSampleNow).has_value());
    EXPECT_EQ(check(tag, ChainId{}, kSampleNow).error(), RecordError::bad_signature);
    EXPECT_EQ(check(tag, sample.chain, kSampleNow + std::chrono::hours(24 * 30)).error(),
              RecordError::expired);
    const SignedTag longest =
        sample.tag(sample.alice, "bread", target, kSampleNow, kTagLifetimeMax);
    EXPECT_TRUE(check(longest, sample.chain, kSampleNow).has_value());
    const SignedTag longer = sample.tag(sample.alice, "bread", target, kSampleNow,
                                        kTagLifetimeMax + std::chrono::milliseconds(1));
    EXPECT_EQ(check(longer, sample.chain, kSampleNow).error(), RecordError::too_long_lived);
    EXPECT_NE(tag_id(sample.chain, "bread"), tag_id(ChainId{}, "bread"));
    EXPECT_NE(tag_id(sample.chain, "bread"), tag_id(sample.chain, "flour"));
}

TEST_F(PackTest, AWithdrawalOutlivesEveryEntryThatWasIssuedBeforeIt) {
    const TagTarget target = AccountTarget{sample.bob.id()};
    const SignedTag longest =
        sample.tag(sample.alice, "bread", target, kSampleNow, kTagLifetimeMax);
    const SignedWithdrawal gone = sample.withdrawal(sample.alice, "bread", target);
    EXPECT_TRUE(check(gone, sample.chain, kSampleNow).has_value());
    EXPECT_EQ(gone.withdrawal.validity().expires_ms, longest.entry.validity.expires_ms);
    EXPECT_EQ(check(gone, sample.chain, kSampleNow + kTagLifetimeMax).error(),
              RecordError::expired);
    EXPECT_EQ(
        check(gone, sample.chain, kSampleNow - kClockTolerance - std::chrono::seconds(1)).error(),
        RecordError::from_the_future);
    EXPECT_EQ(check(gone, ChainId{}, kSampleNow).error(), RecordError::bad_signature);
    TagWithdrawal last = gone.withdrawal;
    last.issued_ms = UINT64_MAX;  // does not wrap around
    EXPECT_EQ(last.validity().expires_ms, UINT64_MAX);
}

TEST_F(PackTest, TheLongestMessagesFillTheirMaximum) {
    const auto full = []<std::size_t N>(BoundedText<N>& text) { text.assign(N, 'a'); };
    SignedPack pack = prices().pack;
    full(pack.pack.name);
    full(pack.pack.version);
    full(pack.pack.text);
    pack.pack.applications.resize(kPackApplicationsMax);
    for (auto& one : pack.pack.applications) full(one.entry);
    EXPECT_EQ(bcs::encode(pack).size(), kSignedPackBytesMax);

    SignedTag tag = sample.tag(sample.alice, std::string(kTagBytesMax, 'a'),
                               TextTarget{BoundedText<200>(std::string(200, 'a'))});
    EXPECT_EQ(bcs::encode(tag).size(), kSignedTagBytesMax);
    static_assert(kSignedTagBytesMax < kSignedPackBytesMax);

    CatalogueEntries entries;
    entries.entries.assign(kEntriesPerReply, {pack, SignedPass{}});
    EXPECT_EQ(bcs::encode(entries).size(), CatalogueEntries::kBytesMax);

    CatalogueOffer offer;
    offer.ids.resize(kCatalogueIdsMax);
    EXPECT_EQ(bcs::encode(offer).size(), CatalogueOffer::kBytesMax);
    EXPECT_EQ(bcs::encode(CatalogueAsk{}).size() + kCatalogueIdsMax * Hash::kSize,
              CatalogueAsk::kBytesMax);
    EXPECT_EQ(bcs::encode(CatalogueHave{}).size(), CatalogueHave::kBytesMax);
    EXPECT_EQ(bcs::encode(ContentAsk{}).size(), ContentAsk::kBytesMax);

    ContentReply reply{Hash{}, ContentOutcome::here, {}};
    EXPECT_FALSE(reply.is_canonical());
    reply.bytes.resize(kContentPieceMax);
    EXPECT_TRUE(reply.is_canonical());
    EXPECT_EQ(bcs::encode(reply).size(), ContentReply::kBytesMax);
    reply.outcome = ContentOutcome::busy;
    EXPECT_FALSE(reply.is_canonical());
}

TEST_F(PackTest, IdsRiseInOffersAndQuestions) {
    const Hash low = Hash::copy_of(Bytes(32, 1));
    const Hash high = Hash::copy_of(Bytes(32, 2));
    EXPECT_TRUE((CatalogueOffer{{low, high}}.is_canonical()));
    EXPECT_FALSE((CatalogueOffer{{high, low}}.is_canonical()));
    EXPECT_FALSE((CatalogueAsk{{low, low}}.is_canonical()));
    EXPECT_TRUE((CatalogueAsk{{low}}.is_canonical()));
}

TEST_F(PackTest, EachKindOfApplicationHasItsWord) {
    for (const char* word : {"search", "social", "content", "service", "tool"}) {
        const auto kind = application_kind(word);
        ASSERT_TRUE(kind) << word;
        EXPECT_STREQ(to_string(*kind), word);
    }
    EXPECT_FALSE(application_kind("game"));
    EXPECT_FALSE(application_kind(""));
}

TEST_F(PackTest, PacksEncodeAndHashAsShown) {
    const char* page = "protocol/packs.md";
    const SamplePack pack = prices();
    const auto bytes_of = [](ByteView view) { return Bytes(view.begin(), view.end()); };
    EXPECT_EQ(bcs::encode(pack.pack), testing::worked_bytes(page, "pack"));
    EXPECT_EQ(bytes_of(pack.id.view()), testing::worked_bytes(page, "pack id"));
    EXPECT_EQ(pack.contents, testing::worked_bytes(page, "contents"));
    EXPECT_EQ(encode_peer_message(ContentAsk{crypto::blake2b_256(pack.pieces[0])}),
              testing::worked_bytes(page, "content ask"));
    ContentReply reply{crypto::blake2b_256(pack.pieces[0]), ContentOutcome::here, {}};
    reply.bytes.assign(pack.pieces[0].begin(), pack.pieces[0].end());
    EXPECT_EQ(encode_peer_message(reply), testing::worked_bytes(page, "content reply"));
    CatalogueOffer offer{{pack.id}};
    EXPECT_EQ(encode_peer_message(offer), testing::worked_bytes(page, "catalogue offer"));
}

TEST_F(PackTest, TagsEncodeAndHashAsShown) {
    const char* page = "protocol/tags.md";
    const auto bytes_of = [](ByteView view) { return Bytes(view.begin(), view.end()); };
    const SignedTag tag = sample.tag(sample.alice, "bread", AccountTarget{sample.bob.id()});
    EXPECT_EQ(bcs::encode(tag), testing::worked_bytes(page, "tag entry"));
    EXPECT_EQ(bytes_of(tag_entry_id(sample.chain, tag.entry).view()),
              testing::worked_bytes(page, "tag entry id"));
    EXPECT_EQ(bytes_of(tag_id(sample.chain, "bread").view()),
              testing::worked_bytes(page, "tag id"));
    const SignedWithdrawal gone = sample.withdrawal(
        sample.alice, "bread", AccountTarget{sample.bob.id()}, kSampleNow + std::chrono::hours(1));
    EXPECT_EQ(bcs::encode(gone), testing::worked_bytes(page, "tag withdrawal"));
    EXPECT_EQ(bytes_of(withdrawal_id(sample.chain, gone.withdrawal).view()),
              testing::worked_bytes(page, "tag withdrawal id"));
}

}  // namespace
}  // namespace leither::protocol
