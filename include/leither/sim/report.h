// What came of a run: figures, goals, and whether they were met. Integers only, so that reports are
// the same everywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "leither/base/fixed_bytes.h"
#include "leither/base/time.h"

namespace leither::sim {

enum class Unit : std::uint8_t {
    number,
    hundredths,  // 253 is 2.53
    per_mille,   // 995 is 99.5 %
    micros,      // shown as milliseconds
    bytes,
};

struct Goal {
    enum class Kind : std::uint8_t { at_least, at_most };
    Kind kind = Kind::at_least;
    std::int64_t bound = 0;
    bool met_by(std::int64_t value) const {
        return kind == Kind::at_least ? value >= bound : value <= bound;
    }
};

struct Figure {
    std::string name;
    std::int64_t value = 0;
    Unit unit = Unit::number;
    std::optional<Goal> goal;
    bool is_met() const { return !goal || goal->met_by(value); }
};

// "2.53", "99.5 %", "12.345 ms"
std::string text_of(std::int64_t value, Unit unit);

struct Report {
    std::vector<Figure> figures;
    Hash hash;  // of all that happened
    std::uint64_t happenings = 0;
    Duration elapsed{0};  // virtual
    // What a checker found, one line each, and the last events before the first.
    std::vector<std::string> failures;
    std::vector<std::string> trace;

    bool passed() const;
    // REQUIRES: there is one of this name.
    const Figure& figure(std::string_view name) const;

    void add(std::string name, std::int64_t value, Unit unit = Unit::number) {
        figures.push_back({std::move(name), value, unit, std::nullopt});
    }
    void at_least(std::string name, std::int64_t bound, std::int64_t value,
                  Unit unit = Unit::number) {
        figures.push_back({std::move(name), value, unit, Goal{Goal::Kind::at_least, bound}});
    }
    void at_most(std::string name, std::int64_t bound, std::int64_t value,
                 Unit unit = Unit::number) {
        figures.push_back({std::move(name), value, unit, Goal{Goal::Kind::at_most, bound}});
    }
};

// Values of one kind, in any order. All figures of none are zero.
class Sample {
 public:
    void add(std::int64_t value) { values_.push_back(value); }
    void add(Duration value) { add(value.count()); }
    std::size_t size() const { return values_.size(); }
    // In hundredths.
    std::int64_t mean_hundredths() const;
    std::int64_t mean() const { return mean_hundredths() / 100; }
    // The least value that so many percent do not exceed.
    std::int64_t percentile(unsigned percent) const;
    std::int64_t most() const { return percentile(100); }

 private:
    std::vector<std::int64_t> values_;
};

// Of `all`, rounded down; 1000 if there are none.
std::int64_t per_mille(std::uint64_t some, std::uint64_t all);

}  // namespace leither::sim
