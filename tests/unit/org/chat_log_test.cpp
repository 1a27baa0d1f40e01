#include "leither/org/chat_log.h"

#include <gtest/gtest.h>

#include "leither/crypto/hash.h"

#include "support/org/org_world.h"

namespace leither::org {
namespace {

using protocol::ChatAsk;
using protocol::ChatHave;
using protocol::ChatLines;
using protocol::ChatPost;
using protocol::SignedLine;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::key_named;
using testing::kSampleNow;

// Writes an author's lines, each after the one before.
class Pen {
 public:
    Pen(crypto::KeyPair author, const ChainId& chain) : author_(std::move(author)), chain_(chain) {}
    SignedLine write(Instant at, const std::string& text = "hello") {
        protocol::ChatLine line;
        line.author = author_.public_key();
        line.number = ++number_;
        line.previous = previous_;
        line.time_ms = unix_ms(at);
        line.text = BoundedText<500>(text);
        previous_ = line_hash(chain_, line);
        return sign(chain_, line, author_);
    }
    // One that stands alone, as if lines were there before it.
    SignedLine write_at(std::uint64_t number, Instant at) {
        number_ = number - 1;
        previous_ = Hash::copy_of(Bytes(32, 7));
        return write(at);
    }
    const Hash& last() const { return previous_; }

 private:
    crypto::KeyPair author_;
    ChainId chain_;
    std::uint64_t number_ = 0;
    Hash previous_;
};

class ChatLogTest : public ::testing::Test {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    ChatLogTest() {
        for (const auto& name : {"alice", "bob", "carol", "dave"}) {
            ledger.accounts.insert(key_named(name).id());
        }
        log.step(ChatLog::NodeUp{peer}, now);
        log.step(ChatLog::NodeUp{other}, now);
    }
    ChatLog make(ChatOptions options = {}) {
        return ChatLog(options, {sample.chain, {'t'}}, members, prng, Log());
    }
    ChatLog::Effects give(ChatLog::Input&& input) {
        auto effects = log.step(std::move(input), now);
        testing::write(disk, effects.writes);
        log.check_invariants();
        return effects;
    }
    Result<Hash, ChatRefusal> say(const SignedLine& line) { return *give(ChatLog::Say{line}).said; }
    ChatLog::Effects hear(const SignedLine& line) {
        return give(ChatLog::Heard{peer, {line, std::nullopt}});
    }
    // An answer, after a question for it has been provoked.
    ChatLog::Effects tell(std::vector<SignedLine> lines) {
        const Id author = crypto::id_of(lines.front().line.author);
        now += seconds(31);
        ChatHave have{Id{}, author, {}};
        have.tips.push_back({author, 1'000'000, Hash::copy_of(Bytes(32, 9))});
        give(ChatLog::Compared{peer, have});
        ChatLines answer;
        answer.lines.assign(lines.begin(), lines.end());
        return give(ChatLog::Told{peer, answer});
    }
    template <class T>
    static std::vector<std::pair<Id, T>> sent(const ChatLog::Effects& effects) {
        std::vector<std::pair<Id, T>> out;
        for (const auto& send : effects.sends) {
            if (const auto* held = std::get_if<T>(&send.message)) out.emplace_back(send.to, *held);
        }
        return out;
    }

