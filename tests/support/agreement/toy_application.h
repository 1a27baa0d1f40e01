// A law of no content: blocks without transactions, told apart by the number in their root. What
// the agreement's tests need of one and nothing else.
#pragma once

#include <set>

#include "leither/consensus/application.h"
#include "leither/crypto/hash.h"
#include "leither/crypto/sign.h"

namespace leither::testing {

inline const ChainId& toy_chain() {
    static const ChainId chain = ChainId::copy_of(Bytes(32, 0xcc));
    return chain;
}
inline crypto::KeyPair seat_key(std::uint64_t seat) {
    return crypto::derive_key(crypto::KeyPair::Seed{42}, seat);
}
inline std::vector<PublicKey> seat_keys(std::size_t seats) {
    std::vector<PublicKey> keys;
    for (std::size_t seat = 0; seat < seats; ++seat) keys.push_back(seat_key(seat).public_key());
    return keys;
}

inline consensus::Value toy_value(Sequence sequence, const Hash& parent,
                                  const consensus::Stamp& stamp, std::uint64_t number) {
    consensus::Value value;
    value.header.sequence = sequence;
    value.header.pulse = stamp.pulse;
    value.header.parent = parent;
    value.header.root.sum = Amount::of(number);
    value.header.transactions = protocol::transactions_hash(toy_chain(), protocol::Transactions{});
    value.header.author = stamp.author;
    value.header.signers = stamp.signers;
    return value;
}

inline constexpr std::uint64_t kToyPulseMs = 1000;

class ToyApplication : public consensus::Application {
 public:
    Pulse pulse(Instant now) const override { return Pulse(unix_ms(now) / kToyPulseMs); }
    Result<consensus::Value, store::Fault> build(const consensus::Stamp& stamp) override {
        return toy_value(sequence, parent, stamp, ++built);
    }
    Result<consensus::Validity, store::Fault> check(const Hash& block,
                                                    const consensus::Value&) override {
        ++checked;
        return invalid.contains(block) ? consensus::Validity::invalid : consensus::Validity::valid;
    }
    Result<bool, store::Fault> omits(const consensus::Value& value, Pulse) override {
        return omitting.contains(protocol::block_hash(toy_chain(), value.header));
    }

    Sequence sequence{1};
    Hash parent;
    std::uint64_t built = 1000;
    std::uint64_t checked = 0;
    std::set<Hash> invalid;
    std::set<Hash> omitting;
};

}  // namespace leither::testing
