// An organization for tests: keys derived from one seed, a genesis that names a node's key, and its
// members' signed transactions.
#pragma once

#include <optional>
#include <vector>

#include "leither/base/time.h"
#include "leither/ledger/state.h"
#include "leither/wallet/payment.h"

namespace leither::testing {

struct CommunityOptions {
    std::uint64_t seed = 1;
    // Keys that the genesis makes members, each with `balance`; the treasury keeps the rest.
    std::size_t members = 4;
    std::uint64_t balance = 1'000;
    std::uint64_t supply = 1'000'000;
    protocol::Params params = open_params();
    // The charter's first bookkeeper; one of the seed's if none is given.
    std::optional<crypto::KeyPair> node_key = {};
    // Nodes that keep the ledger beside node_key().
    std::vector<PublicKey> other_bookkeepers = {};
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
    // The node key that the charter names.
    const crypto::KeyPair& node_key() const { return node_key_; }
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

 private:
    wallet::Draft draft(const Signing& signing) const;

    CommunityOptions options_;
    crypto::KeyPair::Seed family_{};
    crypto::KeyPair node_key_;
    crypto::KeyPair founder_;
    protocol::Genesis genesis_;
    ledger::Organization organization_;
};

}  // namespace leither::testing
