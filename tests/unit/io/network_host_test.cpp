// Two daemons without their mains, on real sockets, that meet through the DHT.
#include "leither/io/network_host.h"

#include <atomic>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "leither/io/event_loop.h"
#include "leither/io/os_entropy.h"
#include "leither/store/leveldb_store.h"

#include "support/node/community.h"
#include "support/temp_dir.h"

namespace leither::io {
namespace {

using testing::Community;

// What comes of calls to the network, one after the other.
struct Heard final : Listener {
    void on_reply(node::Reply&& reply) override {
        if (auto* network = std::get_if<node::NetworkReply>(&reply)) {
            answer = std::move(network->answer);
        }
        if (after_reply) after_reply();
    }
    void on_event(const node::Event&) override {}
    void on_pulse() override {}
    void on_durable(Duration) override {}
    void on_stopping() override {}

    std::optional<Result<node::NetworkAnswer, node::NetworkFailure>> answer;
    std::function<void()> after_reply;
};

NetworkHostOptions host_options() {
    const Endpoint any_port{IpAddress::v4({127, 0, 0, 1}), 0};
    NetworkHostOptions options;
    options.datagrams = {any_port};
    options.streams = {any_port};
    options.map_ports = false;
    options.line = make_line({}, "", Log());
    return options;
}

class Daemon {
 public:
    Daemon(const crypto::KeyPair& key, std::vector<Endpoint> bootstrap)
        : host_(host_options(), *network_store_, reactor_, Log()) {
        EXPECT_TRUE(host_.listen());
        node::NetworkOptions options;
        options.dht.local = dht::LocalSources::exempt;
        options.dht.families = dht::Families::v4;
        options.bootstrap = std::move(bootstrap);
        options.listen = host_.streams();
        node_.emplace(node::Node::open({}, *store_, key, Log(),
                                       {options, *network_store_, entropy_, clock_.now()})
                          .value());
        loop_.emplace(
            EventLoopOptions{.verify = make_verify_pool(1, reactor_), .drain = Duration(0)},
            reactor_, *node_, *store_, clock_, Log());
        loop_->set_listener(heard);
        loop_->set_network(host_);
    }

    Endpoint datagrams() const { return {IpAddress::v4({127, 0, 0, 1}), host_.datagram_port()}; }
    EventLoop& loop() { return *loop_; }

    Heard heard;

 private:
    testing::TempDir dir_;
    std::unique_ptr<store::Store> store_ = store::open_leveldb({.path = dir_ / "ledger"}).value();
    std::unique_ptr<store::Store> network_store_ =
        store::open_leveldb({.path = dir_ / "network"}).value();
    OsEntropy entropy_;
    WallClock clock_;
    Reactor reactor_;
    NetworkHost host_;
    std::optional<node::Node> node_;
    std::optional<EventLoop> loop_;
};

TEST(NetworkHost, ANodeFindsAnOrganizationByOneAddressAndItsId) {
    crypto::initialise();
    const Community community{{}};
    Daemon keeper(community.node_key(), {});
    std::atomic<bool> published = false;
    std::promise<void> ready;
    keeper.heard.after_reply = [&] {
        if (keeper.heard.answer) {
            published = keeper.heard.answer->has_value();
            return ready.set_value();
        }
        keeper.loop().enqueue(
            node::NetworkCall{1, community.manifest(keeper.loop().queries(), keeper.loop().now())});
    };
    keeper.loop().enqueue(node::Found{1, community.encoded_genesis()});
    std::thread running([&] { keeper.loop().run(); });
    ready.get_future().wait();
    EXPECT_TRUE(published);

    Daemon stranger(crypto::derive_key({}, 1), {keeper.datagrams()});
    stranger.heard.after_reply = [&] { stranger.loop().stop(); };
    stranger.loop().enqueue(
        node::NetworkCall{1, node::FindOrganization{community.organization().treasury}});
    EXPECT_FALSE(stranger.loop().run());
    keeper.loop().stop();
    running.join();

    ASSERT_TRUE(stranger.heard.answer);
    ASSERT_TRUE(*stranger.heard.answer) << (*stranger.heard.answer).error().detail;
    const auto& item = std::get<protocol::ManifestItem>(**stranger.heard.answer);
    EXPECT_EQ(item.content.manifest.chain, community.chain());
}

TEST(NetworkHost, APortInUseIsNamedWithTheKeyToChange) {
    testing::TempDir dir;
    const auto store = store::open_leveldb({.path = dir / "network"}).value();
    Reactor reactor;
    NetworkHost first(host_options(), *store, reactor, Log());
    ASSERT_TRUE(first.listen());
    NetworkHostOptions options = host_options();
    options.datagrams.front().port = first.datagram_port();
    NetworkHost second(options, *store, reactor, Log());
    const auto listening = second.listen();
    ASSERT_FALSE(listening);
    EXPECT_NE(listening.error().find("dht.listen"), std::string::npos) << listening.error();
}

}  // namespace
}  // namespace leither::io
