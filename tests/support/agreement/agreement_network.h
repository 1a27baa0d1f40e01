// Bookkeepers on a network in memory, in virtual time: messages are late, lost, doubled and
// overtaken, disks sync after a while, nodes crash and come back with what was synced. Everything
// follows from one seed.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>

#include "leither/base/prng.h"
#include "leither/codec/bcs.h"
#include "leither/consensus/agreement.h"
#include "leither/store/memory_store.h"

#include "support/agreement/toy_application.h"

namespace leither::testing {

// A committee's ledger without content. What waits is a pulse; a block takes all of it.
class ToyLaw final : public consensus::Law {
 public:
    explicit ToyLaw(consensus::Term term) : term_(std::move(term)) {}

    static Hash hash_of(const protocol::BlockHeader& header) {
        return header.sequence == Sequence(0) ? Hash::copy_of(toy_chain().view())
                                              : protocol::block_hash(toy_chain(), header);
    }

    Pulse pulse(Instant now) const override {
        const auto since = now.time_since_epoch();
        return Pulse(static_cast<std::uint64_t>(since / std::chrono::milliseconds(kToyPulseMs)));
    }
    Result<consensus::Value, store::Fault> build(const consensus::Stamp& stamp) override {
        CHECK(stamp.pulse > head_.header.pulse);
        return toy_value(head_.header.sequence.next(), hash_of(head_.header), stamp,
                         10 * ++built + 1);
    }
    Result<consensus::Validity, store::Fault> check(const Hash&,
                                                    const consensus::Value& value) override {
        const auto& header = value.header;
        const bool follows = header.sequence == head_.header.sequence.next() &&
                             header.parent == hash_of(head_.header) &&
                             header.pulse > head_.header.pulse && is_sound(header);
        return follows ? consensus::Validity::valid : consensus::Validity::invalid;
    }
    // What a liar builds ends in 0.
    static bool is_sound(const protocol::BlockHeader& header) {
        return header.root.sum.units() % 10 != 0;
    }
    Result<bool, store::Fault> omits(const consensus::Value&, Pulse) override { return false; }

    std::optional<Pulse> opens_at() const override { return waiting; }
    Result<bool, store::Fault> has_work(Pulse at) override { return waiting && *waiting <= at; }
    Result<store::WriteBatch, store::Fault> seal(const Hash&, consensus::Value&& value,
                                                 const protocol::Certificate& decided) override {
        sealed_ = ledger::Seal{value.header, decided, {}};
        store::WriteBatch batch;
        ledger::put_seal(batch, *sealed_);
        return batch;
    }
    Result<void, store::Fault> commit(Instant) override {
        head_ = *std::exchange(sealed_, std::nullopt);
        decided_.emplace(head_.header.sequence, head_);
        if (waiting && *waiting <= head_.header.pulse) waiting.reset();
        if (term_after) term_ = term_after(head_, term_);
        return {};
    }
    const consensus::Term& term() const override { return term_; }
    const ledger::Seal& head() const override { return head_; }
    Result<std::optional<protocol::Transactions>, store::Fault> head_transactions() override {
        return protocol::Transactions{};
    }
    // By the committee in office now.
    Result<std::optional<consensus::DecidedHeight>, store::Fault> decided(
        Sequence height) override {
        const auto found = decided_.find(height);
        if (found == decided_.end()) return std::nullopt;
        return consensus::DecidedHeight{found->second.header, found->second.certificate,
                                        term_.committee};
    }
    void reopen(const ledger::Seal& head, consensus::Term term) {
        head_ = head;
        term_ = std::move(term);
        sealed_.reset();
    }

    std::optional<Pulse> waiting;
    std::uint64_t built = 0;
    std::function<consensus::Term(const ledger::Seal&, const consensus::Term&)> term_after;

