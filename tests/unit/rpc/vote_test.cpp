// Votes of the members and rewards through the API, before a whole node.
#include <algorithm>

#include <gtest/gtest.h>

#include "leither/crypto/hash.h"
#include "leither/election/work.h"
#include "leither/ledger/receipt.h"

#include "rpc_world.h"

namespace leither::testing {
namespace {

using protocol::Choice;
using protocol::Grant;
using protocol::ParamProposal;
using protocol::RewardKind;

constexpr std::uint64_t kOpen = 60;       // pulses
constexpr std::uint8_t kVotePulses = 10;  // row of kParamTable

HostOptions voting(std::uint32_t publicity_pulses, std::uint64_t history_pulses = 0) {
    HostOptions options;
    options.node.history_pulses = history_pulses;
    options.community.params.vote_pulses = kOpen;
    options.community.params.cycle_pulses = 60;
    options.community.params.publicity_pulses = publicity_pulses;
    options.community.params.mining_reward_per_cycle = 90;
    return options;
}

// Four members and the founder, who is their supervisor.
class Town {
 public:
    explicit Town(const HostOptions& options = voting(0)) : world({}, options) { world.found(); }

    const Community& community() const { return world.node.community(); }
    crypto::KeyPair member(std::size_t n) const { return community().member(n); }
    std::string id_of(std::size_t n) const { return member(n).id().hex(); }

    // Opens a vote with the next block; its id.
    std::string propose(const protocol::Subject& subject) {
        const auto founder = community().founder();
        const Signing signing = world.node.signing(founder);
        sign(founder, protocol::Propose{subject});
        world.pass_pulse();
        return protocol::vote_id(community().chain(), founder.id(), 0, signing.counter).hex();
    }
    void cast(std::size_t n, const std::string& vote, Choice choice) {
        sign(member(n), protocol::Cast{Id::parse(vote).value(), choice});
    }
    void pass(std::uint64_t pulses) {
        for (std::uint64_t i = 0; i < pulses; ++i) world.pass_pulse();
    }
    json ask(const std::string& method, const json& params = json::object()) {
        const json reply = world.call(method, params);
        EXPECT_TRUE(reply.contains("result")) << method << reply;
        return reply.value("result", json());
    }
    json vote(const std::string& id) { return ask("vote.get", {{"vote", id}}); }
    json error(const std::string& method, const json& params = json::object()) {
        return world.call(method, params).value("error", json());
    }
    json newest(std::size_t n) {
        return ask("account.history", {{"account", id_of(n)}})["items"][0];
    }

    RpcWorld world;

