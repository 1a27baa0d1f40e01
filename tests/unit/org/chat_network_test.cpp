// Five nodes talking over a network that loses a third of all messages, splits and heals.
#include <map>
#include <memory>

#include <gtest/gtest.h>

#include "leither/crypto/hash.h"
#include "leither/org/chat_log.h"

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

constexpr std::size_t kNodes = 5;

class ChatNetwork {
 public:
    explicit ChatNetwork(std::uint64_t seed) : prng_(seed) {
        for (std::size_t i = 0; i < kNodes; ++i) {
            accounts_.push_back(key_named("account " + std::to_string(i)));
            nodes_.push_back(key_named("node " + std::to_string(i)).id());
            ledger_.accounts.insert(accounts_[i].id());
        }
        disks_.resize(kNodes);
        for (std::size_t i = 0; i < kNodes; ++i) logs_.push_back(make());
        connect();
    }

    // Cuts the nodes below `from` off from the rest.
    void split(std::size_t from) {
        for (std::size_t i = 0; i < kNodes; ++i) {
            for (std::size_t k = 0; k < kNodes; ++k) {
                if ((i < from) != (k < from)) give(i, ChatLog::NodeDown{nodes_[k]});
            }
        }
        cut_ = from;
    }
    void connect() {
        cut_ = 0;
        for (std::size_t i = 0; i < kNodes; ++i) {
            for (std::size_t k = 0; k < kNodes; ++k) {
                if (i != k) give(i, ChatLog::NodeUp{nodes_[k]});
            }
        }
    }
    void restart(std::size_t i) {
        logs_[i] = make();
        ASSERT_TRUE(logs_[i].load(disks_[i], now_).has_value());
        for (std::size_t k = 0; k < kNodes; ++k) {
            if (i == k || (i < cut_) != (k < cut_)) continue;
            give(i, ChatLog::NodeUp{nodes_[k]});
            give(k, ChatLog::NodeUp{nodes_[i]});
        }
    }
    // The account may also speak at another node than its own: it does not see its other lines.
    void say(std::size_t account, std::size_t at) {
        const auto next = logs_[at].next(accounts_[account].id());
        protocol::ChatLine line;
        line.author = accounts_[account].public_key();
        line.number = next.number;
        line.previous = next.previous;
        line.time_ms = std::max(unix_ms(now_), next.time_ms_min);
        line.text = BoundedText<500>(std::to_string(prng_.next()));
        give(at, ChatLog::Say{sign(sample_.chain, line, accounts_[account])});
    }
    void run_until(Instant end) {
        flights_.run(now_, end,
                     {.machines = kNodes,
                      .deadline = [this](std::size_t i) { return logs_[i].next_deadline(); },
                      .tick = [this](std::size_t i) { give(i, ChatLog::Tick{}); },
                      .land = [this](Flight&& flight) { land(std::move(flight)); }});
    }
    const ChatLog& log(std::size_t i) const { return logs_[i]; }
    Instant now() const { return now_; }
    Prng& prng() { return prng_; }
    std::uint64_t messages() const { return messages_; }
    std::uint64_t loss_percent = 33;

 private:
    struct Flight {
        std::size_t from = 0;
        ChatLog::Send send;
    };

    ChatLog make() {
        ChatOptions options;
        options.lines_per_author_max = 64;
        return ChatLog(options, {sample_.chain, {'t'}}, members_, prng_, Log());
    }
    void give(std::size_t i, ChatLog::Input&& input) {
        ChatLog::Effects effects = logs_[i].step(std::move(input), now_);
        logs_[i].check_invariants();
        testing::write(disks_[i], effects.writes);
        for (ChatLog::Send& send : effects.sends) {
            ++messages_;
            if (prng_.chance(loss_percent, 100)) continue;
            flights_.add(now_ + milliseconds(10 + prng_.below(300)), Flight{i, send});
        }
    }
    void land(Flight&& flight) {
        const Id from = nodes_[flight.from];
        const auto to =
            static_cast<std::size_t>(std::ranges::find(nodes_, flight.send.to) - nodes_.begin());
        if ((to < cut_) != (flight.from < cut_)) return;
        if (auto* post = std::get_if<protocol::ChatPost>(&flight.send.message)) {
            give(to, ChatLog::Heard{from, *post});
        } else if (auto* have = std::get_if<protocol::ChatHave>(&flight.send.message)) {
            give(to, ChatLog::Compared{from, *have});
        } else if (auto* ask = std::get_if<protocol::ChatAsk>(&flight.send.message)) {
            give(to, ChatLog::Asked{from, *ask});
        } else {
            give(to, ChatLog::Told{from, std::get<protocol::ChatLines>(flight.send.message)});
        }
    }

