#include "leither/protocol/manifest.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

namespace leither::protocol {

namespace {

constexpr std::size_t kKeeperBytesMax = 32 + 32 + 1 + 2 * kWireEndpointBytesMax;
constexpr std::size_t kSignedManifestBytesMax = 32 + 32 + (1 + 64) + (1 + 16) + 1 + (8 + 32 + 8) +
                                                32 + 1 + kKeepersMax * kKeeperBytesMax + 16 + 64;
static_assert(kSignedManifestBytesMax <= kItemContentBytesMax);

}  // namespace

const Keeper* Manifest::keeper(const PublicKey& node) const {
    const auto found = std::ranges::find(keepers, node, &Keeper::node);
    return found == keepers.end() ? nullptr : &*found;
}

Bytes signing_message(const Manifest& manifest) {
    return crypto::tagged_message(tags::kManifest, manifest.chain, bcs::encode(manifest));
}

SignedManifest sign(const Manifest& manifest, const crypto::KeyPair& organization) {
    CHECK(organization.public_key() == manifest.organization);
    return {manifest, organization.sign(signing_message(manifest))};
}

Result<void, RecordError> check(const SignedManifest& signed_, const Id& organization,
                                Instant now) {
    const Manifest& manifest = signed_.manifest;
    if (crypto::id_of(manifest.organization) != organization) return fail(RecordError::wrong_key);
    TRY(check(manifest.validity, kManifestLifetimeMax, now));
    if (!crypto::verify(manifest.organization, signing_message(manifest), signed_.signature)) {
        return fail(RecordError::bad_signature);
    }
    return {};
}

crypto::X25519KeyPair read_key_of(const crypto::KeyPair& organization) {
    return crypto::X25519KeyPair::derive(organization.seed(), tags::kReadKey);
}

}  // namespace leither::protocol
