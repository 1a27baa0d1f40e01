#include "leither/io/interfaces.h"

#include <cstring>

#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include "loopback.h"

namespace leither::io {
namespace {

using testing::run_ready;
using testing::run_until;

// This process in a network of its own, with nothing but a loopback interface.
class OwnNetwork {
 public:
    OwnNetwork() : ours_(unshare(CLONE_NEWNET) == 0), socket_(socket(AF_INET, SOCK_DGRAM, 0)) {}
    ~OwnNetwork() { close(socket_); }
    bool ours() const { return ours_; }

    void set_up() {
        ifreq request = named("lo");
        request.ifr_flags = IFF_UP;
        ASSERT_EQ(ioctl(socket_, SIOCSIFFLAGS, &request), 0);
    }
    void give(const char* label, const IpAddress& address) {
        ifreq request = named(label);
        sockaddr_in wanted{};
        wanted.sin_family = AF_INET;
        std::memcpy(&wanted.sin_addr, address.bytes().data(), sizeof(wanted.sin_addr));
        std::memcpy(&request.ifr_addr, &wanted, sizeof(wanted));
        ASSERT_EQ(ioctl(socket_, SIOCSIFADDR, &request), 0);
    }

 private:
    static ifreq named(const char* label) {
        ifreq request{};
        std::strncpy(request.ifr_name, label, sizeof(request.ifr_name) - 1);
        return request;
    }
    bool ours_;
    int socket_;
};

TEST(Interfaces, OwnAddressesAreOnesOthersCouldUse) {
    const auto addresses = own_addresses();
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        EXPECT_FALSE(addresses[i].is_loopback() || addresses[i].is_unspecified());
        if (i > 0) {
            EXPECT_LT(addresses[i - 1], addresses[i]);
        }
    }
}

// In a process of its own: a network once left is not come back to.
void watch_addresses_come_and_go() {
    OwnNetwork network;
    if (!network.ours()) std::exit(77);
    network.set_up();
    Reactor reactor;
    std::vector<std::vector<IpAddress>> told;
    AddressWatch watch({.settle_time = std::chrono::milliseconds(20)}, reactor,
                       [&](const auto& addresses) { told.push_back(addresses); });
    if (!watch.start() || !own_addresses().empty()) std::exit(1);
    const auto first = *IpAddress::parse("10.9.8.7");
    const auto second = *IpAddress::parse("192.168.3.4");
    network.give("lo:1", first);
    network.give("lo:2", second);
    network.give("lo:3", *IpAddress::parse("169.254.1.1"));
    if (!run_until(reactor, [&] { return told.size() == 1; })) std::exit(2);
    if (told[0] != std::vector{first, second}) std::exit(3);
    // What others cannot use is no change.
    network.give("lo:4", *IpAddress::parse("127.0.0.5"));
    network.give("lo:2", *IpAddress::parse("10.9.8.8"));
    if (!run_until(reactor, [&] { return told.size() == 2; })) std::exit(4);
    if (told[1] != std::vector{first, *IpAddress::parse("10.9.8.8")}) std::exit(5);
    std::exit(0);
}

TEST(InterfacesDeathTest, ChangesAreToldTogetherOnceTheyHaveSettled) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    int status = 0;
    EXPECT_EXIT(
        watch_addresses_come_and_go(),
        [&](int ended) {
            status = ended;
            return WIFEXITED(ended) && (WEXITSTATUS(ended) == 0 || WEXITSTATUS(ended) == 77);
        },
        "");
    if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "needs the right to make a network namespace";
}

TEST(Interfaces, AWatchMayGoWhileItWaits) {
    Reactor reactor;
    {
        AddressWatch watch({}, reactor, [](const auto&) {});
        ASSERT_TRUE(watch.start());
        run_ready(reactor);
    }
    run_ready(reactor);
}

}  // namespace
}  // namespace leither::io
