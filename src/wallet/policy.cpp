#include "leither/wallet/policy.h"

#include <algorithm>

#include "leither/base/check.h"

namespace leither::wallet {

const char* to_string(PolicyVerdict verdict) {
    switch (verdict) {
        case PolicyVerdict::pays: return "pays";
        case PolicyVerdict::no_rule: return "no_rule";
        case PolicyVerdict::foreign_letter: return "foreign_letter";
        case PolicyVerdict::above_amount_max: return "above_amount_max";
        case PolicyVerdict::above_per_day: return "above_per_day";
    }
    UNREACHABLE();
}

PolicyAnswer judge(const Policy& policy, const PolicyQuestion& question) {
    const auto rule = std::ranges::find_if(policy, [&question](const PolicyRule& one) {
        return one.chain == question.chain && one.from == question.payee;
    });
    if (rule == policy.end()) return {PolicyVerdict::no_rule, {}, {}};
    if (question.sender != question.payee) return {PolicyVerdict::foreign_letter, {}, {}};
    if (question.amount > rule->amount_max) {
        return {PolicyVerdict::above_amount_max, question.amount, rule->amount_max};
    }
    const auto total = question.spent.plus(question.amount);
    if (!total || *total > rule->per_day) {
        return {PolicyVerdict::above_per_day, total.value_or(Amount::of(Amount::kMax)),
                rule->per_day};
    }
    return {PolicyVerdict::pays, *total, rule->per_day};
}

}  // namespace leither::wallet
