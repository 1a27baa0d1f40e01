// What countersignatures amount to. Pure: who calls says what each node has signed and who is
// online.
//
// Specification
//   * A block is final when `needed` nodes have countersigned it or a later one of its chain:
//     half of the nodes counted, rounded up, and two at least; and more than have countersigned
//     another block instead.
//   * Counted are the nodes online, and who has countersigned the block though it is gone: what is
//     signed stays signed.
//   * If a block is final by this count, so is each one before it.
// Complexity: O(witnesses) a block, O(witnesses^2) for final_sequence.
#pragma once

#include <span>

#include "leither/node/finality.h"

namespace leither::node {

// A node that may countersign, and what it has.
struct Witness {
    Sequence countersigned;  // the newest block of our chain; 0: none
    bool dissents = false;   // it has signed a later block than that, which is not of our chain
    bool is_online = false;
};

Finality tally(std::span<const Witness> witnesses, Sequence block);
// The last block that is final by the count; 0 if none is.
Sequence final_sequence(std::span<const Witness> witnesses);

}  // namespace leither::node
