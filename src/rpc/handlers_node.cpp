// node.*, organization.*, transaction.*, subscriptions.
#include <algorithm>

#include "leither/base/check.h"
#include "leither/base/version.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

#include "handlers.h"
#include "standings.h"

namespace leither::rpc {
namespace {

Json evidence_json(const node::EvidenceCounts& counts) {
    Json forks = Json::array();
    for (const Sequence height : counts.forks) forks.push_back(height.value());
    return {{"conflicts", counts.conflicts}, {"forks", std::move(forks)}};
}

Json checkpoint_item(const node::LedgerStatus& status, const node::CheckpointItem& item,
                     Pulse now) {
    const std::uint64_t age = now.value() - std::min(now.value(), item.pulse.value());
    return {{"name", protocol::to_text(item.block)},
            {"sequence", item.block.sequence.value()},
            {"block", item.block.hash.hex()},
            {"cycle", item.cycle},
            {"pulse", item.pulse.value()},
            {"age_ms", age * status.organization.charter.params.pulse_ms},
            {"signatures", item.signatures},
            {"signed_pledge", amount_text(item.signed_pledge)},
            {"pledge", amount_text(item.pledge)}};
}

Json checkpoint_json(const node::LedgerStatus& status, Pulse now) {
    const auto item = [&](const std::optional<node::CheckpointItem>& one) {
        return one ? checkpoint_item(status, *one, now) : Json(nullptr);
    };
    return {{"newest", item(status.checkpoint.newest)},
            {"gathering", item(status.checkpoint.gathering)},
            {"from_cycle", status.checkpoint.from_cycle},
            {"to_cycle", status.checkpoint.to_cycle}};
}

Json organization_status(const node::LedgerStatus& status, const node::Finality& of_head,
                         Pulse now) {
    const auto& charter = status.organization.charter;
    return {
        {"id", status.organization.treasury.hex()},
        {"name", charter.name},
        {"chain_id", status.organization.chain.hex()},
        {"sequence", status.head.sequence.value()},
        {"sequence_pulse", status.head.pulse.value()},
        {"root", to_json(status.head.root)},
        {"final_sequence", status.final_sequence.value()},
        {"finality", to_json(of_head)},
        {"oldest_sequence", status.oldest.value()},
        {"members", status.bookkeeping.members},
        {"mempool",
         {{"transactions", status.mempool_transactions}, {"bytes", status.mempool_bytes}}},
        {"tree",
         {{"cached_nodes", status.tree.cached_nodes}, {"cached_bytes", status.tree.cached_bytes}}},
        {"evidence", evidence_json(status.evidence)},
        {"checkpoint", checkpoint_json(status, now)}};
}

Json catching_up_json(const node::CatchingUp& progress) {
    return {{"stage", progress.stage},
            {"behind", progress.behind},
            {"state_permille", progress.state_permille},
            {"trouble", progress.trouble}};
}

Json dropped_json(const node::Dropped& fate) {
    const auto state = fate.refused.code == protocol::Refusal::expired
                           ? wallet::PaymentState::expired
                           : wallet::PaymentState::refused;
    return {{"state", wallet::to_string(state)}, {"refusal", to_json(fate.refused)}};
}
Outcome committed_json(Call& call, Sequence block) {
    const auto held = call.host.queries().block(block);
    if (!held && held.error() == node::QueryError::pruned) {
        // Behind the history window, which is longer than any publicity.
        return Json{{"state", wallet::to_string(wallet::PaymentState::settled)},
                    {"sequence", block.value()}};
    }
    if (!held) return query_error(held.error());
    const auto standings = Standings::now(call.host);
    if (!standings) return query_error(standings.error());
    const auto standing = standings->of(block, (*held)->seal.header.pulse);
    if (!standing) return query_error(standing.error());
    Json out = standings->to_json(*standing);
    out["sequence"] = block.value();
    out["finality"] = to_json(standing->finality);
    return out;
}

Topic topic_of(std::string_view word) {
    for (const Topic topic :
         {Topic::pulse, Topic::block, Topic::account, Topic::message, Topic::final_block}) {
        if (word == to_string(topic)) return topic;
    }
    return Topic::chat;
}

CallError websocket_only() {
    return {ErrorCode::invalid_request,
            "subscriptions need a connection to send events on: use WebSocket (GET /rpc)", nullptr};
}

}  // namespace

Outcome node_status(Call& call) {
    const auto now = call.host.now();
    const auto queries = call.host.queries();
    const auto status = queries.status();
    if (!status && status.error() == node::QueryError::fault) return query_error(status.error());
    const auto of_head = queries.finality(std::nullopt, now);
    const auto network = queries.network(now);
    const auto progress = queries.catching_up();
    const auto uptime = call.host.process_stats().uptime;
    return Json{{"version", kVersion},
                {"node_key", call.host.node_key().hex()},
                {"uptime_s", std::chrono::duration_cast<std::chrono::seconds>(uptime).count()},
                {"pulse", status ? queries.pulse(now).value() : 0},
                {"organization", status && of_head
                                     ? organization_status(*status, *of_head, queries.pulse(now))
                                     : Json(nullptr)},
                {"network", network ? network_json(*network) : Json(nullptr)},
                {"catching_up", progress ? catching_up_json(*progress) : Json(nullptr)}};
}

Outcome node_stop(Call& call) {
    call.host.stop();
    return Json(true);
}

Outcome organization_create(Call& call) {
    const auto genesis = bcs::decode<protocol::Genesis>(call.args.get<Bytes>("genesis"));
    if (genesis) {  // else the node says what is wrong with it
        const Id organization = crypto::id_of(genesis->charter.charter.organization);
        if (const auto held = refuse_held_elsewhere(call, organization)) return *held;
    }
    call.host.enqueue(node::Found{call.token, std::move(call.args.get<Bytes>("genesis"))});
    return Deferred::founding;
}

Outcome organization_info(Call& call) {
    const auto queries = call.host.queries();
    const auto status = queries.status();
    if (!status) return query_error(status.error());
    const auto genesis = queries.genesis();
    if (!genesis) return query_error(genesis.error());
    const auto& charter = status->organization.charter;
    Json bookkeepers = Json::array();
    for (const auto& key : charter.bookkeepers) bookkeepers.push_back(key.hex());
    return Json{{"id", status->organization.treasury.hex()},
                {"chain_id", status->organization.chain.hex()},
                {"name", charter.name},
                {"unit", charter.unit},
                {"decimals", charter.decimals},
                {"time_ms", charter.time_ms},
                {"founder", charter.founder.hex()},
                {"announcement", charter.announcement},
                {"supply", amount_text(charter.supply)},
                {"treasury", to_json(protocol::Record(status->treasury))},
                {"bookkeeping", to_json(protocol::Record(status->bookkeeping))},
                {"params", to_json(status->bookkeeping.params)},
                {"bookkeepers", std::move(bookkeepers)},
                {"trusted", protocol::is_trusted(charter.bookkeepers.size())},
                {"charter", to_hex(bcs::encode(charter))},
                {"signature", genesis->charter.signature.hex()}};
}

Outcome organization_allocations(Call& call) {
    const auto genesis = call.host.queries().genesis();
    if (!genesis) return query_error(genesis.error());
    Json out = Json::array();
    for (const auto& allocation : genesis->allocations) {
        out.push_back({{"account", crypto::id_of(allocation.key).hex()},
                       {"key", allocation.key.hex()},
                       {"amount", amount_text(allocation.amount)},
                       {"reason", allocation.reason}});
    }
    return out;
}

Outcome transaction_submit(Call& call) {
    std::vector<Bytes> one;
    one.push_back(std::move(call.args.get<Bytes>("transaction")));
    call.host.enqueue(node::Submit{call.token, std::move(one)});
    return Deferred::one_transaction;
}

Outcome transaction_submit_many(Call& call) {
    auto& transactions = call.args.get<std::vector<Bytes>>("transactions");
    call.host.enqueue(node::Submit{call.token, std::move(transactions)});
    return Deferred::many_transactions;
}

Outcome transaction_status(Call& call) {
    const auto fate =
        call.host.queries().fate(call.args.get<Hash>("id"), call.args.find<Id>("signer"));
    if (!fate) return query_error(fate.error());
    if (const auto* committed = std::get_if<node::Committed>(&*fate)) {
        return committed_json(call, committed->sequence);
    }
    if (const auto* dropped = std::get_if<node::Dropped>(&*fate)) return dropped_json(*dropped);
    const bool is_pending = std::holds_alternative<node::Pending>(*fate);
    return Json{{"state", is_pending ? "pending" : "unknown"}};
}

Outcome subscribe(Call& call) {
    if (!call.connection) return websocket_only();
    const Topic topic = topic_of(call.args.get<std::string_view>("topic"));
    const auto account = call.args.find<Id>("account");
    if (is_by_account(topic) != account.has_value()) {
        return CallError{
            ErrorCode::invalid_params,
            "\"account\" belongs to the topics \"account\" and \"message\", and only to them",
            nullptr};
    }
    const auto added = call.subscriptions.add(*call.connection, topic, account.value_or(Id{}));
    if (!added) {
        return named_error(ErrorCode::busy, "busy",
                           "this connection has as many subscriptions as it may; end one first");
    }
    return Json{{"subscription", *added}};
}

Outcome unsubscribe(Call& call) {
    if (!call.connection) return websocket_only();
    const auto number = call.args.get<std::uint64_t>("subscription");
    if (!call.subscriptions.remove(*call.connection, number)) {
        return named_error(ErrorCode::not_found, "not_found",
                           "this connection has no such subscription");
    }
    return Json(true);
}

}  // namespace leither::rpc
