// Which block is final: by the count alone, and by one node's machine.
#include "node/countersigning.h"

#include <gtest/gtest.h>

#include "leither/crypto/hash.h"

#include "support/ledger_world.h"

namespace leither::node {
namespace {

using protocol::Acknowledgement;
using protocol::Acknowledgements;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::id_of;
using testing::key_of;
using testing::LedgerWorld;
using testing::must;

// ---- The count ----------------------------------------------------------------------------------

Witness online(std::uint64_t signed_) {
    return {Sequence(signed_), false, true};
}
Witness gone(std::uint64_t signed_) {
    return {Sequence(signed_), false, false};
}
Witness dissenting(std::uint64_t signed_ = 0) {
    return {Sequence(signed_), true, true};
}

TEST(Tally, HalfOfTheNodesOnlineAndTwoAtLeast) {
    struct Row {
        std::vector<Witness> witnesses;
        std::size_t countersigned, online, needed;
        bool is_final;
    };
    const Row rows[] = {
        {{}, 0, 0, 2, false},
        {{online(5)}, 1, 1, 2, false},
        {{online(5), online(5)}, 2, 2, 2, true},
        {{online(5), online(4)}, 1, 2, 2, false},
        {{online(5), online(6), online(0)}, 2, 3, 2, true},
        {{online(5), online(5), online(0), online(0)}, 2, 4, 2, true},
        {{online(5), online(5), online(0), online(0), online(0)}, 2, 5, 3, false},
        // Who is gone counts if it has signed, and not at all if it has not.
        {{online(5), gone(5), gone(0), gone(0)}, 2, 2, 2, true},
        {{online(5), gone(4)}, 1, 1, 2, false},
    };
    for (const Row& row : rows) {
        const Finality count = tally(row.witnesses, Sequence(5));
        EXPECT_EQ(count.countersigned, row.countersigned);
        EXPECT_EQ(count.online, row.online);
        EXPECT_EQ(count.needed, row.needed);
        EXPECT_EQ(count.is_final, row.is_final) << row.witnesses.size();
    }
}

TEST(Tally, AsManyThatDissentAsAgreeMakeNothingFinal) {
    std::vector<Witness> all{online(5), online(5), dissenting(), dissenting()};
    EXPECT_EQ(tally(all, Sequence(5)).dissenting, 2u);
    EXPECT_FALSE(tally(all, Sequence(5)).is_final);
    all[3] = online(5);
    EXPECT_TRUE(tally(all, Sequence(5)).is_final);
    // What a dissenter has signed before is common to both chains.
    const std::vector<Witness> later{online(5), online(5), dissenting(3), dissenting(3)};
    EXPECT_FALSE(tally(later, Sequence(4)).is_final);
    EXPECT_TRUE(tally(later, Sequence(3)).is_final);
    EXPECT_EQ(final_sequence(later), Sequence(3));
}

TEST(Tally, TheLastFinalBlockIsTheLastThatTheCountAllows) {
    Prng prng(5);
    for (int i = 0; i < 3000; ++i) {
        std::vector<Witness> all;
        const std::uint64_t count = prng.below(8);
        for (std::uint64_t n = 0; n < count; ++n) {
            all.push_back({Sequence(prng.below(6)), prng.below(4) == 0, prng.below(2) == 0});
        }
        const Sequence last = final_sequence(all);
        for (std::uint64_t block = 1; block < 7; ++block) {
            EXPECT_EQ(tally(all, Sequence(block)).is_final, Sequence(block) <= last) << i;
        }
    }
}

// ---- One node -----------------------------------------------------------------------------------

const ChainId kChain = ChainId::copy_of(Bytes(32, 0xcc));
const Instant kStart = instant_from_unix_ms(1'700'000'000'000);

Hash block_of(std::uint64_t sequence, const std::string& branch = "") {
    return crypto::blake2b_256(as_bytes("block " + std::to_string(sequence) + branch));
}
Acknowledgement signed_by(const std::string& node, std::uint64_t sequence,
                          const std::string& branch = "") {
    return protocol::acknowledge(kChain, Sequence(sequence), block_of(sequence, branch),
                                 key_of(node));
}

class Machine : public ::testing::Test {
 protected:
    Machine() { begin({}); }
    void begin(std::vector<Acknowledgement> known, Countersigning::Options options = {}) {
        Countersigning::Setup setup{kChain, key_of("own"), seconds(1), {}, std::move(known), {}};
        setup.block_at = [](Sequence at) -> Result<std::optional<Hash>, store::Fault> {
            return at.value() < 2 ? std::nullopt : std::optional(block_of(at.value()));
        };
        machine.emplace(options, std::move(setup), head(0));
    }
    static Countersigning::Head head(std::uint64_t sequence) {
        return {Sequence(sequence), block_of(sequence), false, {id_of("chief")}};
    }
    Countersigning::Effects step(Countersigning::Input input) {
        auto fx = must(machine->step(std::move(input), now));
        machine->check_invariants();
        for (const auto& send : fx.sends) told.push_back(send);
        return fx;
    }
    void meet(const std::string& node) {
        step(Countersigning::NodeUp{id_of(node)});
        step(Countersigning::Greeted{id_of(node)});
    }
    void move_to(std::uint64_t sequence) { step(Countersigning::HeadMoved{head(sequence)}); }
    Countersigning::Effects hear(const std::string& from, Acknowledgements message) {
        return step(Countersigning::Received{id_of(from), std::move(message)});
    }
    void pass(Duration duration) {
        for (const Instant end = now + duration; now < end;) {
            const auto due = machine->next_deadline();
            now = due && *due < end ? std::max(now, *due) : end;
            if (due && now >= *due) step(Countersigning::Tick{});
        }
    }
    std::size_t told_to(const std::string& node) const {
        std::size_t count = 0;
        for (const auto& send : told)
            count += send.to == id_of(node) ? send.message.list.size() : 0;
        return count;
    }
    Finality finality(std::uint64_t block) const { return machine->finality(Sequence(block), now); }

