// What the agreement asks of the law, and what it is told about its own committee. The agreement
// knows seats and keys; what a block means is behind these calls.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "leither/base/result.h"
#include "leither/base/time.h"
#include "leither/crypto/sign.h"
#include "leither/ledger/block_store.h"
#include "leither/ledger/execute.h"
#include "leither/protocol/block.h"
#include "leither/store/kv.h"

namespace leither::consensus {

// A committee in office.
struct Term {
    std::uint64_t cycle = 0;             // part of every slot
    std::vector<PublicKey> committee;    // vote keys by seat; 1..kSeatsMax
    std::vector<Id> nodes;               // by seat: where to find who holds the key
    std::vector<PublicKey> previous;     // of the committee that decided the block before the first
    std::optional<std::uint16_t> seat;   // this node's; nothing: it follows
    std::optional<crypto::KeyPair> key;  // it votes with; there if a seat is
    Sequence first_height;               // the first block it decides
    // The block whose pulse reaches it is the committee's last, and is sealed even when idle;
    // nothing: the committee stays.
    std::optional<Pulse> end;
    std::uint32_t cycle_pulses = 1;  // the length of the cycles behind it, as far as is known
};

// What is agreed upon.
struct Value {
    protocol::BlockHeader header;
    protocol::Transactions transactions;
};

// A decided height, and the vote keys that decided it.
struct DecidedHeight {
    protocol::BlockHeader header;
    protocol::Certificate certificate;
    std::vector<PublicKey> committee;
};

// How the next block is to be stamped.
using Stamp = ledger::Stamp;

enum class Validity : std::uint8_t { valid, invalid };

// The questions of one height, by the voting machine. All answers stand on the present head.
class Application {
 public:
    virtual ~Application() = default;
    virtual Pulse pulse(Instant now) const = 0;
    // A block of what waits; may be empty. REQUIRES: stamp.pulse is above the head's.
    virtual Result<Value, store::Fault> build(const Stamp& stamp) = 0;
    // Whether executing it leads where its header says. The implementer remembers what it executed,
    // by block hash, so that asking again and sealing cost nothing.
    virtual Result<Validity, store::Fault> check(const Hash& block, const Value& value) = 0;
    // Whether it omits, with room to spare, what has been held for kPatiencePulses at `at` and
    // would hold in it. REQUIRES: check() has called it valid.
    virtual Result<bool, store::Fault> omits(const Value& value, Pulse at) = 0;
};
inline constexpr std::uint64_t kPatiencePulses = 5;

// The questions from height to height.
class Law : public Application {
 public:
    // The first pulse at which something waiting here can be sealed; nothing: nothing waits.
    virtual std::optional<Pulse> opens_at() const = 0;
    // Whether something that waits holds in a block at `at`, the present pulse. What has expired
    // leaves; after a no, opens_at() is later than `at`.
    virtual Result<bool, store::Fault> has_work(Pulse at) = 0;
    // The batch that makes the block durable: pages, block, seal. From here until commit() the head
    // stays and no question of a height is asked. REQUIRES: check() has called it valid.
    virtual Result<store::WriteBatch, store::Fault> seal(const Hash& block, Value&& value,
                                                         const protocol::Certificate& decided) = 0;
    // The batch is durable: its block is the head.
    virtual Result<void, store::Fault> commit(Instant now) = 0;
    // The committee of the height after the head.
    virtual const Term& term() const = 0;
    virtual const ledger::Seal& head() const = 0;
    // The head's transactions, for whoever missed them; nothing at the founding.
    virtual Result<std::optional<protocol::Transactions>, store::Fault> head_transactions() = 0;
    // What was decided at a height behind the founding, up to the head's; nothing if it is no such
    // height, or is not kept any more.
    virtual Result<std::optional<DecidedHeight>, store::Fault> decided(Sequence height) = 0;
};

}  // namespace leither::consensus
