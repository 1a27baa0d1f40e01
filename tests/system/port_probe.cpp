// Runs a port mapper and echoes datagrams, for the tests in network namespaces:
//   port_probe nat_pmp|upnp PORT
// Prints "mapped PROTOCOL METHOD EXTERNAL" or "failed REASON"; ends on SIGTERM with "stopped".
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "leither/io/port_mapper.h"
#include "leither/io/udp_socket.h"

namespace {

using namespace leither;

void say(const std::string& line) {
    std::puts(line.c_str());
    std::fflush(stdout);
}

struct Speaker final : io::PortMapperHandler {
    void on_mapped(const io::PortMapping& mapping) override {
        say(fmt::format("mapped {} {} {}", io::to_string(mapping.protocol),
                        io::to_string(mapping.method), mapping.external.text()));
    }
    void on_mapping_failed(io::MappedProtocol, const std::string& reason) override {
        say("failed " + reason);
    }
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const Endpoint here{IpAddress(), static_cast<std::uint16_t>(std::atoi(argv[2]))};
    io::Reactor reactor;
    reactor.on_signals({SIGTERM}, [&](int) { reactor.stop(); });

    std::optional<io::UdpSocket> socket;
    socket.emplace(io::UdpOptions{}, reactor,
                   [&](const Endpoint& from, ByteView bytes) { socket->send(from, bytes); });
    if (!socket->bind(here)) return 1;

    io::PortMapperOptions options{.udp = here, .tcp = here};
    // An address where nobody answers leaves UPnP alone to be tried.
    if (argv[1] == std::string("upnp")) options.nat_pmp_gateway = IpAddress::parse("127.99.99.99");
    Speaker speaker;
    io::PortMapper mapper(options, reactor, speaker, Log());
    mapper.start();
    reactor.run();
    mapper.stop();
    say("stopped");
    return 0;
}
