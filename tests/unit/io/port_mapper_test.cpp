#include "leither/io/port_mapper.h"

#include <vector>

#include <gtest/gtest.h>

#include "fake_gateway.h"

namespace leither::io {
namespace {

using std::chrono::milliseconds;
using testing::FakeGateway;
using testing::run_ready;
using testing::run_until;
using Mapping = FakeGateway::State::Mapping;

constexpr int kUdpPort = 7400;
constexpr int kTcpPort = 7401;

struct Heard final : PortMapperHandler {
    void on_mapped(const PortMapping& mapping) override { mapped.push_back(mapping); }
    void on_mapping_failed(MappedProtocol, const std::string& reason) override {
        failed.push_back(reason);
    }
    std::vector<PortMapping> mapped;
    std::vector<std::string> failed;
};

class PortMapperTest : public ::testing::Test {
 protected:
    enum class Offers : std::uint8_t { nat_pmp, upnp };

    static PortMapperOptions options() {
        const IpAddress any;
        PortMapperOptions options;
        options.udp = Endpoint{any, kUdpPort};
        options.tcp = Endpoint{any, kTcpPort};
        options.nat_pmp_time_max = std::chrono::seconds(5);
        options.stop_time_max = std::chrono::seconds(5);
        options.nat_pmp_gateway = IpAddress::v4({127, 99, 99, 99});  // nobody
        options.upnp_description_url = "http://127.0.0.1:9/";        // nobody
        return options;
    }
    PortMapperOptions options(Offers offers) const {
        PortMapperOptions out = options();
        if (offers == Offers::nat_pmp) out.nat_pmp_gateway = gateway_.address();
        if (offers == Offers::upnp) out.upnp_description_url = gateway_.description_url();
        return out;
    }
    void start(const PortMapperOptions& given) {
        mapper_ = std::make_unique<PortMapper>(given, reactor_, heard_, Log());
        mapper_->start();
    }
    bool hears(std::size_t mapped, std::size_t failed = 0) {
        return run_until(reactor_, [&] {
            return heard_.mapped.size() >= mapped && heard_.failed.size() >= failed;
        });
    }

