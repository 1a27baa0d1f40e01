// KRPC (BEP 5 with 32, 42, 43, 44): the datagrams of the DHT. One parser, one writer; no state.
//
// Everything is read strictly: one encoding for each value, keys sorted and unique, every known
// field of its type and length, nothing behind the message. Liberal only where real clients differ:
// unknown keys and unknown `want` families are passed over, `v` and `ip` of unknown lengths
// ignored, nodes and peers that nobody could reach (port 0, no unicast address) left out, `nodes6`
// may come alone. Format and worked bytes: docs/protocol/dht.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "leither/base/endpoint.h"
#include "leither/base/result.h"
#include "leither/dht/item.h"
#include "leither/dht/node_id.h"
#include "leither/dht/short_bytes.h"

namespace leither::dht {

// Nothing longer is read.
inline constexpr std::size_t kDatagramBytesMax = 2048;
// We send no more, so that no link on the way splits a datagram.
inline constexpr std::size_t kReplyBytesMax = 1400;

// `t`: echoed as it came, never shortened. Our own have 4 bytes.
using Transaction = ShortBytes<64>;
// A proof that its bearer receives at the address it sends from. Empty: none.
using Token = ShortBytes<64>;

// `v`: two letters of the client and two bytes of its version, known to everybody and therefore a
// filter against accidents, not attacks. Our private network is told from others by it.
using VersionTag = std::array<std::uint8_t, 4>;
inline constexpr VersionTag kPrivateNetworkTag = {'L', 'r', 0, 1};
inline constexpr VersionTag kPublicNetworkTag = {'L', 'r', 0, 0};

enum class Method : std::uint8_t { ping, find_node, get_peers, announce_peer, get, put };
const char* to_string(Method method);

// Numbers of BEP 5 and BEP 44.
enum class ErrorCode : std::int32_t {
    generic = 201,
    server = 202,
    protocol = 203,
    method_unknown = 204,
    value_too_big = 205,
    bad_signature = 206,
    salt_too_big = 207,
    cas_mismatch = 301,
    sequence_too_low = 302,
};

// Which families of nodes the asker wants (BEP 32). Neither: the family it asks by.
struct Want {
    bool v4 = false;
    bool v6 = false;
    friend bool operator==(const Want&, const Want&) = default;
};

struct Query {
    Method method = Method::ping;
    Transaction transaction;
    std::optional<VersionTag> version;
    Id sender;
    bool read_only = false;  // BEP 43: asks, but does not answer

    Want want;  // find_node, get_peers, get
    Id target;  // find_node, get; the info hash of get_peers and announce_peer
    // announce_peer, put. A find_node, get_peers or get may show one too, so that it is answered in
    // full; foreign nodes pass over it.
    Token token;
    std::uint16_t port = 0;     // announce_peer; not 0 unless implied
    bool implied_port = false;  // announce_peer: take the datagram's port instead
    // get: answer a mutable item only if it is newer than this.
    std::optional<std::int64_t> newer_than;
    Item item;                        // put; not yet verified
    std::optional<std::int64_t> cas;  // put: only if the stored sequence is this
    // put, of our own: a copy between holders, whose item was put so many seconds ago. Foreign
    // nodes pass over it.
    std::optional<std::int64_t> age_s;

    friend bool operator==(const Query&, const Query&) = default;
};

// What a get brought, or the sequence alone if the asker has the newest. Not yet verified.
struct Found {
    Bytes value;  // bencoded; empty if none came
    std::optional<PublicKey> key;
    std::optional<Signature> signature;
    std::optional<std::int64_t> sequence;
    friend bool operator==(const Found&, const Found&) = default;
};

// Which fields must be there depends on the query, which only its sender remembers.
struct Response {
    Transaction transaction;
    std::optional<VersionTag> version;
    Id sender;
    // Which of the lists `nodes` and `nodes6` there are, be they empty. Nodes of a family without a
    // list are not written.
    Want node_lists;
    std::vector<Contact> nodes;  // both families
    Token token;
    std::vector<Endpoint> peers;
    Found found;
    // Where the responder saw our query come from (BEP 42); port 0 if it did not say.
    std::optional<Endpoint> external;

    friend bool operator==(const Response&, const Response&) = default;
};

struct ErrorReply {
    Transaction transaction;
    std::optional<VersionTag> version;
    std::int32_t code = 0;  // as sent; see ErrorCode
    std::string message;    // bytes as sent, the first kErrorTextBytesMax of them
    friend bool operator==(const ErrorReply&, const ErrorReply&) = default;
};
inline constexpr std::size_t kErrorTextBytesMax = 128;
inline constexpr std::int64_t kErrorCodeMax = 9999;

using Message = std::variant<Query, Response, ErrorReply>;

// The first six in order of precedence; then whatever is met first.
enum class ParseError : std::uint8_t {
    too_long,         // more than kDatagramBytesMax
    bad_syntax,       // not a bencoded dictionary, cut short, or nested deeper than 16
    not_canonical,    // keys unsorted or repeated, leading zeros, -0, an integer beyond 64 bits
    trailing,         // bytes behind the dictionary
    bad_transaction,  // `t` missing, no string, or longer than 64 bytes
    unknown_kind,     // `y` missing or none of q, r, e
    unknown_method,   // a query of no method we know
    wrong_type,       // a known field is of another type
    missing_field,    // a field the message needs is not there
    bad_length,       // an id, key, signature, token, node or peer of no possible length
    out_of_range,     // port outside 1..65535; negative sequence or cas
    salt_too_big,     // more than 64 bytes
    value_too_big,    // more than 1000 bytes, bencoded
    unsigned_author,  // `k` without `sig` and `seq`, or `sig` without `k`
};
const char* to_string(ParseError error);
// The code a faulty query is answered with.
ErrorCode error_code(ParseError error);

struct ParseFault {
    ParseError error = ParseError::bad_syntax;
    // Of a query that can be answered with an error; nothing for all else.
    std::optional<Transaction> answerable;
    std::optional<VersionTag> version;
};

Result<Message, ParseFault> parse(ByteView datagram);

// REQUIRES, of all three: what the parser would refuse is not written.
Bytes write(const Query& query);
Bytes write(const Response& response);
Bytes write(const ErrorReply& error);

// The length of write(response).
std::size_t written_size(const Response& response);

// Leaves out what does not fit in `bytes_max`: nodes of IPv6 from the last, then of IPv4, peers
// from the last. A value that would not fit alone makes way for them, with its key and signature
// (its sequence stays). No more than kTrimmedBytesMax remain, however small bytes_max is.
inline constexpr std::size_t kTrimmedBytesMax = 270;
void trim(Response& response, std::size_t bytes_max);

}  // namespace leither::dht
