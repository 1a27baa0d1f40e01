#include "leither/wallet/offer.h"

#include <algorithm>

#include "link_text.h"

namespace leither::wallet {

namespace {

// Where the signature of a cosigner stands.
std::size_t place_of(const Offer& offer, std::size_t cosigner) {
    return offer.signatures.size() - offer.body.cosigners.size() + cosigner;
}

// Who signs the whole transaction beside supervisors.
std::optional<Id> member_to_sign(const protocol::Action& action) {
    const bool is_whole = std::holds_alternative<protocol::Leave>(action) ||
                          std::holds_alternative<protocol::SetRole>(action);
    return is_whole ? protocol::counterparty(action) : std::nullopt;
}

}  // namespace

std::vector<Id> Offer::missing() const {
    std::vector<Id> out;
    const auto member = member_to_sign(body.action);
    if (member && !signatures.front()) out.push_back(*member);
    for (std::size_t i = 0; i < body.cosigners.size(); ++i) {
        if (!signatures[place_of(*this, i)]) out.push_back(body.cosigners[i]);
    }
    return out;
}

Offer offer(const Draft& draft, protocol::Action action, std::optional<Signature> counterparty,
            const crypto::KeyPair& signer, std::vector<Id> cosigners) {
    const bool has_member = member_to_sign(action).has_value();
    const bool has_half = !has_member && protocol::counterparty(action).has_value();
    CHECK(has_half == counterparty.has_value());
    CHECK(cosigners.size() <= protocol::kCosignersMax);
    std::ranges::sort(cosigners);
    Offer made;
    made.chain = draft.chain;
    made.body.signer = signer.id();
    made.body.nonce = draft.nonce;
    made.body.expiry = draft.expiry;
    for (const Id& cosigner : cosigners) made.body.cosigners.push_back(cosigner);
    made.body.action = std::move(action);
    CHECK(made.body.is_canonical());
    if (has_half || has_member) made.signatures.push_back(counterparty);
    made.signatures.push_back(signer.sign(signing_message(draft.chain, made.body)));
    made.signatures.resize(protocol::signatures_needed(made.body));
    return made;
}

bool cosign(Offer& offer, const crypto::KeyPair& key) {
    const Signature signature = key.sign(signing_message(offer.chain, offer.body));
    const auto& cosigners = offer.body.cosigners;
    const auto at = std::ranges::find(cosigners, key.id());
    const bool is_cosigner = at != cosigners.end();
    const bool is_member = member_to_sign(offer.body.action) == key.id();
    if (is_member) offer.signatures.front() = signature;
    if (is_cosigner) {
        const auto place = place_of(offer, static_cast<std::size_t>(at - cosigners.begin()));
        offer.signatures[place] = signature;
    }
    return is_cosigner || is_member;
}

std::optional<protocol::Transaction> completed(const Offer& offer) {
    protocol::Transaction transaction;
    transaction.body = offer.body;
    for (const auto& signature : offer.signatures) {
        if (!signature) return std::nullopt;
        transaction.signatures.push_back(*signature);
    }
    return transaction;
}

std::string to_text(const Offer& offer) {
    return link_to(kOfferPrefix, offer);
}

Result<Offer, LinkFault> offer_from_text(std::string_view text) {
    return value_of_link<Offer>(kOfferPrefix, text);
}

}  // namespace leither::wallet
