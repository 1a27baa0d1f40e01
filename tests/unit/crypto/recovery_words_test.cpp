#include "leither/crypto/recovery_words.h"

#include <gtest/gtest.h>

#include "leither/base/prng.h"
#include "leither/crypto/sign.h"

namespace leither::crypto {
namespace {

struct Vector {
    const char* secret;
    const char* words;
};

// Of the vectors published with BIP-39.
constexpr Vector kVectors[] = {
    {"00000000000000000000000000000000",
     "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
     "about"},
    {"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
     "legal winner thank year wave sausage worth useful legal winner thank yellow"},
    {"80808080808080808080808080808080",
     "letter advice cage absurd amount doctor acoustic avoid letter advice cage above"},
    {"ffffffffffffffffffffffffffffffff", "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong"},
    {"9e885d952ad362caeb4efe34a8e91bd2",
     "ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic"},
    {"c0ba5a8e914111210f2bd131f3d5e08d",
     "scheme spot photo card baby mountain device kick cradle pact join borrow"},
    {"23db8160a31d3e0dca3688ed941adbf3",
     "cat swing flag economy stadium alone churn speed unique patch report train"},
    {"f30f8c1da665478f49b001d94c5fc452",
     "vessel ladder alter error federal sibling chat ability sun glass valve picture"},
};

RecoverySecret secret_of(const char* hex) {
    return RecoverySecret::copy_of(from_hex(hex).value());
}

TEST(RecoveryWords, MatchThePublishedVectors) {
    initialise();
    for (const Vector& vector : kVectors) {
        EXPECT_EQ(recovery_words(secret_of(vector.secret)), vector.words);
        const auto read = read_recovery_words(vector.words);
        ASSERT_TRUE(read) << vector.words;
        EXPECT_EQ(to_hex(read->view()), vector.secret);
    }
}

TEST(RecoveryWords, SurviveHandwriting) {
    initialise();
    Prng prng(4);
    for (int i = 0; i < 200; ++i) {
        RecoverySecret secret;
        prng.fill(secret.span());
        std::string text = recovery_words(secret);
        std::string scrawl = "\n ";
        std::size_t letters = 0;
        for (const char c : text) {
            letters = c == ' ' ? 0 : letters + 1;
            if (letters > 4) continue;
            scrawl += c == ' ' ? std::string(" \n\t") : std::string(1, static_cast<char>(c - 32));
        }
        const auto read = read_recovery_words(scrawl);
        ASSERT_TRUE(read) << scrawl;
        EXPECT_TRUE(std::ranges::equal(read->view(), secret.view()));
    }
}

TEST(RecoveryWords, RefusalsInOrderOfPrecedence) {
    initialise();
    EXPECT_EQ(read_recovery_words("").error(), WordsError::wrong_count);
    EXPECT_EQ(read_recovery_words("zoo zoo").error(), WordsError::wrong_count);
    const std::string eleven = "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo ";
    EXPECT_EQ(read_recovery_words(eleven + "wrong zoo").error(), WordsError::wrong_count);
    EXPECT_EQ(read_recovery_words(eleven + "wrongs").error(), WordsError::unknown_word);
    EXPECT_EQ(read_recovery_words(eleven + "wro").error(), WordsError::unknown_word);
    EXPECT_EQ(read_recovery_words(eleven + "zoo").error(), WordsError::bad_checksum);
    EXPECT_TRUE(read_recovery_words(eleven + "wron"));
    EXPECT_EQ(unknown_recovery_word(eleven + "bread!"), 12u);
    EXPECT_EQ(unknown_recovery_word("fluor " + eleven), 1u);
    EXPECT_EQ(unknown_recovery_word(eleven), 0u);
}

TEST(RecoveryWords, OneWrongWordIsNearlyAlwaysFound) {
    initialise();
    int slips = 0;
    const std::string words = recovery_words(secret_of(kVectors[4].secret));
    for (const char* other :
         {"bread", "apple", "river", "stone", "cloud", "metal", "ocean", "tiger", "music", "paper",
          "lunar", "happy", "ghost", "frost", "eagle", "dream"}) {
        const auto read = read_recovery_words(other + words.substr(words.find(' ')));
        slips += read ? 1 : 0;
    }
    EXPECT_LE(slips, 4);  // one of sixteen is expected to pass
}

}  // namespace
}  // namespace leither::crypto
