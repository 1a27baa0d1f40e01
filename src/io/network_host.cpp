#include "leither/io/network_host.h"

#include <fmt/format.h>

#include "leither/io/interfaces.h"
#include "leither/io/port_mapper.h"
#include "leither/io/tcp_transport.h"
#include "leither/io/udp_socket.h"

#include "disk_thread.h"
#include "traffic_meter.h"

namespace leither::io {

namespace {

// A host without a line still reaches itself.
std::vector<IpAddress> or_loopback(std::vector<IpAddress> addresses) {
    if (addresses.empty()) addresses.push_back(IpAddress::v4({127, 0, 0, 1}));
    return addresses;
}

}  // namespace

struct NetworkHost::Impl final : TcpHandler, PortMapperHandler {
    Impl(NetworkHostOptions given, store::Store& store, Reactor& its_reactor, Log its_log)
        : options(std::move(given)),
          reactor(its_reactor),
          log(std::move(its_log)),
          line(*options.line),
          tcp(tcp_options(), reactor, *this, log),
          watch({}, reactor, [this](const auto& addresses) { on_addresses(addresses); }),
          disk(store, reactor) {}

    TcpOptions tcp_options() {
        TcpOptions chosen;
        chosen.first_accepted = peer::kAccepted.value();
        chosen.accepted_max = options.connections_max;
        chosen.download = &line.download();
        chosen.upload = &line.upload();
        return chosen;
    }
    UdpOptions udp_options() {
        UdpOptions chosen;
        chosen.download = &line.download();
        chosen.upload = &line.upload();
        return chosen;
    }

    Result<void, std::string> bind();
    void begin(NetworkSink& its_sink);
    void map_ports();
    void carry_out(node::NetworkEffects&& effects);
    void send(const dht::Outgoing& datagram);
    void write(store::WriteBatch&& batch);
    void tell(node::NetworkInput&& input) {
        if (sink != nullptr && !stopping) sink->step(std::move(input));
    }
    void on_addresses(const std::vector<IpAddress>& addresses) {
        tell(node::AddressesAre{or_loopback(addresses)});
        if (mapper && !stopping) mapper->refresh();
        if (names && !stopping) names->refresh();
    }
    void tell_ports() { tell(node::PortsMapped(ports)); }

    // ---- Streams
    void on_accepted(TcpId id, const Endpoint& from) override {
        tell(peer::Accepted{peer::ConnectionId(id), from});
    }
    void on_opened(TcpId id) override { tell(peer::Opened{peer::ConnectionId(id)}); }
    void on_received(TcpId id, ByteView bytes) override {
        tell(peer::Received{peer::ConnectionId(id), bytes});
    }
    void on_sent(TcpId id, std::size_t queued) override {
        tell(peer::Sent{peer::ConnectionId(id), queued});
    }
    void on_closed(TcpId id, TcpClosed) override { tell(peer::Closed{peer::ConnectionId(id)}); }

    // ---- The router
    void on_mapped(const PortMapping& mapping) override;
    void on_mapping_failed(MappedProtocol protocol, const std::string& reason) override;

