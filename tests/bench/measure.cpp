#include "measure.h"

#include <cstdlib>
#include <fstream>

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

namespace leither::bench {
namespace {

double seconds_of(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// The number behind `name` in a /proc file of "name: number" lines; 0 if absent.
std::uint64_t proc_number(const char* path, const std::string& name) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.rfind(name, 0) == 0) {
            return std::strtoull(line.c_str() + name.size() + 1, nullptr, 10);
        }
    }
    return 0;
}

}  // namespace

double process_cpu_seconds() {
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}
double thread_cpu_seconds() {
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}
double wall_seconds() {
    return seconds_of(CLOCK_MONOTONIC);
}

std::size_t anonymous_bytes() {
    return std::size_t{1024} * proc_number("/proc/self/smaps_rollup", "Anonymous");
}
std::uint64_t bytes_written() {
    return proc_number("/proc/self/io", "wchar");
}

ScratchDir::ScratchDir() {
    const char* base = std::getenv("LEITHER_BENCH_DIR");
    const auto parent =
        base != nullptr ? std::filesystem::path(base) : std::filesystem::temp_directory_path();
    static int count = 0;
    path_ = parent / ("leither-bench-" + std::to_string(getpid()) + "-" + std::to_string(count++));
    std::filesystem::create_directories(path_);
}

ScratchDir::~ScratchDir() {
    std::filesystem::remove_all(path_);
}

}  // namespace leither::bench
