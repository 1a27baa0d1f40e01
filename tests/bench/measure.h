// What benchmarks measure with: CPU of the whole process and of one thread, memory, bytes on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace leither::bench {

// CPU seconds of this process, all threads (LevelDB compacts on its own), user and system.
double process_cpu_seconds();
double thread_cpu_seconds();
double wall_seconds();

// Bytes of anonymous memory of this process, now (/proc/self/smaps_rollup).
std::size_t anonymous_bytes();
// Bytes this process has handed to write(2) so far (/proc/self/io, wchar).
std::uint64_t bytes_written();

// A fresh directory, removed with everything in it at the end. Below $LEITHER_BENCH_DIR if set (a
// real disk), else the system's temporary directory.
class ScratchDir {
 public:
    ScratchDir();
    ~ScratchDir();
    ScratchDir(const ScratchDir&) = delete;
    ScratchDir& operator=(const ScratchDir&) = delete;
    std::string path() const { return path_.string(); }

 private:
    std::filesystem::path path_;
};

}  // namespace leither::bench
