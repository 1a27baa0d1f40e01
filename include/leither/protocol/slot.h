// Where a bookkeeper's signature belongs: part of everything it signs.
#pragma once

#include <cstdint>

#include "leither/base/number.h"
#include "leither/base/prefix.h"

namespace leither::protocol {

struct Slot {
    std::uint64_t cycle = 0;  // the term: ElectionRecord::cycle
    Prefix branch;            // empty prefix: the root
    Sequence height;
    std::uint32_t round = 0;
    static void fields(auto& self, auto&& visit) {
        visit(self.cycle, self.branch, self.height, self.round);
    }
    friend bool operator==(const Slot&, const Slot&) = default;
};

}  // namespace leither::protocol