    NetworkHostOptions options;
    Reactor& reactor;
    Log log;
    NetworkSink* sink = nullptr;
    TrafficMeter& line;
    std::vector<std::pair<Endpoint, std::unique_ptr<UdpSocket>>> udp;
    TcpTransport tcp;
    std::vector<Endpoint> streams;  // taken
    AddressWatch watch;
    std::optional<NameLookup> names;
    std::optional<PortMapper> mapper;
    node::PortsMapped ports;
    DiskThread disk;
    bool writing = false;
    bool stopping = false;
};

Result<void, std::string> NetworkHost::Impl::bind() {
    for (const Endpoint& endpoint : options.datagrams) {
        auto socket = std::make_unique<UdpSocket>(udp_options(), reactor,
                                                  [this](const Endpoint& from, ByteView bytes) {
                                                      tell(node::DatagramReceived{from, bytes});
                                                  });
        const auto taken = socket->bind(endpoint);
        if (!taken) {
            return fail(fmt::format("{}; choose another port with dht.listen", taken.error()));
        }
        udp.emplace_back(*taken, std::move(socket));
    }
    for (const Endpoint& endpoint : options.streams) {
        const auto taken = tcp.listen(endpoint);
        if (!taken) {
            return fail(fmt::format("{}; choose another port with peer.listen", taken.error()));
        }
        streams.push_back(*taken);
    }
    return {};
}

void NetworkHost::Impl::begin(NetworkSink& its_sink) {
    sink = &its_sink;
    tell(node::AddressesAre{or_loopback(own_addresses())});
    if (const auto started = watch.start(); !started) {
        log.warn("addresses_not_watched", "detail=\"{}\"", started.error());
    }
    ports.how = options.map_ports ? "the router is being asked" : "the router is not asked";
    tell_ports();
    if (options.map_ports) map_ports();
    if (options.bootstrap.empty()) return;
    names.emplace(
        NameLookup::Options{options.bootstrap}, reactor,
        [this](const auto& endpoints) { tell(node::BootstrapFound{endpoints}); }, log);
    names->refresh();
}

void NetworkHost::Impl::map_ports() {
    PortMapperOptions wanted;
    if (!udp.empty()) wanted.udp = udp.front().first;
    if (!streams.empty()) wanted.tcp = streams.front();
    mapper.emplace(wanted, reactor, *this, log);
    mapper->start();
}

void NetworkHost::Impl::on_mapped(const PortMapping& mapping) {
    auto& mapped = mapping.protocol == MappedProtocol::tcp ? ports.tcp : ports.udp;
    mapped = mapping.external;
    ports.how = fmt::format("the router forwards port {} by {}", mapping.external.port,
                            to_string(mapping.method));
    tell_ports();
}

void NetworkHost::Impl::on_mapping_failed(MappedProtocol protocol, const std::string& reason) {
    auto& mapped = protocol == MappedProtocol::tcp ? ports.tcp : ports.udp;
    mapped.reset();
    ports.how = reason;
    tell_ports();
}

void NetworkHost::Impl::send(const dht::Outgoing& datagram) {
    for (const auto& [endpoint, socket] : udp) {
        if (endpoint.address.is_v4() == datagram.to.address.is_v4()) {
            return socket->send(datagram.to, datagram.bytes);
        }
    }
}

void NetworkHost::Impl::carry_out(node::NetworkEffects&& effects) {
    for (const auto& datagram : effects.datagrams) send(datagram);
    for (const auto& dial : effects.dials) tcp.dial(dial.id.value(), dial.endpoint);
    for (auto& one : effects.writes) tcp.write(one.id.value(), std::move(one.bytes));
    for (const auto& reading : effects.reading) {
        if (reading.to == peer::SetReading::To::paused) {
            tcp.pause_reading(reading.id.value());
        } else {
            tcp.resume_reading(reading.id.value());
        }
    }
    for (const auto& close : effects.closes) {
        tcp.close(close.id.value(), close.how == peer::Close::How::after_flush ? TcpClose::graceful
                                                                               : TcpClose::abort);
    }
    if (effects.durable) write(std::move(*effects.durable));
}

void NetworkHost::Impl::write(store::WriteBatch&& batch) {
    writing = true;
    disk.write(std::move(batch), [this](auto result) {
        writing = false;
        // Also while stopping: the node counts on it.
        if (sink != nullptr) sink->step(node::NetworkPersisted{std::move(result)});
    });
}

NetworkHost::NetworkHost(NetworkHostOptions options, store::Store& store, Reactor& reactor, Log log)
    : impl_(std::make_unique<Impl>(std::move(options), store, reactor, std::move(log))) {}
NetworkHost::~NetworkHost() {
    impl_->sink = nullptr;
}

Result<void, std::string> NetworkHost::listen() {
    return impl_->bind();
}
std::uint16_t NetworkHost::datagram_port() const {
    return impl_->udp.empty() ? std::uint16_t{0} : impl_->udp.front().first.port;
}
std::uint16_t NetworkHost::stream_port() const {
    return impl_->streams.empty() ? std::uint16_t{0} : impl_->streams.front().port;
}
const std::vector<Endpoint>& NetworkHost::streams() const {
    return impl_->streams;
}
void NetworkHost::begin(NetworkSink& sink) {
    impl_->begin(sink);
}
void NetworkHost::carry_out(node::NetworkEffects&& effects) {
    impl_->carry_out(std::move(effects));
}
void NetworkHost::stop() {
    if (std::exchange(impl_->stopping, true)) return;
    impl_->tcp.stop_listening();
    for (auto& [endpoint, socket] : impl_->udp) socket->close();
    if (impl_->mapper) impl_->mapper->stop();
    impl_->names.reset();
    impl_->line.save();
}
bool NetworkHost::is_writing() const {
    return impl_->writing;
}
peer::Budget::Usage NetworkHost::month_usage() const {
    return impl_->line.usage();
}
const peer::Budget::Options& NetworkHost::caps() const {
    return impl_->line.caps();
}

std::shared_ptr<TrafficMeter> make_line(const peer::Budget::Options& caps,
                                        const std::string& usage_file, Log log) {
    return std::make_shared<TrafficMeter>(caps, usage_file, std::move(log));
}

}  // namespace leither::io
