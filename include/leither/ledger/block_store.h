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
// The history begins at `sequence`, as after a state that came from others.
void put_retained_from(store::WriteBatch& batch, Sequence sequence);

// A value that does not decode is Fault::Kind::corrupt; nothing means it is not there (pruned, or
// never written).
Result<std::optional<protocol::Genesis>, store::Fault> read_genesis(const store::Reader& store);
Result<std::optional<Seal>, store::Fault> read_seal(const store::Reader& store, Sequence sequence);
Result<std::optional<protocol::Transactions>, store::Fault> read_block(const store::Reader& store,
                                                                       Sequence sequence);
// The newest sealed sequence and the oldest retained one; nothing in an empty store.
struct Span {
    Seal oldest;
    Seal newest;
};
Result<std::optional<Span>, store::Fault> read_span(const store::Reader& store);

// How much history goes.
struct Pruning {
    Sequence retained_from;  // the oldest sequence that stays readable: Span::oldest from now on
    Sequence erase_below;    // tree::Tree::erasable_below(); at most retained_from
};
// Notes retained_from durably, unless it is past that already, then erases seals, blocks and pages
// below erase_below; the genesis stays for ever. A crash in between leaves bytes that the next call
// erases, nothing else. Two operations on the store and more; runs on the writer's thread.
Result<void, store::Fault> prune(store::Store& store, const Pruning& pruning);

}  // namespace leither::ledger
