// Each liar does what its name says, and signs it.
#include "leither/sim/liar.h"

#include <gtest/gtest.h>

#include "leither/protocol/block.h"

namespace leither::sim {
namespace {

using protocol::PeerMessage;
using protocol::Vote;
using protocol::VoteKind;

constexpr std::uint16_t kSeat = 2;

Id neighbour(std::uint8_t first) {
    Id id;
    id[0] = first;
    return id;
}

class Liars : public ::testing::Test {
 protected:
    Liars() { crypto::initialise(); }

    std::unique_ptr<node::Meddler> make(Lie lie) const {
        return make_liar({lie, chain, key, kSeat, victim}, Prng(1));
    }
    Vote vote(std::uint32_t round = 0) const {
        Vote made;
        made.slot.height = Sequence(7);
        made.slot.round = round;
        made.kind = VoteKind::prevote;
        made.block = Hash{};
        made.seat = kSeat;
        made.signature = key.sign(protocol::signing_message(chain, made));
        return made;
    }
    bool holds(const Vote& said) const {
        return crypto::verify(key.public_key(), protocol::signing_message(chain, said),
                              said.signature);
    }
    static const Vote& only_vote(const std::vector<PeerMessage>& said) {
        CHECK(said.size() == 1 && std::holds_alternative<Vote>(said.front()));
        return std::get<Vote>(said.front());
    }

    ChainId chain{};
    crypto::KeyPair key = crypto::derive_key({}, 1);
    Id victim = crypto::derive_key({}, 2).id();
};

TEST_F(Liars, AnEquivocatorTellsEachHalfAnotherVoteAndSignsBoth) {
    const auto liar = make(Lie::equivocator);
    const auto even = liar->says(neighbour(2), vote());
    const auto odd = liar->says(neighbour(3), vote());
    EXPECT_EQ(only_vote(even), vote());
    EXPECT_FALSE(only_vote(odd) == vote());
    EXPECT_TRUE(holds(only_vote(odd)));
    EXPECT_TRUE(protocol::conflict_between(only_vote(even), only_vote(odd)));
}

TEST_F(Liars, AWithholderSpeaksToOneInFour) {
    const auto liar = make(Lie::withholder);
    EXPECT_EQ(liar->says(neighbour(4), vote()).size(), 1u);
    EXPECT_TRUE(liar->says(neighbour(5), vote()).empty());
    EXPECT_TRUE(liar->says(neighbour(4), protocol::BlocksReply{}).empty());
}

TEST_F(Liars, ACensorIsDeafToItsVictimAlone) {
    const auto liar = make(Lie::censor);
    protocol::TransactionPost post;
    post.transactions.emplace_back();
    EXPECT_TRUE(liar->hears(neighbour(1), post));
    post.transactions.front().body.signer = victim;
    EXPECT_FALSE(liar->hears(neighbour(1), post));
}

TEST_F(Liars, GarbageIsSignedButForTheSpoilt) {
    const auto liar = make(Lie::garbage);
    std::size_t other = 0;
    for (int n = 0; n < 60; ++n) {
        const auto said = liar->says(neighbour(1), vote());
        const bool is_moved = !(only_vote(said).slot == vote().slot);
        EXPECT_TRUE(!is_moved || holds(only_vote(said)));
        other += is_moved || !holds(only_vote(said)) ? 1 : 0;
    }
    EXPECT_GT(other, 20u);
}

TEST_F(Liars, ALockBreakerVotesForWhatWasProposedLast) {
    const auto liar = make(Lie::lock_breaker);
    protocol::Proposal proposal;
    proposal.slot.height = Sequence(7);
    proposal.header.sequence = Sequence(7);
    EXPECT_TRUE(liar->hears(neighbour(1), proposal));
    const auto said = liar->says(neighbour(1), vote(/*round=*/1));
    EXPECT_EQ(only_vote(said).block, protocol::block_hash(chain, proposal.header));
    EXPECT_TRUE(holds(only_vote(said)));
    EXPECT_EQ(only_vote(liar->says(neighbour(1), vote())), vote()) << "in round 0 it has no lock";
}

TEST_F(Liars, AReplayerRepeatsWhatItHasHeard) {
    const auto liar = make(Lie::stale_replayer);
    Vote heard = vote();
    heard.seat = 1;
    EXPECT_TRUE(liar->hears(neighbour(1), heard));
    EXPECT_EQ(liar->says(neighbour(1), vote()).size(), 3u);
}

TEST_F(Liars, NoneHearsItsOwnWords) {
    for (std::size_t lie = 0; lie < kLies; ++lie) {
        EXPECT_FALSE(make(static_cast<Lie>(lie))->hears(neighbour(1), vote())) << lie;
    }
}

}  // namespace
}  // namespace leither::sim
