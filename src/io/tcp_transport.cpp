#include "leither/io/tcp_transport.h"

#include <utility>

#include <fmt/format.h>

#include "leither/base/check.h"

#include "socket_address.h"
#include "tcp_connection.h"

namespace leither::io {
namespace {

// How long to wait when the system has no descriptor left for another connection.
constexpr Duration kAcceptPause = std::chrono::milliseconds(200);

}  // namespace

const char* to_string(TcpClosed reason) {
    switch (reason) {
        case TcpClosed::by_peer: return "by_peer";
        case TcpClosed::lost: return "lost";
        case TcpClosed::refused: return "refused";
        case TcpClosed::unreachable: return "unreachable";
        case TcpClosed::timed_out: return "timed_out";
        case TcpClosed::no_room: return "no_room";
        case TcpClosed::queue_full: return "queue_full";
    }
    UNREACHABLE();
}

// One listening socket.
class TcpListener final : public std::enable_shared_from_this<TcpListener> {
 public:
    explicit TcpListener(std::shared_ptr<TcpShared> shared)
        : shared_(std::move(shared)), acceptor_(shared_->context), pause_(shared_->context) {}

    Result<Endpoint, std::string> listen(const Endpoint& endpoint) {
        ErrorCode error;
        acceptor_.open(to_asio<Tcp>(endpoint).protocol(), error);
        if (!error) acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
        if (!error) bind_to(acceptor_, endpoint, error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (error) {
            stop();
            return fail(
                fmt::format("cannot listen for peers on {}: {}", endpoint.text(), error.message()));
        }
        accept_next();
        return from_asio(acceptor_.local_endpoint());
    }
    void stop() {
        ErrorCode ignored;
        acceptor_.close(ignored);
        pause_.cancel();
    }

 private:
    void accept_next() {
        acceptor_.async_accept(
            [self = shared_from_this()](const ErrorCode& error, Tcp::socket socket) {
                if (!self->acceptor_.is_open()) return;
                if (error) return self->wait_for_room(error);
                self->on_accepted(std::move(socket));
                if (self->acceptor_.is_open()) self->accept_next();
            });
    }
    void wait_for_room(const ErrorCode& error) {
        if (error == asio::error::connection_aborted) return accept_next();
        shared_->log.warn("accept_failed", "reason=\"{}\"", error.message());
        pause_.expires_after(kAcceptPause);
        pause_.async_wait([self = shared_from_this()](const ErrorCode& cancelled) {
            if (!cancelled) self->accept_next();
        });
    }
    void on_accepted(Tcp::socket socket) {
        ErrorCode error;
        const auto from = socket.remote_endpoint(error);
        if (error) return;  // gone already
        if (shared_->accepted >= shared_->options.accepted_max) {
            ++shared_->counters.turned_away;
            return reset(socket);
        }
        const TcpId id = shared_->options.first_accepted + shared_->counters.accepted++;
        ++shared_->accepted;
        const auto connection = std::make_shared<TcpConnection>(shared_, id, std::move(socket));
        shared_->connections.emplace(id, connection);
        shared_->handler.on_accepted(id, from_asio(from));
        connection->start_accepted();
    }

    std::shared_ptr<TcpShared> shared_;
    Tcp::acceptor acceptor_;
    asio::steady_timer pause_;
};

struct TcpTransport::Impl {
    std::shared_ptr<TcpShared> shared;
    std::vector<std::shared_ptr<TcpListener>> listeners;

    // Null if it is gone.
    std::shared_ptr<TcpConnection> find(TcpId id) const {
        const auto found = shared->connections.find(id);
        return found == shared->connections.end() ? nullptr : found->second;
    }
};

TcpTransport::TcpTransport(TcpOptions options, Reactor& reactor, TcpHandler& handler, Log log)
    : impl_(std::make_unique<Impl>()) {
    impl_->shared = std::make_shared<TcpShared>(options, reactor, handler, std::move(log));
}

TcpTransport::~TcpTransport() {
    stop_listening();
    auto& shared = *impl_->shared;
    shared.stop();
    for (const auto& [id, connection] : std::map(shared.connections)) connection->abandon();
}

Result<Endpoint, std::string> TcpTransport::listen(const Endpoint& endpoint) {
    const auto listener = std::make_shared<TcpListener>(impl_->shared);
    const Endpoint taken = TRY(listener->listen(endpoint));
    impl_->listeners.push_back(listener);
    return taken;
}

void TcpTransport::stop_listening() {
    for (const auto& listener : std::exchange(impl_->listeners, {})) listener->stop();
}

void TcpTransport::dial(TcpId id, const Endpoint& endpoint) {
    auto& shared = *impl_->shared;
    CHECK(id < shared.options.first_accepted && impl_->find(id) == nullptr);
    const auto connection =
        std::make_shared<TcpConnection>(impl_->shared, id, Tcp::socket(shared.context));
    const std::size_t dialed = shared.connections.size() - shared.accepted;
    shared.connections.emplace(id, connection);
    if (dialed >= shared.options.dialed_max)
        return connection->fail_dial(asio::error::no_descriptors);
    ++shared.counters.dialed;
    connection->dial(endpoint);
}

void TcpTransport::write(TcpId id, Bytes bytes) {
    if (const auto connection = impl_->find(id)) connection->write(std::move(bytes));
}

void TcpTransport::pause_reading(TcpId id) {
    if (const auto connection = impl_->find(id)) connection->pause();
}

void TcpTransport::resume_reading(TcpId id) {
    if (const auto connection = impl_->find(id)) connection->resume();
}

void TcpTransport::close(TcpId id, TcpClose how) {
    if (const auto connection = impl_->find(id)) connection->close(how);
}

std::size_t TcpTransport::connections() const {
    return impl_->shared->connections.size();
}

std::size_t TcpTransport::queued_bytes(TcpId id) const {
    const auto connection = impl_->find(id);
    return connection == nullptr ? 0 : connection->queued();
}

const TcpCounters& TcpTransport::counters() const {
    return impl_->shared->counters;
}

}  // namespace leither::io
