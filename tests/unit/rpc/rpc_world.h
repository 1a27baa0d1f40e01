// A dispatcher before a real node with virtual time: requests in, replies out, at once.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"
#include "leither/rpc/dispatcher.h"

#include "support/node/node_host.h"

namespace leither::testing {

using nlohmann::json;

class RpcWorld final : public rpc::Host {
 public:
    explicit RpcWorld(rpc::Options options = {}, const HostOptions& host = {})
        : node(host), dispatcher(options, *this, metrics) {}

    // The reply's text; nothing while the node owes it.
    std::optional<std::string> send(const std::string& text,
                                    std::optional<rpc::ConnectionId> connection = std::nullopt) {
        auto reply = std::make_shared<std::optional<std::string>>();
        dispatcher.handle(text, connection, [reply](std::string answer) { *reply = answer; });
        if (!*reply && !hold_inputs) pump();
        return *reply;
    }
    json call(const std::string& method, const json& params = json::object(),
              std::optional<rpc::ConnectionId> connection = std::nullopt) {
        const json request = {
            {"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
        return json::parse(send(request.dump(), connection).value());
    }
    // Steps what was enqueued and tells the dispatcher what the node said.
    void pump() {
        while (!inputs.empty()) {
            auto input = std::move(inputs.front());
            inputs.pop_front();
            node.step(std::move(input));
        }
        tell();
    }
    std::string exposition() const {
        return rpc::exposition({{"", &metrics, this}}, process_stats(), {});
    }
    void pass_pulse() {
        node.pass_pulses(1);
        tell();
    }
    void found() {
        call("organization.create", {{"genesis", to_hex(node.community().encoded_genesis())}});
    }
    std::string payment_hex(std::uint64_t amount, std::uint64_t counters_ahead = 0) const {
        const auto& community = node.community();
        Signing signing = node.signing(community.member(0));
        signing.counter += counters_ahead;
        return to_hex(
            bcs::encode(community.pay(community.member(0), community.member(1), amount, signing)));
    }

    node::Queries queries() const override { return node.queries(); }
    const PublicKey& node_key() const override { return node.community().node_key().public_key(); }
    Instant now() const override { return node.now() + clock_ahead; }
    void enqueue(node::Input&& input) override { inputs.push_back(std::move(input)); }
    void set_pulse_events(rpc::PulseEvents events) override { pulse_events = events; }
    void stop() override { stopped = true; }
    rpc::ProcessStats process_stats() const override {
        return {.resident_bytes = 1 << 20,
                .cpu = Duration(1'500'000),
                .uptime = Duration(9'000'000),
                .line = std::nullopt};
    }

    NodeHost node;
    rpc::Metrics metrics;
    rpc::Dispatcher dispatcher;
    std::deque<node::Input> inputs;
    bool hold_inputs = false;
    Duration clock_ahead{};  // of what the node has been told
    bool stopped = false;
    rpc::PulseEvents pulse_events = rpc::PulseEvents::off;

 private:
    void tell() {
        for (; founds_ < node.found_replies().size(); ++founds_) {
            dispatcher.on_reply(node::FoundReply(node.found_replies()[founds_]));
        }
        for (; networks_ < node.network_replies().size(); ++networks_) {
            dispatcher.on_reply(node::NetworkReply(node.network_replies()[networks_]));
        }
        for (; submits_ < node.submit_replies().size(); ++submits_) {
            dispatcher.on_reply(node::SubmitReply(node.submit_replies()[submits_]));
        }
        for (; seals_ < node.sealed().size(); ++seals_) dispatcher.on_event(node.sealed()[seals_]);
    }
    std::size_t founds_ = 0;
    std::size_t networks_ = 0;
    std::size_t submits_ = 0;
    std::size_t seals_ = 0;
};

}  // namespace leither::testing
