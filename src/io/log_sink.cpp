#include "leither/io/log_sink.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "leither/base/check.h"

namespace leither::io {
namespace {

constexpr std::array<std::pair<std::string_view, LogLevel>, 6> kLevels = {
    {{"trace", LogLevel::trace},
     {"debug", LogLevel::debug},
     {"info", LogLevel::info},
     {"warn", LogLevel::warn},
     {"error", LogLevel::error},
     {"off", LogLevel::off}}};

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::trace: return spdlog::level::trace;
        case LogLevel::debug: return spdlog::level::debug;
        case LogLevel::info: return spdlog::level::info;
        case LogLevel::warn: return spdlog::level::warn;
        case LogLevel::error: return spdlog::level::err;
        case LogLevel::off: return spdlog::level::off;
    }
    UNREACHABLE();
}

// The priority that the journal reads at the beginning of a line (sd-daemon(3)).
const char* journal_priority(LogLevel level) {
    switch (level) {
        case LogLevel::trace:
        case LogLevel::debug: return "<7>";
        case LogLevel::info: return "<6>";
        case LogLevel::warn: return "<4>";
        case LogLevel::error:
        case LogLevel::off: return "<3>";
    }
    UNREACHABLE();
}

constexpr const char* kTimed = "%Y-%m-%dT%H:%M:%S.%e%z %v";
constexpr const char* kBare = "%v";

}  // namespace

struct SpdlogSink::Impl {
    LogLevel level = LogLevel::info;
    std::map<std::string, LogLevel, std::less<>> rooms;
    bool journal = false;
    LogRing recent;
    std::unique_ptr<spdlog::logger> standard_output;
    std::unique_ptr<spdlog::logger> file;
};

void LogRing::add(Instant now, std::string_view room, LogLevel level, std::string_view event,
                  std::string_view fields) {
    if (lines_.size() >= kLinesMax) lines_.pop_front();
    lines_.push_back({++last_number_, now, to_string(level), std::string(room), std::string(event),
                      std::string(fields.substr(0, kFieldsMax))});
}

std::vector<rpc::LogLine> LogRing::lines(std::uint64_t after, std::size_t max) const {
    auto begin = std::find_if(lines_.begin(), lines_.end(),
                              [after](const rpc::LogLine& line) { return line.number > after; });
    const auto found = static_cast<std::size_t>(std::distance(begin, lines_.end()));
    if (found > max) begin += static_cast<std::ptrdiff_t>(found - max);
    return {begin, lines_.end()};
}

std::optional<LogLevel> parse_log_level(std::string_view word) {
    for (const auto& [name, level] : kLevels) {
        if (name == word) return level;
    }
    return std::nullopt;
}

const char* to_string(LogLevel level) {
    return kLevels[static_cast<std::size_t>(level)].first.data();
}

Result<std::unique_ptr<SpdlogSink>, std::string> SpdlogSink::open(const LogOptions& options) {
    auto impl = std::make_unique<Impl>();
    impl->level = options.level;
    impl->rooms = options.rooms;
    impl->journal = std::getenv("JOURNAL_STREAM") != nullptr;
    const auto make_logger = [](spdlog::sink_ptr sink, const char* pattern) {
        auto logger = std::make_unique<spdlog::logger>("leither", std::move(sink));
        logger->set_pattern(pattern);
        logger->set_level(spdlog::level::trace);  // we have filtered already
        logger->flush_on(spdlog::level::trace);
        return logger;
    };
    impl->standard_output = make_logger(std::make_shared<spdlog::sinks::stdout_sink_st>(),
                                        impl->journal ? kBare : kTimed);
    if (!options.file.empty()) {
        try {
            impl->file = make_logger(std::make_shared<spdlog::sinks::rotating_file_sink_st>(
                                         options.file, options.file_bytes_max, options.files_max),
                                     kTimed);
        } catch (const spdlog::spdlog_ex& error) {
            return fail(std::string(error.what()));
        }
    }
    return std::unique_ptr<SpdlogSink>(new SpdlogSink(std::move(impl)));
}

SpdlogSink::SpdlogSink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SpdlogSink::~SpdlogSink() = default;

void SpdlogSink::set_levels(LogLevel level, std::map<std::string, LogLevel, std::less<>> rooms) {
    impl_->level = level;
    impl_->rooms = std::move(rooms);
}

const LogRing& SpdlogSink::recent() const {
    return impl_->recent;
}

bool SpdlogSink::enabled(std::string_view room, LogLevel level) const {
    const auto own = impl_->rooms.find(room);
    return level >= (own == impl_->rooms.end() ? impl_->level : own->second);
}

void SpdlogSink::write(std::string_view room, LogLevel level, std::string_view event,
                       std::string_view fields) {
    const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    impl_->recent.add(now, room, level, event, fields);
    std::string line = fmt::format("{} {} {}", to_string(level), room, event);
    if (!fields.empty()) line.append(1, ' ').append(fields);
    if (impl_->file) impl_->file->log(spdlog_level(level), line);
    if (impl_->journal) line.insert(0, journal_priority(level));
    impl_->standard_output->log(spdlog_level(level), line);
}

}  // namespace leither::io
