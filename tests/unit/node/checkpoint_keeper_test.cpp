// Signatures of cycle blocks among neighbours, whoever comes to the block first, is lost, or lies.
#include "node/checkpoint_keeper.h"

#include <deque>
#include <memory>

#include <gtest/gtest.h>

#include "leither/crypto/hash.h"
#include "leither/store/memory_store.h"

namespace leither::node {
namespace {

using protocol::CheckpointVotes;

const ChainId kChain = ChainId::copy_of(Bytes(32, 0xcc));

crypto::KeyPair key_of(std::size_t n) {
    return crypto::derive_key({}, 700 + n);
}
Id id_of(std::size_t n) {
    return key_of(n).id();
}

ledger::CycleBlock block_of(std::size_t candidates, std::uint64_t cycle = 5) {
    ledger::CycleBlock block;
    block.link.header.sequence = Sequence(40 + cycle);
    block.link.header.pulse = Pulse(1'000 * cycle);
    block.link.certificate.slot.cycle = cycle - 1;
    block.name = {cycle, block.link.header.sequence, block_hash(kChain, block.link.header)};
    for (std::size_t n = 0; n < candidates; ++n) {
        Id member;
        member[0] = static_cast<std::uint8_t>(n >> 8);
        member[1] = static_cast<std::uint8_t>(n);
        block.table.rows.push_back({member, key_of(n).public_key(), Amount::of(100)});
    }
    return block;
}

// Keepers on a line or in a ring, and what is on its way between them.
class Town {
 public:
    explicit Town(std::size_t count) {
        for (std::size_t n = 0; n < count; ++n) {
            stores_.push_back(std::make_unique<store::MemoryStore>());
            keepers_.push_back(open(n));
        }
    }
    void connect(std::size_t a, std::size_t b) {
        carry_out(a, keepers_[a].on_neighbour(id_of(b)));
        carry_out(b, keepers_[b].on_neighbour(id_of(a)));
    }
    void begin(std::size_t n, const ledger::CycleBlock& block) {
        carry_out(n, keepers_[n].begin(block));
    }
    // As after a crash: only what was written is left; neighbours come anew.
    void restart(std::size_t n, const ledger::CycleBlock& block,
                 const std::vector<std::size_t>& neighbours) {
        std::erase_if(messages_, [&](const auto& one) { return one.to == n || one.from == n; });
        keepers_[n] = open(n);
        begin(n, block);
        for (const std::size_t other : neighbours) connect(n, other);
    }
    void say(std::size_t from, std::size_t to, const CheckpointVotes& votes) {
        messages_.push_back({from, to, votes});
    }
    void run() {
        while (!messages_.empty()) {
            const Message next = std::move(messages_.front());
            messages_.pop_front();
            carry_out(next.to, keepers_[next.to].on_message(id_of(next.from), next.votes));
            ++delivered_;
            ASSERT_LT(delivered_, 100'000u) << "they never fall silent";
        }
    }
    void lose_all() { messages_.clear(); }

    const CheckpointKeeper& operator[](std::size_t n) const { return keepers_[n]; }
    bool has_checkpoint(std::size_t n, std::uint64_t cycle = 5) const {
        const auto& newest = keepers_[n].newest();
        return newest && newest->checkpoint.block.certificate.slot.cycle + 1 == cycle;
    }
    std::size_t signatures(std::size_t n) const { return keepers_[n].progress()->signatures; }
    const store::MemoryStore& store(std::size_t n) const { return *stores_[n]; }
    std::size_t delivered() const { return delivered_; }
    const std::vector<Id>& blamed() const { return blamed_; }
    std::size_t writes() const { return writes_; }

 private:
    struct Message {
        std::size_t from = 0;
        std::size_t to = 0;
        CheckpointVotes votes;
    };
    CheckpointKeeper open(std::size_t n) {
        auto opened = CheckpointKeeper::open(*stores_[n], kChain, key_of(n));
        CHECK(opened.has_value());
        return *std::move(opened);
    }
    void carry_out(std::size_t n, CheckpointKeeper::Effects&& effects) {
        keepers_[n].check_invariants();
        if (effects.blamed) blamed_.push_back(*effects.blamed);
        if (effects.durable) {
            CHECK(stores_[n]->write(*effects.durable).has_value());
            ++writes_;
        }
        for (const auto& send : effects.sends) {
            const auto& votes = std::get<CheckpointVotes>(send.message);
            EXPECT_TRUE(votes.is_canonical());
            for (std::size_t to = 0; to < keepers_.size(); ++to) {
                if (id_of(to) == send.to) messages_.push_back({n, to, votes});
            }
        }
    }

    std::vector<std::unique_ptr<store::MemoryStore>> stores_;
    std::vector<CheckpointKeeper> keepers_;
    std::deque<Message> messages_;
    std::vector<Id> blamed_;
    std::size_t delivered_ = 0;
    std::size_t writes_ = 0;
};

TEST(CheckpointKeeper, SignaturesReachEverybodyAlongALine) {
    Town town(6);  // 0 to 3 are candidates
    const auto block = block_of(4);
    for (std::size_t n = 0; n + 1 < 6; ++n) town.connect(n, n + 1);
    for (std::size_t n = 0; n < 6; ++n) town.begin(n, block);
    town.run();
    for (std::size_t n = 0; n < 6; ++n) {
        EXPECT_EQ(town.signatures(n), 4u) << n;
        ASSERT_TRUE(town.has_checkpoint(n)) << n;
        const auto& newest = *town[n].newest();
        EXPECT_TRUE(election::check_checkpoint(kChain, block.name, block.table,
                                               newest.checkpoint.signatures));
        EXPECT_EQ(newest.signed_pledge, Amount::of(400));
    }
    EXPECT_EQ(town.writes(), 6u) << "once each, whatever comes later";
    EXPECT_TRUE(town.blamed().empty());
}

TEST(CheckpointKeeper, TwoThirdsAreNotEnoughAndNothingElseIsWritten) {
    Town town(3);
    const auto block = block_of(3);
    town.connect(0, 1);
    town.begin(0, block);
    town.begin(1, block);
    town.run();
    EXPECT_EQ(town.signatures(0), 2u);
    EXPECT_FALSE(town.has_checkpoint(0));
    EXPECT_EQ(town.writes(), 0u);
    town.connect(1, 2);
    town.begin(2, block);
    town.run();
    EXPECT_TRUE(town.has_checkpoint(0));
}

// Whoever comes to the block later has passed over all that was said before.
TEST(CheckpointKeeper, WhoComesLaterIsToldAgain) {
    for (std::size_t last = 0; last < 4; ++last) {
        Town town(4);
        const auto block = block_of(4);
        for (std::size_t a = 0; a < 4; ++a) town.connect(a, (a + 1) % 4);
        for (std::size_t n = 0; n < 4; ++n) {
            if (n == last) continue;
            town.begin(n, block);
            town.run();
        }
        town.begin(last, block);
        town.run();
        for (std::size_t n = 0; n < 4; ++n) EXPECT_EQ(town.signatures(n), 4u) << n << last;
    }
}

TEST(CheckpointKeeper, WhatWasLostWithAConnectionComesWithTheNext) {
    Town town(3);
    const auto block = block_of(3);
    town.connect(0, 1);
    town.connect(1, 2);
    for (std::size_t n = 0; n < 3; ++n) town.begin(n, block);
    town.lose_all();
    town.connect(0, 1);
    town.connect(1, 2);
    town.run();
    for (std::size_t n = 0; n < 3; ++n) EXPECT_EQ(town.signatures(n), 3u) << n;
}

TEST(CheckpointKeeper, ACrashAtAnyMomentLosesNothing) {
    const auto block = block_of(4);
    for (std::size_t crashing = 0; crashing < 4; ++crashing) {
        for (const bool is_done : {false, true}) {
            Town town(4);
            for (std::size_t a = 0; a < 4; ++a) town.connect(a, (a + 1) % 4);
            for (std::size_t n = 0; n < 4; ++n) town.begin(n, block);
            if (is_done) town.run();
            town.restart(crashing, block, {(crashing + 1) % 4, (crashing + 3) % 4});
            EXPECT_EQ(town.has_checkpoint(crashing), is_done) << "what was written is there";
            town.run();
            EXPECT_EQ(town.writes(), 4u) << "and is not written again";
            for (std::size_t n = 0; n < 4; ++n) {
                EXPECT_EQ(town.signatures(n), 4u);
                EXPECT_TRUE(town.has_checkpoint(n));
            }
            EXPECT_TRUE(town.blamed().empty()) << "it signs the same again";
        }
    }
}

TEST(CheckpointKeeper, LiarsAreBlamedAndChangeNothing) {
    const auto block = block_of(3);
    const Bytes message = election::checkpoint_message(kChain, block.name);
    ChainId other_chain = kChain;
    other_chain[0] ^= 1;
    const Signature of_other_chain =
        key_of(1).sign(election::checkpoint_message(other_chain, block.name));
    auto altered = key_of(1).sign(message);
    altered[7] ^= 1;
    for (const protocol::CheckpointSignature& lie :
         {protocol::CheckpointSignature{key_of(1).public_key(), altered},
          protocol::CheckpointSignature{key_of(1).public_key(), of_other_chain},
          protocol::CheckpointSignature{key_of(1).public_key(), key_of(2).sign(message)},
          // It has pledged nothing, or released it.
          protocol::CheckpointSignature{key_of(9).public_key(), key_of(9).sign(message)}}) {
        Town town(2);
        town.connect(0, 1);
        town.begin(0, block);
        town.lose_all();
        town.say(1, 0, {block.name, {lie}});
        town.run();
        EXPECT_EQ(town.blamed(), std::vector<Id>{id_of(1)});
        EXPECT_EQ(town.signatures(0), 1u);
    }
}

TEST(CheckpointKeeper, AnotherBlockAndStrangersArePassedOver) {
    Town town(3);
    const auto block = block_of(3);
    town.connect(0, 1);
    town.begin(0, block);
    town.lose_all();
    for (const auto& other : {block_of(3, 4).name, block_of(3, 6).name,
                              protocol::LastBlock{5, block.name.sequence, Hash{}}}) {
        const Bytes message = election::checkpoint_message(kChain, other);
        town.say(1, 0, {other, {{key_of(1).public_key(), key_of(1).sign(message)}}});
    }
    // Not connected.
    const Bytes message = election::checkpoint_message(kChain, block.name);
    town.say(2, 0, {block.name, {{key_of(2).public_key(), key_of(2).sign(message)}}});
    town.run();
    EXPECT_EQ(town.signatures(0), 1u);
    EXPECT_TRUE(town.blamed().empty());
}

TEST(CheckpointKeeper, TheNextCycleBlockBeginsAnewAndKeepsTheLastCheckpointMeanwhile) {
    Town town(2);
    town.connect(0, 1);
    for (std::size_t n = 0; n < 2; ++n) town.begin(n, block_of(2, 5));
    town.run();
    ASSERT_TRUE(town.has_checkpoint(0, 5));
    town.begin(0, block_of(2, 6));
    town.run();
    EXPECT_EQ(town.signatures(0), 1u);
    EXPECT_TRUE(town.has_checkpoint(0, 5));
    town.begin(1, block_of(2, 6));
    town.run();
    EXPECT_TRUE(town.has_checkpoint(0, 6));
    const auto kept = ledger::read_checkpoint(town.store(0));
    ASSERT_TRUE(kept && *kept);
    EXPECT_EQ((*kept)->checkpoint.block.certificate.slot.cycle, 5u);
}

TEST(CheckpointKeeper, WhereNobodyHasPledgedEachCycleBlockIsOneAndNothingIsSaid) {
    Town town(2);
    town.connect(0, 1);
    for (std::size_t n = 0; n < 2; ++n) town.begin(n, block_of(0));
    town.run();
    EXPECT_TRUE(town.has_checkpoint(0));
    EXPECT_TRUE(town[0].newest()->checkpoint.signatures.empty());
    EXPECT_EQ(town.delivered(), 0u);
}

TEST(CheckpointKeeper, AsManyCandidatesAsThereCanBeComeInMessagesOfTheirSize) {
    const std::size_t most = protocol::kCandidatesMax;
    const auto block = block_of(most);
    const Bytes message = election::checkpoint_message(kChain, block.name);
    Town town(3);
    town.begin(0, block);
    town.connect(0, 2);
    town.lose_all();
    CheckpointVotes votes{block.name, {}};
    std::map<PublicKey, Signature> all;
    for (std::size_t n = 0; n < most; ++n) {
        all.emplace(key_of(n).public_key(), key_of(n).sign(message));
    }
    for (const auto& [node_key, signature] : all) {
        votes.signatures.push_back({node_key, signature});
        if (!votes.signatures.full()) continue;
        town.say(2, 0, votes);
        votes.signatures.clear();
    }
    town.run();
    EXPECT_EQ(town.signatures(0), most);
    EXPECT_TRUE(town.blamed().empty());
    // And go on to whoever comes to the block then.
    town.connect(0, 1);
    town.begin(1, block);
    town.run();
    EXPECT_EQ(town.signatures(1), most);
    EXPECT_EQ(town.writes(), 2u);
}

}  // namespace
}  // namespace leither::node
