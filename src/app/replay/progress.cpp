#include "app/replay/progress.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

namespace leither::app {

namespace {

constexpr std::uint64_t kBarWidth = 30;
constexpr auto kDrawInterval = std::chrono::milliseconds(100);

}  // namespace

Progress::Progress(std::string unit, std::uint64_t total)
    : unit_(std::move(unit)), total_(total), watched_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
    if (!watched_) return;
    draw(done_);
    fmt::print(stderr, "\n");
}

void Progress::show(std::uint64_t done) {
    done_ = done;
    const auto now = Clock::now();
    if (!watched_ || now - drawn_ < kDrawInterval) return;
    drawn_ = now;
    draw(done);
}

void Progress::draw(std::uint64_t done) const {
    const std::uint64_t total = std::max<std::uint64_t>(total_, 1);
    const std::uint64_t filled = std::min(done, total) * kBarWidth / total;
    const std::chrono::duration<double> elapsed = Clock::now() - started_;
    const double rate = static_cast<double>(done) / std::max(elapsed.count(), 0.001);
    fmt::print(stderr, "\r[{:#<{}}{:.<{}}] {}/{} {}, {:.0f}/s\033[K", "", filled, "",
               kBarWidth - filled, done, total_, unit_, rate);
    std::fflush(stderr);
}

}  // namespace leither::app
