// An organization's parameters as people write them: by name, within their bounds.
#pragma once

#include <cstdint>
#include <string>

#include "leither/protocol/record.h"

namespace leither::app {

// The row of that name. Throws CliError unknown_parameter, which lists them all.
const protocol::ParamInfo& parameter_named(const std::string& name);
// "supervisors_required must be from 1 to 16." with the unit, if it has one.
std::string bounds_text(const protocol::ParamInfo& row);
// Throws CliError parameter_out_of_bounds, which names the bounds.
std::uint32_t parameter_value(const protocol::ParamInfo& row, const std::string& text);
// What a vote may change: throws CliError fixed_parameter besides the two above.
protocol::ParamChange parameter_change(const std::string& name, const std::string& value);

}  // namespace leither::app
