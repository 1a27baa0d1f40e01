// Where a member's node is (docs/protocol/organization.md): a mutable item of the DHT under the
// node key, salt `addr`, sequence = issued_ms, sealed to the organization's read key. Strangers see
// that a node exists, members where it is and whom it serves.
#pragma once

#include "leither/protocol/delegation.h"
#include "leither/protocol/manifest.h"

namespace leither::protocol {

inline constexpr std::string_view kRoutingRecordSalt = "addr";

// A delegation without the node, which the record names already.
struct ServedAccount {
    PublicKey account;
    Validity validity;
    Signature signature;
    static void fields(auto& self, auto&& visit) {
        visit(self.account, self.validity, self.signature);
    }
    friend bool operator==(const ServedAccount&, const ServedAccount&) = default;
};

struct RoutingRecord {
    PublicKey node;
    StaticKey static_key;
    Bounded<WireEndpoint, 4> endpoints;  // one port for UDP and TCP
    Bounded<ServedAccount, kServedAccountsMax> accounts;
    std::uint64_t features = 0;  // bits; unknown ones mean nothing
    Validity validity;
    static void fields(auto& self, auto&& visit) {
        visit(self.node, self.static_key, self.endpoints, self.accounts, self.features,
              self.validity);
    }
    friend bool operator==(const RoutingRecord&, const RoutingRecord&) = default;
};
inline constexpr Duration kRoutingRecordLifetimeMax = std::chrono::hours(6);

struct SignedRoutingRecord {
    RoutingRecord record;
    Signature signature;  // by the node
    static void fields(auto& self, auto&& visit) { visit(self.record, self.signature); }
    friend bool operator==(const SignedRoutingRecord&, const SignedRoutingRecord&) = default;
};

Bytes signing_message(const ChainId& chain, const RoutingRecord& record);
// REQUIRES: `node` is the record's.
SignedRoutingRecord sign(const ChainId& chain, const RoutingRecord& record,
                         const crypto::KeyPair& node);
// The node says so of itself. What accounts say is told by `delegations_of`.
Result<void, RecordError> check(const SignedRoutingRecord& signed_, const ChainId& chain,
                                Instant now);

ServedAccount served_account(const SignedDelegation& signed_);
// The delegations the record carries, each still to be checked.
Delegations delegations_of(const RoutingRecord& record);

// The content of the item; nothing if `read_key` is of small order.
std::optional<Bytes> seal_record(const SignedRoutingRecord& signed_,
                                 const crypto::X25519PublicKey& read_key, Entropy& entropy);
// Opens, decodes and checks; `not_for_us` if it does not open, `wrong_key` if it is not of `node`.
struct RecordReader {
    const crypto::X25519KeyPair& read_key;
    const ChainId& chain;
};
Result<SignedRoutingRecord, RecordError> open_record(const RecordReader& reader, ByteView content,
                                                     const PublicKey& node, Instant now);

}  // namespace leither::protocol
