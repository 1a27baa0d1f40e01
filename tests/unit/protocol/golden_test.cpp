#include "support/golden.h"

#include <gtest/gtest.h>

#include "leither/protocol/acknowledgement.h"
#include "leither/protocol/agreement.h"

namespace leither::protocol {
namespace {

template <class T>
class Golden : public ::testing::Test {};

#define GOLDEN_TYPES                                                                               \
    Record, MemberRecord, TreasuryRecord, BookkeepingRecord, Params, Transaction, TransactionBody, \
        Action, PaymentRequest, Application, Charter, SignedCharter, Genesis, BlockHeader, Slot,   \
        Certificate, ElectionRecord, CandidateTable, TallyRecord, VoteRecord, Conflict, HandOver,  \
        Recovery, Earn, Vote, ProposalClaim, Proposal, Heartbeat, Status, Decision, Fork,          \
        Acknowledgements

struct Names {
    template <class T>
    static std::string GetName(int i) {
        static constexpr const char* kNames[] = {"Record",
                                                 "MemberRecord",
                                                 "TreasuryRecord",
                                                 "BookkeepingRecord",
                                                 "Params",
                                                 "Transaction",
                                                 "TransactionBody",
                                                 "Action",
                                                 "PaymentRequest",
                                                 "Application",
                                                 "Charter",
                                                 "SignedCharter",
                                                 "Genesis",
                                                 "BlockHeader",
                                                 "Slot",
                                                 "Certificate",
                                                 "ElectionRecord",
                                                 "CandidateTable",
                                                 "TallyRecord",
                                                 "VoteRecord",
                                                 "Conflict",
                                                 "HandOver",
                                                 "Recovery",
                                                 "Earn",
                                                 "Vote",
                                                 "ProposalClaim",
                                                 "Proposal",
                                                 "Heartbeat",
                                                 "Status",
                                                 "Decision",
                                                 "Fork",
                                                 "Acknowledgements"};
        return kNames[i];
    }
};
using Types = ::testing::Types<GOLDEN_TYPES>;
TYPED_TEST_SUITE(Golden, Types, Names);

TYPED_TEST(Golden, EncodingIsFrozen) {
    const std::string suite =
        ::testing::UnitTest::GetInstance()->current_test_info()->test_suite_name();
    const std::string type = suite.substr(suite.find('/') + 1);
    const auto digests = testing::golden_file("protocol.txt");
    ASSERT_TRUE(digests.contains(type)) << type << ' ' << testing::golden_digest<TypeParam>();
    EXPECT_EQ(testing::golden_digest<TypeParam>(), digests.at(type))
        << "the encoding of " << type << " has changed: see docs/protocol/encoding.md";
}

TYPED_TEST(Golden, DecodesToTheSameBytes) {
    Prng prng(7);
    for (int i = 0; i < 200; ++i) {
        const Bytes bytes = bcs::encode(testing::generate<TypeParam>(prng));
        const auto decoded = bcs::decode<TypeParam>(bytes);
        ASSERT_TRUE(decoded.has_value()) << bcs::to_string(decoded.error());
        EXPECT_EQ(bcs::encode(*decoded), bytes);
    }
}

}  // namespace
}  // namespace leither::protocol
