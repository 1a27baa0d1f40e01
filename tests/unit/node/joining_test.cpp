// A newcomer's node with nothing but an invitation: it meets the nodes that the invitation names,
// its letters reach members who were away, and nothing of the ledger reaches it before it is a
// member's.
#include <gtest/gtest.h>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

#include "cluster.h"

namespace leither::node {
namespace {

using std::chrono::hours;

constexpr std::size_t kGuest = 7;  // of the seed's keys; no member

class Joining : public ::testing::Test {
 protected:
    Joining() : cluster_(with_bookkeepers(1)) {}

    NetworkWorld& world() { return cluster_.world(); }
    const Community& community() const { return cluster_.community(); }
    crypto::KeyPair guest() const { return community().member(kGuest); }

    protocol::Introduction introduction() {
        return world().queries(kFounder).introduction().value();
    }
    std::optional<NetworkWorld::Answer> follow(std::size_t host,
                                               const protocol::Introduction& introduction) {
        return world().ask(host,
                           FollowOrganization{community().organization().treasury, introduction});
    }
    std::size_t add_guest() {
        const std::size_t host = world().add(node_key(kGuest));
        const auto followed = follow(host, introduction());
        EXPECT_TRUE(followed && *followed);
        return host;
    }
    bool serve_guest(std::size_t host) {
        return world().wait(
            [&] {
                const auto served = world().ask(
                    host,
                    community().delegate(guest(), node_key(kGuest).public_key(), world().now()));
                return served && served->has_value();
            },
            minutes(5));
    }
    std::optional<NetworkWorld::Answer> send(std::size_t host, const crypto::KeyPair& from,
                                             const crypto::KeyPair& to, std::string_view text) {
        protocol::Letter letter;
        letter.sender = from.public_key();
        letter.recipient = to.id();
        letter.sent_ms = unix_ms(world().now());
        letter.text = BoundedText<protocol::kLetterTextMax>(std::string(text));
        Prng entropy(7);
        const auto sealed = protocol::seal_letter(protocol::sign(community().chain(), letter, from),
                                                  to.public_key(), entropy);
        return world().ask(host, PostLetter{letter.recipient, *sealed});
    }
    std::vector<std::string> inbox(std::size_t host, const crypto::KeyPair& key) {
        std::vector<std::string> texts;
        for (const auto& incoming : world().queries(host).letters(key.id())) {
            const auto opened =
                protocol::open_letter(community().chain(), incoming.envelope.envelope, key);
            texts.push_back(opened ? std::string(opened->letter.text) : "does not open");
        }
        return texts;
    }
    bool is_connected(std::size_t host) {
        return !world().queries(host).peers(world().now()).empty();
    }
    void submit(const protocol::Transaction& transaction) {
        world().step(kFounder, Submit{++token_, {bcs::encode(transaction)}});
    }
    wallet::Draft draft(const crypto::KeyPair& signer) {
        const auto counter = world().queries(kFounder).next_counter(signer.id(), 0);
        const Pulse pulse = world().queries(kFounder).pulse(world().now());
        return {community().chain(), {0, **counter}, Pulse(pulse.value() + 100)};
    }
    wallet::SignedApplication application() {
        protocol::Application application;
        application.applicant = guest().public_key();
        application.expiry = Pulse(1'000'000);
        return wallet::sign_application(community().chain(), application, guest());
    }

