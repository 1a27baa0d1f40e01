#include "leither/ledger/receipt.h"

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/ledger/committees.h"
#include "leither/ledger/endorsement.h"

#include "support/candidates.h"
#include "support/ledger_world.h"

namespace leither::ledger {
namespace {

using testing::id_of;
using testing::LedgerWorld;
using testing::must;

class ReceiptTest : public ::testing::Test {
 protected:
    ReceiptTest() {
        world_.seal({world_.transfer("alice", "bob", 30)}, Pulse(5));
        world_.seal({world_.transfer("alice", "bob", 20)}, Pulse(9));
    }

    Receipt receipt(const std::string& name, std::size_t sequence) {
        const Seal& seal = world_.seals.at(sequence);
        return {world_.genesis.charter,
                {},
                seal.header,
                seal.certificate,
                must(world_.tree.prove_at(version_of(seal), id_of(name)))};
    }
    ChildReceipt child(const Prefix& prefix) {
        const Seal& seal = world_.seals.back();
        return {world_.genesis.charter,
                {},
                seal.header,
                seal.certificate,
                must(world_.tree.prove_at(version_of(seal), prefix))};
    }
    std::string error_of(const Receipt& receipt) {
        const auto proven = verify(receipt, world_.organization.treasury);
        return proven ? "none" : to_string(proven.error());
    }

    void expect_truth_or_nothing(const Bytes& bytes) {
        const auto decoded = bcs::decode<Receipt>(bytes);
        if (!decoded) return;
        const auto proven = verify(*decoded, world_.organization.treasury);
        if (!proven) return;
        EXPECT_EQ(proven->sequence, Sequence(2));
        EXPECT_TRUE(proven->record == world_.record(proven->account));
    }

