// A progress bar on standard error, if a person watches it there.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace leither::app {

class Progress {
 public:
    // `unit` as in "12,345 transfers".
    Progress(std::string unit, std::uint64_t total);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress();

    void show(std::uint64_t done);

 private:
    using Clock = std::chrono::steady_clock;
    void draw(std::uint64_t done) const;

    std::string unit_;
    std::uint64_t total_;
    bool watched_;
    Clock::time_point started_ = Clock::now();
    Clock::time_point drawn_{};
    std::uint64_t done_ = 0;
};

}  // namespace leither::app
