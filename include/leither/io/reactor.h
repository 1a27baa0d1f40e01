// The program's one thread of events: sockets, timers, signals and what other threads post. Keeps
// Asio out of every header.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace leither::io {

class Reactor {
 public:
    Reactor();
    ~Reactor();

    // Runs until stop(); sleeps while nothing happens.
    void run();
    // From any thread. run() returns after the handler at hand.
    void stop();
    // Runs `task` on the thread of run(). From any thread.
    void post(std::function<void()> task);
    // Calls `handler` on the thread of run() each time one of `signals` arrives. Once per program.
    void on_signals(std::initializer_list<int> signals, std::function<void(int)> handler);

    boost::asio::io_context& context();

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::io
