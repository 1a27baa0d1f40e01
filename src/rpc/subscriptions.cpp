#include "subscriptions.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "leither/base/check.h"

namespace leither::rpc {

const char* to_string(Topic topic) {
    switch (topic) {
        case Topic::pulse: return "pulse";
        case Topic::block: return "block";
        case Topic::account: return "account";
        case Topic::message: return "message";
        case Topic::chat: return "chat";
        case Topic::final_block: return "final";
    }
    UNREACHABLE();
}

ConnectionId Subscriptions::connect(Push push) {
    connections_[++last_connection_].push = std::move(push);
    return last_connection_;
}

void Subscriptions::disconnect(ConnectionId connection) {
    connections_.erase(connection);
}

std::optional<std::uint64_t> Subscriptions::add(ConnectionId connection, Topic topic,
                                                const Id& account) {
    const auto found = connections_.find(connection);
    CHECK(found != connections_.end());
    auto& subscriptions = found->second.subscriptions;
    if (subscriptions.size() >= per_connection_max_) return std::nullopt;
    subscriptions[++last_subscription_] = {topic, account};
    return last_subscription_;
}

bool Subscriptions::remove(ConnectionId connection, std::uint64_t subscription) {
    const auto found = connections_.find(connection);
    return found != connections_.end() && found->second.subscriptions.erase(subscription) > 0;
}

bool Subscriptions::any(Topic topic) const {
    return std::any_of(connections_.begin(), connections_.end(), [topic](const auto& connection) {
        const auto& subscriptions = connection.second.subscriptions;
        return std::any_of(subscriptions.begin(), subscriptions.end(),
                           [topic](const auto& entry) { return entry.second.topic == topic; });
    });
}

void Subscriptions::publish(Topic topic, const Data& data) {
    // Gathered first: a push that meets a slow reader may disconnect it, which changes the map.
    std::vector<std::pair<ConnectionId, std::string>> messages;
    for (const auto& [id, connection] : connections_) {
        for (const auto& [number, subscription] : connection.subscriptions) {
            if (subscription.topic != topic) continue;
            if (const auto text = data(subscription.account)) {
                messages.emplace_back(
                    id, fmt::format(R"({{"jsonrpc":"2.0","method":"event","params":)"
                                    R"({{"subscription":{},"topic":"{}","data":{}}}}})",
                                    number, to_string(topic), *text));
            }
        }
    }
    for (auto& [id, message] : messages) {
        const auto found = connections_.find(id);
        if (found != connections_.end()) found->second.push(std::move(message));
    }
}

}  // namespace leither::rpc
