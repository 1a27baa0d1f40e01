// Checkpoints: cycle blocks for which candidates answer with their pledge, as nodes say them to
// each other and as people write them (docs/protocol/checkpoints.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "leither/protocol/takeover.h"

namespace leither::protocol {

// One candidate's word for a cycle block. By node key and not by row, so that whoever trusts
// another table of candidates than the signers can weigh it by that one.
struct CheckpointSignature {
    PublicKey node_key;
    Signature signature;  // election::checkpoint_message
    static void fields(auto& self, auto&& visit) { visit(self.node_key, self.signature); }
    friend bool operator==(const CheckpointSignature&, const CheckpointSignature&) = default;
};

// What the sender holds of the signatures under one cycle block, or a part of it. Without any it
// says that its ledger has come to that block.
struct CheckpointVotes {
    static constexpr std::size_t kSignaturesMax = 64;
    LastBlock block;  // the cycle it begins, its sequence and hash
    Bounded<CheckpointSignature, kSignaturesMax> signatures;  // by node key, rising
    bool is_canonical() const;
    static constexpr std::uint32_t kBytesMax = 48 + 1 + 96 * kSignaturesMax;
    static void fields(auto& self, auto&& visit) { visit(self.block, self.signatures); }
    friend bool operator==(const CheckpointVotes&, const CheckpointVotes&) = default;
};

// A block by its place and hash: what members tell each other, and pin.
struct BlockName {
    Sequence sequence;
    Hash hash;
    friend bool operator==(const BlockName&, const BlockName&) = default;
};
// "1234:0721...": decimal sequence, hexadecimal hash.
std::string to_text(const BlockName& name);
// Nothing if `text` is no such name; one text for each.
std::optional<BlockName> parse_block_name(std::string_view text);

}  // namespace leither::protocol
