// What a newcomer's node needs to begin with an organization: whom to follow, since when, and whom
// to ask first (docs/protocol/joining.md).
#pragma once

#include <optional>

#include "leither/protocol/manifest.h"

namespace leither::protocol {

inline constexpr std::size_t kEntriesMax = 4;

struct Introduction {
    PublicKey organization;
    ChainId chain;
    // A block that the ledger must contain. Nothing before there is a checkpoint.
    std::optional<Checkpoint> checkpoint;
    // Nodes of the organization; each has at least one endpoint, for connections and the DHT.
    Bounded<Keeper, kEntriesMax> entries;
    static void fields(auto& self, auto&& visit) {
        visit(self.organization, self.chain, self.checkpoint, self.entries);
    }
    bool is_canonical() const;
    friend bool operator==(const Introduction&, const Introduction&) = default;
};

}  // namespace leither::protocol
