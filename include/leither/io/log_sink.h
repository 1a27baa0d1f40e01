// The daemon's log on spdlog: lines "<level> <room> <event> key=value ..." on standard output, and
// in a rotating file if asked for. Under systemd ($JOURNAL_STREAM) a line carries no time, since
// the journal has its own, and begins with the priority the journal reads ("<6>").
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "leither/base/log.h"
#include "leither/base/result.h"

namespace leither::io {

// "trace" ... "off"; nothing for any other word.
std::optional<LogLevel> parse_log_level(std::string_view word);
const char* to_string(LogLevel level);

struct LogOptions {
    LogLevel level = LogLevel::info;
    std::map<std::string, LogLevel, std::less<>> rooms = {};  // exceptions from `level`
    std::string file = {};                                    // empty: standard output only
    std::size_t file_bytes_max = std::size_t{8} << 20;
    std::size_t files_max = 4;  // kept beside the current one
};

class SpdlogSink final : public LogSink {
 public:
    // What the operator reads if `options.file` cannot be opened.
    static Result<std::unique_ptr<SpdlogSink>, std::string> open(const LogOptions& options);
    ~SpdlogSink() override;

    // Not while another thread logs: call on the reactor's thread, which is the one that logs.
    void set_levels(LogLevel level, std::map<std::string, LogLevel, std::less<>> rooms);

    bool enabled(std::string_view room, LogLevel level) const override;
    void write(std::string_view room, LogLevel level, std::string_view event,
               std::string_view fields) override;

 private:
    struct Impl;
    explicit SpdlogSink(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::io
