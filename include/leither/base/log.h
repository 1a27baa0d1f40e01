// Structured logging through an injected sink: the daemon's writes lines with spdlog, a test's
// records events. Event names are stable and grep-able; fields carry no secrets, and no account
// details above debug.
//   error = the operator must act; warn = should look; info = rare, not triggerable by a peer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace leither {

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, off };

class LogSink {
 public:
    virtual ~LogSink() = default;
    virtual bool enabled(std::string_view room, LogLevel level) const = 0;
    // `fields` is "key=value key=value", already formatted.
    virtual void write(std::string_view room, LogLevel level, std::string_view event,
                       std::string_view fields) = 0;
};

// A room's handle on the sink. Copyable; the sink outlives it. A null sink drops everything.
class Log {
 public:
    Log() = default;
    Log(LogSink* sink, std::string_view room) : sink_(sink), room_(room) {}

    Log with_room(std::string_view room) const { return Log(sink_, room); }

    // log.info("block_sealed", "sequence={} transactions={}", sequence, count);
    // Arguments are formatted only if the level is on.
    template <class... Args>
    void error(std::string_view event, fmt::format_string<Args...> text = "",
               Args&&... args) const {
        emit(LogLevel::error, event, text, std::forward<Args>(args)...);
    }
    template <class... Args>
    void warn(std::string_view event, fmt::format_string<Args...> text = "", Args&&... args) const {
        emit(LogLevel::warn, event, text, std::forward<Args>(args)...);
    }
    template <class... Args>
    void info(std::string_view event, fmt::format_string<Args...> text = "", Args&&... args) const {
        emit(LogLevel::info, event, text, std::forward<Args>(args)...);
    }
    template <class... Args>
    void debug(std::string_view event, fmt::format_string<Args...> text = "",
               Args&&... args) const {
        emit(LogLevel::debug, event, text, std::forward<Args>(args)...);
    }

 private:
    template <class... Args>
    void emit(LogLevel level, std::string_view event, fmt::format_string<Args...> text,
              Args&&... args) const {
        if (sink_ == nullptr || !sink_->enabled(room_, level)) return;
        sink_->write(room_, level, event, fmt::format(text, std::forward<Args>(args)...));
    }

    LogSink* sink_ = nullptr;
    std::string room_;
};

}  // namespace leither
