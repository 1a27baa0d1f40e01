// What a vote of the members needs to pass, as numbers that people can be told
// (docs/protocol/records.md).
#pragma once

#include <cstdint>

namespace leither::protocol {

// The fewest yes with which a vote passes; it needs both.
std::uint64_t quorum_of(std::uint64_t members);  // a third of the members, and at least one
std::uint64_t majority_of(std::uint64_t yes, std::uint64_t no);  // two thirds of the ballots cast

}  // namespace leither::protocol
