// Transactions on their way to the bookkeepers (docs/protocol/agreement.md).
#pragma once

#include "leither/protocol/transaction.h"

namespace leither::protocol {

// What its sender has admitted, in this order. Whoever votes is told once by each neighbour that
// learns of a transaction before it.
struct TransactionPost {
    static constexpr std::size_t kMax = 256;
    // Of all of them, encoded.
    static constexpr std::uint32_t kPayloadBytesMax = 64 << 10;
    Bounded<Transaction, kMax> transactions;
    static constexpr std::uint32_t kBytesMax = 2 + kPayloadBytesMax;
    static void fields(auto& self, auto&& visit) { visit(self.transactions); }
    friend bool operator==(const TransactionPost&, const TransactionPost&) = default;
};

}  // namespace leither::protocol
