// Real blocks: what one bookkeeper builds another finds valid, and both end in the same state.
#include "leither/consensus/ledger_application.h"

#include <gtest/gtest.h>

#include "leither/consensus/agreement.h"

#include "support/ledger_world.h"

namespace leither::consensus {
namespace {

using testing::key_of;
using testing::LedgerWorld;
using testing::must;

testing::Founding founding() {
    return {.params = {}, .supply = 1000, .allocations = {{"alice", 100}, {"bob", 0}}};
}

// A ledger with a mempool and the law over both.
class Books {
 public:
    explicit Books(const testing::Founding& founding = consensus::founding(),
                   const std::string& node = "node")
        : world_(founding) {
        LedgerApplication::Setup setup;
        setup.organization = world_.organization;
        setup.head = world_.seals.back();
        setup.vote_keys = [key = key_of(node)](const protocol::Seat& seat) {
            return key.public_key() == seat.vote_key ? std::optional(key) : std::nullopt;
        };
        setup.signature_holds = testing::holds;
        mempool_.emplace(MempoolOptions{}, world_.organization, world_.tree);
        law_.emplace(
            must(LedgerApplication::open(std::move(setup), world_.store, world_.tree, *mempool_)));
    }
    LedgerWorld& world() { return world_; }
    LedgerApplication& law() { return *law_; }

    Instant at(std::uint64_t pulse) const {
        return instant_from_unix_ms(world_.genesis.charter.charter.time_ms + 1000 * pulse);
    }
    void admit(const protocol::Transaction& transaction, std::uint64_t pulse) {
        ASSERT_TRUE(offer(transaction, pulse));
    }
    Result<void, protocol::Refused> offer(const protocol::Transaction& transaction,
                                          std::uint64_t pulse) {
        const protocol::EncodedTransaction encoded(transaction);
        Mempool::Entry entry{encoded.id(world_.organization.chain), transaction, encoded.size()};
        auto verdict = must(mempool_->add(std::move(entry), law_->next_place(at(pulse))));
        if (verdict) law_->on_admitted(at(pulse));
        return verdict;
    }
    // Decides and commits, as a committee of one.
    Sealed decide(Value value, std::uint64_t pulse) {
        const auto certificate =
            world_.certify(value.header, world_.office_for(value.transactions));
        const Hash block = certificate.block;
        const store::WriteBatch batch = must(law_->seal(block, std::move(value), certificate));
        must(world_.store.write(batch));
        must(law_->commit(at(pulse)));
        law_->check_invariants();
        world_.seals.push_back(law_->head());
        return law_->take_sealed();
    }
    Hash hash(const Value& value) const {
        return protocol::block_hash(world_.organization.chain, value.header);
    }