 private:
    void sign(const crypto::KeyPair& signer, protocol::Action action) {
        const auto transaction =
            community().act(signer, std::move(action), world.node.signing(signer));
        const json reply =
            world.call("transaction.submit", {{"transaction", to_hex(bcs::encode(transaction))}});
        EXPECT_TRUE(reply.contains("result")) << reply;
    }
};

Grant grant_to(const Id& member, std::uint64_t units, RewardKind kind = RewardKind::structural) {
    return {kind, member, Amount::of(units), protocol::LongText("built the oven"),
            protocol::LongText("photo 7")};
}

// ---- Votes -------------------------------------------------------------------------------------

TEST(VoteRpc, AVoteIsTalliedInPublicAndSaysWhatItNeeds) {
    Town town;
    const auto id = town.propose(ParamProposal{{kVotePulses, 200}, protocol::LongText("slower")});
    const json open = town.ask("vote.list");
    ASSERT_EQ(open["items"].size(), 1u);
    const json& first = open["items"][0];
    EXPECT_EQ(first["vote"], id);
    EXPECT_EQ(first["state"], "open");
    const json subject = {{"kind", "parameter"}, {"parameter", "vote_pulses"},
                          {"value", 200},        {"now", 60},
                          {"least", 60},         {"most", 2'592'000},
                          {"unit", "pulses"},    {"reason", "slower"}};
    EXPECT_EQ(first["subject"], subject);
    EXPECT_EQ(first["members"], 5);
    EXPECT_EQ(first["quorum"], (json{{"needed", 2}, {"reached", false}}));
    EXPECT_EQ(first["lacks"], json::array({"quorum"}));
    const auto& charter = town.community().genesis().charter.charter;
    EXPECT_EQ(first["closes_ms"],
              charter.time_ms + first["closes"].get<std::uint64_t>() * charter.params.pulse_ms);

    town.cast(0, id, Choice::yes);
    town.cast(1, id, Choice::yes);
    town.cast(2, id, Choice::no);
    town.pass(2);
    const json tallied = town.vote(id);
    EXPECT_EQ(tallied["yes"], 2);
    EXPECT_EQ(tallied["no"], 1);
    EXPECT_EQ(tallied["majority"], (json{{"needed", 2}, {"reached", true}}));
    EXPECT_EQ(tallied["lacks"], json::array());
    EXPECT_FALSE(tallied.contains("effect"));
    EXPECT_EQ(town.ask("vote.list", {{"state", "closed"}})["items"], json::array());

    town.pass(kOpen);
    const json closed = town.ask("vote.list", {{"state", "closed"}})["items"][0];
    EXPECT_EQ(closed["vote"], id);
    EXPECT_EQ(closed["state"], "passed");
    EXPECT_FALSE(closed["effect"]["in_force"]);
    EXPECT_EQ(closed["counted"], town.vote(id)["counted"]);
    EXPECT_EQ(town.ask("vote.list")["items"], json::array());
    const std::uint64_t from_cycle = closed["effect"]["from_cycle"];
    const auto cycle = [&town] { return town.world.queries().election()->cycle; };
    while (cycle() < from_cycle) {
        EXPECT_EQ(town.ask("organization.info")["params"]["vote_pulses"], 60);
        town.pass(1);
    }
    EXPECT_EQ(town.ask("organization.info")["params"]["vote_pulses"], 200);
    EXPECT_EQ(town.vote(id)["effect"], (json{{"in_force", true}}));
}

TEST(VoteRpc, WhatAVoteMayChangeIsListedWithItsBounds) {
    Town town;
    const json rows = town.ask("vote.parameters");
    ASSERT_EQ(rows.size(), std::size(protocol::kParamTable) - 1);
    for (const json& row : rows) EXPECT_NE(row["parameter"], "pulse_ms") << "no vote changes it";
    EXPECT_NE(std::ranges::find(rows, json{{"parameter", "vote_pulses"},
                                           {"now", kOpen},
                                           {"least", 60},
                                           {"most", 2'592'000},
                                           {"unit", "pulses"}}),
              rows.end());
}

TEST(VoteRpc, ARejectedVoteSaysWhichThresholdItMissed) {
    Town town;
    const auto lonely =
        town.propose(ParamProposal{{kVotePulses, 200}, protocol::LongText("slower")});
    const auto disputed =
        town.propose(ParamProposal{{kVotePulses, 300}, protocol::LongText("slower")});
    town.cast(0, lonely, Choice::yes);
    town.cast(0, disputed, Choice::yes);
    town.cast(1, disputed, Choice::yes);
    town.cast(2, disputed, Choice::no);
    town.cast(3, disputed, Choice::no);
    town.pass(kOpen + 2);
    EXPECT_EQ(town.vote(lonely)["state"], "rejected");
    EXPECT_EQ(town.vote(lonely)["lacks"], json::array({"quorum"}));
    EXPECT_EQ(town.vote(disputed)["state"], "rejected");
    EXPECT_EQ(town.vote(disputed)["lacks"], json::array({"majority"}));
    EXPECT_EQ(town.vote(disputed)["majority"], (json{{"needed", 3}, {"reached", false}}));
}

TEST(VoteRpc, ARewardByVoteIsPaidAndShowsInTheHistoryWithItsVote) {
    for (const std::uint32_t publicity : {0U, 30U}) {
        Town town(voting(publicity));
        const auto id = town.propose(grant_to(town.member(3).id(), 500));
        town.cast(0, id, Choice::yes);
        town.cast(1, id, Choice::yes);
        town.pass(kOpen + 1);
        const json counted = town.vote(id);
        EXPECT_EQ(counted["state"], "passed");
        EXPECT_EQ(counted["subject"]["reason"], "built the oven");
        EXPECT_EQ(counted["effect"]["pending"], publicity != 0);
        EXPECT_EQ(town.ask("reward.list")["pending"].size(), publicity != 0 ? 1u : 0u);
        town.pass(publicity);
        EXPECT_EQ(town.vote(id)["effect"], (json{{"pending", false}}));
        EXPECT_EQ(town.world.node.balance(3), 1'500u);
        const json paid = town.newest(3);
        EXPECT_EQ(paid["kind"], "reward") << publicity;
        EXPECT_EQ(paid["direction"], "in");
        EXPECT_EQ(paid["amount"], "500");
        EXPECT_EQ(paid["reference"], "built the oven");
        EXPECT_EQ(paid["vote"], id);
        EXPECT_EQ(paid["id"], counted["proposal"]);
        EXPECT_EQ(paid["counterparty"], town.community().founder().id().hex());
    }
}

TEST(VoteRpc, WhoIsPaidByAVoteIsToldByTheBlockThatPays) {
    for (const std::uint32_t publicity : {0U, 30U}) {
        Town town(voting(publicity));
        const auto id = town.propose(grant_to(town.member(3).id(), 500));
        town.cast(0, id, Choice::yes);
        town.cast(1, id, Choice::yes);
        town.pass(kOpen + 1);
        town.pass(publicity);
        ASSERT_EQ(town.world.node.balance(3), 1'500u);
        std::vector<Sequence> told;
        for (const node::BlockSealed& sealed : town.world.node.sealed()) {
            const auto names = [&sealed](const Id& account) {
                return std::ranges::binary_search(sealed.accounts, account);
            };
            if (!names(town.member(3).id())) continue;
            EXPECT_TRUE(names(town.community().organization().treasury));
            told.push_back(sealed.seal.header.sequence);
        }
        const Sequence paid(town.newest(3)["sequence"].get<std::uint64_t>());
        EXPECT_EQ(told, std::vector{paid}) << publicity;
    }
}

TEST(VoteRpc, EachIsToldOfItsOwnBallot) {
    Town town;
    const auto id = town.propose(ParamProposal{{kVotePulses, 200}, protocol::LongText("slower")});
    const auto founder = town.community().founder();
    const auto join = town.community().join(town.member(7), town.world.node.signing(founder));
    town.ask("transaction.submit", {{"transaction", to_hex(bcs::encode(join))}});
    town.cast(0, id, Choice::no);
    town.pass(2);
    const auto own = [&](std::size_t n) {
        return town.ask("vote.get", {{"vote", id}, {"account", town.id_of(n)}})["own"];
    };
    EXPECT_EQ(own(0)["standing"], "has_cast");
    EXPECT_EQ(own(0)["choice"], "no");
    EXPECT_EQ(own(1)["standing"], "may_cast");
    EXPECT_FALSE(own(1).contains("choice"));
    EXPECT_EQ(own(7)["standing"], "joined_after");
    EXPECT_EQ(own(9)["standing"], "not_member");
    const json listed = town.ask("vote.list", {{"account", town.id_of(0)}})["items"][0];
    EXPECT_EQ(listed["own"], (json{{"account", town.id_of(0)}, {"standing", "has_cast"}}));

    town.pass(kOpen);
    EXPECT_EQ(own(0)["choice"], "no");
    EXPECT_EQ(own(1)["standing"], "not_open");
    // The account forgets closed votes with its next ballot; its history does not.
    const auto next = town.propose(ParamProposal{{kVotePulses, 300}, protocol::LongText("slower")});
    town.cast(0, next, Choice::yes);
    town.pass(2);
    EXPECT_EQ(own(0)["choice"], "no");
}

TEST(VoteRpc, ClosedVotesComeNewestFirstAndInPages) {
    Town town;
    std::vector<std::string> ids;
    for (std::uint32_t i = 0; i < 5; ++i) {
        ids.push_back(
            town.propose(ParamProposal{{kVotePulses, 100 + i}, protocol::LongText("slower")}));
    }
    town.pass(kOpen + 2);
    std::vector<std::string> listed;
    json params = {{"state", "closed"}, {"limit", 2}};
    for (;;) {
        const json page = town.ask("vote.list", params);
        for (const json& vote : page["items"]) listed.push_back(vote["vote"]);
        EXPECT_FALSE(page["pruned"]);
        if (!page.contains("next")) break;
        EXPECT_EQ(page["items"].size(), 2u);
        params["before"] = page["next"];
    }
    std::ranges::reverse(listed);
    EXPECT_EQ(listed, ids);
    const auto open = town.propose(ParamProposal{{kVotePulses, 99}, protocol::LongText("slower")});
    const json all = town.ask("vote.list", {{"state", "all"}});
    ASSERT_EQ(all["items"].size(), 6u);
    EXPECT_EQ(all["items"][0]["vote"], open);
    EXPECT_EQ(all["items"][5]["vote"], ids[0]);
}

TEST(VoteRpc, BehindTheWindowAVoteIsNotListedButStillThereAndProven) {
    Town town(voting(0, /*history_pulses=*/1));
    const auto id = town.propose(ParamProposal{{kVotePulses, 200}, protocol::LongText("slower")});
    town.cast(0, id, Choice::yes);
    town.pass(1'700);
    const json closed = town.ask("vote.list", {{"state", "closed"}});
    EXPECT_TRUE(closed["pruned"]);
    EXPECT_EQ(closed["items"], json::array());
    EXPECT_EQ(town.vote(id)["state"], "rejected");
    const std::string receipt = town.ask("receipt.get", {{"account", id}})["receipt"];
    const auto decoded = bcs::decode<ledger::Receipt>(from_hex(receipt).value());
    ASSERT_TRUE(decoded);
    const auto proven = ledger::verify(*decoded, std::nullopt);
    ASSERT_TRUE(proven);
    EXPECT_EQ(std::get<protocol::VoteRecord>(*proven->record).yes, 1u);
}

TEST(VoteRpc, EachRefusalHasItsName) {
    RpcWorld empty;
    for (const char* method : {"vote.list", "reward.list"}) {
        EXPECT_EQ(empty.call(method)["error"]["data"]["name"], "no_organization") << method;
    }
    Town town;
    EXPECT_EQ(town.error("vote.get", {{"vote", town.id_of(0)}})["data"]["name"], "not_found");
    EXPECT_EQ(town.error("vote.get", {{"vote", std::string(40, '0')}})["code"], 4);
    EXPECT_EQ(town.error("vote.get", {{"vote", "12"}})["code"], -32602);
    EXPECT_EQ(town.error("vote.list", {{"state", "lost"}})["code"], -32602);
    EXPECT_EQ(town.error("vote.list", {{"limit", 501}})["code"], -32602);
}

// ---- Mining rewards ----------------------------------------------------------------------------

TEST(RewardRpc, ALineOfMiningRewardsIsProven) {
    Town town;
    for (int i = 0; i < 12; ++i) {
        ASSERT_TRUE(town.world.node.pay(0, 1, 1));
        town.pass(10);
    }
    const Id node = crypto::id_of(town.community().node_key().public_key());
    const json mining = town.ask("reward.list")["mining"];
    ASSERT_FALSE(mining.empty());
    for (const json& term : mining) {
        ASSERT_EQ(term["lines"].size(), 1u);
        EXPECT_EQ(
            term["lines"][0],
            (json{{"line", 0}, {"account", node.hex()}, {"amount", "90"}, {"claimed", false}}));
        const json proof =
            town.ask("reward.proof", {{"account", node.hex()}, {"cycle", term["cycle"]}});
        EXPECT_EQ(proof["amount"], "90");
        EXPECT_EQ(proof["root"], term["root"]);
        const auto claim =
            bcs::decode<protocol::Claim>(from_hex(proof["claim"].get<std::string>()).value());
        ASSERT_TRUE(claim);
        const protocol::RewardRoot root{claim->cycle,
                                        Hash::parse(term["root"].get<std::string>()).value(), 0};
        EXPECT_TRUE(election::is_reward(town.community().chain(), root, {node, claim->amount},
                                        claim->proof));
        ASSERT_EQ(proof["path"].size(), claim->proof.path.size());
        EXPECT_EQ(proof["path"][0], claim->proof.path[0].hex());
    }
    const auto error = [&](const Id& account, std::uint64_t cycle) {
        return town.error("reward.proof",
                          {{"account", account.hex()}, {"cycle", cycle}})["data"]["name"];
    };
    EXPECT_EQ(error(node, 99), "rewards_unknown");
    EXPECT_EQ(error(town.member(0).id(), mining[0]["cycle"]), "no_seat");
}

}  // namespace
}  // namespace leither::testing
