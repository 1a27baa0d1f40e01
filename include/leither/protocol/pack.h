// Business packs (docs/protocol/packs.md): what a member publishes for the others, as a manifest
// signed by the publisher's account and files that travel as pieces, each named by its hash.
//
// The manifest names one thing by hash, the contents: the list of files with the hashes of their
// pieces. So a piece is checked alone, from whomever it comes, and the manifest stays small.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "leither/base/bounded.h"
#include "leither/base/fixed_bytes.h"
#include "leither/crypto/sign.h"
#include "leither/protocol/validity.h"

namespace leither::protocol {

inline constexpr std::uint32_t kContentPieceMax = 64 << 10;
inline constexpr std::uint64_t kPackBytesMax = 64 << 20;  // of all its files
inline constexpr std::size_t kPackFilesMax = 512;
inline constexpr std::size_t kPackPiecesMax = kPackBytesMax / kContentPieceMax + kPackFilesMax;
inline constexpr std::size_t kPackApplicationsMax = 8;  // of one pack

enum class ApplicationKind : std::uint8_t {  // encoded; never change these values
    search,                                  // finds things in the organization
    social,                                  // members meet in it
    content,                                 // something to read, hear or see
    service,                                 // something a member does for others
    tool,                                    // something to work with
};
constexpr ApplicationKind last_of(ApplicationKind) {
    return ApplicationKind::tool;
}
const char* to_string(ApplicationKind kind);
// The reverse; nothing for another word.
std::optional<ApplicationKind> application_kind(std::string_view name);

// Relative, of components parted by single slashes, none of them hidden ("." first) and none with a
// character that some file system or shell takes for its own. Such a path stays inside the folder
// it is written below.
bool is_safe_path(std::string_view path);

struct PackApplication {
    ApplicationKind kind = ApplicationKind::content;
    BoundedText<200> entry;  // the file to open first
    static void fields(auto& self, auto&& visit) { visit(self.kind, self.entry); }
    friend bool operator==(const PackApplication&, const PackApplication&) = default;
};

struct Pack {
    PublicKey publisher;      // an account's
    BoundedText<48> name;     // of one publisher and name the newest pack counts
    BoundedText<24> version;  // for people
    BoundedText<500> text;    // the same
    std::uint64_t published_ms = 0;
    Bounded<PackApplication, kPackApplicationsMax> applications;
    Hash contents;                     // BLAKE2b-256 of the encoded PackContents
    std::uint32_t contents_bytes = 0;  // of the same: one piece
    std::uint64_t bytes = 0;           // of all files
    static void fields(auto& self, auto&& visit) {
        visit(self.publisher, self.name, self.version, self.text, self.published_ms,
              self.applications, self.contents, self.contents_bytes, self.bytes);
    }
    // Named, with a version and an application, all entries safe, within bounds.
    bool is_canonical() const;
    friend bool operator==(const Pack&, const Pack&) = default;
};
struct SignedPack {
    Pack pack;
    Signature signature;  // by the publisher
    static void fields(auto& self, auto&& visit) { visit(self.pack, self.signature); }
    friend bool operator==(const SignedPack&, const SignedPack&) = default;
};
inline constexpr std::uint32_t kSignedPackBytesMax = 32 + (1 + 48) + (1 + 24) + (2 + 500) + 8 + 1 +
                                                     kPackApplicationsMax * (1 + 2 + 200) + 32 + 4 +
                                                     8 + 64;

struct PackFile {
    BoundedText<200> path;
    std::uint64_t bytes = 0;
    Bounded<Hash, kPackPiecesMax> pieces;  // each of kContentPieceMax but the last one
    static void fields(auto& self, auto&& visit) { visit(self.path, self.bytes, self.pieces); }
    // As many pieces as that many bytes have.
    bool is_canonical() const;
    friend bool operator==(const PackFile&, const PackFile&) = default;
};
// Of a piece of a file of that many bytes. REQUIRES: the file has such a piece.
std::uint32_t piece_bytes(std::uint64_t file_bytes, std::size_t index);
std::size_t pieces_of(std::uint64_t file_bytes);

struct PackContents {
    Bounded<PackFile, kPackFilesMax> files;  // rising by path
    static void fields(auto& self, auto&& visit) { visit(self.files); }
    // Safe paths, none of them a folder of another one.
    bool is_canonical() const;
    std::uint64_t bytes() const;
    const PackFile* file(std::string_view path) const;
    friend bool operator==(const PackContents&, const PackContents&) = default;
};

// Why contents are not what a pack promises. In order of precedence.
enum class ContentsError : std::uint8_t {
    wrong_hash,     // other bytes than those the pack names
    bad_encoding,   // not the canonical encoding of a list of files
    wrong_total,    // the files have not as many bytes as the pack says
    missing_entry,  // an application's entry is no file of it
};
const char* to_string(ContentsError error);
// REQUIRES: pack.is_canonical().
Result<PackContents, ContentsError> read_contents(const Pack& pack, ByteView encoded);

// Binds the chain, so a pack of one organization is none of another.
Hash pack_id(const ChainId& chain, const Pack& pack);
// Where whoever has it announces itself in the DHT.
Id announce_id(const Hash& pack);
Bytes signing_message(const ChainId& chain, const Pack& pack);
// REQUIRES: `publisher` is the pack's.
SignedPack sign(const ChainId& chain, const Pack& pack, const crypto::KeyPair& publisher);
// `from_the_future` or `bad_signature`; packs do not expire.
Result<void, RecordError> check(const SignedPack& signed_, const ChainId& chain, Instant now);

}  // namespace leither::protocol