 private:
    consensus::Term term_;
    ledger::Seal head_;
    std::optional<ledger::Seal> sealed_;
    std::map<Sequence, ledger::Seal> decided_;
};

// `mute` says that it has blocks, and gives none.
enum class Lie : std::uint8_t { none, equivocate, withhold, garbage, replay, mute };

class AgreementNetwork {
 public:
    struct Options {
        std::size_t seats = 4;
        std::size_t followers = 0;
        std::uint64_t seed = 1;
        std::uint64_t loss_percent = 0;
        // What is lost comes later instead, as over a connection that repeats it.
        std::optional<Duration> repeated_after = std::nullopt;
        std::uint64_t double_percent = 0;
        Duration latency_min = std::chrono::milliseconds(10);
        Duration latency_max = std::chrono::milliseconds(50);
        Duration sync_min = std::chrono::milliseconds(1);
        Duration sync_max = std::chrono::milliseconds(8);
        Duration skew_max = std::chrono::milliseconds(100);
        std::map<std::size_t, Lie> liars = {};
        // Pairs that are connected; empty: all.
        std::set<std::pair<std::size_t, std::size_t>> links = {};
        consensus::AgreementOptions agreement = {};
        std::uint32_t cycle_pulses = kEndless;
    };
    static constexpr std::uint32_t kEndless = 1'000'000;  // the first committee stays

    explicit AgreementNetwork(Options options)
        : options_(std::move(options)), prng_(options_.seed) {
        for (std::size_t i = 0; i < options_.seats + options_.followers; ++i) {
            auto node = std::make_unique<Node>(term_of(i, 0, Sequence(1), options_.cycle_pulses));
            node->key = seat_key(i);
            node->law.built = i * 1'000'000;
            const auto skew = static_cast<std::int64_t>(
                prng_.below(static_cast<std::uint64_t>(2 * options_.skew_max.count() + 1)));
            node->skew = Duration(skew) - options_.skew_max;
            if (options_.liars.contains(i)) node->lie = options_.liars.at(i);
            store::WriteBatch batch;
            consensus::vote_log::put(batch, consensus::Vouch{0, Sequence(0)});
            CHECK(node->store.write(batch).has_value());
            nodes_.push_back(std::move(node));
        }
        for (std::size_t i = 0; i < nodes_.size(); ++i) start(i);
    }

    consensus::Term term_of(std::size_t node, std::uint64_t cycle, Sequence first,
                            std::uint64_t end) const {
        consensus::Term term;
        term.cycle = cycle;
        term.committee = seat_keys(options_.seats);
        term.previous = term.committee;
        for (const PublicKey& key : term.committee) term.nodes.push_back(crypto::id_of(key));
        if (node < options_.seats) {
            term.seat = static_cast<std::uint16_t>(node);
            term.key = seat_key(node);
        }
        term.first_height = first;
        if (options_.cycle_pulses != kEndless) term.end = Pulse(end);
        term.cycle_pulses = options_.cycle_pulses;
        return term;
    }

