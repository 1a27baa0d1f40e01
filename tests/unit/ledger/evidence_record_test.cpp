// Evidence that proves itself: whom it convicts, and that nothing else ever convicts anybody.
#include "leither/ledger/evidence_record.h"

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/ledger/evidence_store.h"

#include "support/candidates.h"

namespace leither::ledger {
namespace {

using protocol::Conflict;
using protocol::StatementKind;
using testing::Candidates;
using testing::id_of;
using testing::key_of;
using testing::LedgerWorld;
using testing::must;
using testing::Names;

protocol::Statement signed_by(const crypto::KeyPair& key, const ChainId& chain, StatementKind kind,
                              const protocol::Slot& slot, std::optional<Hash> block) {
    protocol::Statement statement{std::nullopt, block, {}};
    statement.signature = key.sign(protocol::signing_message(chain, kind, slot, statement));
    return statement;
}

Conflict conflict_by(const crypto::KeyPair& key, std::uint16_t seat, const ChainId& chain,
                     const protocol::Slot& slot, StatementKind kind = StatementKind::prevote) {
    Conflict conflict{kind, slot, seat, {}, {}};
    const auto nothing = kind == StatementKind::proposal ? std::optional(Hash{}) : std::nullopt;
    conflict.first = signed_by(key, chain, kind, slot, nothing);
    conflict.second = signed_by(key, chain, kind, slot, Hash::copy_of(Bytes(32, 0x11)));
    return conflict;
}

std::string error_of(const EvidenceRecord& record, const EvidenceExpectation& expected = {}) {
    const auto judged = judge(record, expected);
    return judged ? "guilty" : to_string(judged.error());
}

// An elected committee of five in term 3, some of its blocks behind it.
class EvidenceTest : public ::testing::Test {
 protected:
    EvidenceTest() : all({"c0", "c1", "c2", "c3", "c4"}) {
        const Names names = testing::numbered(5);
        all.pass_cycle({}, names);
        all.pass_cycle({}, names);
        all.pass_cycle(names, names);
        world.seal({}, world.next_pulse());
        world.seal({}, world.next_pulse());
    }

    const ChainId& chain() const { return world.organization.chain; }
    protocol::Slot slot(std::uint32_t round = 1) const {
        return {3, Prefix{}, world.seals.back().header.sequence.next(), round};
    }
    // The name and key of whoever sits there in term 3.
    std::string name_of_seat(std::uint16_t seat) {
        const protocol::ElectionRecord record = world.election();
        for (const auto& name : testing::numbered(5)) {
            if (record.present[seat].member == id_of(name)) return name;
        }
        CHECK(false, "nobody sits there");
        return {};
    }
    crypto::KeyPair key_of_seat(std::uint16_t seat) {
        return key_of(name_of_seat(seat) + "'s vote 3");
    }
    Conflict conflict(std::uint16_t seat, StatementKind kind = StatementKind::prevote) {
        return conflict_by(key_of_seat(seat), seat, chain(), slot(), kind);
    }
    EvidenceSource source(Sequence oldest = Sequence(0)) const {
        return {world.genesis.charter, world.organization, world.store, world.tree, oldest};
    }
    EvidenceRecord record(const Offence& offence) {
        auto gathered = must(gather_evidence(source(), offence));
        CHECK(gathered.has_value());
        return *std::move(gathered);
    }

    // Two blocks decided at the next height, each by some seats.
    protocol::Fork fork(std::uint32_t first_round, std::uint32_t second_round,
                        const std::vector<std::uint16_t>& first_seats,
                        const std::vector<std::uint16_t>& second_seats) {
        protocol::Fork fork;
        decide(fork.first, fork.first_certificate, slot(first_round), first_seats, 1);
        decide(fork.second, fork.second_certificate, slot(second_round), second_seats, 2);
        return fork;
    }
    void decide(protocol::BlockHeader& header, protocol::Certificate& certificate,
                const protocol::Slot& at, const std::vector<std::uint16_t>& seats,
                std::uint64_t number) {
        header = world.seals.back().header;
        header.sequence = at.height;
        header.root.sum = Amount::of(number);
        certificate = {at, block_hash(chain(), header), {}};
        const Bytes message = precommit_message(chain(), at, certificate.block);
        for (const std::uint16_t seat : seats) {
            certificate.signatures.push_back({seat, key_of_seat(seat).sign(message)});
        }
    }
    static std::vector<std::uint16_t> seats_of(const std::vector<Accused>& accused) {
        std::vector<std::uint16_t> seats;
        for (const Accused& one : accused) seats.push_back(one.seat);
        return seats;
    }

