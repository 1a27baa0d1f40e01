#include "leither/protocol/refusal.h"

#include <set>

#include <gtest/gtest.h>

namespace leither::protocol {
namespace {

std::vector<Refusal> all_refusals() {
    std::vector<Refusal> all;
    for (int code = 0; code <= static_cast<int>(last_of(Refusal{})); ++code) {
        all.push_back(static_cast<Refusal>(code));
    }
    return all;
}

TEST(Refusal, EachHasANameOfItsOwn) {
    std::set<std::string> names;
    for (const Refusal code : all_refusals()) {
        const std::string name = to_string(code);
        EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string::npos) << name;
        EXPECT_TRUE(names.insert(name).second) << name;
    }
}

TEST(Refusal, EachExplainsCauseAndNextStep) {
    for (const Refusal code : all_refusals()) {
        const std::string text = explain({code, 7001, 7002});
        EXPECT_EQ(text.find_first_of("{}"), std::string::npos) << text;
        EXPECT_NE(text.find(". "), std::string::npos) << text;
        EXPECT_TRUE(text.ends_with('.')) << text;
    }
}

TEST(Refusal, ExplanationNamesTheNumbers) {
    EXPECT_EQ(explain({Refusal::insufficient_balance, 5, 12}),
              "The account holds 5, but 12 is needed. Choose a smaller amount, or receive credit "
              "first.");
    EXPECT_EQ(explain({Refusal::bad_nonce, 3, 4}),
              "The transaction has counter 3 in its nonce lane, but 4 comes next. Sign again with "
              "counter 4.");
}

}  // namespace
}  // namespace leither::protocol
