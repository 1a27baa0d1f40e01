// A ledger with a history to catch up with, peers who serve it well or badly over lines that take
// time, and a node that catches up. Virtual time; all from a seed.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <queue>
#include <string>

#include <gtest/gtest.h>

#include "leither/crypto/hash_chain.h"
#include "leither/protocol/domain_tags.h"
#include "leither/sync/catch_up.h"
#include "leither/sync/serve.h"
#include "leither/sync/state.h"

#include "support/ledger_world.h"

namespace leither::sync::testing {

using leither::testing::id_of;
using leither::testing::key_of;
using leither::testing::LedgerWorld;
using leither::testing::must;
using Names = std::vector<std::string>;

inline constexpr std::uint64_t kCycle = 1000;

inline Names numbered(const std::string& what, std::size_t count) {
    Names names;
    for (std::size_t i = 0; i < count; ++i) names.push_back(what + std::to_string(i));
    return names;
}

inline leither::testing::Founding founding_of(std::size_t members, std::uint64_t cycle = kCycle) {
    leither::testing::Founding founding;
    founding.supply = 1'000'000'000;
    for (const auto& name : numbered("m", members)) founding.allocations.push_back({name, 10'000});
    founding.params.cycle_pulses = static_cast<std::uint32_t>(cycle);
    founding.params.expiry_pulses_max = 86'400;
    founding.params.member_transactions_per_cycle = 1'000'000;
    founding.params.member_transactions_per_pulse = 1'000'000;
    return founding;
}

// What others have agreed on.
class History {
 public:
    explicit History(std::size_t members, std::uint64_t cycle = kCycle)
        : world(founding_of(members, cycle)) {}

    // So many blocks, each with one payment.
    void pay(std::size_t blocks) {
        for (std::size_t i = 0; i < blocks; ++i) {
            const auto skipped = world.seal({world.transfer("m0", "m1", 1)}, world.next_pulse());
            CHECK(skipped.empty());
        }
    }
    // The first block whose pulse reaches the cycle's end; the same committee goes on.
    void end_cycle() { world.seal({}, world.election().end_pulse); }
    // As a node keeps them beside the genesis.
    void keep_cycles(std::uint64_t from = 0) {
        const auto found = must(ledger::cycles_behind(
            world.organization, world.store, world.tree,
            {.target = world.seals.back(), .oldest = Sequence(0), .after_cycle = from}));
        store::WriteBatch batch;
        for (const auto& cycle : found.cycles) ledger::put_cycle(batch, cycle);
        ledger::put_cycle_span(batch, {from, found.cycles.back().term});
        must(world.store.write(batch));
    }
    protocol::BlockName name_at(std::uint64_t sequence) const {
        const auto& header = world.seals.at(sequence).header;
        return {header.sequence, hash_as_parent(chain(), header)};
    }
    // The block that began the running term.
    Sequence cycle_block() const { return world.election().first_sequence; }

    // A supervisor seats another: the block is certified by whom it seats.
    void hand_over_to(const std::string& name) {
        protocol::HandOver act;
        act.last = {world.election().cycle, world.parent().header.sequence, world.parent().hash};
        const auto key = key_of(name + "'s node");
        act.seats.push_back({id_of(name), key.public_key(), key.public_key()});
        if (!std::ranges::count(world.voters, key.public_key(), &crypto::KeyPair::public_key)) {
            world.voters.push_back(key);
        }
        const Pulse pulse(world.next_pulse().value() + 400);
        CHECK(world.seal({wallet::sign(draft("fay", 0), act, key_of("fay"), nullptr)}, pulse)
                  .empty());
    }
    // The candidates pledge, if they have not, reveal, and are seated three cycles later.
    void elect(const Names& names) {
        std::vector<protocol::Transaction> pledges;
        for (const auto& name : names) {
            if (world.member(name)->candidacy) continue;
            const protocol::Pledge act{Amount::of(1'000),
                                       {node(name).public_key(), links(name).head()}};
            pledges.push_back(wallet::sign(draft(name, 0), act, key_of(name), nullptr));
        }
        const std::uint64_t cycle = world.genesis.charter.charter.params.cycle_pulses;
        // With the whole window before it.
        while (world.next_pulse().value() + cycle / 3 + 5 > world.election().end_pulse.value()) {
            end_cycle();
        }
        if (!pledges.empty()) CHECK(world.seal(pledges, world.next_pulse()).empty());
        for (const bool last : {false, false, true}) {
            const std::uint64_t end = world.election().end_pulse.value();
            const std::uint64_t term = world.election().cycle + protocol::kElectedAhead;
            std::vector<protocol::Transaction> acts;
            for (const auto& name : names) {
                const auto vote_key = key_of(name + "'s vote " + std::to_string(term));
                world.voters.push_back(vote_key);
                acts.push_back(as_node(name, protocol::Reveal{links(name).link(++revealed_[name]),
                                                              vote_key.public_key()}));
                CHECK(world.seal({acts.back()}, Pulse(next_in_window(end))).empty());
                if (!last) continue;
                const auto ready = as_node(name, protocol::Ready{world.election().cycle + 1});
                CHECK(world.seal({ready}, Pulse(next_in_window(end))).empty());
            }
            world.seal({}, Pulse(end));
        }
    }

    // A decided block that brings so many members, faster than by their admission.
    void crowd(std::size_t members) {
        Prng prng(members);
        std::vector<tree::Change> changes;
        for (std::size_t i = 0; i < members; ++i) {
            protocol::MemberRecord record;
            prng.fill(record.key.span());
            prng.fill(record.salt.span());
            record.lanes.push_back({0, 7});
            const Bytes bytes = bcs::encode(protocol::Record(record));
            tree::Change::Value value{{}, Amount{}};
            value.record.assign(bytes.begin(), bytes.end());
            changes.push_back({crypto::id_of(record.key), std::move(value), std::nullopt});
        }
        std::ranges::sort(changes, {}, &tree::Change::id);
        protocol::BlockHeader header = world.seals.back().header;
        header.parent = world.parent().hash;
        header.sequence = header.sequence.next();
        header.pulse = header.pulse.next();
        header.transactions = transactions_hash(chain(), protocol::Transactions{});
        header.transaction_count = 0;
        header.signers = world.stamp(header.pulse).signers;
        auto update = must(world.tree.prepare(changes, header.sequence));
        header.root = update.version().root;
        world.commit({header, std::move(update)}, {});
    }

    const ChainId& chain() const { return world.organization.chain; }
    Sequence head() const { return world.seals.back().header.sequence; }
    Source source(std::uint64_t oldest, std::uint64_t newest) const {
        return {world.organization, world.store, world.tree,
                ledger::Span{world.seals.at(oldest), world.seals.at(newest)}};
    }
    Source source() const { return source(0, head().value()); }
    Head head_known_at(std::uint64_t sequence) const {
        return must(head_at(world.organization, world.tree, world.seals.at(sequence)));
    }
    std::vector<DecidedBlock> blocks(std::uint64_t from) const {
        const auto reply =
            must(answer(source(), protocol::AskBlocks{Sequence(from), protocol::kSyncReplyBytes}));
        return reply.blocks;
    }

    mutable LedgerWorld world;

 private:
    static crypto::KeyPair node(const std::string& name) { return key_of(name + "'s node"); }
    crypto::HashChain links(const std::string& name) const {
        return {protocol::tags::kRevealLink, chain(), crypto::blake2b_256(as_bytes(name)), 50};
    }
    wallet::Draft draft(const std::string& name, std::uint8_t lane) {
        const auto member = world.member(name);
        return {chain(),
                {lane, member->next_counter(lane)},
                Pulse(world.next_pulse().value() + 10'000)};
    }
    protocol::Transaction as_node(const std::string& name, protocol::Action action) {
        return wallet::act_as_node(draft(name, protocol::kNodeLane), std::move(action), id_of(name),
                                   node(name));
    }
    // Where reveals and `ready` are taken.
    std::uint64_t next_in_window(std::uint64_t end) const {
        const std::uint64_t cycle = world.genesis.charter.charter.params.cycle_pulses;
        const std::uint64_t from = end - cycle / 3 + 1;
        return std::max(from, world.next_pulse().value());
    }

    std::map<std::string, std::uint32_t> revealed_;
};

// A node with its ledger, its store of pieces and the machine.
class Newcomer {
 public:
    explicit Newcomer(const ChainId& chain, CatchUpOptions options = {}, std::uint64_t seed = 1)
        : chain_(chain), options_(options), seed_(seed) {
        restart();
    }
    // One that has followed `history` up to here.
    static std::unique_ptr<Newcomer> at(const History& history, std::uint64_t sequence,
                                        CatchUpOptions options = {}) {
        auto node = std::make_unique<Newcomer>(history.chain(), options);
        CatchUp::Effects effects;
        effects.genesis = history.world.genesis;
        if (sequence > 0) {
            const auto blocks = history.blocks(1);
            effects.blocks.assign(blocks.begin(),
                                  blocks.begin() + static_cast<std::ptrdiff_t>(sequence));
        }
        node->found(*effects.genesis);
        for (const auto& block : effects.blocks) node->execute(block);
        node->restart();
        return node;
    }

    // As after a crash: only the stores are left.
    void restart() {
        CatchUp::Setup setup;
        setup.chain = chain_;
        setup.prefix = {'s'};
        setup.seed = seed_++;
        setup.anchor = anchor;
        setup.table = table;
        if (organization) {
            reopen();
            setup.charter = genesis->charter;
            setup.head = must(head_at(*organization, *tree, *head));
        }
        machine.emplace(options_, std::move(setup));
        must(machine->load(pieces));
    }

    // All that the host does with what is handed out; then what it tells the machine of it.
    std::vector<CatchUp::Input> carry_out(CatchUp::Effects& effects) {
        std::vector<CatchUp::Input> told;
        if (effects.durable) {
            must(pieces.write(*effects.durable));
            told.push_back(CatchUp::Persisted{});
        }
        if (effects.genesis) {
            CHECK(!genesis);
            if (effects.state) {
                genesis = *effects.genesis;
                organization = ledger::organization_of(genesis->charter.charter);
                tree.emplace(tree::Options{}, ledger_store);
            } else {
                found(*effects.genesis);
                told.push_back(CatchUp::Applied{known()});
            }
        }
        for (const auto& block : effects.blocks) execute(block);
        if (!effects.blocks.empty()) told.push_back(CatchUp::Applied{known()});
        if (effects.state) {
            told.push_back(take_state(*effects.state)
                               ? CatchUp::Input(CatchUp::Applied{known()})
                               : CatchUp::Input(CatchUp::Refused{effects.state->header.sequence}));
        }
        return told;
    }

    Sequence height() const { return head ? head->header.sequence : Sequence(0); }
    Head known() const { return must(head_at(*organization, *tree, *head)); }
    std::uint64_t executed() const { return executed_; }

    // What the machine is told at the next restart.
    std::optional<Anchor> anchor;
    std::optional<protocol::CandidateTable> table;
    // The terms of the links that came with the last state.
    std::vector<std::uint64_t> linked_terms;

    store::MemoryStore ledger_store;
    store::MemoryStore pieces;
    std::optional<protocol::Genesis> genesis;
    std::optional<ledger::Organization> organization;
    std::optional<tree::Tree> tree;
    std::optional<ledger::Seal> head;
    std::optional<CatchUp> machine;

 private:
    void reopen() {
        tree.emplace(tree::Options{}, ledger_store, version_of(*head), head->header.sequence);
    }
    void found(const protocol::Genesis& given) {
        CHECK(ledger::check(given).has_value());
        genesis = given;
        organization = ledger::organization_of(given.charter.charter);
        tree.emplace(tree::Options{}, ledger_store);
        auto executed = must(ledger::execute_genesis(*organization, *tree, given));
        commit(executed.header, {}, std::move(executed.update));
    }
    void execute(const DecidedBlock& block) {
        if (block.header.sequence <= head->header.sequence) return;
        const ledger::Parent parent{head->header,
                                    hash_as_parent(organization->chain, head->header)};
        auto executed = ledger::execute(*organization, *tree, parent, block.header,
                                        block.transactions, leither::testing::holds);
        CHECK(executed.has_value());
        ++executed_;
        commit(block.header, block.certificate, std::move(executed->update));
    }
    bool take_state(const CatchUp::StateReady& state) {
        auto built = must(build_state(pieces, machine->piece_keys(), *tree, state.header));
        if (!built) return false;
        take_links(state);
        commit(state.header, state.certificate, std::move(*built));
        return true;
    }
    void take_links(const CatchUp::StateReady& state) {
        const Bytes start = machine->links_of(state.shown_by);
        linked_terms.clear();
        const auto cursor = pieces.cursor();
        for (cursor->seek(start); cursor->valid(); cursor->next()) {
            const ByteView key = cursor->key();
            if (key.size() != start.size() + 8 ||
                !std::ranges::equal(key.first(start.size()), start)) {
                break;
            }
            linked_terms.push_back(key.back());
            CHECK(bcs::decode<CatchUp::KeptLink>(cursor->value()).has_value());
        }
    }
    void commit(const protocol::BlockHeader& header, const protocol::Certificate& certificate,
                tree::Tree::Update update) {
        head = ledger::Seal{header, certificate, update.version().location};
        store::WriteBatch batch = update.take_writes();
        put_seal(batch, *head);
        must(ledger_store.write(batch));
        tree->commit(std::move(update));
    }

    ChainId chain_;
    CatchUpOptions options_;
    std::uint64_t seed_;
    std::uint64_t executed_ = 0;
};

// How a peer behaves.
enum class Conduct : std::uint8_t {
    honest,
    silent,             // never answers
    slow,               // answers behind every time-out
    forgetful,          // keeps nothing but its head
    stale,              // knows a short beginning, and claims more
    boastful,           // claims more than there is
    wrong_piece,        // an altered record
    short_piece,        // a leaf is missing
    false_split,        // says that everything is too much
    wrong_block,        // an altered transaction
    wrong_certificate,  // an altered signature
    wrong_chain,        // links that do not lead anywhere
    wrong_anchor,       // a block that is not the one asked for
    other_genesis,
    oversized,
    garbage,  // bytes that do not decode
};
inline const std::vector<Conduct> kLiars = {
    Conduct::wrong_piece,       Conduct::short_piece, Conduct::false_split,   Conduct::wrong_block,
    Conduct::wrong_certificate, Conduct::wrong_chain, Conduct::other_genesis, Conduct::garbage,
};

class Network {
 public:
    Network(const History& history, Newcomer& node, std::uint64_t seed)
        : history_(history), node_(node), prng_(seed) {}

    Id add(Conduct conduct) {
        const Id id = id_of("peer " + std::to_string(peers_.size()));
        peers_.emplace(id, conduct);
        input(CatchUp::PeerUp{id});
        announce(id);
        return id;
    }
    void announce(const Id& id) {
        std::uint64_t height = history_.head().value();
        if (peers_.at(id) == Conduct::stale || peers_.at(id) == Conduct::boastful) height += 1000;
        input(CatchUp::Heard{id, Sequence(height)});
    }
    void announce_all() {
        for (const auto& [id, conduct] : peers_) announce(id);
    }
    void remove(const Id& id) {
        peers_.erase(id);
        input(CatchUp::PeerDown{id});
    }
    void reconnect_all() {
        in_flight_.clear();
        for (const auto& [id, conduct] : peers_) {
            input(CatchUp::PeerUp{id});
            announce(id);
        }
    }

    // Time goes by before anybody is met.
    void wait(Duration duration) { now_ += duration; }
    void tell(CatchUp::Input told) { input(std::move(told)); }
    // The newest checkpoint of every peer that has one to show.
    std::optional<election::Checkpoint> checkpoint;

    bool is_done() const {
        return node_.head && node_.height() == history_.head() &&
               node_.machine->progress().stage == Stage::idle;
    }
    // Until the node is where the history is, or `pieces` were taken, or time is over.
    void run(Duration at_most, std::size_t pieces = SIZE_MAX) {
        const Instant until = now_ + at_most;
        for (std::size_t steps = 0; !is_done(); ++steps) {
            ASSERT_LT(steps, 200'000u) << "time stands still";
            if (node_.machine->progress().pieces >= pieces) return;
            if (!step_before(until)) break;
        }
        if (!is_done()) now_ = until;
    }
    // Whatever has been reached.
    void pass(Duration time) {
        const Instant until = now_ + time;
        while (step_before(until)) {
        }
        now_ = until;
    }

    Instant now() const { return now_; }
    std::uint64_t bytes_down() const { return bytes_down_; }
    std::uint64_t bytes_up() const { return bytes_up_; }
    std::size_t asks() const { return asks_; }
    const std::vector<CatchUp::Blamed>& blamed() const { return blamed_; }
    bool is_blamed(const Id& id) const {
        return std::ranges::any_of(blamed_, [&id](const auto& one) { return one.node == id; });
    }
    const std::vector<Stage>& stages() const { return stages_; }
    // Bytes per second of the node's line; 0: no limit.
    void set_line(std::uint64_t bytes_per_second, Duration round_trip) {
        bandwidth_ = bytes_per_second;
        round_trip_ = round_trip;
    }

 private:
    // The next event, if it comes by then.
    bool step_before(Instant until) {
        const auto deadline = node_.machine->next_deadline();
        std::optional<Instant> next = deadline;
        if (!in_flight_.empty() && (!next || in_flight_.begin()->first < *next)) {
            next = in_flight_.begin()->first;
        }
        if (!next || *next > until) return false;
        now_ = std::max(now_, *next);
        if (in_flight_.empty() || in_flight_.begin()->first > now_) {
            // A machine that names a moment has something to do then.
            input(CatchUp::Tick{});
            const auto again = node_.machine->next_deadline();
            CHECK(!again || *again > now_, "busy waiting");
            return true;
        }
        auto message = std::move(in_flight_.begin()->second);
        in_flight_.erase(in_flight_.begin());
        if (peers_.contains(message.from)) input(std::move(message));
        return true;
    }

    void input(CatchUp::Input first) {
        std::deque<CatchUp::Input> inputs;
        inputs.push_back(std::move(first));
        while (!inputs.empty()) {
            auto effects = node_.machine->step(std::move(inputs.front()), now_);
            inputs.pop_front();
            node_.machine->check_invariants();
            if (effects.stage) stages_.push_back(*effects.stage);
            blamed_.insert(blamed_.end(), effects.blamed.begin(), effects.blamed.end());
            for (auto& told : node_.carry_out(effects)) inputs.push_back(std::move(told));
            for (const auto& send : effects.sends) deliver(send);
        }
    }

    void deliver(const CatchUp::Send& send) {
        ++asks_;
        bytes_up_ +=
            std::visit([](const auto& ask) { return bcs::encode(ask).size(); }, send.message);
        const auto peer = peers_.find(send.to);
        if (peer == peers_.end() || peer->second == Conduct::silent) return;
        auto reply = reply_of(peer->second, send.message);
        const std::size_t bytes =
            std::visit([](const auto& held) { return bcs::encode(held).size(); }, reply);
        bytes_down_ += bytes;
        Instant arrival = now_ + round_trip_ + Duration(prng_.below(5'000));
        if (peer->second == Conduct::slow) arrival += std::chrono::seconds(25);
        if (bandwidth_ > 0) {
            line_free_ = std::max(line_free_, now_ + round_trip_ / 2) +
                         Duration(static_cast<std::int64_t>(bytes * 1'000'000 / bandwidth_));
            arrival = std::max(arrival, line_free_);
        }
        in_flight_.emplace(arrival, CatchUp::Received{send.to, std::move(reply)});
    }

    protocol::SyncReply reply_of(Conduct conduct, const protocol::SyncAsk& ask) {
        const std::uint64_t newest = history_.head().value();
        std::uint64_t oldest = 0;
        std::uint64_t head = newest;
        if (conduct == Conduct::forgetful) oldest = newest;
        if (conduct == Conduct::stale) head = std::min<std::uint64_t>(2, newest);
        protocol::SyncAsk asked = ask;
        if (auto* blocks = std::get_if<protocol::AskBlocks>(&asked);
            blocks != nullptr && conduct == Conduct::oversized) {
            blocks->bytes_max = protocol::kSyncReplyBytes;
        }
        Source source = history_.source(oldest, head);
        if (checkpoint) source.checkpoint = &*checkpoint;
        auto reply = must(answer(source, asked));
        std::visit([&](auto& held) { spoil(conduct, held); }, reply);
        return reply;
    }
    void spoil(Conduct conduct, protocol::BlocksReply& reply) {
        if (conduct == Conduct::boastful) reply.head = Sequence(reply.head.value() + 1000);
        if (reply.blocks.empty()) return;
        DecidedBlock& block = reply.blocks[prng_.below(reply.blocks.size())];
        if (conduct == Conduct::wrong_certificate)
            block.certificate.signatures[0].signature[5] ^= 1;
        if (conduct == Conduct::wrong_chain) ++block.certificate.slot.cycle;
        if (conduct == Conduct::wrong_block) block.header.root.hash[0] ^= 1;
        if (conduct == Conduct::wrong_piece) block.transactions.clear();
        if (conduct == Conduct::garbage) reply.blocks.clear();
    }
    void spoil(Conduct conduct, protocol::GenesisReply& reply) {
        if (conduct == Conduct::other_genesis) reply.charter.charter.supply = Amount::of(7);
        if (conduct == Conduct::garbage && !reply.allocations.empty()) {
            reply.allocations[0].amount = Amount::of(1);
        }
        if (conduct == Conduct::wrong_chain) reply.charter.signature[3] ^= 1;
    }
    void spoil(Conduct conduct, protocol::ChainReply& reply) {
        if (conduct == Conduct::boastful) reply.head = Sequence(reply.head.value() + 1000);
        if (conduct == Conduct::garbage) reply.chain.push_back(1);
        auto chain = bcs::decode<Chain>(reply.chain);
        if (chain && conduct == Conduct::wrong_anchor && chain->checkpoint) {
            chain->checkpoint->block.header.root.hash[1] ^= 1;
            const Bytes encoded = bcs::encode(*chain);
            reply.chain.assign(encoded.begin(), encoded.end());
        }
        if (!chain || !chain->end) return;
        if (conduct == Conduct::wrong_chain) chain->end->header.root.hash[1] ^= 1;
        if (conduct == Conduct::wrong_certificate && !chain->end->certificate.signatures.empty()) {
            chain->end->certificate.signatures[0].signature[5] ^= 1;
        }
        const Bytes encoded = bcs::encode(*chain);
        reply.chain.assign(encoded.begin(), encoded.end());
    }
    void spoil(Conduct conduct, protocol::PieceReply& reply) {
        if (conduct == Conduct::garbage) {
            reply.outcome = protocol::PieceOutcome::piece;
            reply.piece.assign({1, 2, 3});
        }
        if (conduct == Conduct::false_split) {
            reply.outcome = protocol::PieceOutcome::split;
            reply.piece.clear();
        }
        if (reply.outcome != protocol::PieceOutcome::piece) return;
        auto piece = bcs::decode<tree::Piece>(reply.piece);
        if (!piece || piece->leaves.empty()) return;
        if (conduct == Conduct::wrong_piece) {
            auto& leaf = piece->leaves[prng_.below(piece->leaves.size())];
            leaf.record[leaf.record.size() / 2] ^= 1;
        }
        if (conduct == Conduct::short_piece) {
            piece->leaves.erase(piece->leaves.begin() +
                                static_cast<std::ptrdiff_t>(prng_.below(piece->leaves.size())));
        }
        const Bytes encoded = bcs::encode(*piece);
        reply.piece.assign(encoded.begin(), encoded.end());
    }

    const History& history_;
    Newcomer& node_;
    Prng prng_;
    std::map<Id, Conduct> peers_;
    std::multimap<Instant, CatchUp::Received> in_flight_;
    Instant now_ = instant_from_unix_ms(1'700'000'100'000);
    Instant line_free_{};
    std::uint64_t bandwidth_ = 0;
    Duration round_trip_ = std::chrono::milliseconds(30);
    std::uint64_t bytes_down_ = 0;
    std::uint64_t bytes_up_ = 0;
    std::size_t asks_ = 0;
    std::vector<CatchUp::Blamed> blamed_;
    std::vector<Stage> stages_;
};

}  // namespace leither::sync::testing
