#include "leither/web/files.h"

#include <algorithm>

namespace leither::web {

const File* find(std::string_view path) {
    const auto all = files();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [path](const File& file) { return file.path == path; });
    return found == all.end() ? nullptr : &*found;
}

}  // namespace leither::web
