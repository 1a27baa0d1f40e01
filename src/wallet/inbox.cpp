#include "leither/wallet/inbox.h"

#include <algorithm>
#include <set>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/transaction.h"
#include "leither/wallet/handed.h"

namespace leither::wallet {

namespace {

std::uint64_t a_day_before(std::uint64_t now_ms) {
    return now_ms < kDayMs ? 0 : now_ms - kDayMs;
}

// Nothing: it is no request of this organization, or of a payee who cannot have signed it.
std::optional<InboxItem> request_item(const OpenedLetter& letter, std::string_view text,
                                      const ChainId& chain) {
    const auto request = request_from_text(text);
    if (!request || request->chain != chain) return std::nullopt;
    const bool from_payee = crypto::id_of(letter.sender) == request->request.payee;
    if (from_payee && !is_signed_by(*request, letter.sender)) return std::nullopt;
    InboxItem item;
    item.id = item.name = request_id(*request);
    item.request = *request;
    return item;
}

std::optional<InboxItem> application_item(const OpenedLetter& letter, std::string_view text,
                                          const ChainId& chain) {
    const auto signed_ = application_from_text(text);
    if (!signed_ || signed_->chain != chain) return std::nullopt;
    const auto& application = signed_->application;
    if (!crypto::verify(application.applicant, signing_message(chain, application),
                        signed_->signature)) {
        return std::nullopt;
    }
    InboxItem item;
    item.id = letter.message;
    item.name = name_of(text);
    item.application = *signed_;
    return item;
}

// By what it holds; where it stands is not said yet.
std::optional<InboxItem> item_of(const OpenedLetter& letter, const Token& token,
                                 const ChainId& chain) {
    switch (token.kind) {
        case TokenKind::decline: return std::nullopt;
        case TokenKind::request: return request_item(letter, token.text, chain);
        case TokenKind::application: return application_item(letter, token.text, chain);
        case TokenKind::claim:
        case TokenKind::submission:
        case TokenKind::other: break;
    }
    InboxItem item;
    item.id = letter.message;
    item.name = name_of(token.text);
    return item;
}

void decide_request(InboxItem& item, const Journal& journal, const Policy& policy,
                    const InboxFacts& facts) {
    const bool has_expired = facts.time.now > item.request->request.expiry;
    if (const Paying* paying = journal.paying(item.id)) {
        const auto& body = paying->transaction.body;
        item.transaction = protocol::transaction_id(paying->chain, body);
        const TransactionFate fate = facts.fate(*item.transaction, body.signer);
        const NotTaken* not_taken = journal.not_taken(item.id);
        item.refusal = !fate.refusal.empty()  ? fate.refusal
                       : not_taken != nullptr ? std::string(not_taken->refusal)
                                              : std::string();
        if (fate.state == TransactionFate::State::committed) {
            item.state = ItemState::paid;
            return;
        }
        const bool is_dead = facts.time.head > body.expiry;
        const bool is_refused =
            fate.state == TransactionFate::State::refused ||
            (fate.state == TransactionFate::State::unknown && not_taken != nullptr);
        if (!is_dead && !is_refused) {
            item.state = ItemState::accepted;
            return;
        }
    }
    if (journal.declined(item.id) != nullptr) {
        item.state = ItemState::declined;
        return;
    }
    item.state = has_expired ? ItemState::expired : ItemState::waiting;
    if (!has_expired) item.why_waiting = judge_item(item, journal, policy, facts.now_ms);
}

void decide_other(InboxItem& item, const Journal& journal, const InboxFacts& facts) {
    if (journal.declined(item.name) != nullptr) item.state = ItemState::declined;
    if (!item.application) return;
    const auto& application = item.application->application;
    if (facts.is_member(crypto::id_of(application.applicant))) {
        item.state = ItemState::accepted;
    } else if (item.state == ItemState::waiting && facts.time.now > application.expiry) {
        item.state = ItemState::expired;
    }
}

}  // namespace

PolicyAnswer judge_item(const InboxItem& item, const Journal& journal, const Policy& policy,
                        std::uint64_t now_ms) {
    CHECK(item.request.has_value());
    const auto& request = item.request->request;
    const ChainId& chain = item.request->chain;
    const Amount spent =
        journal.spent_by_policy({chain, request.payee, a_day_before(now_ms), item.id});
    return judge(policy, {chain, request.payee, crypto::id_of(item.sender), request.amount, spent});
}

const char* to_string(ItemState state) {
    switch (state) {
        case ItemState::waiting: return "waiting";
        case ItemState::accepted: return "accepted";
        case ItemState::paid: return "paid";
        case ItemState::declined: return "declined";
        case ItemState::expired: return "expired";
    }
    UNREACHABLE();
}

const char* to_string(TokenKind kind) {
    switch (kind) {
        case TokenKind::request: return "request";
        case TokenKind::decline: return "decline";
        case TokenKind::application: return "application";
        case TokenKind::claim: return "claim";
        case TokenKind::submission: return "submission";
        case TokenKind::other: return "letter";
    }
    UNREACHABLE();
}

std::vector<InboxItem> inbox(std::span<const OpenedLetter> letters, const Journal& journal,
                             const Policy& policy, const InboxFacts& facts) {
    std::vector<const OpenedLetter*> by_time;
    for (const OpenedLetter& letter : letters) by_time.push_back(&letter);
    std::ranges::stable_sort(by_time, {}, [](const OpenedLetter* one) { return one->sent_ms; });
    std::vector<InboxItem> items;
    std::set<Hash> seen;
    for (const OpenedLetter* letter : by_time) {
        const auto token = find_token(letter->text);
        if (!token || crypto::id_of(letter->sender) == letter->account) continue;
        auto item = item_of(*letter, *token, facts.time.chain);
        if (!item || !seen.insert(item->id).second) continue;
        item->letter = letter->message;
        item->kind = token->kind;
        item->account = letter->account;
        item->sender = letter->sender;
        item->sent_ms = letter->sent_ms;
        item->text = std::string(token->text);
        item->words = words_around(letter->text, *token);
        if (item->request) {
            decide_request(*item, journal, policy, facts);
        } else {
            decide_other(*item, journal, facts);
        }
        items.push_back(*std::move(item));
    }
    return items;
}

std::vector<Refused> refusals_in(std::span<const OpenedLetter> letters, const Journal& journal,
                                 std::uint64_t now_ms) {
    std::vector<Refused> refusals;
    std::set<Hash> told;
    for (const OpenedLetter& letter : letters) {
        const auto token = find_token(letter.text);
        if (!token || token->kind != TokenKind::decline) continue;
        const auto decline = decline_from_text(token->text);
        if (!decline) continue;
        const auto* own = journal.asked(decline->request);
        const bool is_answer = own != nullptr && !own->refusal && own->asked.letter &&
                               own->asked.letter->recipient == crypto::id_of(letter.sender) &&
                               own->asked.request.chain == decline->chain;
        if (!is_answer || !told.insert(decline->request).second) continue;
        refusals.push_back({now_ms, decline->request, decline->reason});
    }
    return refusals;
}

NextStep next_step(const Former& former, const LedgerTime& time) {
    using State = TransactionFate::State;
    if (former.paying == nullptr) return NextStep::sign;
    if (former.fate.state == State::committed) return NextStep::none;
    if (former.fate.state == State::pending) return NextStep::wait;
    const auto& body = former.paying->transaction.body;
    // A decided block is behind its expiry, or another transaction has its place in the lane.
    const bool is_displaced = former.counter && *former.counter > body.nonce.counter;
    if (time.head > body.expiry || is_displaced) return NextStep::sign;
    return time.now <= body.expiry ? NextStep::resubmit : NextStep::wait;
}

RequestStatus status_of(const Paying& paying, const Former& former, const LedgerTime& time) {
    using State = TransactionFate::State;
    const auto& transaction = paying.transaction;
    if (former.fate.state == State::committed) return {former.fate.standing, false};
    if (former.fate.state == State::pending) return {PaymentState::pending, false};
    const Pulse until = hand_in_until(transaction);
    if (time.now > until) return {PaymentState::expired, time.head > until};
    const bool is_displaced = former.counter && *former.counter > transaction.body.nonce.counter;
    const bool is_refused = former.fate.state == State::refused || is_displaced;
    return {is_refused ? PaymentState::refused : PaymentState::pending, false};
}

Unfinished unfinished(const Journal& journal, const LedgerTime& time, const PaymentFacts& facts) {
    Unfinished left{journal.unposted(time.chain), {}, false};
    for (const Paying* paying : journal.payments()) {
        const auto& body = paying->transaction.body;
        if (paying->chain != time.chain || time.head > body.expiry) continue;
        if (journal.not_taken(request_id(paying->chain, request_of(*paying))) != nullptr) continue;
        // Before the fate, so that no block comes between them.
        const auto counter = facts.counter(body.signer, body.nonce.lane);
        const Former former{
            paying, facts.fate(protocol::transaction_id(time.chain, body), body.signer), counter};
        if (former.fate.state == TransactionFate::State::refused) continue;
        switch (next_step(former, time)) {
            case NextStep::none:
            case NextStep::sign: break;
            case NextStep::wait: left.is_under_way = true; break;
            case NextStep::resubmit: left.payments.push_back(paying); break;
        }
    }
    return left;
}

RequestStatus status_of(const Journal::OwnRequest& own, const std::optional<PaymentFound>& payment,
                        const LedgerTime& time) {
    if (payment) return {payment->state, false};
    if (own.refusal) return {PaymentState::refused, false};
    const Pulse expiry = own.asked.request.request.expiry;
    if (time.now > expiry) return {PaymentState::expired, time.head > expiry};
    return {PaymentState::pending, false};
}

}  // namespace leither::wallet
