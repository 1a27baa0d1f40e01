// Endorsements: one node's machine, and whole nodes among each other.
#include "node/endorsing.h"

#include <gtest/gtest.h>

#include "cluster.h"
#include "support/ledger_world.h"

namespace leither::node {
namespace {

using protocol::AskEndorsement;
using protocol::EndorsementRefusal;
using protocol::EndorsementReply;
using testing::id_of;
using testing::key_of;
using testing::LedgerWorld;
using testing::must;

const Instant kNow = instant_from_unix_ms(1'700'000'100'000);

std::string seat_name(std::size_t seat) {
    return "b" + std::to_string(seat);
}

// ---- One machine --------------------------------------------------------------------------------

// A machine on the ledger of `world`, in a committee of four whose keys and nodes are b0 to b3.
class Desk {
 public:
    explicit Desk(LedgerWorld& world, std::optional<std::uint16_t> seat = {})
        : world_(world), machine_(world.organization.chain) {
        term.cycle = 7;
        term.first_height = Sequence(2);  // so 1 is the oldest that is endorsed
        for (std::size_t n = 0; n < 4; ++n) {
            term.committee.push_back(key_of(seat_name(n)).public_key());
            term.nodes.push_back(id_of(seat_name(n)));
        }
        if (seat) take_seat(*seat);
    }
    void take_seat(std::uint16_t seat) {
        term.seat = seat;
        term.key = key_of(seat_name(seat));
    }
    Endorsing::Effects step(Endorsing::Input&& input, Instant now = kNow) {
        const Endorsing::Ground ground{
            term, head, [this](const Id& account, Sequence at) { return prepare(account, at); }};
        auto fx = must(machine_.step(std::move(input), ground, now));
        machine_.check_invariants();
        return fx;
    }
    void meet(const std::string& node, bool understands = true) {
        step(Endorsing::NodeUp{id_of(node), understands});
    }
    std::optional<Instant> next_deadline() const { return machine_.next_deadline(); }
    Endorsing& machine() { return machine_; }

    consensus::Term term;
    Sequence head{3};
    bool is_kept = true;

 private:
    Result<std::optional<Endorsing::Prepared>, store::Fault> prepare(const Id& account,
                                                                     Sequence at) {
        if (!is_kept) return std::nullopt;
        const ledger::Seal& seal = world_.seals.at(at.value());
        auto made =
            TRY(ledger::endorsable(world_.organization, world_.tree, seal, term.cycle, account));
        return Endorsing::Prepared{seal, std::move(made)};
    }

    LedgerWorld& world_;
    Endorsing machine_;
};

class EndorsingTest : public ::testing::Test {
 protected:
    EndorsingTest() {
        for (std::uint64_t n = 1; n < 4; ++n) {
            world_.seal({world_.transfer("anna", "ben", n)}, Pulse(5 * n));
        }
    }
    AskEndorsement question(const std::string& account = "anna", std::uint64_t sequence = 3,
                            std::uint64_t cycle = 7) {
        return protocol::ask_endorsement(world_.organization.chain, cycle, Sequence(sequence),
                                         key_of(account));
    }
    // What seat n's own machine says.
    EndorsementReply answer_of(std::uint16_t seat, const AskEndorsement& ask) {
        Desk desk(world_, seat);
        desk.meet("asker");
        const auto fx = desk.step(Endorsing::Asked{id_of("asker"), ask});
        CHECK(!fx.sends.empty());
        return std::get<EndorsementReply>(fx.sends[0].message);
    }
    static Endorsing::Input from(std::size_t seat, const EndorsementReply& reply) {
        return Endorsing::Answered{id_of(seat_name(seat)), reply};
    }
    static std::string rule_of(const Endorsing::Effects& fx) {
        if (fx.done.size() != 1) return "none";
        if (fx.done[0].outcome) return "done";
        const NetworkFailure& why = fx.done[0].outcome.error();
        return std::string(why.rule.empty() ? to_string(why.error) : why.rule);
    }
    static std::vector<Id> asked(const Endorsing::Effects& fx) {
        std::vector<Id> nodes;
        for (const auto& send : fx.sends) {
            if (std::holds_alternative<AskEndorsement>(send.message)) nodes.push_back(send.to);
        }
        return nodes;
    }

