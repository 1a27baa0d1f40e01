// The simulator's community, under the name that tests know it by.
#pragma once

#include "leither/sim/community.h"

namespace leither::testing {

using sim::Community;
using sim::CommunityOptions;
using sim::Signing;

}  // namespace leither::testing
