// The catalogue of packs, tags and contributions: what one node takes, and how many come to have
// the same.
#include "leither/org/catalogue.h"

#include <map>

#include <gtest/gtest.h>

#include "leither/crypto/hash.h"

#include "support/org/flights.h"
#include "support/org/org_world.h"

namespace leither::org {
namespace {

using protocol::CatalogueAsk;
using protocol::CatalogueEntries;
using protocol::CatalogueEntry;
using protocol::CatalogueHave;
using protocol::CatalogueOffer;
using protocol::SignedContribution;
using protocol::SignedPack;
using protocol::SignedTag;
using protocol::SignedWithdrawal;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::key_named;
using testing::kSampleNow;

class CatalogueTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    CatalogueTest() {
        ledger.accounts = {sample.alice.id(), sample.bob.id()};
        options.packs_max = 6;
        options.packs_per_publisher_max = 4;
        options.tags_max = 6;
        options.tags_per_author_max = 4;
        options.contributions_max = 6;
        options.contributions_per_author_max = 4;
        options.asks_per_minute_max = 3;
        catalogue = make();
    }
    std::unique_ptr<Catalogue> make() {
        return std::make_unique<Catalogue>(options, Catalogue::Setup{sample.chain, {'t'}}, members,
                                           prng, Log());
    }
    void restart() {
        catalogue = make();
        ASSERT_TRUE(catalogue->load(disk, now).has_value());
        catalogue->check_invariants();
    }
    Catalogue::Effects give(Catalogue::Input&& input) {
        auto effects = catalogue->step(std::move(input), now);
        catalogue->check_invariants();
        testing::write(disk, effects.writes);
        return effects;
    }
    template <class Message>
    static std::vector<std::pair<Id, Message>> sent(const Catalogue::Effects& effects) {
        std::vector<std::pair<Id, Message>> all;
        for (const auto& send : effects.sends) {
            const auto* held = std::get_if<Message>(&send.message);
            if (held != nullptr) all.emplace_back(send.to, *held);
        }
        return all;
    }
    SignedPack pack(const crypto::KeyPair& publisher, const std::string& name,
                    Instant published = kSampleNow) const {
        return testing::make_pack(sample.chain, publisher, name, {10}, published).pack;
    }
    SignedTag tag(const crypto::KeyPair& author, const std::string& word,
                  Instant issued = kSampleNow, Duration lifetime = hours(24)) const {
        return sample.tag(author, word, protocol::AccountTarget{}, issued, lifetime);
    }
    SignedWithdrawal withdrawal(const crypto::KeyPair& author, const std::string& word,
                                Instant issued = kSampleNow) const {
        return sample.withdrawal(author, word, protocol::AccountTarget{}, issued);
    }
    SignedContribution contribution(const crypto::KeyPair& author, const std::string& text,
                                    Instant issued = kSampleNow) const {
        return sample.contribution(author, text, {}, issued);
    }
    Hash id_of(const CatalogueEntry& entry) const { return entry_id(sample.chain, entry); }
    Result<Hash, CatalogueRefusal> add(const CatalogueEntry& entry) {
        return *give(Catalogue::Add{entry}).added;
    }
    // Offered by the peer, asked for, told.
    Catalogue::Effects tell(const CatalogueEntry& entry) {
        give(Catalogue::Offered{peer, {{id_of(entry)}}});
        CatalogueEntries entries;
        entries.entries.push_back({entry, std::nullopt});
        return give(Catalogue::Told{peer, entries});
    }

