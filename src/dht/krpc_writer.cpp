#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

#include "leither/base/check.h"
#include "leither/dht/krpc.h"

namespace leither::dht {

namespace {

constexpr std::size_t kPortBytes = 2;
constexpr std::size_t kNodeBytesV4 = Id::kSize + 4 + kPortBytes;
constexpr std::size_t kNodeBytesV6 = Id::kSize + 16 + kPortBytes;

// A number in decimal.
class Decimal {
 public:
    explicit Decimal(std::int64_t value) {
        const auto end = std::to_chars(digits_.data(), digits_.data() + digits_.size(), value);
        size_ = static_cast<std::size_t>(end.ptr - digits_.data());
    }
    std::string_view text() const { return {digits_.data(), size_}; }

 private:
    std::array<char, 20> digits_;
    std::size_t size_ = 0;
};

// The two sinks of a message: one measures, one writes. So the buffer is allocated once, and the
// length that `trim` goes by cannot differ from what is sent.
class Measure {
 public:
    void raw(std::string_view text) { size_ += text.size(); }
    std::size_t size() const { return size_; }

 private:
    std::size_t size_ = 0;
};

class Writer {
 public:
    explicit Writer(std::size_t size) : out_(size) {}
    void raw(std::string_view text) {
        if (text.empty()) return;
        CHECK(text.size() <= out_.size() - used_);
        std::memcpy(out_.data() + used_, text.data(), text.size());
        used_ += text.size();
    }
    Bytes take() {
        CHECK(used_ == out_.size());
        return std::move(out_);
    }