    Candidates all;
    LedgerWorld& world = all.world;
};

TEST_F(EvidenceTest, ConvictsTheMemberWhoHeldTheSeatFromTheCharterOn) {
    for (const auto kind :
         {StatementKind::proposal, StatementKind::prevote, StatementKind::precommit}) {
        const EvidenceRecord good = record(conflict(2, kind));
        EXPECT_FALSE(good.committees.empty());
        const Bytes bytes = bcs::encode(good);
        EXPECT_LT(bytes.size(), kEvidenceBytesMax);
        const auto read = read_evidence(bytes);
        ASSERT_TRUE(read.has_value());
        const auto judged = judge(*read, {world.organization.treasury, std::nullopt});
        ASSERT_TRUE(judged.has_value()) << to_string(judged.error());
        ASSERT_EQ(judged->guilty.size(), 1u);
        EXPECT_EQ(judged->guilty[0].seat, 2u);
        EXPECT_EQ(judged->guilty[0].who.member, id_of(name_of_seat(2)));
        EXPECT_EQ(judged->guilty[0].who.node_key, Candidates::node(name_of_seat(2)).public_key());
        EXPECT_EQ(judged->name.cycle, 3u);
        EXPECT_EQ(judged->committee, 5u);
        EXPECT_TRUE(judged->answerable.empty());
    }
}

TEST_F(EvidenceTest, WhatItProvesTheLedgerConvicts) {
    const auto judged = judge(record(conflict(1)), {});
    ASSERT_TRUE(judged.has_value());
    const std::string accused = name_of_seat(1);
    const std::string reporter = name_of_seat(0);
    const Amount before = world.member(reporter)->balance;
    const auto act = all.as_node(
        reporter, protocol::Evidence{judged->guilty[0].who.member, judged->conflicts[0]});
    EXPECT_EQ(pledge_at_stake(*world.member(accused), 3), Amount::of(1'000));
    EXPECT_TRUE(world.seal({act}, world.next_pulse()).empty());
    EXPECT_TRUE(world.member(accused)->locks.empty());
    EXPECT_FALSE(world.member(accused)->candidacy);
    EXPECT_FALSE(pledge_at_stake(*world.member(accused), 3));
    EXPECT_EQ(world.member(reporter)->balance, Amount::of(before.units() + 100));
}

TEST_F(EvidenceTest, TheFirstHeightIsTheChartersOwn) {
    LedgerWorld young(testing::founding_for({}));
    const protocol::Slot first{0, Prefix{}, Sequence(1), 0};
    const Conflict conflict = conflict_by(key_of("node"), 0, young.organization.chain, first);
    const EvidenceSource from{young.genesis.charter, young.organization, young.store, young.tree,
                              Sequence(0)};
    auto gathered = must(gather_evidence(from, conflict));
    ASSERT_TRUE(gathered.has_value());
    EXPECT_FALSE(gathered->before);
    const auto judged = judge(*gathered, {});
    ASSERT_TRUE(judged.has_value());
    EXPECT_EQ(judged->guilty[0].who.node_key, key_of("node").public_key());
    // The founding itself is decided by nobody.
    protocol::Slot founding = first;
    founding.height = Sequence(0);
    gathered->offence = conflict_by(key_of("node"), 0, young.organization.chain, founding);
    EXPECT_EQ(error_of(*gathered), "bad_before");
    EXPECT_FALSE(must(gather_evidence(from, gathered->offence)).has_value());
}

TEST_F(EvidenceTest, EachFaultHasItsError) {
    const EvidenceRecord good = record(conflict(2));
    EXPECT_EQ(error_of(good), "guilty");
    EXPECT_EQ(error_of(good, {id_of("somebody"), std::nullopt}), "wrong_organization");

    EvidenceRecord bad = good;
    bad.version = 2;
    EXPECT_EQ(error_of(bad), "unknown_version");
    bad = good;
    bad.charter.charter.supply = Amount::of(1);
    EXPECT_EQ(error_of(bad), "bad_charter");
    bad = good;
    bad.committees.clear();
    EXPECT_EQ(error_of(bad), "bad_before");
    bad = good;
    std::get<election::CycleLink>(bad.committees.back()).certificate.signatures.clear();
    EXPECT_EQ(error_of(bad), "bad_committees");
    bad = good;
    bad.before.reset();
    EXPECT_EQ(error_of(bad), "bad_before");
    // A block of another height proves another committee, perhaps.
    bad = good;
    bad.before = std::get<election::CycleLink>(good.committees.back());
    EXPECT_EQ(error_of(bad), "bad_before");
    bad = good;
    bad.before->record = must(world.tree.prove(world.organization.candidates));
    EXPECT_EQ(error_of(bad), "bad_before");

    // The same key, but in a term or branch in which this committee decides nothing.
    protocol::Slot other = slot();
    other.cycle = 2;
    bad = good;
    bad.offence = conflict_by(key_of_seat(2), 2, chain(), other);
    EXPECT_EQ(error_of(bad), "wrong_slot");
    other = slot();
    other.branch = Prefix{id_of("c0"), 160};
    bad.offence = conflict_by(key_of_seat(2), 2, chain(), other);
    EXPECT_EQ(error_of(bad), "wrong_slot");
    other = slot();
    other.height = other.height.next();
    bad.offence = conflict_by(key_of_seat(2), 2, chain(), other);
    EXPECT_EQ(error_of(bad), "bad_before");

    bad.offence = conflict_by(key_of_seat(2), 5, chain(), slot());
    EXPECT_EQ(error_of(bad), "unknown_seat");
    bad.offence = conflict_by(key_of_seat(2), 3, chain(), slot());
    EXPECT_EQ(error_of(bad), "not_proven");
    bad.offence = conflict_by(key_of_seat(2), 2, ChainId{}, slot());
    EXPECT_EQ(error_of(bad), "not_proven");
    // Saying one thing twice is no fault.
    Conflict twice = conflict(2);
    twice.second = twice.first;
    bad.offence = twice;
    EXPECT_EQ(error_of(bad), "not_proven");
    Conflict half = conflict(2);
    half.second.signature[5] ^= 1;
    bad.offence = half;
    EXPECT_EQ(error_of(bad), "not_proven");

    for (int error = 0; error <= static_cast<int>(EvidenceError::not_proven); ++error) {
        EXPECT_FALSE(explain(static_cast<EvidenceError>(error)).cause.empty());
        EXPECT_FALSE(explain(static_cast<EvidenceError>(error)).remedy.empty());
    }
}

TEST_F(EvidenceTest, NoChangedByteConvictsAnybody) {
    Bytes bytes = bcs::encode(record(conflict(2)));
    ASSERT_EQ(error_of(*read_evidence(bytes)), "guilty");
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto bit = static_cast<std::uint8_t>(1U << (i % 8));
        bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ bit);
        const auto changed = read_evidence(bytes);
        EXPECT_TRUE(!changed || !judge(*changed, {})) << "byte " << i;
        bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ bit);
    }
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, bytes.size() - 1}) {
        const auto cut = read_evidence(ByteView(bytes).first(size));
        ASSERT_FALSE(cut.has_value());
        EXPECT_EQ(cut.error(), EvidenceError::malformed);
    }
    bytes.push_back(0);
    EXPECT_FALSE(read_evidence(bytes).has_value());
}

