#include "process_stats.h"

#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

namespace leither::io {
namespace {

std::uint64_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t total_pages = 0;
    std::uint64_t resident_pages = 0;
    statm >> total_pages >> resident_pages;
    return statm ? resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

Duration duration_of(const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

rpc::ProcessStats read_process_stats(Duration uptime) {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return {.resident_bytes = resident_bytes(),
            .cpu = duration_of(usage.ru_utime) + duration_of(usage.ru_stime),
            .uptime = uptime,
            .line = std::nullopt};
}

}  // namespace leither::io
