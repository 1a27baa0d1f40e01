// The state of CatchUp, shared by its three sources: catch_up.cpp (inputs), stages.cpp (what is
// asked next), answers.cpp (what comes back).
#pragma once

#include <functional>
#include <set>

#include "leither/sync/catch_up.h"

#include "line.h"
#include "peers.h"

namespace leither::sync {

// A genesis being collected, all of it from one peer: its parts prove nothing alone.
struct GenesisDraft {
    Id from;
    protocol::Genesis genesis;
    std::uint32_t count = 0;
    bool has_charter = false;
};

// The block whose state is fetched, as kept in the store.
struct StoredTarget {
    protocol::BlockHeader header;
    protocol::Certificate certificate;
    Id shown_by;
    std::optional<std::uint64_t> from_term;
    static void fields(auto& self, auto&& visit) {
        visit(self.header, self.certificate, self.shown_by, self.from_term);
    }
};

// Who has sent what waits in the line, and is asked who certifies it.
struct LinksAsked {
    Id node;
    std::uint64_t cycle = 0;
};

struct CatchUp::Impl {
    Impl(CatchUpOptions options, Setup&& setup);

    // ---- Inputs
    void on(Tick&&, Instant, Effects&) {}
    void on(PeerUp&& input, Instant now, Effects& effects);
    void on(PeerDown&& input, Instant now, Effects& effects);
    void on(Heard&& input, Instant now, Effects& effects);
    void on(Received&& input, Instant now, Effects& effects);
    void on(Applied&& input, Instant now, Effects& effects);
    void on(Refused&& input, Instant now, Effects& effects);
    void on(Persisted&& input, Instant now, Effects& effects);
    void on(Anchored&& input, Instant now, Effects& effects);

    // ---- Answers
    void take(const Id& from, protocol::BlocksReply&& reply, Instant now, Effects& effects);
    void take(const Id& from, protocol::GenesisReply&& reply, Instant now, Effects& effects);
    void take(const Id& from, protocol::ChainReply&& reply, Instant now, Effects& effects);
    void take(const Id& from, protocol::PieceReply&& reply, Instant now, Effects& effects);
    std::optional<Blame> add_to_draft(protocol::GenesisReply&& reply);
    void on_links(const Id& from, const Chain& chain, Effects& effects);
    void on_chain(const Id& from, const protocol::ChainReply& reply, const Chain& chain,
                  Instant now, Effects& effects);
    void on_piece(const Id& from, const protocol::PieceReply& reply, Instant now, Effects& effects);
    void heard(const Id& from, Sequence oldest, Sequence head);

    // ---- Stages: each asks for what it wants and tells whether another stage goes on at once.
    enum class Next : std::uint8_t { wait, go_on };
    void run(Instant now, Effects& effects);
    Next run_stage(Instant now, Effects& effects);
    Next run_idle(Instant now);
    Next run_genesis(Instant now, Effects& effects);
    Next run_chain(Instant now, Effects& effects);
    void begin_chain();
    protocol::AskChain chain_question(const Peer& peer, Instant now) const;
    // Where the chain begins for us; nothing if it does not hold what is pinned.
    std::optional<Way> way_into(const Id& from, const Chain& chain, Instant now);
    bool has_other_block(const Peer& peer, const Chain& chain, Instant now) const;
    std::optional<Anchor> wanted_anchor(Instant now) const;
    Trusted known_committee() const;
    Pulse known_since() const { return head ? head->pulse : Pulse(0); }
    bool is_too_old(Pulse pulse, Instant now) const;
    void refuse_chain(const Id& from, Trouble why, Instant now);
    bool contradicts(const DecidedBlock& block) const;
    Next conclude_chain();
    Next run_state(Instant now, Effects& effects);
    Next run_blocks(Instant now, Effects& effects);
    void advance_line(Instant now, Effects& effects);
    void ask_for_run(Instant now, Effects& effects);
    Next enter(Stage next);

    // ---- Common
    bool is_newcomer() const { return !head; }
    // Whether anything is to be had from it that the ledger lacks.
    bool is_ahead(const Peer& peer) const {
        return is_newcomer() || (peer.claim && *peer.claim > head->sequence);
    }
    // It is tried again, now and then, but no stage waits for it.
    bool is_tired_of(const Peer& peer) const { return peer.failures >= options.failures_max; }
    bool may_bring_state(const Peer& peer) const;
    bool may_bring_run(const Peer& peer) const;
    // Blocks behind the ledger's end are few, and this peer keeps them.
    bool is_short_way(Sequence to) const;
    Sequence base() const { return head ? head->sequence : Sequence(0); }
    ChainContext context() const { return context_of(setup.charter->charter); }
    // Asks the peer that fits best; one that rests wakes the machine later.
    bool ask_one(const Peers::Fits& fits, std::size_t asked_max, protocol::SyncAsk question,
                 Instant now, Effects& effects);
    void ask(const Id& node, protocol::SyncAsk question, Instant now, Effects& effects);
    void wake_at(std::optional<Instant> instant);
    void give_back(const Peers::Unanswered& questions);
    void drop_line();
    void blame(const Id& node, Blame why, Effects& effects);

    // ---- The store
    // On disk.
    enum class Entry : std::uint8_t { genesis = 'g', target = 't', piece = 'p', link = 'l' };
    Bytes link_key(const Id& peer, std::uint64_t term) const;
    void keep_link(const Id& peer, std::uint64_t term, KeptLink&& link);
    void erase_links(const std::function<bool(const Id&)>& of);
    static bool anybody(const Id&) { return true; }
    Bytes links_of(const Id& peer) const;
    Result<std::set<std::pair<Id, std::uint64_t>>, store::Fault> links_in(
        const store::Reader& store) const;
    Bytes key(Entry entry) const;
    void start_fetch(StoredTarget target);
    void discard_state();
    Fetch::Target fetch_target() const;
    bool is_flushed() const { return !is_unsynced && pending.empty(); }
    void flush(Effects& effects);

    CatchUpOptions options;
    Setup setup;  // with the charter, once it is known
    std::optional<Head> head;
    Peers peers;

    Stage stage = Stage::idle;
    std::optional<Instant> wake;
    std::optional<Instant> behind_since;

    std::optional<GenesisDraft> draft;
    std::optional<protocol::Genesis> genesis;  // of a newcomer, until the host has it
    bool genesis_is_out = false;

    bool is_comparing = false;  // chains are asked for
    struct Best {
        Proven proven;
        Id shown_by;
        std::optional<std::uint64_t> from_term;
    };
    std::optional<Best> best;
    std::set<std::pair<Id, std::uint64_t>> links;  // in the store, by peer and term
    std::optional<protocol::BlockName> goal;       // proven; blocks on the way must lead there
    Trouble trouble = Trouble::none;
    bool has_only_founding = false;  // a newcomer was told that there is no block yet
    std::size_t chains = 0;
    std::optional<Instant> compare_until;

    std::optional<StoredTarget> target;
    std::optional<Fetch> fetch;
    unsigned refused = 0;

    std::optional<Line> line;
    std::optional<LinksAsked> links_asked;

    store::GatheredWrites pending;
    bool is_unsynced = false;
};

}  // namespace leither::sync
