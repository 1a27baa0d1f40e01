// What a store must hold to be taken for a ledger, checked before anything is built on it.
#pragma once

#include <optional>

#include "leither/node/node.h"

namespace leither::node {

struct StoredLedger {
    protocol::Genesis genesis;
    ledger::Organization organization;
    ledger::Span span;
};

OpenError fault_of(const store::Fault& fault);
OpenError inconsistent(Sequence sequence, std::string_view what);

// Genesis, oldest and newest seal; nothing in an empty store.
Result<std::optional<StoredLedger>, OpenError> read_ledger(const store::Reader& store);
// Whether `seal`, of the head of `tree`, is decided by the committee that stood for it.
Result<void, OpenError> check_certificate(const ledger::Organization& organization,
                                          tree::Tree& tree, const ledger::Seal& seal);
// Block, tree and certificate of the newest seal: what a crash would have hurt first.
Result<void, OpenError> check_newest(const StoredLedger& ledger, const store::Reader& store,
                                     tree::Tree& tree);

// The ledger contains `pin`, as far as it still tells: a block behind its head, or one that it has
// pruned without keeping its link, is no contradiction.
Result<void, OpenError> check_pin(const StoredLedger& ledger, const store::Reader& store,
                                  const protocol::BlockName& pin);

}  // namespace leither::node