    LedgerWorld world_{{.params = {},
                        .supply = 10'000,
                        .allocations = {{"alice", 100}, {"bob", 100}, {"carol", 5}}}};
};

std::uint64_t balance_in(const Proven& proven) {
    return std::get<protocol::MemberRecord>(*proven.record).balance.units();
}

TEST_F(ReceiptTest, ProvesWhatAnAccountHeldAtEachSequence) {
    const std::uint64_t expected[] = {100, 70, 50};
    for (std::size_t sequence = 0; sequence < 3; ++sequence) {
        const auto proven = verify(receipt("alice", sequence), world_.organization.treasury);
        ASSERT_TRUE(proven.has_value()) << to_string(proven.error());
        EXPECT_EQ(balance_in(*proven), expected[sequence]);
        EXPECT_EQ(proven->sequence, Sequence(sequence));
        EXPECT_EQ(proven->organization, world_.organization.treasury);
        EXPECT_TRUE(proven->trusted);
    }
    EXPECT_EQ(verify(receipt("alice", 2), std::nullopt)->time_ms, 1'700'000'009'000U);
}

TEST_F(ReceiptTest, ProvesThatAnAccountDidNotExist) {
    const auto proven = verify(receipt("dave", 2), std::nullopt);
    ASSERT_TRUE(proven.has_value());
    EXPECT_FALSE(proven->record.has_value());
    EXPECT_EQ(proven->account, id_of("dave"));
}

TEST_F(ReceiptTest, ProvesTheSumOfAChildOrganization) {
    const auto all = verify(child({}), world_.organization.treasury);
    ASSERT_TRUE(all.has_value());
    EXPECT_EQ(all->synopsis, world_.seals.back().header.root);

    Prefix half{Id{}, 1};
    const auto left = verify(child(half), std::nullopt);
    half.id[0] = 0x80;
    const auto right = verify(child(half), std::nullopt);
    ASSERT_TRUE(left && right);
    EXPECT_EQ(left->synopsis.sum.plus(right->synopsis.sum), Amount::of(10'000));
}

TEST_F(ReceiptTest, EachFaultHasItsError) {
    const Receipt good = receipt("alice", 2);
    ASSERT_EQ(error_of(good), "none");
    EXPECT_EQ(verify(good, id_of("alice")).error(), ReceiptError::wrong_organization);

    Receipt bad = good;
    bad.charter.charter.supply = Amount::of(1);
    EXPECT_EQ(error_of(bad), "bad_charter");
    bad = good;
    bad.header.root.sum = Amount::of(9'999);
    EXPECT_EQ(error_of(bad), "bad_certificate");
    bad = good;
    bad.certificate.signatures.clear();
    EXPECT_EQ(error_of(bad), "bad_certificate");
    bad = good;
    bad.proof = receipt("alice", 1).proof;
    EXPECT_EQ(error_of(bad), "bad_proof");
    bad = good;
    auto& record = std::get<tree::Presence>(bad.proof.end).record;
    record.push_back(0);
    EXPECT_EQ(error_of(bad), "bad_record");
}

// Whatever is changed on the way, a receipt proves the truth or nothing: what the account that it
// names held at the sequence that it names. (A proof of absence may be turned into one for another
// absent account nearby.)
TEST_F(ReceiptTest, NoChangedByteProvesAnUntruth) {
    for (const char* name : {"alice", "dave"}) {
        const Receipt good = receipt(name, 2);
        Bytes bytes = bcs::encode(good);
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            for (const unsigned change : {0x01U, 0x80U, 0xffU}) {
                SCOPED_TRACE(std::string(name) + " byte " + std::to_string(i));
                bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ change);
                expect_truth_or_nothing(bytes);
                bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ change);
            }
        }
    }
}

// ---- Endorsed form ------------------------------------------------------------------------------

// An organization of `count` members beside the founder and its own four accounts.
testing::Founding crowd(std::size_t count) {
    testing::Founding founding{.params = {}, .supply = 1'000'000, .allocations = {}};
    for (std::size_t i = 0; i < count; ++i) {
        founding.allocations.push_back({"m" + std::to_string(i), 100 + i});
    }
    return founding;
}

EndorsedReceipt endorsed_by(LedgerWorld& world, const Seal& seal, const Id& account,
                            std::uint64_t cycle, const std::vector<crypto::KeyPair>& keys) {
    auto made = must(endorsable(world.organization, world.tree, seal, cycle, account));
    const Bytes message = signing_message(world.organization.chain, made.claim);
    protocol::SeatSignatures signatures;
    for (std::uint16_t seat = 0; seat < keys.size(); ++seat) {
        signatures.push_back({seat, keys[seat].sign(message)});
    }
    return {world.genesis.charter,
            must(committees_behind(world.organization, world.store, world.tree, seal, Sequence(0))),
            seal.header,
            seal.certificate,
            std::move(made.claim),
            std::move(made.path),
            std::move(signatures)};
}

class EndorsedReceiptTest : public ::testing::Test {
 protected:
    explicit EndorsedReceiptTest(std::size_t count = 3) : world_(crowd(count)) {
        world_.seal({world_.transfer("m0", "m1", 30)}, Pulse(5));
    }
    EndorsedReceipt receipt(const std::string& name) {
        return endorsed_by(world_, world_.seals.back(), id_of(name), 0, {testing::key_of("node")});
    }
    // Signed anew: what a committee would have to lie for.
    EndorsedReceipt with(EndorsedReceipt receipt, const auto& change) {
        change(receipt.claim);
        const Bytes message = signing_message(world_.organization.chain, receipt.claim);
        receipt.endorsements[0].signature = testing::key_of("node").sign(message);
        return receipt;
    }
    std::string error_of(const EndorsedReceipt& receipt) {
        const auto proven = verify(receipt, world_.organization.treasury);
        return proven ? "none" : to_string(proven.error());
    }
    void expect_truth_or_nothing(const Bytes& bytes, const EndorsedReceipt& good) {
        const auto decoded = bcs::decode<EndorsedReceipt>(bytes);
        if (!decoded) return;
        const auto proven = verify(*decoded, world_.organization.treasury);
        if (!proven) return;
        EXPECT_EQ(decoded->claim, good.claim);
    }
    std::size_t accounts_below(const Prefix& prefix) {
        std::size_t count = 0;
        must(world_.tree.walk_at(version_of(world_.seals.back()), prefix.id,
                                 [&](const Id& id, ByteView, Amount) {
                                     if (!prefix.covers(id)) return tree::Visit::stop;
                                     ++count;
                                     return tree::Visit::go_on;
                                 }));
        return count;
    }

