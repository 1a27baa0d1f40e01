#include "leither/sim/trace.h"

#include <algorithm>

#include <fmt/format.h>

#include "leither/base/check.h"

namespace leither::sim {

namespace {

std::string time_of(Duration since_start) {
    const auto micros = since_start.count();
    return fmt::format("+{}.{:06}", micros / 1'000'000, micros % 1'000'000);
}

std::string event_line(Kind kind, const Endpoint& from, const Endpoint& to, std::size_t bytes) {
    if (to.port == 0) return fmt::format("{} {}", to_string(kind), from.text());
    return fmt::format("{} {} > {} {} bytes", to_string(kind), from.text(), to.text(), bytes);
}

}  // namespace

const char* to_string(Kind kind) {
    switch (kind) {
        case Kind::note: return "note";
        case Kind::started: return "started";
        case Kind::stopped: return "stopped";
        case Kind::crashed: return "crashed";
        case Kind::suspended: return "suspended";
        case Kind::resumed: return "resumed";
        case Kind::woken: return "woken";
        case Kind::datagram: return "datagram";
        case Kind::lost: return "lost";
        case Kind::cut: return "cut";
        case Kind::dropped: return "dropped";
        case Kind::accepted: return "accepted";
        case Kind::refused: return "refused";
        case Kind::bytes: return "bytes";
        case Kind::ended: return "ended";
        case Kind::reset: return "reset";
        case Kind::clock_set: return "clock_set";
    }
    UNREACHABLE();
}

std::string line_of(const Happening& happening, Duration since_start) {
    if (happening.kind == Kind::note) {
        return fmt::format("{} {}", time_of(since_start), as_text(happening.bytes));
    }
    return fmt::format(
        "{} {}", time_of(since_start),
        event_line(happening.kind, happening.from, happening.to, happening.bytes.size()));
}

void Recent::add(const Happening& happening, Duration since_start) {
    const std::uint64_t number = ++added_;
    if (happening.kind == Kind::note) {
        if (notes_.size() == kNotesMax) notes_.pop_front();
        notes_.push_back(
            {number, since_start, Kind::note, {}, {}, 0, std::string(as_text(happening.bytes))});
        return;
    }
    const std::size_t place = others_added_++ % kOthersMax;
    if (others_.size() <= place) others_.emplace_back();
    others_[place] = {
        number, since_start, happening.kind, happening.from, happening.to, happening.bytes.size(),
        {}};
}

std::string Recent::line_of(const Entry& entry) {
    const bool is_note = entry.kind == Kind::note;
    return fmt::format(
        "{} {}", time_of(entry.at),
        is_note ? entry.text : event_line(entry.kind, entry.from, entry.to, entry.bytes));
}

std::vector<std::string> Recent::lines() const {
    std::vector<const Entry*> entries;
    for (const Entry& each : notes_) entries.push_back(&each);
    for (const Entry& each : others_) entries.push_back(&each);
    std::sort(entries.begin(), entries.end(),
              [](const Entry* a, const Entry* b) { return a->number < b->number; });
    std::vector<std::string> out;
    for (const Entry* each : entries) out.push_back(line_of(*each));
    return out;
}

}  // namespace leither::sim
