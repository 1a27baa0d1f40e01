// The daemon's log on spdlog: lines "<level> <room> <event> key=value ..." on standard output, and
// in a rotating file if asked for. Under systemd ($JOURNAL_STREAM) a line carries no time, since
// the journal has its own, and begins with the priority the journal reads ("<6>").
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "leither/base/log.h"
#include "leither/base/result.h"
#include "leither/base/time.h"
#include "leither/rpc/front.h"

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

// The newest lines, for whoever looks at a running daemon. Bounded in number and in length.
class LogRing {
 public:
    static constexpr std::size_t kLinesMax = 500;
    static constexpr std::size_t kFieldsMax = 1024;  // bytes; what is longer is cut

    void add(Instant now, std::string_view room, LogLevel level, std::string_view event,
             std::string_view fields);
    // The newest behind number `after`, oldest first, at most `max`.
    std::vector<rpc::LogLine> lines(std::uint64_t after, std::size_t max) const;

 private:
    std::deque<rpc::LogLine> lines_;
    std::uint64_t last_number_ = 0;
};

class SpdlogSink final : public LogSink {
 public:
    // What the operator reads if `options.file` cannot be opened.
    static Result<std::unique_ptr<SpdlogSink>, std::string> open(const LogOptions& options);
    ~SpdlogSink() override;

    // Not while another thread logs: call on the reactor's thread, which is the one that logs.
    void set_levels(LogLevel level, std::map<std::string, LogLevel, std::less<>> rooms);

    // What was written last. On the thread that logs.
    const LogRing& recent() const;

    bool enabled(std::string_view room, LogLevel level) const override;
    void write(std::string_view room, LogLevel level, std::string_view event,
               std::string_view fields) override;

 private:
    struct Impl;
    explicit SpdlogSink(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::io
