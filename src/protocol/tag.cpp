#include "leither/protocol/tag.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

#include "plain_text.h"

namespace leither::protocol {

namespace {

constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyz0123456789-_.";

}  // namespace

bool is_tag(std::string_view text) {
    return !text.empty() && text.size() <= kTagBytesMax && bcs::is_utf8(as_bytes(text)) &&
           std::ranges::all_of(text, [](char c) {
               return static_cast<unsigned char>(c) >= 0x80 ||
                      kPlain.find(c) != std::string_view::npos;
           });
}

bool TextTarget::is_canonical() const {
    return !text.empty() && is_plain_text(text);
}

Hash tag_entry_id(const ChainId& chain, const TagEntry& entry) {
    return crypto::tagged_hash(tags::kTagEntry, chain, bcs::encode(entry));
}

Id tag_id(const ChainId& chain, std::string_view tag) {
    const Hash hash = crypto::tagged_hash(tags::kTagId, chain, as_bytes(tag));
    return Id::copy_of(hash.view().first(Id::kSize));
}

Bytes signing_message(const ChainId& chain, const TagEntry& entry) {
    return crypto::tagged_message(tags::kTagEntry, chain, bcs::encode(entry));
}

SignedTag sign(const ChainId& chain, const TagEntry& entry, const crypto::KeyPair& author) {
    CHECK(author.public_key() == entry.author && entry.is_canonical());
    return {entry, author.sign(signing_message(chain, entry))};
}

Result<void, RecordError> check(const SignedTag& signed_, const ChainId& chain, Instant now) {
    const TagEntry& entry = signed_.entry;
    TRY(check(entry.validity, kTagLifetimeMax, now));
    if (!crypto::verify(entry.author, signing_message(chain, entry), signed_.signature)) {
        return fail(RecordError::bad_signature);
    }
    return {};
}

Validity TagWithdrawal::validity() const {
    constexpr std::uint64_t kLifetimeMs =
        std::chrono::duration_cast<std::chrono::milliseconds>(kTagLifetimeMax).count();
    return {issued_ms, issued_ms + std::min(kLifetimeMs, UINT64_MAX - issued_ms)};
}

Hash withdrawal_id(const ChainId& chain, const TagWithdrawal& withdrawal) {
    return crypto::tagged_hash(tags::kTagWithdrawal, chain, bcs::encode(withdrawal));
}

Bytes signing_message(const ChainId& chain, const TagWithdrawal& withdrawal) {
    return crypto::tagged_message(tags::kTagWithdrawal, chain, bcs::encode(withdrawal));
}

SignedWithdrawal sign(const ChainId& chain, const TagWithdrawal& withdrawal,
                      const crypto::KeyPair& author) {
    CHECK(author.public_key() == withdrawal.author && withdrawal.is_canonical());
    return {withdrawal, author.sign(signing_message(chain, withdrawal))};
}

Result<void, RecordError> check(const SignedWithdrawal& signed_, const ChainId& chain,
                                Instant now) {
    const TagWithdrawal& withdrawal = signed_.withdrawal;
    TRY(check(withdrawal.validity(), kTagLifetimeMax, now));
    if (!crypto::verify(withdrawal.author, signing_message(chain, withdrawal), signed_.signature)) {
        return fail(RecordError::bad_signature);
    }
    return {};
}

}  // namespace leither::protocol
