#include "app/unsigned_options.h"

#include <charconv>
#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace leither::app {

void demand_decimal_numbers(CLI::App& cli) {
    const auto check = [](const std::string& text) -> std::string {
        std::uint64_t number = 0;
        const char* end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, number);
        const bool has_leading_zero = text.size() > 1 && text.front() == '0';
        if (error == std::errc{} && stop == end && !has_leading_zero) return "";
        return fmt::format("\"{}\" is no number from 0 to {}", text, UINT64_MAX);
    };
    const CLI::Validator is_decimal(check, "");
    for (CLI::Option* option : cli.get_options()) {
        if (option->get_type_name().starts_with("UINT")) option->check(is_decimal);
    }
    for (CLI::App* command : cli.get_subcommands({})) demand_decimal_numbers(*command);
}

}  // namespace leither::app