    LedgerWorld world_;
};

TEST_F(EndorsedReceiptTest, ProvesBalanceAndAbsenceBelowTheRootOfASmallOrganization) {
    const auto paid = verify(receipt("m0"), world_.organization.treasury);
    ASSERT_TRUE(paid) << to_string(paid.error());
    EXPECT_EQ(paid->holding, (protocol::Holding{protocol::HolderKind::member, Amount::of(70), {}}));
    EXPECT_EQ(paid->account, id_of("m0"));
    EXPECT_EQ(paid->sequence, Sequence(1));
    EXPECT_EQ(paid->time_ms, 1'700'000'005'000U);
    EXPECT_TRUE(paid->trusted);
    EXPECT_EQ(paid->branch, Prefix{});
    EXPECT_EQ(paid->branch_sum, Amount::of(1'000'000));
    EXPECT_TRUE(receipt("m0").path.empty());

    const auto absent = verify(receipt("nobody"), std::nullopt);
    ASSERT_TRUE(absent) << to_string(absent.error());
    EXPECT_FALSE(absent->holding);
    const auto treasury = verify(receipt("org"), std::nullopt);
    ASSERT_TRUE(treasury && treasury->holding);
    EXPECT_EQ(treasury->holding->kind, protocol::HolderKind::treasury);
}

TEST_F(EndorsedReceiptTest, EachFaultHasItsErrorInTheOrderTold) {
    const EndorsedReceipt good = receipt("m0");
    ASSERT_EQ(error_of(good), "none");
    EXPECT_EQ(verify(good, id_of("m0")).error(), ReceiptError::wrong_organization);
    EndorsedReceipt bad = good;
    bad.charter.charter.supply = Amount::of(1);
    EXPECT_EQ(error_of(bad), "bad_charter");
    bad = good;
    bad.certificate.signatures.clear();
    bad.endorsements.clear();
    EXPECT_EQ(error_of(bad), "bad_certificate");
    using Claim = protocol::EndorsementClaim;
    EXPECT_EQ(error_of(with(good, [](Claim& c) { c.slot.height = Sequence(0); })), "bad_claim");
    EXPECT_EQ(error_of(with(good, [](Claim& c) { c.block = Hash{}; })), "bad_claim");
    EXPECT_EQ(error_of(with(good, [](Claim& c) { c.slot.round = 1; })), "bad_claim");
    EXPECT_EQ(error_of(with(good, [](Claim& c) { c.holding->balance = Amount::of(1'000'001); })),
              "bad_claim");
    EXPECT_EQ(error_of(with(good,
                            [](Claim& c) {
                                c.slot.branch = {prefix_of(c.account, 3), 3};
                                c.slot.branch.id[0] ^= 0x80;
                            })),
              "bad_claim");
    EXPECT_EQ(error_of(with(good, [](Claim& c) { c.synopsis.hash = Hash{}; })), "bad_proof");
    bad = good;
    bad.path.push_back({0, good.claim.synopsis});
    EXPECT_EQ(error_of(bad), "bad_proof");
    bad = good;
    bad.claim.holding->balance = Amount::of(71);
    EXPECT_EQ(error_of(bad), "bad_endorsement");
    bad = good;
    bad.endorsements.clear();
    EXPECT_EQ(error_of(bad), "bad_endorsement");
    bad = good;
    bad.endorsements.push_back(bad.endorsements[0]);
    EXPECT_EQ(error_of(bad), "bad_endorsement");
    // A certificate's signature is no endorsement, nor is another key's.
    bad = good;
    bad.endorsements[0] = bad.certificate.signatures[0];
    EXPECT_EQ(error_of(bad), "bad_endorsement");
    EXPECT_EQ(
        error_of(endorsed_by(world_, world_.seals.back(), id_of("m0"), 0, {testing::key_of("m0")})),
        "bad_endorsement");
}

// Not even a true word of the same committee, of another account or sequence.
TEST_F(EndorsedReceiptTest, NoChangedByteProvesAnUntruth) {
    for (const char* name : {"m0", "nobody"}) {
        const EndorsedReceipt good = receipt(name);
        Bytes bytes = bcs::encode(good);
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            for (const unsigned change : {0x01U, 0x80U, 0xffU}) {
                SCOPED_TRACE(std::string(name) + " byte " + std::to_string(i));
                bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ change);
                expect_truth_or_nothing(bytes, good);
                bytes[i] = static_cast<std::uint8_t>(bytes[i] ^ change);
            }
        }
    }
}

class EndorsedCrowd : public EndorsedReceiptTest {
 protected:
    EndorsedCrowd() : EndorsedReceiptTest(700) {}
    // Everything that a receipt shows, as prefixes.
    std::vector<Prefix> shown(const EndorsedReceipt& receipt) {
        const Id& account = receipt.claim.account;
        std::vector<Prefix> all{receipt.claim.slot.branch};
        for (const tree::Step& step : receipt.path) {
            Prefix beside{prefix_of(account, step.depth + 1U),
                          static_cast<std::uint8_t>(step.depth + 1)};
            beside.id[step.depth / 8] ^= static_cast<std::uint8_t>(0x80 >> (step.depth % 8));
            all.push_back(beside);
        }
        return all;
    }
};

