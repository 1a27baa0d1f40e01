#include "leither/io/port_mapper.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <pthread.h>

#include "leither/base/check.h"
#include "leither/io/interfaces.h"

#include "gateway.h"

namespace leither::io {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kStackBytes = std::size_t{256} << 10;
// A router may grant less than is sensible; it is not asked more often than this.
constexpr Duration kRenewMin = std::chrono::seconds(5);
// How long stop() waits for a thread that holds no mapping.
constexpr Duration kIdleStopTime = std::chrono::milliseconds(200);

bool is_worth_mapping(const std::optional<Endpoint>& endpoint) {
    return endpoint && endpoint->port != 0 && endpoint->address.is_v4() &&
           !endpoint->address.is_loopback();
}

}  // namespace

const char* to_string(MappedProtocol protocol) {
    return protocol == MappedProtocol::udp ? "UDP" : "TCP";
}

const char* to_string(MappingMethod method) {
    return method == MappingMethod::nat_pmp ? "NAT-PMP" : "UPnP";
}

// Shared by the mapper and its thread; whichever is last takes it away, so that stop() can leave a
// thread behind that a router holds up.
struct PortMapper::Impl : std::enable_shared_from_this<PortMapper::Impl> {
    // What became of a port: where it is mapped, or why not.
    using Outcome = Result<PortMapping, std::string>;
    // Why something did not work; nothing if it did.
    using Reason = std::optional<std::string>;
    // What the thread keeps of a port it is to map.
    struct Port {
        MappedProtocol protocol = MappedProtocol::udp;
        std::uint16_t internal = 0;
        std::uint16_t external = 0;  // last granted; else the same as internal
        bool is_mapped = false;
        std::optional<Outcome> told;
    };

    Impl(PortMapperOptions given, Reactor& its_reactor, PortMapperHandler& its_handler, Log its_log)
        : options(std::move(given)),
          reactor(&its_reactor),
          handler(&its_handler),
          log(std::move(its_log)) {
        for (const auto& [protocol, endpoint] : {std::pair(MappedProtocol::udp, options.udp),
                                                 std::pair(MappedProtocol::tcp, options.tcp)}) {
            if (!is_worth_mapping(endpoint)) continue;
            ports.push_back({.protocol = protocol,
                             .internal = endpoint->port,
                             .external = endpoint->port,
                             .is_mapped = false,
                             .told = {}});
        }
    }

    // ---- On the reactor's thread
    void start();
    void stop();
    void deliver(const Outcome& outcome, MappedProtocol protocol);

    // ---- On the mapper's thread
    static void* run(void* self);
    void work();
    void take_turn();
    bool address_has_changed();
    void map_all();
    Reason reason_against() const;
    Reason try_method(MappingMethod method);
    // Maps all ports by `gateway`, if it serves any.
    Reason map_ports();
    Outcome map_port(Port& port);
    Duration next_turn(const Outcome& outcome) const;
    void give_up(const std::string& reason);
    void set_holds_mappings(bool holds);
    void tell(Port& port, Outcome outcome);
    void release();

    const PortMapperOptions options;

    // ---- Of the reactor's thread
    Reactor* reactor;
    PortMapperHandler* handler;
    Log log;

    // ---- Of the mapper's thread
    std::vector<Port> ports;
    std::unique_ptr<Gateway> gateway;  // null: none found
    IpAddress external;
    SteadyClock::time_point map_at{};

    // ---- Of both
    std::atomic<bool> stopping = false;  // written under `mutex`
    std::mutex mutex;
    std::condition_variable changed;
    bool running = false;
    bool refresh_due = false;
    bool holds_mappings = false;
};

// ---- On the reactor's thread

void PortMapper::Impl::start() {
    if (ports.empty()) return;
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, kStackBytes) == 0);
    CHECK(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0);
    auto self = std::make_unique<std::shared_ptr<Impl>>(shared_from_this());
    pthread_t thread{};
    running = true;
    CHECK(pthread_create(&thread, &attributes, &Impl::run, self.get()) == 0,
          "no thread: raise the limit on tasks");
    (void)self.release();  // the thread's now
    pthread_attr_destroy(&attributes);
}

void PortMapper::Impl::stop() {
    std::unique_lock lock(mutex);
    handler = nullptr;
    if (stopping.exchange(true) || !running) return;
    changed.notify_all();
    const Duration patience =
        holds_mappings ? options.stop_time_max : std::min(kIdleStopTime, options.stop_time_max);
    changed.wait_for(lock, patience, [this] { return !running; });
}

void PortMapper::Impl::deliver(const Outcome& outcome, MappedProtocol protocol) {
    if (handler == nullptr) return;
    if (outcome) {
        log.info("port_mapped", "protocol={} port={} external={} method={} lifetime_s={}",
                 to_string(protocol), outcome->internal_port, outcome->external.text(),
                 to_string(outcome->method), outcome->lifetime.count() / 1'000'000);
        handler->on_mapped(*outcome);
    } else {
        log.info("port_not_mapped", "protocol={} reason=\"{}\"", to_string(protocol),
                 outcome.error());
        handler->on_mapping_failed(protocol, outcome.error());
    }
}

// ---- On the mapper's thread

void* PortMapper::Impl::run(void* self) {
    const std::unique_ptr<std::shared_ptr<Impl>> owned(static_cast<std::shared_ptr<Impl>*>(self));
    pthread_setname_np(pthread_self(), "leither-ports");
    (*owned)->work();
    return nullptr;
}

