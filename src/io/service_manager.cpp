#include "leither/io/service_manager.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

namespace leither::io {
namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

std::uint64_t monotonic_us() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

// A status is one line of the protocol.
std::string one_line(std::string_view text) {
    std::string line(text);
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line;
}

}  // namespace

ServiceManager::ServiceManager() : ServiceManager(environment("NOTIFY_SOCKET")) {}
ServiceManager::ServiceManager(std::string socket_path) : socket_path_(std::move(socket_path)) {}

void ServiceManager::ready(std::string_view text) {
    send("READY=1\nSTATUS=" + one_line(text));
}
void ServiceManager::reloading() {
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_us()));
}
void ServiceManager::stopping() {
    send("STOPPING=1");
}
void ServiceManager::status(std::string_view text) {
    send("STATUS=" + one_line(text));
}
void ServiceManager::watchdog() {
    send("WATCHDOG=1");
}

void ServiceManager::send(const std::string& message) {
    sockaddr_un address{};
    if (socket_path_.empty() || socket_path_.size() >= sizeof(address.sun_path)) return;
    address.sun_family = AF_UNIX;
    std::copy(socket_path_.begin(), socket_path_.end(), address.sun_path);
    if (socket_path_.front() == '@') address.sun_path[0] = '\0';
    const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return;
    const auto length =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_path_.size());
    // Nobody to report a failure to: the service manager itself will miss the message.
    [[maybe_unused]] const auto sent =
        sendto(descriptor, message.data(), message.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), length);
    close(descriptor);
}

}  // namespace leither::io