    testing::OrgSample sample;
    testing::ListedMembers ledger;
    Members members{{}, sample.chain, ledger, testing::shelf(ShelfKind::pass)};
    Prng prng{3};
    store::MemoryStore disk;
    Instant now = kSampleNow;
    CatalogueOptions options;
    std::unique_ptr<Catalogue> catalogue;
    Id peer = key_named("peer").id();
    Id other = key_named("other").id();
};

TEST_F(CatalogueTest, OfOnePublisherAndNameTheLatestCounts) {
    const auto first = pack(sample.alice, "Prices");
    const auto second = pack(sample.alice, "Prices", kSampleNow + seconds(1));
    ASSERT_TRUE(add(first));
    EXPECT_EQ(add(first).error(), CatalogueRefusal::known);
    ASSERT_TRUE(add(second));
    EXPECT_EQ(add(first).error(), CatalogueRefusal::older);
    EXPECT_EQ(catalogue->packs(), std::vector{second});
    EXPECT_EQ(catalogue->pack(id_of(first)), nullptr);
    ASSERT_NE(catalogue->pack(id_of(second)), nullptr);
    // Another's pack of that name is another pack.
    ASSERT_TRUE(add(pack(sample.bob, "Prices")));
    EXPECT_EQ(catalogue->size(), 2u);
}

TEST_F(CatalogueTest, OfTwoOfOneMomentEveryNodeKeepsTheSame) {
    const CatalogueEntry one = testing::make_pack(sample.chain, sample.alice, "P", {10}).pack;
    const CatalogueEntry two = testing::make_pack(sample.chain, sample.alice, "P", {11}).pack;
    const Hash smaller = std::min(id_of(one), id_of(two));
    (void)add(one);
    (void)add(two);
    EXPECT_NE(catalogue->pack(smaller), nullptr);
    catalogue = make();
    (void)add(two);
    (void)add(one);
    EXPECT_NE(catalogue->pack(smaller), nullptr);
    EXPECT_EQ(catalogue->size(), 1u);
}

TEST_F(CatalogueTest, RefusalsInOrderOfPrecedence) {
    auto forged = pack(key_named("stranger"), "P");
    forged.signature[0] ^= 1;
    EXPECT_EQ(add(forged).error(), CatalogueRefusal::stranger);
    forged = pack(sample.alice, "P");
    forged.signature[0] ^= 1;
    const auto effects = give(Catalogue::Add{forged});
    EXPECT_EQ(effects.added->error(), CatalogueRefusal::bad_entry);
    EXPECT_TRUE(effects.forged);
    EXPECT_EQ(add(pack(sample.alice, "P", now + hours(1))).error(), CatalogueRefusal::bad_entry);
    EXPECT_EQ(add(tag(sample.alice, "t", now - hours(25))).error(), CatalogueRefusal::bad_entry);
    EXPECT_EQ(catalogue->would_take(pack(sample.alice, "P"), now).has_value(), true);
    EXPECT_EQ(catalogue->size(), 0u);
}

TEST_F(CatalogueTest, EachMemberAndAllTogetherHaveBounds) {
    for (int i = 0; i < 6; ++i) {
        ASSERT_TRUE(add(pack(sample.alice, "a" + std::to_string(i), kSampleNow + seconds(i))));
    }
    EXPECT_EQ(catalogue->packs().size(), 4u);  // the newest of hers
    EXPECT_EQ(add(pack(sample.alice, "old", kSampleNow)).error(), CatalogueRefusal::full);
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(add(pack(sample.bob, "b" + std::to_string(i), kSampleNow + minutes(1))));
    }
    EXPECT_EQ(catalogue->packs().size(), 6u);  // of all: one of hers has gone
    for (int i = 0; i < 9; ++i) {
        ASSERT_TRUE(add(tag(sample.alice, "a" + std::to_string(i), kSampleNow + seconds(i))));
    }
    EXPECT_EQ(catalogue->tags().size(), 4u);
    EXPECT_EQ(catalogue->packs().size(), 6u);
}

TEST_F(CatalogueTest, TagsLeaveWhenTheyExpireAndAreReplacedByLaterOnes) {
    ASSERT_TRUE(add(tag(sample.alice, "bread", kSampleNow, hours(2))));
    ASSERT_TRUE(add(tag(sample.alice, "flour", kSampleNow, hours(1))));
    EXPECT_EQ(catalogue->next_deadline(), kSampleNow + hours(1));
    ASSERT_TRUE(add(tag(sample.alice, "bread", kSampleNow + milliseconds(1), minutes(30))));
    EXPECT_EQ(catalogue->tags().size(), 2u);
    now = *catalogue->next_deadline();
    EXPECT_TRUE(give(Catalogue::Tick{}).changed);
    ASSERT_EQ(catalogue->tags().size(), 1u);
    EXPECT_EQ(catalogue->tags()[0].entry.tag, "flour");
    now = kSampleNow + hours(1);
    restart();
    EXPECT_EQ(catalogue->tags().size(), 0u);
    EXPECT_FALSE(catalogue->next_deadline());
}

