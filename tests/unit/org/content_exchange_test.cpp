// Files of packs: kept, given and fetched piece by piece, from nodes of whom some lie.
#include "leither/org/content_exchange.h"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "leither/crypto/hash.h"

#include "support/org/org_world.h"

namespace leither::org {
namespace {

using protocol::ContentAsk;
using protocol::ContentOutcome;
using protocol::ContentReply;
using protocol::kContentPieceMax;
using std::chrono::seconds;
using testing::key_named;
using testing::kSampleNow;
using testing::make_pack;
using testing::SamplePack;

class ContentTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    ContentTest() { start(); }
    void start() {
        content = std::make_unique<ContentExchange>(
            options, ContentExchange::Setup{sample.chain, {'t'}, &disk}, Log());
    }
    void restart() {
        start();
        ASSERT_TRUE(content->load(disk).has_value());
        content->check_invariants();
    }
    ContentExchange::Effects give(ContentExchange::Input&& input) {
        auto effects = content->step(std::move(input), now);
        content->check_invariants();
        testing::write(disk, effects.writes);
        return effects;
    }
    Result<Hash, ContentRefusal> publish(const SamplePack& pack) {
        return *give(ContentExchange::Publish{pack.pack, pack.contents}).done;
    }
    void publish_all(const SamplePack& pack) {
        ASSERT_TRUE(publish(pack));
        for (const Bytes& piece : pack.pieces) {
            ASSERT_TRUE(*give(ContentExchange::Put{pack.id, piece}).done);
        }
        ASSERT_EQ(content->progress(pack.id)->state, HoldState::complete);
    }
    SamplePack pack(const std::string& name, const std::vector<std::size_t>& files,
                    std::uint64_t seed = 1, Duration later = {}) const {
        return make_pack(sample.chain, sample.alice, name, files, kSampleNow + later, seed);
    }
    static std::vector<std::pair<Id, Hash>> asked(const ContentExchange::Effects& effects) {
        std::vector<std::pair<Id, Hash>> all;
        for (const auto& send : effects.sends) {
            if (const auto* ask = std::get_if<ContentAsk>(&send.message)) {
                all.emplace_back(send.to, ask->piece);
            }
        }
        return all;
    }
    static ContentReply here(ByteView bytes) {
        ContentReply reply{crypto::blake2b_256(bytes), ContentOutcome::here, {}};
        reply.bytes.assign(bytes.begin(), bytes.end());
        return reply;
    }

