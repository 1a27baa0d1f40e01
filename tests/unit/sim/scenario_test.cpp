// What scenarios are made of; that each meets its goals is run by tests/sim.
#include "leither/sim/scenario.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "leither/sim/churn.h"

#include "sim_probe.h"

namespace leither::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Report small_run(std::string_view name, std::uint64_t seed) {
    const Scenario* scenario = find_scenario(name);
    Settings settings = scenario->defaults;
    settings.seed = seed;
    settings.nodes = scenario->nodes_min;
    settings.duration = scenario->duration_min;
    return scenario->run(settings);
}

TEST(Scenario, EachHasANameOfItsOwnAndRunnableDefaults) {
    std::map<std::string_view, int> names;
    for (const Scenario& each : scenarios()) {
        ++names[each.name];
        EXPECT_EQ(find_scenario(each.name), &each);
        EXPECT_EQ(fault_of(each, each.defaults), std::nullopt);
    }
    EXPECT_EQ(names.size(), scenarios().size());
    EXPECT_EQ(find_scenario("dht"), nullptr);
}

TEST(Scenario, WhatIsOutOfBoundsIsNamedWithTheBounds) {
    const Scenario& scenario = *find_scenario("peer-mesh");
    Settings settings = scenario.defaults;
    settings.nodes = scenario.nodes_min - 1;
    EXPECT_EQ(fault_of(scenario, settings), "--nodes 3: peer-mesh takes 4 to 20000");
    settings.nodes = kNodesMax;
    EXPECT_EQ(fault_of(scenario, settings), std::nullopt);
    ++settings.nodes;
    EXPECT_TRUE(fault_of(scenario, settings));
    settings.nodes = scenario.nodes_min;
    settings.duration = scenario.duration_min - minutes(1);
    EXPECT_EQ(fault_of(scenario, settings), "--minutes 9: peer-mesh takes 10 to 14400");
    settings.duration = scenario.duration_min;
    settings.loss_per_mille = kLossPerMilleMax;
    EXPECT_EQ(fault_of(scenario, settings), std::nullopt);
    settings.loss_per_mille += 10;
    EXPECT_EQ(fault_of(scenario, settings), "--loss 51: at most 50 percent");
}

TEST(Scenario, TheSameSeedGivesTheSameHashAnotherSeedAnother) {
    for (const std::string_view name :
         {"dht-kill30", "peer-mesh", "ledger-one", "life-cuts", "agreement", "random"}) {
        const Report first = small_run(name, 1);
        const Report again = small_run(name, 1);
        const Report other = small_run(name, 2);
        EXPECT_EQ(first.hash, again.hash) << name;
        EXPECT_EQ(first.happenings, again.happenings) << name;
        EXPECT_NE(first.hash, other.hash) << name;
        EXPECT_GT(first.happenings, 1000u) << name;
    }
}

// Before, amid and after a step; short and long; of joining and of paying. All 408: scripts/soak.
TEST(LifeCuts, APowerCutAtAStepIsMadeUpForOrExpiresOnBothSides) {
    for (const std::uint64_t seed : {8u, 21u, 31u, 48u, 64u, 82u, 167u, 269u}) {
        const Report report = small_run("life-cuts", seed);
        EXPECT_TRUE(report.passed()) << "leither-sim run --scenario life-cuts --seed " << seed;
        EXPECT_EQ(report.figure("the power has gone at its step").value, 1) << seed;
    }
}

TEST(LifeCuts, WhatALongCutLetsExpireIsNeitherDoneNorHalfDone) {
    // Before the application is sent, and before the request is: nobody hears of them in time.
    const Report joining = small_run("life-cuts", 1 + 3 + 51);
    EXPECT_TRUE(joining.passed());
    EXPECT_EQ(joining.figure("members admitted").value, 0);
    const Report paying = small_run("life-cuts", 1 + 11 + 51);
    EXPECT_TRUE(paying.passed());
    EXPECT_EQ(paying.figure("requests paid").value, 0);
}

// With an even seed it takes the state.
TEST(WeekAway, WhoComesBackFindsWhatWasMissedAndIsNotMisled) {
    const Report report = small_run("week-away", 2);
    EXPECT_TRUE(report.passed()) << "leither-sim run --scenario week-away --seed 2 --minutes 360";
    EXPECT_EQ(report.figure("takes the state").value, 1);
}

TEST(Report, AMissedGoalIsAFailure) {
    Report report;
    report.add("plain", 5);
    report.at_least("found", 990, 990, Unit::per_mille);
    report.at_most("hops", 200, 200, Unit::hundredths);
    EXPECT_TRUE(report.passed());
    report.at_most("late", 3, 4);
    EXPECT_FALSE(report.passed());
    EXPECT_FALSE(report.figure("late").is_met());
    EXPECT_TRUE(report.figure("plain").is_met());
}

TEST(Report, FiguresAreShownInTheirUnits) {
    EXPECT_EQ(text_of(253, Unit::hundredths), "2.53");
    EXPECT_EQ(text_of(5, Unit::hundredths), "0.05");
    EXPECT_EQ(text_of(995, Unit::per_mille), "99.5 %");
    EXPECT_EQ(text_of(12'045, Unit::micros), "12.045 ms");
    EXPECT_EQ(text_of(7, Unit::bytes), "7 bytes");
}

TEST(Sample, MeanAndPercentilesAreOfWhatWasAdded) {
    Sample sample;
    EXPECT_EQ(sample.mean(), 0);
    EXPECT_EQ(sample.percentile(99), 0);
    for (std::int64_t i = 100; i >= 1; --i) sample.add(i);
    EXPECT_EQ(sample.mean_hundredths(), 5050);
    EXPECT_EQ(sample.percentile(50), 50);
    EXPECT_EQ(sample.percentile(99), 99);
    EXPECT_EQ(sample.most(), 100);
    EXPECT_EQ(per_mille(989, 1000), 989);
    EXPECT_EQ(per_mille(0, 0), 1000);
}

TEST(Churn, SessionsAreExponential) {
    Prng prng(1);
    const Duration mean = minutes(30);
    std::int64_t sum = 0;
    int longer = 0;
    for (int i = 0; i < 20'000; ++i) {
        const Duration drawn = exponential(prng, mean);
        ASSERT_GE(drawn, Duration(0));
        sum += drawn.count();
        if (drawn > mean) ++longer;
    }
    const double average = static_cast<double>(sum) / 20'000 / static_cast<double>(mean.count());
    EXPECT_NEAR(average, 1.0, 0.02);
    // One in e outlives the mean.
    EXPECT_NEAR(longer, 7358, 200);
}

TEST(Churn, AsManyArriveAsDepart) {
    Yard yard;
    int next = 0;
    const auto arrive = [&] {
        const int i = next++;
        return yard.add("20." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".1:1");
    };
    Churn churn(yard.network, minutes(10), arrive);
    for (int i = 0; i < 50; ++i) churn.admit(arrive());
    yard.world.run_for(hours(2));
    EXPECT_EQ(yard.network.hosts().size(), 50u);
    EXPECT_EQ(next, 50 + static_cast<int>(churn.departures()));
    EXPECT_NEAR(static_cast<double>(churn.departures()), 600, 80);
}

}  // namespace
}  // namespace leither::sim
