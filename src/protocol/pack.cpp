#include "leither/protocol/pack.h"

#include <algorithm>
#include <array>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

#include "plain_text.h"
#include "rising.h"

namespace leither::protocol {

namespace {

constexpr std::size_t kComponentBytesMax = 100;
// What some file system or shell takes for its own.
constexpr std::string_view kReserved = "\\:*?\"<>|";

// Of all its files the list is one piece, so that it travels like any other.
static_assert(kPackPiecesMax * Hash::kSize < kContentPieceMax);

bool is_safe_component(std::string_view name) {
    return !name.empty() && name.size() <= kComponentBytesMax && name.front() != '.' &&
           name.front() != ' ' && name.back() != ' ' && name.back() != '.' && is_plain_text(name) &&
           name.find_first_of(kReserved) == std::string_view::npos;
}

// Whether `folder` is a folder on the way to `path`.
bool is_below(std::string_view path, std::string_view folder) {
    return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

}  // namespace

const char* to_string(ApplicationKind kind) {
    switch (kind) {
        case ApplicationKind::search: return "search";
        case ApplicationKind::social: return "social";
        case ApplicationKind::content: return "content";
        case ApplicationKind::service: return "service";
        case ApplicationKind::tool: return "tool";
    }
    UNREACHABLE();
}

std::optional<ApplicationKind> application_kind(std::string_view name) {
    for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(last_of(ApplicationKind{})); ++i) {
        const auto kind = static_cast<ApplicationKind>(i);
        if (name == to_string(kind)) return kind;
    }
    return std::nullopt;
}

bool is_safe_path(std::string_view path) {
    for (;;) {
        const std::size_t slash = path.find('/');
        if (!is_safe_component(path.substr(0, slash))) return false;
        if (slash == std::string_view::npos) return true;
        path.remove_prefix(slash + 1);
    }
}

const char* to_string(ContentsError error) {
    switch (error) {
        case ContentsError::wrong_hash: return "wrong_hash";
        case ContentsError::bad_encoding: return "bad_encoding";
        case ContentsError::wrong_total: return "wrong_total";
        case ContentsError::missing_entry: return "missing_entry";
    }
    UNREACHABLE();
}

bool Pack::is_canonical() const {
    const bool is_named = !name.empty() && is_plain_text(name) && !version.empty() &&
                          is_plain_text(version) && is_plain_text(text);
    const bool is_bounded = contents_bytes > 0 && contents_bytes <= kContentPieceMax && bytes > 0 &&
                            bytes <= kPackBytesMax;
    return is_named && is_bounded && !applications.empty() &&
           std::ranges::all_of(applications,
                               [](const PackApplication& one) { return is_safe_path(one.entry); });
}

std::size_t pieces_of(std::uint64_t file_bytes) {
    return static_cast<std::size_t>(file_bytes / kContentPieceMax +
                                    (file_bytes % kContentPieceMax == 0 ? 0 : 1));
}

std::uint32_t piece_bytes(std::uint64_t file_bytes, std::size_t index) {
    CHECK(index < pieces_of(file_bytes));
    const std::uint64_t before = std::uint64_t{index} * kContentPieceMax;
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(kContentPieceMax, file_bytes - before));
}

bool PackFile::is_canonical() const {
    return bytes <= kPackBytesMax && pieces.size() == pieces_of(bytes);
}

bool PackContents::is_canonical() const {
    if (files.empty() || !strictly_rising(files, &PackFile::path)) return false;
    // "a", "a-b", "a/c" is in order, so a folder is not always the neighbour of what is below it.
    const auto is_folder_of_another = [&](const PackFile& one) {
        const auto from = std::ranges::lower_bound(files, one.path + "/", {}, &PackFile::path);
        return from != files.end() && is_below(from->path, one.path);
    };
    return std::ranges::all_of(files, [&](const PackFile& one) {
        return is_safe_path(one.path) && !is_folder_of_another(one);
    });
}

std::uint64_t PackContents::bytes() const {
    std::uint64_t sum = 0;  // at most kPackFilesMax * kPackBytesMax
    for (const PackFile& file : files) sum += file.bytes;
    return sum;
}

const PackFile* PackContents::file(std::string_view path) const {
    const auto found = std::ranges::find_if(
        files, [&](const PackFile& one) { return std::string_view(one.path) == path; });
    return found == files.end() ? nullptr : &*found;
}

Result<PackContents, ContentsError> read_contents(const Pack& pack, ByteView encoded) {
    const bool is_named =
        encoded.size() == pack.contents_bytes && crypto::blake2b_256(encoded) == pack.contents;
    if (!is_named) return fail(ContentsError::wrong_hash);
    auto contents = bcs::decode<PackContents>(encoded);
    if (!contents) return fail(ContentsError::bad_encoding);
    if (contents->bytes() != pack.bytes) return fail(ContentsError::wrong_total);
    for (const PackApplication& application : pack.applications) {
        if (contents->file(application.entry) == nullptr) {
            return fail(ContentsError::missing_entry);
        }
    }
    return *std::move(contents);
}

Hash pack_id(const ChainId& chain, const Pack& pack) {
    return crypto::tagged_hash(tags::kPack, chain, bcs::encode(pack));
}

Id announce_id(const Hash& pack) {
    return Id::copy_of(pack.view().first(Id::kSize));
}

Bytes signing_message(const ChainId& chain, const Pack& pack) {
    return crypto::tagged_message(tags::kPack, chain, bcs::encode(pack));
}

SignedPack sign(const ChainId& chain, const Pack& pack, const crypto::KeyPair& publisher) {
    CHECK(publisher.public_key() == pack.publisher && pack.is_canonical());
    return {pack, publisher.sign(signing_message(chain, pack))};
}

Result<void, RecordError> check(const SignedPack& signed_, const ChainId& chain, Instant now) {
    const Pack& pack = signed_.pack;
    if (pack.published_ms > unix_ms(now + kClockTolerance)) {
        return fail(RecordError::from_the_future);
    }
    if (!crypto::verify(pack.publisher, signing_message(chain, pack), signed_.signature)) {
        return fail(RecordError::bad_signature);
    }
    return {};
}

}  // namespace leither::protocol