    testing::OrgSample sample;
    testing::ListedMembers ledger;
    Members members{{}, sample.chain, ledger, testing::shelf(ShelfKind::pass)};
    Prng prng{4};
    store::MemoryStore disk;
    Instant now = kSampleNow;
    Id peer = key_named("peer").id();
    Id other = key_named("other").id();
    ChatLog log = make();
    Pen alice{key_named("alice"), sample.chain};
    Pen bob{key_named("bob"), sample.chain};
};

TEST_F(ChatLogTest, WhatIsSaidHereGoesToEverybodyConnected) {
    const SignedLine line = alice.write(now);
    const auto effects = give(ChatLog::Say{line});
    ASSERT_TRUE(effects.said && *effects.said);
    EXPECT_EQ(sent<ChatPost>(effects).size(), 2U);
    EXPECT_EQ(effects.taken, std::vector{line});
    EXPECT_TRUE(effects.last_lines_changed);
    const auto next = log.next(key_named("alice").id());
    EXPECT_EQ(next.number, 2U);
    EXPECT_EQ(next.previous, alice.last());
}

TEST_F(ChatLogTest, WhatIsHeardGoesToTheOthersOnce) {
    const SignedLine line = alice.write(now);
    const auto posts = sent<ChatPost>(hear(line));
    ASSERT_EQ(posts.size(), 1U);
    EXPECT_EQ(posts.front().first, other);
    EXPECT_TRUE(hear(line).sends.empty());
    EXPECT_EQ(log.size(), 1U);
}

TEST_F(ChatLogTest, FoundLinesOfAStrangerCountIfAKeeperNamesThem) {
    Pen stranger(key_named("stranger"), sample.chain);
    const SignedLine line = stranger.write(now - hours(30));
    EXPECT_TRUE(give(ChatLog::Found{{{line, Voucher::nobody}}}).taken.empty());
    EXPECT_EQ(give(ChatLog::Found{{{line, Voucher::keeper}}}).taken, std::vector{line});
    SignedLine forged = stranger.write(now);
    forged.line.text = BoundedText<500>("other words");
    EXPECT_TRUE(give(ChatLog::Found{{{forged, Voucher::keeper}}}).taken.empty());
}

TEST_F(ChatLogTest, WhatComesBeforeFoundLinesIsAskedForAndPutThere) {
    std::vector<SignedLine> all;
    for (int i = 0; i < 40; ++i) all.push_back(alice.write(now - hours(48) + minutes(i)));
    const Id author = key_named("alice").id();
    std::vector<FoundLine> found;
    for (std::size_t i = 24; i < all.size(); ++i) found.push_back({all[i], Voucher::nobody});
    auto effects = give(ChatLog::Found{found});
    EXPECT_EQ(effects.taken.size(), 16U);
    for (const std::uint64_t from : {9U, 1U}) {
        const auto asked = sent<ChatAsk>(effects);
        ASSERT_EQ(asked.size(), 1U);
        EXPECT_EQ(asked[0].second, (ChatAsk{author, from}));
        ChatLines answer;
        for (std::uint64_t n = from; n < from + protocol::kChatLinesPerReply; ++n) {
            answer.lines.push_back(all[n - 1]);
        }
        effects = give(ChatLog::Told{asked[0].first, answer});
    }
    EXPECT_TRUE(sent<ChatAsk>(effects).empty());
    EXPECT_EQ(log.last(100), all);
    auto again = make();
    ASSERT_TRUE(again.load(disk, now));
    EXPECT_EQ(again.last(100), all);
}

TEST_F(ChatLogTest, LinesThatDoNotLeadUpToOursAreNotPutBeforeThem) {
    std::vector<SignedLine> ours;
    for (int i = 0; i < 5; ++i) ours.push_back(alice.write(now - hours(2) + minutes(i)));
    Pen twin(key_named("alice"), sample.chain);
    std::vector<SignedLine> theirs;
    for (int i = 0; i < 4; ++i) theirs.push_back(twin.write(now - hours(3) + minutes(i), "other"));
    auto effects = give(ChatLog::Found{{{ours[4], Voucher::nobody}}});
    for (int answers = 0; answers < 3; ++answers) {
        const auto asked = sent<ChatAsk>(effects);
        ASSERT_EQ(asked.size(), 1U) << answers;
        ChatLines answer;
        for (const SignedLine& line : theirs) answer.lines.push_back(line);
        EXPECT_TRUE(give(ChatLog::Told{asked[0].first, answer}).taken.empty());
        ChatHave have{Id{}, asked[0].second.author, {}};
        have.tips.push_back({asked[0].second.author, 5, line_hash(sample.chain, ours[4].line)});
        effects = give(ChatLog::Compared{peer, have});
    }
    EXPECT_TRUE(sent<ChatAsk>(effects).empty());  // nobody has what leads up to it
    EXPECT_EQ(log.last(100), std::vector{ours[4]});
}

TEST_F(ChatLogTest, StrangersForgeriesAndTheFutureAreRefused) {
    Pen stranger(key_named("stranger"), sample.chain);
    EXPECT_EQ(say(stranger.write(now)).error(), ChatRefusal::stranger);
    SignedLine forged = alice.write(now);
    forged.line.text = BoundedText<500>("other words");
    EXPECT_EQ(say(forged).error(), ChatRefusal::bad_line);
    EXPECT_EQ(say(bob.write(now + minutes(11))).error(), ChatRefusal::bad_line);
    EXPECT_EQ(log.size(), 0U);
}

TEST_F(ChatLogTest, OldLinesAreTakenOnlyInAnswerToAQuestion) {
    const SignedLine old = alice.write(now - hours(2));
    EXPECT_EQ(say(old).error(), ChatRefusal::too_old);
    EXPECT_TRUE(hear(old).taken.empty());
    ChatLines unasked;
    unasked.lines.push_back(old);
    EXPECT_TRUE(give(ChatLog::Told{peer, unasked}).taken.empty());
    const auto told = tell({old});
    EXPECT_EQ(told.taken.size(), 1U);
    EXPECT_TRUE(sent<ChatPost>(told).empty());
}

TEST_F(ChatLogTest, AMissingLineIsAskedOfWhoSentTheNext) {
    const SignedLine first = alice.write(now);
    const SignedLine second = alice.write(now);
    const SignedLine third = alice.write(now);
    hear(first);
    const auto asks = sent<ChatAsk>(hear(third));
    ASSERT_EQ(asks.size(), 1U);
    EXPECT_EQ(asks.front(), std::pair(peer, ChatAsk{key_named("alice").id(), 2}));
    ChatLines answer;
    answer.lines = {second, third};
    EXPECT_EQ(give(ChatLog::Told{peer, answer}).taken.size(), 2U);
    EXPECT_EQ(log.size(), 3U);
}

TEST_F(ChatLogTest, AnAnswerBeginsAtTheOldestLineThereIs) {
    for (int i = 0; i < 20; ++i) {
        now += minutes(1);
        ASSERT_TRUE(say(alice.write(now)));
    }
    const Id author = key_named("alice").id();
    const auto all = sent<ChatLines>(give(ChatLog::Asked{peer, {author, 0}}));
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all.front().second.lines.size(), protocol::kChatLinesPerReply);
    EXPECT_EQ(all.front().second.lines.front().line.number, 1U);
    const auto rest = sent<ChatLines>(give(ChatLog::Asked{peer, {author, 17}}));
    EXPECT_EQ(rest.front().second.lines.size(), 4U);
    EXPECT_TRUE(give(ChatLog::Asked{peer, {author, 21}}).sends.empty());
    EXPECT_TRUE(give(ChatLog::Asked{key_named("nobody").id(), {author, 0}}).sends.empty());
}

TEST_F(ChatLogTest, AnAnswerEndsAtTheLastLineWhateverItsNumber) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
    const SignedLine line = alice.write_at(kMost, now);
    ASSERT_EQ(tell({line}).taken.size(), 1U);
    const auto answers =
        sent<ChatLines>(give(ChatLog::Asked{peer, {key_named("alice").id(), kMost}}));
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers.front().second.lines, (decltype(ChatLines::lines){line}));
}

