#include "leither/protocol/envelope.h"

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

namespace leither::protocol {

Hash message_id(const ChainId& chain, const Id& recipient, ByteView sealed) {
    bcs::Writer out;
    bcs::write(out, recipient);
    out.raw(sealed);
    return crypto::tagged_hash(tags::kMessageId, chain, out.view());
}

Hash message_id(const ChainId& chain, const Envelope& envelope) {
    return message_id(chain, envelope.recipient, envelope.sealed);
}

Bytes signing_message(const ChainId& chain, const Letter& letter) {
    return crypto::tagged_message(tags::kLetter, chain, bcs::encode(letter));
}

Bytes signing_message(const ChainId& chain, const Envelope& envelope) {
    return crypto::tagged_message(tags::kEnvelope, chain, bcs::encode(envelope));
}

SignedLetter sign(const ChainId& chain, const Letter& letter, const crypto::KeyPair& sender) {
    CHECK(sender.public_key() == letter.sender);
    return {letter, sender.sign(signing_message(chain, letter))};
}

SignedEnvelope sign(const ChainId& chain, Envelope&& envelope, const crypto::KeyPair& node) {
    CHECK(node.public_key() == envelope.node);
    const Signature signature = node.sign(signing_message(chain, envelope));
    return {std::move(envelope), signature};
}

Result<void, RecordError> check(const SignedEnvelope& signed_, const ChainId& chain, Instant now) {
    const Envelope& envelope = signed_.envelope;
    TRY(check(envelope.validity, kEnvelopeLifetimeMax, now));
    if (!crypto::verify(envelope.node, signing_message(chain, envelope), signed_.signature)) {
        return fail(RecordError::bad_signature);
    }
    return {};
}

Bytes receipt_message(const ChainId& chain, const Hash& message) {
    return crypto::tagged_message(tags::kDeliveryReceipt, chain, message.view());
}

DeliveryReceipt acknowledge(const ChainId& chain, const Hash& message,
                            const SignedDelegation& delegation, const crypto::KeyPair& node) {
    CHECK(node.public_key() == delegation.delegation.node);
    return {delegation, node.sign(receipt_message(chain, message))};
}

Result<void, RecordError> check(const DeliveryReceipt& receipt, const ChainId& chain,
                                const Delivery& delivery, Instant now) {
    const Delegation& delegation = receipt.delegation.delegation;
    if (crypto::id_of(delegation.account) != delivery.recipient)
        return fail(RecordError::wrong_key);
    TRY(check(receipt.delegation, chain, now));
    const Bytes message = receipt_message(chain, delivery.message);
    if (!crypto::verify(delegation.node, message, receipt.signature)) {
        return fail(RecordError::bad_signature);
    }
    return {};
}

Result<SealedLetter, RecordError> seal_letter(const SignedLetter& signed_,
                                              const PublicKey& recipient, Entropy& entropy) {
    if (crypto::id_of(recipient) != signed_.letter.recipient) return fail(RecordError::wrong_key);
    const auto key = crypto::seal_key_of(recipient);
    if (!key) return fail(RecordError::wrong_key);
    const auto sealed = crypto::seal(*key, bcs::encode(signed_), entropy);
    if (!sealed) return fail(RecordError::wrong_key);
    CHECK(sealed->size() <= kSealedLetterBytesMax);
    return SealedLetter(sealed->begin(), sealed->end());
}

Result<SignedLetter, RecordError> open_letter(const ChainId& chain, const Envelope& envelope,
                                              const crypto::KeyPair& recipient) {
    if (envelope.recipient != recipient.id()) return fail(RecordError::not_for_us);
    const auto plain = crypto::open(crypto::seal_pair_of(recipient), envelope.sealed);
    if (!plain) return fail(RecordError::not_for_us);
    auto letter = bcs::decode<SignedLetter>(*plain);
    if (!letter) return fail(RecordError::bad_content);
    // A letter to somebody else, sealed anew by whoever got it, is not one to us.
    if (letter->letter.recipient != recipient.id()) return fail(RecordError::wrong_key);
    if (!crypto::verify(letter->letter.sender, signing_message(chain, letter->letter),
                        letter->signature)) {
        return fail(RecordError::bad_signature);
    }
    return *std::move(letter);
}

}  // namespace leither::protocol