TEST_F(CatalogueTest, AWithdrawnTagIsGoneAndNoEarlierOneComesBack) {
    const auto first = tag(sample.alice, "bread", kSampleNow - hours(1), protocol::kTagLifetimeMax);
    const auto second = tag(sample.alice, "bread", kSampleNow, hours(1));
    ASSERT_TRUE(add(second));
    ASSERT_TRUE(add(withdrawal(sample.alice, "bread", kSampleNow + milliseconds(1))));
    EXPECT_TRUE(catalogue->tags().empty());
    EXPECT_EQ(catalogue->size(), 1u);  // the withdrawal stays, to be told to others
    EXPECT_EQ(add(second).error(), CatalogueRefusal::older);
    EXPECT_EQ(add(first).error(), CatalogueRefusal::older);
    // Another's entry, or another tag, is not concerned.
    ASSERT_TRUE(add(tag(sample.bob, "bread")));
    ASSERT_TRUE(add(tag(sample.alice, "flour")));
    EXPECT_EQ(catalogue->tags().size(), 2u);
    // Who was away brings it up again, also when the withdrawn one would have expired.
    now = kSampleNow + hours(24 * 89);
    give(Catalogue::NodeUp{peer});
    restart();
    give(Catalogue::NodeUp{peer});
    EXPECT_FALSE(tell(first).changed);
    // Whoever tags it again after that is found again.
    ASSERT_TRUE(add(tag(sample.alice, "bread", now)));
    EXPECT_EQ(catalogue->tags().size(), 1u);
}

TEST_F(CatalogueTest, AWithdrawalLeavesWhenNothingIsLeftThatItCouldWithdraw) {
    ASSERT_TRUE(add(withdrawal(sample.alice, "bread")));
    EXPECT_EQ(catalogue->next_deadline(), kSampleNow + protocol::kTagLifetimeMax);
    now = kSampleNow + protocol::kTagLifetimeMax;
    EXPECT_TRUE(give(Catalogue::Tick{}).changed);
    EXPECT_EQ(catalogue->size(), 0u);
    const auto last = tag(sample.alice, "bread", kSampleNow, protocol::kTagLifetimeMax);
    EXPECT_EQ(add(last).error(), CatalogueRefusal::bad_entry);  // expired too
    auto forged = withdrawal(sample.alice, "bread", now);
    forged.signature[0] ^= 1;
    EXPECT_TRUE(give(Catalogue::Add{forged}).forged);
}

TEST_F(CatalogueTest, WithdrawalsHaveTheRoomOfTags) {
    for (int i = 0; i < 6; ++i) {
        ASSERT_TRUE(
            add(withdrawal(sample.alice, "t" + std::to_string(i), kSampleNow + seconds(i))));
    }
    EXPECT_EQ(catalogue->size(), options.tags_per_author_max);
    EXPECT_EQ(add(tag(sample.alice, "old", kSampleNow)).error(), CatalogueRefusal::full);
}

TEST_F(CatalogueTest, EachContributionCountsForItself) {
    const auto first = contribution(sample.alice, "200 recipes");
    const auto second = contribution(sample.alice, "200 recipes", kSampleNow + milliseconds(1));
    ASSERT_TRUE(add(first));
    EXPECT_EQ(add(first).error(), CatalogueRefusal::known);
    ASSERT_TRUE(add(second));
    EXPECT_EQ(catalogue->contributions(), (std::vector{second, first}));
    ASSERT_NE(catalogue->contribution(id_of(first)), nullptr);
    EXPECT_EQ(catalogue->pack(id_of(first)), nullptr);
    EXPECT_EQ(add(contribution(key_named("stranger"), "x")).error(), CatalogueRefusal::stranger);
    EXPECT_EQ(add(contribution(sample.bob, "x", now + hours(1))).error(),
              CatalogueRefusal::bad_entry);
    now += hours(24 * 3650);
    EXPECT_FALSE(give(Catalogue::Tick{}).changed);
    restart();
    EXPECT_EQ(catalogue->contributions(), (std::vector{second, first}));
}

TEST_F(CatalogueTest, ContributionsHaveBoundsOfTheirOwnAndTheOldestGoFirst) {
    for (int i = 0; i < 6; ++i) {
        ASSERT_TRUE(add(contribution(sample.alice, "a", kSampleNow + seconds(i))));
    }
    EXPECT_EQ(catalogue->contributions().size(), 4u);
    EXPECT_EQ(add(contribution(sample.alice, "a", kSampleNow)).error(), CatalogueRefusal::full);
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(add(contribution(sample.bob, "b", kSampleNow + minutes(i + 1))));
    }
    EXPECT_EQ(catalogue->contributions().size(), 6u);
    ASSERT_TRUE(add(pack(sample.alice, "P")));
    ASSERT_TRUE(add(tag(sample.alice, "t")));
    EXPECT_EQ(catalogue->size(), 8u);
}

