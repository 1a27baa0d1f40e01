#include "app/small_file.h"

#include <fstream>
#include <iostream>

#include <fmt/format.h>

#include "app/cli_error.h"

namespace leither::app {

std::string read_small_file(const std::string& path, std::size_t bytes_max) {
    std::ifstream file;
    if (path != "-") file.open(path, std::ios::binary);
    std::istream& in = path == "-" ? std::cin : file;
    std::string content(bytes_max + 1, '\0');
    if (in) in.read(content.data(), static_cast<std::streamsize>(content.size()));
    if ((path != "-" && !file.is_open()) || in.bad()) {
        throw CliError(CliExit::local, "bad_file", fmt::format("{} cannot be read.", path),
                       "Check the path and its permissions.");
    }
    content.resize(static_cast<std::size_t>(in.gcount()));
    return content;
}

void write_file(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text << std::flush;
    if (file) return;
    throw CliError(CliExit::local, "io", fmt::format("{} cannot be written.", path),
                   "Choose another place with --out.");
}

std::optional<Bytes> hex_field(const nlohmann::ordered_json& file, const char* name) {
    const auto field = file.find(name);
    if (field == file.end() || !field->is_string()) return std::nullopt;
    return from_hex(field->get_ref<const std::string&>());
}

}  // namespace leither::app
