// What an organization tells the world of itself (docs/protocol/organization.md): a mutable item of
// the DHT under the organization key, salt `org`, sequence = issued_ms.
#pragma once

#include <cstdint>
#include <string_view>

#include "leither/base/bounded.h"
#include "leither/base/number.h"
#include "leither/crypto/seal.h"
#include "leither/crypto/x25519.h"
#include "leither/protocol/validity.h"
#include "leither/protocol/wire_endpoint.h"

namespace leither::protocol {

// What an item of the DHT may hold of ours.
inline constexpr std::size_t kItemContentBytesMax = 990;
inline constexpr std::string_view kManifestSalt = "org";

// The X25519 key a node proves in the transport's handshake (docs/protocol/transport.md).
using StaticKey = crypto::X25519PublicKey;

// A node that holds the ledger and answers for the organization.
struct Keeper {
    PublicKey node;
    StaticKey static_key;
    Bounded<WireEndpoint, 2> endpoints;
    static void fields(auto& self, auto&& visit) {
        visit(self.node, self.static_key, self.endpoints);
    }
    friend bool operator==(const Keeper&, const Keeper&) = default;
};
// As many as fit an item with two IPv6 endpoints each.
inline constexpr std::size_t kKeepersMax = 6;

// A recent block, so that a newcomer need not follow the chain from its genesis.
struct Checkpoint {
    Sequence sequence;
    Hash block;
    Pulse pulse;
    static void fields(auto& self, auto&& visit) { visit(self.sequence, self.block, self.pulse); }
    friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

struct Manifest {
    PublicKey organization;
    ChainId chain;  // the hash of the charter
    BoundedText<64> name;
    BoundedText<16> unit;
    std::uint8_t decimals = 0;
    Checkpoint checkpoint;
    crypto::X25519PublicKey read_key;  // to which members seal their routing records
    Bounded<Keeper, kKeepersMax> keepers;
    Validity validity;
    static void fields(auto& self, auto&& visit) {
        visit(self.organization, self.chain, self.name, self.unit, self.decimals, self.checkpoint,
              self.read_key, self.keepers, self.validity);
    }
    const Keeper* keeper(const PublicKey& node) const;
    friend bool operator==(const Manifest&, const Manifest&) = default;
};
inline constexpr Duration kManifestLifetimeMax = std::chrono::hours(24 * 100);

struct SignedManifest {
    Manifest manifest;
    Signature signature;  // by the organization
    static void fields(auto& self, auto&& visit) { visit(self.manifest, self.signature); }
    friend bool operator==(const SignedManifest&, const SignedManifest&) = default;
};

// As peers hand it on: with the signature of the item, without which nobody else could keep it
// alive in the DHT.
struct ManifestItem {
    SignedManifest content;
    Signature item_signature;  // BEP 44
    static void fields(auto& self, auto&& visit) { visit(self.content, self.item_signature); }
    friend bool operator==(const ManifestItem&, const ManifestItem&) = default;
};

Bytes signing_message(const Manifest& manifest);
// REQUIRES: `organization` is the manifest's.
SignedManifest sign(const Manifest& manifest, const crypto::KeyPair& organization);
// Whether this is what `organization` says of itself.
Result<void, RecordError> check(const SignedManifest& signed_, const Id& organization, Instant now);

// Whoever holds the organization key's seed has the key that opens members' routing records, and
// hands it to members' nodes.
crypto::X25519KeyPair read_key_of(const crypto::KeyPair& organization);

}  // namespace leither::protocol
