// A few threads that take tasks from one queue. Tasks own what they touch and answer by
// Reactor::post.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include <pthread.h>

namespace leither::io {

class Workers {
 public:
    // Whether they give way to the other threads of the machine when all cores are busy.
    enum class Turn : std::uint8_t { equal, after_others };

    // `name` shows in `top -H`; at most 15 characters.
    Workers(unsigned threads, const char* name, Turn turn = Turn::equal);
    // Drops what waits and joins after the tasks at hand.
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    // From any thread. Tasks start in this order.
    void submit(std::function<void()> task);

 private:
    static void* run(void* self);
    void work();

    const Turn turn_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> tasks_;
    bool ending_ = false;
    std::vector<pthread_t> threads_;
};

}  // namespace leither::io
