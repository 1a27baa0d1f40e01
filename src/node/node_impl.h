// What stands behind Node and Queries.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "leither/node/node.h"
#include "leither/sync/catch_up.h"

#include "network_node.h"
#include "org_instance.h"
#include "serving.h"

namespace leither::node {

class NodeImpl final : private org::MemberSource {
 public:
    NodeImpl(Options options, const store::Reader& store, crypto::KeyPair key, Log log);

    // One overload per input; a fault among their results ends the node (router.cpp).
    Effects step(Input&& input, Instant now);
    Effects step(NetworkInput&& input, Instant now);

    Result<void, store::Fault> join_network(const NetworkSetup& network);
    Effects start_network(Instant now);

    // What an organization needs that was found in the store.
    Result<void, store::Fault> adopt(OrgInstance::Parts parts);

    std::optional<Instant> next_deadline() const;
    void check_invariants() const;
    const PublicKey& node_key() const { return key_.public_key(); }
    // Null before founding.
    OrgInstance* organization() { return organization_.get(); }
    // Null without network.
    const NetworkNode* network() const { return network_.get(); }
    std::optional<sync::CatchUp::Progress> catching_up() const {
        return pursuit_ ? std::optional(pursuit_->machine.progress()) : std::nullopt;
    }
    const store::Reader& store() const { return store_; }
    const Log& log() const { return log_; }

 private:
    // The first version of a ledger, whose batch waits or is out: founded here, or learned from
    // others as genesis or as a later state.
    struct Founding {
        Token token = kNobody;
        store::WriteBatch batch;
        protocol::SignedCharter charter;
        ledger::Seal seal;
        tree::Tree tree;
        tree::Tree::Update update;
        std::uint64_t first_job = 0;
        std::vector<protocol::Acknowledgement> acknowledged = {};
    };
    // Catching up with one chain, that of the ledger or else of the followed organization.
    struct Pursuit {
        ChainId chain;
        sync::CatchUp machine;
        std::deque<protocol::DecidedBlock> to_apply;
        std::optional<Sequence> told_head;
        // Complete, to be made the ledger's; of a newcomer with the genesis.
        std::optional<sync::CatchUp::StateReady> state;
        std::optional<protocol::Genesis> genesis;
        std::optional<sync::Anchor> anchor;  // as the machine has it
    };

    Result<void, store::Fault> on(const Tick& tick, Instant now, Effects& fx);
    Result<void, store::Fault> on(Found&& found, Instant now, Effects& fx);
    Result<void, store::Fault> on(Submit&& submit, Instant now, Effects& fx);
    Result<void, store::Fault> on(const SignaturesChecked& checked, Instant now, Effects& fx);
    Result<void, store::Fault> on(const Persisted& persisted, Instant now, Effects& fx);
    Result<void, store::Fault> on(NetworkCall&& call, Instant now, Effects& fx);
    Result<void, store::Fault> on(const KeepReceipts& wish, Instant now, Effects& fx);
    Result<void, store::Fault> on(const Endorse& wish, Instant now, Effects& fx);
    Result<void, store::Fault> on(const SignTakeover& wish, Instant now, Effects& fx);
    Result<void, store::Fault> on(const TakeOver& input, Instant now, Effects& fx);
    void keep_receipts_of_served(Instant now, Effects& fx);
    Result<void, store::Fault> found(Token token, protocol::Genesis&& genesis);
    Result<void, store::Fault> finish_founding(Instant now, Effects& fx);

    // ---- Keeping the ledger together with others (keeping.cpp)
    // What an input has brought about: news between ledger and network, batches.
    Result<void, store::Fault> settle(Instant now, Effects& fx);
    Result<void, store::Fault> take(LedgerInput&& input, Instant now, Effects& fx);
    Result<void, store::Fault> take(const Id& from, protocol::PeerMessage&& message, Instant now,
                                    Effects& fx);
    Result<void, store::Fault> serve_next(Instant now);
    Result<void, store::Fault> catch_up(sync::CatchUp::Input&& input, Instant now, Effects& fx);
    Result<void, store::Fault> review_pursuit(Instant now, Effects& fx);
    Result<void, store::Fault> begin_pursuit(const ChainId& chain, Instant now, Effects& fx);
    Result<void, store::Fault> adopt_state(Instant now, Effects& fx);
    // What proves the committees on the way to the state, so that it leads others.
    Result<void, store::Fault> put_links(const sync::CatchUp::StateReady& state,
                                         store::WriteBatch& batch) const;
    std::optional<sync::Anchor> anchor() const;
    Result<void, store::Fault> apply_next(Instant now, Effects& fx);
    Result<void, store::Fault> follow_head(Instant now, Effects& fx);
    void hand_out(Effects& fx);
    void tell(ToNeighbour&& send, Instant now, Effects& fx);
    // What the ledger says, for the network.
    std::optional<bool> is_member(const Id& account) const override;
    bool is_bookkeeper(const PublicKey& node) const override;
    Effects finish(Result<void, store::Fault>&& done, Instant now, Effects&& fx);
    void stop(store::Fault&& fault, Effects& fx);
    void answer_stopping(Input&& input, Effects& fx) const;

    Options options_;
    const store::Reader& store_;
    crypto::KeyPair key_;
    Log log_;
    std::unique_ptr<OrgInstance> organization_;
    std::optional<Founding> founding_;
    std::unique_ptr<NetworkNode> network_;
    Meddler* meddler_ = nullptr;

    // Whose batch is out: one at a time.
    enum class Writer : std::uint8_t { none, founding, ledger };
    Writer writer_ = Writer::none;
    std::optional<Pursuit> pursuit_;          // once the chain is known
    bool is_writing_aside_ = false;           // for a pursuit, which may be over by now
    std::map<Id, std::uint64_t> neighbours_;  // and their features
    Serving serving_{Serving::Options{}};
    std::vector<ToNeighbour> sends_;
    bool has_served_changed_ = true;  // perhaps
    bool stopped_ = false;            // a fault has ended this node
};

}  // namespace leither::node
