#include "app/text_table.h"

#include <algorithm>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "leither/base/check.h"

#include "app/printable.h"

namespace leither::app {

namespace {

// Characters, not bytes, of UTF-8 text.
std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width, Align align) {
    const std::string blanks(width - std::min(width, width_of(text)), ' ');
    return align == Align::left ? text + blanks : blanks + text;
}

}  // namespace

void TextTable::add(std::vector<std::string> cells) {
    CHECK(cells.size() == columns_.size());
    for (std::string& cell : cells) cell = printable(cell, LineBreaks::escaped);
    rows_.push_back(std::move(cells));
}

std::string TextTable::text() const {
    std::vector<std::string> headings;
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        headings.push_back(columns_[i].heading);
        std::size_t width = width_of(columns_[i].heading);
        for (const auto& row : rows_) width = std::max(width, width_of(row[i]));
        widths.push_back(width);
    }
    std::string out;
    const auto add_line = [&](const std::vector<std::string>& cells) {
        std::string line;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            line += (i == 0 ? "" : "  ") + padded(cells[i], widths[i], columns_[i].align);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    };
    add_line(headings);
    for (const auto& row : rows_) add_line(row);
    return out;
}

std::string format_fields(const std::vector<std::pair<std::string, std::string>>& fields) {
    std::size_t width = 0;
    for (const auto& [name, value] : fields) width = std::max(width, width_of(name) + 1);
    std::string out;
    for (const auto& [name, value] : fields) {
        out += fmt::format("{}  {}\n", padded(name + ":", width, Align::left),
                           printable(value, LineBreaks::escaped));
    }
    return out;
}

std::string format_time(std::uint64_t unix_ms) {
    const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
    std::tm utc{};
    if (::gmtime_r(&seconds, &utc) == nullptr) return std::to_string(unix_ms) + " ms";
    return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", utc);
}

std::string count_of(std::uint64_t count, const std::string& noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace leither::app
