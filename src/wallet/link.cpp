#include "leither/wallet/link.h"

#include <algorithm>

#include <fmt/format.h>

#include "leither/base/check.h"
#include "leither/codec/base32.h"
#include "leither/crypto/hash.h"

#include "link_text.h"

namespace leither::wallet {

namespace {

constexpr std::size_t kChecksumBytes = 4;
constexpr std::string_view kWhiteSpace = " \t\r\n";

Bytes checksum_of(std::string_view prefix, ByteView bytes) {
    Bytes all(prefix.begin(), prefix.end());
    all.insert(all.end(), bytes.begin(), bytes.end());
    const Hash hash = crypto::blake2b_256(all);
    return Bytes(hash.view().begin(), hash.view().begin() + kChecksumBytes);
}

bool begins_with(std::string_view text, std::string_view prefix) {
    return text.starts_with(prefix) || text.starts_with(in_capitals(prefix));
}

}  // namespace

const char* to_string(LinkFault fault) {
    switch (fault) {
        case LinkFault::other_kind: return "other_kind";
        case LinkFault::too_long: return "too_long";
        case LinkFault::damaged: return "damaged";
        case LinkFault::not_readable: return "not_readable";
    }
    UNREACHABLE();
}

std::string explain(LinkFault fault, std::string_view what) {
    switch (fault) {
        case LinkFault::other_kind: return fmt::format("This text is no {}.", what);
        case LinkFault::too_long: return fmt::format("This text is too long for a {}.", what);
        case LinkFault::damaged:
            return fmt::format("This {} is damaged: a part is missing, or a character is wrong.",
                               what);
        case LinkFault::not_readable:
            return fmt::format("This {} cannot be read by this version of leither.", what);
    }
    UNREACHABLE();
}

std::string in_capitals(std::string_view link) {
    std::string out(link);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return out;
}

std::string_view find_link(std::string_view text, std::string_view prefix) {
    while (!text.empty()) {
        const auto begin = text.find_first_not_of(kWhiteSpace);
        if (begin == std::string_view::npos) return {};
        text.remove_prefix(begin);
        const auto piece = text.substr(0, text.find_first_of(kWhiteSpace));
        if (begins_with(piece, prefix)) return piece;
        text.remove_prefix(piece.size());
    }
    return {};
}

std::string link_of(std::string_view prefix, Bytes&& bytes) {
    const Bytes checksum = checksum_of(prefix, bytes);
    bytes.insert(bytes.end(), checksum.begin(), checksum.end());
    std::string link = std::string(prefix) + to_base32(bytes);
    CHECK(link.size() <= kLinkCharactersMax);
    return link;
}

Result<Bytes, LinkFault> bytes_of_link(std::string_view prefix, std::string_view text) {
    if (!begins_with(text, prefix)) return fail(LinkFault::other_kind);
    if (text.size() > kLinkCharactersMax) return fail(LinkFault::too_long);
    // All of it in one case, so that there are two texts of one link and no more.
    const bool is_lower = text.starts_with(prefix);
    const std::string_view body = text.substr(prefix.size());
    if (!is_lower && in_capitals(body) != body) return fail(LinkFault::damaged);
    auto bytes = from_base32(body);
    const bool is_body_lower = bytes && to_base32(*bytes) == body;
    if (!bytes || is_lower != is_body_lower || bytes->size() < kChecksumBytes) {
        return fail(LinkFault::damaged);
    }
    const Bytes checksum(bytes->end() - kChecksumBytes, bytes->end());
    bytes->resize(bytes->size() - kChecksumBytes);
    if (checksum_of(prefix, *bytes) != checksum) return fail(LinkFault::damaged);
    return *std::move(bytes);
}

}  // namespace leither::wallet
