#include "leither/rpc/metrics.h"

#include <cstdio>

#include <gtest/gtest.h>

#include "rpc_world.h"

namespace leither::testing {
namespace {

std::string sample_exposition() {
    RpcWorld world;
    world.found();
    world.call("nonsense");
    world.call("transaction.submit", {{"transaction", world.payment_hex(1)}});
    world.pass_pulse();
    world.pass_pulse();
    world.metrics.observe_seal(Duration(3'000));
    world.metrics.observe_seal(Duration(3'000'000));
    world.metrics.count_transactions("odd \"name\"\\\n", 1);
    return world.exposition();
}

TEST(Metrics, EverySampleIsDescribedAndCounted) {
    const std::string text = sample_exposition();
    for (const char* line :
         {"leither_evidence_records{kind=\"fork\"} 0\n", "leither_sequence 1\n",
          "leither_final_sequence 0\n", "leither_countersigning_nodes{state=\"needed\"} 2\n",
          "leither_members 5\n", "leither_blocks_sealed_total 1\n",
          "leither_transactions_total{verdict=\"admitted\"} 1\n",
          "leither_transactions_total{verdict=\"committed\"} 1\n",
          "leither_transactions_total{verdict=\"odd \\\"name\\\"\\\\\\n\"} 1\n",
          "leither_rpc_calls_total{method=\"unknown\",outcome=\"invalid\"} 1\n",
          "leither_rpc_calls_total{method=\"transaction.submit\",outcome=\"ok\"} 1\n",
          "leither_seal_seconds_bucket{le=\"0.0025\"} 0\n",
          "leither_seal_seconds_bucket{le=\"0.005\"} 1\n",
          "leither_seal_seconds_bucket{le=\"1\"} 1\n",
          "leither_seal_seconds_bucket{le=\"+Inf\"} 2\n", "leither_seal_seconds_sum 3.003\n",
          "process_cpu_seconds_total 1.5\n", "# TYPE leither_seal_seconds histogram\n"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line << text;
    }
}

TEST(Metrics, SamplesOfSeveralOrganizationsStandTogetherAndSayWhose) {
    RpcWorld first;
    RpcWorld second;
    first.found();
    second.found();
    second.call("nonsense");
    const std::string text = rpc::exposition(
        {{"", &first.metrics, &first}, {"choir", &second.metrics, &second}}, first.process_stats(),
        {{.name = ""}, {.name = "choir"}, {.name = "b", .state = rpc::PlaceState::failed}});
    for (const char* lines :
         {"leither_members 5\nleither_members{org=\"choir\"} 5\n",
          "leither_rpc_calls_total{org=\"choir\",method=\"unknown\",outcome=\"invalid\"} 1\n",
          "leither_seal_seconds_bucket{org=\"choir\",le=\"1\"} 0\n",
          "leither_organizations{state=\"serving\"} 2\n",
          "leither_organizations{state=\"failed\"} 1\n", "\nprocess_cpu_seconds_total 1.5\n"}) {
        EXPECT_NE(text.find(lines), std::string::npos) << lines << text;
    }
    const std::string help = "# HELP leither_members ";
    EXPECT_EQ(text.find(help), text.rfind(help)) << "described once";
}

TEST(Metrics, PrometheusOwnCheckerAccepts) {
    if (std::system("command -v promtool >/dev/null 2>&1") != 0) GTEST_SKIP() << "needs promtool";
    std::FILE* checker = popen("promtool check metrics", "w");
    ASSERT_NE(checker, nullptr);
    const std::string text = sample_exposition();
    std::fwrite(text.data(), 1, text.size(), checker);
    EXPECT_EQ(pclose(checker), 0);
}

}  // namespace
}  // namespace leither::testing
