// A made-up payment history whose shape follows published figures of a real community currency, for
// when no recorded one is at hand (`leither replay --generate community:SEED[:ROWS]`).
//
// Source: Sarafu, Kenya. C. Mattsson, T. Criscione, W. Ruddick, "Sarafu Community Inclusion
// Currency 2020-2021", Scientific Data 9:426 (2022): about 300 million Sarafu in some 420,000
// payments, so about 700 a payment; and Grassroots Economics' report on 2019: 92,223 payments of
// 7,630 users, so about 12 a user in a year, 400 Sarafu for each new user, savings groups of
// about 25. Taken from these: payments per account, mean amount, first credit, size of groups.
// Assumed by us: how unequal activity is (half of the payments by the most active fifth), the
// spread of amounts (from 1/32 to 32 times the median), three of four payments within the group.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace leither::app {

struct CommunityOptions {
    std::uint64_t seed = 1;
    std::uint64_t rows = 20'000;
};
// "community:7" or "community:7:50000"; nothing if it is neither.
std::optional<CommunityOptions> parse_community(const std::string& text);

// Writes balances.csv, transfers.csv and expected.csv into `directory`, the same for the same
// options on every machine. Throws CliError if a file cannot be written.
void write_community(const CommunityOptions& options, const std::filesystem::path& directory);

}  // namespace leither::app
