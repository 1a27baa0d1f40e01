#include "leaf.h"

#include <algorithm>
#include <array>

#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

namespace leither::ledger::rules {

Salt next_salt(const ChainId& chain, const Salt& old, const Hash& cause) {
    std::array<std::uint8_t, Salt::kSize + Hash::kSize> body{};
    std::ranges::copy(cause.view(), std::ranges::copy(old.view(), body.begin()).out);
    return crypto::blake2b_128(crypto::tagged_message(protocol::tags::kSalt, chain, body));
}

protocol::MemberRecord& touch(State& state, const Id& id, const Hash& cause) {
    protocol::MemberRecord* member = state.member_for_change(id);
    CHECK(member != nullptr);
    member->salt = next_salt(state.organization().chain, member->salt, cause);
    return *member;
}

void credit(State& state, const Id& id, Amount amount, const Hash& cause) {
    protocol::MemberRecord& member = touch(state, id, cause);
    member.balance = sum(member.balance, amount);
}

Amount sum(Amount a, Amount b) {
    const auto result = a.plus(b);
    CHECK(result.has_value());
    return *result;
}

Amount difference(Amount a, Amount b) {
    const auto result = a.minus(b);
    CHECK(result.has_value());
    return *result;
}

}  // namespace leither::ledger::rules
