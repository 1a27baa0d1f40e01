// One function a command group: declares its verbs and their options on the command line. Each verb
// runs when it has been parsed and answers through the session.
#pragma once

#include <CLI/CLI.hpp>

#include "app/session.h"

namespace leither::app {

void add_key_commands(CLI::App& cli, Session& session);
void add_contact_commands(CLI::App& cli, Session& session);
void add_org_commands(CLI::App& cli, Session& session);
void add_invite_commands(CLI::App& cli, Session& session);
void add_member_commands(CLI::App& cli, Session& session);
void add_cosign_command(CLI::App& cli, Session& session);
void add_task_commands(CLI::App& cli, Session& session);
void add_payment_commands(CLI::App& cli, Session& session);  // request, pay, history, balance
void add_inbox_commands(CLI::App& cli, Session& session);  // inbox, accept, decline, requests, why
void add_offline_commands(CLI::App& cli, Session& session);  // offline, hand-in
void add_wallet_commands(CLI::App& cli, Session& session);
void add_receipt_commands(CLI::App& cli, Session& session);  // receipt, child
void add_evidence_commands(CLI::App& cli, Session& session);
void add_reward_command(CLI::App& cli, Session& session);
void add_rewards_command(CLI::App& cli, Session& session);
void add_vote_commands(CLI::App& cli, Session& session);
void add_pledge_commands(CLI::App& cli, Session& session);  // pledge, release, cancel
void add_committee_command(CLI::App& cli, Session& session);
void add_takeover_commands(CLI::App& cli, Session& session);
void add_checkpoint_commands(CLI::App& cli, Session& session);
void add_node_commands(CLI::App& cli, Session& session);
void add_dashboard_command(CLI::App& cli, Session& session);
void add_dht_commands(CLI::App& cli, Session& session);
void add_message_commands(CLI::App& cli, Session& session);
void add_chat_commands(CLI::App& cli, Session& session);
void add_app_commands(CLI::App& cli, Session& session);
void add_contribution_commands(CLI::App& cli, Session& session);
void add_tag_commands(CLI::App& cli, Session& session);
void add_backup_commands(CLI::App& cli, Session& session);
void add_replay_command(CLI::App& cli, Session& session);

}  // namespace leither::app
