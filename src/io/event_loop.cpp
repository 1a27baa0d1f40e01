#include "leither/io/event_loop.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "leither/base/check.h"

#include "asio.h"
#include "disk_thread.h"
#include "process_stats.h"
#include "verify_pool.h"

namespace leither::io {
namespace {

// The wall clock may be set while a timer runs, so no wait trusts the steady clock for longer.
constexpr Duration kWaitMax = std::chrono::seconds(60);
constexpr Duration kPulseEvents = std::chrono::seconds(1);

// What is told only once a batch is durable.
struct Told {
    std::vector<node::Reply> replies;
    std::vector<node::Event> events;
};

}  // namespace

struct EventLoop::Impl : std::enable_shared_from_this<EventLoop::Impl> {
    Impl(EventLoopOptions given, Reactor& its_reactor, node::Node& its_node, store::Store& store,
         WallClock& its_clock, Log its_log)
        : options(std::move(given)),
          reactor(its_reactor),
          node(its_node),
          clock(its_clock),
          log(std::move(its_log)),
          deadline(reactor.context()),
          pulse(reactor.context()),
          drain(reactor.context()),
          disk(std::in_place, store, reactor) {
        CHECK(options.verify != nullptr);
    }

    void enqueue(node::Input&& input);
    void run_queue();
    void step(node::Input&& input);
    void step(node::NetworkInput&& input);
    void arm_soon();
    void carry_out(node::Effects&& effects);
    void tell(Told&& told);
    void write(node::Effects&& effects, Told&& held);
    void on_written(Result<void, store::Fault>&& result, Instant handed_out, Told&& held);
    void prune(const ledger::Pruning& pruning);
    void check(node::SignatureJob&& job);
    void arm_deadline();
    void arm_pulse();
    void fail(const store::Fault& fault);
    void finish();
    void end_when_durable();
    void end_if_durable();

