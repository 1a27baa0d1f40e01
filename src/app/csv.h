// Payment histories' own narrow CSV: a heading line with fixed column names, then plain fields
// without quotes. Faults name file and line.
#pragma once

#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "leither/base/amount.h"
#include "leither/base/fixed_bytes.h"

namespace leither::app {

class CsvError : public std::runtime_error {
 public:
    using std::runtime_error::runtime_error;
};

class CsvReader {
 public:
    // Opens `path` and demands exactly `columns` ("a,b,c") as its first line. Throws CsvError.
    CsvReader(const std::string& path, std::string_view columns);

    // Reads the next row; false at the end. Empty lines are skipped.
    bool next();

    // ---- The row at hand ----
    std::string_view text(std::size_t column) const { return fields_[column]; }
    Id id(std::size_t column) const;
    Amount amount(std::size_t column) const;
    std::size_t line() const { return line_; }
    // Throws CsvError with place and `what`.
    [[noreturn]] void refuse(const std::string& what) const;

 private:
    bool read_line();

    std::string name_;
    std::vector<std::string> columns_;
    std::ifstream file_;
    std::vector<char> line_bytes_;
    std::string buffer_;
    std::vector<std::string_view> fields_;  // into buffer_
    std::size_t line_ = 0;
};

}  // namespace leither::app
