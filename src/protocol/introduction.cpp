#include "leither/protocol/introduction.h"

#include <algorithm>

namespace leither::protocol {

bool Introduction::is_canonical() const {
    return std::ranges::none_of(entries,
                                [](const Keeper& entry) { return entry.endpoints.empty(); });
}

}  // namespace leither::protocol
