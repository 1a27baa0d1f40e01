#include "leither/org/mailbox.h"

#include <gtest/gtest.h>

#include "support/org/org_world.h"

namespace leither::org {
namespace {

using protocol::EnvelopeAck;
using protocol::EnvelopeOffer;
using protocol::EnvelopeOutcome;
using protocol::EnvelopePost;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::key_named;
using testing::kSampleNow;

class ListedNodes final : public Directory {
 public:
    bool is_member(const Id& account, Instant) const override { return members.contains(account); }
    bool is_members_node(const Id& node, Instant) const override {
        return members_nodes.contains(node);
    }
    std::vector<Id> nodes_of(const Id& account, Instant) const override {
        const auto found = by_account.find(account);
        return found == by_account.end() ? std::vector<Id>{} : found->second;
    }
    std::set<Id> members;
    std::set<Id> members_nodes;
    std::map<Id, std::vector<Id>> by_account;
};

MailboxOptions small() {
    MailboxOptions options;
    options.outgoing_max = 3;
    return options;
}

class MailboxTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    MailboxTest() {
        for (const auto& node : {node_a, node_b, node_c, node_d}) {
            directory.members_nodes.insert(node.id());
        }
    }
    Mailbox make(const crypto::KeyPair& node, MailboxOptions options = {}) {
        return Mailbox(options, {node, sample.chain, {'t'}}, directory, prng, Log());
    }
    protocol::SealedLetter letter(const std::string& text) {
        return *seal_letter(sample.letter(text), sample.bob.public_key(), prng);
    }
    // An envelope to `recipient` from `node` of `size` sealed bytes.
    protocol::SignedEnvelope envelope(const crypto::KeyPair& node, const Id& recipient,
                                      std::size_t size = 100) {
        protocol::Envelope envelope;
        envelope.recipient = recipient;
        envelope.sealed.resize(size);
        prng.fill(envelope.sealed);
        envelope.node = node.public_key();
        envelope.validity = sample.valid(hours(24));
        return sign(sample.chain, std::move(envelope), node);
    }
    Mailbox::Serves serves(const crypto::KeyPair& account, const crypto::KeyPair& node) {
        return {{sample.delegation(account, node)}};
    }
    Hash id_of(const protocol::SignedEnvelope& envelope) {
        return message_id(sample.chain, envelope.envelope);
    }
    EnvelopeOffer offer_of(const protocol::SignedEnvelope& envelope) {
        const auto bytes = static_cast<std::uint32_t>(bcs::encode(envelope).size());
        return {id_of(envelope), envelope.envelope.recipient, bytes};
    }
    // The one answer to an offer, or to the post itself.
    static EnvelopeAck ack_in(const Mailbox::Effects& effects) {
        EXPECT_GE(effects.sends.size(), 1U);
        return std::get<EnvelopeAck>(effects.sends.back().message);
    }
    EnvelopeOutcome offer(Mailbox& at, const Id& from, const protocol::SignedEnvelope& envelope) {
        return ack_in(at.step(Mailbox::Offered{from, offer_of(envelope)}, now)).outcome;
    }
    EnvelopeOutcome post(Mailbox& at, const Id& from, const protocol::SignedEnvelope& envelope) {
        const auto effects = at.step(Mailbox::Posted{from, {envelope}}, now);
        for (const auto& send : effects.sends) {
            if (const auto* ack = std::get_if<EnvelopeAck>(&send.message)) return ack->outcome;
        }
        ADD_FAILURE() << "no answer";
        return EnvelopeOutcome::refused;
    }
    template <class T>
    static std::vector<Id> sent(const Mailbox::Effects& effects) {
        std::vector<Id> to;
        for (const auto& send : effects.sends) {
            if (std::holds_alternative<T>(send.message)) to.push_back(send.to);
        }
        return to;
    }
    static OutgoingState state(const Mailbox& box) { return box.outgoing().front().state; }

