#include "leither/dht/krpc.h"

#include <algorithm>
#include <string_view>

#include "leither/base/check.h"
#include "leither/codec/bencode_cursor.h"

namespace leither::dht {

namespace {

using bencode::Cursor;

constexpr unsigned kDepthMax = kValueDepthMax + 2;
constexpr std::size_t kPortBytes = 2;
constexpr std::size_t kPeerBytesV4 = 4 + kPortBytes;
constexpr std::size_t kPeerBytesV6 = 16 + kPortBytes;

// Every key we know, of the message and of its arguments, in the order of kKeyNames.
// clang-format off
enum class Key : std::uint8_t {
    a, age, cas, e, id, implied_port, info_hash, ip, k, nodes, nodes6, port, q, r, ro, salt, seq, sig, t,
    target, token, v, values, want, y,
};
constexpr std::array<std::string_view, 25> kKeyNames = {
    "a", "age", "cas", "e", "id", "implied_port", "info_hash", "ip", "k", "nodes", "nodes6", "port", "q",
    "r", "ro", "salt", "seq", "sig", "t", "target", "token", "v", "values", "want", "y",
};
// clang-format on
static_assert(std::is_sorted(kKeyNames.begin(), kKeyNames.end()));
static_assert(static_cast<std::size_t>(Key::y) + 1 == kKeyNames.size());

constexpr std::array<std::string_view, 6> kMethodNames = {
    "ping", "find_node", "get_peers", "announce_peer", "get", "put",
};

// The known entries of one dictionary, each as its value stands. Structure has been checked when a
// view is here; its kind and content have not.
class Fields {
 public:
    // REQUIRES: a dictionary comes next.
    explicit Fields(Cursor& in) {
        in.enter();
        while (in.more()) {
            const std::string_view key = in.key();
            const std::string_view value = in.raw();
            const auto* at = std::lower_bound(kKeyNames.begin(), kKeyNames.end(), key);
            if (at == kKeyNames.end() || *at != key) continue;
            raw_[static_cast<std::size_t>(at - kKeyNames.begin())] = value;
        }
    }

    bool has(Key key) const { return !raw(key).empty(); }
    std::string_view raw(Key key) const { return raw_[static_cast<std::size_t>(key)]; }

    Result<std::string_view, ParseError> bytes(Key key) const;
    Result<std::int64_t, ParseError> integer(Key key) const;
    // Nothing if absent; negative is out of range.
    Result<std::optional<std::int64_t>, ParseError> natural(Key key) const;
    Result<Fields, ParseError> dict(Key key) const;
    // Bytes of exactly T's size.
    template <class T>
    Result<T, ParseError> fixed(Key key) const {
        const auto out = T::from(as_bytes(TRY(bytes(key))));
        if (!out) return fail(ParseError::bad_length);
        return *out;
    }

