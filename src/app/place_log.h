// The lines of one of several organizations: each says which.
#pragma once

#include <string>
#include <utility>

#include "leither/base/log.h"

namespace leither::app {

class PlaceLog final : public LogSink {
 public:
    // `sink` outlives it.
    PlaceLog(LogSink& sink, const std::string& name)
        : sink_(sink), field_(name.empty() ? "" : "org=" + name) {}

    bool enabled(std::string_view room, LogLevel level) const override {
        return sink_.enabled(room, level);
    }
    void write(std::string_view room, LogLevel level, std::string_view event,
               std::string_view fields) override {
        if (field_.empty()) return sink_.write(room, level, event, fields);
        const std::string all = fields.empty() ? field_ : field_ + " " + std::string(fields);
        sink_.write(room, level, event, all);
    }

 private:
    LogSink& sink_;
    std::string field_;
};

}  // namespace leither::app
