// The organization's manifest as this node knows it.
//
// Specification
//   * Of all manifests offered, by DHT, peers or the operator, the valid one issued last is kept;
//     of two issued in the same millisecond the one kept first. It is kept beyond its expiry, since
//     old addresses are better than none, but `current` then says that it no longer holds.
//   * Whoever holds the organization key signs anew: when what the manifest should say has changed
//     (at most every renew_interval; a new checkpoint alone once per checkpoint_interval), and
//     when it has renew_before left.
//   * issued_ms, which is the item's sequence, always rises, also if the clock has stepped back.
// Rationale
//   * The signature of the DHT's item travels with the manifest, so that any member's node can keep
//     it alive, wherever it learnt of it.
#pragma once

#include <optional>
#include <variant>

#include "leither/base/log.h"
#include "leither/org/publication.h"
#include "leither/org/shelf.h"
#include "leither/protocol/manifest.h"

namespace leither::org {

struct ManifestOptions {
    Duration lifetime = std::chrono::hours(24 * 30);
    Duration renew_before = std::chrono::hours(24 * 15);
    Duration renew_interval = std::chrono::minutes(1);
    Duration checkpoint_interval = std::chrono::hours(24);
};

class ManifestKeeper {
 public:
    struct Setup {
        Id organization;
        // Where the founder's node, or the operator for a moment, holds it.
        std::optional<crypto::KeyPair> key;
    };
    struct Tick {};
    struct Offered {
        protocol::ManifestItem item;
    };
    // What an item of the DHT under the organization key held.
    struct Found {
        std::uint64_t sequence = 0;
        Bytes content;
        Signature signature;
    };
    // What the manifest should say; organization, read key and validity are filled in here. Without
    // the key it is of no effect.
    struct Drafted {
        protocol::Manifest manifest;
    };
    using Input = std::variant<Tick, Offered, Found, Drafted>;

    struct Effects {
        bool changed = false;  // `item` is another now: hand it on and publish it
        std::optional<protocol::RecordError> refused;
        store::WriteBatch writes;
    };

    // `format` outlives the keeper.
    ManifestKeeper(ManifestOptions options, Setup setup, const ItemFormat& format, Shelf shelf,
                   Log log);
    Result<void, store::Fault> load(const store::Reader& reader);

    Effects step(Input&& input, Instant now);
    std::optional<Instant> next_deadline() const;

    // The last one known, expired or not.
    const std::optional<protocol::ManifestItem>& item() const { return item_; }
    const protocol::Manifest* current(Instant now) const;
    // As the DHT takes it. REQUIRES: item().
    MutableItem publication() const;
    bool holds_key() const { return setup_.key.has_value(); }
    void check_invariants() const;

 private:
    void on(Tick&&, Instant now, Effects& effects);
    void on(Offered&& input, Instant now, Effects& effects);
    void on(Found&& input, Instant now, Effects& effects);
    void on(Drafted&& input, Instant now, Effects& effects);
    void renew_if_due(Instant now, Effects& effects);
    // When the draft is to be signed; nothing if it says what the manifest says.
    std::optional<Instant> renewal_due() const;
    // Whether it is later than what is kept; its signatures are not looked at.
    bool is_news(const protocol::Manifest& manifest) const;
    Result<void, protocol::RecordError> check_item(const protocol::ManifestItem& item,
                                                   Instant now) const;
    void keep(protocol::ManifestItem&& item, Effects& effects);

    ManifestOptions options_;
    Setup setup_;
    const ItemFormat& format_;
    Shelf shelf_;
    Log log_;
    std::optional<protocol::ManifestItem> item_;
    std::optional<protocol::Manifest> draft_;
};

}  // namespace leither::org