    FakeGateway gateway_;
    Reactor reactor_;
    Heard heard_;
    std::unique_ptr<PortMapper> mapper_;
};

TEST_F(PortMapperTest, BothPortsAreMappedByEitherProtocolAndReleasedAtStop) {
    for (const auto offers : {Offers::nat_pmp, Offers::upnp}) {
        heard_ = {};
        start(options(offers));
        ASSERT_TRUE(hears(2));
        const auto method = offers == Offers::upnp ? MappingMethod::upnp : MappingMethod::nat_pmp;
        const IpAddress external = *IpAddress::parse("203.0.113.7");
        EXPECT_EQ(heard_.mapped[0], (PortMapping{MappedProtocol::udp,
                                                 method,
                                                 kUdpPort,
                                                 {external, kUdpPort},
                                                 std::chrono::hours(1)}));
        EXPECT_EQ(heard_.mapped[1], (PortMapping{MappedProtocol::tcp,
                                                 method,
                                                 kTcpPort,
                                                 {external, kTcpPort},
                                                 std::chrono::hours(1)}));
        gateway_.with([](const auto& state) {
            EXPECT_EQ(state.mappings.size(), 2U);
            EXPECT_EQ(state.mappings.at({"UDP", kUdpPort}), (Mapping{kUdpPort, 3600}));
            EXPECT_EQ(state.mappings.at({"TCP", kTcpPort}), (Mapping{kTcpPort, 3600}));
        });
        mapper_->stop();
        EXPECT_TRUE(gateway_.with([](const auto& state) { return state.mappings.empty(); }));
    }
}

TEST_F(PortMapperTest, MappingsAreRenewedAndThatIsNoNews) {
    for (const auto offers : {Offers::nat_pmp, Offers::upnp}) {
        heard_ = {};
        auto given = options(offers);
        given.renew_after = milliseconds(10);
        const int before = gateway_.with([](const auto& state) { return state.maps; });
        start(given);
        ASSERT_TRUE(gateway_.await([&](const auto& state) { return state.maps >= before + 8; }));
        run_ready(reactor_);
        EXPECT_EQ(heard_.mapped.size(), 2U);
        mapper_.reset();
    }
}

TEST_F(PortMapperTest, ANewExternalAddressIsTold) {
    for (const auto offers : {Offers::nat_pmp, Offers::upnp}) {
        heard_ = {};
        auto given = options(offers);
        given.check_every = milliseconds(10);
        start(given);
        ASSERT_TRUE(hears(2));
        const IpAddress other =
            *IpAddress::parse(offers == Offers::upnp ? "10.1.2.3" : "192.0.2.1");
        gateway_.with([&](auto& state) { state.external = other; });
        ASSERT_TRUE(hears(4));
        EXPECT_EQ(heard_.mapped[2].external, (Endpoint{other, kUdpPort}));
        EXPECT_EQ(heard_.mapped[3].external, (Endpoint{other, kTcpPort}));
        mapper_.reset();
    }
}

TEST_F(PortMapperTest, AMappingThatIsLostIsToldAndSoIsItsReturn) {
    auto given = options(Offers::nat_pmp);
    given.check_every = milliseconds(10);
    given.retry_after = milliseconds(10);
    start(given);
    ASSERT_TRUE(hears(2));
    gateway_.with([](auto& state) { state.nat_pmp_code = 3; });
    ASSERT_TRUE(hears(2, 2));
    EXPECT_EQ(heard_.failed[0],
              "UDP port 7400 is not mapped: the router has no Internet address (NAT-PMP); "
              "no router answers UPnP");
    gateway_.with([](auto& state) { state.nat_pmp_code = 0; });
    ASSERT_TRUE(hears(4, 2));
    EXPECT_EQ(heard_.mapped[3], heard_.mapped[1]);
}

TEST_F(PortMapperTest, PortsThatOthersHoldAreSteppedOver) {
    gateway_.with([](auto& state) { state.taken = {kUdpPort}; });
    start(options(Offers::nat_pmp));
    ASSERT_TRUE(hears(2));
    EXPECT_EQ(heard_.mapped[0].external.port, kUdpPort + 1);
    mapper_.reset();

    heard_ = {};
    gateway_.with([](auto& state) {
        for (int i = 0; i < 7; ++i) state.taken.insert(kUdpPort + i);
    });
    start(options(Offers::upnp));
    ASSERT_TRUE(hears(2));
    EXPECT_EQ(heard_.mapped[0].external.port, kUdpPort + 7);
    EXPECT_EQ(heard_.mapped[0].internal_port, kUdpPort);
    mapper_.reset();
    EXPECT_TRUE(gateway_.with([](const auto& state) { return state.mappings.empty(); }));

    heard_ = {};
    auto given = options(Offers::upnp);
    given.tcp.reset();
    gateway_.with([](auto& state) { state.taken.insert(kUdpPort + 7); });
    start(given);
    ASSERT_TRUE(hears(0, 1));
    EXPECT_EQ(heard_.failed[0],
              "UDP port 7400 is not mapped: the router does not answer NAT-PMP; others have taken "
              "the router's ports (UPnP)");
}

TEST_F(PortMapperTest, ARouterWithPermanentMappingsIsTakenAsItIs) {
    gateway_.with([](auto& state) { state.permanent_only = true; });
    start(options(Offers::upnp));
    ASSERT_TRUE(hears(2));
    EXPECT_EQ(heard_.mapped[0].lifetime, Duration(0));
    mapper_.reset();
    EXPECT_TRUE(gateway_.with([](const auto& state) { return state.mappings.empty(); }));
}

TEST_F(PortMapperTest, OnePortWithoutTheOtherIsBetterThanNone) {
    for (const auto offers : {Offers::nat_pmp, Offers::upnp}) {
        heard_ = {};
        gateway_.with([](auto& state) { state.never = {"TCP"}; });
        start(options(offers));
        ASSERT_TRUE(hears(1, 1));
        EXPECT_EQ(heard_.mapped[0].protocol, MappedProtocol::udp);
        EXPECT_EQ(heard_.failed[0],
                  offers == Offers::upnp
                      ? "TCP port 7401 is not mapped: the router's UPnP may not map ports"
                      : "TCP port 7401 is not mapped: the router has no room for a mapping "
                        "(NAT-PMP)");
        mapper_.reset();
    }
}

TEST_F(PortMapperTest, AFailureIsToldOnceInWords) {
    auto given = options();
    given.retry_after = milliseconds(5);
    start(given);
    ASSERT_TRUE(hears(0, 2));
    EXPECT_EQ(heard_.failed[1],
              "TCP port 7401 is not mapped: the router does not answer NAT-PMP; no router answers "
              "UPnP");
    // It goes on trying, and finds the router that has come.
    mapper_.reset();
    heard_ = {};
    given.upnp_description_url = gateway_.description_url();
    gateway_.with([](auto& state) { state.upnp_code = 606; });
    start(given);
    ASSERT_TRUE(gateway_.await([](const auto& state) { return state.maps >= 8; }));
    gateway_.with([](auto& state) { state.upnp_code = 0; });
    ASSERT_TRUE(hears(2, 2));
    EXPECT_EQ(heard_.failed.size(), 2U);
    EXPECT_EQ(heard_.failed[0],
              "UDP port 7400 is not mapped: the router does not answer NAT-PMP; the router's UPnP "
              "may not map ports");
}

TEST_F(PortMapperTest, RefreshTriesAgainAtOnce) {
    start(options(Offers::nat_pmp));
    ASSERT_TRUE(hears(2));
    mapper_->refresh();
    EXPECT_TRUE(gateway_.await([](const auto& state) { return state.maps >= 4; }));
}

TEST_F(PortMapperTest, ARouterThatHangsHoldsNobodyUp) {
    for (const auto offers : {Offers::nat_pmp, Offers::upnp}) {
        heard_ = {};
        auto given = options(offers);
        given.stop_time_max = milliseconds(50);
        // While it is looked for.
        gateway_.with([](auto& state) { state.hangs = true; });
        const auto hung = gateway_.with([](const auto& state) { return state.hung; });
        start(given);
        ASSERT_TRUE(gateway_.await([&](const auto& state) { return state.hung > hung; }));
        mapper_->stop();
        run_ready(reactor_);
        EXPECT_TRUE(heard_.mapped.empty() && heard_.failed.empty());
        // While it is to release.
        gateway_.with([](auto& state) { state.hangs = false; });
        start(given);
        ASSERT_TRUE(hears(2));
        gateway_.with([](auto& state) { state.hangs = true; });
        mapper_->stop();
        mapper_.reset();
        gateway_.with([](auto& state) { state.hangs = false; });
    }
}

TEST_F(PortMapperTest, NothingIsToldAfterStop) {
    start(options(Offers::nat_pmp));
    ASSERT_TRUE(gateway_.await([](const auto& state) { return state.mappings.size() == 2; }));
    mapper_->stop();
    mapper_->stop();
    mapper_->refresh();
    run_ready(reactor_);
    EXPECT_TRUE(heard_.mapped.empty() && heard_.failed.empty());
}

TEST_F(PortMapperTest, PortsOfLoopbackAndOfIpv6AreLeftAlone) {
    auto given = options(Offers::nat_pmp);
    given.udp = Endpoint{*IpAddress::parse("127.0.0.1"), kUdpPort};
    given.tcp = Endpoint{*IpAddress::parse("::"), kTcpPort};
    start(given);
    run_ready(reactor_);
    mapper_->stop();
    EXPECT_EQ(gateway_.with([](const auto& state) { return state.maps; }), 0);
    EXPECT_TRUE(heard_.failed.empty());
}

}  // namespace
}  // namespace leither::io