    // ---- What the tests do
    void run_for(Duration duration) { run_until(now_ + duration); }
    void run_until(Instant until) {
        while (true) {
            const auto next = next_event();
            if (!next || *next > until) break;
            now_ = std::max(now_, *next);
            happen();
        }
        now_ = std::max(now_, until);
    }
    // Something to seal, known to these nodes (all if empty).
    void pay(const std::vector<std::size_t>& to = {}) {
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (!to.empty() && std::ranges::count(to, i) == 0) continue;
            Node& node = *nodes_[i];
            if (!node.law.waiting) node.law.waiting = node.law.pulse(local(i)).next();
        }
    }
    void crash(std::size_t i) {
        Node& node = *nodes_[i];
        if (!node.agreement) return;
        node.agreement.reset();
        ++node.life;
        node.writes = {};
        for (std::size_t j = 0; j < nodes_.size(); ++j) {
            if (j != i && linked(i, j)) input(j, consensus::Agreement::NodeDown{id(i)});
        }
    }
    // With its disk, or with a disk `from` before.
    void restart(std::size_t i) {
        if (nodes_[i]->agreement) return;
        start(i);
    }
    void lose_log(std::size_t i) {
        store::WriteBatch batch;
        batch.erase(store::version_key(0, store::KeyKind::vote));
        CHECK(nodes_[i]->store.write(batch).has_value());
    }
    void set_loss(std::uint64_t percent) { options_.loss_percent = percent; }
    void set_links(std::set<std::pair<std::size_t, std::size_t>> links) {
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            for (std::size_t j = 0; j < nodes_.size(); ++j) {
                if (i == j || !nodes_[i]->agreement) continue;
                const bool before = linked(i, j);
                const bool after = links.empty() || has(links, i, j);
                if (before && !after) input(i, consensus::Agreement::NodeDown{id(j)});
                if (!before && after && nodes_[j]->agreement) {
                    input(i, consensus::Agreement::NodeUp{id(j)});
                }
            }
        }
        options_.links = std::move(links);
    }
    void skew(std::size_t i, Duration by) { nodes_[i]->skew = by; }
    void inject(std::size_t from, std::size_t to, protocol::AgreementMessage message) {
        deliver_later(from, to, std::move(message));
    }

    // ---- What they see
    Id id(std::size_t i) const { return nodes_[i]->key.id(); }
    const ledger::Seal& head(std::size_t i) const { return nodes_[i]->law.head(); }
    std::uint64_t height(std::size_t i) const { return head(i).header.sequence.value(); }
    std::uint64_t lowest() const {
        std::uint64_t lowest = UINT64_MAX;
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (nodes_[i]->agreement && nodes_[i]->lie == Lie::none) {
                lowest = std::min(lowest, height(i));
            }
        }
        return lowest;
    }
    const consensus::Agreement& agreement(std::size_t i) const { return *nodes_[i]->agreement; }
    ToyLaw& law(std::size_t i) { return nodes_[i]->law; }
    std::size_t size() const { return nodes_.size(); }
    Instant now() const { return now_; }
    const Hash& trace() const { return trace_; }
    // The seal of each height; the same at all nodes, or the run has ended.
    const std::map<Sequence, ledger::Seal>& decided() const { return decided_; }
    std::uint64_t writes(std::size_t i) const { return nodes_[i]->written; }
    std::uint64_t bytes_sent(std::size_t i) const { return nodes_[i]->bytes; }
    // Whole blocks as decisions, of one height, by this node.
    std::size_t copies_sent(std::size_t i, std::uint64_t height) const {
        const auto found = nodes_[i]->copies.find(height);
        return found == nodes_[i]->copies.end() ? 0 : found->second;
    }
    const std::vector<consensus::Agreement::Behind>& behind(std::size_t i) const {
        return nodes_[i]->behind;
    }
    const std::vector<protocol::Conflict>& evidence() const { return evidence_; }
    std::size_t blamed() const { return blamed_; }
    // Messages between two nodes, by kind: index of AgreementMessage.
    std::map<std::size_t, std::size_t> sent;

 private:
    struct Write {
        store::WriteBatch batch;
        std::optional<std::uint64_t> log;  // its number; nothing: the block
        Instant done;
    };
    struct Node {
        explicit Node(consensus::Term term) : law(std::move(term)) {}
        crypto::KeyPair key = seat_key(0);
        ToyLaw law;
        Duration skew{};  // of its clock
        store::MemoryStore store;
        std::optional<consensus::Agreement> agreement;
        std::queue<Write> writes;
        std::uint64_t life = 0;
        Lie lie = Lie::none;
        std::uint64_t written = 0;
        std::uint64_t bytes = 0;
        std::map<std::uint64_t, std::size_t> copies = {};
        std::vector<consensus::Agreement::Behind> behind;
    };
    struct Message {
        Instant at;
        std::uint64_t number = 0;
        std::size_t from = 0;
        std::size_t to = 0;
        std::uint64_t life = 0;  // of the receiver: a crash loses what is under way
        protocol::AgreementMessage body;
        bool operator<(const Message& other) const {
            return std::tie(other.at, other.number) < std::tie(at, number);
        }
    };

    static bool has(const std::set<std::pair<std::size_t, std::size_t>>& links, std::size_t i,
                    std::size_t j) {
        return links.contains({i, j}) || links.contains({j, i});
    }
    bool linked(std::size_t i, std::size_t j) const {
        return options_.links.empty() || has(options_.links, i, j);
    }

    // Every signature is checked once a run.
    bool holds(const PublicKey& key, ByteView message, const Signature& signature) {
        Bytes all(key.view().begin(), key.view().end());
        all.insert(all.end(), message.begin(), message.end());
        all.insert(all.end(), signature.view().begin(), signature.view().end());
        const Hash hash = crypto::blake2b_256(all);
        const auto known = checked_.find(hash);
        if (known != checked_.end()) return known->second;
        return checked_[hash] = crypto::verify(key, message, signature);
    }

    void start(std::size_t i) {
        Node& node = *nodes_[i];
        // The head is what the disk has: the newest seal.
        ledger::Seal head;
        std::uint32_t run = 0;
        for (auto at = decided_.rbegin(); at != decided_.rend(); ++at) {
            const auto seal = *ledger::read_seal(node.store, at->first);
            if (!seal) continue;
            if (head.header.sequence == Sequence(0)) head = *seal;
            if (seal->header.author != head.header.author) break;
            if (seal->header.sequence < node.law.term().first_height) break;
            ++run;
        }
        node.law.reopen(head, node.law.term());
        consensus::Agreement::Setup setup;
        setup.chain = toy_chain();
        setup.pulse_ms = kToyPulseMs;
        setup.holds = [this](const PublicKey& key, ByteView message, const Signature& signature) {
            return holds(key, message, signature);
        };
        setup.author_run = run;
        setup.vouch = *consensus::vote_log::read_vouch(node.store);
        setup.replay = *consensus::vote_log::read(node.store, head.header.sequence.next());
        node.agreement.emplace(options_.agreement, std::move(setup), node.law);
        carry_out(i, *node.agreement->start(local(i)));
        for (std::size_t j = 0; j < nodes_.size(); ++j) {
            if (j == i || !linked(i, j) || !nodes_[j]->agreement) continue;
            input(i, consensus::Agreement::NodeUp{id(j)});
            input(j, consensus::Agreement::NodeUp{id(i)});
        }
    }

    Instant local(std::size_t i) const { return now_ + nodes_[i]->skew; }

    void input(std::size_t i, consensus::Agreement::Input&& input) {
        Node& node = *nodes_[i];
        if (!node.agreement) return;
        auto fx = *node.agreement->step(std::move(input), local(i));
        node.agreement->check_invariants();
        carry_out(i, std::move(fx));
    }

    void carry_out(std::size_t i, consensus::Agreement::Effects&& fx) {
        Node& node = *nodes_[i];
        if (fx.log) write(node, {std::move(fx.log->batch), fx.log->number, {}});
        if (fx.durable) write(node, {*std::move(fx.durable), std::nullopt, {}});
        for (auto& send : fx.sends) tell(i, std::move(send));
        for (auto& found : fx.evidence) {
            const PublicKey& key = node.law.term().committee[found.seat];
            CHECK(protocol::is_proven(found, toy_chain(), key));
            evidence_.push_back(std::move(found));
        }
        blamed_ += fx.blamed.size();
        if (fx.behind) {
            node.behind.push_back(*fx.behind);
            catch_up(i);
        }
        if (fx.committed && node.lie == Lie::none) judge(node.law.head());
        CHECK(!fx.objected_to);
    }

    // Agreement and validity.
    void judge(const ledger::Seal& seal) {
        const auto [known, is_new] = decided_.emplace(seal.header.sequence, seal);
        CHECK(known->second.header == seal.header, "two blocks of one height");
        CHECK(ToyLaw::is_sound(seal.header), "a block that is not valid");
        Bytes bytes(trace_.view().begin(), trace_.view().end());
        const Bytes more = bcs::encode(seal);
        bytes.insert(bytes.end(), more.begin(), more.end());
        bcs::Writer at;
        at.little_endian(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
        bytes.insert(bytes.end(), at.view().begin(), at.view().end());
        trace_ = crypto::blake2b_256(bytes);
    }

    // What the sync machine does: the blocks that were missed, then a start from there.
    void catch_up(std::size_t i) {
        Node& node = *nodes_[i];
        const Sequence newest = decided_.rbegin()->first;
        if (newest.value() <= height(i) + 1 || node.agreement->is_sealing()) return;
        store::WriteBatch batch;
        for (const auto& [at, seal] : decided_) ledger::put_seal(batch, seal);
        auto vouch = *consensus::vote_log::read_vouch(node.store);
        if (vouch) {
            vouch->decided = newest;
            consensus::vote_log::put(batch, *vouch);
        }
        CHECK(node.store.write(batch).has_value());
        restarts_.insert(i);
    }

    void write(Node& node, Write&& write) {
        Instant start = now_;
        if (!node.writes.empty()) start = std::max(start, node.writes.back().done);
        write.done = start + between(options_.sync_min, options_.sync_max);
        node.writes.push(std::move(write));
        ++node.written;
    }

    Duration between(Duration low, Duration high) {
        return low + Duration(prng_.below(static_cast<std::uint64_t>((high - low).count()) + 1));
    }

    std::size_t index_of(const Id& wanted) const {
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (id(i) == wanted) return i;
        }
        check_failed("a neighbour", __FILE__, __LINE__);
    }

    void tell(std::size_t i, consensus::Agreement::Send&& send) {
        Node& node = *nodes_[i];
        const std::size_t to = index_of(send.to);
        ++sent[send.message.index()];
        node.bytes += bcs::encode(send.message).size();
        const auto* decision = std::get_if<protocol::Decision>(&send.message);
        const bool is_block = decision != nullptr && decision->transactions;
        if (is_block && node.lie == Lie::mute) return;
        if (is_block) ++node.copies[decision->header.sequence.value()];
        distort(i, to, send.message);
        const auto turn = static_cast<std::uint64_t>(now_.time_since_epoch().count()) / 4'000'000;
        if (node.lie == Lie::withhold && to % 2 == turn % 2) return;
        deliver_later(i, to, std::move(send.message));
    }

    void deliver_later(std::size_t from, std::size_t to, protocol::AgreementMessage&& body) {
        if (!linked(from, to) || !nodes_[to]->agreement) return;
        const std::uint64_t copies = prng_.chance(options_.double_percent, 100) ? 2 : 1;
        for (std::uint64_t copy = 0; copy < copies; ++copy) {
            Instant at = now_ + between(options_.latency_min, options_.latency_max);
            if (prng_.chance(options_.loss_percent, 100)) {
                if (!options_.repeated_after) continue;
                at += *options_.repeated_after;
            }
            messages_.push({at, ++number_, from, to, nodes_[to]->life, body});
        }
    }

    // ---- Liars
    void resign(std::size_t i, protocol::Vote& vote) const {
        vote.signature = nodes_[i]->key.sign(protocol::signing_message(toy_chain(), vote));
    }
    void resign(std::size_t i, protocol::Proposal& proposal) const {
        const auto claim = protocol::claim_of(toy_chain(), proposal);
        proposal.signature = nodes_[i]->key.sign(protocol::signing_message(toy_chain(), claim));
    }

    void distort(std::size_t i, std::size_t to, protocol::AgreementMessage& message) {
        switch (nodes_[i]->lie) {
            case Lie::none:
            case Lie::mute:
            case Lie::withhold: return;
            case Lie::equivocate: return equivocate(i, to, message);
            case Lie::garbage: return spoil(i, to, message);
            case Lie::replay:
                if (heard_.size() < 4096) heard_.push_back(message);
                for (int n = 0; n < 3; ++n) {
                    deliver_later(i, to,
                                  protocol::AgreementMessage(heard_[prng_.below(heard_.size())]));
                }
                return;
        }
    }

    void equivocate(std::size_t i, std::size_t to, protocol::AgreementMessage& message) {
        if (auto* vote = std::get_if<protocol::Vote>(&message); vote != nullptr) {
            if (vote->seat != i) return;
            if (vote->block) others_.push_back(*vote->block);
            if (others_.size() > 8) others_.erase(others_.begin());
            if (prng_.chance(1, 2)) return;
            vote->block.reset();
            if (!others_.empty() && prng_.chance(1, 2)) {
                vote->block = others_[prng_.below(others_.size())];
            }
            resign(i, *vote);
        } else if (auto* proposal = std::get_if<protocol::Proposal>(&message);
                   proposal != nullptr && proposal->header.author == i && to % 2 == 0) {
            // To half of them another block, at times an invalid one.
            const std::uint64_t ending = prng_.chance(1, 3) ? 0 : 2;
            proposal->header.root.sum =
                Amount::of(proposal->header.root.sum.units() / 10 * 10 + ending);
            proposal->valid_round.reset();
            proposal->prevotes.clear();
            resign(i, *proposal);
        } else if (auto* status = std::get_if<protocol::Status>(&message); status != nullptr) {
            for (auto& round : status->rounds) {
                round.prevotes = static_cast<std::uint32_t>(prng_.next());
                round.has_proposal = prng_.chance(1, 2);
            }
            status->pulse = Pulse(prng_.next());
        }
    }

    void spoil(std::size_t i, std::size_t to, protocol::AgreementMessage& message) {
        if (auto* vote = std::get_if<protocol::Vote>(&message); vote != nullptr) {
            switch (prng_.below(4)) {
                case 0: vote->signature[prng_.below(64)] ^= 1; break;
                case 1: vote->seat = static_cast<std::uint16_t>(prng_.below(40)); break;
                case 2:
                    vote->slot.round = static_cast<std::uint32_t>(prng_.next());
                    vote->seat = static_cast<std::uint16_t>(i);
                    resign(i, *vote);
                    break;
                case 3:
                    vote->slot.height = Sequence(vote->slot.height.value() + prng_.below(4));
                    vote->seat = static_cast<std::uint16_t>(i);
                    resign(i, *vote);
                    break;
            }
        } else if (auto* proposal = std::get_if<protocol::Proposal>(&message);
                   proposal != nullptr) {
            switch (prng_.below(4)) {
                case 0: proposal->transactions.reset(); break;
                case 1: proposal->header.signers ^= 1; break;
                case 2:
                    proposal->slot.round += static_cast<std::uint32_t>(4 * prng_.below(9));
                    break;
                case 3: proposal->header.pulse = Pulse(prng_.next()); break;
            }
            resign(i, *proposal);
        } else if (auto* status = std::get_if<protocol::Status>(&message); status != nullptr) {
            status->height = Sequence(prng_.below(status->height.value() + 3));
            status->wanted = static_cast<std::uint32_t>(prng_.below(3));
        }
        static_cast<void>(to);
    }

    // ---- Time
    std::optional<Instant> next_event() const {
        std::optional<Instant> first;
        const auto consider = [&](Instant at) {
            if (!first || at < *first) first = at;
        };
        if (!messages_.empty()) consider(messages_.top().at);
        for (const auto& node : nodes_) {
            if (!node->writes.empty()) consider(node->writes.front().done);
            if (!node->agreement) continue;
            if (const auto due = node->agreement->next_deadline()) consider(*due - node->skew);
        }
        return first;
    }
    void happen() {
        if (!restarts_.empty()) {
            const std::size_t i = *restarts_.begin();
            restarts_.erase(restarts_.begin());
            crash(i);
            start(i);
            return;
        }
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            Node& node = *nodes_[i];
            if (!node.writes.empty() && node.writes.front().done <= now_) {
                const Write done = std::move(node.writes.front());
                node.writes.pop();
                CHECK(node.store.write(done.batch).has_value());
                if (done.log) return input(i, consensus::Agreement::Logged{*done.log});
                return input(i, consensus::Agreement::Persisted{});
            }
            if (!node.agreement) continue;
            const auto due = node.agreement->next_deadline();
            if (due && *due <= local(i)) {
                input(i, consensus::Agreement::Tick{});
                const auto again = node.agreement->next_deadline();
                CHECK(!again || *again > local(i), "a deadline that a tick does not serve");
                return;
            }
        }
        if (messages_.empty() || messages_.top().at > now_) return;
        Message message = messages_.top();
        messages_.pop();
        Node& node = *nodes_[message.to];
        if (message.life != node.life || !linked(message.from, message.to)) return;
        // A liar does not mind its own lies.
        const auto* vote = std::get_if<protocol::Vote>(&message.body);
        const auto* proposal = std::get_if<protocol::Proposal>(&message.body);
        if (node.lie != Lie::none &&
            ((vote != nullptr && vote->seat == message.to) ||
             (proposal != nullptr && proposal->header.author == message.to))) {
            return;
        }
        input(message.to,
              consensus::Agreement::Received{id(message.from), std::move(message.body)});
    }

    Options options_;
    Prng prng_;
    Instant now_ = instant_from_unix_ms(5'000);
    std::vector<std::unique_ptr<Node>> nodes_;
    std::priority_queue<Message> messages_;
    std::uint64_t number_ = 0;
    std::set<std::size_t> restarts_;
    std::map<Hash, bool> checked_;
    std::map<Sequence, ledger::Seal> decided_;
    std::vector<protocol::Conflict> evidence_;
    std::vector<protocol::AgreementMessage> heard_;
    std::vector<Hash> others_;
    std::size_t blamed_ = 0;
    Hash trace_;
};

}  // namespace leither::testing
