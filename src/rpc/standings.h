// Where what is in a block stands, the same in every answer (docs/protocol/transactions.md,
// "States").
#pragma once

#include "leither/wallet/payment_state.h"

#include "call.h"

namespace leither::rpc {

class Standings {
 public:
    // Of the host's ledger at this moment.
    static node::Answer<Standings> now(Host& host);

    struct Standing {
        wallet::PaymentState state = wallet::PaymentState::committed;
        node::Finality finality;
        Pulse settles_at;
        bool is_contested = false;  // a node dissents, or two blocks were decided there or before
    };
    node::Answer<Standing> of(Sequence block, Pulse pulse) const;
    // {state, settles_ms, contested}
    Json to_json(const Standing& standing) const;

 private:
    Standings(node::Queries queries, Instant now, node::LedgerStatus&& status)
        : queries_(queries), now_(now), status_(std::move(status)) {}

    node::Queries queries_;
    Instant now_;
    node::LedgerStatus status_;
};

}  // namespace leither::rpc
