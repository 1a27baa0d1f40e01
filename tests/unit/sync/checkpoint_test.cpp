// Where a newcomer begins: anchors, pins, checkpoints by pledge, and what is too old to lead.
#include <gtest/gtest.h>

#include "sync_world.h"

namespace leither::sync::testing {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Duration kLong = minutes(30);

CatchUpOptions short_memory() {
    CatchUpOptions options;
    options.blocks_max = 3;
    return options;
}

Trouble trouble_of(const Newcomer& node) {
    return node.machine->progress().trouble;
}

// Elected committees, one after the other, behind charter and supervisor.
class Elected : public ::testing::Test {
 protected:
    Elected() : history(40, 60) {
        history.pay(1);
        history.elect(numbered("m", 4));
        first_elected = history.cycle_block();
        history.elect(numbered("m", 4));
        second_elected = history.cycle_block();
        history.pay(4);
        history.keep_cycles();
    }
    Anchor anchor_at(Sequence sequence, bool is_pinned) const {
        return {history.name_at(sequence.value()), is_pinned};
    }

    History history;
    Sequence first_elected;
    Sequence second_elected;
};

TEST_F(Elected, APrunedPeerLeadsFromTheFoundingByWhatItHasKept) {
    Newcomer node(history.chain(), short_memory());
    Network network(history, node, 1);
    network.add(Conduct::forgetful);
    network.run(kLong);
    ASSERT_TRUE(network.is_done());
    EXPECT_EQ(node.executed(), 0u);
    EXPECT_FALSE(node.linked_terms.empty());
    EXPECT_TRUE(std::ranges::is_sorted(node.linked_terms));
    EXPECT_TRUE(network.blamed().empty());
}

TEST_F(Elected, WithoutThemItCannot) {
    History bare(40, 60);
    bare.pay(1);
    bare.elect(numbered("m", 4));
    bare.pay(4);
    Newcomer node(bare.chain(), short_memory());
    Network network(bare, node, 1);
    const Id peer = network.add(Conduct::forgetful);
    network.run(kLong);
    EXPECT_FALSE(network.is_done());
    EXPECT_FALSE(network.is_blamed(peer)) << "it has pruned the way, which is no lie";
}

TEST_F(Elected, ANewcomerBeginsAtItsAnchor) {
    for (const bool is_pinned : {false, true}) {
        Newcomer node(history.chain(), short_memory());
        node.anchor = anchor_at(second_elected, is_pinned);
        node.restart();
        Network network(history, node, 1);
        network.add(Conduct::forgetful);
        network.run(kLong);
        ASSERT_TRUE(network.is_done());
        ASSERT_FALSE(node.linked_terms.empty());
        EXPECT_EQ(node.linked_terms.front(), history.world.election().cycle)
            << "the links begin where it began";
        EXPECT_EQ(node.known().committee, history.head_known_at(history.head().value()).committee);
    }
}

TEST_F(Elected, AnAnchorThatIsTheHeadIsEnough) {
    Newcomer node(history.chain(), short_memory());
    node.anchor = anchor_at(history.head(), true);
    node.restart();
    Network network(history, node, 1);
    network.add(Conduct::forgetful);
    network.run(kLong);
    EXPECT_TRUE(network.is_done());
}

TEST_F(Elected, APinThatNobodysLedgerContainsIsNotGoneWithout) {
    Newcomer node(history.chain(), short_memory());
    Anchor wrong = anchor_at(first_elected, true);
    wrong.block.hash[3] ^= 1;
    node.anchor = wrong;
    node.restart();
    Network network(history, node, 1);
    const Id peer = network.add(Conduct::honest);
    network.run(kLong);
    EXPECT_FALSE(network.is_done());
    EXPECT_EQ(trouble_of(node), Trouble::pin_not_found);
    EXPECT_FALSE(network.is_blamed(peer));
    // What the manifest alone names is gone without.
    wrong.is_pinned = false;
    network.tell(CatchUp::Anchored{wrong});
    network.run(kLong);
    EXPECT_TRUE(network.is_done());
    EXPECT_EQ(trouble_of(node), Trouble::none);
    EXPECT_FALSE(network.is_blamed(peer));
}

TEST_F(Elected, AFalseAnchorHelpsNobodyAndHarmsNobody) {
    Newcomer node(history.chain(), short_memory());
    node.anchor = anchor_at(first_elected, true);
    node.restart();
    Network network(history, node, 1);
    network.add(Conduct::wrong_anchor);
    network.run(minutes(3));
    EXPECT_FALSE(network.is_done());
    EXPECT_EQ(trouble_of(node), Trouble::pin_not_found);
    network.add(Conduct::forgetful);
    network.run(kLong);
    EXPECT_TRUE(network.is_done());
}

TEST_F(Elected, BlocksThatContradictAPinHaltIt) {
    auto node = Newcomer::at(history, 1);
    node->anchor = anchor_at(first_elected, true);
    node->anchor->block.hash[0] ^= 1;
    node->restart();
    Network network(history, *node, 1);
    network.add(Conduct::honest);
    network.run(minutes(5));
    EXPECT_LT(node->height(), first_elected);
    EXPECT_EQ(trouble_of(*node), Trouble::pin_broken);
    EXPECT_EQ(node->machine->progress().stage, Stage::halted);
}

// ---- The release delay

TEST_F(Elected, ACommitteeElectedSinceABeginningThatIsTooOldIsRefusedWithTheReason) {
    const auto delay = std::chrono::milliseconds(
        std::uint64_t{history.world.organization.charter.params.pledge_release_pulses} *
        history.world.organization.charter.params.pulse_ms);
    for (const bool has_old_anchor : {false, true}) {
        Newcomer node(history.chain(), short_memory());
        if (has_old_anchor) node.anchor = anchor_at(first_elected, false);
        node.restart();
        Network network(history, node, 1);
        network.wait(delay + hours(2));
        const Id peer = network.add(Conduct::honest);
        network.run(kLong);
        EXPECT_FALSE(network.is_done());
        EXPECT_EQ(trouble_of(node), Trouble::anchor_too_old);
        EXPECT_FALSE(network.is_blamed(peer));
        EXPECT_FALSE(node.head);
    }
}

TEST_F(Elected, WithinTheReleaseDelayItIsTaken) {
    const auto delay = std::chrono::milliseconds(
        std::uint64_t{history.world.organization.charter.params.pledge_release_pulses} *
        history.world.organization.charter.params.pulse_ms);
    Newcomer node(history.chain(), short_memory());
    Network network(history, node, 1);
    network.wait(delay - hours(2));
    network.add(Conduct::honest);
    network.run(kLong);
    EXPECT_TRUE(network.is_done());
}

TEST(Checkpoints, ACharterWhoseBookkeepersStayLeadsHoweverOld) {
    History history(40, 60);
    history.pay(10);
    history.end_cycle();
    history.pay(3);
    Newcomer node(history.chain(), short_memory());
    Network network(history, node, 1);
    network.wait(hours(24 * 100));
    network.add(Conduct::honest);
    network.run(kLong);
    EXPECT_TRUE(network.is_done()) << "nobody has ever had a pledge to release";
}

// ---- By pledge

class ByPledge : public Elected {
 protected:
    // As who came back with the state of the pledges, while others keep no link to it any more.
    std::unique_ptr<Newcomer> returning() {
        auto node = Newcomer::at(history, 3, short_memory());
        node->table = std::get<protocol::CandidateTable>(
            *history.world.record(history.world.organization.candidates));
        node->restart();
        return node;
    }
    void lose_links() {
        store::WriteBatch batch;
        ledger::put_cycle_span(
            batch, {history.world.election().cycle - 1, history.world.election().cycle});
        must(history.world.store.write(batch));
    }
    election::Checkpoint checkpoint_by(const Names& names) const {
        election::Checkpoint made;
        const ledger::Seal& seal = history.world.seals.at(second_elected.value());
        made.block = {seal.header, seal.certificate,
                      must(history.world.tree.prove_at(version_of(seal),
                                                       history.world.organization.election))};
        const Bytes message = election::checkpoint_message(
            history.chain(), {history.world.election().cycle, seal.header.sequence,
                              hash_as_parent(history.chain(), seal.header)});
        for (const auto& name : names) {
            const auto key = key_of(name + "'s node");
            made.signatures.push_back({key.public_key(), key.sign(message)});
        }
        std::ranges::sort(made.signatures, {}, &election::CheckpointSignature::node_key);
        return made;
    }
    bool leads(const election::Checkpoint& checkpoint, Duration later = {}) {
        lose_links();
        auto node = returning();
        Network network(history, *node, 1);
        network.wait(later);
        network.checkpoint = checkpoint;
        network.add(Conduct::forgetful);
        network.run(minutes(10));
        if (network.is_done()) {
            EXPECT_EQ(node->linked_terms.front(), history.world.election().cycle);
        }
        return network.is_done();
    }
};

TEST_F(ByPledge, ACheckpointLeadsWhereNoLinkDoes) {
    EXPECT_TRUE(leads(checkpoint_by(numbered("m", 4))));
    EXPECT_TRUE(leads(checkpoint_by(numbered("m", 3))));
}

TEST_F(ByPledge, TooLittlePledgeDoesNot) {
    EXPECT_FALSE(leads(checkpoint_by(numbered("m", 2))));
    EXPECT_FALSE(leads(checkpoint_by(numbered("x", 4)))) << "nobody who has pledged";
}

TEST_F(ByPledge, AFalseHeaderDoesNot) {
    auto made = checkpoint_by(numbered("m", 4));
    made.block.header.root.hash[0] ^= 1;
    EXPECT_FALSE(leads(made));
}

TEST_F(ByPledge, NorDoesOneOfAnotherChain) {
    auto made = checkpoint_by(numbered("m", 4));
    ChainId other = history.chain();
    other[0] ^= 1;
    const auto& header = made.block.header;
    const Bytes message = election::checkpoint_message(
        other,
        {history.world.election().cycle, header.sequence, hash_as_parent(history.chain(), header)});
    for (auto& each : made.signatures) {
        for (const auto& name : numbered("m", 4)) {
            const auto key = key_of(name + "'s node");
            if (key.public_key() == each.node_key) each.signature = key.sign(message);
        }
    }
    EXPECT_FALSE(leads(made));
}

TEST_F(ByPledge, NorDoThoseWhosePledgeMayBeReleasedByNow) {
    EXPECT_FALSE(leads(checkpoint_by(numbered("m", 4)), hours(24 * 14 + 2)));
}

}  // namespace
}  // namespace leither::sync::testing
