// Signs cycle blocks with this node's key, gathers what other candidates sign, and keeps the newest
// checkpoint (docs/protocol/checkpoints.md).
//
// Specification
//   * One cycle block is gathered for at a time: the newest one of the ledger, once it is durable.
//     Signatures under any other are passed over: what is late is sent again (below).
//   * A signature counts if it is by the node of a candidate in the table that the block has left,
//     once, after it was checked. A neighbour that brings another one under the same block is
//     blamed.
//   * Neighbours hear once that the ledger has come to the block, with what is held then, and each
//     signature once when it is new. Who is heard of that block for the first time is sent all that
//     it has not shown: whatever it was sent before it had the block was lost.
//   * With more than two thirds of the pledge the block is a checkpoint, which is written. Where
//     nobody has pledged, each cycle block is one, by its certificate.
// Rationale
//   * What this node signs follows from its durable ledger alone, and from Ed25519, which is the
//     same each time: after a crash it signs the same again. So nothing is logged before it leaves.
//     Two signatures under one cycle would need two decided blocks, which is a fork of the
//     committee, recorded as such.
// Memory: kCandidatesMax signatures, and their keys for each neighbour.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "leither/crypto/sign.h"
#include "leither/ledger/kept_cycles.h"

#include "ledger_link.h"

namespace leither::node {

class CheckpointKeeper {
 public:
    // With the newest that the store holds.
    static Result<CheckpointKeeper, store::Fault> open(const store::Reader& store,
                                                       const ChainId& chain,
                                                       crypto::KeyPair node_key);

    // What neighbours shall hear, and what is to be written.
    struct Effects {
        std::vector<ToNeighbour> sends;
        std::optional<store::WriteBatch> durable;
        std::optional<Id> blamed;
    };
    // The ledger's newest cycle block and the table it has left. One that is gathered for already
    // changes nothing.
    Effects begin(const ledger::CycleBlock& block);
    Effects on_neighbour(const Id& node);
    void on_neighbour_gone(const Id& node) { neighbours_.erase(node); }
    Effects on_message(const Id& from, const protocol::CheckpointVotes& votes);

    // The newest one, with every signature that is known.
    const std::optional<ledger::KeptCheckpoint>& newest() const { return newest_; }
    // What is gathered for now; nothing before the first cycle block.
    struct Progress {
        protocol::LastBlock block;
        Pulse pulse;
        Amount signed_pledge;
        Amount pledge;
        std::size_t signatures = 0;
        bool is_complete = false;
    };
    std::optional<Progress> progress() const;
    void check_invariants() const;

 private:
    struct Neighbour {
        bool has_spoken = false;  // of this block
        std::set<PublicKey> known;
    };
    struct Gathering {
        election::CycleLink block;
        protocol::LastBlock name;
        Bytes message;
        std::map<PublicKey, Amount> pledges;
        Amount pledge;
        std::map<PublicKey, Signature> signatures;
        Amount signed_pledge;
        bool is_complete = false;
    };

    CheckpointKeeper(const ChainId& chain, crypto::KeyPair node_key)
        : chain_(chain), node_key_(std::move(node_key)) {}
    // REQUIRES: by a candidate's node, checked, new.
    void add(const PublicKey& node_key, const Signature& signature);
    void recall();
    void review(Effects& effects);
    // What `to` lacks, in messages of their size; one at least if it is `greeted`.
    enum class Greets : std::uint8_t { no, yes };
    void tell(const Id& to, Greets greets, Effects& effects);

    ChainId chain_;
    crypto::KeyPair node_key_;
    std::map<Id, Neighbour> neighbours_;
    std::optional<Gathering> gathering_;
    std::optional<ledger::KeptCheckpoint> newest_;
};

}  // namespace leither::node
