#include "support/node/node_host.h"

#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"

namespace leither::testing {

namespace {

using node::Effects;
using node::SignatureJob;

std::vector<bool> check(const SignatureJob& job) {
    std::vector<bool> holds;
    for (const auto& check : job.checks) {
        holds.push_back(crypto::verify(check.key, check.message, check.signature));
    }
    return holds;
}

// Effects as bytes, for the digest.
struct Describe {
    bcs::Writer& out;

    void operator()(const protocol::Refused& refused) const {
        bcs::write(out, refused.code);
        bcs::write(out, refused.actual);
        bcs::write(out, refused.limit);
    }
    void operator()(const node::SubmitReply& reply) const {
        bcs::write(out, reply.token);
        for (const node::Verdict& verdict : reply.verdicts) {
            bcs::write(out, verdict.has_value());
            if (verdict) {
                bcs::write(out, *verdict);
            } else {
                (*this)(verdict.error());
            }
        }
    }
    void operator()(const node::FoundReply& reply) const {
        bcs::write(out, reply.token);
        bcs::write(out, reply.organization.has_value());
    }
    // A node without network says no more than that.
    void operator()(const node::NetworkReply& reply) const { bcs::write(out, reply.token); }
    void operator()(const node::LetterArrived& arrived) const { bcs::write(out, arrived.message); }
    void operator()(const node::LineTaken& taken) const { bcs::write(out, taken.line); }
    void operator()(const node::BlockSealed& sealed) const {
        bcs::write(out, sealed.seal);
        for (const Hash& id : sealed.transactions) bcs::write(out, id);
        for (const Id& id : sealed.accounts) bcs::write(out, id);
    }
    void operator()(const node::BlocksFinal& told) const {
        bcs::write(out, told.finality.sequence);
    }
    void operator()(const node::TransactionDropped& dropped) const {
        bcs::write(out, dropped.id);
        (*this)(dropped.refused);
    }
    void operator()(const store::WriteBatch& batch) const {
        for (const auto& put : batch.puts()) {
            out.raw(put.key);
            out.raw(put.value);
        }
        for (const auto& erase : batch.erases()) out.raw(erase.key);
    }
    void operator()(const SignatureJob& job) const {
        bcs::write(out, job.job);
        for (const auto& check : job.checks) {
            out.raw(check.key.view());
            out.raw(check.message);
            out.raw(check.signature.view());
        }
    }
};

}  // namespace

NodeHost::NodeHost(HostOptions options)
    : options_(options),
      community_(options.community),
      prng_(options.seed),
      now_(community_.start_of(Pulse(0))),
      latest_(now_) {
    CHECK(reopen());
}

bool NodeHost::reopen() {
    node_.reset();
    batch_.reset();
    held_jobs_.clear();
    pruning_.reset();
    fatal_.reset();
    latest_ = now_;
    auto opened = node::Node::open(options_.node, store_, community_.node_key(), Log());
    if (!opened) {
        open_error_ = opened.error();
        return false;
    }
    node_.emplace(*std::move(opened));
    return true;
}

bool NodeHost::crash() {
    store_.crash();
    return reopen();
}

void NodeHost::step(node::Input input) {
    latest_ = std::max(latest_, now_);
    Effects effects = node_->step(std::move(input), latest_);
    node_->check_invariants();
    note(effects);
    carry_out(std::move(effects));
}

void NodeHost::note(const Effects& effects) {
    bcs::Writer out;
    const Describe describe{out};
    out.raw(digest_.view());
    if (effects.durable) describe(*effects.durable);
    for (const auto& job : effects.verify) describe(job);
    for (const auto& reply : effects.replies) std::visit(describe, reply);
    for (const auto& event : effects.events) std::visit(describe, event);
    bcs::write(out, effects.prune.has_value());
    bcs::write(out, effects.fatal.has_value());
    digest_ = crypto::blake2b_256(out.view());
}

void NodeHost::carry_out(Effects&& effects) {
    if (effects.fatal) fatal_ = std::move(effects.fatal);
    if (effects.prune) pruning_ = effects.prune;
    if (effects.durable) {
        CHECK(!batch_);
        batch_ = Batch{*std::move(effects.durable), std::move(effects.replies),
                       std::move(effects.events)};
    } else {
        tell(std::move(effects.replies), std::move(effects.events));
    }
    answer_jobs(std::move(effects.verify));
    if (!batch_) prune();
    if (batch_ && options_.writing == Writing::at_once) write();
}

void NodeHost::answer_jobs(std::vector<SignatureJob>&& jobs) {
    std::ranges::move(jobs, std::back_inserter(held_jobs_));
    if (options_.checking != Checking::held) check_signatures();
}

void NodeHost::check_signatures() {
    // Steps below may add to the list: theirs is the next round.
    while (!held_jobs_.empty()) {
        auto jobs = std::exchange(held_jobs_, {});
        if (options_.checking != Checking::at_once) prng_.shuffle(std::span(jobs));
        for (const SignatureJob& job : jobs) step(node::SignaturesChecked{job.job, check(job)});
    }
}

void NodeHost::write() {
    CHECK(batch_);
    Batch batch = *std::exchange(batch_, std::nullopt);
    auto written = store_.write(batch.writes);
    if (written) tell(std::move(batch.replies), std::move(batch.events));
    step(node::Persisted{std::move(written)});
}

void NodeHost::prune() {
    if (!pruning_ || fatal_) return;
    ++prunings_;
    auto pruned = ledger::prune(store_, *std::exchange(pruning_, std::nullopt));
    // A store that has failed takes no more writes: the next batch will meet the same fault.
    if (!pruned) fatal_ = pruned.error();
}

void NodeHost::tell(std::vector<node::Reply>&& replies, std::vector<node::Event>&& events) {
    for (auto& reply : replies) {
        if (auto* submit = std::get_if<node::SubmitReply>(&reply)) {
            submit_replies_.push_back(std::move(*submit));
        } else if (auto* network = std::get_if<node::NetworkReply>(&reply)) {
            network_replies_.push_back(std::move(*network));
        } else {
            found_replies_.push_back(std::get<node::FoundReply>(std::move(reply)));
        }
    }
    for (auto& event : events) {
        if (auto* sealed = std::get_if<node::BlockSealed>(&event)) {
            sealed_.push_back(std::move(*sealed));
        } else if (!std::holds_alternative<node::BlocksFinal>(event)) {
            dropped_.push_back(std::get<node::TransactionDropped>(std::move(event)));
        }
    }
}

void NodeHost::advance(Duration duration) {
    const Instant end = now_ + duration;
    for (;;) {
        const auto deadline = node_->next_deadline();
        if (!deadline || *deadline > end) break;
        now_ = std::max(now_, *deadline);
        ++ticks_;
        step(node::Tick{});
        // While the batch is held, or the host would be told of the same deadline for ever.
        if (batch_ || fatal_) break;
        CHECK(node_->next_deadline() != deadline);
    }
    now_ = end;
}

void NodeHost::pass_pulses(std::uint64_t count) {
    const Duration pulse = std::chrono::milliseconds(community_.options().params.pulse_ms);
    for (std::uint64_t i = 0; i < count; ++i) advance(pulse);
}

void NodeHost::step_clock_back(Duration duration) {
    now_ -= duration;
}

bool NodeHost::found() {
    step(node::Found{next_token_++, community_.encoded_genesis()});
    return !found_replies_.empty() && found_replies_.back().organization.has_value();
}

void NodeHost::submit(const std::vector<protocol::Transaction>& transactions) {
    node::Submit submit{next_token_++, {}};
    for (const auto& transaction : transactions) {
        submit.transactions.push_back(bcs::encode(transaction));
    }
    step(std::move(submit));
}

node::Verdict NodeHost::submit_one(const protocol::Transaction& transaction) {
    const std::size_t before = submit_replies_.size();
    submit({transaction});
    CHECK(submit_replies_.size() == before + 1);
    return submit_replies_.back().verdicts.front();
}

Signing NodeHost::signing(const crypto::KeyPair& signer) const {
    const auto counter = queries().next_counter(signer.id(), 0);
    const bool is_known = counter && *counter;
    return {is_known ? **counter : 0, Pulse(pulse().value() + 100)};
}

node::Verdict NodeHost::pay(std::size_t payer, std::size_t payee, std::uint64_t amount) {
    const auto from = community_.member(payer);
    return submit_one(community_.pay(from, community_.member(payee), amount, signing(from)));
}

protocol::Transactions NodeHost::block(Sequence sequence) const {
    auto answer = queries().block(sequence);
    CHECK(answer.has_value() && answer->has_value());
    return std::move((*answer)->transactions);
}

std::uint64_t NodeHost::balance(const Id& id) const {
    const auto answer = queries().account(id, std::nullopt);
    CHECK(answer.has_value());
    if (!answer->record) return 0;
    return protocol::sum_of(*answer->record)->units();
}

}  // namespace leither::testing
