#include "support/temp_dir.h"

#include <cstdlib>

#include "leither/base/check.h"

namespace leither::testing {

TempDir::TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "leither-test-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr, name);
    path_ = name;
}

TempDir::~TempDir() {
    std::error_code ignored;  // a left-over directory is no reason to fail a test
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace leither::testing