TEST_F(ChatLogTest, TwentyLinesInTenMinutesAndNoMore) {
    for (std::size_t i = 0; i < kBurstLines; ++i) ASSERT_TRUE(say(alice.write(now))) << i;
    Pen copy = alice;
    EXPECT_EQ(say(copy.write(now)).error(), ChatRefusal::too_fast);
    now += kBurstWindow;
    EXPECT_TRUE(say(alice.write(now)));
}

TEST_F(ChatLogTest, TimesNeverStepBack) {
    ASSERT_TRUE(say(alice.write(now)));
    EXPECT_EQ(say(alice.write(now - seconds(1))).error(), ChatRefusal::step_back);
}

TEST_F(ChatLogTest, OfTwoLinesOfOneNumberTheSmallerHashStays) {
    ASSERT_TRUE(say(alice.write(now)));
    Pen left = alice;
    Pen right = alice;
    SignedLine small = left.write(now, "left");
    SignedLine large = right.write(now, "right");
    if (right.last() < left.last()) {
        std::swap(small, large);
        std::swap(left, right);
    }
    hear(large);
    hear(right.write(now, "after"));
    EXPECT_EQ(log.size(), 3U);
    EXPECT_EQ(hear(small).taken.size(), 1U);
    EXPECT_EQ(log.size(), 2U);
    EXPECT_TRUE(hear(large).taken.empty());
    EXPECT_EQ(log.next(key_named("alice").id()).previous, left.last());
}

TEST_F(ChatLogTest, AGapNobodyFillsEndsTheOldRun) {
    ASSERT_TRUE(say(alice.write(now)));
    std::vector<SignedLine> later;
    for (int i = 0; i < 10; ++i) later.push_back(alice.write(now));
    for (unsigned i = 1; i < kUnfilledMax; ++i) {
        EXPECT_TRUE(tell({later[4], later[5]}).taken.empty());
    }
    EXPECT_EQ(tell({later[4], later[5]}).taken.size(), 2U);
    EXPECT_EQ(log.size(), 2U);
}

TEST_F(ChatLogTest, WhatTheDhtNamesBehindAGapIsOneAnswerEachTime) {
    std::vector<SignedLine> all;
    for (int i = 0; i < 11; ++i) all.push_back(alice.write(now));
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(say(all[static_cast<std::size_t>(i)]));
    const Id author = key_named("alice").id();
    std::vector<FoundLine> found;
    for (std::size_t i = 8; i < all.size(); ++i) found.push_back({all[i], Voucher::nobody});
    for (unsigned i = 1; i < kUnfilledMax; ++i) {
        const auto effects = give(ChatLog::Found{found});
        EXPECT_TRUE(effects.taken.empty());
        EXPECT_EQ(log.size(), 5U);
        const auto asked = sent<ChatAsk>(effects);
        ASSERT_EQ(asked.size(), 1U);
        EXPECT_EQ(asked[0].second, (ChatAsk{author, 6}));
        now += seconds(31);
    }
    const auto effects = give(ChatLog::Found{found});
    EXPECT_EQ(effects.taken.size(), 3U);
    // What came before is asked back.
    const auto asked = sent<ChatAsk>(effects);
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_EQ(asked[0].second, (ChatAsk{author, 1}));
    ChatLines answer;
    answer.lines.assign(all.begin(), all.end());
    give(ChatLog::Told{asked[0].first, answer});
    EXPECT_EQ(log.last(100), all);
}

