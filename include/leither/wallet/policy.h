// What a wallet pays by itself: from whom, up to what amount, up to how much in 24 hours. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "leither/base/amount.h"
#include "leither/base/bounded.h"
#include "leither/base/fixed_bytes.h"

namespace leither::wallet {

struct PolicyRule {
    ChainId chain;  // its amounts are in this organization's unit
    Id from;        // the payee, who asks
    Amount amount_max;
    Amount per_day;
    friend bool operator==(const PolicyRule&, const PolicyRule&) = default;
};
inline constexpr std::size_t kPolicyRulesMax = 64;
using Policy = Bounded<PolicyRule, kPolicyRulesMax>;

enum class PolicyVerdict : std::uint8_t {
    pays,
    no_rule,           // none about who asks: paid by hand only
    foreign_letter,    // the letter is not from the payee, so it may have been meant for another
    above_amount_max,  // actual, limit
    above_per_day,     // actual: with what was paid in the last 24 hours; limit
};
const char* to_string(PolicyVerdict verdict);

struct PolicyAnswer {
    PolicyVerdict verdict = PolicyVerdict::no_rule;
    Amount actual;
    Amount limit;
    friend bool operator==(const PolicyAnswer&, const PolicyAnswer&) = default;
};

// A request as it has arrived.
struct PolicyQuestion {
    ChainId chain;
    Id payee;
    Id sender;  // of the letter
    Amount amount;
    Amount spent;  // to that payee by policy within the last 24 hours
};
// The first rule about the payee decides.
PolicyAnswer judge(const Policy& policy, const PolicyQuestion& question);

}  // namespace leither::wallet
