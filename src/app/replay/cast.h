// Who acts in a replay: a key for each account of the history, for the founder and the
// organization, all derived from one seed, and the transactions that they sign.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "leither/crypto/sign.h"
#include "leither/protocol/block.h"
#include "leither/wallet/payment.h"

#include "app/replay/history.h"
#include "app/replay/signer.h"

namespace leither::app {

class Cast {
 public:
    Cast(std::uint64_t seed, std::size_t accounts);

    const crypto::KeyPair& founder() const { return founder_; }
    const crypto::KeyPair& organization() const { return organization_; }
    const crypto::KeyPair& account(AccountIndex index) const { return *accounts_[index]; }
    std::size_t accounts() const { return accounts_.size(); }

    // An organization whose limits stand in no history's way: `supply` in its treasury, its ledger
    // kept by the nodes with these keys, at most protocol::kSeatsMax.
    protocol::Genesis found(Amount supply, std::span<const PublicKey> node_keys,
                            std::uint64_t time_ms) const;

 private:
    crypto::KeyPair founder_;
    crypto::KeyPair organization_;
    std::vector<std::optional<crypto::KeyPair>> accounts_;  // all set
};

// Signs the acts of a replay, each with a nonce given by the caller, all in lane 0.
class Acts {
 public:
    // The cast outlives the acts.
    Acts(const Cast& cast, const ChainId& chain, Pulse expiry)
        : cast_(cast), chain_(chain), expiry_(expiry) {}

    protocol::Transaction join(AccountIndex applicant, std::uint64_t counter) const;
    protocol::Transaction fund(AccountIndex member, Amount amount, std::uint64_t counter) const;
    protocol::Transaction transfer(const HistoryTransfer& transfer, std::uint64_t counter) const;
    SignedTransaction seal(std::uint64_t row, const protocol::Transaction& transaction) const;

 private:
    wallet::Draft draft(std::uint64_t counter) const { return {chain_, {0, counter}, expiry_}; }

    const Cast& cast_;
    ChainId chain_;
    Pulse expiry_;
};

}  // namespace leither::app
