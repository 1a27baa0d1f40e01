// What the policy of docs/dashboard.md would stop in a browser is found here already.
#include "leither/web/files.h"

#include <algorithm>
#include <regex>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace leither::web {
namespace {

bool ends_with(std::string_view path, std::string_view end) {
    return path.size() >= end.size() && path.substr(path.size() - end.size()) == end;
}

std::set<std::string> matches(const File& file, const std::string& pattern) {
    const std::string text(file.content);
    const std::regex regex(pattern);
    std::set<std::string> found;
    for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) {
        found.insert(at->size() > 1 ? at->str(1) : at->str());
    }
    return found;
}

// "./a.js" or "../a.js", seen from `from`, as a path of ours.
std::string resolve(std::string_view from, std::string target) {
    std::string folder(from.substr(0, from.rfind('/')));
    while (target.starts_with("../")) {
        target.erase(0, 3);
        folder.erase(folder.rfind('/'));
    }
    if (target.starts_with("./")) target.erase(0, 2);
    return folder + "/" + target;
}

TEST(WebFiles, AreFoundByTheirPathsOnly) {
    ASSERT_NE(find("/"), nullptr);
    EXPECT_EQ(find("/")->content_type, "text/html; charset=utf-8");
    ASSERT_NE(find("/app.js"), nullptr);
    EXPECT_EQ(find("/app.js")->content_type, "text/javascript; charset=utf-8");
    for (const char* path : {"", "/index.html", "/app", "//", "/../app.js", "/pages", "/pages/"}) {
        EXPECT_EQ(find(path), nullptr) << path;
    }
}

TEST(WebFiles, EachContentHasATagOfItsOwn) {
    std::set<std::string_view> tags;
    for (const File& file : files()) {
        EXPECT_EQ(file.etag.size(), 34u) << file.path;
        EXPECT_TRUE(file.etag.front() == '"' && file.etag.back() == '"') << file.path;
        EXPECT_TRUE(tags.insert(file.etag).second) << file.path;
        EXPECT_FALSE(file.content.empty()) << file.path;
    }
}

TEST(WebFiles, LoadNothingButEachOther) {
    std::set<std::string> loaded = {"/"};
    for (const File& file : files()) {
        for (const auto& target : matches(file, R"((?:src|href)="(/[^"#]*)\")")) {
            EXPECT_NE(find(target), nullptr) << file.path << " loads " << target;
            loaded.insert(target);
        }
        for (const auto& target : matches(file, R"(from '(\.[^']*)')")) {
            const std::string path = resolve(file.path, target);
            EXPECT_NE(find(path), nullptr) << file.path << " imports " << path;
            loaded.insert(path);
        }
        const auto addresses = matches(file, R"((?:https?|wss?|ftp)://[^\s'"`]*)");
        for (const auto& address : addresses) {
            EXPECT_TRUE(address == "http://www.w3.org/2000/svg" ||
                        address.starts_with("ws://${location.host}/rpc"))
                << file.path << " names " << address;
        }
        EXPECT_TRUE(matches(file, R"(@import|url\(|import\()").empty()) << file.path;
    }
    for (const File& file : files()) {
        EXPECT_TRUE(loaded.contains(std::string(file.path))) << file.path << " is used by none";
    }
}

TEST(WebFiles, HoldNoInlineScriptOrStyleAndParseNoMarkup) {
    for (const File& file : files()) {
        if (ends_with(file.path, ".js")) {
            // dom.js names them once, to refuse them.
            const auto found = matches(
                file,
                R"(\.(innerHTML|outerHTML|insertAdjacentHTML|write|cssText)\b|eval\(|Function\()");
            EXPECT_TRUE(found.empty()) << file.path << " uses " << *found.begin();
        } else if (!ends_with(file.path, ".css")) {
            EXPECT_TRUE(matches(file, R"(\s(?:style|on\w+)=)").empty()) << file.path;
            EXPECT_TRUE(matches(file, R"(<style|<script(?! type="module" src=))").empty())
                << file.path;
        }
    }
}

TEST(WebFiles, KeepAmountsOutOfFloatingPoint) {
    for (const File& file : files()) {
        const auto found = matches(
            file,
            R"((?:Number|parseInt|parseFloat)\((?:\w+\.)?(?:amount|balance|supply|units|sum)\b)");
        EXPECT_TRUE(found.empty()) << file.path << " has " << *found.begin();
    }
}

}  // namespace
}  // namespace leither::web
