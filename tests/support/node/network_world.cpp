#include "support/node/network_world.h"

#include "leither/base/check.h"
#include "leither/consensus/vote_log.h"

namespace leither::testing {

namespace {

constexpr std::uint16_t kPort = 7400;
// IPv4 and UDP; IPv4, TCP with timestamps, and the other side's acknowledgement.
constexpr std::uint64_t kDatagramHeaders = 28;
constexpr std::uint64_t kSegmentHeaders = 2 * 52;
constexpr std::uint64_t kSegmentBytes = 1448;

std::uint64_t on_the_wire(std::uint64_t stream_bytes) {
    const std::uint64_t segments = (stream_bytes + kSegmentBytes - 1) / kSegmentBytes;
    return stream_bytes + segments * kSegmentHeaders;
}

std::vector<bool> check(const node::SignatureJob& job) {
    std::vector<bool> holds;
    for (const auto& one : job.checks) {
        holds.push_back(crypto::verify(one.key, one.message, one.signature));
    }
    return holds;
}

}  // namespace

node::NetworkOptions NetworkWorld::network_options(const Host& host) const {
    node::NetworkOptions options;
    options.dht.local = dht::LocalSources::exempt;
    options.dht.families = dht::Families::v4;
    options.listen = {host.endpoint};
    options.peers = options_.peers;
    options.hub.outbound_target = options_.outbound_target;
    if (options_.listens == Listens::anywhere) options.listen.front().address = IpAddress();
    if (host.number > 0) options.bootstrap.push_back(hosts_.front()->endpoint);
    return options;
}

std::size_t NetworkWorld::add(const crypto::KeyPair& key) {
    const std::size_t number = hosts_.size();
    hosts_.push_back(std::make_unique<Host>(number, key, options_.seed * 1000 + number));
    Host& host = *hosts_.back();
    host.endpoint = {IpAddress::v4({10, 0, static_cast<std::uint8_t>(number), 1}), kPort};
    store::WriteBatch born;  // store and key begin together
    consensus::vote_log::put(born, consensus::Vouch{});
    CHECK(host.ledger.write(born));
    open(host);
    return number;
}

void NetworkWorld::open(Host& host) {
    const node::NetworkSetup network{network_options(host), host.network, host.entropy, now_};
    auto opened = node::Node::open(options_.node, host.ledger, host.key, Log(), network);
    CHECK(opened.has_value());
    host.node.emplace(std::move(*opened));
    carry_out(host, host.node->start_network(now_));
}

void NetworkWorld::stop(std::size_t number) {
    step(*hosts_[number], node::NetworkStopping{});
    crash(number);
}

void NetworkWorld::crash(std::size_t number) {
    Host& host = *hosts_[number];
    host.node.reset();
    ++host.lives;
    host.ledger.crash();
    host.network.crash();
    std::vector<Connection> gone;
    for (const auto& [from, to] : connections_) {
        if (from.first == number) gone.push_back(from);
    }
    for (const Connection& one : gone) close(one);
}

void NetworkWorld::restart(std::size_t number) {
    open(*hosts_[number]);
}

void NetworkWorld::step(std::size_t number, node::Input&& input) {
    Host& host = *hosts_[number];
    carry_out(host, host.node->step(std::move(input), now_));
}

void NetworkWorld::step(Host& host, node::NetworkInput&& input) {
    if (host.node) carry_out(host, host.node->step(std::move(input), now_));
}

void NetworkWorld::carry_out(Host& host, node::Effects&& effects) {
    CHECK(!effects.fatal);
    host.node->check_invariants();
    for (auto& reply : effects.replies) {
        if (auto* network = std::get_if<node::NetworkReply>(&reply)) {
            host.replies.emplace(network->token, std::move(network->answer));
        }
    }
    for (auto& event : effects.events) host.events.push_back(std::move(event));
    carry_out(host, std::move(effects.network));
    if (effects.durable) write_ledger(host, *std::move(effects.durable));
    for (const auto& job : effects.verify) {
        step(host.number, node::SignaturesChecked{job.job, check(job)});
    }
}

void NetworkWorld::write_ledger(Host& host, store::WriteBatch&& batch) {
    const auto write = [this, number = host.number](const store::WriteBatch& writes) {
        CHECK(hosts_[number]->ledger.write(writes));
        step(number, node::Persisted{});
    };
    if (options_.ledger_latency == Duration{}) return write(batch);
    after(options_.ledger_latency,
          [this, write, number = host.number, life = host.lives, writes = std::move(batch)] {
              if (is_up(number) && hosts_[number]->lives == life) write(writes);
          });
}

void NetworkWorld::carry_out(Host& host, node::NetworkEffects&& effects) {
    for (auto& datagram : effects.datagrams) {
        host.traffic.datagram_bytes += datagram.bytes.size() + kDatagramHeaders;
        after(options_.latency, [this, from = host.endpoint, sent = std::move(datagram)] {
            Host* to = host_at(sent.to);
            if (to == nullptr) return;
            to->traffic.datagram_bytes += sent.bytes.size() + kDatagramHeaders;
            step(*to, node::DatagramReceived{from, sent.bytes});
        });
    }
    for (const auto& one : effects.dials) dial(host, one);
    for (auto& write : effects.writes) {
        const Connection from{host.number, write.id};
        host.traffic.stream_bytes += on_the_wire(write.bytes.size());
        after(options_.latency, [this, from, bytes = std::move(write.bytes)] {
            if (is_up(from.first)) step(*hosts_[from.first], peer::Sent{from.second, 0});
            const auto to = connections_.find(from);
            if (to == connections_.end()) return;
            hosts_[to->second.first]->traffic.stream_bytes += on_the_wire(bytes.size());
            step(*hosts_[to->second.first], peer::Received{to->second.second, bytes});
        });
    }
    for (const auto& one : effects.closes) {
        const Connection from{host.number, one.id};
        after(options_.latency, [this, from] { close(from); });
    }
    if (effects.durable) {
        CHECK(host.network.write(*effects.durable));
        ++host.batches;
        after(options_.disk_latency, [this, number = host.number, life = host.lives] {
            if (hosts_[number]->lives == life) step(*hosts_[number], node::NetworkPersisted{});
        });
    }
}

void NetworkWorld::dial(Host& host, const peer::Dial& dial) {
    const Connection from{host.number, dial.id};
    after(2 * options_.latency, [this, from, endpoint = dial.endpoint] {
        Host* to = host_at(endpoint);
        if (!is_up(from.first)) return;
        if (to == nullptr || shut_in_.contains(to->number)) {
            return step(*hosts_[from.first], peer::Closed{from.second});
        }
        const Connection there{to->number,
                               peer::ConnectionId(peer::kAccepted.value() + accepted_++)};
        connections_[from] = there;
        connections_[there] = from;
        step(*to, peer::Accepted{there.second, hosts_[from.first]->endpoint});
        step(*hosts_[from.first], peer::Opened{from.second});
    });
}

void NetworkWorld::close(const Connection& from) {
    const auto found = connections_.find(from);
    if (found == connections_.end()) return;
    const Connection to = found->second;
    connections_.erase(from);
    connections_.erase(to);
    step(*hosts_[to.first], peer::Closed{to.second});
}

NetworkWorld::Host* NetworkWorld::host_at(const Endpoint& endpoint) {
    for (auto& host : hosts_) {
        if (host->endpoint == endpoint && host->node) return host.get();
    }
    return nullptr;
}

void NetworkWorld::advance(Duration duration) {
    const Instant end = now_ + duration;
    for (;;) {
        std::optional<Instant> next;
        Host* due = nullptr;
        for (auto& host : hosts_) {
            const auto deadline = host->node ? host->node->next_deadline() : std::nullopt;
            if (deadline && (!next || *deadline < *next)) {
                next = deadline;
                due = host.get();
            }
        }
        const bool event_first = !events_.empty() && (!next || events_.begin()->first <= *next);
        const auto at = event_first ? std::optional(events_.begin()->first) : next;
        if (!at || *at > end) break;
        now_ = std::max(now_, *at);
        if (event_first) {
            auto event = events_.extract(events_.begin());
            event.mapped()();
        } else {
            ++due->ticks;
            step(due->number, node::Tick{});
        }
    }
    now_ = end;
}

bool NetworkWorld::wait(const std::function<bool()>& holds, Duration patience) {
    const Instant end = now_ + patience;
    while (!holds()) {
        if (now_ >= end) return false;
        advance(std::chrono::milliseconds(100));
    }
    return true;
}

std::optional<Result<node::NetworkAnswer, node::NetworkFailure>> NetworkWorld::take_reply(
    std::size_t number, node::Token token) {
    auto found = hosts_[number]->replies.extract(token);
    if (found.empty()) return std::nullopt;
    return std::move(found.mapped());
}

std::optional<Result<node::NetworkAnswer, node::NetworkFailure>> NetworkWorld::ask(
    std::size_t number, node::NetworkRequest request, Duration patience) {
    const node::Token token = ++last_token_;
    step(number, node::NetworkCall{token, std::move(request)});
    auto& replies = hosts_[number]->replies;
    if (!wait([&] { return replies.contains(token); }, patience)) return std::nullopt;
    return replies.extract(token).mapped();
}

}  // namespace leither::testing
