// One client's WebSocket, from the upgrade on.
#include <deque>
#include <utility>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <boost/beast/websocket/stream_base.hpp>

#include "http_client.h"
#include "http_upgrade.h"

namespace leither::io {
namespace {

namespace websocket = boost::beast::websocket;

constexpr auto kHandshakeTime = std::chrono::seconds(10);
// A silent client is pinged after half of this and dropped after all of it.
constexpr auto kSilenceTime = std::chrono::seconds(300);
// A browser's page cannot send headers of its own with an upgrade, but it can offer protocols: this
// one, which we speak, and by the side of it what the handler reads.
constexpr std::string_view kProtocol = "leither.rpc";
constexpr std::size_t kBufferKept = std::size_t{64} << 10;

class WebSocketSession final : public HttpClient,
                               public std::enable_shared_from_this<WebSocketSession> {
 public:
    WebSocketSession(std::shared_ptr<HttpContext> context, ClientId id, Tcp::socket socket)
        : context_(std::move(context)), id_(id), stream_(std::move(socket)) {}

    void start(std::unique_ptr<WebSocketPeer> peer, const RequestHead& head,
               const UpgradeRequest& request) {
        peer_ = std::move(peer);
        if (head.protocols && has_word(*head.protocols, kProtocol)) {
            stream_.set_option(
                websocket::stream_base::decorator([](websocket::response_type& response) {
                    response.set("Sec-WebSocket-Protocol", kProtocol);
                }));
        }
        websocket::stream_base::timeout timeout{};
        timeout.handshake_timeout = kHandshakeTime;
        timeout.idle_timeout = kSilenceTime;
        timeout.keep_alive_pings = true;
        stream_.set_option(timeout);
        stream_.read_message_max(context_->options.body_bytes_max);
        stream_.async_accept(request.request, [self = shared_from_this()](const ErrorCode& error) {
            if (error) return self->end();
            self->accepted_ = true;
            self->write_next();
            self->read_next();
        });
    }

    void finish() override {
        if (!accepted_) return end();
        stream_.async_close(websocket::close_code::going_away,
                            [self = shared_from_this()](const ErrorCode&) { self->end(); });
    }
    void abandon() override { end(); }

    void send(std::string text) {
        if (peer_ == nullptr || text.empty()) return;
        outbox_bytes_ += text.size();
        outbox_.push_back(std::move(text));
        if (outbox_bytes_ > context_->options.outbox_bytes_max) return drop_slow_reader();
        if (accepted_ && !writing_) write_next();
    }

 private:
    void read_next() {
        reading_ = true;
        stream_.async_read(buffer_,
                           [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                               self->reading_ = false;
                               if (error) return self->end();
                               self->on_message();
                           });
    }
    void on_message() {
        if (peer_ == nullptr) return;
        const auto data = buffer_.cdata();
        ++open_requests_;
        peer_->on_text({static_cast<const char*>(data.data()), data.size()},
                       [weak = weak_from_this()](std::string reply) {
                           if (const auto self = weak.lock()) self->on_reply(std::move(reply));
                       });
        buffer_.consume(buffer_.size());
        if (buffer_.capacity() > kBufferKept) buffer_.shrink_to_fit();
        read_if_allowed();
    }
    void on_reply(std::string reply) {
        --open_requests_;
        send(std::move(reply));
        read_if_allowed();
    }
    // A client with too many open requests is read again when one of them is answered. Posted,
    // since a reply may come from within on_message.
    void read_if_allowed() {
        if (peer_ == nullptr || reading_ || read_posted_ ||
            open_requests_ >= context_->options.websocket_requests_max) {
            return;
        }
        read_posted_ = true;
        asio::post(stream_.get_executor(), [self = shared_from_this()] {
            self->read_posted_ = false;
            if (self->peer_ != nullptr) self->read_next();
        });
    }

    void write_next() {
        if (outbox_.empty()) return;
        writing_ = true;
        stream_.text(true);
        stream_.async_write(asio::buffer(outbox_.front()),
                            [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                                self->writing_ = false;
                                if (error) return self->end();
                                self->outbox_bytes_ -= self->outbox_.front().size();
                                self->outbox_.pop_front();
                                self->write_next();
                            });
    }

    // Posted: we may be deep within a call of the peer, which end() destroys.
    void drop_slow_reader() {
        if (std::exchange(dropping_, true)) return;
        context_->log.debug("slow_reader_dropped", "outbox_bytes={}", outbox_bytes_);
        asio::post(stream_.get_executor(), [self = shared_from_this()] { self->end(); });
    }
    void end() {
        if (peer_ == nullptr) return;
        peer_.reset();
        ErrorCode ignored;
        stream_.next_layer().close(ignored);
        context_->clients.erase(id_);
    }

    std::shared_ptr<HttpContext> context_;
    ClientId id_;
    websocket::stream<Tcp::socket, /*deflateSupported=*/false> stream_;
    std::unique_ptr<WebSocketPeer> peer_;  // null once ended
    boost::beast::flat_buffer buffer_;
    std::deque<std::string> outbox_;
    std::size_t outbox_bytes_ = 0;
    std::size_t open_requests_ = 0;
    bool accepted_ = false;
    bool reading_ = false;
    bool read_posted_ = false;
    bool writing_ = false;
    bool dropping_ = false;
};

}  // namespace

bool start_websocket(const std::shared_ptr<HttpContext>& context, ClientId id, Tcp::socket& socket,
                     const RequestHead& head, std::shared_ptr<UpgradeRequest> request) {
    const auto handle = std::make_shared<std::weak_ptr<WebSocketSession>>();
    auto peer = context->handler.on_websocket(head, [handle](std::string text) {
        if (const auto session = handle->lock()) session->send(std::move(text));
    });
    if (peer == nullptr) return false;
    const auto session = std::make_shared<WebSocketSession>(context, id, std::move(socket));
    *handle = session;
    context->clients[id] = session;
    session->start(std::move(peer), head, *request);
    return true;
}

}  // namespace leither::io