TEST_F(EndorsedCrowd, NothingShownHoldsFewerThan64Accounts) {
    std::size_t paths = 0;
    for (std::size_t i = 0; i < 60; ++i) {
        const std::string name = i < 50 ? "m" + std::to_string(i) : "x" + std::to_string(i);
        const EndorsedReceipt one = receipt(name);
        EXPECT_EQ(error_of(one), "none");
        for (const Prefix& prefix : shown(one)) {
            EXPECT_GE(accounts_below(prefix), kOpaqueAccountsMin) << name;
        }
        paths += one.path.size();
    }
    // Of some 706 accounts it shows two or three levels.
    EXPECT_GE(paths, 60u);
}

TEST_F(EndorsedCrowd, TheBranchIsTheDeepestThatMayBeShown) {
    for (std::size_t i = 0; i < 50; ++i) {
        const Id account = id_of("m" + std::to_string(i));
        const Prefix branch =
            must(branch_to_show(world_.tree, version_of(world_.seals.back()), account));
        // One level further either side has too few.
        Prefix inner{prefix_of(account, branch.bits + 1U),
                     static_cast<std::uint8_t>(branch.bits + 1)};
        const std::size_t with_it = accounts_below(inner);
        const std::size_t beside_it = accounts_below(branch) - with_it;
        EXPECT_LT(std::min(with_it, beside_it), kOpaqueAccountsMin) << i;
        EXPECT_GT(beside_it, 0u) << "both are one branch";
    }
}

// A full receipt shows one neighbour's balance to the unit; no sum in an endorsed one is a leaf's.
TEST_F(EndorsedCrowd, NoSumShownIsAnAccountsBalance) {
    for (std::size_t i = 0; i < 20; ++i) {
        const EndorsedReceipt one = receipt("m" + std::to_string(i));
        for (const tree::Step& step : one.path) {
            EXPECT_GT(step.sibling.sum, Amount::of(64 * 100 - 100));
        }
    }
}

// ---- Elected committees: their keys die with the term -------------------------------------------

TEST(EndorsedByElected, TheCommitteeInOfficeEndorsesTheCycleBlockOfTheOneBefore) {
    const auto names = testing::numbered(4);
    testing::Candidates town(names);
    for (int i = 0; i < 3; ++i) town.pass_cycle(i < 2 ? testing::Names{} : names, names);
    LedgerWorld& world = town.world;
    const protocol::ElectionRecord record = world.election();
    const Seal& head = world.seals.back();
    ASSERT_EQ(record.first_sequence, head.header.sequence);
    ASSERT_NE(record.present, record.former);
    std::vector<crypto::KeyPair> keys;
    for (const protocol::Seat& seat : record.present) {
        for (const crypto::KeyPair& key : world.voters) {
            if (key.public_key() == seat.vote_key) keys.push_back(key);
        }
    }
    ASSERT_EQ(keys.size(), record.present.size());
    const auto good = endorsed_by(world, head, id_of("c0"), record.cycle, keys);
    const auto proven = verify(good, world.organization.treasury);
    ASSERT_TRUE(proven) << to_string(proven.error());
    ASSERT_TRUE(proven->holding);
    EXPECT_EQ(proven->holding->frozen, Amount::of(1'000));
    // The committee before has certified the block, and has no say behind it.
    EndorsedReceipt bad = good;
    bad.committees.pop_back();
    EXPECT_FALSE(verify(bad, world.organization.treasury));
    EXPECT_EQ(verify(endorsed_by(world, head, id_of("c0"), record.cycle - 1, keys),
                     world.organization.treasury)
                  .error(),
              ReceiptError::bad_claim);
    // The same committee on the next block of its term.
    world.seal({world.transfer("c0", "c1", 5)}, world.next_pulse());
    const auto later =
        verify(endorsed_by(world, world.seals.back(), id_of("c1"), record.cycle, keys),
               world.organization.treasury);
    ASSERT_TRUE(later) << to_string(later.error());
    EXPECT_EQ(later->holding->balance, Amount::of(9'005));
}

}  // namespace
}  // namespace leither::ledger
