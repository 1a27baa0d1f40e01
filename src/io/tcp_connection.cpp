#include "tcp_connection.h"

#include <utility>

#include <boost/container/static_vector.hpp>

#include "leither/base/check.h"

#include "socket_address.h"

namespace leither::io {
namespace {

// Buffers handed to the kernel by one call.
constexpr std::size_t kBuffersMax = 64;
// Of a capped transport, each connection moves so much before the next one has its turn.
constexpr std::size_t kTurnBytes = std::size_t{64} << 10;

TcpClosed reason_of_dial(const ErrorCode& error) {
    if (error == asio::error::connection_refused) return TcpClosed::refused;
    if (error == asio::error::timed_out) return TcpClosed::timed_out;
    if (error == asio::error::no_descriptors || error == asio::error::no_memory) {
        return TcpClosed::no_room;
    }
    return TcpClosed::unreachable;
}

}  // namespace

void reset(Tcp::socket& socket) {
    ErrorCode ignored;
    socket.set_option(asio::socket_base::linger(true, 0), ignored);
    socket.close(ignored);
}

// ---- Budgets

std::size_t BudgetQueue::take(std::size_t wanted, TcpConnection& who) {
    if (budget_ == nullptr) return wanted;
    const bool has_turn = std::exchange(turn_, nullptr) == &who;
    // Whoever comes while others wait goes behind them.
    if (has_turn || waiting_.empty()) {
        const std::size_t given = budget_->take(std::min(wanted, kTurnBytes));
        if (given > 0) return given;
        exhausted_ = true;
    }
    waiting_.insert(has_turn ? waiting_.begin() : waiting_.end(), who.weak_from_this());
    wait();
    return 0;
}

void BudgetQueue::give_back(std::size_t bytes) {
    if (budget_ != nullptr && bytes > 0) budget_->give_back(bytes);
}

void BudgetQueue::wait() {
    if (std::exchange(timer_set_, true)) return;
    timer_.expires_after(budget_->refill_in());
    timer_.async_wait([self = shared_from_this()](const ErrorCode& cancelled) {
        if (!cancelled) self->resume_waiting();
    });
}

void BudgetQueue::resume_waiting() {
    exhausted_ = false;
    while (!exhausted_ && !waiting_.empty()) {
        const auto connection = waiting_.front().lock();
        waiting_.pop_front();
        turn_ = connection.get();
        if (connection != nullptr) ((*connection).*resume_)();
        turn_ = nullptr;
    }
    timer_set_ = false;
    if (!waiting_.empty()) wait();
}

void BudgetQueue::stop() {
    timer_.cancel();
    waiting_.clear();
}

// ---- What connections share

TcpShared::TcpShared(const TcpOptions& given, Reactor& reactor, TcpHandler& its_handler,
                     Log its_log)
    : options(given),
      context(reactor.context()),
      handler(its_handler),
      log(std::move(its_log)),
      download(std::make_shared<BudgetQueue>(given.download, &TcpConnection::on_download_refilled,
                                             context)),
      upload(
          std::make_shared<BudgetQueue>(given.upload, &TcpConnection::on_upload_refilled, context)),
      scratch(std::make_unique_for_overwrite<std::uint8_t[]>(given.read_bytes_max)) {
    CHECK(given.read_bytes_max > 0 && given.queue_bytes_max > 0);
}

void TcpShared::flush_soon(std::shared_ptr<TcpConnection> who) {
    written.push_back(std::move(who));
    if (written.size() > 1) return;
    asio::post(context, [self = shared_from_this()] { self->flush_written(); });
}

void TcpShared::flush_written() {
    for (const auto& connection : std::exchange(written, {})) connection->on_flush_due();
}

void TcpShared::stop() {
    download->stop();
    upload->stop();
    written.clear();
}

// ---- Beginning

TcpConnection::TcpConnection(std::shared_ptr<TcpShared> shared, TcpId id, Tcp::socket socket)
    : shared_(std::move(shared)), id_(id), socket_(std::move(socket)), timer_(shared_->context) {}

void TcpConnection::start_accepted() {
    ErrorCode ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(Tcp::no_delay(true), ignored);
    await_readable();
}

void TcpConnection::dial(const Endpoint& endpoint) {
    phase_ = Phase::dialing;
    const auto target = to_asio<Tcp>(endpoint);
    ErrorCode error;
    socket_.open(target.protocol(), error);
    if (error) return fail_dial(error);
    start_timer(shared_->options.dial_timeout);
    socket_.async_connect(target, [self = shared_from_this()](const ErrorCode& outcome) {
        self->on_dialed(outcome);
    });
}

void TcpConnection::fail_dial(const ErrorCode& error) {
    phase_ = Phase::dialing;
    asio::post(shared_->context, [self = shared_from_this(), error] { self->on_dialed(error); });
}

void TcpConnection::on_dialed(const ErrorCode& error) {
    if (phase_ != Phase::dialing) return;
    if (error) return finish(reason_of_dial(error));
    timer_.cancel();
    phase_ = Phase::open;
    start_accepted();
    shared_->handler.on_opened(id_);
}

// ---- Reading

bool TcpConnection::is_reading() const {
    return (phase_ == Phase::open && !paused_) || phase_ == Phase::lingering;
}

void TcpConnection::await_readable() {
    if (!is_reading() || download_awaited_ || std::exchange(readable_awaited_, true)) return;
    socket_.async_wait(Tcp::socket::wait_read, [self = shared_from_this()](const ErrorCode& error) {
        self->readable_awaited_ = false;
        if (!error) self->read();
    });
}

void TcpConnection::on_download_refilled() {
    download_awaited_ = false;
    read();
}

void TcpConnection::read() {
    if (!is_reading() || readable_awaited_) return;
    if (phase_ == Phase::lingering) return discard();
    const std::size_t allowed = shared_->download->take(shared_->options.read_bytes_max, *this);
    download_awaited_ = allowed == 0;
    if (download_awaited_) return;
    ErrorCode error;
    const std::size_t size =
        socket_.read_some(asio::buffer(shared_->scratch.get(), allowed), error);
    shared_->download->give_back(allowed - size);
    if (error == asio::error::would_block) return await_readable();
    if (error) return finish(error == asio::error::eof ? TcpClosed::by_peer : TcpClosed::lost);
    shared_->counters.received_bytes += size;
    const auto self = shared_from_this();  // the handler may close us
    shared_->handler.on_received(id_, {shared_->scratch.get(), size});
    await_readable();
}

void TcpConnection::discard() {
    ErrorCode error;
    socket_.read_some(asio::buffer(shared_->scratch.get(), shared_->options.read_bytes_max), error);
    if (error && error != asio::error::would_block) return abandon();
    await_readable();
}

void TcpConnection::pause() {
    paused_ = true;
}

void TcpConnection::resume() {
    if (std::exchange(paused_, false)) await_readable();
}

// ---- Writing

void TcpConnection::write(Bytes bytes) {
    if (phase_ != Phase::open || bytes.empty()) return;
    queued_ += bytes.size();
    queue_.push_back(std::move(bytes));
    if (queued_ > shared_->options.queue_bytes_max) return overflow();
    if (!std::exchange(flush_due_, true)) shared_->flush_soon(shared_from_this());
}

void TcpConnection::overflow() {
    phase_ = Phase::overfull;
    queue_.clear();
    queued_ = 0;
    asio::post(shared_->context,
               [self = shared_from_this()] { self->finish(TcpClosed::queue_full); });
}

void TcpConnection::on_flush_due() {
    flush_due_ = false;
    flush();
}

void TcpConnection::on_upload_refilled() {
    upload_awaited_ = false;
    flush();
}

void TcpConnection::flush() {
    if (writable_awaited_ || upload_awaited_) return;
    if (phase_ != Phase::open && phase_ != Phase::flushing) return;
    const auto self = shared_from_this();
    const std::size_t before = queued_;
    while (queued_ > 0 && write_some()) {
    }
    if (phase_ != Phase::ended) on_flushed(before - queued_);
}

// One call to the kernel; whether to go on.
bool TcpConnection::write_some() {
    const std::size_t allowed = shared_->upload->take(queued_, *this);
    upload_awaited_ = allowed == 0;
    if (upload_awaited_) return false;
    boost::container::static_vector<asio::const_buffer, kBuffersMax> buffers;
    std::size_t offered = 0;
    for (const Bytes& bytes : queue_) {
        if (buffers.size() == kBuffersMax || offered == allowed) break;
        const std::size_t skip = buffers.empty() ? head_taken_ : 0;
        const std::size_t size = std::min(bytes.size() - skip, allowed - offered);
        buffers.emplace_back(bytes.data() + skip, size);
        offered += size;
    }
    ErrorCode error;
    const std::size_t taken = socket_.write_some(buffers, error);
    shared_->upload->give_back(allowed - taken);
    consume(taken);
    if (error == asio::error::would_block || (!error && taken < offered)) {
        await_writable();
        return false;
    }
    if (error) finish(TcpClosed::lost);
    return !error;
}

void TcpConnection::consume(std::size_t size) {
    shared_->counters.sent_bytes += size;
    queued_ -= size;
    head_taken_ += size;
    while (!queue_.empty() && head_taken_ >= queue_.front().size()) {
        head_taken_ -= queue_.front().size();
        queue_.pop_front();
    }
}

void TcpConnection::await_writable() {
    writable_awaited_ = true;
    socket_.async_wait(Tcp::socket::wait_write,
                       [self = shared_from_this()](const ErrorCode& error) {
                           self->writable_awaited_ = false;
                           if (!error) self->flush();
                       });
}

void TcpConnection::on_flushed(std::size_t taken) {
    if (phase_ == Phase::flushing) {
        if (queued_ == 0) linger();
        return;
    }
    if (taken > 0) shared_->handler.on_sent(id_, queued_);
}

// ---- Ending

void TcpConnection::close(TcpClose how) {
    const bool unable = phase_ == Phase::dialing || phase_ == Phase::overfull;
    if (how == TcpClose::abort || unable) return abandon();
    if (phase_ != Phase::open) return;
    phase_ = Phase::flushing;
    start_timer(shared_->options.flush_time_max);
    if (queued_ == 0) linger();
}

// Closing with bytes unread would reset the connection and could take what we sent last with it.
void TcpConnection::linger() {
    phase_ = Phase::lingering;
    ErrorCode ignored;
    socket_.shutdown(Tcp::socket::shutdown_send, ignored);
    await_readable();
}

void TcpConnection::start_timer(Duration time) {
    timer_.expires_after(time);
    timer_.async_wait([weak = weak_from_this()](const ErrorCode& cancelled) {
        const auto self = weak.lock();
        if (self && !cancelled) self->on_timer();
    });
}

void TcpConnection::on_timer() {
    if (phase_ == Phase::dialing) return finish(TcpClosed::timed_out);
    if (phase_ != Phase::open) abandon();
}

void TcpConnection::finish(TcpClosed reason) {
    if (phase_ == Phase::ended) return;
    const bool owned = phase_ != Phase::flushing && phase_ != Phase::lingering;
    const auto self = shared_from_this();  // shared_->connections lets go of us
    abandon();
    if (owned) shared_->handler.on_closed(id_, reason);
}

void TcpConnection::abandon() {
    if (std::exchange(phase_, Phase::ended) == Phase::ended) return;
    timer_.cancel();
    reset(socket_);
    queue_.clear();
    queued_ = 0;
    if (id_ >= shared_->options.first_accepted) --shared_->accepted;
    shared_->connections.erase(id_);  // may destroy us
}

}  // namespace leither::io
