// The node on the network as one machine: the DHT, the hub of connections and the community of the
// followed organization, each of which knows none of the others.
//
// Specification
//   * One organization is followed: the one whose ledger this node keeps, else the one it was told
//     to follow; also after a restart.
//   * While connections are fewer than wanted the DHT is asked for the organization's nodes, less
//     and less often; what it names is for the hub to dial.
//   * What a step writes is durable before what depends on it is sent, published, answered or told;
//     batches go out one at a time, in order, and what is to be written meanwhile makes one more.
//   * Contacts, addresses and bans are kept at the end, every save_interval, and soon after
//   somebody
//     new is connected: whoever loses its power finds back when its first acquaintance is gone. An
//     idle node writes nothing in between.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "leither/node/effects.h"
#include "leither/node/network.h"

#include "community.h"

namespace leither::node {

class NetworkNode {
 public:
    struct Setup {
        NetworkOptions options;
        const store::Reader& store;  // the network's own
        Entropy& entropy;
        Instant now;
    };
    // `setup`'s references and `source` outlive the node.
    static Result<std::unique_ptr<NetworkNode>, store::Fault> open(const Setup& setup,
                                                                   const crypto::KeyPair& key,
                                                                   const org::MemberSource& source,
                                                                   const Log& log);
    NetworkNode(const NetworkNode&) = delete;
    NetworkNode& operator=(const NetworkNode&) = delete;
    ~NetworkNode();

    // Begins: joins the DHT and dials. Once, first.
    Result<void, store::Fault> start(Instant now, Effects& fx);
    Result<void, store::Fault> step(NetworkInput&& input, Instant now, Effects& fx);
    Result<void, store::Fault> call(NetworkCall&& call, Instant now, Effects& fx);
    Result<void, store::Fault> tick(Instant now, Effects& fx);
    // This node keeps the ledger of `organization`.
    Result<void, store::Fault> follow(const Id& organization, Instant now, Effects& fx);

    // ---- The ledger's side
    // What has come for it since it asked last.
    std::vector<LedgerInput> take_ledger_inputs();
    void tell(const Id& node, protocol::PeerMessage&& message, Instant now, Effects& fx);
    // It has shown what no honest node does.
    void blame(const Id& node, Instant now, Effects& fx);
    // Keeps something of the ledger's in the network's store, below ledger_prefix(); answered by
    // WrittenAside if the ledger is to be told.
    enum class Tells : std::uint8_t { nobody, ledger };
    void write_aside(store::WriteBatch&& batch, Tells tells, Instant now, Effects& fx);
    static Bytes ledger_prefix();
    const store::Reader& store() const;
    // Of the followed organization, once a manifest has told.
    std::optional<ChainId> followed_chain() const;
    // The block that the invitation to the followed organization names; nothing without one.
    std::optional<protocol::BlockName> pin() const;
    // Of the accounts this node serves.
    const protocol::Delegations& served() const;
    std::uint64_t draw();
    // The ledger knows bookkeepers now, or other ones.
    void review_neighbours(Instant now, Effects& fx);

    std::optional<Instant> next_deadline() const;
    void check_invariants() const;

    NetworkStatus status(Instant now) const;
    std::vector<peer::PeerStatus> peers(Instant now) const;
    std::vector<peer::BanStatus> bans(Instant now) const;
    // As the manifest names a node that holds the ledger.
    protocol::Keeper as_keeper() const;
    // Null while no organization is followed.
    const Community* community() const;

 private:
    struct Impl;
    explicit NetworkNode(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::node