TEST_F(ChatLogTest, LinesPerAuthorAreBoundedOldestFirst) {
    ChatOptions options;
    options.lines_per_author_max = kBurstLines + 1;
    log = make(options);
    for (std::size_t i = 0; i < 30; ++i) {
        now += minutes(1);
        ASSERT_TRUE(say(alice.write(now)));
        EXPECT_LE(log.size(), kBurstLines + 1);
    }
    EXPECT_EQ(log.last(1000).front().line.number, 10U);
    EXPECT_EQ(log.last(1000).back().line.number, 30U);
}

TEST_F(ChatLogTest, WhenFullTheAuthorSilentForLongestGoesFirst) {
    ChatOptions options;
    options.authors_max = 3;
    log = make(options);
    for (const auto& name : {"alice", "bob", "carol", "dave"}) {
        now += minutes(1);
        Pen pen(key_named(name), sample.chain);
        ASSERT_TRUE(say(pen.write(now, name)));
    }
    EXPECT_EQ(log.size(), 3U);
    EXPECT_EQ(log.last(10).front().line.text, "bob");
    // One who was silent even longer takes nobody's place.
    EXPECT_EQ(say(alice.write(now - minutes(30))).error(), ChatRefusal::too_old);

    options = {};
    options.lines_per_author_max = 21;
    options.lines_max = 21;
    log = make(options);
    Pen again(key_named("alice"), sample.chain);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(say(again.write(now)));
    now += minutes(1);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(say(bob.write(now)));
    EXPECT_EQ(log.size(), 21U);
    EXPECT_EQ(log.last(100).front().line.number, 3U);
}

TEST_F(ChatLogTest, ComesBackFromItsStore) {
    for (int i = 0; i < 5; ++i) {
        now += minutes(1);
        ASSERT_TRUE(say(alice.write(now)));
        ASSERT_TRUE(say(bob.write(now)));
    }
    ChatLog again = make();
    ASSERT_TRUE(again.load(disk, now).has_value());
    again.check_invariants();
    EXPECT_EQ(again.last(100), log.last(100));
    EXPECT_EQ(again.tips(), log.tips());
}

TEST_F(ChatLogTest, OfAStoreWithTooManyLinesTheOldestAreLeftOut) {
    const bool alice_first = key_named("alice").id() < key_named("bob").id();
    Pen& first = alice_first ? alice : bob;
    Pen& second = alice_first ? bob : alice;
    ASSERT_TRUE(say(second.write(now)));
    now += minutes(1);
    for (std::size_t i = 0; i < kBurstLines + 1; ++i) {
        now += minutes(1);
        ASSERT_TRUE(say(first.write(now)));
    }
    ChatOptions options;
    options.lines_per_author_max = kBurstLines + 1;
    options.lines_max = kBurstLines + 1;
    ChatLog again = make(options);
    ASSERT_TRUE(again.load(disk, now).has_value());
    again.check_invariants();
    EXPECT_EQ(again.tips().size(), 1U);
}

TEST_F(ChatLogTest, TipsOfManyAuthorsCoverAllIdsInSeveralMessages) {
    for (int i = 0; i < 70; ++i) {
        const auto author = key_named("author " + std::to_string(i));
        ledger.accounts.insert(author.id());
        Pen pen(author, sample.chain);
        ASSERT_TRUE(say(pen.write(now)));
    }
    now += minutes(1);
    const auto haves = sent<ChatHave>(give(ChatLog::NodeUp{peer}));
    ASSERT_EQ(haves.size(), 3U);
    Id expected;
    for (const auto& [to, have] : haves) {
        EXPECT_TRUE(have.is_canonical());
        EXPECT_TRUE(have.first == expected || have.first > expected);
        expected = have.last;
    }
    EXPECT_EQ(haves.front().second.first, Id{});
    EXPECT_EQ(expected, Id::copy_of(Bytes(20, 0xff)));
}

TEST_F(ChatLogTest, LinesShownInOrderOfTime) {
    hear(alice.write(now));
    now += minutes(1);
    hear(bob.write(now));
    now += minutes(1);
    hear(alice.write(now));
    const auto last = log.last(2);
    ASSERT_EQ(last.size(), 2U);
    EXPECT_EQ(last[0].line.author, key_named("bob").public_key());
    EXPECT_EQ(last[1].line.number, 2U);
}

}  // namespace
}  // namespace leither::org
