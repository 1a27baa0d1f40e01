// Brings a node from what it has to where the organization is: asks members' nodes for decided
// blocks, for the chain of committees and for the state, believes none of them, and hands out what
// is proven.
//
// Specification
//   * Short absence: blocks behind the head, in runs, while peers keep them and they are no more
//     than blocks_max. One run is with the host, at most one more waits here.
//   * Long absence: the chain of committees to a block that the newest of them has decided, the
//     highest of up to chains_compared peers'; the state of that block; then blocks.
//   * Newcomer, with nothing but the chain id: the genesis, which must hash to it; then as after a
//     long absence, and a short ledger by its blocks from the founding.
//   * An anchor is a block whose hash the host trusts: the way begins there, with whoever keeps it.
//     A pinned one is gone through, or none is gone at all; without a peer that keeps another one,
//     it begins at the charter's or the ledger's committee.
//   * Where the way begins longer ago than the release delay, nobody answers with a pledge for a
//     committee that was elected since: it may lead only to the seats it began with. What is
//     refused for that is told as Trouble, and asked for again.
//   * The links of the way to a state go to the store with its pieces, so that the host can lead
//     others.
//   * A peer that shows something false is blamed and asked nothing more while it is connected. One
//     that is silent, or has nothing of use, rests: retry_min, doubled up to retry_max, with
//     jitter. Silence ends after answer_timeout, longer for who was late before; a late answer
//     still counts.
//   * What a peer claims decides only what it is asked.
//   * Accepted pieces, and the genesis, leave as writes; load() finds them after a crash. What a
//     step writes may be lost with no harm but asking again.
//   * One block behind is given `patience` to come by itself, as it does while a committee works.
//   * Without work it names no deadline. Memory: a genesis, two runs of blocks, the chain of one
//     reply, unsynced_bytes_max of pieces and those in flight.
// Rationale
//   * Blocks are executed one behind the other by the host, so their runs are asked for one at a
//     time, the next while the host executes; pieces are independent, so several peers bring them
//     at once.
//   * The host says who certifies behind each head it reaches (state.h), so only a committee that
//     took over by an act is asked for on the way.
//   * Blocks are not held against the release delay: they are few, and whoever is behind by them
//     knows the committee that decided the first.
// Complexity: O(peers) per question.
#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "leither/base/log.h"
#include "leither/base/time.h"
#include "leither/ledger/kept_cycles.h"
#include "leither/sync/fetch.h"
#include "leither/sync/follow.h"

namespace leither::sync {

struct CatchUpOptions {
    std::uint64_t blocks_max = 3600;
    std::uint32_t run_bytes = protocol::kSyncReplyBytes;
    std::size_t chains_compared = 3;
    std::size_t pieces_asked_max = 8;
    std::size_t pieces_per_peer_max = 2;
    std::size_t unsynced_bytes_max = std::size_t{4} << 20;
    std::size_t peers_max = 256;
    // Failures in a row after which a peer counts for nothing but another try.
    unsigned failures_max = 3;
    Duration patience = std::chrono::seconds(3);
    Duration compare_wait = std::chrono::seconds(2);  // behind the first chain
    Duration answer_timeout = std::chrono::seconds(10);
    Duration retry_min = std::chrono::seconds(2);
    Duration retry_max = std::chrono::minutes(5);
};

// What a peer is blamed for.
enum class Blame : std::uint8_t {
    other_genesis,  // of another chain, or not what its charter commits to
    bad_chain,      // no chain of committees, though it keeps the history
    bad_blocks,     // not the decided ones
    bad_piece,      // not below the root
    false_split,    // a range that fits one piece, or has one id
    oversized,      // more than was asked for
    malformed,      // does not decode
};
const char* to_string(Blame blame);

enum class Stage : std::uint8_t {
    idle,      // nothing to do, or nobody to ask
    genesis,   // learning what the organization is
    chain,     // learning who certifies
    blocks,    // taking blocks
    state,     // taking pieces
    building,  // the host makes a ledger of them
    halted,    // the host has refused what was decided: the operator must act
};
const char* to_string(Stage stage);

// What keeps it from the head though neighbours claim to have it.
enum class Trouble : std::uint8_t {
    none,
    anchor_too_old,  // elected committees, from a beginning older than the release delay
    pin_not_found,   // nobody shows a ledger that contains the pinned block
    pin_broken,      // decided blocks contradict what is pinned or proven: halted
};
const char* to_string(Trouble trouble);

// A block whose hash is trusted, whoever brings it.
struct Anchor {
    protocol::BlockName block;
    bool is_pinned = false;  // by the operator; else the manifest names it
    friend bool operator==(const Anchor&, const Anchor&) = default;
};

class CatchUp {
 public:
    struct Setup {
        ChainId chain;
        Bytes prefix;  // of the store's keys
        // Nothing: a newcomer, who knows the chain id alone.
        std::optional<protocol::SignedCharter> charter;
        std::optional<Head> head;  // of the ledger; nothing: there is none yet
        // As the head's state has it, to take checkpoints by.
        std::optional<protocol::CandidateTable> table;
        std::optional<Anchor> anchor;
        std::uint64_t seed = 0;
        Log log;
    };

