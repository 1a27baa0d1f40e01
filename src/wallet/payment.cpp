#include "leither/wallet/payment.h"

#include <algorithm>

#include "leither/codec/bcs.h"

namespace leither::wallet {

namespace {

using crypto::KeyPair;
using protocol::Transaction;
using protocol::TransactionBody;

constexpr std::string_view kRequestPrefix = "leither:pay:";
constexpr std::string_view kApplicationPrefix = "leither:join:";
// A request or application takes less than half of this; longer text is not worth decoding.
constexpr std::size_t kTextSizeMax = 2048;

template <class T>
std::string text_of(std::string_view prefix, const T& value) {
    return std::string(prefix) + to_hex(bcs::encode(value));
}

template <class T>
std::optional<T> value_of(std::string_view prefix, std::string_view text) {
    if (text.size() > kTextSizeMax || !text.starts_with(prefix)) return std::nullopt;
    const auto bytes = from_hex(text.substr(prefix.size()));
    if (!bytes) return std::nullopt;
    auto value = bcs::decode<T>(*bytes);
    if (!value) return std::nullopt;
    return *std::move(value);
}

// The protocol wants cosigners by rising id, and their signatures in the same order.
std::vector<const KeyPair*> by_id(std::span<const KeyPair> keys) {
    std::vector<const KeyPair*> sorted;
    for (const KeyPair& key : keys) sorted.push_back(&key);
    std::ranges::sort(sorted, {}, [](const KeyPair* key) { return key->id(); });
    return sorted;
}

TransactionBody body_of(const Draft& draft, protocol::Action action, const KeyPair& signer,
                        std::span<const KeyPair* const> cosigners) {
    CHECK(cosigners.size() <= protocol::kCosignersMax);
    TransactionBody body;
    body.signer = signer.id();
    body.nonce = draft.nonce;
    body.expiry = draft.expiry;
    for (const KeyPair* cosigner : cosigners) body.cosigners.push_back(cosigner->id());
    body.action = std::move(action);
    return body;
}

// Adds the signatures of signer and cosigners behind `first`, the counterparty's.
Transaction complete(const Draft& draft, TransactionBody body, std::optional<Signature> first,
                     const KeyPair& signer, std::span<const KeyPair* const> cosigners) {
    const Bytes message = signing_message(draft.chain, body);
    Transaction transaction;
    transaction.body = std::move(body);
    if (first) transaction.signatures.push_back(*first);
    transaction.signatures.push_back(signer.sign(message));
    for (const KeyPair* cosigner : cosigners) {
        transaction.signatures.push_back(cosigner->sign(message));
    }
    return transaction;
}

}  // namespace

SignedRequest sign_request(const ChainId& chain, const protocol::PaymentRequest& request,
                           const KeyPair& payee) {
    return {chain, request, payee.sign(signing_message(chain, request))};
}

std::string to_text(const SignedRequest& request) {
    return text_of(kRequestPrefix, request);
}

std::optional<SignedRequest> request_from_text(std::string_view text) {
    return value_of<SignedRequest>(kRequestPrefix, text);
}

SignedApplication sign_application(const ChainId& chain, const protocol::Application& application,
                                   const KeyPair& applicant) {
    return {chain, application, applicant.sign(signing_message(chain, application))};
}

std::string to_text(const SignedApplication& application) {
    return text_of(kApplicationPrefix, application);
}

std::optional<SignedApplication> application_from_text(std::string_view text) {
    return value_of<SignedApplication>(kApplicationPrefix, text);
}

std::string to_text(const protocol::TakeoverSignature& signature) {
    return text_of(kTakeoverPrefix, signature);
}

std::optional<protocol::TakeoverSignature> takeover_from_text(std::string_view text) {
    return value_of<protocol::TakeoverSignature>(kTakeoverPrefix, text);
}

Transaction pay(const Draft& draft, const SignedRequest& request, const KeyPair& payer) {
    TransactionBody body = body_of(draft, protocol::Transfer{request.request}, payer, {});
    return complete(draft, std::move(body), request.signature, payer, {});
}

Transaction admit(const Draft& draft, const SignedApplication& application,
                  const KeyPair& supervisor, std::span<const KeyPair> cosigners) {
    const auto sorted = by_id(cosigners);
    protocol::Join join{application.application};
    TransactionBody body = body_of(draft, std::move(join), supervisor, sorted);
    return complete(draft, std::move(body), application.signature, supervisor, sorted);
}

Transaction admit_for(const Draft& draft, const SignedApplication& application, Earning earning,
                      const KeyPair& supervisor, std::span<const KeyPair> cosigners) {
    const auto sorted = by_id(cosigners);
    protocol::Earn earned{application.application, earning.task, earning.amount,
                          std::move(earning.reason), std::move(earning.proof)};
    TransactionBody body = body_of(draft, std::move(earned), supervisor, sorted);
    return complete(draft, std::move(body), application.signature, supervisor, sorted);
}

Transaction sign(const Draft& draft, protocol::Action action, const KeyPair& signer,
                 const KeyPair* counterparty, std::span<const KeyPair> cosigners) {
    const auto concerned = protocol::counterparty(action);
    CHECK(concerned.has_value() == (counterparty != nullptr));
    const auto sorted = by_id(cosigners);
    TransactionBody body = body_of(draft, std::move(action), signer, sorted);
    std::optional<Signature> first;
    if (counterparty != nullptr) {
        CHECK(counterparty->id() == *concerned);
        first = counterparty->sign(signing_message(draft.chain, body));
    }
    return complete(draft, std::move(body), first, signer, sorted);
}

protocol::Transaction act_as_node(const Draft& draft, protocol::Action action, const Id& candidate,
                                  const KeyPair& node) {
    CHECK(protocol::is_node_act(action) || std::holds_alternative<protocol::Evidence>(action));
    Transaction transaction;
    transaction.body.signer = candidate;
    transaction.body.nonce = draft.nonce;
    transaction.body.expiry = draft.expiry;
    transaction.body.action = std::move(action);
    transaction.signatures.push_back(node.sign(signing_message(draft.chain, transaction.body)));
    return transaction;
}

protocol::Genesis found(protocol::Charter charter, protocol::Allocations allocations,
                        const KeyPair& organization) {
    charter.organization = organization.public_key();
    charter.allocations = allocations_hash(allocations);
    const Signature signature = organization.sign(signing_message(charter));
    return {{std::move(charter), signature}, std::move(allocations)};
}

}  // namespace leither::wallet
