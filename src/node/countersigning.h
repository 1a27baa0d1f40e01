// Countersignatures of decided blocks: what this node signs, hears and passes on, and which block
// is final by them (docs/protocol/agreement.md, "Final").
//
// Specification
//   * While the head was decided by fewer than four seats, this node countersigns it, if it holds
//     none of them; only what is durable, the newest block alone, and no sequence twice. So an idle
//     chain costs nothing, and a node that catches up signs where it arrives.
//   * Of each node the newest is kept; an older or equal one is passed over unread. A second one of
//     the same sequence for another block shows a node that signs twice: it counts no more, and
//     both go on to others, once.
//   * Own ones go to all neighbours at once, others' a third of a pulse later to whoever is not
//     known to have them. A neighbour that shows for the first time that it keeps the ledger is
//     sent all.
//   * Own ones come a pulse apart, further if more than kSignersPerPulse nodes are online; from
//     others as often is taken, a few saved up. Whoever hands on a bad signature is blamed.
//   * What is final stays so, unless as many dissent.
// Rationale
//   * Newest only: a signature vouches for the chain behind its block, so a lost one is made good
//     by the next. It also bounds everything by nodes_max.
//   * The seats' own say nothing that their certificate does not say; one that lies would sign
//     every block it shows.
// Bounded by nodes_max, for each neighbour too. Complexity: O(neighbours) a message, O(nodes^2) a
//   change.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "leither/base/log.h"
#include "leither/base/result.h"
#include "leither/base/time.h"
#include "leither/crypto/sign.h"
#include "leither/node/finality.h"
#include "leither/protocol/acknowledgement.h"
#include "leither/store/kv.h"

#include "tally.h"

namespace leither::node {

class Countersigning {
 public:
    static constexpr std::size_t kSignersPerPulse = 16;
    static constexpr std::uint64_t kSavedUp = 4;  // of one node, ready to be taken at once

    struct Options {
        std::size_t nodes_max = 256;
        // So long does a node count as online after its last countersignature, without connection.
        std::uint64_t online_pulses = 60;
    };
    // The hash of a decided block of ours; nothing: not kept any more.
    using BlockAt = std::function<Result<std::optional<Hash>, store::Fault>(Sequence)>;
    struct Head {
        Sequence sequence;
        Hash block;
        bool is_certified = false;  // four seats or more have decided it
        std::set<Id> seats;         // nodes of those who decided it, and who decide the next
    };
    struct Setup {
        ChainId chain;
        crypto::KeyPair node_key;
        Duration pulse = std::chrono::seconds(1);
        BlockAt block_at;
        // What an earlier machine of this chain knew; checked then.
        std::vector<protocol::Acknowledgement> known;
        Log log;
    };

    struct Tick {};
    struct NodeUp {
        Id node;
    };
    struct NodeDown {
        Id node;
    };
    // A neighbour has shown that it keeps the ledger.
    struct Greeted {
        Id node;
    };
    // A later block is durable.
    struct HeadMoved {
        Head head;
    };
    // REQUIRES: each is of a member's node, as far as the network knows.
    struct Received {
        Id from;
        protocol::Acknowledgements message;
    };
    using Input = std::variant<Tick, NodeUp, NodeDown, Greeted, HeadMoved, Received>;

    struct Send {
        Id to;
        protocol::Acknowledgements message;
    };
    // Somebody has countersigned another block of a sequence of ours; `from` told.
    struct Doubt {
        Id from;
        Sequence sequence;
    };
    struct Effects {
        std::vector<Send> sends;
        std::vector<Id> blamed;
        std::vector<Doubt> doubts;
        std::optional<Sequence> final_sequence;  // when it rises
    };
    Countersigning(Options options, Setup setup, Head head);

    Result<Effects, store::Fault> step(Input&& input, Instant now);
    std::optional<Instant> next_deadline() const;
    void check_invariants() const;

    // This block and all before it are final.
    Sequence final_sequence() const { return final_; }
    // REQUIRES: block <= the head's.
    Finality finality(Sequence block, Instant now) const;
    std::size_t nodes() const { return signers_.size(); }
    // The newest of each node, our own among them.
    std::vector<protocol::Acknowledgement> known() const;

 private:
    struct Signer {
        protocol::Acknowledgement newest;
        bool signs_twice = false;
        bool is_reported = false;  // that it dissents; once
        Sequence agreed;           // the newest of ours that it has signed
        bool dissents = false;     // its newest is not of our chain
        Instant heard;             // last
        Instant next;              // when it is due again, at the pace of all
    };
    using Signers = std::map<Id, Signer>;
    struct Neighbour {
        bool keeps_ledger = false;
        std::map<Id, Sequence> has;  // of each node, the newest known to be there
    };
    using Done = Result<void, store::Fault>;

    Done on(const Tick&, Instant now, Effects& fx);
    Done on(NodeUp&& up, Instant now, Effects& fx);
    Done on(NodeDown&& down, Instant now, Effects& fx);
    Done on(Greeted&& greeted, Instant now, Effects& fx);
    Done on(HeadMoved&& moved, Instant now, Effects& fx);
    Done on(Received&& received, Instant now, Effects& fx);

    bool has_seat(const Id& node) const { return head_.seats.contains(node); }
    bool countersigns() const { return !head_.is_certified && !has_seat(own_); }
    Done take(const Id& from, const protocol::Acknowledgement& told, Instant now, Effects& fx);
    Signer* place(const Id& node, Instant now);
    Done compare(const Id& node, Signer& signer, Effects& fx);
    void convict(const Id& node, Signer& signer, const Id& from,
                 const protocol::Acknowledgement& second, Effects& fx);
    void sign(Instant now, Effects& fx);
    void pass_on(Instant now, Effects& fx);
    // To one neighbour, of `nodes` what it is not known to have.
    void tell(const Id& to, const std::set<Id>& nodes, Effects& fx);
    std::set<Id> all_nodes() const;
    bool is_online(const Id& node, const Signer& signer, Instant now) const;
    std::vector<Witness> witnesses(Instant now) const;
    void count(Instant now, Effects& fx);

    Options options_;
    Setup setup_;
    Id own_;
    Head head_;
    Signers signers_;                                  // others
    std::optional<protocol::Acknowledgement> signed_;  // our newest
    Instant sign_at_{};                                // not before
    std::map<Id, Neighbour> neighbours_;
    std::set<Id> to_pass_on_;
    std::optional<Instant> pass_on_at_;
    std::optional<Instant> count_at_;  // somebody goes offline, which may make a block final
    Sequence final_;
    bool has_begun_ = false;  // what was known before has been compared with our chain
};

}  // namespace leither::node
