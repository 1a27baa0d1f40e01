#include "app/payment_words.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace leither::app {
namespace {

using nlohmann::json;

json count(bool is_final, int countersigned, int online, int needed, int dissenting) {
    return {{"final", is_final}, {"certified", false}, {"countersigned", countersigned},
            {"online", online},  {"needed", needed},   {"dissenting", dissenting}};
}

TEST(PaymentWords, SayWhetherAPaymentCanBeReliedOnAndWhatIsMissing) {
    EXPECT_EQ(finality_text({{"final", true}, {"certified", true}}),
              "the certificate of four bookkeepers or more is enough");
    EXPECT_EQ(finality_text(count(true, 3, 4, 2, 0)),
              "3 of 4 members' nodes online have checked it");
    EXPECT_EQ(finality_text(count(false, 1, 3, 2, 0)),
              "1 of 3 members' nodes online has checked it, 2 must. It comes by "
              "itself with enough nodes online");
    EXPECT_TRUE(finality_text(count(false, 0, 0, 2, 0))
                    .starts_with("no other node online has checked it. 2 must;"));
}

TEST(PaymentWords, DissentComesFirst) {
    EXPECT_TRUE(finality_text(count(false, 2, 4, 2, 2))
                    .starts_with("DISPUTED: 2 of 4 members' nodes online have checked it, and 2 "
                                 "another block instead. Hand out nothing for it;"));
    EXPECT_NE(finality_text(count(true, 3, 5, 3, 2)).find("but 2 another block"),
              std::string::npos);
}

json decided(const char* state, bool is_final) {
    return {{"state", state},
            {"sequence", 7},
            {"settles_ms", 1'769'860'800'000},
            {"contested", false},
            {"finality", count(is_final, 3, 4, 2, 0)}};
}

TEST(PaymentWords, EveryStateHasItsReasonAndTheNextStep) {
    EXPECT_EQ(state_text({{"state", "pending"}}), "is pending: it waits for the next block");
    EXPECT_EQ(state_text(decided("committed", false)),
              "is committed in sequence 7, not secured: 3 of 4 members' nodes online have checked "
              "it, 2 must. It comes by itself with enough nodes online");
    EXPECT_EQ(state_text(decided("secured", true)),
              "is secured in sequence 7: 3 of 4 members' nodes online have checked it; settled at "
              "2026-01-31 12:00:00 UTC unless somebody proves an error");
    EXPECT_EQ(state_text(decided("settled", true)),
              "is settled in sequence 7: nobody has proven an error while it was public; nothing "
              "is left to do");
    const json refusal = {{"name", "expired"}, {"message", "pulse 9 is behind 8"}};
    EXPECT_EQ(state_text({{"state", "expired"}, {"refusal", refusal}}),
              "has expired and was not committed: pulse 9 is behind 8");
    EXPECT_EQ(state_text({{"state", "refused"}, {"refusal", refusal}}),
              "was refused and was not committed: pulse 9 is behind 8");
}

TEST(PaymentWords, WhatIsContestedDoesNotSettleByItself) {
    json status = decided("secured", true);
    status["contested"] = true;
    EXPECT_NE(state_text(status).find("another block was decided, so it does not settle"),
              std::string::npos);
}

}  // namespace
}  // namespace leither::app
