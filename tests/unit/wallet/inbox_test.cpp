#include "leither/wallet/inbox.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "leither/wallet/explain.h"

#include "desk_world.h"

namespace leither::wallet {
namespace {

using testing::kChain;
using testing::kNowMs;
using testing::kOtherChain;
using State = TransactionFate::State;

// One payer's desk in virtual time: pulses are set, and the ledger says what the test says.
class Inbox : public ::testing::Test, protected testing::DeskWorld {
 protected:
    Inbox() { policy.push_back({kChain, payee.id(), Amount::of(100), Amount::of(150)}); }

    std::vector<InboxItem> items() {
        InboxFacts facts;
        facts.time = time;
        facts.now_ms = kNowMs;
        facts.fate = [this](const Hash& id, const Id& signer) {
            EXPECT_EQ(signer, payer.id());
            const auto found = fates.find(id);
            return found == fates.end() ? TransactionFate{} : found->second;
        };
        facts.is_member = [this](const Id& account) { return members.contains(account); };
        return inbox(letters, journal, policy, facts);
    }
    InboxItem only() {
        const auto all = items();
        EXPECT_EQ(all.size(), 1u);
        return all.at(0);
    }
    Hash sign(const SignedRequest& request, Cause cause = Cause::by_hand) {
        journal.add(paying(request, cause));
        return id_of(paying(request, cause));
    }

