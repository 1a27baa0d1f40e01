#include "app/finality_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace leither::app {
namespace {

using nlohmann::json;

json count(bool is_final, int countersigned, int online, int needed, int dissenting) {
    return {{"final", is_final}, {"certified", false}, {"countersigned", countersigned},
            {"online", online},  {"needed", needed},   {"dissenting", dissenting}};
}

TEST(FinalityText, SaysWhetherAPaymentCanBeReliedOnAndWhatIsMissing) {
    EXPECT_EQ(finality_text({{"final", true}, {"certified", true}}),
              "final: its certificate is enough");
    EXPECT_EQ(finality_text(count(true, 3, 4, 2, 0)),
              "final: 3 of 4 members' nodes online have countersigned");
    EXPECT_EQ(finality_text(count(false, 1, 3, 2, 0)),
              "not final: 1 of 3 members' nodes online has countersigned, 2 must. It comes by "
              "itself with enough nodes online");
    EXPECT_TRUE(finality_text(count(false, 0, 0, 2, 0))
                    .starts_with("not final: no other node online has countersigned. 2 must;"));
}

TEST(FinalityText, DissentComesFirst) {
    EXPECT_TRUE(
        finality_text(count(false, 2, 4, 2, 2))
            .starts_with("NOT FINAL: 2 of 4 members' nodes online have countersigned, and 2 "
                         "another block instead. Hand out nothing for it;"));
    EXPECT_NE(finality_text(count(true, 3, 5, 3, 2)).find("but 2 another block"),
              std::string::npos);
}

}  // namespace
}  // namespace leither::app
