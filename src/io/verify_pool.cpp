#include "verify_pool.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>

#include "leither/crypto/sign.h"

namespace leither::io {
namespace {

// About 2 ms of work: small against a pulse, large against handing a task over.
constexpr std::size_t kPieceChecks = 32;

struct RunningJob {
    node::SignatureJob job;
    VerifyPool::Done done;
    std::vector<std::uint8_t> holds;  // not vector<bool>: pieces write side by side
    std::atomic<std::size_t> pieces_left{0};
};

void check_piece(RunningJob& running, std::size_t begin) {
    const auto end = std::min(begin + kPieceChecks, running.job.checks.size());
    for (std::size_t i = begin; i < end; ++i) {
        const auto& check = running.job.checks[i];
        running.holds[i] = crypto::verify(check.key, check.message, check.signature);
    }
}

void finish(Reactor& reactor, const std::shared_ptr<RunningJob>& running) {
    reactor.post([running] {
        running->done({running->job.job, {running->holds.begin(), running->holds.end()}});
    });
}

}  // namespace

VerifyPool::VerifyPool(unsigned threads, Reactor& reactor)
    : reactor_(reactor),
      workers_(threads > 0 ? threads : std::max(1U, std::thread::hardware_concurrency()),
               "leither-verify", Workers::Turn::after_others) {}

void VerifyPool::check(node::SignatureJob job, Done done) {
    const auto running = std::make_shared<RunningJob>();
    running->job = std::move(job);
    running->done = std::move(done);
    const std::size_t checks = running->job.checks.size();
    running->holds.resize(checks);
    running->pieces_left = (checks + kPieceChecks - 1) / kPieceChecks;
    if (checks == 0) return finish(reactor_, running);
    for (std::size_t begin = 0; begin < checks; begin += kPieceChecks) {
        workers_.submit([this, running, begin] {
            check_piece(*running, begin);
            if (running->pieces_left.fetch_sub(1) == 1) finish(reactor_, running);
        });
    }
}

}  // namespace leither::io
