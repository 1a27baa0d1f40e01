#include "leither/protocol/contribution.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

#include "plain_text.h"
#include "rising.h"

namespace leither::protocol {

namespace {

constexpr std::string_view kNames = "contribution:";

static_assert(kRewardedMax * (kNames.size() + 2 * Hash::kSize + 1) <= LongText::kMax);

}  // namespace

const char* to_string(ContributionKind kind) {
    switch (kind) {
        case ContributionKind::development: return "development";
        case ContributionKind::production: return "production";
        case ContributionKind::support: return "support";
        case ContributionKind::promotion: return "promotion";
        case ContributionKind::appreciation: return "appreciation";
    }
    UNREACHABLE();
}

std::optional<ContributionKind> contribution_kind(std::string_view name) {
    for (std::uint8_t value = 0; value <= static_cast<std::uint8_t>(last_of(ContributionKind{}));
         ++value) {
        const auto kind = static_cast<ContributionKind>(value);
        if (name == to_string(kind)) return kind;
    }
    return std::nullopt;
}

bool Contribution::is_canonical() const {
    return !text.empty() && is_plain_text(text) && is_plain_text(evidence) &&
           strictly_rising(builds_on, std::identity{});
}

Hash contribution_id(const ChainId& chain, const Contribution& contribution) {
    return crypto::tagged_hash(tags::kContribution, chain, bcs::encode(contribution));
}

Bytes signing_message(const ChainId& chain, const Contribution& contribution) {
    return crypto::tagged_message(tags::kContribution, chain, bcs::encode(contribution));
}

SignedContribution sign(const ChainId& chain, const Contribution& contribution,
                        const crypto::KeyPair& author) {
    CHECK(author.public_key() == contribution.author && contribution.is_canonical());
    return {contribution, author.sign(signing_message(chain, contribution))};
}

Result<void, RecordError> check(const SignedContribution& signed_, const ChainId& chain,
                                Instant now) {
    const Contribution& contribution = signed_.contribution;
    if (contribution.issued_ms > unix_ms(now + kClockTolerance)) {
        return fail(RecordError::from_the_future);
    }
    if (!crypto::verify(contribution.author, signing_message(chain, contribution),
                        signed_.signature)) {
        return fail(RecordError::bad_signature);
    }
    return {};
}

std::string proof_text(const std::vector<Hash>& contributions, std::string_view rest) {
    std::string text;
    const auto add = [&text](std::string_view head, std::string_view tail) {
        if (!text.empty()) text += ' ';
        text.append(head).append(tail);
    };
    for (const Hash& id : contributions) add(kNames, id.hex());
    if (!rest.empty()) add(rest, {});
    return text;
}

std::vector<Hash> contributions_in(std::string_view proof) {
    std::vector<Hash> found;
    while (!proof.empty()) {
        const std::string_view word = proof.substr(0, proof.find(' '));
        proof.remove_prefix(std::min(word.size() + 1, proof.size()));
        if (!word.starts_with(kNames)) continue;
        const auto id = Hash::parse(word.substr(kNames.size()));
        if (id && std::ranges::find(found, *id) == found.end()) found.push_back(*id);
    }
    return found;
}

}  // namespace leither::protocol