    testing::OrgSample sample;
    store::MemoryStore disk;
    Instant now = kSampleNow;
    ContentOptions options;
    std::unique_ptr<ContentExchange> content;
    Id peer = key_named("peer").id();
    Id other = key_named("other").id();
};

TEST_F(ContentTest, APackIsPublicOnceItsLastPieceIsHere) {
    const auto two = pack("P", {kContentPieceMax + 5, 7});
    auto begun = give(ContentExchange::Publish{two.pack, two.contents});
    EXPECT_EQ(*begun.done, two.id);
    EXPECT_TRUE(begun.published.empty());
    const auto before = content->progress(two.id).value();
    EXPECT_EQ(before.state, HoldState::publishing);
    EXPECT_EQ(before.done_bytes, two.contents.size());
    EXPECT_EQ(before.total_bytes, two.contents.size() + kContentPieceMax + 12);
    EXPECT_TRUE(give(ContentExchange::Put{two.id, two.pieces[0]}).published.empty());
    restart();  // a crash on the way
    EXPECT_TRUE(give(ContentExchange::Put{two.id, two.pieces[2]}).published.empty());
    const auto last = give(ContentExchange::Put{two.id, two.pieces[1]});
    ASSERT_EQ(last.published.size(), 1u);
    EXPECT_EQ(last.published[0], two.pack);
    EXPECT_TRUE(last.changed);
    EXPECT_EQ(content->progress(two.id)->done_bytes, content->progress(two.id)->total_bytes);
    for (const Bytes& piece : two.pieces) {
        EXPECT_EQ(content->piece(crypto::blake2b_256(piece)), piece);
    }
    // Once more is no harm, and says so again.
    EXPECT_EQ(give(ContentExchange::Publish{two.pack, two.contents}).published.size(), 1u);
}

TEST_F(ContentTest, RefusalsInOrderOfPrecedence) {
    const auto one = pack("P", {10});
    EXPECT_EQ(give(ContentExchange::Put{one.id, one.pieces[0]}).done->error(),
              ContentRefusal::not_held);
    EXPECT_EQ(give(ContentExchange::Drop{one.id}).done->error(), ContentRefusal::not_held);
    EXPECT_EQ(
        give(ContentExchange::Publish{one.pack, testing::altered(one.contents, 9)}).done->error(),
        ContentRefusal::bad_contents);
    ASSERT_TRUE(publish(one));
    EXPECT_EQ(give(ContentExchange::Put{one.id, Bytes(10)}).done->error(),
              ContentRefusal::unknown_piece);
    EXPECT_EQ(give(ContentExchange::Put{one.id, Bytes{}}).done->error(),
              ContentRefusal::unknown_piece);
    options.packs_max = 1;
    restart();
    EXPECT_EQ(publish(pack("Q", {10})).error(), ContentRefusal::too_many);
    options.packs_max = 2;
    options.bytes_max = 2 * (10 + one.contents.size());
    restart();
    EXPECT_EQ(publish(pack("Q", {11})).error(), ContentRefusal::no_room);
    EXPECT_TRUE(publish(pack("Q", {10})));
    EXPECT_EQ(content->bytes_reserved(), options.bytes_max);
}

TEST_F(ContentTest, ALaterVersionTakesTheOldOnesPlaceAndSharedPiecesStay) {
    testing::OrgSample org;
    protocol::Pack about = pack("P", {10}).pack.pack;
    const Bytes shared(100, 1);
    const auto first =
        make_pack(sample.chain, sample.alice, about, {{"filea", shared}, {"fileb", Bytes(100, 2)}});
    about.published_ms += 1;
    const auto second =
        make_pack(sample.chain, sample.alice, about, {{"filea", shared}, {"fileb", Bytes(100, 3)}});
    publish_all(first);
    publish_all(second);
    EXPECT_FALSE(content->progress(first.id));
    EXPECT_EQ(content->complete(), std::vector{second.id});
    EXPECT_EQ(content->piece(crypto::blake2b_256(first.pieces[1])), std::nullopt);
    EXPECT_EQ(content->piece(crypto::blake2b_256(shared)), shared);
    ASSERT_TRUE(*give(ContentExchange::Drop{second.id}).done);
    EXPECT_EQ(content->piece(crypto::blake2b_256(shared)), std::nullopt);
    const auto cursor = disk.cursor();
    cursor->seek({});
    EXPECT_FALSE(cursor->valid());  // nothing is left behind
}

TEST_F(ContentTest, PiecesAreGivenInBounds) {
    options.pieces_per_node_max = 2;
    options.pieces_per_second_max = 3;
    start();
    const auto one = pack("P", {10});
    publish_all(one);
    const Hash piece = crypto::blake2b_256(one.pieces[0]);
    const auto outcome = [&](const Id& from, const Hash& wanted) {
        const auto effects = give(ContentExchange::Asked{from, {wanted}});
        return effects.sends.empty() ? std::optional<ContentOutcome>()
                                     : std::get<ContentReply>(effects.sends[0].message).outcome;
    };
    EXPECT_EQ(outcome(peer, piece), std::nullopt);  // not connected
    give(ContentExchange::NodeUp{peer});
    give(ContentExchange::NodeUp{other});
    EXPECT_EQ(outcome(peer, Hash{}), ContentOutcome::absent);
    EXPECT_EQ(outcome(peer, piece), ContentOutcome::here);
    EXPECT_EQ(outcome(peer, piece), ContentOutcome::here);
    EXPECT_EQ(outcome(peer, piece), ContentOutcome::busy);  // of one
    EXPECT_EQ(outcome(other, piece), ContentOutcome::here);
    EXPECT_EQ(outcome(other, piece), ContentOutcome::busy);  // of all
    now += seconds(1);
    EXPECT_EQ(outcome(other, piece), ContentOutcome::here);
}

TEST_F(ContentTest, TheListComesFirstAndThenSeveralPiecesAtOnce) {
    const auto big = pack("P", {6 * kContentPieceMax});
    give(ContentExchange::NodeUp{peer});
    const auto begun = give(ContentExchange::Fetch{big.pack});
    EXPECT_EQ(*begun.done, big.id);
    EXPECT_EQ(begun.seek, std::vector{protocol::announce_id(big.id)});
    ASSERT_EQ(asked(begun).size(), 1u);
    EXPECT_EQ(asked(begun)[0], std::pair(peer, big.pack.pack.contents));
    const auto listed = give(ContentExchange::Answered{peer, here(big.contents)});
    EXPECT_EQ(asked(listed).size(), options.questions_per_node_max);
    ASSERT_NE(content->contents(big.id), nullptr);
    std::size_t open = 0;
    for (const Bytes& piece : big.pieces) {
        const auto step = give(ContentExchange::Answered{peer, here(piece)});
        open += asked(step).size();
        EXPECT_TRUE(step.liars.empty());
    }
    const auto progress = content->progress(big.id).value();
    EXPECT_EQ(progress.asked_nodes,
              content->progress(big.id)->state == HoldState::complete ? 0u : progress.asked_nodes);
    EXPECT_EQ(open, 2u);  // six pieces, four of them asked at first
}

// Whatever is asked is answered by one honest node among liars, the lazy and the busy.
class Crowd {
 public:
    enum class Manner : std::uint8_t { honest, lies, lacks, busy, silent, short_of_one_byte };
    struct Node {
        Id id;
        Manner manner = Manner::honest;
    };
    static std::optional<ContentReply> answer(Manner manner, const SamplePack& pack,
                                              const Hash& piece) {
        ContentReply reply{piece, ContentOutcome::here, {}};
        Bytes bytes = pack.contents;
        for (const Bytes& one : pack.pieces) {
            if (crypto::blake2b_256(one) == piece) bytes = one;
        }
        switch (manner) {
            case Manner::honest: break;
            case Manner::lies: bytes[0] ^= 1; break;
            case Manner::short_of_one_byte: bytes.pop_back(); break;
            case Manner::lacks: reply.outcome = ContentOutcome::absent; break;
            case Manner::busy: reply.outcome = ContentOutcome::busy; break;
            case Manner::silent: return std::nullopt;
        }
        if (reply.outcome == ContentOutcome::here) reply.bytes.assign(bytes.begin(), bytes.end());
        return reply;
    }
};

TEST_F(ContentTest, APackComesWholeFromOneHonestNodeAmongLiarsAndIdlers) {
    using Manner = Crowd::Manner;
    const auto big = pack("P", {9 * kContentPieceMax + 1, 0, 5});
    std::map<Id, Manner> crowd;
    std::size_t n = 0;
    for (const Manner manner : {Manner::honest, Manner::lies, Manner::lacks, Manner::busy,
                                Manner::silent, Manner::short_of_one_byte, Manner::lies}) {
        crowd.emplace(key_named("node " + std::to_string(n++)).id(), manner);
    }
    std::set<Id> liars;
    Prng prng(9);
    std::vector<std::pair<Id, Hash>> questions;
    const auto note = [&](const ContentExchange::Effects& effects) {
        for (const Id& liar : effects.liars) EXPECT_TRUE(liars.insert(liar).second);
        for (const auto& question : asked(effects)) questions.push_back(question);
    };
    for (const auto& [id, manner] : crowd) note(give(ContentExchange::NodeUp{id}));
    note(give(ContentExchange::Fetch{big.pack}));
    for (int steps = 0; content->progress(big.id)->state != HoldState::complete; ++steps) {
        ASSERT_LT(steps, 2000);
        if (questions.empty()) {
            const auto next = content->next_deadline();
            ASSERT_TRUE(next && *next > now);
            now = *next;
            note(give(ContentExchange::Tick{}));
            continue;
        }
        const std::size_t chosen = prng.below(questions.size());
        const auto [node, piece] = questions[chosen];
        questions.erase(questions.begin() + static_cast<std::ptrdiff_t>(chosen));
        EXPECT_FALSE(liars.contains(node)) << "asked after it has lied";
        const auto reply = Crowd::answer(crowd.at(node), big, piece);
        if (reply) note(give(ContentExchange::Answered{node, *reply}));
        if (steps % 20 == 19) {  // crashes on the way: everybody reconnects
            restart();
            questions.clear();
            liars.clear();
            for (const auto& [id, manner] : crowd) note(give(ContentExchange::NodeUp{id}));
        }
    }
    for (const Id& liar : liars) {
        const Manner manner = crowd.at(liar);
        EXPECT_TRUE(manner == Manner::lies || manner == Manner::short_of_one_byte);
    }
    for (const Bytes& piece : big.pieces) {
        EXPECT_EQ(content->piece(crypto::blake2b_256(piece)), piece);
    }
    EXPECT_FALSE(content->next_deadline());
}

TEST_F(ContentTest, ALieIsBlamedOnceAndAllElseIsAskedOfOthers) {
    const auto big = pack("P", {6 * kContentPieceMax});
    give(ContentExchange::NodeUp{peer});
    give(ContentExchange::Fetch{big.pack});
    const auto open = asked(give(ContentExchange::Answered{peer, here(big.contents)}));
    ASSERT_EQ(open.size(), 4u);
    EXPECT_TRUE(asked(give(ContentExchange::NodeUp{other})).size() == 2u);
    const auto lie = [&](const Hash& piece) {
        ContentReply reply = here(Bytes(7));
        reply.piece = piece;
        return give(ContentExchange::Answered{peer, reply});
    };
    const auto first = lie(open[0].second);
    EXPECT_EQ(first.liars, std::vector{peer});
    ASSERT_EQ(asked(first).size(), 2u);  // as many as the other one may be asked at once
    EXPECT_EQ(asked(first)[0].first, other);
    for (std::size_t i = 1; i < open.size(); ++i) EXPECT_TRUE(lie(open[i].second).liars.empty());
}

TEST_F(ContentTest, WhatWasNotAskedForIsPassedOver) {
    const auto one = pack("P", {10, 20});
    give(ContentExchange::NodeUp{peer});
    give(ContentExchange::NodeUp{other});
    give(ContentExchange::Fetch{one.pack});
    EXPECT_TRUE(give(ContentExchange::Answered{other, here(one.contents)}).writes.empty());
    EXPECT_TRUE(give(ContentExchange::Answered{peer, here(one.pieces[0])}).writes.empty());
    EXPECT_EQ(content->contents(one.id), nullptr);
}

TEST_F(ContentTest, APackThatDoesNotHoldTogetherIsDroppedAndNobodyBlamed) {
    // Its publisher has signed another total than the files have.
    auto broken = pack("P", {10});
    protocol::Pack body = broken.pack.pack;
    body.bytes += 1;
    broken.pack = protocol::sign(sample.chain, body, sample.alice);
    broken.id = protocol::pack_id(sample.chain, body);
    give(ContentExchange::NodeUp{peer});
    ASSERT_TRUE(*give(ContentExchange::Fetch{broken.pack}).done);
    const auto answered = give(ContentExchange::Answered{peer, here(broken.contents)});
    EXPECT_TRUE(answered.liars.empty());
    EXPECT_FALSE(content->progress(broken.id));
    EXPECT_EQ(content->bytes_reserved(), 0u);

    // It names a piece by the hash of bytes of another length.
    protocol::PackContents contents;
    contents.files.emplace_back();
    contents.files[0].path = decltype(protocol::PackFile::path)("filea");
    contents.files[0].bytes = 11;
    contents.files[0].pieces.push_back(crypto::blake2b_256(Bytes(10)));
    const Bytes list = bcs::encode(contents);
    body.contents = crypto::blake2b_256(list);
    body.contents_bytes = static_cast<std::uint32_t>(list.size());
    body.bytes = 11;
    const auto odd = protocol::sign(sample.chain, body, sample.alice);
    ASSERT_TRUE(*give(ContentExchange::Fetch{odd}).done);
    give(ContentExchange::Answered{peer, here(list)});
    EXPECT_TRUE(give(ContentExchange::Answered{peer, here(Bytes(10))}).liars.empty());
    EXPECT_TRUE(content->held().empty());
}

TEST_F(ContentTest, WhoeverIsSilentRestsAndTheDhtIsAskedAgain) {
    const auto one = pack("P", {10});
    give(ContentExchange::NodeUp{peer});
    give(ContentExchange::Fetch{one.pack});
    now += options.answer_timeout;
    EXPECT_EQ(content->next_deadline(), now);
    EXPECT_TRUE(asked(give(ContentExchange::Tick{})).empty());
    now += options.answer_timeout;
    EXPECT_EQ(asked(give(ContentExchange::Tick{})).size(), 1u);
    now += options.answer_timeout;
    EXPECT_EQ(give(ContentExchange::Tick{}).seek.size(), 1u);  // a minute has passed
    give(ContentExchange::NodeUp{other});
    EXPECT_EQ(content->progress(one.id)->asked_nodes, 1u);
}

TEST_F(ContentTest, WhatAnotherPackHasIsNotFetchedAgain) {
    const auto first = pack("P", {10, 20});
    publish_all(first);
    protocol::Pack about = first.pack.pack;
    about.name = decltype(about.name)("Q");
    const auto same = protocol::sign(sample.chain, about, sample.alice);
    const auto effects = give(ContentExchange::Fetch{same});
    EXPECT_TRUE(effects.sends.empty());
    EXPECT_EQ(content->progress(*effects.done.value())->state, HoldState::complete);
}

TEST_F(ContentTest, EveryFaultOfTheStoreLeavesAFetchThatGoesOn) {
    const auto one = pack("P", {kContentPieceMax, 3});
    for (std::uint64_t fault = 0; fault < 5; ++fault) {
        disk = store::MemoryStore();
        start();
        const auto play = [&] {
            std::vector<std::pair<Id, Hash>> questions;
            const auto run = [&](ContentExchange::Input&& input) {
                auto effects = content->step(std::move(input), now);
                content->check_invariants();
                if (!effects.writes.empty() && !disk.write(effects.writes)) return false;
                for (const auto& question : asked(effects)) questions.push_back(question);
                return true;
            };
            if (!run(ContentExchange::NodeUp{peer})) return false;
            if (!run(ContentExchange::Fetch{one.pack})) return false;
            while (!questions.empty()) {
                const auto [node, piece] = questions.back();
                questions.pop_back();
                const auto reply = Crowd::answer(Crowd::Manner::honest, one, piece);
                if (!run(ContentExchange::Answered{node, *reply})) return false;
            }
            return content->progress(one.id)->state == HoldState::complete;
        };
        disk.fail_at(fault, store::MemoryStore::Failure::refuse);
        const bool passed = play();
        EXPECT_EQ(passed, fault >= 4) << fault;  // the wish, the list, two pieces
        disk.crash();
        restart();
        EXPECT_TRUE(play()) << fault;
    }
}

}  // namespace
}  // namespace leither::org
