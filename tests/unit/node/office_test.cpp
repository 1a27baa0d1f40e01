// What a node does for its member's candidacy, pulse by pulse, on heads written by hand.
#include "leither/node/office.h"

#include <set>

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash_chain.h"
#include "leither/protocol/domain_tags.h"
#include "leither/store/memory_store.h"

namespace leither::node {
namespace {

using Duty = Office::Duty;
using protocol::Seat;
using protocol::Transaction;

constexpr std::uint64_t kCycle = 5;
constexpr std::uint64_t kEnd = 6 * 1'800;
constexpr std::uint64_t kFrom = kEnd - 600;
constexpr std::uint64_t kLast = kEnd - 60;

ChainId chain() {
    ChainId chain;
    chain[0] = 0xcc;
    return chain;
}
crypto::KeyPair node_key(std::uint64_t n = 0) {
    return crypto::derive_key({}, n);
}
Id member(std::uint64_t n = 0) {
    return crypto::derive_key({}, 100 + n).id();
}

class Desk {
 public:
    Desk() {
        store::WriteBatch born;
        file_ = vote_keys::begin({}, born);
        EXPECT_TRUE(store_.write(born).has_value());
        open();
    }

    // As after a start: what was durable is there, and other randomness.
    void open() {
        auto opened = vote_keys::open(store_, file_);
        ASSERT_TRUE(opened.has_value());
        found_ = opened->found;
        const Hash seed = crypto::blake2b_256(bcs::encode(++lives_));
        office_.emplace(Office::Setup{chain(), node_key(), Office::Secret::copy_of(seed.view()),
                                      std::move(opened->keys)});
        office_->check_invariants();
    }
    Office& office() { return *office_; }

