#include "countersigning.h"

#include <algorithm>
#include <utility>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

namespace leither::node {

using protocol::Acknowledgement;
using protocol::Acknowledgements;
using store::Fault;

namespace {

// In tenths of a pulse: what comes meanwhile goes on together.
constexpr std::uint64_t kPassOnAfter = 3;

}  // namespace

Countersigning::Countersigning(Options options, Setup setup, Head head)
    : options_(options),
      setup_(std::move(setup)),
      own_(setup_.node_key.id()),
      head_(std::move(head)) {
    if (head_.is_certified) final_ = head_.sequence;
    for (const Acknowledgement& known : setup_.known) {
        const Id node = crypto::id_of(known.node);
        if (node == own_) {
            signed_ = known;
        } else if (signers_.size() < options_.nodes_max) {
            signers_[node].newest = known;
        }
    }
    setup_.known.clear();
}

Result<Countersigning::Effects, Fault> Countersigning::step(Input&& input, Instant now) {
    Effects fx;
    if (!std::exchange(has_begun_, true)) {
        for (auto& [node, signer] : signers_) TRY(compare(node, signer, fx));
    }
    TRY(std::visit([&](auto&& held) { return on(std::forward<decltype(held)>(held), now, fx); },
                   std::move(input)));
    sign(now, fx);
    pass_on(now, fx);
    count(now, fx);
    return fx;
}

Countersigning::Done Countersigning::on(const Tick&, Instant, Effects&) {
    return {};
}

Countersigning::Done Countersigning::on(NodeUp&& up, Instant, Effects&) {
    neighbours_.insert_or_assign(up.node, Neighbour{});
    return {};
}

Countersigning::Done Countersigning::on(NodeDown&& down, Instant, Effects&) {
    neighbours_.erase(down.node);
    return {};
}

Countersigning::Done Countersigning::on(Greeted&& greeted, Instant now, Effects& fx) {
    const auto neighbour = neighbours_.find(greeted.node);
    if (neighbour == neighbours_.end() || std::exchange(neighbour->second.keeps_ledger, true)) {
        return {};
    }
    sign(now, fx);
    if (!head_.is_certified) tell(greeted.node, all_nodes(), fx);
    return {};
}

Countersigning::Done Countersigning::on(HeadMoved&& moved, Instant, Effects& fx) {
    CHECK(moved.head.sequence > head_.sequence);
    const Sequence before = head_.sequence;
    head_ = std::move(moved.head);
    if (head_.is_certified) {
        final_ = head_.sequence;
        fx.final_sequence = final_;
        to_pass_on_.clear();
        pass_on_at_.reset();
    }
    for (auto& [node, signer] : signers_) {
        if (signer.newest.sequence > before) TRY(compare(node, signer, fx));
    }
    return {};
}

Countersigning::Done Countersigning::on(Received&& received, Instant now, Effects& fx) {
    const auto from = neighbours_.find(received.from);
    if (from == neighbours_.end() || head_.is_certified) return {};
    for (const Acknowledgement& told : received.message.list) {
        TRY(take(received.from, told, now, fx));
        if (!fx.blamed.empty()) return {};
    }
    return {};
}

Countersigning::Done Countersigning::take(const Id& from, const Acknowledgement& told, Instant now,
                                          Effects& fx) {
    const Id node = crypto::id_of(told.node);
    if (has_seat(node)) return {};
    const auto known = signers_.find(node);
    if (node == own_ || known != signers_.end()) {
        Sequence& has = neighbours_.at(from).has[node];
        has = std::max(has, told.sequence);
    }
    if (node == own_) return {};
    if (known != signers_.end()) {
        const Signer& signer = known->second;
        if (signer.signs_twice || told.sequence < signer.newest.sequence) return {};
        const bool is_same_height = told.sequence == signer.newest.sequence;
        if (is_same_height && told.block == signer.newest.block) return {};
        const bool is_too_soon = signer.next > now + (kSavedUp - 1) * setup_.pulse;
        if (!is_same_height && is_too_soon) return {};
    }
    if (!protocol::is_signed(told, setup_.chain)) {
        fx.blamed.push_back(from);
        return {};
    }
    Signer* signer = place(node, now);
    if (signer == nullptr) return {};
    if (known != signers_.end() && told.sequence == signer->newest.sequence) {
        convict(node, *signer, from, told, fx);
        return {};
    }
    signer->newest = told;
    signer->heard = now;
    signer->next = std::max(signer->next, now) + setup_.pulse;
    neighbours_.at(from).has[node] = told.sequence;
    to_pass_on_.insert(node);
    if (!pass_on_at_) pass_on_at_ = now + kPassOnAfter * setup_.pulse / 10;
    return compare(node, *signer, fx);
}

// Null if all places are taken by nodes that are connected.
Countersigning::Signer* Countersigning::place(const Id& node, Instant now) {
    const auto known = signers_.find(node);
    if (known != signers_.end()) return &known->second;
    if (signers_.size() >= options_.nodes_max) {
        auto oldest = signers_.end();
        for (auto it = signers_.begin(); it != signers_.end(); ++it) {
            if (neighbours_.contains(it->first)) continue;
            if (oldest == signers_.end() || it->second.heard < oldest->second.heard) oldest = it;
        }
        if (oldest == signers_.end()) return nullptr;
        for (auto& [id, neighbour] : neighbours_) neighbour.has.erase(oldest->first);
        to_pass_on_.erase(oldest->first);
        signers_.erase(oldest);
    }
    Signer& made = signers_[node];
    made.heard = made.next = now;
    return &made;
}

// What it has signed last, beside our chain. A block that is not here yet says nothing.
Countersigning::Done Countersigning::compare(const Id& node, Signer& signer, Effects& fx) {
    const Sequence sequence = signer.newest.sequence;
    if (signer.signs_twice || sequence > head_.sequence) return {};
    std::optional<Hash> ours = head_.block;
    if (sequence < head_.sequence) ours = TRY(setup_.block_at(sequence));
    if (!ours) return {};
    signer.dissents = *ours != signer.newest.block;
    if (!signer.dissents) {
        signer.agreed = sequence;
        return {};
    }
    if (!std::exchange(signer.is_reported, true)) {
        setup_.log.error("another_block_countersigned", "sequence={} node={} block={}",
                         sequence.value(), node.hex(), signer.newest.block.hex());
    }
    // Whoever told of it stands on that block, or is nearer to who does.
    for (const auto& [id, neighbour] : neighbours_) {
        const auto has = neighbour.has.find(node);
        const bool told = has != neighbour.has.end() && has->second == sequence;
        if (id == node || told) fx.doubts.push_back({id, sequence});
    }
    return {};
}

// Both go on, so that nobody counts it.
void Countersigning::convict(const Id& node, Signer& signer, const Id& from,
                             const Acknowledgement& second, Effects& fx) {
    signer.signs_twice = true;
    setup_.log.error("countersigned_twice", "sequence={} node={} blocks={},{}",
                     second.sequence.value(), node.hex(), signer.newest.block.hex(),
                     second.block.hex());
    for (const auto& [id, neighbour] : neighbours_) {
        if (id == from || id == node || !neighbour.keeps_ledger) continue;
        Acknowledgements both;
        both.list = {signer.newest, second};
        fx.sends.push_back({id, std::move(both)});
    }
    if (second.sequence <= head_.sequence) fx.doubts.push_back({from, second.sequence});
}

void Countersigning::sign(Instant now, Effects& fx) {
    const bool is_new = !signed_ || head_.sequence > signed_->sequence;
    if (!countersigns() || head_.sequence == Sequence(0) || !is_new || now < sign_at_) return;
    const bool is_heard = std::ranges::any_of(
        neighbours_, [](const auto& entry) { return entry.second.keeps_ledger; });
    if (!is_heard) return;
    signed_ = protocol::acknowledge(setup_.chain, head_.sequence, head_.block, setup_.node_key);
    const std::size_t online = tally(witnesses(now), head_.sequence).online;
    const std::size_t apart =
        std::max<std::size_t>(1, (online + kSignersPerPulse - 1) / kSignersPerPulse);
    sign_at_ = now + apart * setup_.pulse;
    for (const auto& [id, neighbour] : neighbours_) {
        if (neighbour.keeps_ledger) tell(id, {own_}, fx);
    }
}

void Countersigning::pass_on(Instant now, Effects& fx) {
    if (!pass_on_at_ || now < *pass_on_at_) return;
    pass_on_at_.reset();
    const std::set<Id> nodes = std::exchange(to_pass_on_, {});
    for (const auto& [id, neighbour] : neighbours_) {
        if (neighbour.keeps_ledger) tell(id, nodes, fx);
    }
}

void Countersigning::tell(const Id& to, const std::set<Id>& nodes, Effects& fx) {
    Neighbour& neighbour = neighbours_.at(to);
    Acknowledgements message;
    for (const Id& node : nodes) {
        const auto signer = signers_.find(node);
        const Acknowledgement* newest = nullptr;
        if (node == own_ && signed_) newest = &*signed_;
        if (signer != signers_.end()) newest = &signer->second.newest;
        if (newest == nullptr || node == to) continue;
        const auto has = neighbour.has.find(node);
        if (has != neighbour.has.end() && has->second >= newest->sequence) continue;
        neighbour.has[node] = newest->sequence;
        if (message.list.full()) fx.sends.push_back({to, std::exchange(message, {})});
        message.list.push_back(*newest);
    }
    if (!message.list.empty()) fx.sends.push_back({to, std::move(message)});
}

std::set<Id> Countersigning::all_nodes() const {
    std::set<Id> nodes{own_};
    for (const auto& [node, signer] : signers_) nodes.insert(node);
    return nodes;
}

std::vector<Acknowledgement> Countersigning::known() const {
    std::vector<Acknowledgement> all;
    if (signed_) all.push_back(*signed_);
    for (const auto& [node, signer] : signers_) all.push_back(signer.newest);
    return all;
}

bool Countersigning::is_online(const Id& node, const Signer& signer, Instant now) const {
    return neighbours_.contains(node) || now < signer.heard + options_.online_pulses * setup_.pulse;
}

std::vector<Witness> Countersigning::witnesses(Instant now) const {
    std::vector<Witness> all;
    // What is durable here is as good as signed.
    if (!has_seat(own_)) all.push_back({head_.sequence, /*dissents=*/false, /*is_online=*/true});
    for (const auto& [node, signer] : signers_) {
        if (signer.signs_twice || has_seat(node)) continue;
        all.push_back({signer.agreed, signer.dissents, is_online(node, signer, now)});
    }
    for (const auto& [node, neighbour] : neighbours_) {
        if (!neighbour.keeps_ledger || has_seat(node) || signers_.contains(node)) continue;
        all.push_back({Sequence(0), /*dissents=*/false, /*is_online=*/true});
    }
    return all;
}

void Countersigning::count(Instant now, Effects& fx) {
    count_at_.reset();
    if (head_.is_certified) return;
    const auto all = witnesses(now);
    if (final_ > Sequence(0)) {
        const Finality standing = tally(all, final_);
        const bool is_doubtful =
            standing.dissenting > 0 && standing.dissenting >= standing.countersigned;
        if (is_doubtful) {
            setup_.log.error("final_no_more", "sequence={} countersigned={} dissenting={}",
                             final_.value(), standing.countersigned, standing.dissenting);
            final_ = Sequence(0);
        }
    }
    const Sequence last = node::final_sequence(all);
    if (last > final_) {
        final_ = last;
        fx.final_sequence = last;
    }
    if (final_ == head_.sequence) return;
    for (const auto& [node, signer] : signers_) {
        const Instant until = signer.heard + options_.online_pulses * setup_.pulse;
        if (neighbours_.contains(node) || until <= now) continue;
        count_at_ = count_at_ ? std::min(*count_at_, until) : until;
    }
}

Finality Countersigning::finality(Sequence block, Instant now) const {
    CHECK(block <= head_.sequence);
    if (head_.is_certified || block == Sequence(0)) {
        return {.sequence = block, .is_final = true, .is_certified = true};
    }
    Finality known = tally(witnesses(now), block);
    known.is_final = block <= final_;
    return known;
}

std::optional<Instant> Countersigning::next_deadline() const {
    std::optional<Instant> next = pass_on_at_;
    const auto consider = [&next](const std::optional<Instant>& at) {
        if (at && (!next || *at < *next)) next = at;
    };
    consider(count_at_);
    const bool is_heard = std::ranges::any_of(
        neighbours_, [](const auto& entry) { return entry.second.keeps_ledger; });
    const bool is_due = countersigns() && signed_ && head_.sequence > signed_->sequence;
    if (is_heard && is_due) consider(sign_at_);
    return next;
}

void Countersigning::check_invariants() const {
    CHECK(signers_.size() <= options_.nodes_max);
    CHECK(!signers_.contains(own_));
    CHECK(final_ <= head_.sequence);
    CHECK(to_pass_on_.size() <= signers_.size());
    for (const auto& [id, neighbour] : neighbours_) {
        CHECK(neighbour.has.size() <= options_.nodes_max + 1);
    }
    for (const auto& [node, signer] : signers_) CHECK(signer.agreed <= head_.sequence);
}

}  // namespace leither::node
