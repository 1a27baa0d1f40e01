// A small network of DHT nodes in one process and in virtual time: seeded latency and loss, nodes
// that fall silent. Each node has an address in its own /24.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "leither/base/prng.h"
#include "leither/crypto/hash.h"
#include "leither/dht/dht_node.h"

namespace leither::testing {

class DhtNetwork {
 public:
    struct Options {
        std::uint64_t seed = 1;
        Duration latency_min = std::chrono::milliseconds(10);
        Duration latency_max = std::chrono::milliseconds(60);
        unsigned loss_percent = 0;
        bool checks_invariants = false;  // after every step
    };
    struct Node {
        Endpoint endpoint;
        Id id;
        std::unique_ptr<Prng> entropy;
        std::unique_ptr<dht::DhtNode> machine;
        bool is_alive = true;
        std::optional<Instant> timer;
        std::vector<dht::Done> done;
        std::uint64_t sent_bytes = 0;  // with 28 of IP and UDP each
        std::uint64_t received_bytes = 0;
    };
    // What an `ask` came to, and how long it took.
    struct Answer {
        dht::Outcome outcome;
        Duration took{0};
    };
    static constexpr std::size_t kHeaderBytes = 28;

    explicit DhtNetwork(const Options& options)
        : options_(options), prng_(options.seed), now_(instant_from_unix_ms(1'700'000'000'000)) {}

    Instant now() const { return now_; }
    std::size_t size() const { return nodes_.size(); }
    Node& node(std::size_t i) { return nodes_[i]; }
    dht::DhtNode& machine(std::size_t i) { return *nodes_[i].machine; }
    Prng& prng() { return prng_; }
    // Of all that was sent: the same seed must give the same.
    const Hash& digest() const { return digest_; }

    static Endpoint endpoint_of(std::size_t i) {
        return {
            IpAddress::v4({20, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i), 1}),
            6881};
    }

    // Adds a node that knows the first one (the first knows nobody) and starts it.
    std::size_t add(dht::Options options = {}) {
        std::vector<Endpoint> bootstrap;
        if (!nodes_.empty()) bootstrap.push_back(nodes_.front().endpoint);
        return add(options, endpoint_of(nodes_.size()), bootstrap);
    }
    std::size_t add(dht::Options options, const Endpoint& endpoint,
                    std::vector<Endpoint> bootstrap) {
        Node node;
        node.endpoint = endpoint;
        if (options.own_id.is_zero()) prng_.fill(options.own_id.span());
        node.id = options.own_id;
        node.entropy = std::make_unique<Prng>(prng_.next());
        node.machine = std::make_unique<dht::DhtNode>(options, *node.entropy, Log(), now_);
        const std::size_t i = nodes_.size();
        nodes_.push_back(std::move(node));
        by_endpoint_.insert_or_assign(endpoint, i);
        step(i, dht::Start{std::move(bootstrap), {}});
        return i;
    }
    void kill(std::size_t i) { nodes_[i].is_alive = false; }
    void revive(std::size_t i) {
        nodes_[i].is_alive = true;
        step(i, dht::Tick{});
    }

    void step(std::size_t i, dht::Input input) {
        Node& node = nodes_[i];
        dht::Effects effects = node.machine->step(std::move(input), now_);
        if (options_.checks_invariants) node.machine->check_invariants();
        for (auto& send : effects.sends) post(i, std::move(send));
        for (auto& done : effects.done) node.done.push_back(std::move(done));
        const auto deadline = node.machine->next_deadline();
        if (!deadline || (node.timer && *node.timer <= *deadline)) return;
        node.timer = std::max(*deadline, now_);
        events_.emplace(std::pair(*node.timer, ++event_count_), Event{i, {}, {}});
    }

    // Hands a datagram to whoever is at its address, as if `from` had sent it.
    void inject(const Endpoint& from, const Endpoint& to, Bytes bytes) {
        const Instant at = now_ + latency();
        const auto target = by_endpoint_.find(to);
        if (target == by_endpoint_.end()) return;
        events_.emplace(std::pair(at, ++event_count_),
                        Event{target->second, from, std::move(bytes)});
    }

    void run_until(Instant end) {
        while (!events_.empty() && events_.begin()->first.first <= end) run_one();
        now_ = std::max(now_, end);
    }
    void run_for(Duration duration) { run_until(now_ + duration); }

    // Asks node i and runs until it is told.
    Answer ask(std::size_t i, dht::Request request) {
        const dht::RequestId id(++request_count_);
        const Instant asked = now_;
        step(i, dht::Ask{id, std::move(request)});
        for (;;) {
            for (auto& done : nodes_[i].done) {
                if (done.id == id) return {std::move(done.outcome), now_ - asked};
            }
            CHECK(!events_.empty());
            run_one();
        }
    }

 private:
    struct Event {
        std::size_t node = 0;
        Endpoint from;  // port 0: a timer
        Bytes bytes;
    };

    Duration latency() {
        const auto spread =
            static_cast<std::uint64_t>((options_.latency_max - options_.latency_min).count()) + 1;
        return options_.latency_min + Duration(static_cast<Duration::rep>(prng_.below(spread)));
    }

    void post(std::size_t i, dht::Outgoing&& send) {
        nodes_[i].sent_bytes += send.bytes.size() + kHeaderBytes;
        Bytes mixed(digest_.view().begin(), digest_.view().end());
        mixed.insert(mixed.end(), send.bytes.begin(), send.bytes.end());
        digest_ = crypto::blake2b_256(mixed);
        if (options_.loss_percent > 0 && prng_.chance(options_.loss_percent, 100)) return;
        inject(nodes_[i].endpoint, send.to, std::move(send.bytes));
    }

    void run_one() {
        auto entry = events_.extract(events_.begin());
        now_ = std::max(now_, entry.key().first);
        Event& event = entry.mapped();
        Node& node = nodes_[event.node];
        const bool is_timer = event.from.port == 0;
        if (is_timer) {
            if (node.timer != entry.key().first) return;
            node.timer.reset();
        }
        if (!node.is_alive) return;
        if (is_timer) {
            step(event.node, dht::Tick{});
            return;
        }
        node.received_bytes += event.bytes.size() + kHeaderBytes;
        step(event.node, dht::Datagram{event.from, event.bytes});
    }

    Options options_;
    Prng prng_;
    Instant now_;
    std::vector<Node> nodes_;
    std::map<Endpoint, std::size_t> by_endpoint_;
    std::map<std::pair<Instant, std::uint64_t>, Event> events_;
    std::uint64_t event_count_ = 0;
    std::uint64_t request_count_ = 0;
    Hash digest_;
};

}  // namespace leither::testing
