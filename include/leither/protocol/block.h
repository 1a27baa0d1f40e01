// Charter, blocks and certificates (docs/protocol/blocks.md).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "leither/base/bounded.h"
#include "leither/base/prefix.h"
#include "leither/base/result.h"
#include "leither/base/synopsis.h"
#include "leither/protocol/transaction.h"
#include "leither/protocol/vote.h"

namespace leither::protocol {

// One line of the first distribution of credit, announced to everybody with its reason.
struct Allocation {
    PublicKey key;
    Amount amount;
    Text reason;
    static void fields(auto& self, auto&& visit) { visit(self.key, self.amount, self.reason); }
    friend bool operator==(const Allocation&, const Allocation&) = default;
};
inline constexpr std::size_t kAllocationsMax = 65'536;
using Allocations = Bounded<Allocation, kAllocationsMax>;

// The founding document. Its hash is the chain id. Small: the allocations travel beside it.
struct Charter {
    BoundedText<64> name;
    BoundedText<16> unit;  // what the credit is called
    std::uint8_t decimals = 2;
    std::uint64_t time_ms = 0;                  // Unix time of pulse 0
    PublicKey organization;                     // its id names the treasury
    PublicKey founder;                          // first member and supervisor
    Bounded<PublicKey, kSeatsMax> bookkeepers;  // node keys of the first committee, by seat
    Amount supply;
    Hash allocations;       // allocations_hash()
    LongText announcement;  // reasons for the first distribution
    Params params;
    static void fields(auto& self, auto&& visit) {
        visit(self.name, self.unit, self.decimals, self.time_ms, self.organization, self.founder,
              self.bookkeepers, self.supply, self.allocations, self.announcement, self.params);
    }
    friend bool operator==(const Charter&, const Charter&) = default;
};

struct SignedCharter {
    Charter charter;
    Signature
        signature;  // by the organization key over the charter's tagged message, chain id zero
    static void fields(auto& self, auto&& visit) { visit(self.charter, self.signature); }
};

struct Genesis {
    SignedCharter charter;
    Allocations allocations;
    static void fields(auto& self, auto&& visit) { visit(self.charter, self.allocations); }
};

Hash allocations_hash(const Allocations& allocations);
Bytes signing_message(const Charter& charter);
ChainId chain_id(const Charter& charter);
// The account that holds the organization's bookkeeping record.
Id bookkeeping_id(const ChainId& chain);

// The pulse at `unix_ms`; 0 before the charter's time.
Pulse pulse_at(const Charter& charter, std::uint64_t unix_ms);

struct BlockHeader {
    Sequence sequence;
    Pulse pulse;
    Hash parent;        // block_hash of the header before; the chain id at sequence 0
    Synopsis root;      // of the ledger tree after this block
    Hash transactions;  // transactions_hash()
    std::uint32_t transaction_count = 0;
    std::uint16_t author = 0;  // seat of who proposed it first
    // signers_of() the parent's certificate as the author held it, so that who works is decided
    // data. 0 at sequences 0 and 1: the founding is nobody's work.
    std::uint32_t signers = 0;
    static void fields(auto& self, auto&& visit) {
        visit(self.sequence, self.pulse, self.parent, self.root, self.transactions,
              self.transaction_count, self.author, self.signers);
    }
    friend bool operator==(const BlockHeader&, const BlockHeader&) = default;
};

inline constexpr std::uint32_t kBlockHeaderBytes = 130;  // encoded

// Covers the signatures too, unlike transaction ids. The codec's own bound on a block is
// Params::block_bytes_max, kept by the ledger; this one only limits decoding.
inline constexpr std::size_t kBlockTransactionsMax = 131'072;
using Transactions = Bounded<Transaction, kBlockTransactionsMax>;

// Over EncodedTransaction::commitment() of each, in order.
Hash transactions_hash(const ChainId& chain, std::span<const Hash> commitments);
Hash transactions_hash(const ChainId& chain, const Transactions& transactions);
Hash block_hash(const ChainId& chain, const BlockHeader& header);
// What the next header names as its parent: the block hash, but of the genesis the chain id.
Hash hash_as_parent(const ChainId& chain, const BlockHeader& header);

struct SeatSignature {
    std::uint16_t seat = 0;
    Signature signature;
    static void fields(auto& self, auto&& visit) { visit(self.seat, self.signature); }
};

using SeatSignatures = Bounded<SeatSignature, kSeatsMax>;  // by seat, rising

// A quorum of precommits: the block is decided.
struct Certificate {
    Slot slot;
    Hash block;
    SeatSignatures signatures;
    static void fields(auto& self, auto&& visit) { visit(self.slot, self.block, self.signatures); }
    bool is_canonical() const;
};
// Bit s for each seat s that signed; seats beyond kSeatsMax, which no committee has, not counted.
std::uint32_t signers_of(const Certificate& certificate);

// How many of n seats may lie. REQUIRES: n >= 1.
constexpr std::size_t faulty_max(std::size_t n) {
    return (n - 1) / 3;
}
// n - faulty_max(n), but any 2 of 2 or 3 (crash tolerance only). REQUIRES: n >= 1.
constexpr std::size_t quorum(std::size_t n) {
    if (n == 2 || n == 3) return 2;
    return n - faulty_max(n);
}

enum class CertificateError : std::uint8_t {
    wrong_block,  // certifies another header, or in another term
    unknown_seat,
    too_few_signatures,
    bad_signature,
};
const char* to_string(CertificateError error);
// Whether `committee` (keys by seat) decided `header`.
Result<void, CertificateError> verify(const Certificate& certificate, const ChainId& chain,
                                      const BlockHeader& header,
                                      std::span<const PublicKey> committee);
// The same with the caller's own check of one signature, which may remember earlier answers.
using SignatureVerifier =
    std::function<bool(const PublicKey& key, ByteView message, const Signature& signature)>;
Result<void, CertificateError> verify(const Certificate& certificate, const ChainId& chain,
                                      const BlockHeader& header,
                                      std::span<const PublicKey> committee,
                                      const SignatureVerifier& holds);
// Committees below 4 tolerate crashes, not lies: wallets show such certificates as `trusted`.
constexpr bool is_trusted(std::size_t committee_size) {
    return committee_size < 4;
}

}  // namespace leither::protocol
