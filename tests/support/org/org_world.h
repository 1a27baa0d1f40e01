// What the machines of the org room stand on, made up: a ledger that is a list, a DHT's format.
#pragma once

#include <set>

#include "leither/org/address_book.h"
#include "leither/org/publication.h"
#include "leither/store/memory_store.h"

#include "support/org/org_sample.h"

namespace leither::testing {

class ListedMembers final : public org::MemberSource {
 public:
    std::optional<bool> is_member(const Id& account) const override {
        if (!has_ledger) return std::nullopt;
        return accounts.contains(account);
    }
    bool is_bookkeeper(const PublicKey&) const override { return false; }
    bool has_ledger = true;
    std::set<Id> accounts;
};

class PlainItemFormat final : public org::ItemFormat {
 public:
    Id target(ByteView content) const override;
    Bytes signed_bytes(std::string_view salt, std::uint64_t sequence,
                       ByteView content) const override;
};

inline org::Shelf shelf(org::ShelfKind kind) {
    return org::Shelf(as_bytes("test"), kind);
}

// REQUIRES: the store takes it.
void write(store::MemoryStore& store, const store::WriteBatch& batch);

}  // namespace leither::testing