    Instant now = kStart;
    std::optional<Countersigning> machine;
    std::vector<Countersigning::Send> told;
};

TEST_F(Machine, TellsItsOwnAtOnceAndNothingWhileIdle) {
    meet("ada");
    EXPECT_TRUE(told.empty()) << "nothing is decided yet";
    move_to(1);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_EQ(told[0].message.list, decltype(told[0].message.list){signed_by("own", 1)});
    EXPECT_FALSE(machine->next_deadline());
    pass(std::chrono::hours(24));
    EXPECT_EQ(told.size(), 1u);
    // A lone node signs for nobody.
    step(Countersigning::NodeDown{id_of("ada")});
    move_to(2);
    EXPECT_EQ(told.size(), 1u);
    EXPECT_FALSE(machine->next_deadline());
    EXPECT_FALSE(finality(2).is_final);
    EXPECT_EQ(finality(2).countersigned, 1u);
    EXPECT_EQ(finality(2).online, 1u);
    // Until somebody is there.
    meet("ben");
    EXPECT_EQ(told_to("ben"), 1u);
    EXPECT_TRUE(finality(0).is_final) << "the founding is the organization's own word";
}

TEST_F(Machine, ManyBlocksAtOnceAreOneSignatureAPulse) {
    meet("ada");
    for (std::uint64_t sequence = 1; sequence <= 100; ++sequence) move_to(sequence);
    EXPECT_EQ(told.size(), 1u);
    pass(seconds(2));
    ASSERT_EQ(told.size(), 2u);
    EXPECT_EQ(told[1].message.list[0].sequence, Sequence(100));
}

TEST_F(Machine, BlocksAreFinalWithHalfOfTheNodesOnline) {
    for (const char* node : {"ada", "ben", "cai", "dee"}) meet(node);
    move_to(1);
    EXPECT_EQ(finality(1).online, 5u);
    EXPECT_FALSE(hear("ada", {{signed_by("ada", 1)}}).final_sequence);
    EXPECT_EQ(hear("ben", {{signed_by("ben", 1)}}).final_sequence, Sequence(1));
    EXPECT_TRUE(finality(1).is_final);
    // The next one needs them again; a later one does for all before it.
    move_to(2);
    move_to(3);
    EXPECT_FALSE(finality(2).is_final);
    hear("cai", {{signed_by("cai", 2)}});
    hear("dee", {{signed_by("dee", 3)}});
    EXPECT_EQ(machine->final_sequence(), Sequence(2));
    EXPECT_EQ(finality(2).countersigned, 3u);
    EXPECT_EQ(finality(3).countersigned, 2u);
}

TEST_F(Machine, WhatSeatsSaySaysNothingNew) {
    meet("chief");
    meet("ada");
    move_to(1);
    hear("chief", {{signed_by("chief", 1)}});
    EXPECT_EQ(finality(1).countersigned, 1u);
    EXPECT_EQ(finality(1).online, 2u);
    // And one that is elected stops signing, and counting itself.
    auto next = head(2);
    next.seats = {id_of("own")};
    told.clear();
    step(Countersigning::HeadMoved{next});
    EXPECT_TRUE(told.empty());
    EXPECT_EQ(finality(2).countersigned, 0u);
}

TEST_F(Machine, FourSeatsNeedNoCountersignature) {
    meet("ada");
    auto certified = head(1);
    certified.is_certified = true;
    EXPECT_EQ(step(Countersigning::HeadMoved{certified}).final_sequence, Sequence(1));
    EXPECT_TRUE(told.empty());
    EXPECT_TRUE(finality(1).is_final && finality(1).is_certified);
    hear("ada", {{signed_by("ada", 1)}});
    EXPECT_EQ(machine->nodes(), 0u);
    // A smaller committee takes nothing of it back.
    move_to(2);
    EXPECT_TRUE(finality(1).is_final);
    EXPECT_FALSE(finality(2).is_final);
}

TEST_F(Machine, ABlockThatIsNotHereYetCountsOnceItIs) {
    meet("ada");
    hear("ada", {{signed_by("ada", 2)}});
    move_to(1);
    EXPECT_EQ(finality(1).countersigned, 1u) << "it may stand on another chain";
    EXPECT_EQ(finality(1).dissenting, 0u);
    move_to(2);
    EXPECT_EQ(machine->final_sequence(), Sequence(2));
    // So does one that was passed over.
    meet("ben");
    hear("ben", {{signed_by("ben", 4, "'")}});
    move_to(5);
    EXPECT_EQ(finality(5).dissenting, 1u);
}

TEST_F(Machine, OthersGoOnOnceToWhoIsNotKnownToHaveThem) {
    for (const char* node : {"ada", "ben", "cai"}) meet(node);
    move_to(1);
    told.clear();
    hear("ada", {{signed_by("ada", 1), signed_by("far", 1)}});
    hear("ben", {{signed_by("far", 1)}});
    EXPECT_TRUE(told.empty()) << "what comes meanwhile goes on together";
    pass(seconds(1));
    EXPECT_EQ(told_to("ada"), 0u);
    EXPECT_EQ(told_to("ben"), 1u) << "ada's; it has shown far's";
    EXPECT_EQ(told_to("cai"), 2u);
    pass(seconds(100));
    hear("cai", {{signed_by("ada", 1), signed_by("far", 1)}});
    pass(seconds(100));
    EXPECT_EQ(told.size(), 2u);
    // Who comes later is sent all of it.
    meet("dee");
    EXPECT_EQ(told_to("dee"), 3u);
}

TEST_F(Machine, ForgeriesAreHeldAgainstWhoHandsThemOn) {
    meet("ada");
    move_to(1);
    told.clear();
    auto forged = signed_by("ben", 1);
    forged.block = block_of(1, "'");
    EXPECT_EQ(hear("ada", {{forged}}).blamed, std::vector<Id>{id_of("ada")});
    EXPECT_EQ(machine->nodes(), 0u);
    // Not even of a sequence that is known, nor by repeating it.
    hear("ada", {{signed_by("ben", 1)}});
    EXPECT_EQ(hear("ada", {{forged}}).blamed.size(), 1u);
    auto later = signed_by("ben", 1);
    later.sequence = Sequence(9);
    EXPECT_EQ(hear("ada", {{later}}).blamed.size(), 1u);
    EXPECT_EQ(finality(1).countersigned, 2u);
    EXPECT_EQ(finality(1).dissenting, 0u);
    EXPECT_TRUE(hear("stranger", {{signed_by("cai", 1)}}).blamed.empty());
    EXPECT_EQ(machine->nodes(), 1u) << "nobody hears who is no neighbour";
}

TEST_F(Machine, OlderOnesChangeNothing) {
    meet("ada");
    move_to(3);
    hear("ada", {{signed_by("ada", 3)}});
    pass(seconds(1));
    told.clear();
    EXPECT_TRUE(hear("ada", {{signed_by("ada", 2, "'")}}).doubts.empty());
    hear("ada", {{signed_by("ada", 3)}});
    pass(seconds(100));
    EXPECT_TRUE(told.empty());
    EXPECT_EQ(finality(3).countersigned, 2u);
}

TEST_F(Machine, WhoSignsTwiceCountsNoMoreAnywhere) {
    for (const char* node : {"ada", "ben", "cai"}) meet(node);
    move_to(2);
    hear("ada", {{signed_by("liar", 2)}});
    pass(seconds(1));
    EXPECT_EQ(finality(2).countersigned, 2u);
    told.clear();
    const auto fx = hear("ben", {{signed_by("liar", 2, "'")}});
    EXPECT_EQ(fx.doubts.size(), 1u);
    EXPECT_EQ(finality(2).countersigned, 1u);
    EXPECT_EQ(told_to("ada"), 2u);
    EXPECT_EQ(told_to("ben"), 0u);
    EXPECT_EQ(told_to("cai"), 2u);
    // Once; and whatever it says later is passed over.
    told.clear();
    hear("cai", {{signed_by("liar", 2, "''"), signed_by("liar", 3)}});
    pass(seconds(100));
    EXPECT_TRUE(told.empty());
}

TEST_F(Machine, DissentIsShownAndMayTakeBackWhatWasFinal) {
    for (const char* node : {"ada", "ben", "cai"}) meet(node);
    move_to(2);
    EXPECT_EQ(hear("ada", {{signed_by("ada", 2)}}).final_sequence, Sequence(2));
    const auto fx = hear("ben", {{signed_by("ben", 2, "'")}});
    ASSERT_EQ(fx.doubts.size(), 1u);
    EXPECT_EQ(fx.doubts[0].from, id_of("ben"));
    EXPECT_TRUE(finality(2).is_final) << "two against one";
    hear("cai", {{signed_by("cai", 2, "'")}});
    EXPECT_FALSE(finality(2).is_final) << "two against two";
    EXPECT_EQ(finality(2).dissenting, 2u);
}

TEST_F(Machine, WhoIsGoneCountsAWhileAndThenNoMore) {
    for (const char* node : {"ada", "ben", "cai", "dee"}) meet(node);
    move_to(1);
    for (const char* node : {"ben", "cai", "dee"}) {
        hear(node, {{signed_by(node, 1)}});
        step(Countersigning::NodeDown{id_of(node)});
    }
    pass(seconds(2));
    move_to(2);
    hear("ada", {{signed_by("ada", 2)}});
    EXPECT_FALSE(finality(2).is_final) << "two of five";
    EXPECT_EQ(finality(2).online, 5u);
    pass(seconds(60));
    EXPECT_TRUE(finality(2).is_final) << "by time alone";
    EXPECT_EQ(finality(2).online, 2u);
    EXPECT_FALSE(machine->next_deadline());
}

TEST_F(Machine, ANodeThatRunsAheadIsHeardAtThePaceOfAll) {
    for (const char* node : {"ada", "ben"}) meet(node);
    move_to(1);
    told.clear();
    for (std::uint64_t sequence = 10; sequence < 200; ++sequence) {
        hear("ada", {{signed_by("ada", sequence)}});
    }
    pass(milliseconds(400));
    ASSERT_EQ(told_to("ben"), 1u) << "the newest of those taken";
    EXPECT_EQ(told.back().message.list[0].sequence.value(), 10 + Countersigning::kSavedUp - 1);
    pass(seconds(10));
    hear("ada", {{signed_by("ada", ~std::uint64_t{0})}});
    pass(seconds(10));
    EXPECT_EQ(told_to("ben"), 2u);
    move_to(3);
    EXPECT_EQ(finality(3).countersigned, 1u);
}

TEST_F(Machine, NodesAreBoundedAndWhoIsConnectedStays) {
    begin({}, {.nodes_max = 3});
    meet("ada");
    move_to(2);
    hear("ada", {{signed_by("ada", 2)}});
    for (int n = 0; n < 10; ++n) {
        now += seconds(1);
        hear("ada", {{signed_by("node " + std::to_string(n), 2)}});
    }
    EXPECT_EQ(machine->nodes(), 3u);
    EXPECT_EQ(finality(2).countersigned, 4u);
    const auto known = machine->known();
    EXPECT_EQ(std::ranges::count(known, signed_by("ada", 2)), 1);
}

TEST_F(Machine, ALaterMachineBeginsWithWhatWasKnown) {
    begin({signed_by("own", 2), signed_by("ada", 3), signed_by("ben", 3, "'")});
    meet("ada");
    move_to(2);
    EXPECT_EQ(told_to("ada"), 2u) << "our own is signed already; of its own it is told nothing";
    told.clear();
    move_to(3);
    EXPECT_EQ(finality(3).countersigned, 2u);
    EXPECT_EQ(finality(3).dissenting, 1u);
    EXPECT_EQ(told_to("ada"), 1u);
}

}  // namespace
}  // namespace leither::node
