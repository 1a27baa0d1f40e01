#include "app/unsigned_options.h"

#include <cstdint>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace leither::app {
namespace {

struct Program {
    std::uint64_t count = 7;
    std::optional<std::uint32_t> limit;
    int offset = 0;
    CLI::App cli{"test"};

    Program() {
        cli.add_option("--count", count);
        auto* command = cli.add_subcommand("list");
        command->add_option("--limit", limit);
        command->add_option("--offset", offset);
        demand_decimal_numbers(cli);
    }
};

TEST(UnsignedOptions, WhatIsNoDecimalNumberIsAUsageErrorAtEveryLevel) {
    for (const char* line :
         {"--count -1", "list --limit -1", "--count=-7", "--count ' -1'", "--count 010",
          "--count 0x10", "--count 18446744073709551616", "list --limit 12a"}) {
        Program program;
        EXPECT_THROW(program.cli.parse(line), CLI::ValidationError) << line;
        EXPECT_EQ(program.count, 7u) << line;
    }
}

TEST(UnsignedOptions, WhatMayBeNegativeStaysSo) {
    Program program;
    program.cli.parse("--count 18446744073709551615 list --limit 0 --offset -3");
    EXPECT_EQ(program.count, UINT64_MAX);
    EXPECT_EQ(program.limit, 0u);
    EXPECT_EQ(program.offset, -3);
}

}  // namespace
}  // namespace leither::app
