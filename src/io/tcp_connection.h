// One TCP connection and what all of a transport's connections share.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "leither/io/tcp_transport.h"

#include "asio.h"

namespace leither::io {

class TcpConnection;

// Who waits for one direction's budget to refill; they go on in the order they came.
class BudgetQueue final : public std::enable_shared_from_this<BudgetQueue> {
 public:
    using Resume = void (TcpConnection::*)();

    BudgetQueue(Budget* budget, Resume resume, asio::io_context& context)
        : budget_(budget), resume_(resume), timer_(context) {}

    // Up to `wanted`. 0: the connection waits and will be resumed.
    std::size_t take(std::size_t wanted, TcpConnection& who);
    void give_back(std::size_t bytes);
    void stop();

 private:
    void wait();
    void resume_waiting();

    Budget* budget_;
    Resume resume_;
    asio::steady_timer timer_;
    std::deque<std::weak_ptr<TcpConnection>> waiting_;
    const TcpConnection* turn_ = nullptr;  // who is being resumed
    bool exhausted_ = false;               // the budget has given nothing since then
    bool timer_set_ = false;
};

struct TcpShared final : std::enable_shared_from_this<TcpShared> {
    TcpShared(const TcpOptions& options, Reactor& reactor, TcpHandler& handler, Log log);

    // Has `who` flushed when the reactor's handler at hand has returned.
    void flush_soon(std::shared_ptr<TcpConnection> who);
    void flush_written();
    void stop();

    TcpOptions options;
    asio::io_context& context;
    TcpHandler& handler;
    Log log;
    TcpCounters counters;
    std::map<TcpId, std::shared_ptr<TcpConnection>> connections;
    std::size_t accepted = 0;  // of `connections`
    std::shared_ptr<BudgetQueue> download;
    std::shared_ptr<BudgetQueue> upload;
    // For all reading: what is read is handed on before the next read.
    std::unique_ptr<std::uint8_t[]> scratch;
    std::vector<std::shared_ptr<TcpConnection>> written;  // since the last flush
};

class TcpConnection final : public std::enable_shared_from_this<TcpConnection> {
 public:
    TcpConnection(std::shared_ptr<TcpShared> shared, TcpId id, Tcp::socket socket);

    void start_accepted();
    void dial(const Endpoint& endpoint);
    void fail_dial(const ErrorCode& error);
    void write(Bytes bytes);
    void pause();
    void resume();
    void close(TcpClose how);
    // Without a word to the handler.
    void abandon();

    // What was written since the last flush goes to the kernel.
    void on_flush_due();
    void on_download_refilled();
    void on_upload_refilled();
    std::size_t queued() const { return queued_; }

 private:
    enum class Phase : std::uint8_t {
        dialing,
        open,
        overfull,   // too much was written; the handler is about to hear of it
        flushing,   // closed gracefully: the queue is still sent
        lingering,  // our end of the stream is sent, the other's is awaited
        ended,
    };

    bool is_reading() const;
    void await_readable();
    void read();
    void discard();
    void overflow();
    void flush();
    void await_writable();
    bool write_some();
    void consume(std::size_t size);
    void linger();
    void start_timer(Duration time);
    void on_timer();
    void on_dialed(const ErrorCode& error);
    void on_flushed(std::size_t taken);
    // Ends the connection and tells the handler, if it still owns it.
    void finish(TcpClosed reason);

    std::shared_ptr<TcpShared> shared_;
    TcpId id_;
    Tcp::socket socket_;
    asio::steady_timer timer_;
    std::deque<Bytes> queue_;
    std::size_t queued_ = 0;      // bytes in `queue_` not yet taken
    std::size_t head_taken_ = 0;  // of queue_.front()
    Phase phase_ = Phase::open;
    bool paused_ = false;
    bool flush_due_ = false;  // in shared_->written
    bool readable_awaited_ = false;
    bool writable_awaited_ = false;
    bool download_awaited_ = false;
    bool upload_awaited_ = false;
};

// Closes so that nothing of the connection stays in the kernel.
void reset(Tcp::socket& socket);

}  // namespace leither::io