    Cluster cluster_;
    Token token_ = 7'000'000;
};

TEST_F(Joining, AnIntroductionNamesThisNodeAndIsDialedByItsKeys) {
    const auto given = introduction();
    EXPECT_EQ(crypto::id_of(given.organization), community().organization().treasury);
    ASSERT_EQ(given.entries.size(), 1u);
    EXPECT_EQ(given.entries[0].node, community().node_key().public_key());
    const std::size_t host = add_guest();
    ASSERT_TRUE(world().wait([&] { return is_connected(host); }, minutes(2)));
    const auto peers = world().queries(host).peers(world().now());
    EXPECT_EQ(peers[0].peer.pattern, peer::Pattern::xk);
    EXPECT_EQ(peers[0].peer.node_key, community().node_key().public_key());
}

TEST_F(Joining, AnIntroductionIsThereAfterACrash) {
    const std::size_t host = add_guest();
    world().crash(host);  // before it had time to save an address
    world().restart(host);
    ASSERT_TRUE(world().wait([&] { return is_connected(host); }, minutes(2)));
    EXPECT_EQ(world().queries(host).peers(world().now())[0].peer.pattern, peer::Pattern::xk);
    EXPECT_TRUE(
        world().wait([&] { return world().queries(host).manifest().has_value(); }, minutes(2)));
}

TEST_F(Joining, AGuestsNodeIsToldNothingOfTheLedger) {
    const std::size_t host = add_guest();
    ASSERT_TRUE(serve_guest(host));
    cluster_.seal(kFounder, 3);
    world().advance(minutes(30));
    EXPECT_TRUE(is_connected(host));
    EXPECT_FALSE(cluster_.status(host).has_value());
    const auto status = world().queries(host).network(world().now());
    EXPECT_FALSE(status->community->can_read_records);
    EXPECT_FALSE(status->community->has_ledger);
    EXPECT_EQ(world().queries(host).account_key(community().member(0).id()), std::nullopt);
    // Admitted, it is told everything by itself.
    submit(wallet::admit(draft(community().founder()), application(), community().founder()));
    EXPECT_TRUE(world().wait([&] { return cluster_.status(host).has_value(); }, minutes(5)));
    EXPECT_TRUE(world().wait(
        [&] { return world().queries(host).network(world().now())->community->can_read_records; },
        minutes(1)));
}

TEST_F(Joining, AGuestsNodeHearsNothingOfTheConversation) {
    const std::size_t member = cluster_.add_member(0);
    world().advance(minutes(2));
    const std::size_t host = add_guest();
    ASSERT_TRUE(serve_guest(host));
    const auto say = [&](std::size_t at, const crypto::KeyPair& author) {
        const auto next = world().queries(at).next_line(author.id()).value();
        const protocol::ChatLine line{author.public_key(), next.number, next.previous,
                                      std::max(next.time_ms_min, unix_ms(world().now())),
                                      BoundedText<500>("who has flour?")};
        return world().ask(at, SayLine{protocol::sign(community().chain(), line, author)});
    };
    const auto said = say(member, community().member(0));
    ASSERT_TRUE(said && *said);
    ASSERT_TRUE(
        world().wait([&] { return world().queries(kFounder).chat(10).size() == 1; }, minutes(5)));
    world().advance(minutes(30));
    EXPECT_TRUE(is_connected(host));
    EXPECT_TRUE(world().queries(host).chat(10).empty());
    const auto refused = say(host, guest());
    ASSERT_TRUE(refused && !*refused);
    EXPECT_EQ(refused->error().rule, "not_a_member");
}

TEST_F(Joining, WhoServesNobodyPostsNothing) {
    const std::size_t host = add_guest();
    ASSERT_TRUE(
        world().wait([&] { return world().queries(host).manifest().has_value(); }, minutes(2)));
    const auto answer = send(host, guest(), community().member(0), "let me in");
    ASSERT_TRUE(answer && !*answer);
    EXPECT_EQ(answer->error().rule, "not_served");
}

TEST_F(Joining, AGuestsLetterWaitsForAMemberWhoIsAwayAndTheAnswerFindsTheGuest) {
    const std::size_t member = cluster_.add_member(0);
    world().advance(minutes(2));
    world().stop(member);
    const std::size_t host = add_guest();
    ASSERT_TRUE(serve_guest(host));
    world().advance(minutes(1));
    const auto posted = send(host, guest(), community().member(0), "let me in");
    ASSERT_TRUE(posted && *posted);
    const auto is_held = [&] {
        const auto all = world().queries(host).outgoing_letters();
        return !all.empty() && all[0].state == org::OutgoingState::held;
    };
    ASSERT_TRUE(world().wait(is_held, minutes(5)));
    // Both are away at the same time; the founder's node holds what passes between them.
    world().crash(host);
    world().advance(hours(24));
    world().restart(member);
    const std::vector<std::string> asked{"let me in"};
    ASSERT_TRUE(
        world().wait([&] { return inbox(member, community().member(0)) == asked; }, minutes(40)));
    const auto answered = send(member, community().member(0), guest(), "come on Friday");
    ASSERT_TRUE(answered && *answered);
    world().advance(minutes(5));
    world().stop(member);
    world().restart(host);
    const std::vector<std::string> told{"come on Friday"};
    EXPECT_TRUE(world().wait([&] { return inbox(host, guest()) == told; }, minutes(40)));
}

// Follow, serve, post: the guest's node loses power right behind each, and each is done once.
TEST_F(Joining, APowerCutBetweenAnyTwoStepsLosesNothing) {
    const std::size_t member = cluster_.add_member(0);
    for (std::size_t cut = 0; cut < 4; ++cut) {
        const auto key = node_key(20 + cut);
        const auto account = community().member(20 + cut);
        const std::size_t host = world().add(key);
        std::size_t step = 0;
        const auto cut_here = [&] {
            if (step++ != cut) return;
            world().crash(host);
            world().advance(minutes(1));
            world().restart(host);
        };
        const auto followed = follow(host, introduction());
        ASSERT_TRUE(followed && *followed);
        cut_here();
        const auto is_served = [&] {
            const auto served =
                world().ask(host, community().delegate(account, key.public_key(), world().now()));
            return served && served->has_value();
        };
        ASSERT_TRUE(world().wait(is_served, minutes(5))) << cut;
        cut_here();
        const std::string text = "let me in, " + std::to_string(cut);
        const auto posted = send(host, account, community().member(0), text);
        ASSERT_TRUE(posted && *posted) << cut;
        cut_here();
        const auto arrived = [&] {
            return std::ranges::count(inbox(member, community().member(0)), text) == 1;
        };
        ASSERT_TRUE(world().wait(arrived, hours(3))) << cut;
        cut_here();
        const auto is_told = [&] {
            const auto all = world().queries(host).outgoing_letters();
            return !all.empty() && all[0].state == org::OutgoingState::delivered;
        };
        EXPECT_TRUE(world().wait(is_told, hours(3))) << cut;
        EXPECT_TRUE(arrived());
    }
}

TEST_F(Joining, ALedgerWithoutTheInvitationsCheckpointIsNotTaken) {
    const std::size_t host = world().add(node_key(51));
    auto false_one = introduction();
    false_one.checkpoint = {Sequence(2), Hash::copy_of(Bytes(32, 9)), Pulse(2)};
    cluster_.seal(kFounder, 5);
    const auto followed = follow(host, false_one);
    ASSERT_TRUE(followed && *followed);
    const auto is_served = [&] {
        const auto served = world().ask(
            host,
            community().delegate(community().member(1), node_key(51).public_key(), world().now()));
        return served && served->has_value();
    };
    ASSERT_TRUE(world().wait(is_served, minutes(5)));
    world().advance(minutes(30));
    EXPECT_FALSE(cluster_.status(host).has_value());
    // An invitation that tells the truth mends it.
    const auto corrected = follow(host, introduction());
    ASSERT_TRUE(corrected && *corrected);
    EXPECT_TRUE(world().wait([&] { return cluster_.status(host).has_value(); }, hours(2)));
}

TEST_F(Joining, WhatATaskEarnsShowsInTheHistoryOfAllItConcerns) {
    const auto earned = wallet::admit_for(
        draft(community().founder()), application(),
        {Hash{}, Amount::of(40), protocol::LongText("Repair the oven [task 0000]"),
         protocol::LongText("it bakes again")},
        community().founder());
    submit(earned);
    const auto is_member = [&] {
        const auto answer = world().queries(kFounder).account(guest().id(), std::nullopt);
        return answer && answer->record.has_value();
    };
    ASSERT_TRUE(world().wait(is_member, minutes(1)));
    const auto& organization = community().organization();
    for (const Id& id : {guest().id(), community().founder().id(), organization.treasury,
                         organization.bookkeeping}) {
        const auto history = world().queries(kFounder).history(id, std::nullopt, 10);
        ASSERT_TRUE(history && !history->items.empty());
        EXPECT_EQ(history->items[0].body, earned.body);
    }
    const auto answer = world().queries(kFounder).account(guest().id(), std::nullopt);
    EXPECT_EQ(std::get<protocol::MemberRecord>(*answer->record).balance, Amount::of(40));
}

}  // namespace
}  // namespace leither::node
