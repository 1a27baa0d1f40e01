// account.*, member.*, receipt.*, child.*, block.*
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/tree/proof.h"
#include "leither/wallet/request.h"

#include "handlers.h"
#include "standings.h"

namespace leither::rpc {
namespace {

constexpr std::uint64_t kHistoryDefault = 50;
constexpr std::uint64_t kMembersDefault = 100;
constexpr std::uint64_t kReceiptsDefault = 50;

std::optional<Sequence> sequence_arg(Call& call, std::string_view name) {
    const auto number = call.args.find<std::uint64_t>(name);
    return number ? std::optional(Sequence(*number)) : std::nullopt;
}

CallError not_found(std::string message) {
    return named_error(ErrorCode::not_found, "not_found", std::move(message));
}

// How a transaction looks from the side of one account.
struct Side {
    const char* direction = "none";
    std::optional<Id> counterparty;
    std::optional<Amount> amount;
    std::string reference;
    std::string proof = {};  // of a reward: where the evidence is
};

// A vote's payment is seen as a reward by who proposed it.
Side side_of_grant(const protocol::Grant& grant, const Id& proposer, const Id& account) {
    const bool earned = grant.member == account;
    return {earned ? "in" : "none", earned ? proposer : grant.member, grant.amount, grant.reason,
            grant.proof};
}

Side side_of(const protocol::TransactionBody& body, const Id& account) {
    if (const auto* transfer = std::get_if<protocol::Transfer>(&body.action)) {
        const auto& request = transfer->request;
        const bool paid = body.signer == account;
        return {paid ? "out" : "in", paid ? request.payee : body.signer, request.amount,
                request.reference};
    }
    if (const auto* reward = std::get_if<protocol::Reward>(&body.action)) {
        const bool earned = reward->member == account;
        return {earned ? "in" : "none", earned ? body.signer : reward->member, reward->amount,
                reward->reason, reward->proof};
    }
    if (const auto* work = std::get_if<protocol::Earn>(&body.action)) {
        const Id applicant = crypto::id_of(work->application.applicant);
        const bool earned = applicant == account;
        return {earned ? "in" : "none", earned ? body.signer : applicant, work->amount,
                work->reason, work->proof};
    }
    if (const auto* pledge = std::get_if<protocol::Pledge>(&body.action)) {
        return {"none", std::nullopt, pledge->amount, {}};
    }
    if (const auto* claim = std::get_if<protocol::Claim>(&body.action)) {
        return {body.signer == account ? "in" : "none", std::nullopt, claim->amount, {}};
    }
    const auto other = protocol::counterparty(body.action);
    return {"none", other == account ? std::optional(body.signer) : other, std::nullopt, {}};
}

Json history_json(const node::HistoryItem& item, const Id& account,
                  const ledger::Organization& organization) {
    const protocol::Charter& charter = organization.charter;
    const auto* proposal = std::get_if<protocol::Propose>(&item.body.action);
    const auto* grant =
        item.vote && proposal ? std::get_if<protocol::Grant>(&proposal->subject) : nullptr;
    const Side side = grant != nullptr ? side_of_grant(*grant, item.body.signer, account)
                                       : side_of(item.body, account);
    Json out = {{"sequence", item.sequence.value()},
                {"pulse", item.pulse.value()},
                {"time_ms", time_ms_at(charter, item.pulse)},
                {"id", item.id.hex()},
                {"kind", grant != nullptr ? "reward" : protocol::kind_name(item.body.action)},
                {"signer", item.body.signer.hex()},
                {"direction", side.direction}};
    if (item.vote) out["vote"] = item.vote->hex();
    if (side.counterparty) out["counterparty"] = side.counterparty->hex();
    if (side.amount) out["amount"] = amount_text(*side.amount);
    if (!side.reference.empty()) out["reference"] = side.reference;
    if (!side.proof.empty()) out["proof"] = side.proof;
    if (const auto given = reward_given(item)) out["reward"] = protocol::to_string(given->kind);
    if (const auto* transfer = std::get_if<protocol::Transfer>(&item.body.action)) {
        out["request"] = wallet::request_id(organization.chain, transfer->request).hex();
    }
    return out;
}

Json member_json(const node::MemberItem& member) {
    std::uint64_t locked = 0;
    for (const auto& lock : member.record.locks) locked += lock.amount.units();
    return {{"account", member.id.hex()},
            {"key", member.record.key.hex()},
            {"role", protocol::to_string(member.record.role)},
            {"balance", amount_text(member.record.balance)},
            {"locked", std::to_string(locked)}};
}

Json transactions_json(const protocol::Transactions& transactions, const ChainId& chain,
                       std::string_view detail) {
    Json out = Json::array();
    for (const auto& transaction : transactions) {
        const std::string id = protocol::transaction_id(chain, transaction.body).hex();
        if (detail == "ids") {
            out.push_back(id);
        } else {
            out.push_back({{"id", id},
                           {"kind", protocol::kind_name(transaction.body.action)},
                           {"signer", transaction.body.signer.hex()},
                           {"data", to_hex(bcs::encode(transaction))}});
        }
    }
    return out;
}

}  // namespace

std::optional<RewardGiven> reward_given(const node::HistoryItem& item) {
    if (const auto* proposal = std::get_if<protocol::Propose>(&item.body.action)) {
        const auto* grant = std::get_if<protocol::Grant>(&proposal->subject);
        if (!item.vote || grant == nullptr) return std::nullopt;
        return RewardGiven{grant->kind, grant->member, grant->amount, grant->proof};
    }
    if (const auto* reward = std::get_if<protocol::Reward>(&item.body.action)) {
        return RewardGiven{reward->kind, reward->member, reward->amount, reward->proof};
    }
    if (const auto* work = std::get_if<protocol::Earn>(&item.body.action)) {
        return RewardGiven{protocol::RewardKind::service,
                           crypto::id_of(work->application.applicant), work->amount, work->proof};
    }
    return std::nullopt;
}

std::uint64_t time_ms_at(const protocol::Charter& charter, Pulse pulse) {
    return charter.time_ms + pulse.value() * charter.params.pulse_ms;
}

Outcome account_get(Call& call) {
    const Id account = call.args.get<Id>("account");
    const auto answer = call.host.queries().account(account, sequence_arg(call, "sequence"));
    if (!answer) return query_error(answer.error());
    return Json{{"account", account.hex()},
                {"sequence", answer->sequence.value()},
                {"record", answer->record ? to_json(*answer->record) : Json(nullptr)}};
}

Outcome account_nonce(Call& call) {
    const auto queries = call.host.queries();
    const auto lane = call.args.find<std::uint64_t>("lane").value_or(0);
    const auto counter =
        queries.next_counter(call.args.get<Id>("account"), static_cast<std::uint8_t>(lane));
    if (!counter) return query_error(counter.error());
    if (!*counter) return not_found("there is no member with this account");
    const auto status = queries.status();
    if (!status) return query_error(status.error());
    const Pulse pulse = queries.pulse(call.host.now());
    return Json{{"lane", lane},
                {"counter", **counter},
                {"expiry_max", pulse.value() + status->bookkeeping.params.expiry_pulses_max},
                {"pulse", pulse.value()}};
}

Outcome account_history(Call& call) {
    const auto queries = call.host.queries();
    const auto status = queries.status();
    if (!status) return query_error(status.error());
    const Id account = call.args.get<Id>("account");
    const auto limit = call.args.find<std::uint64_t>("limit").value_or(kHistoryDefault);
    const auto history = queries.history(account, sequence_arg(call, "before"), limit);
    if (!history) return query_error(history.error());
    const auto standings = Standings::now(call.host);
    if (!standings) return query_error(standings.error());
    Json items = Json::array();
    for (const auto& item : history->items) {
        const auto standing = standings->of(item.sequence, item.pulse);
        if (!standing) return query_error(standing.error());
        items.push_back(history_json(item, account, status->organization));
        items.back()["state"] = wallet::to_string(standing->state);
    }
    Json out = {{"items", std::move(items)}};
    if (history->next) out["next"] = history->next->value();
    out["pruned"] = history->pruned;
    return out;
}

Outcome member_list(Call& call) {
    const auto limit = call.args.find<std::uint64_t>("limit").value_or(kMembersDefault);
    // One more than asked for: it is where the next page begins.
    const auto members =
        call.host.queries().members(call.args.find<Id>("from").value_or(Id{}), limit + 1);
    if (!members) return query_error(members.error());
    Json items = Json::array();
    for (const auto& member : *members) {
        if (items.size() < limit) items.push_back(member_json(member));
    }
    Json out = {{"items", std::move(items)}};
    if (members->size() > limit) out["next"] = members->back().id.hex();
    return out;
}

Outcome receipt_get(Call& call) {
    const auto receipt =
        call.host.queries().receipt(call.args.get<Id>("account"), sequence_arg(call, "sequence"));
    if (!receipt) return query_error(receipt.error());
    return Json{{"receipt", to_hex(bcs::encode(*receipt))},
                {"sequence", receipt->header.sequence.value()}};
}

Outcome receipt_list(Call& call) {
    const auto queries = call.host.queries();
    const auto status = queries.status();
    if (!status) return query_error(status.error());
    const auto& charter = status->organization.charter;
    const auto limit = call.args.find<std::uint64_t>("limit").value_or(kReceiptsDefault);
    const auto kept =
        queries.kept_receipts(call.args.find<Id>("account"), sequence_arg(call, "before"), limit);
    if (!kept) return query_error(kept.error());
    Json items = Json::array();
    for (const auto& item : kept->items) {
        Json transactions = Json::array();
        for (const auto& one : item.transactions) {
            transactions.push_back(history_json(one, item.account, status->organization));
        }
        items.push_back({{"account", item.account.hex()},
                         {"sequence", item.sequence.value()},
                         {"time_ms", time_ms_at(charter, item.pulse)},
                         {"bytes", item.bytes},
                         {"transactions", std::move(transactions)}});
    }
    Json accounts = Json::array();
    for (const auto& one : kept->accounts) {
        Json account = {{"account", one.account.hex()}, {"missing", nullptr}};
        if (one.gap) {
            account["missing"] = {{"behind", one.gap->first.value()},
                                  {"before", one.gap->second.value()}};
        }
        accounts.push_back(std::move(account));
    }
    Json out = {{"items", std::move(items)},
                {"accounts", std::move(accounts)},
                {"count", kept->count},
                {"bytes", kept->bytes}};
    if (kept->next) out["next"] = kept->next->value();
    return out;
}

Outcome receipt_find(Call& call) {
    const auto receipt = call.host.queries().receipt_for(call.args.get<Hash>("transaction"),
                                                         call.args.find<Id>("account"));
    if (!receipt) return query_error(receipt.error());
    if (!*receipt) {
        return not_found(
            "no receipt of this transaction is kept here; name the account to have one made while "
            "its history lasts");
    }
    return Json{{"receipt", to_hex(bcs::encode(**receipt))},
                {"account", (*receipt)->proof.id.hex()},
                {"sequence", (*receipt)->header.sequence.value()}};
}

Outcome receipt_keep(Call& call) {
    using Wish = node::KeepReceipts::Wish;
    const bool stops = call.args.find<std::string_view>("wish") == "stop";
    call.host.enqueue(node::KeepReceipts{call.token, call.args.get<Id>("account"),
                                         stops ? Wish::stop : Wish::keep});
    return Deferred::network;
}

Outcome receipt_terms(Call& call) {
    const auto terms = call.host.queries().endorsement_terms();
    if (!terms) return query_error(terms.error());
    return Json{{"cycle", terms->cycle},
                {"sequence", terms->sequence.value()},
                {"bookkeepers", terms->seats},
                {"needed", terms->needed}};
}

Outcome receipt_endorse(Call& call) {
    auto ask = bcs::decode<protocol::AskEndorsement>(call.args.get<Bytes>("question"));
    if (!ask) {
        return CallError{ErrorCode::invalid_params,
                         "\"question\" is no BCS of a signed question for an endorsement", nullptr};
    }
    call.host.enqueue(node::Endorse{call.token, *std::move(ask)});
    return Deferred::network;
}

Outcome child_get(Call& call) {
    const Prefix prefix{call.args.get<Id>("prefix"),
                        static_cast<std::uint8_t>(call.args.get<std::uint64_t>("bits"))};
    if (!prefix.is_canonical()) {
        return CallError{ErrorCode::invalid_params,
                         "\"prefix\" has bits set behind the first \"bits\": set them to zero",
                         nullptr};
    }
    const auto receipt = call.host.queries().child(prefix, sequence_arg(call, "sequence"));
    if (!receipt) return query_error(receipt.error());
    const auto synopsis =
        tree::verify(receipt->proof, receipt->header.root, receipt->charter.charter.supply);
    CHECK(synopsis.has_value(), "the node proved a child organization wrongly");
    return Json{{"sequence", receipt->header.sequence.value()},
                {"synopsis", to_json(*synopsis)},
                {"receipt", to_hex(bcs::encode(*receipt))}};
}

namespace {

Json seat_json(std::size_t number, const protocol::Seats& committee) {
    const protocol::Seat& seat = committee[number];
    return {{"seat", number}, {"member", seat.member.hex()}, {"node_key", seat.node_key.hex()}};
}

Json author_json(const protocol::BlockHeader& header, const protocol::Seats& committee) {
    return header.author < committee.size() ? seat_json(header.author, committee) : Json(nullptr);
}

Json signers_json(const protocol::Certificate& certificate, const protocol::Seats& committee) {
    Json signers = Json::array();
    for (const auto& signature : certificate.signatures) {
        if (signature.seat < committee.size()) {
            signers.push_back(seat_json(signature.seat, committee));
        }
    }
    return signers;
}

}  // namespace

Outcome block_get(Call& call) {
    const auto queries = call.host.queries();
    const auto status = queries.status();
    if (!status) return query_error(status.error());
    const auto answer = queries.block(Sequence(call.args.get<std::uint64_t>("sequence")));
    if (!answer) return query_error(answer.error());
    if (!*answer) return not_found("this node keeps no such block");
    const auto& [seal, hash, transactions, committee] = **answer;
    const auto& organization = status->organization;
    // Of the founding, those of the charter.
    const std::size_t deciders =
        committee.empty() ? organization.charter.bookkeepers.size() : committee.size();
    Json out = {{"sequence", seal.header.sequence.value()},
                {"pulse", seal.header.pulse.value()},
                {"time_ms", time_ms_at(organization.charter, seal.header.pulse)},
                {"hash", hash.hex()},
                {"parent", seal.header.parent.hex()},
                {"root", to_json(seal.header.root)},
                {"transaction_count", seal.header.transaction_count},
                {"trusted", protocol::is_trusted(deciders)},
                {"author", author_json(seal.header, committee)},
                {"round", seal.certificate.slot.round},
                {"signers", signers_json(seal.certificate, committee)}};
    const auto standings = Standings::now(call.host);
    if (!standings) return query_error(standings.error());
    const auto standing = standings->of(seal.header.sequence, seal.header.pulse);
    if (!standing) return query_error(standing.error());
    out.update(standings->to_json(*standing));
    const auto detail = call.args.find<std::string_view>("detail").value_or("ids");
    if (detail != "none") {
        out["transactions"] = transactions_json(transactions, organization.chain, detail);
    }
    return out;
}

}  // namespace leither::rpc
