#include "app/replay/courier.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "app/cli_error.h"
#include "app/session.h"

namespace leither::app {

namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr auto kPollInterval = std::chrono::milliseconds(100);
constexpr auto kStragglerPatience = std::chrono::seconds(10);
constexpr std::uint64_t kLooksBeforeGoingHome = 10;
// A submission's body stays below the daemon's default of 2 MiB.
constexpr std::size_t kBatchTransactionsMax = 4000;
constexpr std::size_t kBatchHexMax = 1'800'000;

// Refusals that say "later", not "no".
bool must_wait(const std::string& name) {
    return name == "mempool_full" || name == "stopping" || name == "busy";
}
bool is_known_already(const std::string& name) {
    return name == "already_pending" || name == "already_committed";
}

}  // namespace

json RpcLink::call(const std::string& method, const json& params) {
    if (!client_) client_.emplace(find_());
    return client_->call(method, params);
}

json DaemonLink::ask(const std::string& method, const json& params) {
    for (;;) {
        try {
            return call(method, params);
        } catch (const RpcUnreachable&) {
            await_return();
        }
    }
}

json RpcLink::look_again() {
    client_.reset();
    return call("node.status", json::object());
}

void RpcLink::await_return() {
    ++reconnects_;
    const auto deadline = Clock::now() + patience_;
    for (;;) {
        try {
            look_again();
            return;
        } catch (const RpcUnreachable&) {
            if (Clock::now() >= deadline) throw;
        } catch (const CliError&) {  // its address file is gone while it is away
            if (Clock::now() >= deadline) throw;
        }
        pause();
    }
}

void RpcLink::pause() {
    std::this_thread::sleep_for(kPollInterval);
}

json FailoverLink::call(const std::string& method, const json& params) {
    // The way changes between looks only: a row of submissions must not end at one daemon and go on
    // at another.
    const bool is_look = method == "node.status";
    if (is_look && at_ != 0 && ++looks_away_ % kLooksBeforeGoingHome == 0) look_home();
    json result = daemons_[at_]->call(method, params);
    if (is_look) note(result);
    return result;
}

void FailoverLink::note(const json& status) {
    const json& organization = status.at("organization");
    if (organization.is_null()) return;
    sequence_seen_ = std::max(sequence_seen_, organization.at("sequence").get<std::uint64_t>());
}

bool FailoverLink::try_daemon(std::size_t index) {
    try {
        const json organization = daemons_[index]->look_again().at("organization");
        if (organization.is_null()) return false;
        if (organization.at("sequence").get<std::uint64_t>() < sequence_seen_) return false;
    } catch (const RpcUnreachable&) {
        return false;
    } catch (const RpcError&) {  // it stops, say
        return false;
    } catch (const CliError&) {  // its address file is gone while it is away
        return false;
    }
    at_ = index;
    return true;
}

void FailoverLink::look_home() {
    if (try_daemon(0)) ++reconnects_;
}

void FailoverLink::await_return() {
    ++reconnects_;
    const auto deadline = Clock::now() + patience_;
    do {
        for (std::size_t i = 1; i <= daemons_.size(); ++i) {
            if (try_daemon((at_ + i) % daemons_.size())) return;
        }
        pause();
    } while (Clock::now() < deadline);
    throw RpcUnreachable("none of the daemons answers");
}

std::size_t Courier::HashOfId::operator()(const Hash& id) const {
    std::size_t out = 0;
    std::memcpy(&out, id.data(), sizeof(out));
    return out;
}

Courier::Courier(DaemonLink& link, const protocol::Charter& charter, OnDelivered on_delivered)
    : link_(link), charter_(charter), on_delivered_(std::move(on_delivered)) {}

Pulse Courier::pulse_now() const {
    return protocol::pulse_at(charter_, unix_ms_now());
}

void Courier::submit(std::vector<SignedTransaction> transactions) {
    for (auto& transaction : transactions) {
        by_id_.emplace(transaction.id, end());
        open_.push_back({std::move(transaction), State::unsent, std::nullopt});
    }
    send_unsent();
    poll_blocks_if_due();
}

void Courier::send_unsent() {
    for (;;) {
        notice_restart();
        if (first_unsent_ == end()) return;
        const std::size_t before = first_unsent_;
        try {
            send_once();
        } catch (const RpcUnreachable&) {
            link_.await_return();
            continue;
        }
        if (first_unsent_ > before) continue;
        link_.pause();
        poll_blocks();
    }
}

std::vector<std::size_t> Courier::next_batch() {
    std::vector<std::size_t> batch;
    std::size_t hex = 0;
    for (std::size_t i = first_unsent_; i < end() && batch.size() < kBatchTransactionsMax; ++i) {
        if (at(i).state != State::unsent) continue;
        hex += at(i).transaction.hex.size() + 3;
        if (hex > kBatchHexMax) break;
        batch.push_back(i);
    }
    return batch;
}

