#include "leither/wallet/known.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/wallet/handed.h"

#include "desk_world.h"

namespace leither::wallet {
namespace {

using testing::DeskWorld;
using testing::kNowMs;

constexpr std::uint64_t kFirst = 7ull << 20;

class KnownTest : public ::testing::Test, protected DeskWorld {
 protected:
    KnownTest() {
        known.charter.name = BoundedText<64>("Market");
        known.charter.time_ms = kNowMs - 500'000;  // 500 pulses ago
        known.learned_ms = kNowMs;
        known.head = Pulse(499);
        known.expiry_pulses_max = 600;
        known.accounts.push_back({payer.id(), Amount::of(100), {kFirst, kFirst, kFirst, kFirst}});
        known.keys_of_members.push_back(payee.public_key());
    }
    ChainId chain() const { return known.chain(); }
    Result<Draft, OfflineRefused> draft(std::uint64_t amount = 5,
                                        std::uint64_t now_ms = kNowMs) const {
        return offline_draft(known, journal, payer.id(), Amount::of(amount), now_ms);
    }
    OfflineRefusal refusal(std::uint64_t amount = 5, std::uint64_t now_ms = kNowMs) const {
        const auto drafted = draft(amount, now_ms);
        EXPECT_FALSE(drafted);
        return drafted ? OfflineRefusal::known_too_old : drafted.error().code;
    }
    // Signed, written down, and so far nobody's.
    Paying sign(std::uint64_t amount = 5) {
        const auto asked = request(amount, std::to_string(++asked_), Pulse(1'000), chain());
        const Paying paying{kNowMs, Cause::by_hand, chain(), pay(*draft(amount), asked, payer)};
        journal.add(paying);
        return paying;
    }

    KnownOrganization known;
    Journal journal;
    int asked_ = 0;
};

TEST_F(KnownTest, EachPaymentHasALaneOfItsOwnAndNeitherIsTheOnlineWallets) {
    std::vector<std::uint8_t> lanes;
    for (std::size_t i = 0; i < kOfflineLaneCount; ++i) {
        const auto paying = sign();
        lanes.push_back(paying.transaction.body.nonce.lane);
        EXPECT_TRUE(is_offline_lane(lanes.back()));
        EXPECT_EQ(paying.transaction.body.nonce.counter, kFirst);
        EXPECT_EQ(paying.transaction.body.expiry, Pulse(500 + 600));
    }
    std::ranges::sort(lanes);
    EXPECT_EQ(std::ranges::adjacent_find(lanes), lanes.end());
    EXPECT_FALSE(is_offline_lane(0));
    EXPECT_FALSE(is_offline_lane(1));
    EXPECT_FALSE(is_offline_lane(protocol::kNodeLane));
    EXPECT_EQ(refusal(), OfflineRefusal::lanes_taken);
    // Request and transaction expire; the request is earlier.
    EXPECT_EQ(draft().error().limit, 1'000u);
}

TEST_F(KnownTest, ALaneIsFreeOnceItsPaymentIsInABlockOrAnotherHasItsPlace) {
    const auto first = sign();
    EXPECT_EQ(open_payments(known, journal, payer.id()).size(), 1u);
    known.accounts[0].counters[0] = kFirst + 1;
    EXPECT_TRUE(open_payments(known, journal, payer.id()).empty());
    EXPECT_FALSE(is_dead(known, first)) << "it may be the one in the block";
    EXPECT_EQ(draft()->nonce.counter, kFirst + 1);
    EXPECT_EQ(draft()->nonce.lane, first.transaction.body.nonce.lane);
}

TEST_F(KnownTest, ALaneIsFreeOnceADecidedBlockIsBehindTheExpiryAndNotBefore) {
    const auto first = sign();
    known.head = Pulse(1'000);
    EXPECT_FALSE(is_dead(known, first));
    EXPECT_NE(draft()->nonce.lane, first.transaction.body.nonce.lane);
    known.head = Pulse(1'001);
    EXPECT_TRUE(is_dead(known, first));
    EXPECT_EQ(draft()->nonce, first.transaction.body.nonce) << "the same place again";
}

TEST_F(KnownTest, WhatWasSignedAtANodeTakesNoLane) {
    journal.add(paying(request(5, "bread", Pulse(1'000), chain())));
    EXPECT_TRUE(open_payments(known, journal, payer.id()).empty());
}

TEST_F(KnownTest, ThePrecedenceOfRefusals) {
    EXPECT_TRUE(draft(100));
    EXPECT_EQ(refusal(101), OfflineRefusal::insufficient_balance);
    sign(60);
    EXPECT_EQ(refusal(41), OfflineRefusal::insufficient_balance) << "what is signed counts";
    EXPECT_TRUE(draft(40));
    known.accounts[0].counters.clear();
    EXPECT_EQ(refusal(), OfflineRefusal::not_a_member);
    known.accounts.clear();
    EXPECT_EQ(refusal(), OfflineRefusal::not_a_member);
    EXPECT_EQ(refusal(5, kNowMs - 60'001), OfflineRefusal::clock_behind);
    EXPECT_EQ(refusal(5, kNowMs + kKnownForMs + 1), OfflineRefusal::known_too_old);
}

TEST_F(KnownTest, GoodForThirtyDaysToTheMillisecond) {
    EXPECT_TRUE(check_age(known, kNowMs + kKnownForMs));
    EXPECT_FALSE(check_age(known, kNowMs + kKnownForMs + 1));
    EXPECT_TRUE(check_age(known, kNowMs - 60'000)) << "a clock that was just set";
}

TEST_F(KnownTest, IsReadBackAsItWasWrittenAndNoOtherWay) {
    Known all;
    all.learn(known);
    const Bytes file = all.encode();
    const auto read = Known::parse(file);
    ASSERT_TRUE(read);
    ASSERT_NE(read->find(chain()), nullptr);
    EXPECT_EQ(*read->find(chain()), known);
    EXPECT_EQ(read->find(testing::kChain), nullptr);
    EXPECT_TRUE(Known::parse({})) << "no file";
    for (const std::size_t size : {std::size_t{1}, file.size() / 2, file.size() - 1}) {
        EXPECT_FALSE(Known::parse(ByteView(file).first(size))) << size;
    }
    Bytes longer = file;
    longer.push_back(0);
    EXPECT_FALSE(Known::parse(longer));
}

TEST_F(KnownTest, AccountsAndKeysStandOnceAndInOrder) {
    EXPECT_TRUE(known.is_canonical());
    known.accounts.push_back(known.accounts.front());
    EXPECT_FALSE(known.is_canonical());
    known.accounts.pop_back();
    known.keys_of_members.push_back(known.keys_of_members.front());
    EXPECT_FALSE(known.is_canonical());
    EXPECT_FALSE((KnownAccount{payer.id(), Amount(), {kFirst}}).is_canonical());
}

TEST_F(KnownTest, TheLongestUnheardOfGoesWhenThereAreTooMany) {
    Known all;
    for (std::size_t i = 0; i <= kKnownOrganizationsMax; ++i) {
        known.charter.name = BoundedText<64>(std::to_string(i));
        known.learned_ms = kNowMs + (i == 3 ? 0 : i + 1);
        all.learn(known);
    }
    EXPECT_EQ(all.organizations().size(), kKnownOrganizationsMax);
    for (const auto& one : all.organizations()) EXPECT_NE(one.charter.name, "3");
    const std::size_t before = all.organizations().size();
    all.learn(known);
    EXPECT_EQ(all.organizations().size(), before) << "in its own place";
    ASSERT_TRUE(Known::parse(all.encode()));
}

TEST_F(KnownTest, TheLargestIsStillReadBack) {
    known.accounts.clear();
    for (std::size_t i = 0; i < kKnownAccountsMax; ++i) {
        Bytes id(20, 0);
        id[0] = static_cast<std::uint8_t>(i);
        known.accounts.push_back({Id::copy_of(id), Amount::of(1), {1, 2, 3, 4}});
    }
    known.keys_of_members.clear();
    for (std::size_t i = 0; i < kKnownMembersMax; ++i) {
        Bytes key(32, 0);
        key[0] = static_cast<std::uint8_t>(i >> 8);
        key[1] = static_cast<std::uint8_t>(i);
        known.keys_of_members.push_back(PublicKey::copy_of(key));
    }
    known.charter.announcement = protocol::LongText(std::string(protocol::LongText::kMax, 'a'));
    Known all;
    for (std::size_t i = 0; i < kKnownOrganizationsMax; ++i) {
        known.charter.name = BoundedText<64>(std::to_string(i));
        all.learn(known);
    }
    const Bytes file = all.encode();
    EXPECT_LE(file.size(), kKnownBytesMax);
    EXPECT_TRUE(Known::parse(file));
}

TEST_F(KnownTest, APayeesKeyIsKnownAsAMembers) {
    EXPECT_EQ(known.key_of_member(payee.id()), payee.public_key());
    EXPECT_EQ(known.key_of_member(payer.id()), std::nullopt);
}

// ---- The payment on its way
// ----------------------------------------------------------------------

class Handed : public KnownTest {
 protected:
    Handed() : payment{chain(), payer.public_key(), sign().transaction} {}
    HandedPayment payment;
};

TEST_F(Handed, IsReadBackInBothCasesAndNoOtherWay) {
    const std::string text = to_text(payment);
    EXPECT_TRUE(text.starts_with("leither:paid:"));
    for (const std::string& form : {text, in_capitals(text)}) {
        const auto read = handed_from_text(form);
        ASSERT_TRUE(read);
        EXPECT_EQ(to_text(*read), text);
        EXPECT_TRUE(is_signed_by_payer(*read));
        EXPECT_TRUE(is_signed_by(request_in(*read), payee.public_key()));
    }
    std::string damaged = text;
    damaged[40] = damaged[40] == 'q' ? 'p' : 'q';
    EXPECT_EQ(handed_from_text(damaged).error(), LinkFault::damaged);
    EXPECT_EQ(handed_from_text(text.substr(1)).error(), LinkFault::other_kind);
}

TEST_F(Handed, HoldsTheLongestReferenceWithinOneQrCode) {
    const auto asked = request(5, std::string(protocol::Text::kMax, 'r'), Pulse(1'000), chain());
    payment.transaction = pay(*draft(), asked, payer);
    constexpr std::size_t kVersion25 = 1'853;  // alphanumeric characters, error correction L
    EXPECT_LE(to_text(payment).size(), kVersion25);
}

TEST_F(Handed, ASignatureOfAnotherIsSeen) {
    payment.transaction.body.expiry = Pulse(1'099);
    EXPECT_FALSE(is_signed_by_payer(payment));
    payment.payer = payee.public_key();
    EXPECT_FALSE(payment.is_canonical()) << "not who is named as payer";
    EXPECT_EQ(handed_from_text(to_text(payment)).error(), LinkFault::not_readable);
}

TEST_F(Handed, OnlyATransferSignedByTwoIsOne) {
    EXPECT_TRUE(payment.is_canonical());
    auto other = payment;
    other.transaction.signatures.pop_back();
    EXPECT_FALSE(other.is_canonical());
    other = payment;
    other.transaction.body.cosigners.push_back(payee.id());
    EXPECT_FALSE(other.is_canonical());
    other.transaction = wallet::sign(*draft(), protocol::Cancel{}, payer, nullptr);
    EXPECT_FALSE(other.is_canonical());
}

TEST_F(Handed, MustBeHandedInBeforeEitherExpires) {
    EXPECT_EQ(hand_in_until(payment.transaction), Pulse(1'000)) << "the request's";
    const auto late = request(5, "bread", Pulse(9'000), chain());
    EXPECT_EQ(hand_in_until(pay(*draft(), late, payer)), Pulse(1'100)) << "the transaction's";
}

TEST_F(Handed, StandsWhereTheLedgerSaysUntilItIsOver) {
    using State = TransactionFate::State;
    const Paying paying{kNowMs, Cause::by_hand, chain(), payment.transaction};
    const auto at = [&](State state, std::uint64_t now, std::uint64_t head,
                        std::uint64_t counter = kFirst) {
        Former former{&paying, {}, counter};
        former.fate.state = state;
        return status_of(paying, former, {chain(), Pulse(now), Pulse(head)});
    };
    EXPECT_EQ(at(State::unknown, 600, 600).state, PaymentState::pending);
    EXPECT_EQ(at(State::pending, 1'001, 1'000).state, PaymentState::pending);
    EXPECT_EQ(at(State::committed, 9'999, 9'999, kFirst + 1).state, PaymentState::committed);
    EXPECT_EQ(at(State::refused, 600, 600).state, PaymentState::refused);
    EXPECT_EQ(at(State::unknown, 600, 600, kFirst + 1).state, PaymentState::refused) << "cancelled";
    EXPECT_EQ(at(State::unknown, 1'001, 1'000).state, PaymentState::expired);
    EXPECT_FALSE(at(State::unknown, 1'001, 1'000).is_proven);
    EXPECT_TRUE(at(State::unknown, 1'001, 1'001).is_proven);
}

}  // namespace
}  // namespace leither::wallet
