// "This block is durable here": countersignatures of decided blocks, where fewer than four seats
// decide (docs/protocol/agreement.md).
#pragma once

#include "leither/base/bounded.h"
#include "leither/base/fixed_bytes.h"
#include "leither/base/number.h"
#include "leither/crypto/sign.h"

namespace leither::protocol {

// By the node of a member. A node that keeps to the protocol never signs two blocks of one
// sequence.
struct Acknowledgement {
    Sequence sequence;
    Hash block;
    PublicKey node;
    Signature signature;
    static void fields(auto& self, auto&& visit) {
        visit(self.sequence, self.block, self.node, self.signature);
    }
    friend bool operator==(const Acknowledgement&, const Acknowledgement&) = default;
};
inline constexpr std::size_t kAcknowledgementBytes = 8 + 32 + 32 + 64;

Bytes signing_message(const ChainId& chain, const Acknowledgement& acknowledgement);
Acknowledgement acknowledge(const ChainId& chain, Sequence sequence, const Hash& block,
                            const crypto::KeyPair& node);
bool is_signed(const Acknowledgement& acknowledgement, const ChainId& chain);

// What a node has of other nodes and itself, the newest of each.
struct Acknowledgements {
    static constexpr std::size_t kMax = 64;
    Bounded<Acknowledgement, kMax> list;
    static void fields(auto& self, auto&& visit) { visit(self.list); }
    friend bool operator==(const Acknowledgements&, const Acknowledgements&) = default;

    static constexpr std::uint32_t kBytesMax = 1 + kMax * kAcknowledgementBytes;
};

}  // namespace leither::protocol
