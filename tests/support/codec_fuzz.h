// For the fuzz targets of the protocol's types.
#pragma once

#include "leither/base/check.h"
#include "leither/codec/bcs.h"

namespace leither::testing {

// Whatever decodes as a T is that value's one encoding.
template <class T>
void check_canonical(ByteView input) {
    const auto value = bcs::decode<T>(input);
    if (!value) return;
    const Bytes again = bcs::encode(*value);
    CHECK(std::ranges::equal(again, input));
}

// The first byte chooses one of Ts, the rest is input.
template <class... Ts>
void check_canonical_any(ByteView input) {
    if (input.empty()) return;
    const std::size_t chosen = input[0] % sizeof...(Ts);
    std::size_t index = 0;
    ((index++ == chosen ? check_canonical<Ts>(input.subspan(1)) : void()), ...);
}

}  // namespace leither::testing