TEST_F(CatalogueTest, ComesBackFromItsStore) {
    ASSERT_TRUE(add(pack(sample.alice, "P")));
    ASSERT_TRUE(add(pack(sample.alice, "P", kSampleNow + seconds(1))));
    ASSERT_TRUE(add(tag(sample.bob, "bread")));
    const auto packs = catalogue->packs();
    const auto tags = catalogue->tags();
    restart();
    EXPECT_EQ(catalogue->packs(), packs);
    EXPECT_EQ(catalogue->tags(), tags);
    EXPECT_TRUE(give(Catalogue::Tick{}).writes.empty());
}

TEST_F(CatalogueTest, EntriesOfAnotherChainAreForgotten) {
    ASSERT_TRUE(add(pack(sample.alice, "P")));
    sample.chain = ChainId::copy_of(Bytes(32, 0xdd));
    restart();
    EXPECT_EQ(catalogue->size(), 0u);
    EXPECT_EQ(give(Catalogue::Tick{}).writes.erases().size(), 1u);
}

TEST_F(CatalogueTest, ANodeWithoutEntriesSaysNothing) {
    EXPECT_TRUE(give(Catalogue::NodeUp{peer}).sends.empty());
    now += options.compare_interval;
    EXPECT_TRUE(give(Catalogue::Tick{}).sends.empty());
    // Whoever has some is shown that this one has others: none.
    const auto told = give(Catalogue::Compared{peer, {1, Hash{}}});
    ASSERT_EQ(told.sends.size(), 1u);
    EXPECT_EQ(sent<CatalogueHave>(told).front().second.entries, 0u);
}

TEST_F(CatalogueTest, WhoeverHasOthersIsOfferedAllButNotTooOften) {
    ASSERT_TRUE(add(pack(sample.alice, "P")));
    ASSERT_TRUE(add(tag(sample.alice, "t")));
    const auto greeting = sent<CatalogueHave>(give(Catalogue::NodeUp{peer}));
    ASSERT_EQ(greeting.size(), 1u);
    EXPECT_TRUE(give(Catalogue::Compared{peer, greeting[0].second}).sends.empty());
    const auto offers = sent<CatalogueOffer>(give(Catalogue::Compared{peer, {0, Hash{}}}));
    ASSERT_EQ(offers.size(), 1u);
    EXPECT_EQ(offers[0].second.ids.size(), 2u);
    EXPECT_TRUE(give(Catalogue::Compared{peer, {0, Hash{}}}).sends.empty());
    now += options.show_interval;
    EXPECT_EQ(give(Catalogue::Compared{peer, {0, Hash{}}}).sends.size(), 2u);
}

TEST_F(CatalogueTest, EntriesAreTakenFromWhomTheyWereAskedAndPassedOn) {
    give(Catalogue::NodeUp{peer});
    give(Catalogue::NodeUp{other});
    const CatalogueEntry entry = pack(sample.alice, "P");
    CatalogueEntries entries;
    entries.entries.push_back({entry, std::nullopt});
    EXPECT_FALSE(give(Catalogue::Told{peer, entries}).changed);  // nobody asked
    EXPECT_FALSE(catalogue->awaits(peer, entry));

    const auto asked = sent<CatalogueAsk>(give(Catalogue::Offered{peer, {{id_of(entry)}}}));
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_TRUE(catalogue->awaits(peer, entry));
    EXPECT_TRUE(give(Catalogue::Offered{other, {{id_of(entry)}}}).sends.empty());  // one asked
    EXPECT_FALSE(give(Catalogue::Told{other, entries}).changed);
    const auto told = give(Catalogue::Told{peer, entries});
    EXPECT_TRUE(told.changed);
    const auto offers = sent<CatalogueOffer>(told);
    ASSERT_EQ(offers.size(), 1u);
    EXPECT_EQ(offers[0].first, other);
    EXPECT_TRUE(give(Catalogue::Offered{other, {{id_of(entry)}}}).sends.empty());  // known
}

