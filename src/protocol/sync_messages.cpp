#include "leither/protocol/sync_messages.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::protocol {

namespace {

constexpr bool blocks_may_be_largest() {
    return std::ranges::any_of(kParamTable, [](const ParamInfo& row) {
        return row.member == &Params::block_bytes_max && row.max == kLargestBlockBytes;
    });
}
static_assert(blocks_may_be_largest(), "a reply has room for the largest block");
static_assert(sizeof(Params) == 48, "as GenesisReply::kCharterBytesMax has it");

}  // namespace

bool BlocksReply::is_canonical() const {
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        if (blocks[i].header.sequence != Sequence(from.value() + i)) return false;
    }
    return oldest <= head;
}

const char* to_string(PieceOutcome outcome) {
    switch (outcome) {
        case PieceOutcome::piece: return "piece";
        case PieceOutcome::split: return "split";
        case PieceOutcome::not_kept: return "not_kept";
    }
    UNREACHABLE();
}

}  // namespace leither::protocol
