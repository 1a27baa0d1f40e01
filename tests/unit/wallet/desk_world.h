// Two members and what passes between them: requests, letters and transactions, without a node.
#pragma once

#include <string>

#include "leither/base/prng.h"
#include "leither/crypto/hash.h"
#include "leither/wallet/inbox.h"

namespace leither::testing {

inline const ChainId kChain = ChainId::copy_of(Bytes(32, 7));
inline const ChainId kOtherChain = ChainId::copy_of(Bytes(32, 8));
inline constexpr std::uint64_t kNowMs = 1'700'000'000'000;

struct DeskWorld {
    DeskWorld() { crypto::initialise(); }

    wallet::SignedRequest request(std::uint64_t amount, const std::string& reference = "bread",
                                  Pulse expiry = Pulse(1'000),
                                  const ChainId& chain = kChain) const {
        protocol::PaymentRequest request;
        request.payee = payee.id();
        request.amount = Amount::of(amount);
        request.reference = protocol::Text(reference);
        request.expiry = expiry;
        return wallet::sign_request(chain, request, payee);
    }
    wallet::Paying paying(const wallet::SignedRequest& request,
                          wallet::Cause cause = wallet::Cause::by_hand,
                          std::uint64_t at_ms = kNowMs) const {
        return {at_ms, cause, request.chain,
                wallet::pay({request.chain, {0, 5}, Pulse(300)}, request, payer)};
    }
    static Hash id_of(const wallet::Paying& paying) {
        return protocol::transaction_id(paying.chain, paying.transaction.body);
    }
    // The same texts in letters of their own, one after the other.
    wallet::OpenedLetter letter(const std::string& text, const crypto::KeyPair& from) {
        ++letters_written;
        return {crypto::blake2b_256(as_bytes(std::to_string(letters_written))), payer.id(),
                from.public_key(), kNowMs + letters_written, text};
    }
    wallet::OpenedLetter letter(const wallet::SignedRequest& request) {
        return letter("Please pay.\n" + wallet::to_text(request), payee);
    }
    wallet::SealedTo sealed_to(const Id& recipient) const {
        wallet::SealedTo sealed;
        sealed.recipient = recipient;
        sealed.sealed.assign(80, 3);
        return sealed;
    }

    crypto::KeyPair payee = crypto::derive_key({}, 1);
    crypto::KeyPair payer = crypto::derive_key({}, 2);
    crypto::KeyPair stranger = crypto::derive_key({}, 3);
    std::uint64_t letters_written = 0;
};

}  // namespace leither::testing