TEST_F(CatalogueTest, WhoeverDoesNotAnswerIsNotTheOnlyOneAsked) {
    give(Catalogue::NodeUp{peer});
    give(Catalogue::NodeUp{other});
    const Hash id = id_of(pack(sample.alice, "P"));
    EXPECT_EQ(give(Catalogue::Offered{peer, {{id}}}).sends.size(), 1u);
    now += seconds(19);
    EXPECT_EQ(give(Catalogue::Offered{other, {{id}}}).sends.size(), 0u);
    now += seconds(1);
    EXPECT_EQ(give(Catalogue::Offered{other, {{id}}}).sends.size(), 1u);
    give(Catalogue::NodeDown{other});
    EXPECT_EQ(give(Catalogue::Offered{peer, {{id}}}).sends.size(), 1u);
}

TEST_F(CatalogueTest, AForgedEntryIsToldAndNotPassedOn) {
    give(Catalogue::NodeUp{peer});
    give(Catalogue::NodeUp{other});
    auto forged = pack(sample.alice, "P");
    forged.signature[1] ^= 1;
    const auto told = tell(forged);
    EXPECT_TRUE(told.forged);
    EXPECT_TRUE(told.sends.empty());
    EXPECT_EQ(catalogue->size(), 0u);
}

TEST_F(CatalogueTest, QuestionsOfOneNodeAreAnsweredInBounds) {
    give(Catalogue::NodeUp{peer});
    const auto entry = pack(sample.alice, "P");
    ASSERT_TRUE(add(entry));
    for (std::size_t i = 0; i < options.asks_per_minute_max; ++i) {
        const auto told = sent<CatalogueEntries>(give(Catalogue::Asked{peer, {{id_of(entry)}}}));
        ASSERT_EQ(told.size(), 1u);
        EXPECT_EQ(told[0].second.entries[0].entry, CatalogueEntry(entry));
    }
    EXPECT_TRUE(give(Catalogue::Asked{peer, {{id_of(entry)}}}).sends.empty());
    now += minutes(1);
    EXPECT_EQ(give(Catalogue::Asked{peer, {{id_of(entry)}}}).sends.size(), 1u);
    EXPECT_TRUE(give(Catalogue::Asked{other, {{id_of(entry)}}}).sends.empty());  // not connected
}

TEST_F(CatalogueTest, QuestionsOfOursAreBounded) {
    give(Catalogue::NodeUp{peer});
    std::size_t asked = 0;
    for (int n = 0; n < 20; ++n) {
        std::vector<Hash> ids(protocol::kCatalogueIdsMax);
        for (Hash& id : ids) prng.fill(id.span());
        std::ranges::sort(ids);
        CatalogueOffer offer;
        offer.ids.assign(ids.begin(), ids.end());
        for (const auto& ask : sent<CatalogueAsk>(give(Catalogue::Offered{peer, offer}))) {
            asked += ask.second.ids.size();
        }
    }
    EXPECT_EQ(asked, 2 * (options.packs_max + options.tags_max + options.contributions_max));
}

// Five catalogues over lines that lose a third of all messages.
class CatalogueNetwork {
 public:
    explicit CatalogueNetwork(std::uint64_t seed) : prng_(seed) {
        for (std::size_t i = 0; i < kNodes; ++i) {
            accounts_.push_back(key_named("account " + std::to_string(i)));
            nodes_.push_back(key_named("node " + std::to_string(i)).id());
            ledger_.accounts.insert(accounts_[i].id());
        }
        disks_.resize(kNodes);
        for (std::size_t i = 0; i < kNodes; ++i) all_.push_back(make());
        for (std::size_t i = 0; i < kNodes; ++i) {
            for (std::size_t k = 0; k < kNodes; ++k) {
                if (i != k) give(i, Catalogue::NodeUp{nodes_[k]});
            }
        }
    }
    void add(std::size_t i) {
        const auto& account = accounts_[i];
        const std::string name = std::string(1, static_cast<char>('a' + prng_.below(5)));
        const protocol::TagTarget target = protocol::AccountTarget{nodes_[prng_.below(kNodes)]};
        CatalogueEntry entry = sample_.tag(account, name, target, now_, hours(24));
        const auto kind = prng_.below(5);
        if (kind == 1) entry = testing::make_pack(sample_.chain, account, name, {10}, now_).pack;
        if (kind == 2) entry = sample_.withdrawal(account, name, target, now_);
        if (kind == 3) entry = sample_.contribution(account, name, {}, now_);
        give(i, Catalogue::Add{std::move(entry)});
    }
    void restart(std::size_t i) {
        all_[i] = make();
        ASSERT_TRUE(all_[i].load(disks_[i], now_).has_value());
        for (std::size_t k = 0; k < kNodes; ++k) {
            if (i == k) continue;
            give(k, Catalogue::NodeDown{nodes_[i]});
            give(k, Catalogue::NodeUp{nodes_[i]});
            give(i, Catalogue::NodeUp{nodes_[k]});
        }
    }
    void run_for(Duration duration) {
        flights_.run(now_, now_ + duration,
                     {.machines = kNodes,
                      .deadline = [this](std::size_t i) { return all_[i].next_deadline(); },
                      .tick = [this](std::size_t i) { give(i, Catalogue::Tick{}); },
                      .land = [this](Flight&& flight) { land(std::move(flight)); }});
    }
    const Catalogue& at(std::size_t i) const { return all_[i]; }
    Prng& prng() { return prng_; }
    std::uint64_t messages() const { return messages_; }