TEST_F(EvidenceTest, SizeAndVersionAreLookedAtFirst) {
    Bytes bytes(kEvidenceBytesMax + 1, 0xff);
    EXPECT_EQ(read_evidence(bytes).error(), EvidenceError::too_large);
    bytes.pop_back();
    EXPECT_EQ(read_evidence(bytes).error(), EvidenceError::unknown_version);
    bytes.front() = EvidenceRecord::kVersion;
    EXPECT_EQ(read_evidence(bytes).error(), EvidenceError::malformed);
    bytes.front() = 0;
    EXPECT_EQ(read_evidence(bytes).error(), EvidenceError::malformed);
}

TEST_F(EvidenceTest, AForkOfOneRoundConvictsWhoSignedBoth) {
    const auto judged = judge(record(fork(0, 0, {0, 1, 2, 3}, {1, 2, 3, 4})), {});
    ASSERT_TRUE(judged.has_value()) << to_string(judged.error());
    EXPECT_EQ(judged->name.kind, OffenceKind::fork);
    EXPECT_EQ(seats_of(judged->guilty), (std::vector<std::uint16_t>{1, 2, 3}));
    EXPECT_TRUE(judged->answerable.empty());
    ASSERT_EQ(judged->conflicts.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(judged->conflicts[i].seat, judged->guilty[i].seat);
        EXPECT_TRUE(is_proven(judged->conflicts[i], chain(),
                              key_of_seat(judged->guilty[i].seat).public_key()));
    }
}

// Prevotes in between may have freed an honest bookkeeper from its lock.
TEST_F(EvidenceTest, AForkOfTwoRoundsConvictsNobodyByItself) {
    const auto judged = judge(record(fork(0, 2, {0, 1, 2, 3}, {1, 2, 3, 4})), {});
    ASSERT_TRUE(judged.has_value());
    EXPECT_TRUE(judged->guilty.empty());
    EXPECT_EQ(seats_of(judged->answerable), (std::vector<std::uint16_t>{1, 2, 3}));
}

