// Hubs that do anything in any order, over streams that break, stall, vanish and come in pieces.
// After each step the limits hold, and whatever is heard was said, once and in order, by a node
// that is up and not banned; when the world is whole again all find each other.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "support/peer_network.h"

namespace leither::peer {
namespace {

using protocol::AskManifest;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::endpoint;
using testing::PeerNetwork;

using Host = PeerNetwork::HostId;

const Context kContext = Context::of(ChainId::copy_of(Bytes(32, 0xcc)));
const Context kOther = Context::of(Id::copy_of(Bytes(20, 0xdd)));

constexpr std::size_t kHosts = 5;
constexpr std::size_t kSteps = 150;
// Each a run of its own, some seconds long; LEITHER_SEEDS asks for more.
constexpr std::uint64_t kSeeds = 2;

AskManifest numbered(std::uint32_t number) {
    AskManifest message;
    for (std::size_t i = 0; i < 4; ++i) {
        message.organization[i] = static_cast<std::uint8_t>(number >> 8 * (3 - i));
    }
    return message;
}
std::uint32_t number_of(const protocol::PeerMessage& message) {
    const Id& id = std::get<AskManifest>(message).organization;
    return std::uint32_t{id[0]} << 24 | std::uint32_t{id[1]} << 16 | std::uint32_t{id[2]} << 8 |
           id[3];
}

class World {
 public:
    explicit World(std::uint64_t seed) : prng_(seed), options_(drawn_options()) {
        net_.latency = milliseconds(1 + prng_.below(200));
        if (prng_.chance(1, 2)) net_.cut_into_pieces(1 + prng_.below(60));
        for (std::size_t i = 0; i < kHosts; ++i) add(i);
        for (std::size_t i = 0; i < kHosts; ++i) net_.learn(at(i), at((i + 1) % kHosts), kContext);
        net_.run_for(seconds(5));
        check();
    }

    void step() {
        const std::size_t one = prng_.below(kHosts);
        const std::size_t other = (one + 1 + prng_.below(kHosts - 1)) % kHosts;
        act(one, other);
        lift_some();
        net_.run_for(milliseconds(prng_.below(prng_.chance(1, 20) ? 200'000 : 2'000)));
        check();
    }

    void heal() {
        for (std::size_t i = 0; i < kHosts; ++i) {
            net_.reconnect(at(i));
            net_.revive(at(i));
            net_.start_reading(at(i));
            net_.tell(at(i), Serve{{kContext, kOther}});
            net_.tell(at(i), Reserve{{}});
            for (std::size_t j = 0; j < kHosts; ++j) {
                net_.tell(at(i), Pardon{node(j)});
                if (i != j) net_.learn(at(i), at(j), kContext);
            }
        }
        banned_.clear();
        net_.run_for(hours(3));  // longer than any ban
        check();
    }
    void expect_all_connected() {
        for (std::size_t i = 0; i < kHosts; ++i) {
            for (std::size_t j = 0; j < kHosts; ++j) {
                if (i == j) continue;
                EXPECT_TRUE(net_.hub(at(i)).is_connected(node(j))) << i << ' ' << j;
            }
        }
    }
    std::size_t heard() const { return heard_count_; }
    bool is_roomy() const { return options_.connections_max > 2 * kHosts; }

