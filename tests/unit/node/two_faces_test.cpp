// A bookkeeper that shows two blocks of one sequence to two parts of the members' nodes: which is
// final, for whom, and what becomes known of it.
#include <gtest/gtest.h>

#include "leither/codec/bcs.h"

#include "node/org_instance.h"
#include "support/ledger_world.h"

namespace leither::node {
namespace {

using protocol::Acknowledgements;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::id_of;
using testing::key_of;
using testing::LedgerWorld;
using testing::must;

// The ledger's machines of one node, with a disk.
class Keeper {
 public:
    Keeper(const LedgerWorld& world, const std::string& name) : store_(world.store), name_(name) {
        tree::Tree tree(Options{}.tree, store_, version_of(world.seals.back()), Sequence(0));
        org_ = must(OrgInstance::make(
            Options{}, store_, key_of(name), Log(),
            {world.genesis.charter, world.seals.back(), Sequence(0), std::move(tree)}));
    }

    OrgInstance& org() { return *org_; }
    Id id() const { return id_of(name_); }
    Finality finality(Instant now) const {
        return org_->countersigning().finality(org_->head().header.sequence, now);
    }
    std::size_t forks() const { return org_->evidence().counts().forks.size(); }
    void tick(Instant now) {
        run(now, [&](Effects& fx) { must(org_->on_tick(now, fx)); });
    }
    void meet(const Id& node, Instant now) {
        run(now, [&](Effects& fx) { must(org_->on(NeighbourUp{node}, now, fx)); });
    }
    void submit(const protocol::Transaction& transaction, Instant now) {
        Submit submit{1, {bcs::encode(transaction)}};
        run(now, [&](Effects& fx) { must(org_->on_submit(std::move(submit), now, fx)); });
    }
    void hear(const Id& from, protocol::PeerMessage&& message, Instant now) {
        run(now, [&](Effects& fx) {
            std::visit(
                [&]<class Message>(Message&& held) {
                    using Held = std::remove_cvref_t<Message>;
                    if constexpr (std::is_same_v<Held, Acknowledgements> ||
                                  std::is_same_v<Held, protocol::TransactionPost>) {
                        must(org_->on_message(from, std::move(held), now, fx));
                    } else if constexpr (std::is_constructible_v<protocol::AgreementMessage,
                                                                 Held>) {
                        must(org_->on_message(from, protocol::AgreementMessage(std::move(held)),
                                              now, fx));
                    }
                },
                std::move(message));
        });
    }

 private:
    template <class Input>
    void run(Instant now, const Input& input) {
        Effects fx;
        input(fx);
        for (bool busy = true; busy;) {
            busy = false;
            for (SignatureJob& job : std::exchange(fx.verify, {})) {
                SignaturesChecked checked{job.job, {}};
                for (const auto& check : job.checks) checked.holds.push_back(testing::holds(check));
                must(org_->on_checked(checked, now, fx));
                busy = true;
            }
            if (auto handed = org_->take_batch()) {
                must(store_.write(handed->batch));
                must(org_->on_durable(now, fx));
                busy = true;
            }
        }
        org_->check_invariants();
    }

    store::MemoryStore store_;
    std::string name_;
    std::unique_ptr<OrgInstance> org_;
};

testing::Founding founding() {
    testing::Founding made;
    made.allocations = {{"payer", 1'000}, {"payee", 1'000}};
    return made;
}

// Followers, and a bookkeeper that runs twice with one key: each of its machines is honest, and
// knows only its own followers.
class TwoFaces {
 public:
    TwoFaces(std::size_t left, std::size_t right) : left_(left) {
        keepers_.push_back(std::make_unique<Keeper>(world_, "node"));
        keepers_.push_back(std::make_unique<Keeper>(world_, "node"));
        for (std::size_t n = 0; n < left + right; ++n) {
            keepers_.push_back(std::make_unique<Keeper>(world_, "follower " + std::to_string(n)));
            connect(n < left ? 0 : 1, 2 + n);
        }
    }

    Keeper& follower(std::size_t n) { return *keepers_[2 + n]; }
    std::size_t followers() const { return keepers_.size() - 2; }
    bool is_left(std::size_t n) const { return n < left_; }
    Instant now() const { return now_; }

