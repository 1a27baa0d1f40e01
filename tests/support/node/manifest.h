// A manifest as the holder of the organization key signs it.
#pragma once

#include "leither/codec/bcs.h"
#include "leither/node/queries.h"

#include "support/node/community.h"

namespace leither::testing {

inline node::PublishManifest signed_manifest(const Community& community,
                                             const node::Queries& queries, Instant now,
                                             Duration lifetime = std::chrono::hours(24 * 30)) {
    const crypto::KeyPair key = community.organization_key();
    const auto read_key = protocol::read_key_of(key);
    protocol::Manifest manifest = queries.manifest_draft().value();
    manifest.read_key = read_key.public_key();
    manifest.validity = protocol::Validity::from(now, lifetime);
    node::PublishManifest order;
    order.item.content = protocol::sign(manifest, key);
    const auto salt = dht::ItemSalt::copy_of(as_bytes(protocol::kManifestSalt));
    const auto sequence = static_cast<std::int64_t>(manifest.validity.issued_ms);
    const Bytes value = dht::value_of(bcs::encode(order.item.content));
    order.item.item_signature = key.sign(dht::signed_bytes(salt, sequence, value));
    order.read_secret = read_key.secret();
    return order;
}

}  // namespace leither::testing
