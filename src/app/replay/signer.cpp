#include "app/replay/signer.h"

#include <algorithm>
#include <atomic>

namespace leither::app {

namespace {

unsigned core_count() {
    return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

void on_all_cores(std::size_t count, const std::function<void(std::size_t)>& work) {
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < core_count(); ++i) {
        threads.emplace_back([&] {
            for (std::size_t at = next++; at < count; at = next++) work(at);
        });
    }
    for (auto& thread : threads) thread.join();
}

Signer::Signer(Options options, Sign sign) : options_(options), sign_(std::move(sign)) {
    for (unsigned i = 0; i < core_count(); ++i) threads_.emplace_back([this] { work(); });
}

Signer::~Signer() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
}

std::size_t Signer::chunk_count() const {
    return (options_.count + options_.chunk - 1) / options_.chunk;
}

std::vector<SignedTransaction> Signer::next() {
    std::unique_lock lock(mutex_);
    if (taken_ == chunk_count()) return {};
    changed_.wait(lock, [this] { return done_.contains(taken_); });
    auto node = done_.extract(taken_++);
    changed_.notify_all();
    return std::move(node.mapped());
}

std::size_t Signer::claim() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] {
        return stopping_ || claimed_ == chunk_count() || claimed_ < taken_ + options_.chunks_ahead;
    });
    return stopping_ || claimed_ == chunk_count() ? chunk_count() : claimed_++;
}

void Signer::work() {
    for (std::size_t chunk = claim(); chunk < chunk_count(); chunk = claim()) {
        const std::size_t begin = chunk * options_.chunk;
        const std::size_t end = std::min(begin + options_.chunk, options_.count);
        std::vector<SignedTransaction> out;
        out.reserve(end - begin);
        for (std::size_t i = begin; i < end; ++i) out.push_back(sign_(i));
        const std::lock_guard lock(mutex_);
        done_.emplace(chunk, std::move(out));
        changed_.notify_all();
    }
}

}  // namespace leither::app