    // All followers with each other; or those of each side.
    void connect_followers(bool across) {
        for (std::size_t a = 0; a < followers(); ++a) {
            for (std::size_t b = a + 1; b < followers(); ++b) {
                if (across || is_left(a) == is_left(b)) connect(2 + a, 2 + b);
            }
        }
    }
    void connect(std::size_t a, std::size_t b) {
        const auto missing = [&](const Link& link) { return link.a == a && link.b == b; };
        if (std::ranges::any_of(links_, missing)) return;
        links_.push_back({a, b});
        keepers_[a]->meet(keepers_[b]->id(), now_);
        keepers_[b]->meet(keepers_[a]->id(), now_);
    }
    // One more that is connected to a follower alone. Answers its number.
    std::size_t add_behind(std::size_t follower_number) {
        const std::size_t number = followers();
        keepers_.push_back(std::make_unique<Keeper>(world_, "follower " + std::to_string(number)));
        connect(2 + follower_number, 2 + number);
        return number;
    }
    // The payer's next payment, at a follower.
    void pay(std::size_t n) { follower(n).submit(world_.transfer("payer", "payee", 1), now_); }
    // Each machine of the bookkeeper decides another block.
    void decide_two() {
        for (const std::size_t face : {0u, 1u}) {
            keepers_[face]->submit(world_.transfer("payer", "payee", 1 + face), now_);
        }
        pass(seconds(5));
    }
    void pass(Duration duration) {
        for (const Instant end = now_ + duration; now_ < end; now_ += milliseconds(100)) {
            for (const auto& keeper : keepers_) keeper->tick(now_);
            deliver();
        }
    }

 private:
    struct Link {
        std::size_t a, b;
    };
    void deliver() {
        for (bool busy = true; busy;) {
            busy = false;
            for (std::size_t n = 0; n < keepers_.size(); ++n) {
                for (ToNeighbour& send : keepers_[n]->org().take_sends()) {
                    busy = true;
                    for (const Link& link : links_) {
                        if (link.a != n && link.b != n) continue;
                        Keeper& other = *keepers_[link.a == n ? link.b : link.a];
                        if (other.id() != send.to) continue;
                        other.hear(keepers_[n]->id(), std::move(send.message), now_);
                        break;
                    }
                }
            }
        }
    }

    LedgerWorld world_{founding()};
    Instant now_ = instant_from_unix_ms(world_.genesis.charter.charter.time_ms + 5'000);
    std::size_t left_;
    std::vector<std::unique_ptr<Keeper>> keepers_;
    std::vector<Link> links_;
};

TEST(TwoFaces, TwoHalvesThatHearEachOtherCallNeitherBlockFinal) {
    TwoFaces town(2, 2);
    town.connect_followers(/*across=*/true);
    town.decide_two();
    for (std::size_t n = 0; n < town.followers(); ++n) {
        const Finality seen = town.follower(n).finality(town.now());
        EXPECT_EQ(seen.sequence, Sequence(1));
        EXPECT_FALSE(seen.is_final) << n;
        EXPECT_EQ(seen.countersigned, 2u);
        EXPECT_EQ(seen.dissenting, 2u);
        EXPECT_EQ(town.follower(n).forks(), 1u) << "both certificates are kept as evidence";
    }
}

TEST(TwoFaces, OnlyTheBlockThatMostHaveIsFinal) {
    TwoFaces town(3, 2);
    town.connect_followers(/*across=*/true);
    town.decide_two();
    for (std::size_t n = 0; n < town.followers(); ++n) {
        EXPECT_EQ(town.follower(n).finality(town.now()).is_final, town.is_left(n)) << n;
        EXPECT_EQ(town.follower(n).forks(), 1u) << n;
    }
}

// What is not guaranteed: whoever is cut off counts only those on its side.
TEST(TwoFaces, HalvesThatAreCutOffBelieveUntilTheyMeet) {
    TwoFaces town(2, 2);
    town.connect_followers(/*across=*/false);
    town.decide_two();
    for (std::size_t n = 0; n < town.followers(); ++n) {
        EXPECT_TRUE(town.follower(n).finality(town.now()).is_final) << n;
        EXPECT_EQ(town.follower(n).forks(), 0u);
    }
    // One connection between them is enough, though no block comes any more.
    town.connect(2, 4);
    town.pass(seconds(5));
    for (std::size_t n = 0; n < town.followers(); ++n) {
        EXPECT_FALSE(town.follower(n).finality(town.now()).is_final) << n;
        EXPECT_EQ(town.follower(n).forks(), 1u) << n;
    }
}

TEST(TwoFaces, AnHonestBookkeeperIsBelievedByAll) {
    TwoFaces town(3, 0);
    town.connect_followers(/*across=*/true);
    town.decide_two();
    for (std::size_t n = 0; n < town.followers(); ++n) {
        const Finality seen = town.follower(n).finality(town.now());
        EXPECT_TRUE(seen.is_final);
        EXPECT_EQ(seen.countersigned, 3u);
        EXPECT_EQ(seen.online, 3u) << "the bookkeeper's own is none of them";
        EXPECT_EQ(seen.dissenting, 0u);
    }
}

// Members' nodes that no bookkeeper has room for.
TEST(TwoFaces, PaymentsReachABookkeeperThroughOthersWhereNoneIsNear) {
    TwoFaces town(1, 0);
    const std::size_t second = town.add_behind(0);
    const std::size_t third = town.add_behind(second);
    town.pass(seconds(2));
    town.pay(third);
    town.pass(seconds(5));
    for (const std::size_t n : {std::size_t{0}, second, third}) {
        EXPECT_EQ(town.follower(n).finality(town.now()).sequence, Sequence(1)) << n;
    }
}

}  // namespace
}  // namespace leither::node
