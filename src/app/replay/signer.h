// Signs a long row of transactions on all cores and hands them out in order, in chunks, never more
// than a bounded number of chunks ahead of the taker.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "leither/base/fixed_bytes.h"

namespace leither::app {

struct SignedTransaction {
    std::uint64_t row = 0;  // whatever the caller numbers
    Hash id;
    std::string hex;
};

// Runs `work(i)` for i in [0, count) on all cores; returns when all are done.
void on_all_cores(std::size_t count, const std::function<void(std::size_t)>& work);

class Signer {
 public:
    using Sign = std::function<SignedTransaction(std::size_t index)>;
    struct Options {
        std::size_t count = 0;
        std::size_t chunk = 1000;
        std::size_t chunks_ahead = 8;
    };
    // `sign` is called from several threads at once, once for each index in [0, count).
    Signer(Options options, Sign sign);
    Signer(const Signer&) = delete;
    Signer& operator=(const Signer&) = delete;
    // Waits for the threads; what is not taken is dropped.
    ~Signer();

    // The next chunk in order; empty at the end.
    std::vector<SignedTransaction> next();

 private:
    void work();
    // The number of the chunk to sign next, or chunk_count() if there is none.
    std::size_t claim();
    std::size_t chunk_count() const;

    Options options_;
    Sign sign_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t claimed_ = 0;
    std::size_t taken_ = 0;
    bool stopping_ = false;
    std::map<std::size_t, std::vector<SignedTransaction>> done_;
    std::vector<std::thread> threads_;
};

}  // namespace leither::app
