#include "app/parameter.h"

#include <fmt/format.h>

#include "app/cli_error.h"

namespace leither::app {

using protocol::kParamTable;

const protocol::ParamInfo& parameter_named(const std::string& name) {
    std::string names;
    for (const auto& row : kParamTable) {
        if (row.name == name) return row;
        names += fmt::format(" {}", row.name);
    }
    throw CliError(CliExit::usage, "unknown_parameter",
                   fmt::format("There is no parameter \"{}\".", name), "Name one of:" + names);
}

std::string bounds_text(const protocol::ParamInfo& row) {
    const std::string unit = row.unit.empty() ? "" : fmt::format(" ({})", row.unit);
    return fmt::format("{} must be from {} to {}{}.", row.name, row.min, row.max, unit);
}

std::uint32_t parameter_value(const protocol::ParamInfo& row, const std::string& text) {
    const auto value = parse_amount(text, 0);
    if (!value || value->units() < row.min || value->units() > row.max) {
        throw CliError(CliExit::usage, "parameter_out_of_bounds",
                       fmt::format("{} cannot be {}.", row.name, text), bounds_text(row));
    }
    return static_cast<std::uint32_t>(value->units());
}

protocol::ParamChange parameter_change(const std::string& name, const std::string& value) {
    const protocol::ParamInfo& row = parameter_named(name);
    const auto index = static_cast<std::size_t>(&row - std::begin(kParamTable));
    if (index == protocol::kFixedParam) {
        throw CliError(CliExit::usage, "fixed_parameter",
                       fmt::format("No vote changes {}: all time is reckoned by it.", name),
                       "Choose another parameter.");
    }
    return {static_cast<std::uint8_t>(index), parameter_value(row, value)};
}

}  // namespace leither::app
