#include "leither/io/reactor.h"

#include "asio.h"

namespace leither::io {

struct Reactor::Impl {
    asio::io_context context{1};
    asio::signal_set signals{context};
    std::function<void(int)> on_signal;

    void wait_for_signal() {
        signals.async_wait([this](const ErrorCode& error, int signal) {
            if (error) return;
            on_signal(signal);
            wait_for_signal();
        });
    }
};

Reactor::Reactor() : impl_(std::make_unique<Impl>()) {}
Reactor::~Reactor() = default;

void Reactor::run() {
    const auto guard = asio::make_work_guard(impl_->context);
    impl_->context.restart();
    impl_->context.run();
}

void Reactor::stop() {
    impl_->context.stop();
}

void Reactor::post(std::function<void()> task) {
    asio::post(impl_->context, std::move(task));
}

void Reactor::on_signals(std::initializer_list<int> signals, std::function<void(int)> handler) {
    for (const int signal : signals) impl_->signals.add(signal);
    impl_->on_signal = std::move(handler);
    impl_->wait_for_signal();
}

asio::io_context& Reactor::context() {
    return impl_->context;
}

}  // namespace leither::io
