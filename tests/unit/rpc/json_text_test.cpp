#include "../../../src/rpc/json_text.h"

#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "support/shared_data.h"

namespace leither::rpc {
namespace {

bool accepts(std::string_view text) {
    return JsonText::parse(text).has_value();
}

TEST(JsonText, ThePublishedParserTestsAreJudgedAsTheirNamesSay) {
    REQUIRE_SHARED_DATA();
    // Valid JSON that we refuse all the same: two values for one name have no meaning.
    const std::set<std::string> stricter = {"y_object_duplicated_key.json",
                                            "y_object_duplicated_key_and_value.json"};
    std::size_t judged = 0;
    const auto folder = *testing::shared_data_dir() / "vectors/json/test_parsing";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        const bool accepted = accepts(testing::load_text(entry.path()));
        const bool valid = name.starts_with("y_") && !stricter.contains(name);
        if (!name.starts_with("i_")) {
            EXPECT_EQ(accepted, valid) << name;
        }
        ++judged;
    }
    EXPECT_GE(judged, 200u);
}

TEST(JsonText, NestingIsBoundedWithoutRecursion) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_TRUE(accepts(nested(JsonText::kDepthMax)));
    EXPECT_FALSE(accepts(nested(JsonText::kDepthMax + 1)));
    EXPECT_FALSE(accepts(std::string(2'000'000, '[')));
}

TEST(JsonText, FieldsAndValuesAreBounded) {
    const auto object = [](std::size_t fields) {
        std::string text = "{";
        for (std::size_t i = 0; i < fields; ++i) {
            text += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":1";
        }
        return text + "}";
    };
    EXPECT_TRUE(accepts(object(JsonText::kFieldsMax)));
    EXPECT_FALSE(accepts(object(JsonText::kFieldsMax + 1)));
    std::string many = "[1";
    for (std::size_t i = 2; i < JsonText::kValuesMax; ++i) many += ",1";
    EXPECT_TRUE(accepts(many + "]"));
    EXPECT_FALSE(accepts(many + ",1]"));
}

TEST(JsonText, DuplicateKeysAreRefusedHoweverTheyAreWritten) {
    EXPECT_FALSE(accepts(R"({"a":1,"a":2})"));
    EXPECT_FALSE(accepts(R"({"a":1,"b":{"x":[]},"\u0061":2})"));
    EXPECT_TRUE(accepts(R"({"a":{"a":1},"b":{"a":1}})"));
}

TEST(JsonText, EscapesBecomeTheirCharacters) {
    const std::string text = R"("\"\\\/\b\f\n\r\t\u00e9\u20ac\ud83d\ude00")";
    const auto parsed = JsonText::parse(text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->root().text(), "\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    EXPECT_FALSE(parsed->root().plain_text());
    EXPECT_FALSE(accepts(R"("\ud83d")"));
    EXPECT_FALSE(accepts(R"("\ude00\ud83d")"));
}

TEST(JsonText, IntegersAreExactOrNone) {
    const auto integer = [](std::string_view text) {
        return JsonText::parse(text)->root().integer();
    };
    EXPECT_EQ(integer("18446744073709551615"), UINT64_MAX);
    EXPECT_EQ(integer("0"), 0u);
    for (const auto* text : {"18446744073709551616", "-1", "1.0", "1e2", "true"}) {
        EXPECT_FALSE(integer(text)) << text;
    }
}

TEST(JsonText, ElementsAndFieldsAreWalkedPastTheirContent) {
    const auto parsed = JsonText::parse(R"({"a":[[1,2],{"x":3}],"b":"end"})");
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->root().field("b")->text(), "end");
    EXPECT_FALSE(parsed->root().field("x"));
    std::vector<std::size_t> sizes;
    parsed->root().field("a")->each_element([&](JsonValue v) { sizes.push_back(v.size()); });
    EXPECT_EQ(sizes, (std::vector<std::size_t>{2, 1}));
}

}  // namespace
}  // namespace leither::rpc
