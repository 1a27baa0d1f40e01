#include "support/worked_bytes.h"

#include <cctype>
#include <filesystem>
#include <sstream>

#include "leither/base/check.h"

#include "support/shared_data.h"

namespace leither::testing {

namespace {

std::string digits_of(const std::string& line) {
    std::string digits;
    for (const char c : line.substr(0, line.find('#'))) {
        if (std::isspace(static_cast<unsigned char>(c)) == 0) digits += c;
    }
    return digits;
}

}  // namespace

Bytes worked_bytes(const std::string& document, const std::string& name) {
    const auto docs = source_dir() / "docs";
    std::istringstream lines(load_text(docs / document));
    std::string line;
    const std::string marker = "<!-- worked bytes: " + name + " -->";
    while (line != marker) CHECK(std::getline(lines, line).good(), document + ": no " + name);
    std::getline(lines, line);
    CHECK(line == "```", document + ": a block follows " + name);
    std::string hex;
    while (std::getline(lines, line) && line != "```") hex += digits_of(line);
    const auto bytes = from_hex(hex);
    CHECK(bytes.has_value(), document + ": not hexadecimal: " + name);
    return *bytes;
}

}  // namespace leither::testing
