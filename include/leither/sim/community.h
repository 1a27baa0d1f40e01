// An organization to simulate: keys derived from one seed, a genesis that names its bookkeepers'
// nodes, and its members' signed transactions.
#pragma once

#include <optional>
#include <vector>

#include "leither/base/time.h"
#include "leither/ledger/state.h"
#include "leither/node/queries.h"
#include "leither/wallet/payment.h"

namespace leither::sim {

struct CommunityOptions {
    std::uint64_t seed = 1;
    // Keys that the genesis makes members, each with `balance`; the treasury keeps the rest.
    std::size_t members = 4;
    // Seats of the charter that have keys of the seed.
    std::size_t bookkeepers = 1;
    // Of seat 0, instead of the seed's.
    std::optional<crypto::KeyPair> node_key = {};
    // Seats behind these.
    std::vector<PublicKey> other_bookkeepers = {};
    std::uint64_t balance = 1'000;
    std::uint64_t supply = 1'000'000;
    protocol::Params params = open_params();
    // Of pulse 0.
    std::uint64_t time_ms = 1'700'000'000'000;

    // Limits per member out of the way, rewards paid at once.
    static protocol::Params open_params();
};

// Nonce and expiry of a transaction about to be signed.
struct Signing {
    std::uint64_t counter = 0;
    Pulse expiry;
};

class Community {
 public:
    explicit Community(CommunityOptions options);

    const CommunityOptions& options() const { return options_; }
    // By seat. REQUIRES: seat < options().bookkeepers.
    const crypto::KeyPair& node_key(std::size_t seat = 0) const { return node_keys_[seat]; }
    const crypto::KeyPair& founder() const { return founder_; }
    crypto::KeyPair organization_key() const;
    // Any number: those below options().members are members from the beginning.
    crypto::KeyPair member(std::size_t n) const;
    const protocol::Genesis& genesis() const { return genesis_; }
    Bytes encoded_genesis() const;
    const ledger::Organization& organization() const { return organization_; }
    const ChainId& chain() const { return organization_.chain; }
    Instant start_of(Pulse pulse) const;

    protocol::Transaction pay(const crypto::KeyPair& payer, const crypto::KeyPair& payee,
                              std::uint64_t amount, const Signing& signing) const;
    protocol::Transaction join(const crypto::KeyPair& applicant, const Signing& signing) const;
    protocol::Transaction leave(const crypto::KeyPair& member, const Signing& signing) const;
    protocol::Transaction reward(const Id& member, std::uint64_t amount,
                                 const Signing& signing) const;
    // Any act that its signer alone signs.
    protocol::Transaction act(const crypto::KeyPair& signer, protocol::Action action,
                              const Signing& signing) const;
    protocol::Transaction cancel(const crypto::KeyPair& signer, const Signing& signing) const;

    // What the keeper at `queries` should publish, signed with the organization key. REQUIRES: it
    // keeps the ledger.
    node::PublishManifest manifest(const node::Queries& queries, Instant now,
                                   Duration lifetime = std::chrono::hours(24 * 30)) const;
    // The account wants to be served by that node.
    node::ServeAccount delegate(const crypto::KeyPair& account, const PublicKey& node,
                                Instant now) const;

 private:
    wallet::Draft draft(const Signing& signing) const;

    CommunityOptions options_;
    crypto::KeyPair::Seed family_{};
    std::vector<crypto::KeyPair> node_keys_;
    crypto::KeyPair founder_;
    protocol::Genesis genesis_;
    ledger::Organization organization_;
};

}  // namespace leither::sim
