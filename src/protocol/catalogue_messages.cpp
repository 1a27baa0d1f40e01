#include "leither/protocol/catalogue_messages.h"

#include "leither/base/check.h"

#include "rising.h"

namespace leither::protocol {

namespace {

struct IdOf {
    const ChainId& chain;
    Hash operator()(const SignedPack& one) const { return pack_id(chain, one.pack); }
    Hash operator()(const SignedTag& one) const { return tag_entry_id(chain, one.entry); }
    Hash operator()(const SignedContribution& one) const {
        return contribution_id(chain, one.contribution);
    }
    Hash operator()(const SignedWithdrawal& one) const {
        return withdrawal_id(chain, one.withdrawal);
    }
};
struct AuthorOf {
    const PublicKey* operator()(const SignedPack& one) const { return &one.pack.publisher; }
    const PublicKey* operator()(const SignedTag& one) const { return &one.entry.author; }
    const PublicKey* operator()(const SignedContribution& one) const {
        return &one.contribution.author;
    }
    const PublicKey* operator()(const SignedWithdrawal& one) const {
        return &one.withdrawal.author;
    }
};
struct IssuedOf {
    std::uint64_t operator()(const SignedPack& one) const { return one.pack.published_ms; }
    std::uint64_t operator()(const SignedTag& one) const { return one.entry.validity.issued_ms; }
    std::uint64_t operator()(const SignedContribution& one) const {
        return one.contribution.issued_ms;
    }
    std::uint64_t operator()(const SignedWithdrawal& one) const { return one.withdrawal.issued_ms; }
};
struct ExpiryOf {
    using Expiry = std::optional<std::uint64_t>;
    Expiry operator()(const SignedPack&) const { return std::nullopt; }
    Expiry operator()(const SignedTag& one) const { return one.entry.validity.expires_ms; }
    Expiry operator()(const SignedContribution&) const { return std::nullopt; }
    Expiry operator()(const SignedWithdrawal& one) const {
        return one.withdrawal.validity().expires_ms;
    }
};

}  // namespace

Hash entry_id(const ChainId& chain, const CatalogueEntry& entry) {
    return std::visit(IdOf{chain}, entry);
}

const PublicKey& author_of(const CatalogueEntry& entry) {
    return *std::visit(AuthorOf{}, entry);
}

std::uint64_t issued_ms_of(const CatalogueEntry& entry) {
    return std::visit(IssuedOf{}, entry);
}

std::optional<std::uint64_t> expires_ms_of(const CatalogueEntry& entry) {
    return std::visit(ExpiryOf{}, entry);
}

Result<void, RecordError> check(const CatalogueEntry& entry, const ChainId& chain, Instant now) {
    return std::visit([&](const auto& held) { return check(held, chain, now); }, entry);
}

bool CatalogueOffer::is_canonical() const {
    return strictly_rising(ids, std::identity{});
}

bool CatalogueAsk::is_canonical() const {
    return strictly_rising(ids, std::identity{});
}

const char* to_string(ContentOutcome outcome) {
    switch (outcome) {
        case ContentOutcome::here: return "here";
        case ContentOutcome::absent: return "absent";
        case ContentOutcome::busy: return "busy";
    }
    UNREACHABLE();
}

}  // namespace leither::protocol
