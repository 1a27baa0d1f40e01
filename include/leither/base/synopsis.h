// The synopsis of a tree node: hash and sum of everything below it. What a header commits to, what
// a branch reports upward, what a proof is checked against.
#pragma once

#include "leither/base/amount.h"
#include "leither/base/fixed_bytes.h"

namespace leither {

struct Synopsis {
    Hash hash;
    Amount sum;
    static void fields(auto& self, auto&& visit) { visit(self.hash, self.sum); }
    friend auto operator<=>(const Synopsis&, const Synopsis&) = default;
};

}  // namespace leither
