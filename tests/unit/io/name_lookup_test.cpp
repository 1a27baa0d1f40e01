#include "leither/io/name_lookup.h"

#include <atomic>
#include <future>
#include <map>

#include <gtest/gtest.h>

#include "loopback.h"

namespace leither::io {
namespace {

using std::chrono::milliseconds;
using testing::run_until;

const IpAddress kOne = *IpAddress::parse("192.0.2.1");
const IpAddress kOther = *IpAddress::parse("2001:db8::1");

struct Lookup {
    explicit Lookup(NameLookup::Options options) {
        options.retry_min = milliseconds(1);
        lookup.emplace(
            std::move(options), reactor,
            [this](const auto& endpoints) {
                ++answers;
                found = endpoints;
            },
            Log());
        lookup->refresh();
    }
    bool wait_for(int count) {
        return run_until(reactor, [&] { return answers >= count; });
    }

    Reactor reactor;
    std::vector<Endpoint> found;
    int answers = 0;
    std::optional<NameLookup> lookup;
};

TEST(HostName, IsLabelsAndAPort) {
    EXPECT_EQ(HostName::parse("seed.example.org:7400"), (HostName{"seed.example.org", 7400}));
    EXPECT_EQ(HostName::parse("localhost:1"), (HostName{"localhost", 1}));
    EXPECT_EQ(HostName::parse("4seeds.x-y:65535"), (HostName{"4seeds.x-y", 65535}));
    const std::string label(63, 'a');
    EXPECT_TRUE(HostName::parse(label + ".org:1"));
    const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
    EXPECT_TRUE(HostName::parse(longest + ":1"));
    for (const std::string text :
         {"",        ":7400",   "seed",           "seed:", "seed:0",  "seed:65536", "seed:07",
          "seed:1x", "seed:+1", "300.1.1.1:7400", "1:1",   "[::1]:1", "::1:1",      "a..b:1",
          ".a:1",    "a.:1",    "-a:1",           "a-:1",  "a b:1",   "a_b:1",      "a/b:1"}) {
        EXPECT_FALSE(HostName::parse(text)) << text;
    }
    EXPECT_FALSE(HostName::parse(label + "a.org:1"));
    EXPECT_FALSE(HostName::parse(longest + "a:1"));
}

TEST(NameLookup, AllAddressesOfAllNamesAreTold) {
    NameLookup::Options options;
    options.names = {{"one", 1}, {"both", 2}};
    options.resolve = [](const std::string& host) {
        return host == "one" ? std::vector{kOne} : std::vector{kOne, kOther};
    };
    Lookup lookup(options);
    ASSERT_TRUE(lookup.wait_for(1));
    EXPECT_EQ(lookup.found, (std::vector<Endpoint>{{kOne, 1}, {kOne, 2}, {kOther, 2}}));
}

TEST(NameLookup, OfOneNameOnlySoManyAddressesAreTaken) {
    NameLookup::Options options;
    options.names = {{"many", 1}};
    options.resolve = [](const std::string&) { return std::vector<IpAddress>(9, kOne); };
    Lookup lookup(options);
    ASSERT_TRUE(lookup.wait_for(1));
    EXPECT_EQ(lookup.found.size(), 8u);
}

TEST(NameLookup, WhatIsNotFoundIsSoughtAgainWhileTheRestIsTold) {
    std::atomic<int> asked = 0;
    NameLookup::Options options;
    options.names = {{"there", 1}, {"late", 2}};
    options.resolve = [&asked](const std::string& host) {
        if (host == "there") return std::vector{kOne};
        return ++asked < 3 ? std::vector<IpAddress>{} : std::vector{kOther};
    };
    Lookup lookup(options);
    ASSERT_TRUE(lookup.wait_for(1));
    EXPECT_EQ(lookup.found, (std::vector<Endpoint>{{kOne, 1}}));
    ASSERT_TRUE(lookup.wait_for(3));
    EXPECT_EQ(lookup.found, (std::vector<Endpoint>{{kOne, 1}, {kOther, 2}}));
}

TEST(NameLookup, ARefreshDuringALookupIsDoneAfterIt) {
    std::promise<void> go;
    const auto gone = go.get_future().share();
    std::atomic<int> asked = 0;
    NameLookup::Options options;
    options.names = {{"slow", 1}};
    options.resolve = [&asked, gone](const std::string&) {
        if (++asked == 1) gone.wait();
        return std::vector{kOne};
    };
    Lookup lookup(options);
    lookup.lookup->refresh();
    lookup.lookup->refresh();
    go.set_value();
    ASSERT_TRUE(lookup.wait_for(2));
    EXPECT_EQ(asked, 2);
}

TEST(NameLookup, NobodyWaitsForAResolverThatHangs) {
    struct Shared {
        std::promise<void> go;
        std::promise<void> done;
    };
    const auto shared = std::make_shared<Shared>();
    NameLookup::Options options;
    options.names = {{"hangs", 1}};
    options.resolve = [shared](const std::string&) {
        shared->go.get_future().wait();
        shared->done.set_value();
        return std::vector{kOne};
    };
    {
        Lookup lookup(options);
        options.resolve = nullptr;
    }
    // Its end, after that of reactor and lookup, harms nobody.
    shared->go.set_value();
    shared->done.get_future().wait();
}

TEST(NameLookup, TheSystemKnowsThisHost) {
    const auto found = NameLookup::ask_system("localhost");
    ASSERT_FALSE(found.empty());
    for (const IpAddress& address : found) EXPECT_TRUE(address.is_loopback()) << address.text();
}

}  // namespace
}  // namespace leither::io
