// What stands behind Node and Queries.
#pragma once

#include <memory>
#include <optional>

#include "leither/node/node.h"

#include "network_node.h"
#include "org_instance.h"

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
    const store::Reader& store() const { return store_; }
    const Log& log() const { return log_; }

 private:
    // A founding whose batch is out.
    struct Founding {
        Token token = 0;
        protocol::SignedCharter charter;
        ledger::Seal seal;
        tree::Tree tree;
        tree::Tree::Update update;
    };

    Result<void, store::Fault> on(const Tick& tick, Instant now, Effects& fx);
    Result<void, store::Fault> on(Found&& found, Instant now, Effects& fx);
    Result<void, store::Fault> on(Submit&& submit, Instant now, Effects& fx);
    Result<void, store::Fault> on(const SignaturesChecked& checked, Instant now, Effects& fx);
    Result<void, store::Fault> on(const Persisted& persisted, Instant now, Effects& fx);
    Result<void, store::Fault> on(NetworkCall&& call, Instant now, Effects& fx);
    Result<void, store::Fault> found(Token token, protocol::Genesis&& genesis, Effects& fx);
    Result<void, store::Fault> finish_founding(Instant now, Effects& fx);
    // What the ledger says of an account, for the network.
    std::optional<bool> is_member(const Id& account) const override;
    void stop(store::Fault&& fault, Effects& fx);
    void answer_stopping(Input&& input, Effects& fx) const;

    Options options_;
    const store::Reader& store_;
    crypto::KeyPair key_;
    Log log_;
    std::unique_ptr<OrgInstance> organization_;
    std::optional<Founding> founding_;
    std::unique_ptr<NetworkNode> network_;
    bool stopped_ = false;  // a fault has ended this node
};

}  // namespace leither::node
