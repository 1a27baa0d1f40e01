#include "leither/election/pledged.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "leither/crypto/hash.h"
#include "leither/crypto/sign.h"

namespace leither::election {
namespace {

using protocol::LastBlock;
using protocol::Refusal;

const ChainId kChain = ChainId::copy_of(Bytes(32, 0xcc));

crypto::KeyPair key_of(std::size_t n) {
    return crypto::derive_key({}, n);
}

// Three candidates with pledges of 50, 20 and 30.
class PledgedTest : public ::testing::Test {
 protected:
    PledgedTest() {
        const std::uint64_t pledges[] = {50, 20, 30};
        for (std::size_t i = 0; i < 3; ++i) {
            Id member;
            member[0] = static_cast<std::uint8_t>(i + 1);
            table_.rows.push_back({member, key_of(i).public_key(), Amount::of(pledges[i])});
        }
        record_.cycle = 4;
        record_.present.push_back({table_.rows[0].member, {}, {}});
        record_.next.seats.push_back({table_.rows[2].member, key_of(2).public_key(), {}});
        last_ = {4, Sequence(77), Hash::copy_of(Bytes(32, 0x77))};
    }

    std::vector<RowSignature> signed_by(std::initializer_list<std::uint16_t> rows,
                                        const Bytes& message) const {
        std::vector<RowSignature> all;
        for (const std::uint16_t row : rows) all.push_back({row, key_of(row).sign(message)});
        return all;
    }
    static std::vector<CheckpointSignature> by_nodes(const std::vector<RowSignature>& rows) {
        std::vector<CheckpointSignature> all;
        for (const auto& row : rows) all.push_back({key_of(row.row).public_key(), row.signature});
        std::ranges::sort(all, {}, &CheckpointSignature::node_key);
        return all;
    }
    Refusal checkpoint_refused(const std::vector<RowSignature>& rows) const {
        return checkpoint_refused(by_nodes(rows));
    }
    Refusal checkpoint_refused(const std::vector<CheckpointSignature>& signatures) const {
        const auto verdict = check_checkpoint(kChain, last_, table_, signatures);
        return verdict ? Refusal::stopping : verdict.error().code;
    }
    Standing standing() const { return {kChain, record_, table_, last_}; }

