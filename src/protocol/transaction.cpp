#include "leither/protocol/transaction.h"

#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

namespace leither::protocol {

namespace {

struct KindName {
    const char* operator()(const Transfer&) const { return "transfer"; }
    const char* operator()(const Join&) const { return "join"; }
    const char* operator()(const Leave&) const { return "leave"; }
    const char* operator()(const SetRole&) const { return "role"; }
    const char* operator()(const Reward&) const { return "reward"; }
    const char* operator()(const Pledge&) const { return "pledge"; }
    const char* operator()(const Release&) const { return "release"; }
    const char* operator()(const Cancel&) const { return "cancel"; }
    const char* operator()(const Reveal&) const { return "reveal"; }
    const char* operator()(const Ready&) const { return "ready"; }
    const char* operator()(const Claim&) const { return "claim"; }
    const char* operator()(const Propose&) const { return "propose"; }
    const char* operator()(const Cast&) const { return "cast"; }
    const char* operator()(const Evidence&) const { return "evidence"; }
    const char* operator()(const HandOver&) const { return "hand_over"; }
    const char* operator()(const Recovery&) const { return "recovery"; }
    const char* operator()(const Earn&) const { return "earn"; }
};

struct Counterparty {
    using Answer = std::optional<Id>;
    Answer operator()(const Transfer& transfer) const { return transfer.request.payee; }
    Answer operator()(const Join& join) const { return crypto::id_of(join.application.applicant); }
    Answer operator()(const Leave& leave) const { return leave.member; }
    Answer operator()(const SetRole& change) const { return change.member; }
    // A reward and a verdict need no consent; the others concern their owner alone, or everybody.
    Answer operator()(const Reward&) const { return std::nullopt; }
    Answer operator()(const Pledge&) const { return std::nullopt; }
    Answer operator()(const Release&) const { return std::nullopt; }
    Answer operator()(const Cancel&) const { return std::nullopt; }
    Answer operator()(const Reveal&) const { return std::nullopt; }
    Answer operator()(const Ready&) const { return std::nullopt; }
    Answer operator()(const Claim&) const { return std::nullopt; }
    Answer operator()(const Propose&) const { return std::nullopt; }
    Answer operator()(const Cast&) const { return std::nullopt; }
    Answer operator()(const Evidence&) const { return std::nullopt; }
    Answer operator()(const HandOver&) const { return std::nullopt; }
    Answer operator()(const Recovery&) const { return std::nullopt; }
    Answer operator()(const Earn& earned) const {
        return crypto::id_of(earned.application.applicant);
    }
};

}  // namespace

const char* kind_name(const Action& action) {
    return std::visit(KindName{}, action);
}

std::optional<Id> counterparty(const Action& action) {
    return std::visit(Counterparty{}, action);
}

std::size_t bytes_max(const Action& action) {
    return std::holds_alternative<Recovery>(action) ? kRecoveryBytesMax : kTransactionBytesMax;
}

bool is_node_act(const Action& action) {
    return std::holds_alternative<Reveal>(action) || std::holds_alternative<Ready>(action) ||
           std::holds_alternative<Claim>(action);
}

bool is_takeover(const Action& action) {
    return std::holds_alternative<HandOver>(action) || std::holds_alternative<Recovery>(action);
}

bool opens_height(const Transaction& transaction) {
    const Action& action = transaction.body.action;
    return !std::holds_alternative<Reveal>(action) && !std::holds_alternative<Ready>(action);
}

std::size_t signatures_needed(const TransactionBody& body) {
    const std::size_t of_counterparty = counterparty(body.action) ? 1 : 0;
    return of_counterparty + 1 + body.cosigners.size();
}

bool TransactionBody::is_canonical() const {
    const bool rising =
        std::ranges::adjacent_find(cosigners, std::ranges::greater_equal{}) == cosigners.end();
    return rising && std::ranges::find(cosigners, signer) == cosigners.end();
}

Hash transaction_id(const ChainId& chain, const TransactionBody& body) {
    return crypto::tagged_hash(tags::kTransaction, chain, bcs::encode(body));
}

Bytes signing_message(const ChainId& chain, const TransactionBody& body) {
    return crypto::tagged_message(tags::kTransaction, chain, bcs::encode(body));
}

Bytes signing_message(const ChainId& chain, const PaymentRequest& request) {
    return crypto::tagged_message(tags::kPaymentRequest, chain, bcs::encode(request));
}

Bytes signing_message(const ChainId& chain, const Application& application) {
    return crypto::tagged_message(tags::kApplication, chain, bcs::encode(application));
}

EncodedTransaction::EncodedTransaction(const Transaction& transaction) {
    bcs::Writer out;
    bcs::write(out, transaction.body);
    body_size_ = out.size();
    bcs::write(out, transaction.signatures);
    bytes_ = out.take();
}

Hash EncodedTransaction::id(const ChainId& chain) const {
    return crypto::tagged_hash(tags::kTransaction, chain, body());
}

Bytes EncodedTransaction::signing_message(const ChainId& chain) const {
    return crypto::tagged_message(tags::kTransaction, chain, body());
}

Hash EncodedTransaction::commitment() const {
    return crypto::blake2b_256(bytes_);
}

}  // namespace leither::protocol
