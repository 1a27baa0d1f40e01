#include "tally.h"

#include <algorithm>

namespace leither::node {

namespace {

constexpr std::size_t kCountersignersMin = 2;

}  // namespace

Finality tally(std::span<const Witness> witnesses, Sequence block) {
    Finality count;
    count.sequence = block;
    for (const Witness& witness : witnesses) {
        const bool has_signed = witness.countersigned >= block;
        if (has_signed) {
            ++count.countersigned;
        } else if (witness.dissents) {
            ++count.dissenting;
        }
        if (has_signed || witness.is_online) ++count.online;
    }
    count.needed = std::max(kCountersignersMin, (count.online + 1) / 2);
    count.is_final = count.countersigned >= count.needed && count.countersigned > count.dissenting;
    return count;
}

Sequence final_sequence(std::span<const Witness> witnesses) {
    Sequence last;
    for (const Witness& witness : witnesses) {
        if (witness.countersigned <= last) continue;
        if (tally(witnesses, witness.countersigned).is_final) last = witness.countersigned;
    }
    return last;
}

}  // namespace leither::node