    protocol::CandidateTable table_;
    protocol::ElectionRecord record_;
    LastBlock last_;
};

TEST_F(PledgedTest, ACheckpointNeedsMoreThanTwoThirdsOfThePledge) {
    const Bytes message = checkpoint_message(kChain, last_);
    EXPECT_EQ(checkpoint_refused(signed_by({0, 1}, message)), Refusal::stopping);
    EXPECT_EQ(checkpoint_refused(signed_by({0, 1, 2}, message)), Refusal::stopping);
    EXPECT_EQ(checkpoint_refused(signed_by({1, 2}, message)), Refusal::too_little_pledge);
    EXPECT_EQ(checkpoint_refused(signed_by({0}, message)), Refusal::too_little_pledge);
    table_.rows[0].pledge = Amount::of(50);
    table_.rows[1].pledge = Amount::of(50);
    table_.rows[2].pledge = Amount::of(50);
    EXPECT_EQ(checkpoint_refused(signed_by({0, 1}, message)), Refusal::too_little_pledge);
}

TEST_F(PledgedTest, NobodyCountsTwiceAndNobodySignsForAnother) {
    const Bytes message = checkpoint_message(kChain, last_);
    auto twice = signed_by({0, 0}, message);
    EXPECT_EQ(checkpoint_refused(twice), Refusal::bad_signature);
    auto stranger = signed_by({0, 1}, message);
    stranger[1].row = 2;
    EXPECT_EQ(checkpoint_refused(stranger), Refusal::bad_signature);
    auto unsorted = by_nodes(signed_by({0, 1}, message));
    std::ranges::reverse(unsorted);
    EXPECT_EQ(checkpoint_refused(unsorted), Refusal::bad_signature);
    LastBlock other = last_;
    other.sequence = Sequence(78);
    EXPECT_EQ(checkpoint_refused(signed_by({0, 1}, checkpoint_message(kChain, other))),
              Refusal::bad_signature);
    // A recovery's signature is no checkpoint's.
    EXPECT_EQ(checkpoint_refused(signed_by({0, 1}, signing_message(kChain, last_))),
              Refusal::bad_signature);
}

TEST_F(PledgedTest, WhoseNodeHasNoPledgeCountsNothing) {
    const Bytes message = checkpoint_message(kChain, last_);
    // Released since, or never pledged: whatever it has signed weighs nothing, and harms nothing.
    EXPECT_EQ(checkpoint_refused(signed_by({0, 7}, message)), Refusal::too_little_pledge);
    auto with_stranger = by_nodes(signed_by({0, 1, 7}, message));
    EXPECT_EQ(checkpoint_refused(with_stranger), Refusal::stopping);
    for (auto& each : with_stranger) {
        if (each.node_key == key_of(7).public_key()) each.signature = {};
    }
    EXPECT_EQ(checkpoint_refused(with_stranger), Refusal::stopping);
}

TEST_F(PledgedTest, OneNodeAnswersWithAllPledgesThatNameIt) {
    const Bytes message = checkpoint_message(kChain, last_);
    EXPECT_EQ(checkpoint_refused(signed_by({1}, message)), Refusal::too_little_pledge);
    table_.rows[0].node_key = key_of(1).public_key();
    EXPECT_EQ(checkpoint_refused(signed_by({1}, message)), Refusal::stopping);
    EXPECT_EQ(pledge_by_node(table_).at(key_of(1).public_key()), Amount::of(70));
}

TEST_F(PledgedTest, AnEmptyTableDecidesNothing) {
    table_.rows.clear();
    EXPECT_EQ(checkpoint_refused(std::vector<CheckpointSignature>{}), Refusal::too_little_pledge);
}

TEST_F(PledgedTest, ARecoverySeatsTheNextCommittee) {
    protocol::Recovery act;
    act.last = last_;
    for (const auto& each : signed_by({0, 1}, signing_message(kChain, last_))) {
        act.signatures.push_back(each);
    }
    const auto seats = check_recovery(standing(), act);
    ASSERT_TRUE(seats.has_value());
    EXPECT_EQ(*seats, record_.next.seats);
    record_.next.seats.clear();
    EXPECT_EQ(check_recovery(standing(), act).error().code, Refusal::no_next_committee);
    last_.hash[0] ^= 1;
    EXPECT_EQ(check_recovery(standing(), act).error().code, Refusal::not_last_block);
}

TEST_F(PledgedTest, AHandOverNeedsMostCandidatesAndATinyCommittee) {
    protocol::HandOver act;
    act.last = last_;
    act.seats.push_back({table_.rows[1].member, key_of(1).public_key(), key_of(1).public_key()});
    const protocol::Seats seats(act.seats.begin(), act.seats.end());
    for (const auto& each : signed_by({0, 2}, countersigning_message(kChain, last_, seats))) {
        act.countersigned.push_back(each);
    }
    ASSERT_TRUE(check_hand_over(standing(), act).has_value());
    EXPECT_EQ(*check_hand_over(standing(), act), seats);

    auto bad = act;
    bad.countersigned.pop_back();
    EXPECT_EQ(check_hand_over(standing(), bad).error(),
              (Refused{Refusal::too_few_countersignatures, 1, 2}));
    bad = act;
    bad.seats[0].member = table_.rows[2].member;  // not what they countersigned
    EXPECT_EQ(check_hand_over(standing(), bad).error(), (Refused{Refusal::bad_signature, 0, 0}));
    record_.present.resize(4);
    EXPECT_EQ(check_hand_over(standing(), act).error(),
              (Refused{Refusal::committee_not_tiny, 4, 3}));
}

}  // namespace
}  // namespace leither::election