void PortMapper::Impl::work() {
    while (!stopping) {
        take_turn();
        auto look_at = map_at;
        if (gateway != nullptr) {
            look_at = std::min(look_at, SteadyClock::now() + options.check_every);
        }
        std::unique_lock lock(mutex);
        changed.wait_until(lock, look_at, [this] { return stopping || refresh_due; });
    }
    release();
    gateway.reset();
    const std::lock_guard lock(mutex);
    running = false;
    changed.notify_all();
}

void PortMapper::Impl::take_turn() {
    bool all_anew = false;
    {
        const std::lock_guard lock(mutex);
        all_anew = std::exchange(refresh_due, false);
    }
    if (all_anew) gateway.reset();
    if (all_anew || SteadyClock::now() >= map_at || address_has_changed()) map_all();
}

bool PortMapper::Impl::address_has_changed() {
    if (gateway == nullptr) return false;
    const auto now = gateway->external_address();
    return !now || *now != external;
}

// By the gateway that served last, else by any that is found.
void PortMapper::Impl::map_all() {
    if (const auto reason = reason_against()) return give_up(*reason);
    if (gateway != nullptr && !map_ports()) return;
    std::string reasons;
    for (const auto method : {MappingMethod::nat_pmp, MappingMethod::upnp}) {
        if (stopping) return;
        const auto reason = try_method(method);
        if (!reason) return;
        reasons += (reasons.empty() ? "" : "; ") + *reason;
    }
    give_up(reasons);
}

PortMapper::Impl::Reason PortMapper::Impl::reason_against() const {
    if (options.nat_pmp_gateway || !options.upnp_description_url.empty()) return std::nullopt;
    for (const IpAddress& address : own_addresses()) {
        if (address.is_v4() && address.is_global()) {
            return fmt::format("it need not be, this machine has the public address {}",
                               address.text());
        }
    }
    return std::nullopt;
}

PortMapper::Impl::Reason PortMapper::Impl::try_method(MappingMethod method) {
    auto found =
        method == MappingMethod::nat_pmp ? find_nat_pmp(options, stopping) : find_upnp(options);
    if (!found) return found.error();
    gateway = std::move(*found);
    return map_ports();
}

PortMapper::Impl::Reason PortMapper::Impl::map_ports() {
    const auto address = gateway->external_address();
    if (!address) return address.error();
    external = *address;
    set_holds_mappings(true);
    Reason reason;
    Duration next = options.renew_after;
    std::vector<Outcome> outcomes;
    for (Port& port : ports) {
        outcomes.push_back(map_port(port));
        if (!outcomes.back()) reason = outcomes.back().error();
        next = std::min(next, next_turn(outcomes.back()));
    }
    const bool any = std::ranges::any_of(ports, [](const Port& port) { return port.is_mapped; });
    if (!any) return reason;
    for (std::size_t i = 0; i < ports.size(); ++i) tell(ports[i], std::move(outcomes[i]));
    map_at = SteadyClock::now() + next;
    return std::nullopt;
}

PortMapper::Impl::Outcome PortMapper::Impl::map_port(Port& port) {
    const auto granted =
        gateway->map({port.protocol, port.internal, port.external}, options.lifetime);
    port.is_mapped = granted.has_value();
    if (!granted) return fail(granted.error());
    port.external = granted->external_port;
    return PortMapping{.protocol = port.protocol,
                       .method = gateway->method(),
                       .internal_port = port.internal,
                       .external = {external, port.external},
                       .lifetime = granted->lifetime};
}

Duration PortMapper::Impl::next_turn(const Outcome& outcome) const {
    if (!outcome) return options.retry_after;
    if (outcome->lifetime == Duration{}) return options.renew_after;
    return std::max(kRenewMin, outcome->lifetime / 2);
}

void PortMapper::Impl::give_up(const std::string& reason) {
    gateway.reset();
    for (Port& port : ports) {
        port.is_mapped = false;
        tell(port, fail(reason));
    }
    set_holds_mappings(false);
    map_at = SteadyClock::now() + options.retry_after;
}

void PortMapper::Impl::set_holds_mappings(bool holds) {
    const std::lock_guard lock(mutex);
    holds_mappings = holds;
}

void PortMapper::Impl::tell(Port& port, Outcome outcome) {
    if (!outcome) {
        outcome = fail(fmt::format("{} port {} is not mapped: {}", to_string(port.protocol),
                                   port.internal, outcome.error()));
    }
    if (port.told && *port.told == outcome) return;
    port.told = outcome;
    const std::lock_guard lock(mutex);
    if (stopping) return;
    reactor->post([self = shared_from_this(), outcome = std::move(outcome),
                   protocol = port.protocol] { self->deliver(outcome, protocol); });
}

void PortMapper::Impl::release() {
    for (const Port& port : ports) {
        if (gateway == nullptr || !port.is_mapped) continue;
        gateway->unmap({port.protocol, port.internal, port.external});
    }
}

// ---- The mapper

PortMapper::PortMapper(PortMapperOptions options, Reactor& reactor, PortMapperHandler& handler,
                       Log log)
    : impl_(std::make_shared<Impl>(std::move(options), reactor, handler, std::move(log))) {}

PortMapper::~PortMapper() {
    impl_->stop();
}

void PortMapper::start() {
    impl_->start();
}

void PortMapper::refresh() {
    const std::lock_guard lock(impl_->mutex);
    impl_->refresh_due = true;
    impl_->changed.notify_all();
}

void PortMapper::stop() {
    impl_->stop();
}

}  // namespace leither::io
