#include "udp_echo.h"

#include <array>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

namespace leither::interop {

using boost::asio::ip::udp;

struct UdpEcho::Impl {
    udp::socket socket;
    udp::endpoint from{};
    std::array<std::uint8_t, 2048> buffer{};

    void receive() {
        socket.async_receive_from(boost::asio::buffer(buffer), from,
                                  [this](boost::system::error_code error, std::size_t size) {
                                      if (!error) answer(size);
                                      receive();
                                  });
    }

    void answer(std::size_t size) {
        boost::system::error_code ignored;
        socket.send_to(boost::asio::buffer(buffer.data(), size), from, 0, ignored);
    }
};

UdpEcho::UdpEcho(io::Reactor& reactor, const Endpoint& listen)
    : impl_(std::make_unique<Impl>(Impl{udp::socket(
          reactor.context(),
          udp::endpoint(boost::asio::ip::make_address(listen.address.text()), listen.port))})) {
    impl_->receive();
}

UdpEcho::~UdpEcho() = default;

Endpoint UdpEcho::endpoint() const {
    const auto local = impl_->socket.local_endpoint();
    return {*IpAddress::parse(local.address().to_string()), local.port()};
}

}  // namespace leither::interop
