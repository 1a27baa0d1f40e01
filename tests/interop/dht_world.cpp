#include "dht_world.h"

#include <array>
#include <optional>
#include <stdexcept>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "leither/base/check.h"
#include "leither/io/udp_socket.h"

namespace leither::interop {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// A node among hundreds gets few datagrams at a time, and its buffers count as its memory.
constexpr std::size_t kBatchMax = 8;

}  // namespace

struct World::Timer {
    asio::io_context& context;
    asio::steady_timer timer{context};
    Instant armed_for = Instant::max();
};

struct World::Member {
    Member(const io::UdpOptions& options, io::Reactor& reactor,
           io::UdpSocket::OnDatagram on_datagram)
        : socket(options, reactor, std::move(on_datagram)) {}

    io::UdpSocket socket;
    Endpoint endpoint{};
    std::optional<dht::DhtNode> node{};
    std::optional<Instant> deadline{};
    bool silent = false;
};

World::World(io::Reactor& reactor, Options options, OnDone on_done)
    : options_(std::move(options)),
      on_done_(std::move(on_done)),
      loss_(options_.seed),
      timer_(std::make_unique<Timer>(Timer{reactor.context()})) {
    for (const Endpoint& listen : options_.listen) add(reactor, listen);
    for (NodeIndex index = 0; index < nodes_.size(); ++index) start(index);
}

World::~World() = default;

const Endpoint& World::endpoint(NodeIndex index) const {
    return nodes_.at(index)->endpoint;
}

const dht::DhtNode& World::node(NodeIndex index) const {
    return *nodes_.at(index)->node;
}

Instant World::now() const {
    const auto clock = std::chrono::steady_clock::now().time_since_epoch();
    // Any epoch will do, as long as it never goes back.
    return Instant(std::chrono::hours(24 * 365 * 50)) +
           std::chrono::duration_cast<Duration>(clock) + offset_;
}

void World::add(io::Reactor& reactor, const Endpoint& listen) {
    const NodeIndex index = nodes_.size();
    const io::UdpOptions options{.batch_max = kBatchMax};
    io::UdpSocket::OnDatagram on_datagram = [this, index](const Endpoint& from, ByteView bytes) {
        receive(index, from, bytes);
    };
    nodes_.push_back(std::make_unique<Member>(options, reactor, std::move(on_datagram)));
    const auto bound = nodes_.back()->socket.bind(listen);
    if (!bound) throw std::runtime_error(bound.error());
    nodes_.back()->endpoint = *bound;
}

void World::start(NodeIndex index) {
    Member& member = *nodes_[index];
    dht::Options options = options_.node;
    entropy_.fill(options.own_id.span());
    options.families = member.endpoint.address.is_v4() ? dht::Families::v4 : dht::Families::v6;
    member.node.emplace(options, entropy_, Log(), now());
    dht::Start begin{options_.bootstrap, {}};
    if (begin.bootstrap.empty() && index > 0) begin.bootstrap = {nodes_[0]->endpoint};
    step(index, std::move(begin));
}

void World::receive(NodeIndex index, const Endpoint& from, ByteView bytes) {
    const bool lost = loss_.chance(options_.loss_permille, 1000);
    if (lost || nodes_[index]->silent) return;
    step(index, dht::Datagram{from, bytes});
}

void World::ask(NodeIndex index, dht::Ask ask) {
    step(index, std::move(ask));
}

void World::silence(NodeIndex index) {
    nodes_.at(index)->silent = true;
}

void World::advance(Duration by) {
    offset_ += by;
    serve_deadlines();
}

void World::step(NodeIndex index, dht::Input&& input) {
    Member& member = *nodes_.at(index);
    const dht::Effects effects = member.node->step(std::move(input), now());
    if (!member.silent) {
        for (const auto& outgoing : effects.sends) member.socket.send(outgoing.to, outgoing.bytes);
    }
    schedule(index);
    for (const auto& done : effects.done) on_done_(index, done);
}

void World::schedule(NodeIndex index) {
    Member& member = *nodes_[index];
    const auto deadline = member.node->next_deadline();
    if (deadline == member.deadline) return;
    if (member.deadline) deadlines_.erase({*member.deadline, index});
    if (deadline) deadlines_.insert({*deadline, index});
    member.deadline = deadline;
    arm();
}

// One timer for all. One that is armed too early finds nothing to do, which costs less than arming
// it anew at each step.
void World::arm() {
    if (deadlines_.empty() || deadlines_.begin()->first >= timer_->armed_for) return;
    timer_->armed_for = deadlines_.begin()->first;
    timer_->timer.expires_after(timer_->armed_for - now());
    timer_->timer.async_wait([this](error_code error) {
        if (!error) serve_deadlines();
    });
}

void World::serve_deadlines() {
    timer_->armed_for = Instant::max();
    const Instant due = now();
    std::vector<NodeIndex> ready;
    for (const auto& [deadline, index] : deadlines_) {
        if (deadline > due) break;
        ready.push_back(index);
    }
    for (const NodeIndex index : ready) step(index, dht::Tick{});
    arm();
}

}  // namespace leither::interop
