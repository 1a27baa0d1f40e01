// Who is a member, as far as this node can tell: from the ledger if it holds one, else from passes
// that keepers have signed.
//
// Not thread-safe. Bounded: of too many passes the one that expires first goes.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "leither/org/shelf.h"
#include "leither/protocol/delegation.h"
#include "leither/protocol/manifest.h"

namespace leither::org {

// The ledger's answer. Outlives whoever asks it.
class MemberSource {
 public:
    virtual ~MemberSource() = default;
    // Nothing if this node holds no ledger.
    virtual std::optional<bool> is_member(const Id& account) const = 0;
    // False also if this node holds no ledger.
    virtual bool is_bookkeeper(const PublicKey& node) const = 0;
};

class Members {
 public:
    struct Options {
        std::size_t passes_max = 4096;
    };
    Members(Options options, const ChainId& chain, const MemberSource& source, Shelf shelf);
    Result<void, store::Fault> load(const store::Reader& reader, Instant now);

    // Whose passes count. Passes of others are dropped when they are met.
    void set_keepers(const protocol::Manifest& manifest);
    // `wrong_key` if its keeper is none.
    Result<void, protocol::RecordError> accept(const protocol::SignedPass& pass, Instant now);

    bool is_keeper(const Id& node) const { return keepers_.contains(node); }
    bool is_member(const Id& account, Instant now) const;
    // To show to others; nothing if there is none that holds.
    std::optional<protocol::SignedPass> pass_of(const Id& account, Instant now) const;

    std::size_t passes() const { return passes_.size(); }
    store::WriteBatch take_writes() { return writes_.take(); }
    void check_invariants() const;

 private:
    bool is_by_keeper(const protocol::SignedPass& pass) const;
    bool counts(const protocol::SignedPass& pass, Instant now) const;
    void make_room();

    Options options_;
    ChainId chain_;
    const MemberSource& source_;
    Shelf shelf_;
    std::set<Id> keepers_;                       // node ids
    std::map<Id, protocol::SignedPass> passes_;  // by account, the latest issued
    GatheredWrites writes_;
};

}  // namespace leither::org
