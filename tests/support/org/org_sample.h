// An organization with members and nodes, and one of each of its records, for tests.
#pragma once

#include <string>

#include "leither/base/prng.h"
#include "leither/protocol/org_messages.h"

#include "support/generate.h"

namespace leither::testing {

// An endpoint's address has 4 or 16 bytes, which random lengths never hit.
template <>
inline protocol::WireEndpoint generate<protocol::WireEndpoint>(Prng& prng) {
    protocol::WireEndpoint endpoint;
    endpoint.address.resize(prng.chance(1, 2) ? 4 : 16);
    prng.fill(endpoint.address);
    endpoint.port = static_cast<std::uint16_t>(prng.next());
    return endpoint;
}

// The same for the same name.
crypto::KeyPair key_named(const std::string& name);

inline constexpr std::uint64_t kSampleMs = 1'800'000'000'000;
inline constexpr Instant kSampleNow = instant_from_unix_ms(kSampleMs);

struct OrgSample {
    crypto::KeyPair organization = key_named("organization");
    crypto::KeyPair node = key_named("node");
    crypto::KeyPair alice = key_named("alice");
    crypto::KeyPair bob = key_named("bob");
    ChainId chain = ChainId::copy_of(Bytes(32, 0xcc));

    protocol::Validity valid(Duration lifetime) const {
        return protocol::Validity::from(kSampleNow, lifetime);
    }
    // As large as any can be, or small.
    protocol::Manifest manifest() const;
    protocol::Manifest largest_manifest() const;
    protocol::SignedDelegation delegation(const crypto::KeyPair& account,
                                          const crypto::KeyPair& to) const;
    protocol::SignedPass pass(const Id& account) const;
    protocol::RoutingRecord record() const;
    protocol::RoutingRecord largest_record() const;
    protocol::SignedLetter letter(const std::string& text) const;
    // From alice to bob.
    protocol::SignedEnvelope envelope(const std::string& text) const;
    protocol::SignedLine line(std::uint64_t number, const Hash& previous,
                              const std::string& text) const;
};

// `bytes` with one bit turned.
Bytes altered(ByteView bytes, std::size_t bit);

}  // namespace leither::testing