 private:
    std::array<std::string_view, kKeyNames.size()> raw_{};
};

// The content of a byte string whose structure has been checked; nothing for another kind.
std::optional<std::string_view> content(std::string_view raw) {
    if (raw.empty() || raw.front() < '0' || raw.front() > '9') return std::nullopt;
    return raw.substr(raw.find(':') + 1);
}

Result<std::string_view, ParseError> Fields::bytes(Key key) const {
    if (!has(key)) return fail(ParseError::missing_field);
    const auto held = content(raw(key));
    if (!held) return fail(ParseError::wrong_type);
    return *held;
}

Result<std::int64_t, ParseError> Fields::integer(Key key) const {
    if (!has(key)) return fail(ParseError::missing_field);
    if (raw(key).front() != 'i') return fail(ParseError::wrong_type);
    return Cursor(raw(key), kDepthMax).integer();
}

Result<std::optional<std::int64_t>, ParseError> Fields::natural(Key key) const {
    if (!has(key)) return std::nullopt;
    const std::int64_t value = TRY(integer(key));
    if (value < 0) return fail(ParseError::out_of_range);
    return value;
}

Result<Fields, ParseError> Fields::dict(Key key) const {
    if (!has(key)) return fail(ParseError::missing_field);
    if (raw(key).front() != 'd') return fail(ParseError::wrong_type);
    Cursor in(raw(key), kDepthMax);
    return Fields(in);
}

// ---- Compact addresses

// REQUIRES: an address and a port, 6 or 18 bytes.
Endpoint endpoint_of(std::string_view compact) {
    const std::size_t split = compact.size() - kPortBytes;
    const ByteView port = as_bytes(compact.substr(split));
    return {IpAddress::from(as_bytes(compact.substr(0, split))).value(),
            static_cast<std::uint16_t>(port[0] << 8 | port[1])};
}

bool can_be_reached(const Endpoint& endpoint) {
    const IpAddress& address = endpoint.address;
    return endpoint.port != 0 && !address.is_unspecified() && !address.is_multicast();
}

// Appends the nodes of `list`, each an id and `address_bytes` of address and port.
Result<void, ParseError> read_nodes(std::string_view list, std::size_t address_bytes,
                                    std::vector<Contact>& out) {
    const std::size_t entry_bytes = Id::kSize + address_bytes;
    if (list.size() % entry_bytes != 0) return fail(ParseError::bad_length);
    out.reserve(out.size() + list.size() / entry_bytes);
    for (; !list.empty(); list.remove_prefix(entry_bytes)) {
        const Endpoint endpoint = endpoint_of(list.substr(Id::kSize, address_bytes));
        const bool is_v4 = address_bytes == kPeerBytesV4;
        // A mapped address among those of IPv6 is nobody's.
        if (!can_be_reached(endpoint) || endpoint.address.is_v4() != is_v4) continue;
        out.push_back({Id::copy_of(as_bytes(list.substr(0, Id::kSize))), endpoint});
    }
    return {};
}

Result<std::vector<Endpoint>, ParseError> read_peers(std::string_view raw) {
    if (raw.front() != 'l') return fail(ParseError::wrong_type);
    std::vector<Endpoint> peers;
    Cursor in(raw, kDepthMax);
    in.enter();
    while (in.more()) {
        const auto peer = content(in.raw());
        if (!peer) return fail(ParseError::wrong_type);
        if (peer->size() != kPeerBytesV4 && peer->size() != kPeerBytesV6) {
            return fail(ParseError::bad_length);
        }
        const Endpoint endpoint = endpoint_of(*peer);
        if (can_be_reached(endpoint)) peers.push_back(endpoint);
    }
    return peers;
}

// ---- Fields of several messages

std::optional<VersionTag> read_version(const Fields& message) {
    const auto held = content(message.raw(Key::v));
    VersionTag version{};
    if (!held || held->size() != version.size()) return std::nullopt;
    std::copy(held->begin(), held->end(), version.begin());
    return version;
}

Result<Transaction, ParseError> read_transaction(const Fields& message) {
    const auto held = content(message.raw(Key::t));
    if (!held) return fail(ParseError::bad_transaction);
    const auto transaction = Transaction::from(as_bytes(*held));
    if (!transaction) return fail(ParseError::bad_transaction);
    return *transaction;
}

Result<Token, ParseError> read_token(const Fields& fields) {
    const auto token = Token::from(as_bytes(TRY(fields.bytes(Key::token))));
    if (!token) return fail(ParseError::bad_length);
    return *token;
}

Result<Bytes, ParseError> read_value(const Fields& fields) {
    if (!fields.has(Key::v)) return fail(ParseError::missing_field);
    const ByteView raw = as_bytes(fields.raw(Key::v));
    if (raw.size() > kValueBytesMax) return fail(ParseError::value_too_big);
    return Bytes(raw.begin(), raw.end());
}

Result<Want, ParseError> read_want(const Fields& arguments) {
    Want want;
    if (!arguments.has(Key::want)) return want;
    if (arguments.raw(Key::want).front() != 'l') return fail(ParseError::wrong_type);
    Cursor in(arguments.raw(Key::want), kDepthMax);
    in.enter();
    while (in.more()) {
        const auto family = content(in.raw());
        if (!family) return fail(ParseError::wrong_type);
        want.v4 = want.v4 || *family == "n4";
        want.v6 = want.v6 || *family == "n6";
    }
    return want;
}

// ---- Queries

Result<void, ParseError> read_announce(const Fields& arguments, Query& query) {
    query.target = TRY(arguments.fixed<Id>(Key::info_hash));
    query.token = TRY(read_token(arguments));
    const auto implied = TRY(arguments.natural(Key::implied_port));
    query.implied_port = implied.value_or(0) != 0;
    const auto port = TRY(arguments.natural(Key::port));
    if (!port && !query.implied_port) return fail(ParseError::missing_field);
    const bool names_none = port.value_or(0) == 0;
    if (port.value_or(0) > 0xffff || (names_none && !query.implied_port)) {
        return fail(ParseError::out_of_range);
    }
    query.port = static_cast<std::uint16_t>(port.value_or(0));
    return {};
}

Result<std::optional<Authorship>, ParseError> read_author(const Fields& arguments) {
    Authorship author;
    if (arguments.has(Key::salt)) {
        const auto salt = ItemSalt::from(as_bytes(TRY(arguments.bytes(Key::salt))));
        if (!salt) return fail(ParseError::salt_too_big);
        author.salt = *salt;
    }
    const bool has_signature = arguments.has(Key::sig);
    if (!arguments.has(Key::k)) {
        if (has_signature) return fail(ParseError::unsigned_author);
        return std::nullopt;
    }
    if (!has_signature || !arguments.has(Key::seq)) return fail(ParseError::unsigned_author);
    author.key = TRY(arguments.fixed<PublicKey>(Key::k));
    author.signature = TRY(arguments.fixed<Signature>(Key::sig));
    author.sequence = TRY(arguments.natural(Key::seq)).value_or(0);
    return author;
}

Result<void, ParseError> read_put(const Fields& arguments, Query& query) {
    query.token = TRY(read_token(arguments));
    query.item.value = TRY(read_value(arguments));
    query.item.author = TRY(read_author(arguments));
    query.cas = TRY(arguments.natural(Key::cas));
    query.age_s = TRY(arguments.natural(Key::age));
    return {};
}

Result<void, ParseError> read_search(const Fields& arguments, Query& query) {
    const bool for_peers = query.method == Method::get_peers;
    query.target = TRY(arguments.fixed<Id>(for_peers ? Key::info_hash : Key::target));
    query.want = TRY(read_want(arguments));
    if (arguments.has(Key::token)) query.token = TRY(read_token(arguments));
    if (query.method == Method::get) query.newer_than = TRY(arguments.natural(Key::seq));
    return {};
}

Result<void, ParseError> read_arguments(const Fields& arguments, Query& query) {
    query.sender = TRY(arguments.fixed<Id>(Key::id));
    switch (query.method) {
        case Method::ping: return {};
        case Method::find_node:
        case Method::get_peers:
        case Method::get: return read_search(arguments, query);
        case Method::announce_peer: return read_announce(arguments, query);
        case Method::put: return read_put(arguments, query);
    }
    UNREACHABLE();
}

Result<Message, ParseError> read_query(const Fields& message, const Transaction& transaction) {
    Result<Message, ParseError> out(tl::in_place, std::in_place_type<Query>);
    auto& query = std::get<Query>(*out);
    const std::string_view name = TRY(message.bytes(Key::q));
    const auto* method = std::find(kMethodNames.begin(), kMethodNames.end(), name);
    if (method == kMethodNames.end()) return fail(ParseError::unknown_method);
    query.method = static_cast<Method>(method - kMethodNames.begin());
    query.transaction = transaction;
    query.version = read_version(message);
    query.read_only = TRY(message.natural(Key::ro)).value_or(0) != 0;
    const Fields arguments = TRY(message.dict(Key::a));
    TRY(read_arguments(arguments, query));
    return out;
}

// ---- Replies

Result<Found, ParseError> read_found(const Fields& reply) {
    Found found;
    if (reply.has(Key::v)) found.value = TRY(read_value(reply));
    if (reply.has(Key::k)) found.key = TRY(reply.fixed<PublicKey>(Key::k));
    if (reply.has(Key::sig)) found.signature = TRY(reply.fixed<Signature>(Key::sig));
    found.sequence = TRY(reply.natural(Key::seq));
    return found;
}

Result<void, ParseError> read_node_lists(const Fields& reply, Response& response) {
    response.node_lists = {reply.has(Key::nodes), reply.has(Key::nodes6)};
    if (response.node_lists.v4) {
        const std::string_view list = TRY(reply.bytes(Key::nodes));
        TRY(read_nodes(list, kPeerBytesV4, response.nodes));
    }
    if (response.node_lists.v6) {
        const std::string_view list = TRY(reply.bytes(Key::nodes6));
        TRY(read_nodes(list, kPeerBytesV6, response.nodes));
    }
    return {};
}

// Some send the address alone; what cannot be an address is of no use and does no harm.
std::optional<Endpoint> read_external(const Fields& message) {
    const auto held = content(message.raw(Key::ip));
    if (!held) return std::nullopt;
    if (held->size() == kPeerBytesV4 || held->size() == kPeerBytesV6) return endpoint_of(*held);
    const auto address = IpAddress::from(as_bytes(*held));
    if (!address) return std::nullopt;
    return Endpoint{*address, 0};
}

Result<Message, ParseError> read_response(const Fields& message, const Transaction& transaction) {
    Response response;
    const Fields reply = TRY(message.dict(Key::r));
    response.transaction = transaction;
    response.version = read_version(message);
    response.external = read_external(message);
    response.sender = TRY(reply.fixed<Id>(Key::id));
    TRY(read_node_lists(reply, response));
    if (reply.has(Key::token)) response.token = TRY(read_token(reply));
    if (reply.has(Key::values)) response.peers = TRY(read_peers(reply.raw(Key::values)));
    response.found = TRY(read_found(reply));
    return response;
}

Result<Message, ParseError> read_error(const Fields& message, const Transaction& transaction) {
    if (!message.has(Key::e)) return fail(ParseError::missing_field);
    if (message.raw(Key::e).front() != 'l') return fail(ParseError::wrong_type);
    ErrorReply error;
    error.transaction = transaction;
    error.version = read_version(message);
    Cursor in(message.raw(Key::e), kDepthMax);
    in.enter();
    if (!in.more()) return fail(ParseError::missing_field);
    if (in.peek() != Cursor::Kind::integer) return fail(ParseError::wrong_type);
    const std::int64_t code = in.integer();
    if (code < 0 || code > kErrorCodeMax) return fail(ParseError::out_of_range);
    error.code = static_cast<std::int32_t>(code);
    if (in.more()) {
        const auto text = content(in.raw());
        if (!text) return fail(ParseError::wrong_type);
        error.message = text->substr(0, kErrorTextBytesMax);
    }
    return error;
}

Result<Message, ParseError> read_message(const Fields& message, const Transaction& transaction,
                                         std::string_view kind) {
    if (kind == "q") return read_query(message, transaction);
    if (kind == "r") return read_response(message, transaction);
    if (kind == "e") return read_error(message, transaction);
    return fail(ParseError::unknown_kind);
}

}  // namespace

const char* to_string(Method method) {
    return kMethodNames[static_cast<std::size_t>(method)].data();
}

const char* to_string(ParseError error) {
    switch (error) {
        case ParseError::too_long: return "too_long";
        case ParseError::bad_syntax: return "bad_syntax";
        case ParseError::not_canonical: return "not_canonical";
        case ParseError::trailing: return "trailing";
        case ParseError::bad_transaction: return "bad_transaction";
        case ParseError::unknown_kind: return "unknown_kind";
        case ParseError::unknown_method: return "unknown_method";
        case ParseError::wrong_type: return "wrong_type";
        case ParseError::missing_field: return "missing_field";
        case ParseError::bad_length: return "bad_length";
        case ParseError::out_of_range: return "out_of_range";
        case ParseError::salt_too_big: return "salt_too_big";
        case ParseError::value_too_big: return "value_too_big";
        case ParseError::unsigned_author: return "unsigned_author";
    }
    UNREACHABLE();
}

ErrorCode error_code(ParseError error) {
    switch (error) {
        case ParseError::unknown_method: return ErrorCode::method_unknown;
        case ParseError::salt_too_big: return ErrorCode::salt_too_big;
        case ParseError::value_too_big: return ErrorCode::value_too_big;
        case ParseError::too_long:
        case ParseError::bad_syntax:
        case ParseError::not_canonical:
        case ParseError::trailing:
        case ParseError::bad_transaction:
        case ParseError::unknown_kind:
        case ParseError::wrong_type:
        case ParseError::missing_field:
        case ParseError::bad_length:
        case ParseError::out_of_range:
        case ParseError::unsigned_author: return ErrorCode::protocol;
    }
    UNREACHABLE();
}

Result<Message, ParseFault> parse(ByteView datagram) {
    if (datagram.size() > kDatagramBytesMax) {
        return fail(ParseFault{ParseError::too_long, std::nullopt, std::nullopt});
    }
    Cursor in(as_text(datagram), kDepthMax);
    if (in.peek() != Cursor::Kind::dict) return fail(ParseFault{});
    const Fields message(in);
    if (in.broken()) return fail(ParseFault{});

    const auto transaction = read_transaction(message);
    const std::string_view kind = content(message.raw(Key::y)).value_or("");
    const auto fault = [&](ParseError error) {
        const bool answerable = transaction && kind == "q";
        return fail(ParseFault{error, answerable ? std::optional(*transaction) : std::nullopt,
                               read_version(message)});
    };
    if (!in.ok()) return fault(ParseError::not_canonical);
    if (!in.at_end()) return fault(ParseError::trailing);
    if (!transaction) return fault(transaction.error());
    auto read = read_message(message, *transaction, kind);
    if (!read) return fault(read.error());
    return std::move(*read);
}

}  // namespace leither::dht
