// A leitherd of our own, in a data directory of its own, for as long as this object lives.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace leither::app {

enum class KeepData : std::uint8_t { no, yes };

// A fresh directory below the system's temporary one, removed at the end unless kept.
class TemporaryDir {
 public:
    explicit TemporaryDir(KeepData keep);
    TemporaryDir(const TemporaryDir&) = delete;
    TemporaryDir& operator=(const TemporaryDir&) = delete;
    ~TemporaryDir();
    const std::filesystem::path& path() const { return path_; }

 private:
    std::filesystem::path path_;
    KeepData keep_;
};

class DaemonProcess {
 public:
    // Starts the leitherd that lies beside this program and waits until it serves; any free port.
    // Throws CliError with the end of its log if it does not come up.
    DaemonProcess(const std::filesystem::path& data_dir, const std::vector<std::string>& overrides);
    DaemonProcess(const DaemonProcess&) = delete;
    DaemonProcess& operator=(const DaemonProcess&) = delete;
    // Stops it as SIGTERM does.
    ~DaemonProcess();

 private:
    void wait_until_ready();

    std::filesystem::path data_dir_;
    std::filesystem::path log_;
    pid_t pid_ = -1;
};

}  // namespace leither::app