    EventLoopOptions options;
    Reactor& reactor;
    node::Node& node;
    WallClock& clock;
    Log log;
    Listener* listener = nullptr;
    NetworkHost* network = nullptr;
    bool arm_posted = false;
    std::deque<node::Input> queue;
    bool queue_posted = false;
    bool batch_out = false;
    bool stopping = false;
    Ended ended;  // nothing once it was told
    rpc::PulseEvents pulse_events = rpc::PulseEvents::off;
    std::optional<store::Fault> fault;
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
    asio::steady_timer deadline;
    asio::steady_timer pulse;
    asio::steady_timer drain;
    // Nothing once the loop is gone: handlers left in the reactor may keep us alive beyond the
    // store.
    std::optional<DiskThread> disk;
};

void EventLoop::Impl::enqueue(node::Input&& input) {
    if (stopping) return;
    queue.push_back(std::move(input));
    if (std::exchange(queue_posted, true)) return;
    reactor.post([self = shared_from_this()] { self->run_queue(); });
}

void EventLoop::Impl::run_queue() {
    queue_posted = false;
    while (!queue.empty() && !stopping) {
        node::Input input = std::move(queue.front());
        queue.pop_front();
        step(std::move(input));
    }
    arm_deadline();
}

void EventLoop::Impl::step(node::Input&& input) {
    carry_out(node.step(std::move(input), clock.now()));
}

void EventLoop::Impl::step(node::NetworkInput&& input) {
    carry_out(node.step(std::move(input), clock.now()));
    if (stopping) return end_when_durable();
    arm_soon();
}

// Once for all that arrives together.
void EventLoop::Impl::arm_soon() {
    if (std::exchange(arm_posted, true)) return;
    reactor.post([self = shared_from_this()] {
        self->arm_posted = false;
        self->arm_deadline();
    });
}

void EventLoop::Impl::carry_out(node::Effects&& effects) {
    if (effects.fatal) return fail(*effects.fatal);
    if (network != nullptr) network->carry_out(std::move(effects.network));
    for (auto& job : effects.verify) check(std::move(job));
    Told told{std::move(effects.replies), std::move(effects.events)};
    const auto pruning = effects.prune;
    if (effects.durable) {
        write(std::move(effects), std::move(told));
    } else {
        tell(std::move(told));
    }
    if (pruning) prune(*pruning);
}

void EventLoop::Impl::tell(Told&& told) {
    if (listener == nullptr) return;
    for (auto& reply : told.replies) listener->on_reply(std::move(reply));
    for (const auto& event : told.events) listener->on_event(event);
}

void EventLoop::Impl::write(node::Effects&& effects, Told&& held) {
    CHECK(!batch_out, "a node hands out one batch at a time");
    batch_out = true;
    auto done = [self = shared_from_this(), handed_out = clock.now(),
                 held = std::move(held)](auto result) mutable {
        self->on_written(std::move(result), handed_out, std::move(held));
    };
    if (!effects.vote_keys) return disk->write(*std::move(effects.durable), std::move(done));
    disk->write(options.vote_keys_file, *std::move(effects.vote_keys), *std::move(effects.durable),
                std::move(done));
}

void EventLoop::Impl::on_written(Result<void, store::Fault>&& result, Instant handed_out,
                                 Told&& held) {
    batch_out = false;
    const bool durable = result.has_value();
    auto effects = node.step(node::Persisted{std::move(result)}, clock.now());
    if (durable) {
        if (listener != nullptr) listener->on_durable(clock.now() - handed_out);
        tell(std::move(held));
    }
    if (stopping) {
        // The next batch, if the node wants one, is left for the next start.
        tell({std::move(effects.replies), std::move(effects.events)});
        return end_when_durable();
    }
    carry_out(std::move(effects));
    arm_deadline();
}

void EventLoop::Impl::prune(const ledger::Pruning& pruning) {
    disk->prune(pruning, [self = shared_from_this()](auto result) {
        if (!result) self->fail(result.error());
    });
}

void EventLoop::Impl::check(node::SignatureJob&& job) {
    options.verify->check(std::move(job),
                          [self = shared_from_this()](node::SignaturesChecked checked) {
                              self->enqueue(std::move(checked));
                          });
}

void EventLoop::Impl::arm_deadline() {
    const auto next = stopping ? std::nullopt : node.next_deadline();
    if (!next) {
        deadline.cancel();
        return;
    }
    const Duration wait = std::clamp(*next - clock.now(), Duration::zero(), kWaitMax);
    deadline.expires_after(wait);
    deadline.async_wait([self = shared_from_this()](const ErrorCode& error) {
        if (error || self->stopping) return;
        const auto due = self->node.next_deadline();
        if (due && *due <= self->clock.now()) self->step(node::Tick{});
        self->arm_deadline();
    });
}

void EventLoop::Impl::arm_pulse() {
    if (stopping || pulse_events == rpc::PulseEvents::off) {
        pulse.cancel();
        return;
    }
    pulse.expires_after(kPulseEvents);
    pulse.async_wait([self = shared_from_this()](const ErrorCode& error) {
        if (error || self->stopping) return;
        if (self->listener != nullptr) self->listener->on_pulse();
        self->arm_pulse();
    });
}

void EventLoop::Impl::fail(const store::Fault& its_fault) {
    if (!fault) {
        fault = its_fault;
        log.error("store_failed", "kind={} detail=\"{}\"", store::to_string(its_fault.kind),
                  its_fault.detail);
    }
    finish();
}

void EventLoop::Impl::finish() {
    if (std::exchange(stopping, true)) return;
    queue.clear();
    deadline.cancel();
    pulse.cancel();
    if (listener != nullptr) listener->on_stopping();
    if (network != nullptr) {
        carry_out(node.step(node::NetworkStopping{}, clock.now()));
        network->stop();
    }
    end_when_durable();
}

// Whoever is told to end begins to, and whatever becomes durable meanwhile lets it begin anew.
void EventLoop::Impl::end_when_durable() {
    drain.expires_after(options.drain);
    drain.async_wait([self = shared_from_this()](const ErrorCode& again) {
        if (!again) self->end_if_durable();
    });
}

void EventLoop::Impl::end_if_durable() {
    if (batch_out || (network != nullptr && network->is_writing())) return;
    if (const auto tell_end = std::exchange(ended, nullptr)) tell_end(fault);
}

EventLoop::EventLoop(EventLoopOptions options, Reactor& reactor, node::Node& node,
                     store::Store& store, WallClock& clock, Log log)
    : impl_(std::make_shared<Impl>(std::move(options), reactor, node, store, clock,
                                   std::move(log))) {}
EventLoop::~EventLoop() {
    impl_->stopping = true;
    impl_->listener = nullptr;
    impl_->ended = nullptr;
    impl_->drain.cancel();
    impl_->disk.reset();
}

void EventLoop::set_listener(Listener& listener) {
    impl_->listener = &listener;
}

void EventLoop::set_network(NetworkHost& network) {
    impl_->network = &network;
}

void EventLoop::step(node::NetworkInput&& input) {
    impl_->step(std::move(input));
}

void EventLoop::begin(Ended ended) {
    impl_->ended = std::move(ended);
    if (impl_->stopping) return impl_->end_when_durable();
    if (impl_->network != nullptr) {
        impl_->carry_out(impl_->node.start_network(impl_->clock.now()));
        impl_->network->begin(*this);
    }
    impl_->arm_deadline();
}

void EventLoop::finish() {
    impl_->finish();
}

std::optional<store::Fault> EventLoop::run() {
    std::optional<store::Fault> fault;
    begin([&](std::optional<store::Fault> its_fault) {
        fault = std::move(its_fault);
        impl_->reactor.stop();
    });
    impl_->reactor.run();
    return fault;
}

void EventLoop::stop() {
    impl_->reactor.post(
        [self = impl_] { self->options.stop_all ? self->options.stop_all() : self->finish(); });
}

std::shared_ptr<VerifyPool> make_verify_pool(unsigned threads, Reactor& reactor) {
    return std::make_shared<VerifyPool>(threads, reactor);
}

node::Queries EventLoop::queries() const {
    return impl_->node.queries();
}
const PublicKey& EventLoop::node_key() const {
    return impl_->node.node_key();
}
Instant EventLoop::now() const {
    return impl_->clock.now();
}
void EventLoop::enqueue(node::Input&& input) {
    impl_->enqueue(std::move(input));
}

void EventLoop::set_pulse_events(rpc::PulseEvents events) {
    if (std::exchange(impl_->pulse_events, events) != events) impl_->arm_pulse();
}

rpc::ProcessStats EventLoop::process_stats() const {
    const auto uptime = std::chrono::steady_clock::now() - impl_->started;
    auto stats = read_process_stats(std::chrono::duration_cast<Duration>(uptime));
    if (const NetworkHost* network = impl_->network) {
        stats.line = rpc::LineStats{network->month_usage(), network->caps()};
    }
    return stats;
}

}  // namespace leither::io
