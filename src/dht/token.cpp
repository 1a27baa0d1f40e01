#include "leither/dht/token.h"

#include <algorithm>

#include "leither/crypto/hash.h"

namespace leither::dht {

namespace {

using TokenBytes = std::array<std::uint8_t, TokenIssuer::kTokenBytes>;

// All lengths are fixed but the address's, which comes last: two inputs never meet.
TokenBytes compute(ByteView secret, const IpAddress& address, const Id& target) {
    std::array<std::uint8_t, 32 + Id::kSize + 16> input{};
    auto* end = std::copy(secret.begin(), secret.end(), input.data());
    end = std::copy(target.view().begin(), target.view().end(), end);
    end = std::copy(address.bytes().begin(), address.bytes().end(), end);
    const ByteView used(input.data(), static_cast<std::size_t>(end - input.data()));
    const auto digest = crypto::blake2b_128(used);
    TokenBytes out{};
    std::copy_n(digest.data(), out.size(), out.begin());
    return out;
}

// Looks at every byte whatever the first ones say.
bool equal_in_constant_time(const TokenBytes& expected, ByteView token) {
    std::uint8_t differing = token.size() == expected.size() ? 0 : 1;
    for (std::size_t i = 0; i < expected.size() && i < token.size(); ++i) {
        differing = static_cast<std::uint8_t>(differing | (expected[i] ^ token[i]));
    }
    return differing == 0;
}

}  // namespace

TokenIssuer::TokenIssuer(Entropy& entropy, Instant now) : entropy_(entropy), drawn_(now) {
    entropy_.fill(current_);
    entropy_.fill(previous_);
}

// Terms follow each other without a gap, so that no token outlives the term behind its own. Away
// for longer, no secret of the past is good.
void TokenIssuer::rotate(Instant now) {
    if (now - drawn_ < kRotation) return;
    if (now - drawn_ < 2 * kRotation) {
        previous_ = current_;
        drawn_ += kRotation;
    } else {
        entropy_.fill(previous_);
        drawn_ = now;
    }
    entropy_.fill(current_);
}

Token TokenIssuer::issue(const IpAddress& address, const Id& target, Instant now) {
    rotate(now);
    return Token::copy_of(compute(current_, address, target));
}

bool TokenIssuer::accepts(const Token& token, const IpAddress& address, const Id& target,
                          Instant now) {
    rotate(now);
    const bool current = equal_in_constant_time(compute(current_, address, target), token.view());
    const bool previous = equal_in_constant_time(compute(previous_, address, target), token.view());
    return current || previous;
}

}  // namespace leither::dht
