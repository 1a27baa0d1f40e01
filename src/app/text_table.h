// Columns for people: as wide as their widest cell, two spaces apart.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace leither::app {

enum class Align : std::uint8_t { left, right };

struct TextColumn {
    std::string heading;
    Align align = Align::left;
};

class TextTable {
 public:
    explicit TextTable(std::vector<TextColumn> columns) : columns_(std::move(columns)) {}

    // REQUIRES: as many cells as columns.
    void add(std::vector<std::string> cells);
    bool empty() const { return rows_.empty(); }
    // Heading and rows, each ending with a newline.
    std::string text() const;

 private:
    std::vector<TextColumn> columns_;
    std::vector<std::vector<std::string>> rows_;
};

// "name:   value" lines, values aligned.
std::string format_fields(const std::vector<std::pair<std::string, std::string>>& fields);
// Unix milliseconds as "2026-01-31 12:00:00 UTC".
std::string format_time(std::uint64_t unix_ms);
// "1 transfer", "2 transfers".
std::string count_of(std::uint64_t count, const std::string& noun);

}  // namespace leither::app
