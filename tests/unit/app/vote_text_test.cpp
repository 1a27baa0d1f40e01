#include "app/vote_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "app/cli_error.h"
#include "app/parameter.h"

namespace leither::app {
namespace {

using nlohmann::json;

// ---- Parameters --------------------------------------------------------------------------------

struct Slip {
    const char* name;
    const char* value;
    const char* error;
    const char* remedy;  // a part of it
};

TEST(ParameterChange, EachSlipIsNamedWithItsRemedy) {
    const Slip table[] = {
        {"vote_puls", "60", "unknown_parameter", " vote_pulses"},
        {"pulse_ms", "500", "fixed_parameter", "another"},
        {"vote_pulses", "59", "parameter_out_of_bounds", "from 60 to 2592000 (pulses)"},
        {"vote_pulses", "2592001", "parameter_out_of_bounds", "from 60 to 2592000 (pulses)"},
        {"supervisors_required", "17", "parameter_out_of_bounds", "from 1 to 16."},
        {"supervisors_required", "two", "parameter_out_of_bounds", "from 1 to 16."},
        {"supervisors_required", "-1", "parameter_out_of_bounds", "from 1 to 16."},
    };
    for (const Slip& slip : table) {
        try {
            parameter_change(slip.name, slip.value);
            ADD_FAILURE() << slip.name << " " << slip.value;
        } catch (const CliError& error) {
            EXPECT_EQ(error.name(), slip.error) << slip.name;
            EXPECT_NE(error.next_step().find(slip.remedy), std::string::npos) << error.next_step();
            EXPECT_EQ(error.exit(), CliExit::usage);
        }
    }
}

TEST(ParameterChange, TheBoundsThemselvesAreTaken) {
    for (const char* value : {"60", "2592000"}) {
        const auto change = parameter_change("vote_pulses", value);
        EXPECT_EQ(protocol::kParamTable[change.param].name, "vote_pulses");
        EXPECT_EQ(std::to_string(change.value), value);
    }
}

// ---- Votes -------------------------------------------------------------------------------------

json vote_of(const char* state, std::uint64_t yes, std::uint64_t no, const json& lacks) {
    return {{"state", state},
            {"yes", yes},
            {"no", no},
            {"members", 9},
            {"quorum", {{"needed", 3}}},
            {"majority", {{"needed", 4}}},
            {"retry_ms", 0},
            {"lacks", lacks}};
}

TEST(VoteText, AVerdictNamesTheThresholdThatIsMissed) {
    EXPECT_EQ(verdict_text(vote_of("passed", 4, 1, json::array())),
              "passed: 4 yes, 1 no of 9 members");
    EXPECT_EQ(verdict_text(vote_of("rejected", 2, 0, {"quorum"})),
              "rejected: 2 of 9 members said yes, and at least 3 must (a third)");
    EXPECT_EQ(verdict_text(vote_of("rejected", 3, 3, {"majority"})),
              "rejected: 3 of 6 ballots said yes, and at least 4 must (two thirds)");
    EXPECT_EQ(verdict_text(vote_of("rejected", 2, 4, {"quorum", "majority"})),
              "rejected: 2 of 9 members said yes, and at least 3 must (a third); 2 of 6 ballots "
              "said yes, and at least 4 must (two thirds)");
    EXPECT_EQ(verdict_text(vote_of("open", 4, 1, json::array())),
              "open: 4 yes, 1 no of 9 members; it would pass now");
    EXPECT_TRUE(verdict_text(vote_of("open", 0, 0, {"quorum"})).ends_with("(a third)"));
    EXPECT_EQ(verdict_text(vote_of("waiting", 4, 1, json::array())),
              "waiting: 4 yes, 1 no of 9 members; today's share of rewards is used up, paid from "
              "1970-01-01 00:00:00 UTC");
    EXPECT_TRUE(verdict_text(vote_of("unpaid", 4, 1, json::array())).starts_with("unpaid: 4 yes"));
}

TEST(VoteText, WhatHasComeOfItIsSaid) {
    const auto of = [](const json& effect) { return effect_text({{"effect", effect}}); };
    EXPECT_EQ(effect_text(json::object()), "");
    EXPECT_EQ(of({{"in_force", false}, {"from_cycle", 7}}),
              "in force from the beginning of cycle 7");
    EXPECT_EQ(of({{"in_force", true}}), "in force");
    EXPECT_EQ(of({{"in_force", false}}), "was in force; a later vote changed it again");
    EXPECT_EQ(of({{"pending", false}}), "paid");
    EXPECT_EQ(of({{"pending", true}, {"due_ms", 0}}), "to be paid from 1970-01-01 00:00:00 UTC");
}

TEST(VoteText, OnesOwnPartIsOneWordOrTwo) {
    const auto of = [](const json& own) { return own_text({{"own", own}}); };
    EXPECT_EQ(own_text(json::object()), "");
    EXPECT_EQ(of({{"standing", "has_cast"}, {"choice", "no"}}), "no");
    EXPECT_EQ(of({{"standing", "has_cast"}}), "cast");
    EXPECT_EQ(of({{"standing", "may_cast"}}), "not yet");
    EXPECT_EQ(of({{"standing", "joined_after"}}), "joined too late");
    EXPECT_EQ(of({{"standing", "not_member"}}), "no member");
    EXPECT_EQ(of({{"standing", "not_open"}}), "none found");
}

}  // namespace
}  // namespace leither::app
