#include "dht_world.h"

#include <array>
#include <optional>
#include <stdexcept>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "leither/base/check.h"

namespace leither::interop {

namespace {

namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;

// Served before others have their turn.
constexpr int kDatagramsPerWake = 32;
constexpr int kSocketBufferBytes = 1 << 20;

asio::ip::address to_asio(const IpAddress& address) {
    return asio::ip::make_address(address.text());
}

udp::endpoint to_asio(const Endpoint& endpoint) {
    return {to_asio(endpoint.address), endpoint.port};
}

Endpoint from_asio(const udp::endpoint& endpoint) {
    const auto address = endpoint.address();
    if (address.is_v4()) return {IpAddress::v4(address.to_v4().to_bytes()), endpoint.port()};
    return {IpAddress::v6(address.to_v6().to_bytes()), endpoint.port()};
}

}  // namespace

struct World::Timer {
    asio::io_context& context;
    asio::steady_timer timer{context};
    Instant armed_for = Instant::max();
};

struct World::Member {
    udp::socket socket;
    Endpoint endpoint;
    std::optional<dht::DhtNode> node{};
    std::optional<Instant> deadline{};
    bool silent = false;

    Member(asio::io_context& context, const Endpoint& listen) : socket(context) {
        const auto wanted = to_asio(listen);
        socket.open(wanted.protocol());
        socket.set_option(asio::socket_base::receive_buffer_size(kSocketBufferBytes));
        socket.bind(wanted);
        socket.non_blocking(true);
        endpoint = from_asio(socket.local_endpoint());
    }

    void send(const dht::Outgoing& outgoing) {
        error_code ignored;  // a datagram may be lost anywhere
        socket.send_to(asio::buffer(outgoing.bytes), to_asio(outgoing.to), 0, ignored);
    }
};

World::World(io::Reactor& reactor, Options options, OnDone on_done)
    : options_(std::move(options)),
      on_done_(std::move(on_done)),
      loss_(options_.seed),
      timer_(std::make_unique<Timer>(Timer{reactor.context()})) {
    try {
        for (const Endpoint& listen : options_.listen) {
            nodes_.push_back(std::make_unique<Member>(reactor.context(), listen));
        }
    } catch (const boost::system::system_error& error) {
        throw std::runtime_error(error.what());
    }
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

void World::start(NodeIndex index) {
    Member& member = *nodes_[index];
    dht::Options options = options_.node;
    entropy_.fill(options.own_id.span());
    options.families = member.endpoint.address.is_v4() ? dht::Families::v4 : dht::Families::v6;
    member.node.emplace(options, entropy_, Log(), now());
    dht::Start begin{options_.bootstrap, {}};
    if (begin.bootstrap.empty() && index > 0) begin.bootstrap = {nodes_[0]->endpoint};
    step(index, std::move(begin));
    listen(index);
}

void World::listen(NodeIndex index) {
    nodes_[index]->socket.async_wait(udp::socket::wait_read, [this, index](error_code error) {
        if (error) return;
        receive(index);
        listen(index);
    });
}

void World::receive(NodeIndex index) {
    Member& member = *nodes_[index];
    std::array<std::uint8_t, 65536> buffer;
    for (int count = 0; count < kDatagramsPerWake; ++count) {
        udp::endpoint from;
        error_code error;
        const auto size = member.socket.receive_from(asio::buffer(buffer), from, 0, error);
        if (error) return;
        const bool lost = loss_.chance(options_.loss_permille, 1000);
        if (lost || member.silent) continue;
        step(index, dht::Datagram{from_asio(from), ByteView(buffer.data(), size)});
    }
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
        for (const auto& outgoing : effects.sends) member.send(outgoing);
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
