// Mailboxes of several nodes over a network that loses, doubles and delays, with nodes that leave,
// crash and come back from their stores.
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include "leither/crypto/hash.h"
#include "leither/org/mailbox.h"

#include "support/org/flights.h"
#include "support/org/org_world.h"

namespace leither::org {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::key_named;
using testing::kSampleNow;

constexpr std::size_t kNodes = 6;

// Each node serves an account of its own, unless told otherwise; everybody knows who serves whom.
class Everybody final : public Directory {
 public:
    bool is_member(const Id& account, Instant) const override {
        return by_account.contains(account);
    }
    bool is_members_node(const Id& node, Instant) const override { return nodes.contains(node); }
    std::vector<Id> nodes_of(const Id& account, Instant) const override {
        const auto found = by_account.find(account);
        return found == by_account.end() ? std::vector<Id>{} : found->second;
    }
    std::set<Id> nodes;
    std::map<Id, std::vector<Id>> by_account;
};

class MailNetwork {
 public:
    explicit MailNetwork(std::uint64_t seed) : prng_(seed) {
        for (std::size_t i = 0; i < kNodes; ++i) {
            members_.push_back(std::make_unique<Member>(i));
            everybody_.nodes.insert(members_[i]->node.id());
            everybody_.by_account[members_[i]->account.id()].push_back(members_[i]->node.id());
        }
        for (std::size_t i = 0; i < kNodes; ++i) start(i);
    }

    void start(std::size_t i) {
        Member& member = *members_[i];
        member.box = std::make_unique<Mailbox>(MailboxOptions{},
                                               Mailbox::Setup{member.node, sample_.chain, {'t'}},
                                               everybody_, prng_, Log());
        ASSERT_TRUE(member.box->load(member.disk, now_).has_value());
        serve(i);
        for (std::size_t k = 0; k < kNodes; ++k) {
            if (k == i || !members_[k]->box) continue;
            give(i, Mailbox::NodeUp{members_[k]->node.id()});
            give(k, Mailbox::NodeUp{member.node.id()});
        }
    }
    void stop(std::size_t i) {
        members_[i]->box.reset();
        for (std::size_t k = 0; k < kNodes; ++k) {
            if (members_[k]->box) give(k, Mailbox::NodeDown{members_[i]->node.id()});
        }
    }
    // Node `i` serves the account of node `other` too. REQUIRES: it is up.
    void serve_too(std::size_t i, std::size_t other) {
        members_[i]->others.push_back(other);
        everybody_.by_account[members_[other]->account.id()].push_back(members_[i]->node.id());
        serve(i);
    }
    void forget(std::size_t i, const Hash& message) { give(i, Mailbox::Forget{message}); }
    bool is_up(std::size_t i) const { return members_[i]->box != nullptr; }

    Hash post(std::size_t from, std::size_t to) {
        protocol::SealedLetter sealed(60);
        prng_.fill(sealed);
        Mailbox::Effects effects =
            members_[from]->box->step(Mailbox::Post{members_[to]->account.id(), sealed}, now_);
        const Hash id = **effects.posted;
        carry_out(from, std::move(effects));
        return id;
    }
    std::size_t copies(std::size_t at, const Hash& message) const {
        return copies(at, message, at);
    }
    // For the account of node `owner`.
    std::size_t copies(std::size_t at, const Hash& message, std::size_t owner) const {
        const auto incoming = members_[at]->box->incoming(members_[owner]->account.id());
        return static_cast<std::size_t>(
            std::ranges::count(incoming, message, &Mailbox::Incoming::message));
    }
    Mailbox& box(std::size_t i) { return *members_[i]->box; }

    void run_until(Instant end) {
        flights_.run(now_, end,
                     {.machines = kNodes,
                      .deadline =
                          [this](std::size_t i) {
                              return is_up(i) ? members_[i]->box->next_deadline() : std::nullopt;
                          },
                      .tick = [this](std::size_t i) { give(i, Mailbox::Tick{}); },
                      .land = [this](Flight&& flight) { land(std::move(flight)); }});
    }
    Instant now() const { return now_; }
    Prng& prng() { return prng_; }
    std::uint64_t loss_percent = 20;

 private:
    struct Member {
        explicit Member(std::size_t i)
            : node(key_named("node " + std::to_string(i))),
              account(key_named("account " + std::to_string(i))) {}
        crypto::KeyPair node;
        crypto::KeyPair account;
        std::vector<std::size_t> others;  // whose accounts it serves besides
        store::MemoryStore disk;
        std::unique_ptr<Mailbox> box;
    };
    struct Flight {
        std::size_t from = 0;
        Mailbox::Send send;
    };

    void serve(std::size_t i) {
        const Member& member = *members_[i];
        Mailbox::Serves serves{{sample_.delegation(member.account, member.node)}};
        for (const std::size_t other : member.others) {
            serves.delegations.push_back(sample_.delegation(members_[other]->account, member.node));
        }
        give(i, std::move(serves));
    }
    void give(std::size_t i, Mailbox::Input&& input) {
        carry_out(i, members_[i]->box->step(std::move(input), now_));
        members_[i]->box->check_invariants();
    }
    void carry_out(std::size_t i, Mailbox::Effects&& effects) {
        testing::write(members_[i]->disk, effects.writes);
        for (Mailbox::Send& send : effects.sends) {
            const std::size_t copies = prng_.chance(5, 100) ? 2 : 1;
            for (std::size_t copy = 0; copy < copies; ++copy) {
                if (prng_.chance(loss_percent, 100)) continue;
                const Instant lands = now_ + milliseconds(10 + prng_.below(500));
                flights_.add(lands, Flight{i, send});
            }
        }
    }
    void land(Flight&& flight) {
        const Id from = members_[flight.from]->node.id();
        for (std::size_t i = 0; i < kNodes; ++i) {
            if (!is_up(i) || members_[i]->node.id() != flight.send.to) continue;
            if (auto* offer = std::get_if<protocol::EnvelopeOffer>(&flight.send.message)) {
                give(i, Mailbox::Offered{from, *offer});
            } else if (auto* post = std::get_if<protocol::EnvelopePost>(&flight.send.message)) {
                give(i, Mailbox::Posted{from, std::move(*post)});
            } else {
                give(i, Mailbox::Acknowledged{
                            from, std::get<protocol::EnvelopeAck>(flight.send.message)});
            }
        }
    }