    testing::OrgSample sample;
    Prng prng{21};
    ListedNodes directory;
    Instant now = kSampleNow;
    crypto::KeyPair node_a = key_named("node a");
    crypto::KeyPair node_b = key_named("node b");
    crypto::KeyPair node_c = key_named("node c");
    crypto::KeyPair node_d = key_named("node d");
    Mailbox box = make(node_a);
};

TEST_F(MailboxTest, AGuestsNodeMayOfferForMembersAlone) {
    const auto mail = envelope(node_b, sample.bob.id());
    EXPECT_EQ(offer(box, node_b.id(), mail), EnvelopeOutcome::wanted);
    directory.members_nodes.erase(node_b.id());
    EXPECT_EQ(offer(box, node_b.id(), mail), EnvelopeOutcome::refused);
    EXPECT_EQ(post(box, node_b.id(), mail), EnvelopeOutcome::refused);
    directory.members.insert(sample.bob.id());
    EXPECT_EQ(offer(box, node_b.id(), mail), EnvelopeOutcome::wanted);
    EXPECT_EQ(post(box, node_b.id(), mail), EnvelopeOutcome::held);
    box.check_invariants();
}

// Sealed bytes of an envelope that costs exactly `cost`.
std::size_t sealed_for(std::size_t cost) {
    return cost - kEnvelopeOverhead - (20 + 32 + 16 + 64 + 2);
}

TEST_F(MailboxTest, GuestsHaveRoomOfTheirOwnAtAHolder) {
    MailboxOptions options;
    options.held_bytes_max = 4096;
    options.guest_bytes_max = 3000;
    options.guest_bytes_per_sender_max = 2000;
    Mailbox holder = make(node_a, options);
    directory.members.insert(sample.bob.id());
    for (const auto& node : {node_b, node_c}) directory.members_nodes.erase(node.id());
    // Of one guest's node as much as is allowed, and not a byte more.
    const auto first = envelope(node_b, sample.bob.id(), sealed_for(2000));
    EXPECT_EQ(post(holder, node_b.id(), first), EnvelopeOutcome::held);
    EXPECT_EQ(offer(holder, node_b.id(), envelope(node_b, sample.bob.id(), 1)),
              EnvelopeOutcome::full);
    // Of all guests' nodes together.
    EXPECT_EQ(offer(holder, node_c.id(), envelope(node_c, sample.bob.id(), sealed_for(1001))),
              EnvelopeOutcome::full);
    EXPECT_EQ(post(holder, node_c.id(), envelope(node_c, sample.bob.id(), sealed_for(1000))),
              EnvelopeOutcome::held);
    // Members find what there always was, to the last byte.
    EXPECT_EQ(post(holder, node_d.id(), envelope(node_d, sample.bob.id(), sealed_for(4096))),
              EnvelopeOutcome::held);
    EXPECT_EQ(offer(holder, node_d.id(), envelope(node_d, sample.bob.id(), 1)),
              EnvelopeOutcome::full);
    holder.check_invariants();
}

TEST_F(MailboxTest, GuestsHaveRoomOfTheirOwnInEachInbox) {
    MailboxOptions options;
    options.incoming_bytes_per_account_max = 4096;
    options.guest_bytes_max = 3000;
    options.guest_bytes_per_sender_max = 2000;
    Mailbox home = make(node_a, options);
    home.step(serves(sample.bob, node_a), now);
    directory.members.insert(sample.bob.id());
    for (const auto& node : {node_b, node_c}) directory.members_nodes.erase(node.id());
    const auto first = envelope(node_b, sample.bob.id(), sealed_for(2000));
    EXPECT_EQ(post(home, node_b.id(), first), EnvelopeOutcome::delivered);
    EXPECT_EQ(offer(home, node_b.id(), envelope(node_b, sample.bob.id(), 1)),
              EnvelopeOutcome::full);
    // A member's node that hands on what it held for a guest lends it no room.
    const auto handed_on = envelope(node_b, sample.bob.id(), 1);
    EXPECT_EQ(offer(home, node_d.id(), handed_on), EnvelopeOutcome::wanted);
    EXPECT_EQ(post(home, node_d.id(), handed_on), EnvelopeOutcome::full);
    EXPECT_EQ(post(home, node_d.id(), envelope(node_c, sample.bob.id(), sealed_for(1000))),
              EnvelopeOutcome::delivered);
    EXPECT_EQ(post(home, node_d.id(), envelope(node_d, sample.bob.id(), sealed_for(4096))),
              EnvelopeOutcome::delivered);
    EXPECT_EQ(offer(home, node_d.id(), envelope(node_d, sample.bob.id(), 1)),
              EnvelopeOutcome::full);
    // What its owner has forgotten makes room again.
    home.step(Mailbox::Forget{id_of(first)}, now);
    EXPECT_EQ(post(home, node_b.id(), envelope(node_b, sample.bob.id(), sealed_for(2000))),
              EnvelopeOutcome::delivered);
    home.check_invariants();
}

TEST_F(MailboxTest, WhatGuestsHaveSentIsTheirsAfterARestartToo) {
    MailboxOptions options;
    options.guest_bytes_max = 3000;
    options.guest_bytes_per_sender_max = 2000;
    store::MemoryStore disk;
    Mailbox before = make(node_a, options);
    before.step(serves(sample.bob, node_a), now);
    directory.members = {sample.bob.id(), sample.alice.id()};
    directory.members_nodes.erase(node_b.id());
    for (const auto& account : {sample.bob.id(), sample.alice.id()}) {
        const auto mail = envelope(node_b, account, sealed_for(2000));
        auto effects = before.step(Mailbox::Posted{node_b.id(), {mail}}, now);
        ASSERT_TRUE(disk.write(effects.writes));
    }
    Mailbox after = make(node_a, options);
    ASSERT_TRUE(after.load(disk, now));
    after.step(serves(sample.bob, node_a), now);
    EXPECT_EQ(after.incoming(sample.bob.id()).size(), 1U);
    EXPECT_EQ(after.usage().held_messages, 1U);
    for (const auto& account : {sample.bob.id(), sample.alice.id()}) {
        EXPECT_EQ(offer(after, node_b.id(), envelope(node_b, account, 1)), EnvelopeOutcome::full);
    }
    after.check_invariants();
}

TEST_F(MailboxTest, WhatIsForAServedAccountArrivesOnce) {
    box.step(serves(sample.bob, node_a), now);
    const auto mail = envelope(node_b, sample.bob.id());
    const auto effects = box.step(Mailbox::Posted{node_b.id(), {mail}}, now);
    ASSERT_EQ(effects.arrived.size(), 1U);
    EXPECT_EQ(effects.arrived.front().message, id_of(mail));
    const EnvelopeAck ack = ack_in(effects);
    EXPECT_EQ(ack.outcome, EnvelopeOutcome::delivered);
    EXPECT_TRUE(check(*ack.receipt, sample.chain, {id_of(mail), sample.bob.id()}, now));
    EXPECT_TRUE(box.step(Mailbox::Posted{node_c.id(), {mail}}, now).arrived.empty());
    EXPECT_EQ(box.incoming(sample.bob.id()).size(), 1U);
    box.step(Mailbox::Forget{id_of(mail)}, now);
    EXPECT_TRUE(box.incoming(sample.bob.id()).empty());
    EXPECT_EQ(offer(box, node_c.id(), mail), EnvelopeOutcome::delivered);
    EXPECT_TRUE(box.step(Mailbox::Posted{node_c.id(), {mail}}, now).arrived.empty());
    box.check_invariants();
}

TEST_F(MailboxTest, WhatIsNotSignedOrHasExpiredIsRefused) {
    box.step(serves(sample.bob, node_a), now);
    auto mail = envelope(node_b, sample.bob.id());
    mail.envelope.sealed.front() ^= 1;
    EXPECT_EQ(post(box, node_b.id(), mail), EnvelopeOutcome::refused);
    mail.envelope.sealed.front() ^= 1;
    now += hours(24);
    EXPECT_EQ(post(box, node_b.id(), mail), EnvelopeOutcome::refused);
}

TEST_F(MailboxTest, AHolderHoldsForTheSenderAlone) {
    const auto mail = envelope(node_b, sample.bob.id());
    EXPECT_EQ(post(box, node_c.id(), mail), EnvelopeOutcome::refused);
    EXPECT_EQ(post(box, node_b.id(), mail), EnvelopeOutcome::held);
    EXPECT_EQ(offer(box, node_b.id(), mail), EnvelopeOutcome::held);
}

TEST_F(MailboxTest, HoldingIsBoundedInAllPerRecipientAndPerSender) {
    const auto one = envelope(node_b, sample.bob.id());
    const std::size_t cost = bcs::encode(one).size() + kEnvelopeOverhead;
    const auto fill = [&](MailboxOptions options) {
        Mailbox limited = make(node_a, options);
        const auto& senders = {node_b, node_c};
        std::vector<EnvelopeOutcome> outcomes;
        for (const auto& sender : senders) {
            for (const Id& recipient : {sample.bob.id(), sample.alice.id()}) {
                for (int i = 0; i < 2; ++i) {
                    outcomes.push_back(post(limited, sender.id(), envelope(sender, recipient)));
                    limited.check_invariants();
                }
            }
        }
        return static_cast<std::size_t>(std::ranges::count(outcomes, EnvelopeOutcome::held));
    };
    EXPECT_EQ(fill({}), 8U);
    MailboxOptions options;
    options.held_bytes_max = 5 * cost;
    EXPECT_EQ(fill(options), 5U);
    options.held_bytes_max = 5 * cost - 1;
    EXPECT_EQ(fill(options), 4U);
    options = {};
    options.held_bytes_per_recipient_max = 3 * cost;
    EXPECT_EQ(fill(options), 6U);
    options = {};
    options.held_bytes_per_sender_max = cost;
    EXPECT_EQ(fill(options), 2U);
}

TEST_F(MailboxTest, AFullInboxKeepsWhatItHasAndSaysFull) {
    const auto one = envelope(node_b, sample.bob.id());
    MailboxOptions options;
    options.incoming_bytes_per_account_max = 2 * (bcs::encode(one).size() + kEnvelopeOverhead);
    Mailbox limited = make(node_a, options);
    limited.step(serves(sample.bob, node_a), now);
    EXPECT_EQ(post(limited, node_b.id(), one), EnvelopeOutcome::delivered);
    EXPECT_EQ(post(limited, node_b.id(), envelope(node_b, sample.bob.id())),
              EnvelopeOutcome::delivered);
    const auto third = envelope(node_b, sample.bob.id());
    EXPECT_EQ(offer(limited, node_b.id(), third), EnvelopeOutcome::full);
    EXPECT_EQ(post(limited, node_b.id(), third), EnvelopeOutcome::full);
    limited.step(Mailbox::Forget{id_of(one)}, now);
    EXPECT_EQ(post(limited, node_b.id(), third), EnvelopeOutcome::delivered);
}

TEST_F(MailboxTest, GoesStraightToTheRecipientsNodeWhileItIsConnected) {
    directory.by_account[sample.bob.id()] = {node_b.id()};
    box.step(Mailbox::NodeUp{node_b.id()}, now);
    box.step(Mailbox::NodeUp{node_c.id()}, now);
    const auto posted = box.step(Mailbox::Post{sample.bob.id(), letter("hi")}, now);
    ASSERT_TRUE(posted.posted && *posted.posted);
    const Hash id = **posted.posted;
    EXPECT_EQ(sent<EnvelopeOffer>(posted), std::vector{node_b.id()});

    const auto wanted = box.step(
        Mailbox::Acknowledged{node_b.id(), {id, EnvelopeOutcome::wanted, std::nullopt}}, now);
    ASSERT_EQ(sent<EnvelopePost>(wanted), std::vector{node_b.id()});
    const auto& post = std::get<EnvelopePost>(wanted.sends.front().message);
    EXPECT_EQ(open_letter(sample.chain, post.envelope.envelope, sample.bob)->letter.text, "hi");

    const auto receipt =
        acknowledge(sample.chain, id, sample.delegation(sample.bob, node_b), node_b);
    const auto done = box.step(
        Mailbox::Acknowledged{node_b.id(), {id, EnvelopeOutcome::delivered, receipt}}, now);
    ASSERT_EQ(done.changed.size(), 1U);
    EXPECT_EQ(state(box), OutgoingState::delivered);
    box.check_invariants();
}

TEST_F(MailboxTest, WithoutAReceiptNobodyIsBelieved) {
    directory.by_account[sample.bob.id()] = {node_b.id()};
    box.step(Mailbox::NodeUp{node_b.id()}, now);
    const auto posted = box.step(Mailbox::Post{sample.bob.id(), letter("hi")}, now);
    const Hash id = **posted.posted;
    box.step(Mailbox::Acknowledged{node_b.id(), {id, EnvelopeOutcome::delivered, std::nullopt}},
             now);
    EXPECT_EQ(state(box), OutgoingState::waiting);
    // A receipt of a node to which somebody else has delegated.
    now += minutes(1);
    box.step(Mailbox::Tick{}, now);
    const auto foreign =
        acknowledge(sample.chain, id, sample.delegation(sample.alice, node_b), node_b);
    box.step(Mailbox::Acknowledged{node_b.id(), {id, EnvelopeOutcome::delivered, foreign}}, now);
    EXPECT_EQ(state(box), OutgoingState::waiting);
}

TEST_F(MailboxTest, AnAnswerToNoOfferDrawsNothingOut) {
    const auto mail = envelope(node_b, sample.bob.id());
    ASSERT_EQ(post(box, node_b.id(), mail), EnvelopeOutcome::held);
    box.step(Mailbox::NodeUp{node_c.id()}, now);
    const auto effects = box.step(
        Mailbox::Acknowledged{node_c.id(), {id_of(mail), EnvelopeOutcome::wanted, std::nullopt}},
        now);
    EXPECT_TRUE(effects.sends.empty());
    EXPECT_EQ(box.usage().held_messages, 1U);
}

TEST_F(MailboxTest, WhileTheRecipientIsAwayUpToThreeOthersAreAsked) {
    directory.by_account[sample.bob.id()] = {node_b.id()};
    const auto extra = key_named("node e");
    directory.members_nodes.insert(extra.id());
    const auto stranger = key_named("stranger");
    for (const auto& node : {node_c, node_d, extra, stranger, sample.node}) {
        if (node.id() == sample.node.id()) directory.members_nodes.insert(node.id());
        box.step(Mailbox::NodeUp{node.id()}, now);
    }
    const auto posted = box.step(Mailbox::Post{sample.bob.id(), letter("hi")}, now);
    const auto asked = sent<EnvelopeOffer>(posted);
    EXPECT_EQ(asked.size(), 3U);
    EXPECT_EQ(std::ranges::count(asked, stranger.id()), 0);
    EXPECT_EQ(posted.reach, std::vector{node_b.id()});
    // One that has no room is replaced by the fourth.
    const Hash id = **posted.posted;
    const auto full =
        box.step(Mailbox::Acknowledged{asked[0], {id, EnvelopeOutcome::full, std::nullopt}}, now);
    const auto fourth = sent<EnvelopeOffer>(full);
    ASSERT_GE(fourth.size(), 1U);
    EXPECT_EQ(std::ranges::count(asked, fourth.front()), 0);
    box.step(Mailbox::Acknowledged{asked[1], {id, EnvelopeOutcome::held, std::nullopt}}, now);
    EXPECT_EQ(state(box), OutgoingState::held);
    EXPECT_EQ(box.outgoing().front().holders, 1U);
    box.check_invariants();
}

TEST_F(MailboxTest, WhatIsHeldGoesOutWhenTheRecipientsNodeShowsUp) {
    const auto mail = envelope(node_b, sample.bob.id());
    ASSERT_EQ(post(box, node_b.id(), mail), EnvelopeOutcome::held);
    directory.by_account[sample.bob.id()] = {node_c.id()};
    const auto up = box.step(Mailbox::NodeUp{node_c.id()}, now);
    ASSERT_EQ(sent<EnvelopeOffer>(up), std::vector{node_c.id()});
    box.step(
        Mailbox::Acknowledged{node_c.id(), {id_of(mail), EnvelopeOutcome::wanted, std::nullopt}},
        now);
    const auto receipt =
        acknowledge(sample.chain, id_of(mail), sample.delegation(sample.bob, node_c), node_c);
    box.step(Mailbox::Acknowledged{node_c.id(), {id_of(mail), EnvelopeOutcome::delivered, receipt}},
             now);
    EXPECT_EQ(box.usage().held_messages, 0U);
    // The sender asks, and gets the proof.
    const auto ack = ack_in(box.step(Mailbox::Offered{node_b.id(), offer_of(mail)}, now));
    EXPECT_EQ(ack.outcome, EnvelopeOutcome::delivered);
    EXPECT_EQ(ack.receipt, receipt);
}

TEST_F(MailboxTest, ANodeThatTurnsOutToServeTheRecipientIsOfferedWhatWaits) {
    box.step(Mailbox::NodeUp{node_b.id()}, now);
    const auto mail = envelope(node_c, sample.bob.id());
    ASSERT_EQ(post(box, node_c.id(), mail), EnvelopeOutcome::held);
    directory.by_account[sample.bob.id()] = {node_b.id(), node_d.id()};
    EXPECT_EQ(sent<EnvelopeOffer>(box.step(Mailbox::NodeKnown{node_b.id()}, now)),
              std::vector{node_b.id()});
    EXPECT_EQ(box.step(Mailbox::NodeKnown{node_d.id()}, now).reach, std::vector{node_d.id()});
}

TEST_F(MailboxTest, AMessageBetweenTwoAccountsOfOneNodeArrivesAtOnce) {
    box.step(serves(sample.bob, node_a), now);
    const auto effects = box.step(Mailbox::Post{sample.bob.id(), letter("hi")}, now);
    EXPECT_EQ(effects.arrived.size(), 1U);
    EXPECT_EQ(state(box), OutgoingState::delivered);
    EXPECT_EQ(box.incoming(sample.bob.id()).size(), 1U);
}

TEST_F(MailboxTest, WhatWasHeldForAnAccountThatMovesInArrives) {
    const auto mail = envelope(node_b, sample.bob.id());
    ASSERT_EQ(post(box, node_b.id(), mail), EnvelopeOutcome::held);
    const auto effects = box.step(serves(sample.bob, node_a), now);
    EXPECT_EQ(effects.arrived.size(), 1U);
    EXPECT_EQ(box.usage().held_messages, 0U);
    box.check_invariants();
}

TEST_F(MailboxTest, TheOutboxIsBoundedAndForgetsTheDeliveredFirst) {
    Mailbox limited = make(node_a, small());
    limited.step(serves(sample.bob, node_a), now);
    ASSERT_TRUE(*limited.step(Mailbox::Post{sample.bob.id(), letter("0")}, now).posted);
    for (int i = 0; i < 3; ++i) {
        protocol::SealedLetter sealed(100);
        prng.fill(sealed);
        ASSERT_TRUE(*limited.step(Mailbox::Post{sample.alice.id(), sealed}, now).posted) << i;
    }
    EXPECT_EQ(limited.outgoing().size(), 3U);
    const auto refused = limited.step(Mailbox::Post{sample.alice.id(), letter("x")}, now);
    EXPECT_EQ(refused.posted->error(), Mailbox::PostRefusal::outbox_full);
    limited.check_invariants();
}

TEST_F(MailboxTest, LifetimesOutsideTheirBoundsAreRefused) {
    const auto try_for = [this](Duration lifetime) {
        return box.step(Mailbox::Post{sample.bob.id(), letter("x"), lifetime}, now)
            .posted->has_value();
    };
    EXPECT_TRUE(try_for(protocol::kEnvelopeLifetimeMax));
    EXPECT_FALSE(try_for(protocol::kEnvelopeLifetimeMax + std::chrono::milliseconds(1)));
    EXPECT_TRUE(try_for(minutes(1)));
    EXPECT_FALSE(try_for(seconds(59)));
}

TEST_F(MailboxTest, TriesAreMoreAndMoreRareAndEndAtExpiry) {
    directory.by_account[sample.bob.id()] = {node_b.id()};
    const auto posted = box.step(Mailbox::Post{sample.bob.id(), letter("x"), hours(100)}, now);
    std::vector<Duration> waits;
    std::vector<Hash> expired;
    while (box.next_deadline()) {
        waits.push_back(*box.next_deadline() - now);
        now = *box.next_deadline();
        for (const Hash& id : box.step(Mailbox::Tick{}, now).expired) expired.push_back(id);
    }
    EXPECT_LT(waits.front(), seconds(20));
    EXPECT_GT(waits[waits.size() - 2], minutes(44));
    EXPECT_LT(waits.size(), 150U);
    EXPECT_EQ(expired, std::vector{**posted.posted});
    EXPECT_EQ(now, kSampleNow + hours(100));
    EXPECT_TRUE(box.outgoing().empty());
}

TEST_F(MailboxTest, OffersToOneNodeWaitForAnswers) {
    MailboxOptions options;
    options.offers_per_node_max = 4;
    Mailbox limited = make(node_a, options);
    std::vector<protocol::SignedEnvelope> mails;
    for (int i = 0; i < 10; ++i) {
        mails.push_back(envelope(node_b, sample.bob.id()));
        ASSERT_EQ(post(limited, node_b.id(), mails.back()), EnvelopeOutcome::held);
    }
    directory.by_account[sample.bob.id()] = {node_c.id()};
    const auto up = limited.step(Mailbox::NodeUp{node_c.id()}, now);
    ASSERT_EQ(sent<EnvelopeOffer>(up).size(), 4U);
    const Hash first = std::get<EnvelopeOffer>(up.sends.front().message).message;
    const auto next = limited.step(
        Mailbox::Acknowledged{node_c.id(), {first, EnvelopeOutcome::full, std::nullopt}}, now);
    EXPECT_EQ(sent<EnvelopeOffer>(next).size(), 1U);
    limited.check_invariants();
}

TEST_F(MailboxTest, WhatWaitsToBeOfferedToOneNodeIsBounded) {
    MailboxOptions options;
    options.offers_per_node_max = 2;
    options.waiting_per_node_max = 4;
    Mailbox limited = make(node_a, options);
    for (int i = 0; i < 7; ++i) {
        ASSERT_EQ(post(limited, node_b.id(), envelope(node_b, sample.bob.id())),
                  EnvelopeOutcome::held);
    }
    directory.by_account[sample.bob.id()] = {node_c.id()};
    auto effects = limited.step(Mailbox::NodeUp{node_c.id()}, now);
    limited.check_invariants();
    // The one that found no place is offered with the next try.
    std::set<Hash> offered;
    while (offered.size() < 7 && limited.next_deadline()) {
        for (const auto& send : effects.sends) {
            const auto* held = std::get_if<EnvelopeOffer>(&send.message);
            if (held == nullptr) continue;
            offered.insert(held->message);
            const EnvelopeAck ack{held->message, EnvelopeOutcome::full, std::nullopt};
            effects = limited.step(Mailbox::Acknowledged{node_c.id(), ack}, now);
            limited.check_invariants();
            break;
        }
        if (!sent<EnvelopeOffer>(effects).empty()) continue;
        now = *limited.next_deadline();
        effects = limited.step(Mailbox::Tick{}, now);
    }
    EXPECT_EQ(offered.size(), 7U);
    EXPECT_LT(now, kSampleNow + hours(1));
}

TEST_F(MailboxTest, MeetingOthersDoesNotPutOffTheNextTry) {
    box.step(Mailbox::Post{sample.bob.id(), letter("x")}, now);
    const auto due = box.next_deadline();
    ASSERT_TRUE(due);
    for (const auto& node : {node_b, node_c, node_d}) {
        const auto effects = box.step(Mailbox::NodeUp{node.id()}, now);
        EXPECT_EQ(sent<EnvelopeOffer>(effects), std::vector{node.id()});
        EXPECT_EQ(box.next_deadline(), due);
    }
}

TEST_F(MailboxTest, WhatWasSettledAndExpiredMeanwhileLeavesTheStore) {
    store::MemoryStore disk;
    box.step(serves(sample.bob, node_a), now);
    const auto mail = envelope(node_b, sample.bob.id());
    testing::write(disk, box.step(Mailbox::Posted{node_b.id(), {mail}}, now).writes);
    testing::write(disk, box.step(Mailbox::Forget{id_of(mail)}, now).writes);
    now += hours(24);
    Mailbox again = make(node_a);
    ASSERT_TRUE(again.load(disk, now).has_value());
    testing::write(disk, again.step(Mailbox::Tick{}, now).writes);
    EXPECT_EQ(again.usage().settled, 0U);
    const auto cursor = disk.cursor();
    cursor->seek(Bytes{});
    EXPECT_FALSE(cursor->valid());
}

TEST_F(MailboxTest, SettledMessagesAreBounded) {
    MailboxOptions options;
    options.settled_max = 5;
    Mailbox limited = make(node_a, options);
    limited.step(serves(sample.bob, node_a), now);
    for (int i = 0; i < 8; ++i) {
        const auto mail = envelope(node_b, sample.bob.id());
        ASSERT_EQ(post(limited, node_b.id(), mail), EnvelopeOutcome::delivered);
        limited.step(Mailbox::Forget{id_of(mail)}, now);
        limited.check_invariants();
    }
    EXPECT_EQ(limited.usage().settled, 5U);
    now += hours(24);
    limited.step(Mailbox::Tick{}, now);
    EXPECT_EQ(limited.usage().settled, 0U);
}

}  // namespace
}  // namespace leither::org
