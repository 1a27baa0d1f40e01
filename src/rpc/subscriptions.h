// Who wants to be told of what: topics per connection.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "leither/rpc/dispatcher.h"

namespace leither::rpc {

enum class Topic : std::uint8_t { pulse, block, account, message, chat, final_block };
const char* to_string(Topic topic);
// Whether its subscribers name an account.
constexpr bool is_by_account(Topic topic) {
    return topic == Topic::account || topic == Topic::message;
}

class Subscriptions {
 public:
    explicit Subscriptions(std::size_t per_connection_max)
        : per_connection_max_(per_connection_max) {}

    ConnectionId connect(Push push);
    void disconnect(ConnectionId connection);

    // The subscription's number, nothing if the connection has as many as it may.
    // REQUIRES: connected.
    std::optional<std::uint64_t> add(ConnectionId connection, Topic topic, const Id& account);
    // False if the connection has no such subscription.
    bool remove(ConnectionId connection, std::uint64_t subscription);
    bool any(Topic topic) const;

    // Sends every subscriber of `topic` what `data` makes of its account (zero for other topics): a
    // JSON text, or nothing if the subscriber is not concerned.
    using Data = std::function<std::optional<std::string>(const Id& account)>;
    void publish(Topic topic, const Data& data);

 private:
    struct Subscription {
        Topic topic = Topic::pulse;
        Id account;
    };
    struct Connection {
        Push push;
        std::map<std::uint64_t, Subscription> subscriptions;
    };

    std::size_t per_connection_max_;
    std::map<ConnectionId, Connection> connections_;
    ConnectionId last_connection_ = 0;
    std::uint64_t last_subscription_ = 0;
};

}  // namespace leither::rpc