    static constexpr std::size_t kNodes = 5;

 private:
    struct Flight {
        std::size_t from = 0;
        Catalogue::Send send;
    };
    Catalogue make() { return Catalogue({}, {sample_.chain, {'t'}}, members_, prng_, Log()); }
    void give(std::size_t i, Catalogue::Input&& input) {
        auto effects = all_[i].step(std::move(input), now_);
        all_[i].check_invariants();
        testing::write(disks_[i], effects.writes);
        EXPECT_FALSE(effects.forged);
        for (auto& send : effects.sends) {
            ++messages_;
            if (prng_.chance(1, 3)) continue;
            flights_.add(now_ + milliseconds(10 + prng_.below(300)), Flight{i, std::move(send)});
        }
    }
    void land(Flight&& flight) {
        const Id from = nodes_[flight.from];
        const auto to =
            static_cast<std::size_t>(std::ranges::find(nodes_, flight.send.to) - nodes_.begin());
        const auto& message = flight.send.message;
        if (const auto* have = std::get_if<CatalogueHave>(&message)) {
            give(to, Catalogue::Compared{from, *have});
        } else if (const auto* offer = std::get_if<CatalogueOffer>(&message)) {
            give(to, Catalogue::Offered{from, *offer});
        } else if (const auto* ask = std::get_if<CatalogueAsk>(&message)) {
            give(to, Catalogue::Asked{from, *ask});
        } else {
            give(to, Catalogue::Told{from, std::get<CatalogueEntries>(message)});
        }
    }

    testing::OrgSample sample_;
    testing::ListedMembers ledger_;
    Members members_{{}, sample_.chain, ledger_, testing::shelf(ShelfKind::pass)};
    Prng prng_;
    std::vector<crypto::KeyPair> accounts_;
    std::vector<Id> nodes_;
    std::vector<store::MemoryStore> disks_;
    std::vector<Catalogue> all_;
    Instant now_ = kSampleNow;
    testing::Flights<Flight> flights_;
    std::uint64_t messages_ = 0;
};

TEST(CatalogueNetworkTest, AllComeToHaveTheSameOverLinesThatLoseAThird) {
    crypto::initialise();
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        CatalogueNetwork network(seed);
        for (int i = 0; i < 40; ++i) {
            network.add(network.prng().below(CatalogueNetwork::kNodes));
            network.run_for(seconds(network.prng().below(30)));
            if (i % 10 == 9) network.restart(network.prng().below(CatalogueNetwork::kNodes));
        }
        network.run_for(hours(3));
        ASSERT_GT(network.at(0).size(), 10u);
        for (std::size_t i = 1; i < CatalogueNetwork::kNodes; ++i) {
            EXPECT_EQ(network.at(i).packs(), network.at(0).packs()) << "seed " << seed;
            EXPECT_EQ(network.at(i).tags(), network.at(0).tags()) << "seed " << seed;
            EXPECT_EQ(network.at(i).contributions(), network.at(0).contributions())
                << "seed " << seed;
            EXPECT_EQ(network.at(i).size(), network.at(0).size()) << "seed " << seed;
        }
        // Once all have the same, comparing is all that is said.
        const std::uint64_t before = network.messages();
        network.run_for(hours(1));
        EXPECT_LE(network.messages() - before, 6 * CatalogueNetwork::kNodes) << "seed " << seed;
    }
}

}  // namespace
}  // namespace leither::org
