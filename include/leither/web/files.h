// The dashboard's files, as they lie in src/web/site, within the program.
#pragma once

#include <span>
#include <string_view>

namespace leither::web {

struct File {
    std::string_view path;  // as asked for: "/", "/app.js", "/pages/pay.js"
    std::string_view content_type;
    std::string_view etag;  // with its quotes, as HTTP wants it; another for other content
    std::string_view content;
};

// By path.
std::span<const File> files();
// Null if there is no such file.
const File* find(std::string_view path);

}  // namespace leither::web
