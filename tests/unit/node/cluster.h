// An organization's ledger on several whole nodes in a simulated network: who founds, follows, pays
// and pledges.
#pragma once

#include "leither/codec/bcs.h"

#include "support/node/community.h"
#include "support/node/network_world.h"

namespace leither::node {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::Community;
using testing::CommunityOptions;
using testing::NetworkWorld;

inline constexpr std::size_t kFounder = 0;

inline crypto::KeyPair node_key(std::size_t n) {
    return crypto::derive_key({}, 100 + n);
}

inline CommunityOptions with_bookkeepers(std::size_t count) {
    CommunityOptions options;
    options.params.block_bytes_max = 256 << 10;
    options.bookkeepers = count;
    return options;
}

inline CommunityOptions with_short_cycles() {
    CommunityOptions options = with_bookkeepers(1);
    options.params.cycle_pulses = 60;  // reveals from 20 to 2 pulses before its end
    options.params.mining_reward_per_cycle = 4'000;
    return options;
}

class Cluster {
 public:
    explicit Cluster(std::size_t count, Duration disk_latency = {}, const Options& node = {})
        : Cluster(with_bookkeepers(count), disk_latency, node) {
        for (std::size_t n = 1; n < count; ++n) add(community_.node_key(n));
    }
    explicit Cluster(const CommunityOptions& options, Duration disk_latency = {},
                     const Options& node = {}, const std::vector<Endpoint>& peers = {})
        : community_(options),
          world_({.ledger_latency = disk_latency, .peers = peers, .node = node},
                 community_.start_of(Pulse(1))) {
        crypto::initialise();
        world_.add(community_.node_key());
        world_.step(kFounder, Found{1'000'000, community_.encoded_genesis()});
        world_.advance(seconds(2));
        const auto published =
            world_.ask(kFounder, community_.manifest(world_.queries(kFounder), world_.now()));
        CHECK(published && *published);
    }

    std::size_t add(const crypto::KeyPair& key) {
        const std::size_t host = world_.add(key);
        const auto followed =
            world_.ask(host, FollowOrganization{community_.organization().treasury});
        CHECK(followed && *followed);
        hosts_ = host + 1;
        return host;
    }

    // A node that serves a member. Answers its number.
    std::size_t add_member(std::size_t member, Duration wait = minutes(1)) {
        const crypto::KeyPair key = node_key(50 + member);
        const std::size_t host = add(key);
        world_.advance(wait);
        const auto account = community_.member(member);
        const auto is_served = [&] {
            const auto answer =
                world_.ask(host, community_.delegate(account, key.public_key(), world_.now()));
            return answer && answer->has_value();
        };
        // Not before it has found the organization's manifest.
        CHECK(world_.wait(is_served, minutes(5)));
        return host;
    }
    NetworkWorld& world() { return world_; }
    const Community& community() const { return community_; }
    std::optional<LedgerStatus> status(std::size_t host) {
        const auto status = world_.queries(host).status();
        return status ? std::optional(*status) : std::nullopt;
    }
    Sequence head(std::size_t host) {
        const auto known = status(host);
        return known ? known->head.sequence : Sequence(0);
    }
    bool have_ledger(const std::vector<std::size_t>& hosts) {
        return std::ranges::all_of(hosts,
                                   [&](std::size_t host) { return status(host).has_value(); });
    }
    // All of them stand at one head, at `at_least` or behind it.
    bool agree(const std::vector<std::size_t>& hosts, Sequence at_least) {
        for (const std::size_t host : hosts) {
            const auto one = status(host);
            const auto first = status(hosts.front());
            if (!one || !first || one->head != first->head) return false;
            if (one->head.sequence < at_least) return false;
        }
        return true;
    }
    void pay(std::size_t host, std::size_t payer, std::size_t payee, std::uint64_t amount) {
        const auto from = community_.member(payer);
        const auto counter = world_.queries(host).next_counter(from.id(), 0);
        CHECK(counter && *counter);
        const Pulse pulse = world_.queries(host).pulse(world_.now());
        const auto transaction = community_.pay(from, community_.member(payee), amount,
                                                {**counter, Pulse(pulse.value() + 100)});
        world_.step(host, Submit{++token_, {bcs::encode(transaction)}});
    }
    // `count` blocks more, paid by a member at `host`.
    void seal(std::size_t host, std::uint64_t count) {
        for (std::uint64_t n = 0; n < count; ++n) {
            const Sequence before = head(host);
            pay(host, 1, 2, 1);
            CHECK(world_.wait([&] { return head(host) > before; }, minutes(1)),
                  "no block behind " + std::to_string(before.value()));
        }
    }
    void publish(std::size_t host) {
        const auto published =
            world_.ask(host, community_.manifest(world_.queries(host), world_.now()));
        CHECK(published && *published);
    }
    // With the key and the chain of the node at `host`, which stands for the member from then on.
    void pledge(std::size_t host, std::size_t member, std::uint64_t amount) {
        const auto owner = community_.member(member);
        const auto counter = world_.queries(host).next_counter(owner.id(), 0);
        const auto registered = world_.queries(host).registration(owner.id(), world_.now());
        CHECK(counter && *counter && registered && *registered);
        const Pulse pulse = world_.queries(host).pulse(world_.now());
        const auto transaction =
            wallet::sign({community_.chain(), {0, **counter}, Pulse(pulse.value() + 50)},
                         protocol::Pledge{Amount::of(amount), **registered}, owner, nullptr);
        world_.step(host, Submit{++token_, {bcs::encode(transaction)}});
    }
    OfficeStatus office(std::size_t host) {
        auto status = world_.queries(host).office(world_.now());
        CHECK(status);
        return *std::move(status);
    }
    // Of the head.
    Finality finality(std::size_t host) {
        const auto known = world_.queries(host).finality(std::nullopt, world_.now());
        CHECK(known);
        return *known;
    }
    bool are_final(const std::vector<std::size_t>& hosts, Sequence at_least) {
        return agree(hosts, at_least) && std::ranges::all_of(hosts, [&](std::size_t host) {
                   return finality(host).is_final;
               });
    }
    std::uint64_t balance(std::size_t host, std::size_t member) {
        const auto account =
            world_.queries(host).account(community_.member(member).id(), std::nullopt);
        CHECK(account && account->record);
        return std::get<protocol::MemberRecord>(*account->record).balance.units();
    }

 private:
    Community community_;
    NetworkWorld world_;
    std::size_t hosts_ = 1;
    Token token_ = 5'000'000;
};

}  // namespace leither::node
