#include "support/shared_data.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "leither/base/check.h"

namespace leither::testing {

std::filesystem::path source_dir() {
    return LEITHER_SOURCE_DIR;
}

std::optional<std::filesystem::path> shared_data_dir() {
    if (const char* dir = std::getenv("LEITHER_SHARED_DATA")) return dir;
    const auto beside = source_dir().parent_path() / "shared/data";
    if (std::filesystem::is_directory(beside)) return std::filesystem::canonical(beside);
    return std::nullopt;
}

std::string load_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    CHECK(file.good(), path.string());
    return std::string((std::istreambuf_iterator<char>(file)), {});
}

nlohmann::json load_json(const std::string& relative_path) {
    return nlohmann::json::parse(load_text(*shared_data_dir() / relative_path));
}

nlohmann::json load_vectors(const std::string& relative_path) {
    nlohmann::json file = load_json("vectors/" + relative_path);
    CHECK(!file["vectors"].empty() && file["vectors"].size() == file["count"], relative_path);
    return std::move(file["vectors"]);
}

}  // namespace leither::testing
