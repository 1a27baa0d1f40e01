#include "leither/sim/node_host.h"

#include <algorithm>

#include <fmt/format.h>

#include "leither/base/check.h"
#include "leither/consensus/vote_log.h"

#include "hub_streams.h"

namespace leither::sim {

namespace {

std::string text_of(const store::Fault& fault) {
    return fmt::format("{}: {}", store::to_string(fault.kind), fault.detail);
}

}  // namespace

NodeHost::NodeHost(Options options, const Prng& entropy, NodeWatcher& watcher)
    : options_(std::move(options)),
      entropy_(entropy),
      chance_(entropy_.next()),
      watcher_(watcher),
      disk_(options_.disk, Prng(entropy_.next())) {
    store::WriteBatch born;
    consensus::vote_log::put(born, consensus::Vouch{});
    crypto::SecretBytes<32> seed;
    entropy_.fill(seed.span());
    disk_.put_in(node::vote_keys::begin(seed, born));
    disk_.put_in(Disk::Part::ledger, born);
    disk_.watch([this](Disk::Part part, const store::WriteBatch& batch) {
        if (part == Disk::Part::ledger) watcher_.on_durable(*this, batch);
    });
}

// ---- Its life

void NodeHost::start(const Wire& wire) {
    wire_ = wire;
    is_ending_ = false;
    latest_ = wire_->now();
    const node::NetworkSetup network{options_.network, disk_.reader(Disk::Part::network), entropy_,
                                     latest_, options_.meddler};
    node::Options options = options_.node;
    entropy_.fill(options.office_seed.emplace().span());  // another one in each life
    options.vote_keys = disk_.vote_keys();
    options.signature_holds = [this](const PublicKey& key, ByteView message,
                                     const Signature& signature) {
        return holds(key, message, signature);
    };
    auto opened = node::Node::open(options, ledger(), options_.key, Log(), network);
    if (!opened) return end(opened.error().detail);
    node_.emplace(*std::move(opened));
    watcher_.on_opened(*this);
    carry_out(node_->start_network(now()));
    if (!is_running()) return;
    step(node::NetworkInput(node::AddressesAre{{wire_->own().address}}));
}

void NodeHost::leave() {
    CHECK(is_running());
    carry_out(node_->step(node::NetworkInput(node::NetworkStopping{}), now()));
    if (std::exchange(is_ending_, true)) return;
    end_when_durable();
}

void NodeHost::end_when_durable() {
    if (!disk_.is_busy(Disk::Part::ledger) && !disk_.is_busy(Disk::Part::network)) wire_->end();
}

void NodeHost::go_down(Going how) {
    node_.reset();
    pending_.clear();
    held_.reset();
    waiting_.reset();
    pruning_.reset();
    is_pruning_ = false;
    if (how == Going::crashes) {
        disk_.crash();
    } else {
        disk_.close();
    }
}

void NodeHost::end(const std::string& why) {
    if (std::exchange(is_ending_, true)) return;
    note("ends: " + why);
    watcher_.on_ended(*this, why);
    wire_->end();
}

void NodeHost::note(std::string_view text) const {
    wire_->note(options_.name.empty() ? std::string(text)
                                      : fmt::format("{} {}", options_.name, text));
}

// ---- Time

Instant NodeHost::now() const {
    latest_ = std::max(latest_, wire_->now());
    return latest_;
}

std::optional<Instant> NodeHost::next_deadline() const {
    if (!is_running()) return std::nullopt;
    const auto next = node_->next_deadline();
    if (!next) return std::nullopt;
    // By the clock as the node sees it, which may stand still while the machine's catches up.
    return *next <= now() ? wire_->now() : *next;
}

void NodeHost::later(Duration delay, Pending&& what) {
    const std::uint64_t token = ++last_pending_;
    pending_.emplace(token, std::move(what));
    wire_->after(delay, token);
}

void NodeHost::on_elapsed(std::uint64_t token) {
    const auto found = pending_.extract(token);
    CHECK(!found.empty());
    std::visit([this](const auto& what) { on(what); }, found.mapped());
}

// ---- Steps

void NodeHost::tell(node::Input&& input) {
    CHECK(is_running());
    step(std::move(input));
    wire_->rearm();
}

void NodeHost::tell(node::NetworkInput&& input) {
    CHECK(is_running());
    step(std::move(input));
    wire_->rearm();
}

template <class Input>
void NodeHost::step(Input&& input) {
    if (!is_running()) return;
    carry_out(node_->step(std::forward<Input>(input), now()));
    if (options_.checks == Checks::every_step) node_->check_invariants();
}

void NodeHost::carry_out(node::Effects&& effects) {
    if (effects.fatal) {
        tell_all({std::move(effects.replies), {}});
        return end(text_of(*effects.fatal));
    }
    carry_out(std::move(effects.network));
    for (auto& job : effects.verify) {
        const auto spread =
            static_cast<std::uint64_t>((options_.check_max - options_.check_min).count());
        later(options_.check_min + Duration(static_cast<Duration::rep>(chance_.below(spread + 1))),
              std::move(job));
    }
    Told told{std::move(effects.replies), std::move(effects.events)};
    if (effects.durable) {
        CHECK(!held_, "a node hands out one batch at a time");
        held_ = std::move(told);
        Writing writing{*std::move(effects.durable), std::move(effects.vote_keys)};
        if (is_pruning_) {
            waiting_ = std::move(writing);
        } else {
            write(std::move(writing));
        }
    } else {
        tell_all(std::move(told));
    }
    if (effects.prune) pruning_ = effects.prune;
    prune_if_free();
}

void NodeHost::carry_out(node::NetworkEffects&& effects) {
    for (auto& datagram : effects.datagrams) wire_->send(datagram.to, std::move(datagram.bytes));
    carry_out_streams(*wire_, effects);
    if (!effects.durable) return;
    later(disk_.write(Disk::Part::network, *std::move(effects.durable)),
          Synced{Disk::Part::network});
}

void NodeHost::on_ended(StreamId id) {
    wire_->reset(id);
    step(node::NetworkInput(peer::Closed{connection(id)}));
}

void NodeHost::tell_all(Told&& told) {
    for (auto& reply : told.replies) watcher_.on_reply(*this, std::move(reply));
    for (auto& event : told.events) watcher_.on_event(*this, std::move(event));
}

// ---- The disk and the workers

void NodeHost::write(Writing&& writing) {
    later(disk_.write(Disk::Part::ledger, std::move(writing.batch), std::move(writing.keys)),
          Synced{Disk::Part::ledger});
}

void NodeHost::prune_if_free() {
    if (!pruning_ || disk_.is_busy(Disk::Part::ledger)) return;
    is_pruning_ = true;
    later(disk_.prune(Disk::Part::ledger, *std::exchange(pruning_, std::nullopt)),
          Synced{Disk::Part::ledger});
}

void NodeHost::on(const Synced& synced) {
    auto result = disk_.finish(synced.part);
    if (synced.part == Disk::Part::ledger) {
        on_ledger_synced(std::move(result));
    } else {
        auto effects =
            node_->step(node::NetworkInput(node::NetworkPersisted{std::move(result)}), now());
        carry_out(std::move(effects));
    }
    if (is_ending_) end_when_durable();
}

void NodeHost::on_ledger_synced(Result<void, store::Fault>&& result) {
    if (std::exchange(is_pruning_, false)) {
        if (!result) return end(text_of(result.error()));
        if (waiting_) write(*std::exchange(waiting_, std::nullopt));
        return;
    }
    Told told = *std::exchange(held_, std::nullopt);
    const bool is_durable = result.has_value();
    // As the daemon: the node knows first, then the callers.
    auto effects = node_->step(node::Input(node::Persisted{std::move(result)}), now());
    if (is_durable) tell_all(std::move(told));
    if (is_ending_) return tell_all({std::move(effects.replies), std::move(effects.events)});
    carry_out(std::move(effects));
}

void NodeHost::on(const node::SignatureJob& job) {
    node::SignaturesChecked checked{job.job, {}};
    checked.holds.reserve(job.checks.size());
    for (const auto& one : job.checks) {
        checked.holds.push_back(holds(one.key, one.message, one.signature));
    }
    step(node::Input(std::move(checked)));
}

bool NodeHost::holds(const PublicKey& key, ByteView message, const Signature& signature) {
    if (options_.memo == nullptr) return crypto::verify(key, message, signature);
    return options_.memo->holds(key, message, signature);
}

}  // namespace leither::sim
