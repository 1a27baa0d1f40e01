#include "leither/org/manifest_keeper.h"

#include <string>
#include <utility>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

namespace leither::org {

using protocol::Manifest;
using protocol::ManifestItem;
using protocol::RecordError;
using protocol::SignedManifest;

namespace {

constexpr std::string_view kName = "current";

}  // namespace

ManifestKeeper::ManifestKeeper(const Id& organization, const ItemFormat& format, Shelf shelf)
    : organization_(organization), format_(format), shelf_(std::move(shelf)) {}

Result<void, store::Fault> ManifestKeeper::load(const store::Reader& reader) {
    return shelf_.load<ManifestItem>(reader, [this](ByteView, ManifestItem&& item) {
        const auto& manifest = item.content.manifest;
        if (crypto::id_of(manifest.organization) == organization_) item_ = std::move(item);
    });
}

ManifestKeeper::Effects ManifestKeeper::step(Input&& input, Instant now) {
    Effects effects;
    std::visit([&](auto&& held) { on(std::move(held), now, effects); }, std::move(input));
    return effects;
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

bool ManifestKeeper::is_news(const Manifest& manifest) const {
    return !item_ || manifest.validity.issued_ms > item_->content.manifest.validity.issued_ms;
}

Result<void, RecordError> ManifestKeeper::check_item(const ManifestItem& item, Instant now) const {
    TRY(check(item.content, organization_, now));
    const Manifest& manifest = item.content.manifest;
    const Bytes message = format_.signed_bytes(protocol::kManifestSalt, manifest.validity.issued_ms,
                                               bcs::encode(item.content));
    if (!crypto::verify(manifest.organization, message, item.item_signature)) {
        return fail(RecordError::bad_signature);
    }
    return {};
}

void ManifestKeeper::keep(ManifestItem&& item, Effects& effects) {
    item_ = std::move(item);
    GatheredWrites writes;
    shelf_.put(writes, as_bytes(kName), *item_);
    effects.writes.append(writes.take());
    effects.changed = true;
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
    CHECK(crypto::id_of(item_->content.manifest.organization) == organization_);
}

}  // namespace leither::org
