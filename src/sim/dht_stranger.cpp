#include "dht_stranger.h"

#include <array>

namespace leither::sim {

namespace {

dht::Transaction transaction_of(std::uint32_t number) {
    std::array<std::uint8_t, 4> bytes{};
    for (unsigned i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(number >> 8 * i);
    return dht::Transaction::copy_of(bytes);
}

std::optional<std::uint32_t> number_of(const dht::Transaction& transaction) {
    const ByteView bytes = transaction.view();
    if (bytes.size() != 4) return std::nullopt;
    std::uint32_t number = 0;
    for (unsigned i = 0; i < 4; ++i) number |= std::uint32_t{bytes[i]} << 8 * i;
    return number;
}

}  // namespace

void DhtStranger::ask(const Endpoint& to, dht::Query query, Answered answered) {
    const Instant now = wire_->now();
    while (!asked_.empty() && now - asked_.begin()->second.at >= kPatience) {
        asked_.erase(asked_.begin());
    }
    asked_[++last_] = {to, now, std::move(answered)};
    query.transaction = transaction_of(last_);
    query.version = dht::kPrivateNetworkTag;
    query.sender = id_;
    wire_->send(to, dht::write(query));
}

void DhtStranger::on_datagram(const Endpoint& from, ByteView bytes) {
    auto message = dht::parse(bytes);
    if (!message) return;
    if (const auto* query = std::get_if<dht::Query>(&*message)) {
        if (!answers_) return;
        auto reply = answers_(from, *query);
        if (!reply) return;
        reply->transaction = query->transaction;
        reply->version = dht::kPrivateNetworkTag;
        reply->sender = id_;
        wire_->send(from, dht::write(*reply));
        return;
    }
    const auto* reply = std::get_if<dht::Response>(&*message);
    if (reply == nullptr) return;
    const auto number = number_of(reply->transaction);
    if (!number) return;
    const auto asked = asked_.find(*number);
    if (asked == asked_.end() || asked->second.to != from) return;
    const Answered answered = std::move(asked->second.answered);
    asked_.erase(asked);
    if (answered) answered(from, *reply);
}

}  // namespace leither::sim
