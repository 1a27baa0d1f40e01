// Whether a decided block can be relied on (docs/protocol/agreement.md, "Final").
#pragma once

#include <cstddef>

#include "leither/base/number.h"

namespace leither::node {

struct Finality {
    Sequence sequence;  // of the block asked for
    bool is_final = false;
    // The head was decided by four seats or more, or the block is the founding: nobody need
    // countersign. The figures are 0 then.
    bool is_certified = false;
    std::size_t countersigned = 0;  // nodes that have, or have a later block of the same chain
    std::size_t online = 0;         // nodes online or among the countersigners; no bookkeeper's
    std::size_t needed = 0;         // countersigners; also more than are dissenting
    std::size_t dissenting = 0;     // nodes that have countersigned another block instead
    friend bool operator==(const Finality&, const Finality&) = default;
};

}  // namespace leither::node
