#include "workers.h"

#include <utility>

#include <unistd.h>

#include "leither/base/check.h"

namespace leither::io {
namespace {

// std::thread offers no choice of stack; the default 8 MB each would count against RLIMIT_AS and
// memory.max-minded operators. Writing a batch and checking signatures need a few dozen KB.
constexpr std::size_t kStackBytes = std::size_t{1} << 20;
// A tenth of the share of a thread that has not given way.
constexpr int kNiceAfterOthers = 10;

// Of this thread alone on Linux, whatever POSIX says of processes. Where a sandbox forbids it, all
// stay equal.
void give_way() {
    static_cast<void>(nice(kNiceAfterOthers));
}

}  // namespace

Workers::Workers(unsigned threads, const char* name, Turn turn) : turn_(turn) {
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, kStackBytes) == 0);
    threads_.resize(threads);
    for (auto& thread : threads_) {
        CHECK(pthread_create(&thread, &attributes, &Workers::run, this) == 0,
              "no thread: raise the limit on tasks");
        pthread_setname_np(thread, name);
    }
    pthread_attr_destroy(&attributes);
}

Workers::~Workers() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        tasks_.clear();
    }
    changed_.notify_all();
    for (const auto thread : threads_) pthread_join(thread, nullptr);
}

void Workers::submit(std::function<void()> task) {
    {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
    }
    changed_.notify_one();
}

void* Workers::run(void* self) {
    static_cast<Workers*>(self)->work();
    return nullptr;
}

void Workers::work() {
    if (turn_ == Turn::after_others) give_way();
    for (;;) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
        if (ending_) return;
        const auto task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();
    }
}

}  // namespace leither::io
