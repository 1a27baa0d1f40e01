#include "leither/wallet/journal.h"

#include <gtest/gtest.h>

#include "desk_world.h"

namespace leither::wallet {
namespace {

using testing::kChain;
using testing::kNowMs;

class JournalTest : public ::testing::Test, protected testing::DeskWorld {
 protected:
    std::string file_of(const std::vector<JournalRecord>& records) const {
        std::string text(kJournalHeading);
        for (const auto& record : records) text += to_line(record);
        return text;
    }
    // One of each kind, about two requests.
    std::vector<JournalRecord> all_kinds() const {
        const auto ours = request(5);
        const auto theirs = request(6);
        return {
            Asked{kNowMs, ours, sealed_to(payer.id())},
            Posted{kNowMs, request_id(ours), Hash{}},
            Refused{kNowMs, request_id(ours), protocol::Text("no")},
            paying(theirs),
            NotTaken{kNowMs, request_id(theirs), Hash{}, protocol::Text("insufficient_balance")},
            Declined{kNowMs, {kChain, request_id(theirs), protocol::Text("later")}, std::nullopt}};
    }
};

TEST_F(JournalTest, EveryKindOfRecordReadsBack) {
    const auto records = all_kinds();
    const auto journal = Journal::parse(file_of(records));
    ASSERT_TRUE(journal);
    ASSERT_EQ(journal->records().size(), records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
        EXPECT_EQ(to_line(journal->records()[i]), to_line(records[i]));
    }
    const Hash ours = request_id(request(5));
    const Hash theirs = request_id(request(6));
    ASSERT_NE(journal->asked(ours), nullptr);
    EXPECT_EQ(journal->asked(ours)->refusal, protocol::Text("no"));
    EXPECT_TRUE(journal->asked(ours)->message.has_value());
    ASSERT_NE(journal->paying(theirs), nullptr);
    EXPECT_EQ(request_of(*journal->paying(theirs)).amount, Amount::of(6));
    EXPECT_NE(journal->not_taken(theirs), nullptr);
    EXPECT_NE(journal->declined(theirs), nullptr);
    EXPECT_EQ(journal->asked(theirs), nullptr);
    EXPECT_EQ(journal->paying(ours), nullptr);
}

TEST_F(JournalTest, AWriteCutOffAnywhereIsAsIfItHadNotBegun) {
    const auto records = all_kinds();
    const std::string whole = file_of(records);
    const std::size_t last = whole.size() - to_line(records.back()).size();
    for (std::size_t size = last; size < whole.size(); size += 7) {
        const auto journal = Journal::parse(std::string_view(whole).substr(0, size));
        ASSERT_TRUE(journal) << size;
        EXPECT_EQ(journal->records().size(), records.size() - 1) << size;
    }
    for (std::size_t size = 0; size <= kJournalHeading.size(); ++size) {
        const auto journal = Journal::parse(std::string_view(whole).substr(0, size));
        ASSERT_TRUE(journal) << size;
        EXPECT_TRUE(journal->records().empty());
    }
}

TEST_F(JournalTest, DamageIsNamedAndNotReadOver) {
    const std::string whole = file_of(all_kinds());
    std::string altered = whole;
    altered[kJournalHeading.size() + 1] = 'z';
    EXPECT_EQ(Journal::parse(altered).error(), JournalError::damaged);
    altered = whole;
    altered.insert(kJournalHeading.size(), "\n");
    EXPECT_EQ(Journal::parse(altered).error(), JournalError::damaged);
    EXPECT_EQ(Journal::parse("leither-wallet-journal-2\n").error(), JournalError::unknown_version);
    EXPECT_EQ(Journal::parse("something else").error(), JournalError::unknown_version);
    EXPECT_EQ(Journal::parse(std::string(kJournalBytesMax + 1, 'a')).error(),
              JournalError::too_long);
}

TEST_F(JournalTest, WhatIsSignedButNoTransferIsNoRecord) {
    auto record = paying(request(5));
    record.transaction.body.action = protocol::Cancel{};
    EXPECT_EQ(Journal::parse(file_of({record})).error(), JournalError::damaged);
}

TEST_F(JournalTest, LettersThatWereNotPostedAreKnown) {
    Journal journal;
    const auto first = request(5);
    journal.add(Asked{kNowMs, first, sealed_to(payer.id())});
    journal.add(Asked{kNowMs, request(6), std::nullopt});  // goes by no letter
    const Hash declined = request_id(request(7));
    journal.add(Declined{kNowMs, {kChain, declined, {}}, sealed_to(payee.id())});
    ASSERT_EQ(journal.unposted(kChain).size(), 2u);
    EXPECT_TRUE(journal.unposted(testing::kOtherChain).empty()) << "another node's to post";
    journal.add(Posted{kNowMs, request_id(first), Hash{}});
    ASSERT_EQ(journal.unposted(kChain).size(), 1u);
    EXPECT_EQ(journal.unposted(kChain)[0].request, declined);
    EXPECT_EQ(journal.unposted(kChain)[0].letter.recipient, payee.id());
    journal.add(Posted{kNowMs, declined, Hash{}});
    EXPECT_TRUE(journal.unposted(kChain).empty());
}

TEST_F(JournalTest, OnlyThePolicysPaymentsOfTheDayCountAgainstIt) {
    Journal journal;
    const auto spent = [&] {
        return journal.spent_by_policy({kChain, payee.id(), kNowMs - kDayMs, Hash{}}).units();
    };
    journal.add(paying(request(5), Cause::by_policy));
    journal.add(paying(request(7), Cause::by_policy, kNowMs - kDayMs));
    EXPECT_EQ(spent(), 12u);
    journal.add(paying(request(100), Cause::by_hand));
    journal.add(paying(request(200), Cause::by_policy, kNowMs - kDayMs - 1));
    journal.add(
        paying(request(300, "bread", Pulse(1'000), testing::kOtherChain), Cause::by_policy));
    EXPECT_EQ(spent(), 12u);
    EXPECT_EQ(journal.spent_by_policy({kChain, stranger.id(), 0, Hash{}}), Amount{});
    EXPECT_EQ(journal.spent_by_policy({kChain, payee.id(), 0, request_id(request(5))}),
              Amount::of(207));
    // Signed anew for the same request: counted once.
    journal.add(paying(request(5), Cause::by_policy, kNowMs + 1));
    EXPECT_EQ(spent(), 12u);
}

TEST_F(JournalTest, ANewSignatureEndsWhatWasSaidOfTheOneBefore) {
    Journal journal;
    const auto theirs = request(6);
    journal.add(paying(theirs));
    journal.add(NotTaken{kNowMs, request_id(theirs), Hash{}, protocol::Text("bad_nonce")});
    EXPECT_NE(journal.not_taken(request_id(theirs)), nullptr);
    journal.add(paying(theirs));
    EXPECT_EQ(journal.not_taken(request_id(theirs)), nullptr);
}

TEST_F(JournalTest, OldRecordsLeaveOnceTheyAreHalfOfTheFile) {
    Journal journal;
    for (std::uint64_t i = 0; i < 63; ++i) journal.add(paying(request(1 + i)));
    const std::uint64_t later = kNowMs + kKeptMs + 1;
    EXPECT_FALSE(journal.compacted(later)) << "63 are not worth it";
    journal.add(paying(request(64)));
    EXPECT_FALSE(journal.compacted(kNowMs + kKeptMs)) << "not old yet";
    for (std::uint64_t i = 0; i < 64; ++i)
        journal.add(paying(request(100 + i), Cause::by_hand, later));
    const auto text = journal.compacted(later);
    ASSERT_TRUE(text);
    const auto shorter = Journal::parse(*text);
    ASSERT_TRUE(shorter);
    EXPECT_EQ(shorter->records().size(), 64u);
    EXPECT_EQ(shorter->paying(request_id(request(1))), nullptr);
    EXPECT_NE(shorter->paying(request_id(request(100))), nullptr);
    journal.add(paying(request(500), Cause::by_hand, later));
    EXPECT_FALSE(journal.compacted(later)) << "more is kept than would go";
}

TEST_F(JournalTest, RequestsAndPaymentsComeByTime) {
    Journal journal;
    journal.add(Asked{kNowMs + 2, request(5), std::nullopt});
    journal.add(Asked{kNowMs + 1, request(6), std::nullopt});
    ASSERT_EQ(journal.own_requests().size(), 2u);
    EXPECT_EQ(journal.own_requests()[0]->asked.request.request.amount, Amount::of(6));
    journal.add(paying(request(8), Cause::by_hand, kNowMs + 2));
    journal.add(paying(request(9), Cause::by_hand, kNowMs + 1));
    ASSERT_EQ(journal.payments().size(), 2u);
    EXPECT_EQ(request_of(*journal.payments()[0]).amount, Amount::of(9));
}

}  // namespace
}  // namespace leither::wallet