    struct Tick {};
    // A member's node is connected; what others say is passed over.
    struct PeerUp {
        Id node;
    };
    struct PeerDown {
        Id node;
    };
    // It says that its head is there. A hint: nothing is believed for it.
    struct Heard {
        Id node;
        Sequence height;
    };
    struct Received {
        Id from;
        protocol::SyncReply message;
    };
    // The ledger's head is there now, durably: by what was handed out, or by itself.
    struct Applied {
        Head head;
    };
    // The host has found what was handed out for this sequence invalid.
    struct Refused {
        Sequence height;
    };
    // The last `durable`.
    struct Persisted {};
    // Another one than before; peers are asked anew.
    struct Anchored {
        std::optional<Anchor> anchor;
    };
    using Input = std::variant<Tick, PeerUp, PeerDown, Heard, Received, Applied, Refused, Persisted,
                               Anchored>;

    struct Send {
        Id to;
        protocol::SyncAsk message;
    };
    struct Blamed {
        Id node;
        Blame why = Blame::malformed;
    };
    // Its pieces are all in the store, below piece_keys(), and the links to it below links_of().
    struct StateReady {
        protocol::BlockHeader header;
        protocol::Certificate certificate;
        Id shown_by;  // who has led there
        // Where the links begin, if not where the ledger's own knowledge ends.
        std::optional<std::uint64_t> from_term;
    };
    struct Effects {
        std::vector<Send> sends;
        // Of a newcomer, before anything else: to be kept for ever. With `state` it is not
        // executed, otherwise it is, and the blocks come behind it.
        std::optional<protocol::Genesis> genesis;
        // To be executed and made durable in order; answered by Applied.
        std::vector<protocol::DecidedBlock> blocks;
        // To be made the ledger's (build_state); answered by Applied or Refused.
        std::optional<StateReady> state;
        // One at a time: the next only behind Persisted.
        std::optional<store::WriteBatch> durable;
        std::vector<Blamed> blamed;
        std::optional<Stage> stage;      // when it changes
        std::optional<Trouble> trouble;  // when it changes
    };

    CatchUp(CatchUpOptions options, Setup setup);
    CatchUp(CatchUp&&) noexcept;
    CatchUp& operator=(CatchUp&&) noexcept;
    ~CatchUp();
    // Once, first: what an earlier run has left.
    Result<void, store::Fault> load(const store::Reader& store);

    Effects step(Input&& input, Instant now);
    std::optional<Instant> next_deadline() const;

    PieceKeys piece_keys() const;
    // The links to a state: keys of the peer's prefix and 8 bytes, the term of the committee that
    // the link proves, big-endian; values are KeptLink.
    using KeptLink = ledger::KeptCycle;
    Bytes links_of(const Id& peer) const;
    struct Progress {
        Stage stage = Stage::idle;
        Trouble trouble = Trouble::none;
        std::optional<Sequence> head;
        // The highest that a peer claims and has not failed to show.
        std::optional<Sequence> claimed;
        std::size_t pieces = 0;
        std::uint32_t share = 0;  // of the state, in 1/65,536
        bool is_behind() const { return claimed && (!head || *claimed > *head); }
    };
    Progress progress() const;
    void check_invariants() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::sync
