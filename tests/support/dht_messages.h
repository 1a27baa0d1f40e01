// Messages of the DHT, drawn from a seed: every kind, with every optional field now and then.
#pragma once

#include "leither/base/prng.h"
#include "leither/dht/krpc.h"

namespace leither::testing {

class MessageMaker {
 public:
    explicit MessageMaker(std::uint64_t seed) : prng_(seed) {}

    Prng& prng() { return prng_; }

    template <class T>
    T fixed() {
        T out;
        prng_.fill(out.span());
        return out;
    }
    Id id() { return fixed<Id>(); }
    Endpoint endpoint_v4() {
        IpAddress::V4 bytes{};
        prng_.fill(bytes);
        bytes[0] = 11;
        return {IpAddress::v4(bytes), port()};
    }
    Endpoint endpoint_v6() {
        IpAddress::V6 bytes{};
        prng_.fill(bytes);
        bytes[0] = 0x20;
        return {IpAddress::v6(bytes), port()};
    }

    dht::Query query() {
        dht::Query query;
        query.method = static_cast<dht::Method>(prng_.below(6));
        query.transaction = short_bytes<dht::Transaction>(0);
        query.version = version();
        query.sender = id();
        query.read_only = coin();
        switch (query.method) {
            case dht::Method::ping: break;
            case dht::Method::find_node:
            case dht::Method::get_peers:
            case dht::Method::get: fill_search(query); break;
            case dht::Method::announce_peer: fill_announce(query); break;
            case dht::Method::put: fill_put(query); break;
        }
        return query;
    }

    dht::Response response() {
        dht::Response response;
        response.transaction = short_bytes<dht::Transaction>(0);
        response.version = version();
        response.sender = id();
        response.node_lists = {coin(), coin()};
        if (response.node_lists.v4) add_nodes(response, /*is_v4=*/true);
        if (response.node_lists.v6) add_nodes(response, /*is_v4=*/false);
        if (coin()) response.token = short_bytes<dht::Token>(1);
        for (auto n = prng_.below(4); n > 0; --n) {
            response.peers.push_back(coin() ? endpoint_v4() : endpoint_v6());
        }
        if (coin()) response.found.value = value();
        if (coin()) response.found.key = fixed<PublicKey>();
        if (coin()) response.found.signature = fixed<Signature>();
        if (coin()) response.found.sequence = sequence();
        if (coin()) response.external = coin() ? endpoint_v4() : endpoint_v6();
        return response;
    }

    dht::ErrorReply error() {
        dht::ErrorReply error;
        error.transaction = short_bytes<dht::Transaction>(0);
        error.version = version();
        error.code = static_cast<std::int32_t>(200 + prng_.below(103));
        error.message = std::string(prng_.below(20), 'e');
        return error;
    }

    dht::Message message() {
        switch (prng_.below(3)) {
            case 0: return query();
            case 1: return response();
            default: return error();
        }
    }

    Bytes value() {
        Bytes content(prng_.below(40));
        prng_.fill(content);
        return dht::value_of(content);
    }

 private:
    bool coin() { return prng_.chance(1, 2); }
    std::uint16_t port() { return static_cast<std::uint16_t>(1 + prng_.below(65535)); }
    std::int64_t sequence() {
        return static_cast<std::int64_t>(prng_.next() >> (1 + prng_.below(60)));
    }

    std::optional<dht::VersionTag> version() {
        if (coin()) return std::nullopt;
        return dht::kPrivateNetworkTag;
    }
    template <class T>
    T short_bytes(std::size_t at_least) {
        Bytes bytes(at_least + prng_.below(12));
        prng_.fill(bytes);
        return T::copy_of(bytes);
    }
    void add_nodes(dht::Response& response, bool is_v4) {
        for (auto n = prng_.below(9); n > 0; --n) {
            response.nodes.push_back({id(), is_v4 ? endpoint_v4() : endpoint_v6()});
        }
    }
    void fill_search(dht::Query& query) {
        query.target = id();
        query.want = {coin(), coin()};
        if (coin()) query.token = short_bytes<dht::Token>(1);
        if (query.method == dht::Method::get && coin()) query.newer_than = sequence();
    }
    void fill_announce(dht::Query& query) {
        query.target = id();
        query.token = short_bytes<dht::Token>(1);
        query.implied_port = coin();
        query.port = port();
    }
    void fill_put(dht::Query& query) {
        query.token = short_bytes<dht::Token>(1);
        query.item.value = value();
        if (coin()) query.cas = sequence();
        if (coin()) return;
        query.item.author = dht::Authorship{fixed<PublicKey>(), short_bytes<dht::ItemSalt>(0),
                                            sequence(), fixed<Signature>()};
    }

    Prng prng_;
};

}  // namespace leither::testing
