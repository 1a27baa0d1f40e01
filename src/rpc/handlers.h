// What each method does. One function a row of the table in methods.cpp.
#pragma once

#include "call.h"

namespace leither::rpc {

Outcome node_status(Call& call);
Outcome node_stop(Call& call);
Outcome node_machine(Call& call);
Outcome node_logs(Call& call);
Outcome dashboard_link(Call& call);
Outcome place_list(Call& call);
Outcome place_open(Call& call);
Outcome place_close(Call& call);
Outcome organization_create(Call& call);
Outcome organization_info(Call& call);
Outcome organization_allocations(Call& call);
Outcome transaction_submit(Call& call);
Outcome transaction_submit_many(Call& call);
Outcome transaction_status(Call& call);
Outcome account_get(Call& call);
Outcome account_nonce(Call& call);
Outcome account_history(Call& call);
Outcome member_list(Call& call);
Outcome office_status(Call& call);
Outcome office_registration(Call& call);
Outcome takeover_status(Call& call);
Outcome takeover_sign(Call& call);
Outcome takeover_submit(Call& call);
Outcome receipt_get(Call& call);
Outcome receipt_list(Call& call);
Outcome receipt_find(Call& call);
Outcome receipt_keep(Call& call);
Outcome receipt_terms(Call& call);
Outcome receipt_endorse(Call& call);
Outcome child_get(Call& call);
Outcome block_get(Call& call);
Outcome evidence_list(Call& call);
Outcome evidence_get(Call& call);
Outcome vote_list(Call& call);
Outcome vote_get(Call& call);
Outcome vote_parameters(Call& call);
Outcome reward_list(Call& call);
Outcome reward_proof(Call& call);
Outcome subscribe(Call& call);
Outcome unsubscribe(Call& call);
Outcome discover(Call& call);
Outcome network_peers(Call& call);
Outcome dht_status(Call& call);
Outcome dht_get(Call& call);
Outcome dht_put(Call& call);
Outcome dht_put_signed(Call& call);
Outcome dht_lookup(Call& call);
Outcome dht_announce(Call& call);
Outcome dht_peers(Call& call);
Outcome network_bans(Call& call);
Outcome network_ban(Call& call);
Outcome network_connect(Call& call);
Outcome organization_find(Call& call);
Outcome organization_follow(Call& call);
Outcome organization_introduction(Call& call);
Outcome organization_draft(Call& call);
Outcome organization_publish(Call& call);
Outcome account_serve(Call& call);
Outcome account_key(Call& call);
Outcome message_post(Call& call);
Outcome message_inbox(Call& call);
Outcome message_outbox(Call& call);
Outcome message_forget(Call& call);
Outcome chat_next(Call& call);
Outcome chat_post(Call& call);
Outcome chat_read(Call& call);
Outcome app_publish(Call& call);
Outcome app_put(Call& call);
Outcome app_list(Call& call);
Outcome app_show(Call& call);
Outcome app_fetch(Call& call);
Outcome app_piece(Call& call);
Outcome app_remove(Call& call);
Outcome tag_add(Call& call);
Outcome tag_remove(Call& call);
Outcome tag_search(Call& call);
Outcome tag_find(Call& call);
Outcome contribution_add(Call& call);
Outcome contribution_list(Call& call);
Outcome contribution_show(Call& call);
// Every method of the wallet that the program holds.
Outcome wallet_call(Call& call);

// Hands a request to the node, whose reply is the answer.
Outcome ask_network(Call& call, node::NetworkRequest&& request);

// One organization has one place in a program.
std::optional<CallError> refuse_held_elsewhere(const Call& call, const Id& organization);

// Parts of answers that others give too.
std::uint64_t time_ms_at(const protocol::Charter& charter, Pulse pulse);
Json network_json(const node::NetworkStatus& status);
Result<Json, CallError> dht_result(const DhtQuestion& question, const dht::Outcome& outcome,
                                   const Host& host);
Json answer_json(const node::NetworkAnswer& answer);
Json line_json(const protocol::SignedLine& signed_, const ChainId& chain);
Json progress_json(const org::ContentProgress& progress);
// The error of what begins with the organization's manifest, as long as that is not known.
std::optional<CallError> not_ready(const Call& call);
// Of a parameter that is not the encoding of what it should be.
CallError bad_bytes(std::string_view field, std::string_view expected);
// What the treasury was to give by one of its transactions.
struct RewardGiven {
    protocol::RewardKind kind;
    Id member;
    Amount amount;
    std::string_view proof;  // of the item
};
std::optional<RewardGiven> reward_given(const node::HistoryItem& item);
Json letter_json(const Hash& message, const protocol::SignedEnvelope& signed_);

}  // namespace leither::rpc
