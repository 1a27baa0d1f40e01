// Election and agreement together: the charter's bookkeeper makes room for four who are elected,
// each node with a ledger of its own. What they send arrives at once.
#include <bit>
#include <deque>
#include <map>

#include <gtest/gtest.h>

#include "leither/consensus/agreement.h"
#include "leither/consensus/ledger_application.h"
#include "leither/crypto/hash_chain.h"
#include "leither/ledger/committees.h"
#include "leither/protocol/domain_tags.h"

#include "support/ledger_world.h"

namespace leither::consensus {
namespace {

using testing::id_of;
using testing::key_of;
using testing::LedgerWorld;
using testing::must;

constexpr std::uint64_t kCycle = 60;  // reveals from 20 to 2 pulses before its end
const std::vector<std::string> kCandidates = {"c0", "c1", "c2", "c3"};

testing::Founding founding() {
    testing::Founding founding;
    for (const auto& name : kCandidates) founding.allocations.push_back({name, 10'000});
    founding.params.cycle_pulses = kCycle;
    return founding;
}

struct Node {
    explicit Node(const crypto::KeyPair& key)
        : id(key.id()), world(founding()), mempool({}, world.organization, world.tree) {
        keys.emplace(key.public_key(), key);
        LedgerApplication::Setup setup;
        setup.organization = world.organization;
        setup.head = world.seals.back();
        setup.vote_keys = [this](const protocol::Seat& seat) {
            const auto found = keys.find(seat.vote_key);
            return found == keys.end() ? std::nullopt : std::optional(found->second);
        };
        setup.signature_holds = testing::holds;
        law.emplace(
            must(LedgerApplication::open(std::move(setup), world.store, world.tree, mempool)));
        Agreement::Setup agreed;
        agreed.chain = world.organization.chain;
        agreed.time_ms = world.organization.charter.time_ms;
        agreed.holds = crypto::verify;
        agreement.emplace(AgreementOptions{}, std::move(agreed), *law);
    }

    Id id;
    LedgerWorld world;
    Mempool mempool;
    std::map<PublicKey, crypto::KeyPair> keys;
    std::optional<LedgerApplication> law;
    std::optional<Agreement> agreement;
};

class Organization {
 public:
    Organization() {
        nodes_.push_back(std::make_unique<Node>(key_of("node")));
        for (const auto& name : kCandidates) {
            nodes_.push_back(std::make_unique<Node>(node_key(name)));
        }
        now_ = start_of(1);
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            carry_out(i, must(nodes_[i]->agreement->start(now_)));
        }
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            for (const auto& other : nodes_) {
                if (other != nodes_[i]) inputs_.push_back({i, Agreement::NodeUp{other->id}});
            }
        }
        settle();
    }

    void run_to(std::uint64_t pulse) {
        const Instant until = start_of(pulse);
        for (std::size_t steps = 0;; ++steps) {
            CHECK(steps < 100'000, "time stands still");
            std::optional<Instant> next;
            for (const auto& node : nodes_) {
                const auto due = node->agreement->next_deadline();
                if (due && (!next || *due < *next)) next = due;
            }
            if (!next || *next > until) break;
            now_ = std::max(now_, *next);
            for (std::size_t i = 0; i < nodes_.size(); ++i) {
                const auto due = nodes_[i]->agreement->next_deadline();
                if (due && *due <= now_) inputs_.push_back({i, Agreement::Tick{}});
            }
            settle();
        }
        now_ = until;
    }
    // To all mempools.
    void submit(const protocol::Transaction& transaction) {
        const protocol::EncodedTransaction encoded(transaction);
        for (const auto& node : nodes_) {
            Mempool::Entry entry{encoded.id(chain()), transaction, encoded.size()};
            ASSERT_TRUE(must(node->mempool.add(std::move(entry), node->law->next_place(now_))));
            node->law->on_admitted(now_);
        }
    }

    void pledge(const std::string& name) {
        const protocol::Pledge act{Amount::of(1'000),
                                   {node_key(name).public_key(), links(name).head()}};
        submit(wallet::sign(draft(name, 0), act, key_of(name), nullptr));
    }
    // The first link, with a vote key that only this node has.
    void reveal(std::size_t candidate) {
        const std::string& name = kCandidates[candidate];
        const auto vote_key = key_of(name + "'s vote");
        nodes_[candidate + 1]->keys.emplace(vote_key.public_key(), vote_key);
        as_node(name, protocol::Reveal{links(name).link(1), vote_key.public_key()});
    }
    void ready(const std::string& name) {
        as_node(name, protocol::Ready{world().election().cycle + 1});
    }
    void pay() { submit(world().transfer("c0", "c1", 5)); }

    Node& node(std::size_t i) { return *nodes_.at(i); }
    LedgerWorld& world() { return nodes_.front()->world; }
    std::uint64_t height() const { return head().header.sequence.value(); }
    const ledger::Seal& head() const { return nodes_.front()->law->head(); }
    const Term& term(std::size_t i) const { return nodes_.at(i)->law->term(); }
    std::size_t faults() const { return faults_; }

 private:
    struct Waiting {
        std::size_t to = 0;
        Agreement::Input input;
    };

    static crypto::KeyPair node_key(const std::string& name) { return key_of(name + "'s node"); }
    const ChainId& chain() const { return nodes_.front()->world.organization.chain; }
    Instant start_of(std::uint64_t pulse) const {
        const auto& charter = nodes_.front()->world.organization.charter;
        return instant_from_unix_ms(charter.time_ms + 1000 * pulse);
    }
    crypto::HashChain links(const std::string& name) const {
        return {protocol::tags::kRevealLink, chain(), crypto::blake2b_256(as_bytes(name)), 50};
    }
    wallet::Draft draft(const std::string& name, std::uint8_t lane) {
        const auto member = world().member(name);
        const Pulse expiry(nodes_.front()->law->pulse(now_).value() + 100);
        return {chain(), {lane, member->next_counter(lane)}, expiry};
    }
    void as_node(const std::string& name, protocol::Action action) {
        submit(wallet::act_as_node(draft(name, protocol::kNodeLane), std::move(action), id_of(name),
                                   node_key(name)));
    }

    void settle() {
        while (!inputs_.empty()) {
            Waiting next = std::move(inputs_.front());
            inputs_.pop_front();
            Agreement& agreement = *nodes_[next.to]->agreement;
            auto fx = must(agreement.step(std::move(next.input), now_));
            agreement.check_invariants();
            carry_out(next.to, std::move(fx));
        }
    }
    void carry_out(std::size_t i, Agreement::Effects&& fx) {
        Node& node = *nodes_[i];
        faults_ += fx.evidence.size() + fx.blamed.size() + (fx.fork || fx.objected_to ? 1 : 0);
        if (fx.log) {
            must(node.world.store.write(fx.log->batch));
            inputs_.push_back({i, Agreement::Logged{fx.log->number}});
        }
        if (fx.durable) {
            must(node.world.store.write(*fx.durable));
            inputs_.push_back({i, Agreement::Persisted{}});
        }
        for (auto& send : fx.sends) {
            for (std::size_t to = 0; to < nodes_.size(); ++to) {
                if (nodes_[to]->id != send.to) continue;
                inputs_.push_back({to, Agreement::Received{node.id, std::move(send.message)}});
            }
        }
        if (fx.committed) note_sealed(node);
    }
    // Whoever stood for the block has decided it, and all nodes have the same.
    void note_sealed(Node& node) {
        node.law->take_sealed();
        node.law->check_invariants();
        const ledger::Seal& head = node.law->head();
        node.world.seals.push_back(head);
        EXPECT_TRUE(must(ledger::verify_head(node.world.organization, node.world.tree, head.header,
                                             head.certificate)));
        const auto [known, is_new] = decided_.emplace(head.header.sequence, head.header);
        EXPECT_EQ(known->second, head.header);
    }

    std::vector<std::unique_ptr<Node>> nodes_;
    std::deque<Waiting> inputs_;
    std::map<Sequence, protocol::BlockHeader> decided_;
    std::size_t faults_ = 0;
    Instant now_{};
};

// Pulse 1 to the first block of the elected committee's term.
void elect(Organization& all) {
    for (const auto& name : kCandidates) all.pledge(name);
    all.run_to(kCycle - 15);
    for (std::size_t i = 0; i < kCandidates.size(); ++i) all.reveal(i);
    all.run_to(3 * kCycle - 30);
    for (const auto& name : kCandidates) all.ready(name);
    all.run_to(3 * kCycle);
}

TEST(ElectedCommittee, RevealsWaitForTheWindowsEndAndIdleCyclesTakeOneBlockEach) {
    Organization all;
    for (const auto& name : kCandidates) all.pledge(name);
    all.run_to(kCycle - 15);
    EXPECT_EQ(all.height(), 1U);
    for (std::size_t i = 0; i < kCandidates.size(); ++i) all.reveal(i);
    all.run_to(kCycle - 6);
    EXPECT_EQ(all.height(), 1U);
    all.run_to(kCycle - 5);
    EXPECT_EQ(all.height(), 2U);
    EXPECT_EQ(all.head().header.transaction_count, 4U);
    all.run_to(kCycle);
    EXPECT_EQ(all.height(), 3U);
    all.run_to(2 * kCycle - 1);
    EXPECT_EQ(all.height(), 3U);
    all.run_to(2 * kCycle);
    EXPECT_EQ(all.height(), 4U);
    EXPECT_EQ(all.head().header.transaction_count, 0U);
    EXPECT_EQ(all.faults(), 0U);
}

// One that was lost in a failed round, or comes late, has pulses left.
TEST(ElectedCommittee, UntilTheWindowClosesALateRevealOpensAHeightOfItsOwn) {
    Organization all;
    for (const auto& name : kCandidates) all.pledge(name);
    all.run_to(kCycle - 15);
    all.reveal(0);
    all.run_to(kCycle - 4);
    EXPECT_EQ(all.height(), 2U);
    all.reveal(1);
    all.run_to(kCycle - 3);
    EXPECT_EQ(all.height(), 3U);
    all.reveal(2);
    all.run_to(kCycle - 2);
    EXPECT_EQ(all.height(), 4U);
    EXPECT_EQ(all.head().header.transaction_count, 1U);
}

TEST(ElectedCommittee, TakesOverFromTheChartersBookkeeperAndServesOn) {
    Organization all;
    elect(all);
    all.run_to(3 * kCycle + 1);  // those without a seat so far ask for the block, after a moment
    EXPECT_EQ(all.head().header.pulse, Pulse(3 * kCycle));
    EXPECT_EQ(all.head().certificate.slot.cycle, 2U);
    EXPECT_EQ(all.node(0).agreement->silence(), Silence::no_seat);
    for (std::size_t i = 1; i <= kCandidates.size(); ++i) {
        EXPECT_TRUE(all.term(i).seat.has_value());
        EXPECT_EQ(all.node(i).agreement->silence(), Silence::none);
    }
    EXPECT_EQ(all.term(0).committee.size(), 4U);
    EXPECT_EQ(all.term(0).previous.size(), 1U);

    // The first block of the term names the former committee's signature.
    all.pay();
    all.run_to(3 * kCycle + 3);
    EXPECT_EQ(all.head().header.transaction_count, 1U);
    EXPECT_EQ(all.head().header.signers, 1U);
    EXPECT_EQ(all.head().certificate.slot.cycle, 3U);
    EXPECT_GE(all.head().certificate.signatures.size(), 3U);
    all.pay();
    all.run_to(3 * kCycle + 6);
    EXPECT_GE(std::popcount(all.head().header.signers), 3);
    EXPECT_EQ(all.head().header.signers >> 4, 0U);

    // Nobody else is elected: it goes on, in a term of its own.
    all.run_to(4 * kCycle + 2);
    EXPECT_EQ(all.term(0).cycle, 4U);
    all.pay();
    all.run_to(4 * kCycle + 6);
    EXPECT_EQ(all.head().certificate.slot.cycle, 4U);
    for (std::size_t i = 0; i <= kCandidates.size(); ++i) {
        EXPECT_EQ(all.node(i).law->head().header, all.head().header);
    }
    EXPECT_EQ(all.faults(), 0U);
}

TEST(ElectedCommittee, WhatItDecidesIsProvenFromTheCharter) {
    Organization all;
    elect(all);
    all.pay();
    all.run_to(3 * kCycle + 3);
    LedgerWorld& world = all.world();
    const ledger::Seal& head = all.head();
    ledger::Receipt receipt{world.genesis.charter,
                            must(ledger::committees_up_to(world.organization, world.store,
                                                          world.tree, head, Sequence(0))),
                            head.header, head.certificate, must(world.tree.prove(id_of("c1")))};
    const auto proven = ledger::verify(receipt, world.organization.treasury);
    ASSERT_TRUE(proven.has_value());
    EXPECT_FALSE(proven->trusted);
    EXPECT_EQ(std::get<protocol::MemberRecord>(*proven->record).balance, Amount::of(9'005));
    receipt.committees.clear();
    EXPECT_FALSE(ledger::verify(receipt, world.organization.treasury).has_value());
}

}  // namespace
}  // namespace leither::consensus
