// Headers, certificates and transactions on disk, by sequence (docs/protocol/storage.md).
#pragma once

#include <optional>

#include "leither/protocol/block.h"
#include "leither/store/kv.h"
#include "leither/tree/tree.h"

namespace leither::ledger {

// What is known of a decided sequence without its transactions.
struct Seal {
    protocol::BlockHeader header;
    protocol::Certificate certificate;
    tree::RootLocation root_location;
    static void fields(auto& self, auto&& visit) {
        visit(self.header, self.certificate, self.root_location);
    }
};
tree::Version version_of(const Seal& seal);

void put_genesis(store::WriteBatch& batch, const protocol::Genesis& genesis);
void put_seal(store::WriteBatch& batch, const Seal& seal);
void put_block(store::WriteBatch& batch, Sequence sequence,
               const protocol::Transactions& transactions);

// A value that does not decode is Fault::Kind::corrupt; nothing means it is not there (pruned, or
// never written).
Result<std::optional<protocol::Genesis>, store::Fault> read_genesis(const store::Reader& store);
Result<std::optional<Seal>, store::Fault> read_seal(const store::Reader& store, Sequence sequence);
Result<std::optional<protocol::Transactions>, store::Fault> read_block(const store::Reader& store,
                                                                       Sequence sequence);
// The newest and the oldest sealed sequence; nothing in an empty store.
struct Span {
    Seal oldest;
    Seal newest;
};
Result<std::optional<Span>, store::Fault> read_span(const store::Reader& store);

}  // namespace leither::ledger