    // The member pledged in cycle `since`; nothing is revealed.
    Standing standing(std::uint64_t since = kCycle) {
        const auto registered = office_->registration(member(), since);
        return {member(),
                Amount::of(100),
                since,
                {registered.node_key, registered.reveal_chain, std::nullopt, {}}};
    }
    Office::Head head(std::vector<Standing> standings) {
        Office::Head head;
        head.record.cycle = kCycle;
        head.record.first_pulse = Pulse(kEnd - 1'800);
        head.record.end_pulse = Pulse(kEnd);
        head.windows = windows_of(head.record, 1'800);
        head.expiry_pulses_max = 600;
        head.standings = std::move(standings);
        return head;
    }
    void follow(const Office::Head& head) {
        if (auto file = office_->follow(head)) write(*std::move(file));
        office_->set_claims({});
        office_->check_invariants();
    }
    // A turn, its batch written at once.
    std::vector<Transaction> turn(std::uint64_t pulse) {
        auto told = office_->turn(Pulse(pulse), lane());
        if (told.keys) {
            EXPECT_TRUE(told.acts.empty()) << "before its key is durable";
            write(*std::move(told.keys));
            office_->on_durable();
            EXPECT_LE(office_->due().value_or(Pulse(0)), Pulse(pulse));
            told = office_->turn(Pulse(pulse), lane());
        }
        EXPECT_FALSE(told.keys);
        reminds_ = told.reminds.size();
        for (const auto& act : told.acts) {
            waiting_.insert(protocol::transaction_id(chain(), act.body));
        }
        office_->check_invariants();
        return told.acts;
    }
    std::size_t reminds() const { return reminds_; }
    void forget_waiting() { waiting_.clear(); }
    Office::Lane lane() {
        return {7, [this](const Hash& id) { return waiting_.contains(id); }};
    }
    void write(SecretFile file) {
        file_ = std::move(file);
        ++writes_;
    }
    std::size_t writes() const { return writes_; }

 private:
    store::MemoryStore store_;
    std::optional<SecretFile> file_;
    VoteKeysFound found_ = VoteKeysFound::missing;
    std::optional<Office> office_;
    std::set<Hash> waiting_;
    std::size_t writes_ = 0;
    std::size_t reminds_ = 0;
    std::uint64_t lives_ = 0;
};

protocol::Reveal reveal_of(const std::vector<Transaction>& acts) {
    EXPECT_EQ(acts.size(), 1u);
    return std::get<protocol::Reveal>(acts.at(0).body.action);
}
Seat seat_of(const protocol::Reveal& reveal) {
    return {member(), node_key().public_key(), reveal.vote_key};
}

TEST(Office, NobodyStandsSoNothingIsDueAndNothingWritten) {
    Desk desk;
    EXPECT_FALSE(desk.office().due());
    desk.follow(desk.head({}));
    EXPECT_FALSE(desk.office().due());
    EXPECT_TRUE(desk.turn(kFrom + 10).empty());
    EXPECT_EQ(desk.writes(), 0u);
}

TEST(Office, RevealsTheNextLinkInTheWindowWithAKeyThatIsDurableBefore) {
    Desk desk;
    Standing standing = desk.standing();
    desk.follow(desk.head({standing}));
    EXPECT_EQ(desk.office().due(), Pulse(kFrom + 2));
    EXPECT_TRUE(desk.turn(kFrom).empty());
    EXPECT_EQ(desk.writes(), 0u);
    const auto acts = desk.turn(kFrom + 2);
    const auto first = reveal_of(acts);
    EXPECT_EQ(desk.writes(), 1u);
    EXPECT_EQ(acts[0].body.signer, member());
    EXPECT_EQ(acts[0].body.nonce, (protocol::Nonce{protocol::kNodeLane, 7}));
    EXPECT_EQ(acts[0].body.expiry, Pulse(kLast));
    EXPECT_TRUE(crypto::verify(node_key().public_key(),
                               protocol::signing_message(chain(), acts[0].body),
                               acts[0].signatures[0]));
    EXPECT_TRUE(crypto::link_follows(protocol::tags::kRevealLink, chain(),
                                     standing.candidacy.last_link, first.link));
    EXPECT_NE(first.vote_key, node_key().public_key());

    // Committed: nothing more in this cycle; in the next the link behind it, and another key.
    standing.candidacy.last_link = first.link;
    standing.candidacy.revealed = {kCycle, first.vote_key};
    desk.follow(desk.head({standing}));
    EXPECT_FALSE(desk.office().due());
    auto next = desk.head({standing});
    next.record.cycle = kCycle + 1;
    desk.follow(next);
    const auto second = reveal_of(desk.turn(kFrom + 2));
    EXPECT_TRUE(
        crypto::link_follows(protocol::tags::kRevealLink, chain(), first.link, second.link));
    EXPECT_NE(second.vote_key, first.vote_key);
}

TEST(Office, WhatIsNotCommittedIsToldAgainAndMadeAnewOnceItIsDropped) {
    Desk desk;
    desk.follow(desk.head({desk.standing()}));
    const auto first = reveal_of(desk.turn(kFrom + 2));
    const Pulse second = *desk.office().due();
    EXPECT_GT(second, Pulse(kFrom + 100));
    EXPECT_LT(second, Pulse(kFrom + 200));
    EXPECT_TRUE(desk.turn(second.value()).empty());
    EXPECT_EQ(desk.reminds(), 1u);
    desk.forget_waiting();
    const Pulse third = *desk.office().due();
    EXPECT_EQ(reveal_of(desk.turn(third.value())), first) << "the same link and key";
    EXPECT_EQ(desk.writes(), 1u);
    // Too late, the window is missed without a word.
    EXPECT_TRUE(desk.turn(kLast + 1).empty());
    EXPECT_FALSE(desk.office().due());
}

TEST(Office, StartedAgainItRevealsTheSameKey) {
    Desk desk;
    const Standing standing = desk.standing();
    desk.follow(desk.head({standing}));
    const auto before = reveal_of(desk.turn(kFrom + 2));
    desk.open();
    desk.follow(desk.head({standing}));
    EXPECT_EQ(reveal_of(desk.turn(kFrom + 50)), before);
    EXPECT_EQ(desk.writes(), 1u);
}

TEST(Office, SaysReadyOnlyWithTheKeyOfItsSeat) {
    Desk desk;
    Standing standing = desk.standing();
    desk.follow(desk.head({standing}));
    const Seat seat = seat_of(reveal_of(desk.turn(kFrom + 2)));
    standing.candidacy.revealed = {kCycle, seat.vote_key};
    auto head = desk.head({standing});
    head.record.next.spares = {Seat{member(9), node_key(9).public_key(), {}}, seat};
    desk.follow(head);
    const auto acts = desk.turn(kFrom + 2);
    ASSERT_EQ(acts.size(), 1u);
    EXPECT_EQ(std::get<protocol::Ready>(acts[0].body.action).cycle, kCycle + 1);
    head.record.ready = std::uint64_t{1} << 33;
    desk.follow(head);
    EXPECT_FALSE(desk.office().due());

    head.record.ready = 0;
    head.record.next.spares[1].vote_key = node_key(8).public_key();
    desk.follow(head);
    EXPECT_FALSE(desk.office().due()) << "that key is not here";
}

TEST(Office, KeepsAKeyAsLongAsAnyCommitteeNamesIt) {
    Desk desk;
    Standing standing = desk.standing();
    desk.follow(desk.head({standing}));
    const Seat seat = seat_of(reveal_of(desk.turn(kFrom + 2)));
    EXPECT_TRUE(desk.office().vote_key(seat));
    auto head = desk.head({standing});
    head.record.cycle = kCycle + 4;
    head.record.after_next.seats = {seat};
    desk.follow(head);
    EXPECT_TRUE(desk.office().vote_key(seat));
    head.record.after_next = {};
    head.record.present = {seat};
    desk.follow(head);
    desk.open();
    desk.follow(head);
    EXPECT_TRUE(desk.office().vote_key(seat));
    head.record.present = {};
    head.record.former = {seat};
    desk.follow(head);
    EXPECT_TRUE(desk.office().vote_key(seat));
    head.record.former = {};
    desk.follow(head);
    EXPECT_FALSE(desk.office().vote_key(seat));
    desk.open();
    EXPECT_EQ(desk.office().keys(), 0u) << "and the disk has forgotten it";
}

TEST(Office, VotesOnNoSeatOfAnotherNode) {
    Desk desk;
    desk.follow(desk.head({desk.standing()}));
    Seat seat = seat_of(reveal_of(desk.turn(kFrom + 2)));
    seat.node_key = node_key(1).public_key();
    EXPECT_FALSE(desk.office().vote_key(seat)) << "whoever copies our vote key";
    const Seat charters{node_key().id(), node_key().public_key(), node_key().public_key()};
    EXPECT_TRUE(desk.office().vote_key(charters));
}

TEST(Office, StandsForNobodyWhoseChainIsNotItsOwn) {
    Desk desk;
    const Standing ours = desk.standing();
    Standing foreign = ours;  // names our node, and the head that we have published
    foreign.member = member(1);
    desk.follow(desk.head({foreign}));
    EXPECT_FALSE(desk.office().standing());
    desk.follow(desk.head({foreign, ours}));
    ASSERT_TRUE(desk.office().standing());
    EXPECT_EQ(desk.office().standing()->member, member());
    // Registered in one cycle, committed in the next.
    Standing late = desk.standing(kCycle - 1);
    late.pledged_in = kCycle;
    desk.follow(desk.head({late}));
    EXPECT_TRUE(desk.office().standing());
}

TEST(Office, AnotherPledgeHasAnotherChain) {
    Desk desk;
    EXPECT_NE(desk.office().registration(member(), 5).reveal_chain,
              desk.office().registration(member(), 6).reveal_chain);
    EXPECT_NE(desk.office().registration(member(), 5).reveal_chain,
              desk.office().registration(member(1), 5).reveal_chain);
}

TEST(Office, ClaimsFromTheBeginningOfTheTermUntilNothingIsLeft) {
    Desk desk;
    Standing standing = desk.standing();
    standing.candidacy.revealed = {kCycle, node_key(7).public_key()};
    desk.follow(desk.head({standing}));
    const protocol::Claim claim{kCycle - 1, Amount::of(9), {3, {}}};
    desk.office().set_claims({claim});
    const std::uint64_t first = kEnd - 1'800 + 2;
    EXPECT_EQ(desk.office().due(), Pulse(first));
    const auto acts = desk.turn(first);
    ASSERT_EQ(acts.size(), 1u);
    EXPECT_EQ(std::get<protocol::Claim>(acts[0].body.action), claim);
    EXPECT_EQ(acts[0].body.expiry, Pulse(first + 60));
    // Refused (the day's share is used up, say), it comes back; behind the term it does not.
    desk.forget_waiting();
    const Pulse again = *desk.office().due();
    EXPECT_EQ(again, Pulse(first + (kEnd - 1 - (kEnd - 1'800)) / 4));
    EXPECT_EQ(desk.turn(again.value()).size(), 1u);
    EXPECT_TRUE(desk.turn(kEnd + 5).empty());
    EXPECT_FALSE(desk.office().due());
    desk.office().set_claims({});
    EXPECT_FALSE(desk.office().due());
}

TEST(Office, WithShortExpiriesAnActWaitsForTheWindowsEnd) {
    Desk desk;
    auto head = desk.head({desk.standing()});
    head.expiry_pulses_max = 10;
    desk.follow(head);
    EXPECT_EQ(desk.office().due(), Pulse(kLast - 9));
    EXPECT_EQ(desk.turn(kLast - 9).at(0).body.expiry, Pulse(kLast));
}

}  // namespace
}  // namespace leither::node
