#include "leither/ledger/receipt.h"

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"

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

}  // namespace
}  // namespace leither::ledger
