#include "app/replay/daemon_process.h"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/cli_error.h"
#include "app/data_dir.h"

namespace leither::app {

namespace {

namespace fs = std::filesystem;

constexpr auto kStartPatience = std::chrono::seconds(30);
constexpr auto kPollInterval = std::chrono::milliseconds(20);
constexpr std::size_t kLogTail = 2000;

std::string tail_of(const fs::path& path) {
    std::ifstream file(path);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    return text.size() <= kLogTail ? text : text.substr(text.size() - kLogTail);
}

fs::path program_beside(const char* name) {
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    return self.parent_path() / name;
}

// In the child: never returns. Only async-signal-safe calls between fork and exec.
[[noreturn]] void become(char* const* arguments, const char* log) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // it shall not outlive us, however we end
    const int out = ::open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execv(arguments[0], arguments);
    ::_exit(127);
}

}  // namespace

TemporaryDir::TemporaryDir(KeepData keep) : keep_(keep) {
    std::string pattern = (fs::temp_directory_path() / "leither-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw CliError(CliExit::local, "io",
                       fmt::format("No temporary directory can be made at {}.", pattern),
                       "Set TMPDIR to a writable place.");
    }
    path_ = pattern;
}

TemporaryDir::~TemporaryDir() {
    std::error_code ignored;
    if (keep_ == KeepData::no) fs::remove_all(path_, ignored);
}

DaemonProcess::DaemonProcess(const fs::path& data_dir, const std::vector<std::string>& overrides)
    : data_dir_(data_dir), log_(data_dir / "leitherd.log") {
    std::vector<std::string> arguments = {program_beside("leitherd").string(),
                                          "--data-dir",
                                          data_dir.string(),
                                          "--set",
                                          "rpc.listen=127.0.0.1:0",
                                          "--set",
                                          "network.enabled=false"};
    for (const auto& text : overrides) arguments.insert(arguments.end(), {"--set", text});
    std::vector<char*> pointers;
    for (auto& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) become(pointers.data(), log_.c_str());
    if (pid_ < 0) throw CliError(CliExit::local, "fork", "No process can be started.");
    wait_until_ready();
}

DaemonProcess::~DaemonProcess() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
}

void DaemonProcess::wait_until_ready() {
    const auto deadline = std::chrono::steady_clock::now() + kStartPatience;
    while (!fs::exists(DataDir(data_dir_).address())) {
        int status = 0;
        const bool ended = ::waitpid(pid_, &status, WNOHANG) == pid_;
        if (ended) pid_ = -1;
        if (ended || std::chrono::steady_clock::now() > deadline) {
            throw CliError(CliExit::unreachable, "daemon_failed",
                           fmt::format("The daemon did not start:\n{}", tail_of(log_)),
                           "Is leitherd beside leither?");
        }
        std::this_thread::sleep_for(kPollInterval);
    }
}

}  // namespace leither::app
