// Tells systemd how we are (sd_notify protocol over $NOTIFY_SOCKET). Without that variable every
// call does nothing, so the daemon need not know who started it.
#pragma once

#include <string>
#include <string_view>

namespace leither::io {

class ServiceManager {
 public:
    // Reads $NOTIFY_SOCKET.
    ServiceManager();
    explicit ServiceManager(std::string socket_path);

    void ready(std::string_view status);
    // RELOADING with the monotonic time that Type=notify-reload wants; end it with ready().
    void reloading();
    void stopping();
    void status(std::string_view text);
    void watchdog();

 private:
    void send(const std::string& message);
    std::string socket_path_;  // empty: nobody to tell; a leading '@' means abstract
};

}  // namespace leither::io
