#include "leither/sim/report.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "leither/base/check.h"

namespace leither::sim {

std::string text_of(std::int64_t value, Unit unit) {
    switch (unit) {
        case Unit::number: return fmt::format("{}", value);
        case Unit::hundredths: return fmt::format("{}.{:02}", value / 100, value % 100);
        case Unit::per_mille: return fmt::format("{}.{} %", value / 10, value % 10);
        case Unit::micros: return fmt::format("{}.{:03} ms", value / 1000, value % 1000);
        case Unit::bytes: return fmt::format("{} bytes", value);
    }
    UNREACHABLE();
}

bool Report::passed() const {
    return std::all_of(figures.begin(), figures.end(),
                       [](const Figure& each) { return each.is_met(); });
}

const Figure& Report::figure(std::string_view name) const {
    const auto found = std::find_if(figures.begin(), figures.end(),
                                    [&](const Figure& each) { return each.name == name; });
    CHECK(found != figures.end(), name);
    return *found;
}

std::int64_t Sample::mean_hundredths() const {
    if (values_.empty()) return 0;
    const std::int64_t sum = std::accumulate(values_.begin(), values_.end(), std::int64_t{0});
    return 100 * sum / static_cast<std::int64_t>(values_.size());
}

std::int64_t Sample::percentile(unsigned percent) const {
    if (values_.empty()) return 0;
    std::vector<std::int64_t> sorted = values_;
    std::sort(sorted.begin(), sorted.end());
    const std::size_t rank = (sorted.size() * percent + 99) / 100;
    return sorted[rank == 0 ? 0 : rank - 1];
}

std::int64_t per_mille(std::uint64_t some, std::uint64_t all) {
    return all == 0 ? 1000 : static_cast<std::int64_t>(1000 * some / all);
}

}  // namespace leither::sim
