#include "leither/org/manifest_keeper.h"

#include <algorithm>
#include <string>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

namespace leither::org {

using protocol::Manifest;
using protocol::ManifestItem;
using protocol::RecordError;
using protocol::SignedManifest;

namespace {

constexpr std::string_view kName = "current";

// What `draft` would say if it were signed for as long as `other`.
Manifest valid_like(const Manifest& draft, const Manifest& other) {
    Manifest out = draft;
    out.validity = other.validity;
    return out;
}

}  // namespace

ManifestKeeper::ManifestKeeper(ManifestOptions options, Setup setup, const ItemFormat& format,
                               Shelf shelf, Log log)
    : options_(options),
      setup_(std::move(setup)),
      format_(format),
      shelf_(std::move(shelf)),
      log_(std::move(log)) {
    CHECK(options.renew_before < options.lifetime);
    CHECK(options.lifetime <= protocol::kManifestLifetimeMax);
    CHECK(!setup_.key || setup_.key->id() == setup_.organization);
}

Result<void, store::Fault> ManifestKeeper::load(const store::Reader& reader) {
    return shelf_.load<ManifestItem>(reader, [this](ByteView, ManifestItem&& item) {
        const auto& manifest = item.content.manifest;
        if (crypto::id_of(manifest.organization) == setup_.organization) item_ = std::move(item);
    });
}

ManifestKeeper::Effects ManifestKeeper::step(Input&& input, Instant now) {
    Effects effects;
    std::visit([&](auto&& held) { on(std::move(held), now, effects); }, std::move(input));
    return effects;
}

void ManifestKeeper::on(Tick&&, Instant now, Effects& effects) {
    renew_if_due(now, effects);
}

void ManifestKeeper::on(Offered&& input, Instant now, Effects& effects) {
    if (!is_news(input.item.content.manifest)) return;
    if (const auto holds = check_item(input.item, now); !holds) {
        effects.refused = holds.error();
        return;
    }
    keep(std::move(input.item), effects);
}

void ManifestKeeper::on(Found&& input, Instant now, Effects& effects) {
    auto content = bcs::decode<SignedManifest>(input.content);
    const bool fits = content && content->manifest.validity.issued_ms == input.sequence;
    if (!fits) {
        effects.refused = RecordError::bad_content;
        return;
    }
    on(Offered{{*std::move(content), input.signature}}, now, effects);
}

void ManifestKeeper::on(Drafted&& input, Instant now, Effects& effects) {
    if (!setup_.key) return;
    draft_ = std::move(input.manifest);
    draft_->organization = setup_.key->public_key();
    draft_->read_key = protocol::read_key_of(*setup_.key).public_key();
    renew_if_due(now, effects);
}

bool ManifestKeeper::is_news(const Manifest& manifest) const {
    return !item_ || manifest.validity.issued_ms > item_->content.manifest.validity.issued_ms;
}

Result<void, RecordError> ManifestKeeper::check_item(const ManifestItem& item, Instant now) const {
    TRY(check(item.content, setup_.organization, now));
    const Manifest& manifest = item.content.manifest;
    const Bytes message = format_.signed_bytes(protocol::kManifestSalt, manifest.validity.issued_ms,
                                               bcs::encode(item.content));
    if (!crypto::verify(manifest.organization, message, item.item_signature)) {
        return fail(RecordError::bad_signature);
    }
    return {};
}

void ManifestKeeper::renew_if_due(Instant now, Effects& effects) {
    const auto due = renewal_due();
    if (!due || now < *due) return;
    Manifest manifest = *draft_;
    manifest.validity = protocol::Validity::from(now, options_.lifetime);
    if (item_) {
        const std::uint64_t last = item_->content.manifest.validity.issued_ms;
        manifest.validity.issued_ms = std::max(manifest.validity.issued_ms, last + 1);
        manifest.validity.expires_ms =
            std::max(manifest.validity.expires_ms, manifest.validity.issued_ms + 1);
    }
    ManifestItem item;
    item.content = sign(manifest, *setup_.key);
    item.item_signature = setup_.key->sign(format_.signed_bytes(
        protocol::kManifestSalt, manifest.validity.issued_ms, bcs::encode(item.content)));
    log_.debug("manifest_signed", "issued_ms={}", manifest.validity.issued_ms);
    keep(std::move(item), effects);
}

std::optional<Instant> ManifestKeeper::renewal_due() const {
    if (!setup_.key || !draft_) return std::nullopt;
    if (!item_) return Instant{};
    const Manifest& said = item_->content.manifest;
    const Instant issued = instant_from_unix_ms(said.validity.issued_ms);
    const Instant expires = instant_from_unix_ms(said.validity.expires_ms);
    const Manifest wanted = valid_like(*draft_, said);
    Instant due = expires - options_.renew_before;
    if (wanted != said) due = std::min(due, issued + options_.checkpoint_interval);
    Manifest but_checkpoint = wanted;
    but_checkpoint.checkpoint = said.checkpoint;
    if (but_checkpoint != said) due = std::min(due, issued + options_.renew_interval);
    return due;
}

void ManifestKeeper::keep(ManifestItem&& item, Effects& effects) {
    item_ = std::move(item);
    Writes writes;
    shelf_.put(writes, as_bytes(kName), *item_);
    effects.writes.append(writes.take());
    effects.changed = true;
}

std::optional<Instant> ManifestKeeper::next_deadline() const {
    return renewal_due();
}

const Manifest* ManifestKeeper::current(Instant now) const {
    const bool holds = item_ && item_->content.manifest.validity.holds(now);
    return holds ? &item_->content.manifest : nullptr;
}

MutableItem ManifestKeeper::publication() const {
    CHECK(item_.has_value());
    const Manifest& manifest = item_->content.manifest;
    return {manifest.organization, std::string(protocol::kManifestSalt),
            manifest.validity.issued_ms, bcs::encode(item_->content), item_->item_signature};
}

void ManifestKeeper::check_invariants() const {
    if (!item_) return;
    CHECK(crypto::id_of(item_->content.manifest.organization) == setup_.organization);
}

}  // namespace leither::org
