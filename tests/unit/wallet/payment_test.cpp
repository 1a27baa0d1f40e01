#include "leither/wallet/payment.h"

#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/ledger/execute.h"

namespace leither::wallet {
namespace {

using crypto::KeyPair;
using protocol::Transaction;

const ChainId kChain = ChainId::copy_of(Bytes(32, 0xc1));
const KeyPair kAlice = crypto::derive_key({}, 1);
const KeyPair kBob = crypto::derive_key({}, 2);
const Draft kDraft{kChain, {3, 17}, Pulse(60)};

SignedRequest some_request() {
    protocol::PaymentRequest request;
    request.payee = kBob.id();
    request.amount = Amount::of(25);
    request.reference = protocol::Text("bread");
    request.expiry = Pulse(50);
    return sign_request(kChain, request, kBob);
}

SignedApplication some_application() {
    protocol::Application application;
    application.applicant = kBob.public_key();
    application.sponsor = kAlice.id();
    application.expiry = Pulse(50);
    return sign_application(kChain, application, kBob);
}

bool holds(const KeyPair& key, const Bytes& message, const Signature& signature) {
    return crypto::verify(key.public_key(), message, signature);
}

TEST(Payment, CarriesThePayeesSignatureThenThePayers) {
    const Transaction transaction = pay(kDraft, some_request(), kAlice);
    EXPECT_EQ(transaction.body.signer, kAlice.id());
    EXPECT_EQ(transaction.body.nonce, kDraft.nonce);
    EXPECT_EQ(transaction.body.expiry, kDraft.expiry);
    ASSERT_EQ(transaction.signatures.size(), 2U);
    const auto& request = std::get<protocol::Transfer>(transaction.body.action).request;
    EXPECT_TRUE(holds(kBob, signing_message(kChain, request), transaction.signatures[0]));
    EXPECT_TRUE(
        holds(kAlice, signing_message(kChain, transaction.body), transaction.signatures[1]));
}

TEST(Payment, RequestSurvivesItsTextForm) {
    const SignedRequest request = some_request();
    const std::string text = to_text(request);
    EXPECT_TRUE(text.starts_with("leither:pay:"));
    const auto parsed = request_from_text(text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(bcs::encode(*parsed), bcs::encode(request));
}

TEST(Payment, ApplicationSurvivesItsTextForm) {
    const SignedApplication application = some_application();
    const std::string text = to_text(application);
    EXPECT_TRUE(text.starts_with("leither:join:"));
    const auto parsed = application_from_text(text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(bcs::encode(*parsed), bcs::encode(application));
}

TEST(Payment, TextOfAnotherFormIsNoRequest) {
    const std::string text = to_text(some_request());
    EXPECT_FALSE(request_from_text(""));
    EXPECT_FALSE(request_from_text("leither:pay:"));
    EXPECT_FALSE(request_from_text(text.substr(1)));
    EXPECT_FALSE(request_from_text(text + "00"));
    EXPECT_FALSE(request_from_text(text + "g"));
    EXPECT_FALSE(request_from_text(text + std::string(100'000, '0')));
    EXPECT_FALSE(application_from_text(text));
    EXPECT_FALSE(request_from_text(to_text(some_application())));
}

TEST(Payment, AdmissionHasCosignersByRisingId) {
    const std::vector<KeyPair> cosigners = {crypto::derive_key({}, 5), crypto::derive_key({}, 6),
                                            crypto::derive_key({}, 7)};
    const Transaction transaction = admit(kDraft, some_application(), kAlice, cosigners);
    EXPECT_TRUE(transaction.body.is_canonical());
    ASSERT_EQ(transaction.signatures.size(), protocol::signatures_needed(transaction.body));
    const Bytes message = signing_message(kChain, transaction.body);
    EXPECT_TRUE(holds(kAlice, message, transaction.signatures[1]));
    for (std::size_t i = 0; i < cosigners.size(); ++i) {
        const auto owner =
            std::ranges::find(cosigners, transaction.body.cosigners[i], &KeyPair::id);
        ASSERT_NE(owner, cosigners.end());
        EXPECT_TRUE(holds(*owner, message, transaction.signatures[i + 2]));
    }
}

TEST(Payment, CounterpartyOfALeaveSignsTheWholeTransaction) {
    const Transaction transaction = sign(kDraft, protocol::Leave{kBob.id()}, kAlice, &kBob);
    const Bytes message = signing_message(kChain, transaction.body);
    ASSERT_EQ(transaction.signatures.size(), 2U);
    EXPECT_TRUE(holds(kBob, message, transaction.signatures[0]));
    EXPECT_TRUE(holds(kAlice, message, transaction.signatures[1]));
}

TEST(Payment, OwnActNeedsOneSignature) {
    const Transaction transaction = sign(kDraft, protocol::Cancel{}, kAlice, nullptr);
    ASSERT_EQ(transaction.signatures.size(), 1U);
    EXPECT_TRUE(
        holds(kAlice, signing_message(kChain, transaction.body), transaction.signatures[0]));
}

TEST(Payment, WhatIsFoundedIsAValidGenesis) {
    protocol::Charter charter;
    charter.name = BoundedText<64>("Test");
    charter.founder = kAlice.public_key();
    charter.bookkeepers.push_back(crypto::derive_key({}, 9).public_key());
    charter.supply = Amount::of(1000);
    protocol::Allocations allocations;
    allocations.push_back({kBob.public_key(), Amount::of(10), protocol::Text("early work")});
    const auto genesis = found(charter, allocations, crypto::derive_key({}, 8));
    EXPECT_TRUE(ledger::check(genesis).has_value());
}

}  // namespace
}  // namespace leither::wallet
