// A host and port as an operator writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leither::io {

// "seed.example.org:7400": letters, digits, hyphens and dots, the last label not a number, so that
// a mistyped address is no name (RFC 3696, section 2).
struct HostName {
    std::string host;
    std::uint16_t port = 0;

    static std::optional<HostName> parse(std::string_view text);
    friend bool operator==(const HostName&, const HostName&) = default;
};

}  // namespace leither::io
