#include "leither/dht/item.h"

#include <array>
#include <string>

#include "leither/base/check.h"
#include "leither/codec/bencode_cursor.h"
#include "leither/dht/sha1.h"

namespace leither::dht {

namespace {

void append(Bytes& out, std::string_view text) {
    out.insert(out.end(), text.begin(), text.end());
}

}  // namespace

const char* to_string(ItemError error) {
    switch (error) {
        case ItemError::value_too_big: return "value_too_big";
        case ItemError::value_not_canonical: return "value_not_canonical";
        case ItemError::sequence_out_of_range: return "sequence_out_of_range";
        case ItemError::bad_signature: return "bad_signature";
        case ItemError::wrong_target: return "wrong_target";
    }
    UNREACHABLE();
}

Id immutable_target(ByteView value) {
    return sha1(value);
}

Id mutable_target(const PublicKey& key, const ItemSalt& salt) {
    std::array<std::uint8_t, PublicKey::kSize + kSaltBytesMax> joined{};
    std::copy(key.view().begin(), key.view().end(), joined.begin());
    std::copy(salt.view().begin(), salt.view().end(), joined.begin() + PublicKey::kSize);
    return sha1(ByteView(joined).first(PublicKey::kSize + salt.size()));
}

Id target_of(const Item& item) {
    if (!item.author) return immutable_target(item.value);
    return mutable_target(item.author->key, item.author->salt);
}

// A run of bencode without the dictionary around it; an empty salt leaves no trace.
Bytes signed_bytes(const ItemSalt& salt, std::int64_t sequence, ByteView value) {
    Bytes out;
    out.reserve(value.size() + salt.size() + 48);
    if (!salt.empty()) {
        append(out, "4:salt" + std::to_string(salt.size()) + ":");
        append(out, as_text(salt.view()));
    }
    append(out, "3:seqi" + std::to_string(sequence) + "e1:v");
    append(out, as_text(value));
    return out;
}

Item sign_item(const crypto::KeyPair& key, const ItemSalt& salt, std::int64_t sequence,
               Bytes value) {
    CHECK(sequence >= 0 && sequence <= kSequenceMax);
    CHECK(value.size() <= kValueBytesMax);
    DCHECK(bencode::is_canonical(as_text(value), kValueDepthMax));
    Authorship author{key.public_key(), salt, sequence, {}};
    author.signature = key.sign(signed_bytes(salt, sequence, value));
    return Item{std::move(value), author};
}

Result<void, ItemError> check(const Item& item) {
    if (item.value.size() > kValueBytesMax) return fail(ItemError::value_too_big);
    if (!bencode::is_canonical(as_text(item.value), kValueDepthMax)) {
        return fail(ItemError::value_not_canonical);
    }
    if (!item.author) return {};
    const Authorship& author = *item.author;
    if (author.sequence < 0) return fail(ItemError::sequence_out_of_range);
    const Bytes message = signed_bytes(author.salt, author.sequence, item.value);
    if (!crypto::verify(author.key, message, author.signature)) {
        return fail(ItemError::bad_signature);
    }
    return {};
}

Result<void, ItemError> check(const Item& item, const Id& target) {
    TRY(check(item));
    if (target_of(item) != target) return fail(ItemError::wrong_target);
    return {};
}

Bytes value_of(ByteView content) {
    CHECK(content.size() <= kContentBytesMax);
    Bytes out;
    append(out, std::to_string(content.size()) + ":");
    append(out, as_text(content));
    return out;
}

std::optional<ByteView> content_of(ByteView value) {
    bencode::Cursor in(as_text(value), 0);
    if (in.peek() != bencode::Cursor::Kind::bytes) return std::nullopt;
    const std::string_view held = in.bytes();
    if (!in.ok() || !in.at_end()) return std::nullopt;
    return as_bytes(held);
}

}  // namespace leither::dht
