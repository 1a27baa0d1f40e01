// An organization with members and nodes, and one of each of its records, for tests.
#pragma once

#include <string>

#include "leither/base/prng.h"
#include "leither/protocol/catalogue_messages.h"
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

// Packs have bounds that random numbers never hit, and always an application.
template <>
inline protocol::PackFile generate<protocol::PackFile>(Prng& prng) {
    protocol::PackFile file;
    file.path = generate<decltype(file.path)>(prng);
    file.bytes = prng.below(3 * protocol::kContentPieceMax);
    for (std::size_t n = protocol::pieces_of(file.bytes); n > 0; --n) {
        file.pieces.push_back(generate<Hash>(prng));
    }
    return file;
}
template <>
inline protocol::Pack generate<protocol::Pack>(Prng& prng) {
    auto pack = detail::generate_struct<protocol::Pack>(prng);
    pack.contents_bytes = static_cast<std::uint32_t>(1 + prng.below(protocol::kContentPieceMax));
    pack.bytes = 1 + prng.below(protocol::kPackBytesMax);
    if (pack.name.empty()) pack.name.push_back('n');
    if (pack.version.empty()) pack.version.push_back('1');
    if (pack.applications.empty()) pack.applications.emplace_back();
    for (auto& one : pack.applications) {
        if (one.entry.empty()) one.entry.push_back('e');
    }
    return pack;
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
    protocol::SignedTag tag(const crypto::KeyPair& author, const std::string& word,
                            const protocol::TagTarget& target, Instant issued = kSampleNow,
                            Duration lifetime = std::chrono::hours(24 * 30)) const;
    protocol::SignedWithdrawal withdrawal(const crypto::KeyPair& author, const std::string& word,
                                          const protocol::TagTarget& target,
                                          Instant issued = kSampleNow) const;
    protocol::SignedContribution contribution(const crypto::KeyPair& author,
                                              const std::string& text,
                                              const std::vector<Hash>& builds_on = {},
                                              Instant issued = kSampleNow) const;
};

// A pack with its files.
struct SamplePack {
    protocol::SignedPack pack;
    Bytes contents;
    std::vector<Bytes> pieces;  // in the order of the list
    Hash id;
};
// Of files of so many bytes, each begun with another number drawn from `seed`.
SamplePack make_pack(const ChainId& chain, const crypto::KeyPair& publisher,
                     const std::string& name, const std::vector<std::size_t>& file_bytes,
                     Instant published = kSampleNow, std::uint64_t seed = 1);
// The files as given.
SamplePack make_pack(const ChainId& chain, const crypto::KeyPair& publisher,
                     const protocol::Pack& about,
                     const std::vector<std::pair<std::string, Bytes>>& files);

// `bytes` with one bit turned.
Bytes altered(ByteView bytes, std::size_t bit);

}  // namespace leither::testing