 private:
    Bytes out_;
    std::size_t used_ = 0;
};

// ---- Bencode

void put_length(auto& out, std::size_t length) {
    out.raw(Decimal(static_cast<std::int64_t>(length)).text());
    out.raw(":");
}
void put_bytes(auto& out, ByteView bytes) {
    put_length(out, bytes.size());
    out.raw(as_text(bytes));
}
void put_integer(auto& out, std::int64_t value) {
    out.raw("i");
    out.raw(Decimal(value).text());
    out.raw("e");
}
// Keys are literals with their length: "2:id".
void put_bytes(auto& out, std::string_view key, ByteView bytes) {
    out.raw(key);
    put_bytes(out, bytes);
}
void put_integer(auto& out, std::string_view key, std::optional<std::int64_t> value) {
    if (!value) return;
    out.raw(key);
    put_integer(out, *value);
}

void put_compact(auto& out, const Endpoint& endpoint) {
    const std::array<char, kPortBytes> port = {static_cast<char>(endpoint.port >> 8),
                                               static_cast<char>(endpoint.port)};
    out.raw(as_text(endpoint.address.bytes()));
    out.raw({port.data(), port.size()});
}
void put_endpoint(auto& out, const Endpoint& endpoint) {
    put_length(out, endpoint.address.bytes().size() + kPortBytes);
    put_compact(out, endpoint);
}

// ---- Parts of messages

// What closes every message: the keys behind `q`, `r` and `e`.
void put_tail(auto& out, const auto& message, std::string_view kind) {
    put_bytes(out, "1:t", message.transaction.view());
    if (message.version) put_bytes(out, "1:v", *message.version);
    out.raw("1:y1:");
    out.raw(kind);
    out.raw("e");
}

void put_want(auto& out, const Want& want) {
    if (!want.v4 && !want.v6) return;
    out.raw("4:wantl");
    if (want.v4) out.raw("2:n4");
    if (want.v6) out.raw("2:n6");
    out.raw("e");
}

std::size_t count_nodes(const Response& response, bool is_v4) {
    return static_cast<std::size_t>(
        std::count_if(response.nodes.begin(), response.nodes.end(),
                      [&](const Contact& c) { return c.endpoint.address.is_v4() == is_v4; }));
}

void put_nodes(auto& out, const Response& response, bool is_v4) {
    out.raw(is_v4 ? "5:nodes" : "6:nodes6");
    const std::size_t entry_bytes = is_v4 ? kNodeBytesV4 : kNodeBytesV6;
    put_length(out, entry_bytes * count_nodes(response, is_v4));
    for (const Contact& node : response.nodes) {
        if (node.endpoint.address.is_v4() != is_v4) continue;
        out.raw(as_text(node.id.view()));
        put_compact(out, node.endpoint);
    }
}

void put_peers(auto& out, const std::vector<Endpoint>& peers) {
    if (peers.empty()) return;
    out.raw("6:valuesl");
    for (const Endpoint& peer : peers) put_endpoint(out, peer);
    out.raw("e");
}

// ---- Queries: their arguments in the order of their keys

void put_search(auto& out, const Query& query) {
    const bool for_peers = query.method == Method::get_peers;
    if (for_peers) put_bytes(out, "9:info_hash", query.target.view());
    if (query.method == Method::get) put_integer(out, "3:seq", query.newer_than);
    if (!for_peers) put_bytes(out, "6:target", query.target.view());
    if (!query.token.empty()) put_bytes(out, "5:token", query.token.view());
    put_want(out, query.want);
}

void put_announce(auto& out, const Query& query) {
    if (query.implied_port) put_integer(out, "12:implied_port", 1);
    put_bytes(out, "9:info_hash", query.target.view());
    if (query.port != 0) put_integer(out, "4:port", query.port);
    put_bytes(out, "5:token", query.token.view());
}

// `id`, which every query has, lies between `cas` and `k`.
void put_item(auto& out, const Query& query) {
    const auto& author = query.item.author;
    if (author) {
        put_bytes(out, "1:k", author->key.view());
        if (!author->salt.empty()) put_bytes(out, "4:salt", author->salt.view());
        put_integer(out, "3:seq", author->sequence);
        put_bytes(out, "3:sig", author->signature.view());
    }
    put_bytes(out, "5:token", query.token.view());
    out.raw("1:v");
    out.raw(as_text(query.item.value));
}

void put_arguments(auto& out, const Query& query) {
    switch (query.method) {
        case Method::ping: return;
        case Method::find_node:
        case Method::get_peers:
        case Method::get: return put_search(out, query);
        case Method::announce_peer: return put_announce(out, query);
        case Method::put: return put_item(out, query);
    }
}

void put(auto& out, const Query& query) {
    out.raw("d1:ad");
    if (query.method == Method::put) {
        put_integer(out, "3:age", query.age_s);
        put_integer(out, "3:cas", query.cas);
    }
    put_bytes(out, "2:id", query.sender.view());
    put_arguments(out, query);
    out.raw("e1:q");
    put_bytes(out, as_bytes(to_string(query.method)));
    if (query.read_only) out.raw("2:roi1e");
    put_tail(out, query, "q");
}

// ---- Replies

void put(auto& out, const Response& response) {
    const Found& found = response.found;
    out.raw("d");
    if (response.external) {
        out.raw("2:ip");
        put_endpoint(out, *response.external);
    }
    out.raw("1:rd");
    put_bytes(out, "2:id", response.sender.view());
    if (found.key) put_bytes(out, "1:k", found.key->view());
    if (response.node_lists.v4) put_nodes(out, response, /*is_v4=*/true);
    if (response.node_lists.v6) put_nodes(out, response, /*is_v4=*/false);
    put_integer(out, "3:seq", found.sequence);
    if (found.signature) put_bytes(out, "3:sig", found.signature->view());
    if (!response.token.empty()) put_bytes(out, "5:token", response.token.view());
    if (!found.value.empty()) {
        out.raw("1:v");
        out.raw(as_text(found.value));
    }
    put_peers(out, response.peers);
    out.raw("e");
    put_tail(out, response, "r");
}

void put(auto& out, const ErrorReply& error) {
    out.raw("d1:el");
    put_integer(out, error.code);
    put_bytes(out,
              as_bytes(error.message).first(std::min(error.message.size(), kErrorTextBytesMax)));
    out.raw("e");
    put_tail(out, error, "e");
}

std::size_t measure(const auto& message) {
    Measure out;
    put(out, message);
    return out.size();
}

Bytes written(const auto& message) {
    Writer out(measure(message));
    put(out, message);
    return out.take();
}

// Whether it fits once all nodes and peers are gone.
bool fits_bare(const Response& response, std::size_t bytes_max) {
    Response bare = response;
    bare.nodes.clear();
    bare.peers.clear();
    return measure(bare) <= bytes_max;
}

// Takes the last nodes of one family away, no more than needed to save `excess` bytes.
void drop_nodes(Response& response, bool is_v4, std::size_t excess) {
    const bool listed = is_v4 ? response.node_lists.v4 : response.node_lists.v6;
    if (!listed) return;
    const std::size_t entry_bytes = is_v4 ? kNodeBytesV4 : kNodeBytesV6;
    std::size_t saved = 0;
    for (std::size_t i = response.nodes.size(); i > 0 && saved < excess; --i) {
        if (response.nodes[i - 1].endpoint.address.is_v4() != is_v4) continue;
        response.nodes.erase(response.nodes.begin() + static_cast<std::ptrdiff_t>(i - 1));
        saved += entry_bytes;
    }
}

}  // namespace

Bytes write(const Query& query) {
    return written(query);
}
Bytes write(const Response& response) {
    return written(response);
}
Bytes write(const ErrorReply& error) {
    return written(error);
}

std::size_t written_size(const Response& response) {
    return measure(response);
}

void trim(Response& response, std::size_t bytes_max) {
    const auto excess = [&] {
        const std::size_t size = measure(response);
        return size > bytes_max ? size - bytes_max : 0;
    };
    if (excess() == 0) return;
    if (!fits_bare(response, bytes_max)) {
        response.found.value.clear();
        response.found.key.reset();
        response.found.signature.reset();
    }
    for (const bool is_v4 : {false, true}) drop_nodes(response, is_v4, excess());
    while (excess() > 0 && !response.peers.empty()) response.peers.pop_back();
}

}  // namespace leither::dht
