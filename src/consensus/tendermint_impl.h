// What stands behind Tendermint: tendermint.cpp takes messages in and shows what is held,
// tendermint_rules.cpp acts on it.
#pragma once

#include "leither/consensus/tendermint.h"

#include "rounds.h"

namespace leither::consensus {

struct Tendermint::Impl {
    Setup setup;
    Application& application;

    // Algorithm 1, lines 1-10.
    std::uint32_t round = 0;
    protocol::RoundStep step = protocol::RoundStep::idle;
    std::optional<std::uint32_t> locked_round = std::nullopt;
    std::optional<Hash> locked = std::nullopt;
    std::optional<std::uint32_t> valid_round = std::nullopt;
    std::optional<Hash> valid = std::nullopt;
    protocol::SeatSignatures valid_prevotes = {};

    std::map<std::uint32_t, Round> rounds = {};
    std::map<Hash, Known> blocks = {};
    std::optional<Instant> propose_timer = std::nullopt;
    std::optional<Instant> prevote_timer = std::nullopt;
    std::optional<Instant> precommit_timer = std::nullopt;
    Instant latest = {};

    // Everything signed at this height, also before a restart.
    Replay signed_ = {};
    // Own messages whose records are not durable yet, with the record's number.
    struct Pending {
        std::uint64_t record = 0;
        Item item;
    };
    std::vector<Pending> pending = {};
    std::uint64_t records = 0;
    bool alarmed = false;  // about an invalid decision, told once

    // ---- Committee
    std::size_t seats() const { return setup.term.committee.size(); }
    std::size_t quorum() const { return protocol::quorum(seats()); }
    std::size_t faulty() const { return protocol::faulty_max(seats()); }
    std::uint16_t leader(std::uint32_t of) const {
        return static_cast<std::uint16_t>((setup.first_leader + std::uint64_t{of}) % seats());
    }
    bool is_own(std::uint16_t seat) const { return setup.term.seat == seat; }
    bool may_sign() const { return setup.term.seat && setup.voice == Voice::speaking; }
    Sequence height() const { return setup.parent.sequence.next(); }
    protocol::Slot slot(std::uint32_t of) const;
    bool is_here(const protocol::Slot& slot) const;
    std::uint32_t parent_signers() const {
        return setup.parent_certificate ? protocol::signers_of(*setup.parent_certificate) : 0;
    }

    // ---- Messages in
    using Done = Result<void, store::Fault>;
    Done on(Tick&& tick, Instant now, Effects& fx);
    Done on(Logged&& logged, Instant now, Effects& fx);
    Done on(SetVoice&& set, Instant now, Effects& fx);
    Done on(protocol::Proposal&& proposal, Instant now, Effects& fx);
    Done on(protocol::Vote&& vote, Instant now, Effects& fx);
    Done on(protocol::Decision&& decision, Instant now, Effects& fx);
    bool is_signed(std::uint16_t seat, ByteView message, const Signature& signature) const;
    // Whether the block's own parts fit together.
    bool fits(const protocol::BlockHeader& header,
              const protocol::Transactions& transactions) const;
    // Whether the proposal shows who signed its parent.
    bool shows_signers(const protocol::Proposal& proposal) const;
    // Whether it shows the prevotes of its valid round.
    bool shows_prevotes(const protocol::Proposal& proposal, const Hash& block) const;
    Done take_offer(protocol::Proposal&& proposal, const protocol::ProposalClaim& claim,
                    Instant now, Effects& fx);
    // Evidence, once for each seat, round and kind.
    void convict(Round& held, const protocol::Conflict& conflict, Effects& fx);
    void convict(Round& held, const protocol::Vote& vote, const Cast& first, Effects& fx);
    std::vector<std::uint32_t> rounds_to_come(std::uint16_t seat) const;
    bool may_hold(std::uint32_t of, std::uint16_t seat) const;
    void make_room(std::uint32_t of, std::uint16_t seat);
    bool wants_offer(std::uint32_t of, const Hash& block) const;
    void drop_blocks();
    void forget(std::uint16_t seat, std::uint32_t of);

    // ---- Acting
    Done restore(Replay&& replay, Instant now, Effects& fx);
    Done decide_alone(Instant now, Effects& fx);
    Done progress(Instant now, Effects& fx);
    // One rule each; whether it acted.
    using Acted = Result<bool, store::Fault>;
    Acted line_22(Effects& fx);
    Acted line_28(Effects& fx);
    Acted line_34(Instant now);
    Acted line_36(Effects& fx);
    Acted line_44(Effects& fx);
    Acted line_47(Instant now);
    Acted line_49(Effects& fx);
    Acted line_55(Instant now, Effects& fx);
    Done start_round(std::uint32_t next, Instant now, Effects& fx);
    Done propose(Instant now, Effects& fx);
    void cast(protocol::VoteKind kind, std::optional<Hash> block, Effects& fx);
    void note(LogRecord&& record, Effects& fx);
    void take_own(const Item& item, Effects& fx);
    Acted is_valid(const Hash& block);
    Done decide(const Hash& block, protocol::Certificate&& certificate, Effects& fx);
    void rebase(Instant now);
    Duration grown(Duration first, Duration step_) const { return first + step_ * round; }
};

}  // namespace leither::consensus