    testing::OrgSample sample_;
    Prng prng_;
    testing::ListedMembers ledger_;
    Members members_{{}, sample_.chain, ledger_, testing::shelf(ShelfKind::pass)};
    std::vector<crypto::KeyPair> accounts_;
    std::vector<Id> nodes_;
    std::vector<store::MemoryStore> disks_;
    std::vector<ChatLog> logs_;
    testing::Flights<Flight> flights_;
    Instant now_ = kSampleNow;
    std::size_t cut_ = 0;
    std::uint64_t messages_ = 0;
};

class ChatNetworkTest : public ::testing::TestWithParam<std::uint64_t> {
 protected:
    static void SetUpTestSuite() { crypto::initialise(); }

    static void expect_agreement(const ChatNetwork& network) {
        for (std::size_t i = 1; i < kNodes; ++i) {
            EXPECT_TRUE(network.log(i).tips() == network.log(0).tips()) << "node " << i;
            EXPECT_TRUE(network.log(i).last(64) == network.log(0).last(64)) << "node " << i;
        }
    }
};

TEST_P(ChatNetworkTest, AllHaveTheSameLinesOnceTheyHaveMet) {
    SCOPED_TRACE(::testing::Message() << "seed " << GetParam());
    ChatNetwork network(GetParam());
    for (int round = 0; round < 60; ++round) {
        const std::uint64_t event = network.prng().below(10);
        if (event == 0) network.split(1 + network.prng().below(kNodes - 1));
        if (event == 1) network.connect();
        if (event == 2) network.restart(network.prng().below(kNodes));
        const std::size_t speaker = network.prng().below(kNodes);
        network.say(speaker, speaker);
        network.run_until(network.now() + seconds(network.prng().below(600)));
    }
    network.connect();
    network.run_until(network.now() + hours(20));
    expect_agreement(network);
    EXPECT_EQ(network.log(0).size(), 60U);
}

TEST_P(ChatNetworkTest, AllAgreeThoughAuthorsSpeakAtTwoNodesAtOnce) {
    SCOPED_TRACE(::testing::Message() << "seed " << GetParam());
    ChatNetwork network(GetParam());
    for (int round = 0; round < 40; ++round) {
        if (network.prng().chance(1, 6)) network.split(1 + network.prng().below(kNodes - 1));
        if (network.prng().chance(1, 6)) network.connect();
        network.say(network.prng().below(2), network.prng().below(kNodes));
        network.run_until(network.now() + seconds(network.prng().below(600)));
    }
    network.connect();
    // A question takes seven messages at worst, of which a third are lost.
    network.run_until(network.now() + hours(40));
    expect_agreement(network);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ChatNetworkTest, ::testing::Range<std::uint64_t>(1, 21));

TEST(ChatNetwork, ANewLineReachesAllInAMomentAndSilenceCostsLittle) {
    crypto::initialise();
    ChatNetwork network(5);
    network.loss_percent = 0;
    network.run_until(network.now() + minutes(1));
    network.say(0, 0);
    network.run_until(network.now() + seconds(1));
    for (std::size_t i = 0; i < kNodes; ++i) EXPECT_EQ(network.log(i).size(), 1U);
    network.run_until(network.now() + hours(1));
    const std::uint64_t before = network.messages();
    network.run_until(network.now() + hours(1));
    // Each node compares with one other every ten minutes: one message, none back.
    EXPECT_LE(network.messages() - before, 6 * kNodes + kNodes);
}

}  // namespace
}  // namespace leither::org
