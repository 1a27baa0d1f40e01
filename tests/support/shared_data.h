// Published vectors and payment histories that live beside the checkout, not in it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace leither::testing {

// The root of this checkout: documents and scenarios that tests read. (A build knows no absolute
// path elsewhere; __FILE__ is relative.)
std::filesystem::path source_dir();

// $LEITHER_SHARED_DATA, else ../shared/data seen from the project root; nothing if absent.
std::optional<std::filesystem::path> shared_data_dir();

// The parsed file below shared_data_dir(). REQUIRES: shared_data_dir().
nlohmann::json load_json(const std::string& relative_path);
// The "vectors" of a file below vectors/; CHECKs that they are as many as its "count" says.
nlohmann::json load_vectors(const std::string& relative_path);
std::string load_text(const std::filesystem::path& path);

}  // namespace leither::testing

// For the first line of a test that needs the data.
#define REQUIRE_SHARED_DATA()                   \
    if (!::leither::testing::shared_data_dir()) \
    GTEST_SKIP() << "needs the shared data folder; set LEITHER_SHARED_DATA"