    LedgerTime time{kChain, Pulse(100), Pulse(99)};
    Journal journal;
    Policy policy;
    std::vector<OpenedLetter> letters;
    std::map<Hash, TransactionFate> fates;
    std::set<Id> members;
};

TEST_F(Inbox, ARequestIsWaitingAcceptedAndPaid) {
    const auto asked = request(5);
    letters.push_back(letter(asked));
    EXPECT_EQ(only().state, ItemState::waiting);
    EXPECT_EQ(only().id, request_id(asked));
    EXPECT_EQ(only().account, payer.id());
    ASSERT_TRUE(only().why_waiting);
    EXPECT_EQ(only().why_waiting->verdict, PolicyVerdict::pays);
    const Hash id = sign(asked);
    EXPECT_EQ(only().state, ItemState::accepted);
    EXPECT_EQ(only().transaction, id);
    fates[id] = {State::pending, {}, {}};
    EXPECT_EQ(only().state, ItemState::accepted);
    fates[id] = {State::committed, PaymentState::secured, {}};
    EXPECT_EQ(only().state, ItemState::paid);
}

TEST_F(Inbox, WhyItWaitsIsSaidByThePolicy) {
    letters.push_back(letter(request(101)));
    EXPECT_EQ(only().why_waiting->verdict, PolicyVerdict::above_amount_max);
    letters = {letter(request(60))};
    journal.add(paying(request(100), Cause::by_policy));
    EXPECT_EQ(only().why_waiting,
              (PolicyAnswer{PolicyVerdict::above_per_day, Amount::of(160), Amount::of(150)}));
    policy.clear();
    EXPECT_EQ(only().why_waiting->verdict, PolicyVerdict::no_rule);
}

TEST_F(Inbox, TheSameRequestTwiceIsOneItem) {
    letters = {letter(request(5)), letter(request(5)), letter(request(6))};
    EXPECT_EQ(items().size(), 2u);
    EXPECT_EQ(items()[0].letter, letters[0].message);
    EXPECT_EQ(items()[0].words, "Please pay.");
}

TEST_F(Inbox, ARefusedPaymentWaitsAgainWithItsReason) {
    const auto asked = request(5);
    letters.push_back(letter(asked));
    const Hash id = sign(asked);
    fates[id] = {State::refused, {}, "insufficient_balance"};
    EXPECT_EQ(only().state, ItemState::waiting);
    EXPECT_EQ(only().refusal, "insufficient_balance");
    // The node has forgotten, the journal has not.
    fates.clear();
    journal.add(NotTaken{kNowMs, request_id(asked), id, protocol::Text("insufficient_balance")});
    EXPECT_EQ(only().state, ItemState::waiting);
    EXPECT_EQ(only().refusal, "insufficient_balance");
}

TEST_F(Inbox, ARefusedPaymentOfThePolicyDoesNotStandInItsOwnWay) {
    const auto asked = request(100);  // of 150 a day
    letters.push_back(letter(asked));
    fates[sign(asked, Cause::by_policy)] = {State::refused, {}, "insufficient_balance"};
    EXPECT_EQ(only().why_waiting->verdict, PolicyVerdict::pays);
}

TEST_F(Inbox, WhatIsDeclinedAfterARefusalStaysDeclined) {
    const auto asked = request(5);
    letters.push_back(letter(asked));
    const Hash id = sign(asked, Cause::by_policy);
    fates[id] = {State::refused, {}, "insufficient_balance"};
    journal.add(Declined{kNowMs, {kChain, request_id(asked), {}}, std::nullopt});
    EXPECT_EQ(only().state, ItemState::declined) << "the policy must not try again";
    fates[id] = {State::committed, {}, {}};
    EXPECT_EQ(only().state, ItemState::paid) << "what is in a block is told all the same";
}

TEST_F(Inbox, DeclinedAndExpiredSayNothingOfWaiting) {
    const auto asked = request(5);
    letters.push_back(letter(asked));
    time.now = Pulse(1'000);
    EXPECT_EQ(only().state, ItemState::waiting) << "it holds up to its expiry";
    time.now = Pulse(1'001);
    EXPECT_EQ(only().state, ItemState::expired);
    EXPECT_FALSE(only().why_waiting);
    journal.add(Declined{kNowMs, {kChain, request_id(asked), {}}, std::nullopt});
    EXPECT_EQ(only().state, ItemState::declined);
}

TEST_F(Inbox, ADeadTransactionLetsTheRequestWaitAgain) {
    const auto asked = request(5);  // holds up to pulse 1000, the transaction up to 300
    letters.push_back(letter(asked));
    sign(asked);
    time = {kChain, Pulse(305), Pulse(300)};
    EXPECT_EQ(only().state, ItemState::accepted) << "a block of pulse 300 may still hold it";
    time.head = Pulse(301);
    EXPECT_EQ(only().state, ItemState::waiting);
    time = {kChain, Pulse(1'001), Pulse(1'001)};
    EXPECT_EQ(only().state, ItemState::expired);
}

TEST_F(Inbox, LeavesOutWhatIsForgedOrOfAnotherOrganization) {
    auto forged = request(5);
    forged.request.amount = Amount::of(50);
    letters = {letter(forged), letter(request(5, "bread", Pulse(1'000), kOtherChain)),
               letter("hello", payee), letter("leither:pay:zz", payee),
               letter(to_text(Decline{kChain, Hash{}, {}}), payee)};
    EXPECT_TRUE(items().empty());
}

TEST_F(Inbox, OtherTokensAreItemsOfTheirOwn) {
    letters = {letter("leither:submit:00", stranger), letter("leither:later:00", stranger)};
    ASSERT_EQ(items().size(), 2u);
    EXPECT_EQ(items()[0].kind, TokenKind::submission);
    EXPECT_EQ(items()[0].id, letters[0].message);
    EXPECT_EQ(items()[1].kind, TokenKind::other);
    EXPECT_STREQ(to_string(items()[1].kind), "letter");
    journal.add(Declined{kNowMs, {kChain, name_of("leither:submit:00"), {}}, std::nullopt});
    EXPECT_EQ(items()[0].state, ItemState::declined);
}

TEST_F(Inbox, AnApplicationWaitsUntilItIsDecidedOrOver) {
    const auto application = [this](const ChainId& chain) {
        protocol::Application body;
        body.applicant = stranger.public_key();
        body.expiry = Pulse(500);
        return sign_application(chain, body, stranger);
    };
    auto forged = application(kChain);
    forged.application.note = protocol::Text("more");
    letters = {letter(to_text(forged), stranger),
               letter(to_text(application(kOtherChain)), stranger)};
    EXPECT_TRUE(items().empty());
    const std::string text = to_text(application(kChain));
    letters = {letter("I bake.\n" + text, stranger)};
    EXPECT_EQ(only().kind, TokenKind::application);
    EXPECT_EQ(only().state, ItemState::waiting);
    EXPECT_EQ(only().words, "I bake.");
    time.now = Pulse(501);
    EXPECT_EQ(only().state, ItemState::expired);
    journal.add(Declined{kNowMs, {kChain, name_of(text), {}}, std::nullopt});
    EXPECT_EQ(only().state, ItemState::declined);
    members.insert(stranger.id());
    EXPECT_EQ(only().state, ItemState::accepted);
}

TEST_F(Inbox, NotesToOneselfAreNoItems) {
    letters = {letter("leither:join:00", payer), letter("leither:later:00", payer)};
    EXPECT_TRUE(items().empty());
}

TEST_F(Inbox, ARequestPassedOnWaitsForAWord) {
    letters = {letter(to_text(request(5)), stranger)};
    EXPECT_EQ(only().state, ItemState::waiting);
    EXPECT_EQ(only().why_waiting->verdict, PolicyVerdict::foreign_letter);
}

TEST_F(Inbox, OnlyTheOneWhoWasAskedCanRefuseAndOnlyOnce) {
    const auto ours = request(5);
    journal.add(Asked{kNowMs, ours, sealed_to(stranger.id())});
    const std::string no = to_text(Decline{kChain, request_id(ours), protocol::Text("no")});
    letters = {letter(no, payer)};
    EXPECT_TRUE(refusals_in(letters, journal, kNowMs).empty()) << "somebody else says so";
    letters = {letter(no, stranger), letter(no, stranger)};
    const auto refusals = refusals_in(letters, journal, kNowMs);
    ASSERT_EQ(refusals.size(), 1u);
    EXPECT_EQ(refusals[0].reason, protocol::Text("no"));
    journal.add(refusals[0]);
    EXPECT_TRUE(refusals_in(letters, journal, kNowMs).empty()) << "it is written down";
}

// ---- Signing at most once ----------------------------------------------------------------------

class NextStepTest : public Inbox {
 protected:
    NextStep step(State state, Pulse now, Pulse head,
                  std::optional<std::uint64_t> counter = std::nullopt) const {
        return next_step({&paying_, {state, {}, {}}, counter}, {kChain, now, head});
    }
    Paying paying_ = paying(request(5));  // nonce 5, up to pulse 300
};

TEST_F(NextStepTest, NothingSignedMeansSign) {
    EXPECT_EQ(next_step({}, time), NextStep::sign);
}

TEST_F(NextStepTest, WhatIsCommittedOrPendingIsNeverSignedAgain) {
    for (const std::uint64_t pulse : {100u, 300u, 301u, 9'999u}) {
        EXPECT_EQ(step(State::committed, Pulse(pulse), Pulse(pulse)), NextStep::none);
        EXPECT_EQ(step(State::pending, Pulse(pulse), Pulse(pulse), 6), NextStep::wait);
    }
}

TEST_F(NextStepTest, TheSameIsSubmittedUntilItsExpiry) {
    for (const State state : {State::unknown, State::refused}) {
        EXPECT_EQ(step(state, Pulse(100), Pulse(99)), NextStep::resubmit);
        EXPECT_EQ(step(state, Pulse(300), Pulse(300)), NextStep::resubmit);
        EXPECT_EQ(step(state, Pulse(301), Pulse(300)), NextStep::wait) << "not proven yet";
        EXPECT_EQ(step(state, Pulse(301), Pulse(301)), NextStep::sign);
    }
}

TEST_F(NextStepTest, AnotherInItsPlaceFreesTheRequestAtOnce) {
    EXPECT_EQ(step(State::refused, Pulse(100), Pulse(99), 5), NextStep::resubmit);
    EXPECT_EQ(step(State::refused, Pulse(100), Pulse(99), 6), NextStep::sign);
}

// ---- After a crash -----------------------------------------------------------------------------

class AfterACrash : public NextStepTest {
 protected:
    Unfinished left() const {
        PaymentFacts facts;
        facts.fate = [this](const Hash&, const Id&) { return TransactionFate{state, {}, {}}; };
        facts.counter = [](const Id&, std::uint8_t) { return std::optional<std::uint64_t>(5); };
        return unfinished(journal, time, facts);
    }
    State state = State::unknown;
};

TEST_F(AfterACrash, WhatWasSignedIsSubmittedAgainUntilItsEndIsKnown) {
    EXPECT_TRUE(left().payments.empty());
    journal.add(paying_);
    ASSERT_EQ(left().payments.size(), 1u);
    EXPECT_EQ(id_of(*left().payments[0]), id_of(paying_));
    state = State::pending;
    EXPECT_TRUE(left().payments.empty());
    EXPECT_TRUE(left().is_under_way);
    for (const State end : {State::committed, State::refused}) {
        state = end;
        EXPECT_TRUE(left().payments.empty());
        EXPECT_FALSE(left().is_under_way);
    }
    state = State::unknown;
    time.now = Pulse(301);
    EXPECT_TRUE(left().is_under_way) << "a block being decided may hold it";
    time.head = Pulse(301);
    EXPECT_FALSE(left().is_under_way);
    EXPECT_TRUE(left().payments.empty());
}

TEST_F(AfterACrash, WhatTheOwnerWasToldIsRefusedIsLeftToTheOwner) {
    journal.add(paying_);
    const Hash request_of_it = request_id(kChain, request_of(paying_));
    journal.add(NotTaken{kNowMs, request_of_it, id_of(paying_), protocol::Text("expired")});
    EXPECT_TRUE(left().payments.empty());
    EXPECT_FALSE(left().is_under_way);
}

TEST_F(AfterACrash, LettersThatWereNotPostedAreThere) {
    const auto ours = request(5);
    journal.add(Asked{kNowMs, ours, sealed_to(payer.id())});
    ASSERT_EQ(left().letters.size(), 1u);
    EXPECT_EQ(left().letters[0].request, request_id(ours));
    journal.add(Posted{kNowMs, request_id(ours), Hash{}});
    EXPECT_TRUE(left().letters.empty());
}

// ---- Requests of one's own ---------------------------------------------------------------------

TEST_F(Inbox, ARequestOfOnesOwnGoesThroughItsStates) {
    const auto ours = request(5);
    journal.add(Asked{kNowMs, ours, sealed_to(payer.id())});
    const auto& own = *journal.asked(request_id(ours));
    const auto state = [&](const std::optional<PaymentFound>& payment = std::nullopt) {
        return std::string(to_string(status_of(own, payment, time).state));
    };
    EXPECT_EQ(state(), "pending");
    EXPECT_EQ(state(PaymentFound{Hash{}, Sequence(3), payer.id(), PaymentState::committed}),
              "committed");
    EXPECT_EQ(state(PaymentFound{Hash{}, Sequence(3), payer.id(), PaymentState::secured}),
              "secured");
    EXPECT_EQ(state(PaymentFound{Hash{}, Sequence(3), payer.id(), PaymentState::settled}),
              "settled");
    time.now = Pulse(1'001);
    EXPECT_EQ(state(), "expired");
    EXPECT_FALSE(status_of(own, std::nullopt, time).is_proven);
    time.head = Pulse(1'001);
    EXPECT_TRUE(status_of(own, std::nullopt, time).is_proven);
    journal.add(Refused{kNowMs, request_id(ours), protocol::Text("no")});
    EXPECT_EQ(state(), "refused");
    EXPECT_EQ(state(PaymentFound{Hash{}, Sequence(3), payer.id(), PaymentState::secured}),
              "secured");
}

// ---- Why ---------------------------------------------------------------------------------------

class Why : public Inbox {
 protected:
    Why() {
        facts.time = time;
        facts.payer = "anna";
        facts.payee = "bea";
        facts.amount = "5.00 hour";
        facts.request_expiry = Pulse(1'000);
        facts.request_signature_holds = true;
    }
    std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const auto& fact : explain(facts)) out.push_back(fact.name);
        return out;
    }
    std::string text_of(const std::string& name) const {
        for (const auto& fact : explain(facts)) {
            if (fact.name == name) return fact.text;
        }
        return "";
    }
    bool says(const std::string& name, const std::string& part) const {
        return text_of(name).find(part) != std::string::npos;
    }
    void add_transaction(State state) {
        facts.transaction = Hash{};
        facts.expiry = Pulse(300);
        facts.cause = Cause::by_policy;
        facts.fate.state = state;
    }
    Case facts;
};

TEST_F(Why, ARequestNobodyHasPaidWaitsAndSaysForWhom) {
    EXPECT_EQ(names(), (std::vector<std::string>{"signed_by_payee", "request_expiry", "so"}));
    EXPECT_TRUE(says("so", "waits for the payer"));
    facts.policy = PolicyAnswer{PolicyVerdict::above_per_day, Amount::of(160), Amount::of(150)};
    facts.policy_actual = "1.60 hour";
    facts.policy_limit = "1.50 hour";
    EXPECT_TRUE(says("policy", "1.60 hour against 1.50 hour"));
    EXPECT_TRUE(says("so", "leither accept"));
}

TEST_F(Why, ARefusalIsToldWithRuleAndNumbers) {
    add_transaction(State::refused);
    facts.fate.refusal = "insufficient_balance";
    facts.refusal_text = "The balance is 3, but 5 are needed.";
    EXPECT_TRUE(says("refused", "insufficient_balance: The balance is 3, but 5 are needed."));
    EXPECT_TRUE(says("signed_by_payer", "by the policy"));
    EXPECT_TRUE(says("so", "not committed"));
}

TEST_F(Why, NotCommittedIsProvenOnlyByADecidedBlockBehindTheExpiry) {
    add_transaction(State::unknown);
    EXPECT_TRUE(says("so", "Submitting it again does no harm"));
    facts.time = {kChain, Pulse(301), Pulse(300)};
    EXPECT_TRUE(says("so", "proven by the next block"));
    facts.time.head = Pulse(301);
    EXPECT_TRUE(says("so", "never will be"));
    EXPECT_TRUE(says("so", "301"));
    EXPECT_TRUE(says("so", "300"));
}

TEST_F(Why, WhatIsCommittedSaysWhetherItCanBeReliedOn) {
    add_transaction(State::committed);
    facts.sequence = Sequence(7);
    facts.finality = "It is committed: not secured: 1 of 4.";
    EXPECT_TRUE(says("committed", "block 7"));
    EXPECT_EQ(text_of("finality"), facts.finality);
    EXPECT_TRUE(says("so", "when it is secured"));
    facts.fate.standing = PaymentState::secured;
    EXPECT_TRUE(says("so", "paid and secured"));
    facts.fate.standing = PaymentState::settled;
    EXPECT_TRUE(says("so", "nothing is left to do"));
}

TEST_F(Why, ADeclineIsToldByWhomAndWhy) {
    facts.declined = "too dear";
    EXPECT_TRUE(says("declined", "The payer has declined it: \"too dear\""));
    facts.declined_here = true;
    EXPECT_TRUE(says("declined", "This wallet has declined it"));
    EXPECT_TRUE(says("so", "declined"));
}

TEST_F(Why, ALettersWayIsTold) {
    facts.asked_by_letter = true;
    EXPECT_TRUE(says("letter", "not posted yet"));
    facts.letter_posted = true;
    facts.letter_state = "held";
    EXPECT_TRUE(says("letter", "held by other members' nodes"));
    facts.letter_state = "delivered";
    EXPECT_TRUE(says("letter", "arrived"));
}

TEST_F(Why, TheAudienceNamesBothSidesBookkeepersAndMembers) {
    const auto audience = who_sees({4, 37, "anna", "bea"});
    ASSERT_GE(audience.size(), 5u);
    EXPECT_EQ(audience[0].who, "anna");
    EXPECT_EQ(audience[1].who, "bea");
    EXPECT_NE(audience[2].who.find("4 bookkeepers"), std::string::npos);
    EXPECT_NE(audience[3].who.find("37 members"), std::string::npos);
}

}  // namespace
}  // namespace leither::wallet
