#include "leither/org/members.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

namespace leither::org {

using protocol::RecordError;
using protocol::SignedPass;

Members::Members(Options options, const ChainId& chain, const MemberSource& source, Shelf shelf)
    : options_(options), chain_(chain), source_(source), shelf_(std::move(shelf)) {
    CHECK(options.passes_max > 0);
}

Result<void, store::Fault> Members::load(const store::Reader& reader, Instant now) {
    return shelf_.load<SignedPass>(reader, [this, now](ByteView name, SignedPass&& pass) {
        const bool usable = check(pass, chain_, now).has_value();
        if (!pass.pass.validity.holds(now)) shelf_.erase(writes_, name);
        if (usable && passes_.size() < options_.passes_max) passes_[pass.pass.account] = pass;
    });
}

void Members::set_keepers(const protocol::Manifest& manifest) {
    keepers_.clear();
    for (const protocol::Keeper& keeper : manifest.keepers) {
        keepers_.insert(crypto::id_of(keeper.node));
    }
}

bool Members::is_by_keeper(const SignedPass& pass) const {
    return is_keeper(crypto::id_of(pass.pass.keeper));
}

Result<void, RecordError> Members::accept(const SignedPass& pass, Instant now) {
    if (!is_by_keeper(pass)) return fail(RecordError::wrong_key);
    const auto known = passes_.find(pass.pass.account);
    const bool renews = known == passes_.end() || !counts(known->second, now) ||
                        known->second.pass.validity.issued_ms < pass.pass.validity.issued_ms;
    if (!renews) return {};
    TRY(check(pass, chain_, now));
    if (known == passes_.end()) make_room();
    passes_[pass.pass.account] = pass;
    shelf_.put(writes_, pass.pass.account.view(), pass);
    return {};
}

bool Members::is_member(const Id& account, Instant now) const {
    if (const auto answer = source_.is_member(account)) return *answer;
    return pass_of(account, now).has_value();
}

std::optional<SignedPass> Members::pass_of(const Id& account, Instant now) const {
    const auto known = passes_.find(account);
    if (known == passes_.end() || !counts(known->second, now)) return std::nullopt;
    return known->second;
}

bool Members::counts(const SignedPass& pass, Instant now) const {
    return pass.pass.validity.holds(now) && is_by_keeper(pass);
}

void Members::make_room() {
    if (passes_.size() < options_.passes_max) return;
    const auto first = std::ranges::min_element(
        passes_, {}, [](const auto& entry) { return entry.second.pass.validity.expires_ms; });
    shelf_.erase(writes_, first->first.view());
    passes_.erase(first);
}

void Members::check_invariants() const {
    CHECK(passes_.size() <= options_.passes_max);
    for (const auto& [account, pass] : passes_) CHECK(pass.pass.account == account);
}

}  // namespace leither::org
