#include "leither/protocol/chat.h"

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

namespace leither::protocol {

static_assert(32 + 8 + 32 + 8 + (2 + 500) + 64 + crypto::kSealOverhead <= kItemContentBytesMax);
static_assert(1 + kChatHeadLines * (Id::kSize + Hash::kSize) <= kItemContentBytesMax);

Hash line_hash(const ChainId& chain, const ChatLine& line) {
    return crypto::tagged_hash(tags::kChatLine, chain, bcs::encode(line));
}

Bytes signing_message(const ChainId& chain, const ChatLine& line) {
    return crypto::tagged_message(tags::kChatLine, chain, bcs::encode(line));
}

SignedLine sign(const ChainId& chain, const ChatLine& line, const crypto::KeyPair& author) {
    CHECK(author.public_key() == line.author);
    return {line, author.sign(signing_message(chain, line))};
}

Result<void, RecordError> check(const SignedLine& signed_, const ChainId& chain, Instant now) {
    const ChatLine& line = signed_.line;
    if (line.time_ms > unix_ms(now + kClockTolerance)) return fail(RecordError::from_the_future);
    if (!crypto::verify(line.author, signing_message(chain, line), signed_.signature)) {
        return fail(RecordError::bad_signature);
    }
    return {};
}

std::optional<Bytes> seal_line(const SignedLine& signed_, const crypto::X25519PublicKey& read_key) {
    return crypto::seal_alike(read_key, bcs::encode(signed_));
}

Result<SignedLine, RecordError> open_line(ByteView content, const crypto::X25519KeyPair& read_key) {
    if (content.size() > kItemContentBytesMax) return fail(RecordError::bad_content);
    const auto plain = crypto::open(read_key, content);
    if (!plain) return fail(RecordError::not_for_us);
    auto line = bcs::decode<SignedLine>(*plain);
    if (!line) return fail(RecordError::bad_content);
    return *std::move(line);
}

}  // namespace leither::protocol