 private:
    HubOptions drawn_options() {
        HubOptions options;
        if (prng_.chance(1, 2)) {
            options.connections_max = 2 + prng_.below(3);
            options.reserved_max = 1;
            options.outbound_target = 1 + prng_.below(3);
            options.half_open_max = 3;
            options.half_open_per_block_max = 2;
            options.dials_max = 1 + prng_.below(3);
            options.dial_backs_max = prng_.below(2);
        }
        if (prng_.chance(1, 2)) options.outbox_bytes_max = 200 + prng_.below(2'000);
        if (prng_.chance(1, 2)) options.in_flight_bytes = 1 + prng_.below(500);
        if (prng_.chance(1, 3)) options.messages = {5, 20};
        if (prng_.chance(1, 3)) options.bytes = {500, 2'000};
        if (prng_.chance(1, 2)) options.conduct.ban = minutes(5);
        options.table.addresses_max = 8;
        options.conduct.nodes_max = 3;
        return options;
    }
    void add(std::size_t number) {
        const auto octet = static_cast<std::uint8_t>(20 + number);
        hosts_.push_back(net_.add(options_, {IpAddress::v4({octet, 0, 0, 1}), 4242}));
        net_.tell(hosts_.back(), Serve{{kContext}});
    }
    Host at(std::size_t number) const { return hosts_[number]; }
    const Id& node(std::size_t number) { return net_.hub(at(number)).node(); }
    std::size_t number_of_node(const Id& wanted) {
        for (std::size_t i = 0; i < kHosts; ++i) {
            if (node(i) == wanted) return i;
        }
        ADD_FAILURE() << "a peer that does not exist";
        return 0;
    }

    void act(std::size_t one, std::size_t other) {
        switch (prng_.below(24)) {
            case 0:
            case 1:
            case 2: return learn(one, other);
            case 3:
            case 4:
            case 5:
            case 6:
            case 7:
            case 8: return say(one, other);
            case 9: return net_.tell(at(one), Forget{node(other)});
            case 10: return ban(one, other);
            case 11: banned_.erase({one, other}); return net_.tell(at(one), Pardon{node(other)});
            case 12: {
                const auto points = static_cast<std::int32_t>(prng_.below(61)) - 30;
                return net_.tell(at(one), Judge{node(other), points});
            }
            case 13: return serve(one);
            case 14: return net_.tell(at(one), Reserve{{node(other)}});
            case 15: {
                const auto port = static_cast<std::uint16_t>(prng_.chance(1, 2) ? 4242 : 0);
                return net_.tell(at(one), Introduce{port, prng_.next()});
            }
            case 16: return net_.tell(at(one), CheckReachability{});
            case 17: return net_.break_a_stream(at(one), prng_);
            case 18: return suffer(cut_, one, [this](Host host) { net_.cut_off(host); });
            case 19: return suffer(deaf_, one, [this](Host host) { net_.stop_reading(host); });
            case 20: return suffer(hidden_, one, [this](Host host) { net_.hide(host); });
            case 21: return restart(one);
            default: return be_strange(one);
        }
    }
    template <class Begin>
    void suffer(std::set<std::size_t>& faults, std::size_t one, Begin begin) {
        faults.insert(one);
        begin(at(one));
    }
    // Faults pass.
    void lift_some() {
        const auto lift = [this](std::set<std::size_t>& faults, const auto& undo) {
            std::erase_if(faults, [&](std::size_t one) {
                if (!prng_.chance(1, 4)) return false;
                undo(at(one));
                return true;
            });
        };
        lift(cut_, [this](Host host) { net_.reconnect(host); });
        lift(deaf_, [this](Host host) { net_.start_reading(host); });
        lift(hidden_, [this](Host host) { net_.revive(host); });
    }

    void learn(std::size_t one, std::size_t other) {
        PeerAddress address;
        address.context = prng_.chance(1, 5) ? kOther : kContext;
        address.source = static_cast<Source>(prng_.below(5));
        // Only a manifest is never wrong about who is where.
        const bool is_sure = address.source == Source::manifest;
        const std::size_t said = is_sure ? other : prng_.below(kHosts);
        address.endpoint = net_.at(at(prng_.chance(1, 10) && !is_sure ? one : other));
        if (prng_.chance(1, 3)) address.node = node(said);
        if (prng_.chance(1, 3)) address.static_key = net_.hub(at(said)).static_key();
        net_.tell(at(one), Learn{address});
    }
    void say(std::size_t one, std::size_t other) {
        const std::uint64_t count = 1 + prng_.below(prng_.chance(1, 5) ? 60 : 3);
        for (std::uint64_t i = 0; i < count; ++i) {
            net_.tell(at(one), SendMessage{node(other), numbered(++said_[{one, other}])});
        }
    }
    void ban(std::size_t one, std::size_t other) {
        const Duration duration = seconds(1 + prng_.below(100));
        Instant& until = banned_[{one, other}];
        until = std::max(until, net_.now() + duration);
        net_.tell(at(one), Ban{node(other), duration});
    }
    void serve(std::size_t one) {
        std::vector<Context> contexts;
        if (prng_.chance(9, 10)) contexts.push_back(kContext);
        if (prng_.chance(1, 2)) contexts.push_back(kOther);
        net_.tell(at(one), Serve{contexts});
    }
    // Its program begins anew, with the same key and nothing else.
    void restart(std::size_t one) {
        listen_to_all();
        if (prng_.chance(1, 2)) net_.kill(at(one));  // before it can say goodbye
        net_.tell(at(one), Stop{});
        net_.run_for(seconds(prng_.below(3)));
        listen_to_all();
        hosts_[one] = net_.restart(at(one));
        net_.tell(at(one), Serve{{kContext}});
        for (auto* faults : {&cut_, &deaf_, &hidden_}) faults->erase(one);
        std::erase_if(banned_, [one](const auto& ban) { return ban.first.first == one; });
        up_[one].clear();
    }
    void be_strange(std::size_t one) {
        const auto octet = static_cast<std::uint8_t>(prng_.below(4));
        const auto stranger = net_.stranger(at(one), {IpAddress::v4({90, 0, octet, 1}), 999});
        Bytes bytes(prng_.below(200));
        prng_.fill(bytes);
        if (prng_.chance(1, 2)) {
            const auto preamble = Preamble{Pattern::xx, kContext}.encode();
            bytes.insert(bytes.begin(), preamble.begin(), preamble.end());
        }
        net_.write(stranger, bytes);
        if (prng_.chance(1, 2)) net_.hang_up(stranger);
    }

    // ---- What must hold
    void check() {
        listen_to_all();
        for (std::size_t i = 0; i < kHosts; ++i) {
            const Hub& hub = net_.hub(at(i));
            const HubStatus status = hub.status();
            EXPECT_LE(status.established, options_.connections_max);
            EXPECT_LE(status.half_open, options_.half_open_max);
            EXPECT_LE(status.dialing, options_.dials_max + options_.dial_backs_max);
            for (const PeerStatus& peer : hub.peers(net_.now())) {
                EXPECT_LE(peer.outbox_bytes, options_.outbox_bytes_max);
            }
            for (std::size_t j = 0; j < kHosts; ++j) {
                EXPECT_EQ(hub.is_connected(node(j)), up_[i].contains(j)) << i << ' ' << j;
                EXPECT_FALSE(is_banned(i, j) && hub.is_connected(node(j))) << i << ' ' << j;
            }
        }
    }
    bool is_banned(std::size_t one, std::size_t other) const {
        const auto ban = banned_.find({one, other});
        return ban != banned_.end() && net_.now() < ban->second;
    }
    void listen_to_all() {
        for (std::size_t i = 0; i < kHosts; ++i) {
            for (Event& event : net_.events(at(i))) {
                std::visit([&](const auto& held) { on(i, held); }, event);
            }
        }
    }
    void on(std::size_t one, const PeerUp& up) {
        EXPECT_TRUE(up_[one].insert(number_of_node(up.peer.node)).second) << "up twice";
    }
    void on(std::size_t one, const PeerDown& down) {
        EXPECT_EQ(up_[one].erase(number_of_node(down.node)), 1u) << "down without up";
    }
    void on(std::size_t one, const MessageReceived& received) {
        const std::size_t from = number_of_node(received.node);
        const std::uint32_t number = number_of(received.message);
        EXPECT_TRUE(up_[one].contains(from));
        EXPECT_GT(number, (heard_[{from, one}])) << "twice or out of order";
        EXPECT_LE(number, (said_[{from, one}])) << "never said";
        EXPECT_FALSE((undelivered_[{from, one}].contains(number))) << "delivered and not";
        heard_[{from, one}] = number;
        ++heard_count_;
    }
    void on(std::size_t one, const Undelivered& undelivered) {
        const std::size_t to = number_of_node(undelivered.node);
        const std::uint32_t number = number_of(undelivered.message);
        EXPECT_LE(number, (said_[{one, to}]));
        EXPECT_LT((heard_[{one, to}]), number) << "delivered and not";
        undelivered_[{one, to}].insert(number);
    }
    void on(std::size_t, const DialBackVerdict&) {}

    Prng prng_;
    HubOptions options_;
    PeerNetwork net_;
    std::vector<Host> hosts_;
    std::map<std::size_t, std::set<std::size_t>> up_;
    std::map<std::pair<std::size_t, std::size_t>, std::uint32_t> said_;   // from, to
    std::map<std::pair<std::size_t, std::size_t>, std::uint32_t> heard_;  // the last
    std::map<std::pair<std::size_t, std::size_t>, std::set<std::uint32_t>> undelivered_;
    std::map<std::pair<std::size_t, std::size_t>, Instant> banned_;  // by whom, whom
    std::set<std::size_t> cut_;
    std::set<std::size_t> deaf_;
    std::set<std::size_t> hidden_;
    std::size_t heard_count_ = 0;
};

TEST(HubRandom, LimitsOrderAndBansHoldWhateverHappens) {
    const char* asked = std::getenv("LEITHER_SEEDS");
    const std::uint64_t seeds = asked != nullptr ? std::stoull(asked) : kSeeds;
    std::size_t heard = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        SCOPED_TRACE(seed);
        World world(seed);
        for (std::size_t i = 0; i < kSteps; ++i) {
            SCOPED_TRACE(i);
            world.step();
            if (::testing::Test::HasFailure()) return;
        }
        world.heal();
        if (world.is_roomy()) world.expect_all_connected();
        if (::testing::Test::HasFailure()) return;
        heard += world.heard();
    }
    EXPECT_GT(heard, 100u * seeds);  // so that something was put to the test
}

}  // namespace
}  // namespace leither::peer