void Courier::send_once() {
    const auto batch = next_batch();
    if (batch.empty()) {
        first_unsent_ = end();
        return;
    }
    json list = json::array();
    for (const std::size_t index : batch) {
        Open& open = at(index);
        if (!open.submitted) open.submitted = pulse_now();
        list.push_back(open.transaction.hex);
    }
    try {
        take_verdicts(batch, link_.call("transaction.submit_many", {{"transactions", list}}));
    } catch (const RpcError& error) {
        if (!must_wait(error.details().name)) throw;
    }
}

void Courier::take_verdicts(const std::vector<std::size_t>& batch, const json& verdicts) {
    std::optional<std::size_t> waiting;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        const auto error = verdicts.at(i).find("error");
        const std::string name =
            error == verdicts.at(i).end() ? "" : error->at("name").get<std::string>();
        if (name.empty() || is_known_already(name)) {
            at(batch[i]).state = State::admitted;
        } else if (waiting || must_wait(name)) {
            // Behind one that waits, a refusal may only be its consequence.
            if (!waiting) waiting = batch[i];
        } else {
            decide(batch[i], Delivery::refused(at(batch[i]).transaction.row, name));
        }
    }
    first_unsent_ = waiting.value_or(batch.back() + 1);
}

void Courier::notice_restart() {
    while (link_.reconnects() != reconnects_seen_) {
        reconnects_seen_ = link_.reconnects();
        poll_blocks();
        // The mempool did not survive; what no block holds is submitted again, in order.
        for (Open& open : open_) {
            if (open.state == State::admitted) open.state = State::unsent;
        }
        first_unsent_ = base_;
    }
}

void Courier::poll_blocks_if_due() {
    if (Clock::now() - polled_ >= kPollInterval) poll_blocks();
}

void Courier::poll_blocks() {
    polled_ = Clock::now();
    const json status = link_.ask("node.status", json::object());
    const Sequence newest(status.at("organization").at("sequence").get<std::uint64_t>());
    while (head_ < newest) read_block(head_.next());
}

void Courier::read_block(Sequence sequence) {
    const json block = link_.ask("block.get", {{"sequence", sequence.value()}, {"detail", "ids"}});
    const Pulse pulse(block.at("pulse").get<std::uint64_t>());
    for (const json& text : block.at("transactions")) {
        const auto id = Hash::parse(text.get<std::string>());
        const auto found = by_id_.find(id.value_or(Hash()));
        if (found == by_id_.end()) continue;
        const Open& open = at(found->second);
        const std::uint64_t submitted = open.submitted.value_or(pulse).value();
        const std::uint64_t pulses = pulse.value() - std::min(submitted, pulse.value());
        decide(found->second, Delivery::committed(open.transaction.row, sequence, pulses));
    }
    head_ = sequence;
}

void Courier::decide(std::size_t index, Delivery delivery) {
    Open& open = at(index);
    by_id_.erase(open.transaction.id);
    open.state = State::decided;
    open.transaction.hex = {};
    ++delivered_;
    on_delivered_(delivery);
    while (!open_.empty() && open_.front().state == State::decided) {
        open_.pop_front();
        ++base_;
    }
    first_unsent_ = std::max(first_unsent_, base_);
}

void Courier::finish() {
    auto last_change = Clock::now();
    std::uint64_t last_delivered = delivered_;
    while (!open_.empty()) {
        send_unsent();
        poll_blocks();
        if (delivered_ != std::exchange(last_delivered, delivered_)) last_change = Clock::now();
        if (open_.empty()) return;
        if (Clock::now() - last_change > kStragglerPatience) {
            ask_after_stragglers();
            last_change = Clock::now();
        }
        link_.pause();
    }
}

void Courier::read_up_to(Sequence sequence) {
    poll_blocks();
    while (head_ < sequence) {
        link_.pause();
        poll_blocks();
    }
}

// An admitted transaction may have left the mempool again: refused on a later head, or forgotten by
// a daemon that came back before we noticed that it was gone.
void Courier::ask_after_stragglers() {
    for (std::size_t i = base_; i < end(); ++i) {
        if (at(i).state != State::admitted) continue;
        const json status = link_.ask("transaction.status", {{"id", at(i).transaction.id.hex()}});
        const auto state = status.at("state").get<std::string>();
        if (status.contains("refusal")) {
            const auto name = status.at("refusal").at("name").get<std::string>();
            decide(i, Delivery::refused(at(i).transaction.row, name));
        } else if (state == "unknown") {
            at(i).state = State::unsent;
            first_unsent_ = std::min(first_unsent_, i);
        }
        if (state == "pending") return;  // slow, but on its way; so is what stands behind it
    }
}

}  // namespace leither::app
