#include "leither/wallet/request.h"

#include <gtest/gtest.h>

#include "desk_world.h"

namespace leither::wallet {
namespace {

using testing::kChain;
using testing::kOtherChain;

class Request : public ::testing::Test, protected testing::DeskWorld {};

TEST_F(Request, IdenticalRequestsAreOneAndOthersAreNot) {
    EXPECT_EQ(request_id(request(5)), request_id(request(5)));
    EXPECT_NE(request_id(request(5)), request_id(request(6)));
    EXPECT_NE(request_id(request(5)), request_id(request(5, "wine")));
    EXPECT_NE(request_id(request(5)), request_id(request(5, "bread", Pulse(1'001))));
    EXPECT_NE(request_id(request(5)), request_id(request(5, "bread", Pulse(1'000), kOtherChain)));
}

TEST_F(Request, OnlyThePayeesOwnKeyHasSignedIt) {
    auto signed_ = request(5);
    EXPECT_TRUE(is_signed_by(signed_, payee.public_key()));
    EXPECT_FALSE(is_signed_by(signed_, payer.public_key()));
    signed_.request.amount = Amount::of(6);
    EXPECT_FALSE(is_signed_by(signed_, payee.public_key()));
}

TEST_F(Request, ADeclineReadsBackAndNothingElseDoes) {
    const Decline decline{kChain, request_id(request(5)), protocol::Text("too dear")};
    const std::string text = to_text(decline);
    EXPECT_TRUE(text.starts_with("leither:decline:"));
    EXPECT_EQ(decline_from_text(text), decline);
    EXPECT_FALSE(decline_from_text(text + "00"));
    EXPECT_FALSE(decline_from_text(text.substr(0, text.size() - 2)));
    EXPECT_FALSE(decline_from_text("leither:decline:zz"));
    EXPECT_FALSE(decline_from_text("leither:pay:" + text.substr(16)));
    EXPECT_FALSE(decline_from_text("leither:decline:" + std::string(600, '0')));
}

TEST_F(Request, TheLongestReasonFits) {
    const Decline decline{kChain, Hash{}, protocol::Text(std::string(protocol::Text::kMax, 'x'))};
    EXPECT_EQ(decline_from_text(to_text(decline)), decline);
}

TEST(Token, IsTheFirstWordOfOurScheme) {
    const auto kind = [](std::string_view text) { return find_token(text).value().kind; };
    EXPECT_EQ(kind("leither:pay:00"), TokenKind::request);
    EXPECT_EQ(kind("Dear Ben,\n\tleither:decline:11 \r\n"), TokenKind::decline);
    EXPECT_EQ(kind("leither:join:0"), TokenKind::application);
    EXPECT_EQ(kind("leither:claim:0"), TokenKind::claim);
    EXPECT_EQ(kind("leither:submit:0"), TokenKind::submission);
    EXPECT_EQ(kind("leither:unheard-of"), TokenKind::other);
    EXPECT_EQ(find_token("see leither:pay:00 and leither:join:11")->text, "leither:pay:00");
    EXPECT_EQ(find_token("leither:pay:ab")->text, "leither:pay:ab");
    for (const char* text : {"", "   ", "hello", "xleither:pay:00", "(leither:pay:00)"}) {
        EXPECT_FALSE(find_token(text)) << text;
    }
}

TEST(Token, TheWordsAroundItAreForPeople) {
    const auto words = [](const std::string& text) {
        return words_around(text, find_token(text).value());
    };
    EXPECT_EQ(words("leither:pay:00"), "");
    EXPECT_EQ(words("  Two loaves.\n leither:pay:00\n"), "Two loaves.");
    EXPECT_EQ(words("leither:pay:00 by noon "), "by noon");
    EXPECT_EQ(words("Hello\nleither:pay:00\nBen"), "Hello\nBen");
}

}  // namespace
}  // namespace leither::wallet
