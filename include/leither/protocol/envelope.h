// A member's message to a member (docs/protocol/messages.md). The letter is signed by its sender
// and sealed to its recipient's account; the envelope around it is what nodes hand on and hold. It
// names recipient, time and the node that sent it, never the sender or a word of the text.
#pragma once

#include <optional>

#include "leither/base/bounded.h"
#include "leither/crypto/seal.h"
#include "leither/protocol/delegation.h"

namespace leither::protocol {

inline constexpr std::size_t kLetterTextMax = 4096;
struct Letter {
    PublicKey sender;
    Id recipient;
    std::uint64_t sent_ms = 0;
    std::optional<Hash> reply_to;  // the id of the message it answers
    BoundedText<kLetterTextMax> text;
    static void fields(auto& self, auto&& visit) {
        visit(self.sender, self.recipient, self.sent_ms, self.reply_to, self.text);
    }
    friend bool operator==(const Letter&, const Letter&) = default;
};
struct SignedLetter {
    Letter letter;
    Signature signature;  // by the sender's account
    static void fields(auto& self, auto&& visit) { visit(self.letter, self.signature); }
    friend bool operator==(const SignedLetter&, const SignedLetter&) = default;
};
// Key, id, time, reply-to, text and its length, signature, seal.
inline constexpr std::size_t kSealedLetterBytesMax =
    32 + 20 + 8 + 33 + (2 + kLetterTextMax) + 64 + crypto::kSealOverhead;
using SealedLetter = Bounded<std::uint8_t, kSealedLetterBytesMax>;

struct Envelope {
    Id recipient;
    SealedLetter sealed;
    PublicKey node;     // that sends it, for one of the accounts it serves
    Validity validity;  // when it was posted, and until when it is worth holding
    static void fields(auto& self, auto&& visit) {
        visit(self.recipient, self.sealed, self.node, self.validity);
    }
    friend bool operator==(const Envelope&, const Envelope&) = default;
};
inline constexpr Duration kEnvelopeLifetimeMax = std::chrono::hours(24 * 14);

struct SignedEnvelope {
    Envelope envelope;
    // By the node: holders take only what a member's node sends.
    Signature signature;
    static void fields(auto& self, auto&& visit) { visit(self.envelope, self.signature); }
    friend bool operator==(const SignedEnvelope&, const SignedEnvelope&) = default;
};

// By a node that serves the recipient: it has the message. Proves that to the sender, whoever hands
// it on, so a holder can keep a message back but never pretend that it has arrived.
struct DeliveryReceipt {
    SignedDelegation delegation;
    Signature signature;  // by the delegation's node
    static void fields(auto& self, auto&& visit) { visit(self.delegation, self.signature); }
    friend bool operator==(const DeliveryReceipt&, const DeliveryReceipt&) = default;
};
inline constexpr std::size_t kDeliveryReceiptBytes = kSignedDelegationBytes + 64;

// Names the message for good: the same whoever sends the letter on, and however often.
Hash message_id(const ChainId& chain, const Envelope& envelope);
Hash message_id(const ChainId& chain, const Id& recipient, ByteView sealed);

Bytes signing_message(const ChainId& chain, const Letter& letter);
Bytes signing_message(const ChainId& chain, const Envelope& envelope);
// REQUIRES: `sender` is the letter's, `node` the envelope's.
SignedLetter sign(const ChainId& chain, const Letter& letter, const crypto::KeyPair& sender);
SignedEnvelope sign(const ChainId& chain, Envelope&& envelope, const crypto::KeyPair& node);
Result<void, RecordError> check(const SignedEnvelope& signed_, const ChainId& chain, Instant now);

// What the recipient's node signs, and the receipt. REQUIRES: `node` is the delegation's.
Bytes receipt_message(const ChainId& chain, const Hash& message);
DeliveryReceipt acknowledge(const ChainId& chain, const Hash& message,
                            const SignedDelegation& delegation, const crypto::KeyPair& node);
struct Delivery {
    Hash message;
    Id recipient;
};
Result<void, RecordError> check(const DeliveryReceipt& receipt, const ChainId& chain,
                                const Delivery& delivery, Instant now);

// `wrong_key` if `recipient` is not the letter's or no key one can seal to.
Result<SealedLetter, RecordError> seal_letter(const SignedLetter& signed_,
                                              const PublicKey& recipient, Entropy& entropy);
// With the recipient's account key: opened, decoded, and signed by the sender it names. The reader
// checks besides whether that sender is one it knows.
Result<SignedLetter, RecordError> open_letter(const ChainId& chain, const Envelope& envelope,
                                              const crypto::KeyPair& recipient);

}  // namespace leither::protocol