    LedgerWorld world_{
        {.params = {}, .supply = 10'000, .allocations = {{"anna", 100}, {"ben", 5}}}};
};

TEST_F(EndorsingTest, ALoneBookkeeperAnswersItsOwnerAtOnce) {
    Desk desk(world_);
    desk.term.committee.resize(1);
    desk.term.nodes.resize(1);
    desk.take_seat(0);
    const auto fx = desk.step(Endorsing::Wanted{5, question()});
    ASSERT_EQ(rule_of(fx), "done");
    EXPECT_EQ(fx.done[0].tokens, std::vector<Token>{5});
    EXPECT_EQ(fx.done[0].outcome->signatures.size(), 1u);
    EXPECT_TRUE(fx.sends.empty());
    EXPECT_FALSE(desk.next_deadline());
}

TEST_F(EndorsingTest, ThreeOfFourAreEnough) {
    Desk desk(world_);
    for (std::size_t n = 0; n < 4; ++n) desk.meet(seat_name(n));
    const auto ask = question();
    EXPECT_EQ(asked(desk.step(Endorsing::Wanted{5, ask})), desk.term.nodes);
    desk.step(from(3, answer_of(3, ask)));
    EXPECT_EQ(rule_of(desk.step(from(3, answer_of(3, ask)))), "none") << "the same seat again";
    desk.step(from(0, answer_of(0, ask)));
    const auto fx = desk.step(from(1, answer_of(1, ask)));
    ASSERT_EQ(rule_of(fx), "done");
    const auto& gathered = *fx.done[0].outcome;
    ASSERT_EQ(gathered.signatures.size(), 3u);
    EXPECT_EQ(gathered.signatures[2].seat, 3u);
    EXPECT_EQ(gathered.prepared.made.claim.holding->balance, Amount::of(94));
    EXPECT_FALSE(desk.next_deadline());
}

TEST_F(EndorsingTest, ASignatureOfAnotherStateOrAnotherSeatCountsNothing) {
    Desk desk(world_);
    for (std::size_t n = 0; n < 4; ++n) desk.meet(seat_name(n));
    const auto ask = question();
    desk.step(Endorsing::Wanted{5, ask});
    for (std::uint16_t n = 0; n < 3; ++n) {
        EndorsementReply other = answer_of(n, question("anna", 2));
        other.sequence = ask.sequence;
        EXPECT_EQ(rule_of(desk.step(from(n, other))), "none");
        EndorsementReply renamed = answer_of(n, ask);
        renamed.seat = 3;
        EXPECT_EQ(rule_of(desk.step(from(n, renamed))), "none");
        renamed.seat = 4;
        EXPECT_EQ(rule_of(desk.step(from(n, renamed))), "none");
    }
}

TEST_F(EndorsingTest, WhatTheOwnersKeyHasNotSignedIsRefused) {
    Desk desk(world_, 0);
    desk.meet("asker");
    AskEndorsement forged = question();
    forged.account = key_of("ben").public_key();
    EXPECT_EQ(rule_of(desk.step(Endorsing::Wanted{5, forged})), "bad_signature");
    const auto fx = desk.step(Endorsing::Asked{id_of("asker"), forged});
    EXPECT_TRUE(fx.sends.empty());
    EXPECT_EQ(fx.blamed, std::vector<Id>{id_of("asker")});
    // Of another chain.
    ChainId other = world_.organization.chain;
    other[0] ^= 1;
    const auto foreign = protocol::ask_endorsement(other, 7, Sequence(3), key_of("anna"));
    EXPECT_EQ(rule_of(desk.step(Endorsing::Wanted{5, foreign})), "bad_signature");
}

TEST_F(EndorsingTest, OnlyWhatTheTermStandsOnIsEndorsed) {
    struct Row {
        std::uint64_t sequence, cycle;
        const char* refused;
        std::optional<EndorsementRefusal> said;
    };
    const Row rows[] = {{0, 7, "term_over", EndorsementRefusal::other_term},
                        {1, 7, "none", std::nullopt},
                        {3, 7, "none", std::nullopt},
                        {4, 7, "unknown_sequence", EndorsementRefusal::behind},
                        {3, 6, "term_over", EndorsementRefusal::other_term},
                        {3, 8, "term_over", EndorsementRefusal::other_term}};
    for (const Row& row : rows) {
        SCOPED_TRACE(std::to_string(row.sequence) + " in " + std::to_string(row.cycle));
        Desk desk(world_, 1);
        const auto ask = question("anna", row.sequence, row.cycle);
        EXPECT_EQ(rule_of(desk.step(Endorsing::Wanted{5, ask})), row.refused);
        const EndorsementReply reply = answer_of(1, ask);
        const auto* refusal = std::get_if<EndorsementRefusal>(&reply.said);
        EXPECT_EQ(refusal ? std::optional(*refusal) : std::nullopt, row.said);
    }
    Desk desk(world_, 1);
    desk.meet("asker");
    desk.is_kept = false;
    EXPECT_EQ(rule_of(desk.step(Endorsing::Wanted{5, question()})), "uncertified");
    const auto fx = desk.step(Endorsing::Asked{id_of("asker"), question()});
    EXPECT_EQ(std::get<EndorsementReply>(fx.sends.at(0).message).said,
              (std::variant<Signature, EndorsementRefusal>(EndorsementRefusal::not_kept)));
}

TEST_F(EndorsingTest, TooFewAreNamedAfterAWhileAndNothingHangs) {
    Desk desk(world_);
    desk.meet("b0");
    desk.meet("b1", /*understands=*/false);
    desk.meet("b2");
    const auto ask = question();
    EXPECT_EQ(asked(desk.step(Endorsing::Wanted{5, ask})).size(), 2u) << "an older one is spared";
    desk.step(from(0, answer_of(0, ask)));
    EndorsementReply behind = answer_of(2, ask);
    behind.said = EndorsementRefusal::behind;
    desk.step(from(2, behind));
    Instant now = kNow;
    std::size_t asked_again = 0;
    Endorsing::Effects fx;
    while (fx.done.empty()) {
        ASSERT_TRUE(desk.next_deadline());
        ASSERT_GT(*desk.next_deadline(), now);
        now = *desk.next_deadline();
        fx = desk.step(Endorsing::Tick{}, now);
        asked_again += asked(fx).size();
    }
    EXPECT_EQ(now, kNow + Endorsing::kPatience);
    EXPECT_EQ(asked_again, 2 * 9u);
    EXPECT_EQ(rule_of(fx), "too_few_endorsers");
    const std::string& why = fx.done[0].outcome.error().detail;
    EXPECT_NE(why.find("1 of 4 bookkeepers"), std::string::npos) << why;
    EXPECT_NE(why.find("3 are needed"), std::string::npos) << why;
    EXPECT_NE(why.find(id_of("b1").hex().substr(0, 8) + "... runs an older"), std::string::npos);
    EXPECT_NE(why.find(id_of("b2").hex().substr(0, 8) + "... behind"), std::string::npos) << why;
    EXPECT_NE(why.find(id_of("b3").hex().substr(0, 8) + "... is not connected"), std::string::npos);
}

TEST_F(EndorsingTest, WhoWasBehindAnswersWhenAskedAgain) {
    Desk desk(world_);
    for (std::size_t n = 0; n < 3; ++n) desk.meet(seat_name(n));
    const auto ask = question();
    desk.step(Endorsing::Wanted{5, ask});
    Desk late(world_, 2);
    late.meet("asker");
    late.head = Sequence(2);
    auto fx = late.step(Endorsing::Asked{id_of("asker"), ask});
    desk.step(from(2, std::get<EndorsementReply>(fx.sends.at(0).message)));
    for (std::uint16_t n = 0; n < 2; ++n) desk.step(from(n, answer_of(n, ask)));
    EXPECT_EQ(asked(desk.step(Endorsing::Tick{}, kNow + Endorsing::kAskAgain)).size(), 3u);
    late.head = Sequence(3);
    fx = late.step(Endorsing::Asked{id_of("asker"), ask});
    EXPECT_EQ(rule_of(desk.step(from(2, std::get<EndorsementReply>(fx.sends.at(0).message)))),
              "done");
}

TEST_F(EndorsingTest, TheEndOfTheTermEndsWhatIsGathered) {
    Desk desk(world_);
    desk.meet("b0");
    desk.step(Endorsing::Wanted{5, question()});
    desk.step(Endorsing::Wanted{6, question()});
    desk.term.cycle = 8;
    const auto fx = desk.step(Endorsing::Tick{}, kNow + std::chrono::milliseconds(1));
    EXPECT_EQ(rule_of(fx), "term_over");
    EXPECT_EQ(fx.done[0].tokens, (std::vector<Token>{5, 6}));
}

TEST_F(EndorsingTest, ABookkeeperPassesOnWhatItsFellowsHaveToAnswer) {
    Desk desk(world_, 0);
    for (std::size_t n = 1; n < 4; ++n) desk.meet(seat_name(n));
    desk.meet("member");
    const auto ask = question();
    auto fx = desk.step(Endorsing::Asked{id_of("member"), ask});
    ASSERT_EQ(fx.sends.size(), 4u);
    EXPECT_EQ(fx.sends[0].to, id_of("member"));
    EXPECT_EQ(asked(fx), (std::vector<Id>{id_of("b1"), id_of("b2"), id_of("b3")}));
    const EndorsementReply reply = answer_of(2, ask);
    EXPECT_TRUE(desk.step(Endorsing::Answered{id_of("member"), reply}).sends.empty())
        << "not of the committee";
    fx = desk.step(from(2, reply));
    ASSERT_EQ(fx.sends.size(), 1u);
    EXPECT_EQ(fx.sends[0].to, id_of("member"));
    EXPECT_TRUE(desk.step(from(2, reply)).sends.empty()) << "once";
    // Of a fellow it goes no further.
    EXPECT_TRUE(asked(desk.step(Endorsing::Asked{id_of("b1"), question("ben")})).empty());
}

TEST_F(EndorsingTest, AMemberAmongMembersIsHelpedByThem) {
    Desk desk(world_);
    desk.meet("m0");
    desk.meet("m1", /*understands=*/false);
    EXPECT_EQ(asked(desk.step(Endorsing::Wanted{5, question()})), std::vector<Id>{id_of("m0")});
    // That one knows a bookkeeper.
    Desk other(world_);
    other.meet("asker");
    other.meet("b3");
    EXPECT_EQ(asked(other.step(Endorsing::Asked{id_of("asker"), question()})),
              std::vector<Id>{id_of("b3")});
    // And one that knows none tells nobody.
    Desk third(world_);
    third.meet("asker");
    third.meet("m0");
    EXPECT_TRUE(third.step(Endorsing::Asked{id_of("asker"), question()}).sends.empty());
}

TEST_F(EndorsingTest, EverythingIsBounded) {
    Desk desk(world_, 0);
    desk.meet("member");
    // Questions of one neighbour at once.
    std::size_t answered = 0;
    for (std::size_t n = 0; n <= Endorsing::kSavedUp; ++n) {
        answered += desk.step(Endorsing::Asked{id_of("member"), question("x" + std::to_string(n))})
                        .sends.size();
    }
    EXPECT_EQ(answered, Endorsing::kSavedUp);
    EXPECT_TRUE(desk.step(Endorsing::Asked{id_of("stranger"), question()}).sends.empty())
        << "not a neighbour";
    // Of one gathering's callers, and of gatherings.
    for (Token n = 0; n < Endorsing::kAskersMax; ++n) {
        EXPECT_EQ(rule_of(desk.step(Endorsing::Wanted{n, question()})), "none");
    }
    EXPECT_EQ(rule_of(desk.step(Endorsing::Wanted{99, question()})), "full");
    for (std::size_t n = 1; n < Endorsing::kGatheringsMax; ++n) {
        EXPECT_EQ(rule_of(desk.step(Endorsing::Wanted{n, question("x" + std::to_string(n))})),
                  "none");
    }
    EXPECT_EQ(rule_of(desk.step(Endorsing::Wanted{99, question("ben")})), "full");
    const auto fx = desk.machine().abandon({NetworkError::stopping, "the node stops"});
    EXPECT_EQ(fx.done.size(), Endorsing::kGatheringsMax);
    EXPECT_FALSE(desk.next_deadline());
}

// ---- Whole nodes --------------------------------------------------------------------------------

class EndorsedCluster {
 public:
    explicit EndorsedCluster(Cluster& cluster) : cluster_(cluster), world_(cluster.world()) {}

    Result<ledger::ProvenEndorsed, std::string> endorse(std::size_t host,
                                                        const crypto::KeyPair& owner) {
        const auto terms = world_.queries(host).endorsement_terms();
        CHECK(terms.has_value());
        return endorse(host, protocol::ask_endorsement(cluster_.community().chain(), terms->cycle,
                                                       terms->sequence, owner));
    }
    Result<ledger::ProvenEndorsed, std::string> endorse(std::size_t host,
                                                        const AskEndorsement& ask) {
        const Token token = ++token_;
        world_.step(host, Endorse{token, ask});
        std::optional<NetworkWorld::Answer> answer;
        CHECK(world_.wait(
                  [&] {
                      answer = world_.take_reply(host, token);
                      return answer.has_value();
                  },
                  seconds(15)),
              "it hangs");
        if (!*answer) {
            const NetworkFailure& why = answer->error();
            return fail(std::string(why.rule.empty() ? to_string(why.error) : why.rule));
        }
        const auto proven = ledger::verify(std::get<ledger::EndorsedReceipt>(**answer),
                                           cluster_.community().organization().treasury);
        if (!proven) return fail(std::string(ledger::to_string(proven.error())));
        return *proven;
    }

 private:
    Cluster& cluster_;
    NetworkWorld& world_;
    Token token_ = 9'000'000;
};

TEST(EndorsedByNodes, AnOwnerIsEndorsedByFourBookkeepersAndWhenOneIsAway) {
    Cluster cluster(4);
    NetworkWorld& world = cluster.world();
    const std::vector<std::size_t> all{0, 1, 2, 3};
    ASSERT_TRUE(world.wait([&] { return cluster.have_ledger(all); }, minutes(5)));
    const std::size_t member = cluster.add_member(0);
    ASSERT_TRUE(world.wait([&] { return cluster.have_ledger({member}); }, minutes(5)));
    EndorsedCluster asked(cluster);
    cluster.pay(1, 0, 1, 5);
    ASSERT_TRUE(world.wait(
        [&] {
            return cluster.agree({0, 1, 2, 3, member}, Sequence(1));
        },
        minutes(1)));
    const auto owner = cluster.community().member(0);
    const auto first = asked.endorse(member, owner);
    ASSERT_TRUE(first) << first.error();
    EXPECT_EQ(first->account, owner.id());
    EXPECT_EQ(first->holding->balance.units(), cluster.balance(0, 0));
    EXPECT_EQ(first->sequence, Sequence(1));
    EXPECT_FALSE(first->trusted);
    // At a bookkeeper as well.
    EXPECT_TRUE(asked.endorse(2, cluster.community().member(1)));

    world.crash(3);
    world.advance(seconds(2));
    const auto second = asked.endorse(member, owner);
    EXPECT_TRUE(second) << second.error();

    world.crash(2);
    world.advance(seconds(2));
    const auto third = asked.endorse(member, owner);
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error(), "too_few_endorsers");

    // What another key has signed is nobody's account.
    AskEndorsement forged = protocol::ask_endorsement(cluster.community().chain(), 0, Sequence(1),
                                                      cluster.community().member(1));
    forged.account = owner.public_key();
    EXPECT_EQ(asked.endorse(member, forged).error(), "bad_signature");
}

// Its keys die with each term; on the cycle block the committee before has signed, the next one
// answers.
TEST(EndorsedByNodes, AnElectedCommitteeEndorsesInEachOfItsTerms) {
    Cluster cluster(with_short_cycles());
    NetworkWorld& world = cluster.world();
    std::vector<std::size_t> all{kFounder};
    for (std::size_t n = 0; n < 4; ++n) all.push_back(cluster.add_member(n));
    const std::vector<std::size_t> elected(all.begin() + 1, all.end());
    ASSERT_TRUE(world.wait([&] { return cluster.agree(all, Sequence(4)); }, minutes(5)));
    EndorsedCluster asked(cluster);
    const auto owner = cluster.community().member(1);
    const auto lone = asked.endorse(kFounder, owner);
    ASSERT_TRUE(lone) << lone.error();
    EXPECT_TRUE(lone->trusted);
    for (std::size_t n = 0; n < 4; ++n) cluster.pledge(elected[n], n, 500);
    const auto in_office = [&] {
        return std::ranges::all_of(elected, [&](std::size_t host) {
            const OfficeStatus office = cluster.office(host);
            return office.seat && office.silence == "none";
        });
    };
    ASSERT_TRUE(world.wait(in_office, minutes(8)));
    std::set<std::uint64_t> cycles;
    std::size_t on_cycle_blocks = 0;
    for (int n = 0; n < 40; ++n) {
        const auto election = cluster.office(elected[0]).election;
        const auto done = asked.endorse(elected[0], owner);
        if (!done) {
            EXPECT_EQ(done.error(), "term_over");
            continue;
        }
        EXPECT_EQ(done->holding->frozen, Amount::of(500));
        cycles.insert(election.cycle);
        on_cycle_blocks += done->sequence == election.first_sequence ? 1 : 0;
        world.advance(seconds(4));
    }
    EXPECT_GE(cycles.size(), 3u);
    EXPECT_GE(on_cycle_blocks, 1u);
}

}  // namespace
}  // namespace leither::node
