#include "app/csv.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace leither::app {

namespace {

constexpr std::size_t kLineBytesMax = 64 << 10;

void split(std::string_view line, std::vector<std::string_view>& fields) {
    fields.clear();
    for (auto comma = line.find(','); comma != line.npos; comma = line.find(',')) {
        fields.push_back(line.substr(0, comma));
        line.remove_prefix(comma + 1);
    }
    fields.push_back(line);
}

}  // namespace

CsvReader::CsvReader(const std::string& path, std::string_view columns)
    : name_(path), file_(path), line_bytes_(kLineBytesMax + 1) {
    std::vector<std::string_view> names;
    split(columns, names);
    columns_.assign(names.begin(), names.end());
    if (!file_) throw CsvError(fmt::format("{}: {}", path, std::strerror(errno)));
    if (!next()) refuse(fmt::format("the file is empty; its first line must be \"{}\"", columns));
    if (buffer_ != columns) refuse(fmt::format("the first line must be \"{}\"", columns));
}

bool CsvReader::next() {
    do {
        if (!read_line()) return false;
        if (buffer_.ends_with('\r')) buffer_.pop_back();
    } while (buffer_.empty());
    split(buffer_, fields_);
    if (fields_.size() != columns_.size()) {
        refuse(fmt::format("{} fields, but {} are expected: {}", fields_.size(), columns_.size(),
                           fmt::join(columns_, ",")));
    }
    return true;
}

bool CsvReader::read_line() {
    file_.getline(line_bytes_.data(), static_cast<std::streamsize>(line_bytes_.size()));
    const auto count = static_cast<std::size_t>(file_.gcount());
    if (file_.fail() && count == 0) return false;
    ++line_;
    if (file_.fail()) refuse("the line is too long");
    const std::size_t line_end = file_.eof() ? 0 : 1;
    buffer_.assign(line_bytes_.data(), count - line_end);
    return true;
}

Id CsvReader::id(std::size_t column) const {
    const auto id = Id::parse(text(column));
    if (!id) {
        refuse(fmt::format("{} is \"{}\", but must be 40 hexadecimal digits", columns_[column],
                           text(column)));
    }
    return *id;
}

Amount CsvReader::amount(std::size_t column) const {
    const auto amount = parse_amount(text(column), 0);
    if (!amount) {
        refuse(fmt::format("{} is \"{}\", but must be a whole number from 0 to {}",
                           columns_[column], text(column), Amount::kMax));
    }
    return *amount;
}

void CsvReader::refuse(const std::string& what) const {
    throw CsvError(fmt::format("{}:{}: {}", name_, line_, what));
}

}  // namespace leither::app
