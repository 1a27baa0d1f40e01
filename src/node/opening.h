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

// Genesis, oldest and newest seal, the newest one certified by the charter's committee; nothing in
// an empty store.
Result<std::optional<StoredLedger>, OpenError> read_ledger(const store::Reader& store);
// Whether `seal` is decided by the charter's committee.
Result<void, OpenError> check_certificate(const ledger::Organization& organization,
                                          const ledger::Seal& seal);
// Block and tree of the newest seal: what a crash would have hurt first.
Result<void, OpenError> check_newest(const StoredLedger& ledger, const store::Reader& store,
                                     tree::Tree& tree);

}  // namespace leither::node
