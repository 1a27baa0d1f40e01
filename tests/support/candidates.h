// Candidates of a ledger that seals its own blocks: they pledge, reveal, answer, and keep the books
// in turn.
#pragma once

#include <map>

#include <gtest/gtest.h>

#include "leither/crypto/hash_chain.h"
#include "leither/ledger/committees.h"
#include "leither/ledger/receipt.h"
#include "leither/protocol/domain_tags.h"

#include "support/ledger_world.h"

namespace leither::testing {

using Names = std::vector<std::string>;

inline constexpr std::uint64_t kCycle = 60;  // reveals from 20 to 2 pulses before its end

inline Names numbered(std::size_t count) {
    Names names;
    for (std::size_t i = 0; i < count; ++i) names.push_back("c" + std::to_string(i));
    return names;
}

inline Founding founding_for(const Names& names) {
    Founding founding;
    founding.supply = 100'000'000;
    for (const auto& name : names) founding.allocations.push_back({name, 10'000});
    founding.params.cycle_pulses = kCycle;
    founding.params.publicity_pulses = 0;
    founding.params.mining_reward_per_cycle = 3'000;
    founding.params.expiry_pulses_max = 86'400;
    founding.params.block_bytes_max = 16 << 20;
    return founding;
}

class Candidates {
 public:
    explicit Candidates(Names names) : names_(std::move(names)), world(founding_for(names_)) {
        std::vector<protocol::Transaction> pledges;
        for (const auto& name : names_) pledges.push_back(pledge(name));
        world.seal(pledges, Pulse(1));
    }

    protocol::Transaction pledge(const std::string& name) {
        const protocol::Pledge act{Amount::of(1'000),
                                   {node(name).public_key(), links(name).head()}};
        return wallet::sign(draft(name, 0), act, key_of(name), nullptr);
    }

    static crypto::KeyPair node(const std::string& name) { return key_of(name + "'s node"); }
    crypto::HashChain links(const std::string& name) const {
        return {protocol::tags::kRevealLink, world.organization.chain,
                crypto::blake2b_256(as_bytes(name)), 50};
    }

    protocol::Transaction reveal(const std::string& name) {
        const std::uint64_t term = world.election().cycle + protocol::kElectedAhead;
        const auto vote_key = key_of(name + "'s vote " + std::to_string(term));
        world.voters.push_back(vote_key);
        const auto link = links(name).link(++revealed_[name]);
        return as_node(name, protocol::Reveal{link, vote_key.public_key()});
    }
    protocol::Transaction ready(const std::string& name) {
        return as_node(name, protocol::Ready{world.election().cycle + 1});
    }
    protocol::Transaction as_node(const std::string& name, protocol::Action action) {
        return wallet::act_as_node(draft(name, protocol::kNodeLane), std::move(action), id_of(name),
                                   node(name));
    }

    // One cycle from its beginning to the next cycle block: `ready` and `reveal` near its end.
    void pass_cycle(const Names& ready_ones, const Names& revealing) {
        const std::uint64_t end = world.election().end_pulse.value();
        std::vector<protocol::Transaction> answers;
        for (const auto& name : ready_ones) answers.push_back(ready(name));
        if (!answers.empty()) {
            EXPECT_TRUE(world.seal(answers, Pulse(end - 15)).empty());
        }
        std::vector<protocol::Transaction> reveals;
        for (const auto& name : revealing) reveals.push_back(reveal(name));
        EXPECT_TRUE(world.seal(reveals, Pulse(end - 10)).empty());
        world.seal({}, Pulse(end - 5));
        world.seal({}, Pulse(end));
    }

    // The present committee by name.
    Names seats() {
        Names names;
        for (const auto& seat : world.election().present) {
            for (const auto& name : names_) {
                if (seat.member == id_of(name)) names.push_back(name);
            }
        }
        std::ranges::sort(names);
        return names;
    }

    ledger::Receipt receipt(std::size_t sequence, const std::string& name) {
        const ledger::Seal& seal = world.seals.at(sequence);
        auto committees = must(ledger::committees_up_to(world.organization, world.store, world.tree,
                                                        seal, Sequence(0)));
        return {world.genesis.charter, std::move(committees), seal.header, seal.certificate,
                must(world.tree.prove_at(version_of(seal), id_of(name)))};
    }

 private:
    wallet::Draft draft(const std::string& name, std::uint8_t lane) {
        const auto member = world.member(name);
        return {world.organization.chain, {lane, member->next_counter(lane)}, Pulse(80'000)};
    }

    Names names_;
    std::map<std::string, std::uint32_t> revealed_;

 public:
    LedgerWorld world;
};

}  // namespace leither::testing
