// The organization's manifest as this node knows it.
//
// Specification
//   * Of all manifests offered, by DHT, peers or the operator, the valid one issued last is kept;
//     of two issued in the same millisecond the one kept first. It is kept beyond its expiry, since
//     old addresses are better than none, but `current` then says that it no longer holds.
// Rationale
//   * The signature of the DHT's item travels with the manifest, so that any member's node can keep
//     it alive, wherever it learnt of it.
#pragma once

#include <optional>
#include <variant>

#include "leither/org/publication.h"
#include "leither/org/shelf.h"
#include "leither/protocol/manifest.h"

namespace leither::org {

class ManifestKeeper {
 public:
    struct Offered {
        protocol::ManifestItem item;
    };
    // What an item of the DHT under the organization key held.
    struct Found {
        std::uint64_t sequence = 0;
        Bytes content;
        Signature signature;
    };
    using Input = std::variant<Offered, Found>;

    struct Effects {
        bool changed = false;  // `item` is another now: hand it on and publish it
        std::optional<protocol::RecordError> refused;
        store::WriteBatch writes;
    };

    // `format` outlives the keeper.
    ManifestKeeper(const Id& organization, const ItemFormat& format, Shelf shelf);
    Result<void, store::Fault> load(const store::Reader& reader);

    Effects step(Input&& input, Instant now);

    // The last one known, expired or not.
    const std::optional<protocol::ManifestItem>& item() const { return item_; }
    const protocol::Manifest* current(Instant now) const;
    // As the DHT takes it. REQUIRES: item().
    MutableItem publication() const;
    void check_invariants() const;

 private:
    void on(Offered&& input, Instant now, Effects& effects);
    void on(Found&& input, Instant now, Effects& effects);
    // Whether it is later than what is kept; its signatures are not looked at.
    bool is_news(const protocol::Manifest& manifest) const;
    Result<void, protocol::RecordError> check_item(const protocol::ManifestItem& item,
                                                   Instant now) const;
    void keep(protocol::ManifestItem&& item, Effects& effects);

    Id organization_;
    const ItemFormat& format_;
    Shelf shelf_;
    std::optional<protocol::ManifestItem> item_;
};

}  // namespace leither::org
