// CLI11 reads "-1" for an unsigned option as 2^64 - 1, as it does every number that is too great,
// and "010" as 8; here they are usage errors.
#pragma once

#include <CLI/CLI.hpp>

namespace leither::app {

// For every unsigned option of the program and of all its commands. Call it when all are declared.
void demand_decimal_numbers(CLI::App& cli);

}  // namespace leither::app