    testing::OrgSample sample_;
    Prng prng_;
    Everybody everybody_;
    std::vector<std::unique_ptr<Member>> members_;
    testing::Flights<Flight> flights_;
    Instant now_ = kSampleNow;
};

class MailNetworkTest : public ::testing::TestWithParam<std::uint64_t> {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }
};

TEST_P(MailNetworkTest, EveryMessageArrivesOnceAndItsSenderLearns) {
    SCOPED_TRACE(::testing::Message() << "seed " << GetParam());
    MailNetwork network(GetParam());
    struct Sent {
        std::size_t from;
        std::size_t to;
        Hash message;
    };
    std::vector<Sent> sent;
    for (int round = 0; round < 40; ++round) {
        const std::size_t changed = network.prng().below(kNodes);
        network.is_up(changed) ? network.stop(changed) : network.start(changed);
        for (std::size_t from = 0; from < kNodes; ++from) {
            const std::size_t to = network.prng().below(kNodes);
            if (!network.is_up(from) || network.prng().chance(1, 2)) continue;
            sent.push_back({from, to, network.post(from, to)});
        }
        network.run_until(network.now() + minutes(network.prng().below(90)));
    }
    for (std::size_t i = 0; i < kNodes; ++i) {
        if (!network.is_up(i)) network.start(i);
    }
    network.run_until(network.now() + hours(12));
    ASSERT_GT(sent.size(), 20U);
    for (const Sent& mail : sent) EXPECT_EQ(network.copies(mail.to, mail.message), 1U);
    for (std::size_t i = 0; i < kNodes; ++i) {
        EXPECT_EQ(network.box(i).usage().held_messages, 0U) << i;
        for (const auto& outgoing : network.box(i).outgoing()) {
            EXPECT_EQ(outgoing.state, OutgoingState::delivered);
        }
    }
}

TEST_P(MailNetworkTest, AllNodesOfAnAccountGetItsMessages) {
    SCOPED_TRACE(::testing::Message() << "seed " << GetParam());
    MailNetwork network(GetParam());
    network.serve_too(1, 0);
    network.serve_too(2, 0);
    std::vector<Hash> sent;
    for (int round = 0; round < 20; ++round) {
        const std::size_t changed = network.prng().below(kNodes);
        network.is_up(changed) ? network.stop(changed) : network.start(changed);
        for (std::size_t from = 3; from < kNodes; ++from) {
            if (network.is_up(from)) sent.push_back(network.post(from, 0));
        }
        network.run_until(network.now() + minutes(network.prng().below(90)));
    }
    for (std::size_t i = 0; i < kNodes; ++i) {
        if (!network.is_up(i)) network.start(i);
    }
    network.run_until(network.now() + hours(12));
    ASSERT_GT(sent.size(), 10U);
    for (const Hash& message : sent) {
        for (const std::size_t at : {0, 1, 2}) EXPECT_EQ(network.copies(at, message, 0), 1U);
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, MailNetworkTest, ::testing::Range<std::uint64_t>(1, 13));

TEST(MailNetwork, ArrivesThoughSenderAndRecipientAreNeverThereTogether) {
    crypto::initialise();
    MailNetwork network(99);
    network.loss_percent = 0;
    network.stop(1);
    const Hash message = network.post(0, 1);
    network.run_until(network.now() + minutes(5));
    EXPECT_EQ(network.box(0).outgoing().front().holders, 3U);
    network.stop(0);
    network.run_until(network.now() + hours(24));
    network.start(1);
    network.run_until(network.now() + seconds(5));
    EXPECT_EQ(network.copies(1, message), 1U);
    network.stop(1);
    network.start(0);
    network.run_until(network.now() + hours(2));
    EXPECT_EQ(network.box(0).outgoing().front().state, OutgoingState::delivered);
    for (std::size_t i = 2; i < kNodes; ++i) EXPECT_EQ(network.box(i).usage().held_messages, 0U);
}

TEST(MailNetwork, ANodeThatComesBackGetsWhatAnotherOfItsAccountHas) {
    crypto::initialise();
    MailNetwork network(98);
    network.loss_percent = 0;
    network.serve_too(1, 0);
    network.stop(1);
    const Hash message = network.post(2, 0);
    const Hash forgotten = network.post(3, 0);
    network.run_until(network.now() + minutes(1));
    ASSERT_EQ(network.copies(0, message), 1U);
    network.forget(0, forgotten);
    network.stop(2);
    network.stop(3);
    network.start(1);
    network.run_until(network.now() + seconds(5));
    EXPECT_EQ(network.copies(1, message, 0), 1U);
    EXPECT_EQ(network.copies(1, forgotten, 0), 0U);
    network.run_until(network.now() + hours(24 * 15));
    EXPECT_EQ(network.copies(1, message, 0), 1U);  // kept until its owner forgets it there too
}

}  // namespace
}  // namespace leither::org
