// What a node asks members' nodes to catch up with the ledger, and what they answer
// (docs/protocol/sync.md): alternatives of PeerMessage, each with the maximum of its encoded body.
//
// Chains of committees and pieces of the tree travel as bytes: their types belong to higher rooms,
// which hold them against the same canonical rules (sync/wire.h).
#pragma once

#include <cstdint>
#include <variant>

#include "leither/protocol/block.h"

namespace leither::protocol {

// What a reply may weigh besides its frame, except one block that is larger by itself.
inline constexpr std::uint32_t kSyncReplyBytes = 512 << 10;

// ---- Blocks
// The blocks in a row behind the asker's head.
struct AskBlocks {
    Sequence from;                // the first one wanted
    std::uint32_t bytes_max = 0;  // of the blocks, kSyncReplyBytes at most; one comes in any case
    static constexpr std::uint32_t kBytesMax = 12;
    static void fields(auto& self, auto&& visit) { visit(self.from, self.bytes_max); }
    friend bool operator==(const AskBlocks&, const AskBlocks&) = default;
};
struct DecidedBlock {
    BlockHeader header;
    Certificate certificate;
    Transactions transactions;
    static void fields(auto& self, auto&& visit) {
        visit(self.header, self.certificate, self.transactions);
    }
    // Beside the transactions.
    static constexpr std::uint32_t kOverheadBytesMax =
        kBlockHeaderBytes + (41 + 32 + 1 + 66 * kSeatsMax) + 5;
};
// The most that parameters allow a block's transactions.
inline constexpr std::uint32_t kLargestBlockBytes = 16 << 20;
inline constexpr std::size_t kBlocksPerReply = 1024;
struct BlocksReply {
    Sequence from;    // as asked
    Sequence oldest;  // whose state the sender keeps: it has the blocks behind it
    Sequence head;
    // In a row from `from`; none if the sender does not keep, or does not have, the first.
    Bounded<DecidedBlock, kBlocksPerReply> blocks;
    static constexpr std::uint32_t kBytesMax =
        3 * 8 + 2 + DecidedBlock::kOverheadBytesMax + kLargestBlockBytes;
    static void fields(auto& self, auto&& visit) {
        visit(self.from, self.oldest, self.head, self.blocks);
    }
    bool is_canonical() const;
};

// ---- Genesis
struct AskGenesis {
    std::uint32_t from = 0;  // index of the first allocation wanted
    static constexpr std::uint32_t kBytesMax = 4;
    static void fields(auto& self, auto&& visit) { visit(self.from); }
    friend bool operator==(const AskGenesis&, const AskGenesis&) = default;
};
inline constexpr std::size_t kAllocationsPerReply = 1024;
struct GenesisReply {
    SignedCharter charter;
    std::uint32_t from = 0;
    std::uint32_t count = 0;  // of all allocations
    Bounded<Allocation, kAllocationsPerReply> allocations;
    static constexpr std::uint32_t kCharterBytesMax =
        65 + 17 + 1 + 8 + 32 + 32 + (1 + 32 * kSeatsMax) + 8 + 32 + 282 + 48 + 64;
    static constexpr std::uint32_t kBytesMax =
        kCharterBytesMax + 4 + 4 + 2 + (32 + 8 + 142) * kAllocationsPerReply;
    static void fields(auto& self, auto&& visit) {
        visit(self.charter, self.from, self.count, self.allocations);
    }
};

// ---- Committees
struct AskChain {
    std::uint64_t cycle = 0;  // the term of the newest committee the asker trusts
    // A block whose hash the asker trusts: whoever keeps it begins there. 0: there is none.
    Sequence anchor{};
    static constexpr std::uint32_t kBytesMax = 16;
    static void fields(auto& self, auto&& visit) { visit(self.cycle, self.anchor); }
    friend bool operator==(const AskChain&, const AskChain&) = default;
};
struct ChainReply {
    std::uint64_t cycle = 0;  // as asked
    Sequence anchor;          // as asked
    Sequence oldest;          // as in BlocksReply
    Sequence head;
    Bounded<std::uint8_t, kSyncReplyBytes> chain;  // sync::Chain
    static constexpr std::uint32_t kBytesMax = 4 * 8 + 3 + kSyncReplyBytes;
    static void fields(auto& self, auto&& visit) {
        visit(self.cycle, self.anchor, self.oldest, self.head, self.chain);
    }
    bool is_canonical() const { return oldest <= head; }
    friend bool operator==(const ChainReply&, const ChainReply&) = default;
};

// ---- State
struct AskPiece {
    Sequence sequence;  // the version of the ledger
    Prefix prefix;
    static constexpr std::uint32_t kBytesMax = 8 + 21;
    static void fields(auto& self, auto&& visit) { visit(self.sequence, self.prefix); }
    friend bool operator==(const AskPiece&, const AskPiece&) = default;
};
enum class PieceOutcome : std::uint8_t {  // encoded; never change these values
    piece,
    split,     // more than fits one piece: ask for the halves
    not_kept,  // the sender does not have that version, or no more
};
constexpr PieceOutcome last_of(PieceOutcome) {
    return PieceOutcome::not_kept;
}
const char* to_string(PieceOutcome outcome);
// What the leaves of one piece may weigh, encoded. A single leaf always fits.
inline constexpr std::uint32_t kPieceLeafBytesMax = 256 << 10;
// The proof of its prefix: 160 steps at most, and the end.
inline constexpr std::uint32_t kPieceProofBytesMax = 21 + 2 + 41 * kIdBits + 1 + 21 + 80;
inline constexpr std::uint32_t kPieceBytesMax = kPieceProofBytesMax + 2 + kPieceLeafBytesMax;
struct PieceReply {
    Sequence sequence;  // as asked
    Prefix prefix;      // as asked
    PieceOutcome outcome = PieceOutcome::not_kept;
    Bounded<std::uint8_t, kPieceBytesMax> piece;  // tree::Piece; of the outcome `piece` only
    static constexpr std::uint32_t kBytesMax = 8 + 21 + 1 + 3 + kPieceBytesMax;
    static void fields(auto& self, auto&& visit) {
        visit(self.sequence, self.prefix, self.outcome, self.piece);
    }
    bool is_canonical() const { return piece.empty() == (outcome != PieceOutcome::piece); }
    friend bool operator==(const PieceReply&, const PieceReply&) = default;
};

using SyncAsk = std::variant<AskBlocks, AskGenesis, AskChain, AskPiece>;
using SyncReply = std::variant<BlocksReply, GenesisReply, ChainReply, PieceReply>;

}  // namespace leither::protocol
