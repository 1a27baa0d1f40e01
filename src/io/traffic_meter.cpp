#include "traffic_meter.h"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "leither/io/data_dir.h"

namespace leither::io {

namespace {

Instant present() {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

peer::Budget::Usage read_usage(const std::string& file) {
    peer::Budget::Usage usage;
    std::ifstream in(file);
    if (!(in >> usage.month >> usage.up_bytes >> usage.down_bytes)) return {};
    return usage;
}

}  // namespace

TrafficMeter::TrafficMeter(const peer::Budget::Options& options, std::string file, Log log)
    : log_(std::move(log)),
      file_(std::move(file)),
      caps_(options),
      budget_(options, read_usage(file_), present()) {}

TrafficMeter::~TrafficMeter() {
    save();
}

void TrafficMeter::spend(peer::Way way, std::uint64_t bytes, Instant now) {
    budget_.spend(way, bytes, now);
    unsaved_ += bytes;
    if (unsaved_ >= kSaveEvery) save();
}

void TrafficMeter::save() {
    unsaved_ = 0;
    if (file_.empty()) return;
    const auto usage = budget_.usage(present());
    const auto written = write_private_file(
        file_, fmt::format("{} {} {}", usage.month, usage.up_bytes, usage.down_bytes));
    if (!written) log_.warn("traffic_not_kept", "detail=\"{}\"", written.error());
}

peer::Budget::Usage TrafficMeter::usage() {
    return budget_.usage(present());
}

std::size_t TrafficMeter::Direction::take(std::size_t wanted) {
    const Instant now = present();
    const std::size_t returned = std::min(wanted, given_back_);
    given_back_ -= returned;
    if (returned == wanted) return returned;
    const auto allowed = meter_.budget_.allow(way_, now);
    const std::size_t fresh =
        static_cast<std::size_t>(std::min<std::uint64_t>(wanted - returned, allowed.bytes));
    meter_.spend(way_, fresh, now);
    return returned + fresh;
}

void TrafficMeter::Direction::give_back(std::size_t bytes) {
    given_back_ += bytes;
}

void TrafficMeter::Direction::charge(std::size_t bytes) {
    meter_.spend(way_, bytes, present());
}

Duration TrafficMeter::Direction::refill_in() {
    const Instant now = present();
    const auto allowed = meter_.budget_.allow(way_, now);
    constexpr Duration kLeast = std::chrono::milliseconds(1);
    return allowed.again ? std::max(*allowed.again - now, kLeast) : kLeast;
}

}  // namespace leither::io