TEST_F(EvidenceTest, OneDecidedBlockIsNoFork) {
    EvidenceRecord bad = record(fork(0, 0, {0, 1, 2, 3}, {1, 2, 3, 4}));
    auto few = fork(0, 0, {0, 1, 2, 3}, {2, 3, 4});
    bad.offence = few;
    EXPECT_EQ(error_of(bad), "not_proven");
    auto same = fork(0, 1, {0, 1, 2, 3}, {1, 2, 3, 4});
    same.second = same.first;
    bad.offence = same;
    EXPECT_EQ(error_of(bad), "not_proven");
    auto elsewhere = fork(0, 0, {0, 1, 2, 3}, {1, 2, 3, 4});
    elsewhere.second_certificate.slot.cycle = 4;
    bad.offence = elsewhere;
    EXPECT_EQ(error_of(bad), "wrong_slot");
    auto heights = fork(0, 0, {0, 1, 2, 3}, {1, 2, 3, 4});
    heights.second.sequence = heights.second.sequence.next();
    bad.offence = heights;
    EXPECT_EQ(error_of(bad), "not_proven");
}

TEST_F(EvidenceTest, WhoeverTrustsALaterCommitteeNeedsNoChainToIt) {
    EvidenceRecord cut = record(conflict(2));
    const auto full = cut.committees;
    cut.committees.clear();
    EXPECT_EQ(error_of(cut), "bad_before");
    const election::Trusted known{3, world.election().present};
    EXPECT_EQ(error_of(cut, {std::nullopt, known}), "guilty");
    EXPECT_FALSE(full.empty());
}

TEST_F(EvidenceTest, HistoryThatIsCutOffGivesAsMuchAsThereIs) {
    const Sequence head = world.seals.back().header.sequence;
    const auto cut = must(gather_evidence(source(head), conflict(2)));
    ASSERT_TRUE(cut.has_value());
    EXPECT_EQ(error_of(*cut), "bad_before");
    EXPECT_FALSE(must(gather_evidence(source(head.next()), conflict(2))).has_value());
}

TEST_F(EvidenceTest, OneNameForOneFault) {
    const OffenceName name = name_of(conflict(2));
    EXPECT_EQ(evidence_id(chain(), name), evidence_id(chain(), name_of(conflict(2))));
    EXPECT_NE(evidence_id(chain(), name), evidence_id(chain(), name_of(conflict(3))));
    EXPECT_NE(evidence_id(chain(), name),
              evidence_id(chain(), name_of(conflict(2, StatementKind::precommit))));
    EXPECT_NE(evidence_id(chain(), name), evidence_id(ChainId{}, name));
    auto one = fork(0, 2, {0, 1, 2, 3}, {1, 2, 3, 4});
    const OffenceName forked = name_of(one);
    std::swap(one.first, one.second);
    std::swap(one.first_certificate, one.second_certificate);
    EXPECT_EQ(name_of(one), forked);
}

TEST_F(EvidenceTest, LiesBesideTheLedgerAndOutlivesPruning) {
    const EvidenceRecord first = record(conflict(2));
    store::WriteBatch batch;
    put_evidence(batch, 7, first);
    put_evidence(batch, 9, record(conflict(3)));
    must(world.store.write(batch));
    const auto span = must(read_span(world.store));
    ASSERT_TRUE(span.has_value());
    EXPECT_EQ(span->newest.header, world.seals.back().header);
    must(prune(world.store, {Sequence(3), Sequence(3)}));
    EXPECT_EQ(must(evidence_indexes(world.store)), (std::vector<std::uint32_t>{7, 9}));
    const auto read = must(read_evidence_at(world.store, 7));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(bcs::encode(*read), bcs::encode(first));
    EXPECT_FALSE(must(read_evidence_at(world.store, 8)).has_value());

    store::WriteBatch gone;
    erase_evidence(gone, 7);
    gone.put(store::version_key(0, store::KeyKind::genesis, 65'536 + 9), Bytes(5, 1));
    must(world.store.write(gone));
    EXPECT_EQ(must(evidence_indexes(world.store)), (std::vector<std::uint32_t>{9}));
    const auto damaged = read_evidence_at(world.store, 9);
    ASSERT_FALSE(damaged.has_value());
    EXPECT_EQ(damaged.error().kind, store::Fault::Kind::corrupt);
}

}  // namespace
}  // namespace leither::ledger