 private:
    LedgerWorld world_;
    std::optional<Mempool> mempool_;
    std::optional<LedgerApplication> law_;
};

TEST(LedgerApplication, WhatOneBuildsAnotherFindsValidAndEndsAlike) {
    Books builder;
    Books voter;
    builder.admit(builder.world().transfer("alice", "bob", 30), 4);
    EXPECT_EQ(builder.law().opens_at(), Pulse(5));
    EXPECT_TRUE(must(builder.law().has_work(Pulse(5))));
    const Value value = must(builder.law().build({Pulse(5), 0, 0}));
    EXPECT_EQ(value.transactions.size(), 1U);
    EXPECT_EQ(must(voter.law().check(voter.hash(value), value)), Validity::valid);

    const Sealed here = builder.decide(value, 5);
    const Sealed there = voter.decide(value, 5);
    EXPECT_EQ(here.ids, there.ids);
    EXPECT_EQ(here.seal.header, there.seal.header);
    EXPECT_EQ(voter.world().member("bob")->balance, Amount::of(30));
    EXPECT_EQ(must(voter.law().head_transactions())->size(), 1U);
    EXPECT_EQ(builder.law().opens_at(), Pulse(1800));  // the cycle's end
}

TEST(LedgerApplication, ABlockThatLeadsElsewhereIsInvalid) {
    Books builder;
    Books voter;
    builder.admit(builder.world().transfer("alice", "bob", 30), 4);
    Value value = must(builder.law().build({Pulse(5), 0, 0}));
    value.header.root.hash = {};
    EXPECT_EQ(must(voter.law().check(voter.hash(value), value)), Validity::invalid);
    value.transactions.clear();
    EXPECT_EQ(must(voter.law().check(voter.hash(value), value)), Validity::invalid);
}

TEST(LedgerApplication, AForgedSignatureInABlockMakesItInvalid) {
    Books builder;
    Books voter;
    auto forged = builder.world().transfer("alice", "bob", 30);
    forged.signatures[0][3] ^= 1;
    builder.admit(forged, 4);
    const Value value = must(builder.law().build({Pulse(5), 0, 0}));
    EXPECT_EQ(must(voter.law().check(voter.hash(value), value)), Validity::invalid);
}

TEST(LedgerApplication, SeveralBlocksOfOneHeightStandSideBySide) {
    Books voter;
    std::vector<Value> values;
    for (const std::uint64_t pulse : {5U, 6U, 7U, 8U, 9U, 10U}) {
        values.push_back(must(voter.law().build({Pulse(pulse), 0, 0})));
    }
    // The first has been forgotten and is executed again.
    const Value first = values.front();
    EXPECT_EQ(must(voter.law().check(voter.hash(first), first)), Validity::valid);
    EXPECT_EQ(voter.decide(first, 5).seal.header, first.header);
}

TEST(LedgerApplication, OmittingWhatHasWaitedFivePulsesIsSeen) {
    Books voter;
    Books builder;
    voter.admit(voter.world().transfer("alice", "bob", 30), 4);
    const auto empty_at = [&](std::uint64_t pulse) {
        const Value value = must(builder.law().build({Pulse(pulse), 0, 0}));
        EXPECT_EQ(must(voter.law().check(voter.hash(value), value)), Validity::valid);
        return value;
    };
    EXPECT_FALSE(must(voter.law().omits(empty_at(9), Pulse(9))));
    EXPECT_TRUE(must(voter.law().omits(empty_at(10), Pulse(10))));
    // Expired: it would not hold in that block.
    EXPECT_FALSE(must(voter.law().omits(empty_at(200), Pulse(200))));
    const Value full = must(voter.law().build({Pulse(10), 0, 0}));
    EXPECT_FALSE(must(voter.law().omits(full, Pulse(10))));
}

TEST(LedgerApplication, OmittingWhatTheBlockLeavesNoRoomForIsNoFault) {
    Books voter;
    Books builder;
    // Alice's whole balance goes elsewhere in the block, so what waits here would not hold.
    builder.admit(builder.world().transfer("alice", "bob", 100), 4);
    voter.admit(voter.world().transfer("alice", "bob", 30), 4);
    const Value value = must(builder.law().build({Pulse(12), 0, 0}));
    EXPECT_EQ(must(voter.law().check(voter.hash(value), value)), Validity::valid);
    EXPECT_FALSE(must(voter.law().omits(value, Pulse(12))));
}

TEST(LedgerApplication, WhatHasExpiredIsNoWorkAndLeaves) {
    Books books;
    books.admit(books.world().transfer("alice", "bob", 30), 4);
    EXPECT_FALSE(must(books.law().has_work(Pulse(500))));
    EXPECT_EQ(books.law().opens_at(), Pulse(1800));
    const auto dropped = books.law().take_dropped();
    ASSERT_EQ(dropped.size(), 1U);
    EXPECT_EQ(dropped[0].refused.code, protocol::Refusal::expired);
}

TEST(LedgerApplication, WhatHasExpiredLeavesWhileAHeightIsStuck) {
    Books books;
    const auto payment = books.world().transfer("alice", "bob", 30);
    const Hash id = protocol::transaction_id(books.world().organization.chain, payment.body);
    books.admit(payment, 4);
    must(books.law().forget_passed(books.at(50)));
    EXPECT_TRUE(books.law().take_dropped().empty());
    must(books.law().forget_passed(books.at(5000)));
    const auto dropped = books.law().take_dropped();
    ASSERT_EQ(dropped.size(), 1U);
    EXPECT_EQ(dropped[0].id, id);
    EXPECT_EQ(dropped[0].refused.code, protocol::Refusal::expired);
}

TEST(LedgerApplication, TheCharterServesTheFirstTerm) {
    Books books;
    const Term& term = books.law().term();
    EXPECT_EQ(term.cycle, 0U);
    EXPECT_EQ(term.committee, std::vector{key_of("node").public_key()});
    EXPECT_EQ(term.nodes, std::vector{key_of("node").id()});
    EXPECT_EQ(term.seat, std::uint16_t{0});
    EXPECT_EQ(term.first_height, Sequence(1));
    EXPECT_EQ(term.end, Pulse(1800));
    EXPECT_EQ(term.cycle_pulses, 1800U);
}

TEST(LedgerApplication, AStrangerToTheCharterHasNoSeat) {
    Books books(founding(), "alice");
    EXPECT_FALSE(books.law().term().seat);
    EXPECT_FALSE(books.law().term().key);
}

TEST(LedgerApplication, TheTermChangesWithTheBlockThatEndsIt) {
    testing::Founding short_cycles = founding();
    short_cycles.params.cycle_pulses = 60;
    Books books(short_cycles);
    books.decide(must(books.law().build({Pulse(5), 0, 0})), 5);
    EXPECT_EQ(books.law().term().cycle, 0U);
    // Work, although nothing waits.
    EXPECT_EQ(books.law().opens_at(), Pulse(60));
    EXPECT_FALSE(must(books.law().has_work(Pulse(59))));
    EXPECT_TRUE(must(books.law().has_work(Pulse(60))));
    books.decide(must(books.law().build({Pulse(60), 0, 1})), 60);
    EXPECT_EQ(books.law().term().cycle, 1U);
    EXPECT_EQ(books.law().term().first_height, Sequence(3));
    EXPECT_EQ(books.law().term().end, Pulse(120));
    EXPECT_EQ(books.law().term().seat, std::uint16_t{0});
}

// What the committee in office would decide in its own term, its successors could not verify.
TEST(LedgerApplication, ABlockThatBeginsWithATakeoverIsNotForTheCommitteeInOffice) {
    Books books;
    auto& world = books.world();
    protocol::HandOver act;
    act.last = {0, Sequence(0), world.parent().hash};
    const PublicKey bob = key_of("bob").public_key();
    act.seats.push_back({testing::id_of("bob"), bob, bob});
    wallet::Draft draft = world.draft("fay");
    draft.expiry = Pulse(500);
    const auto takeover = wallet::sign(draft, act, key_of("fay"), nullptr);
    const auto built = world.build({takeover}, Pulse(400));
    ASSERT_EQ(built.transactions.size(), 1U) << "the ledger's rules accept it";
    const Value value{built.executed.header, built.transactions};
    EXPECT_EQ(must(books.law().check(books.hash(value), value)), Validity::invalid);
    EXPECT_EQ(books.offer(takeover, 399).error().code, protocol::Refusal::takeover_not_first);
}

TEST(LedgerApplication, ARunOfBlocksIsCountedBackToTheTermsFirst) {
    Books books;
    for (const std::uint64_t pulse : {5U, 6U, 7U}) {
        books.decide(must(books.law().build(books.world().stamp(Pulse(pulse)))), pulse);
    }
    const auto run = [&](std::uint64_t first) {
        return must(author_run(books.world().store, books.law().head(), Sequence(first)));
    };
    EXPECT_EQ(run(1), 3U);
    EXPECT_EQ(run(3), 1U);
    EXPECT_EQ(run(4), 0U);
}

}  // namespace
}  // namespace leither::consensus
