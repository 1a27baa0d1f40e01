#include "leither/sync/follow.h"

#include "leither/base/check.h"

namespace leither::sync {

namespace {

using election::CycleChain;
using election::CycleLink;
using election::Link;

bool is_next(const Head& head, const protocol::BlockHeader& header) {
    return header.sequence == head.sequence.next() && header.parent == head.hash &&
           header.pulse > head.pulse;
}

bool holds_its_transactions(const ChainId& chain, const DecidedBlock& block) {
    return block.header.transaction_count == block.transactions.size() &&
           block.header.transactions == transactions_hash(chain, block.transactions);
}

struct TermEnded {
    std::optional<std::uint64_t> operator()(const protocol::HandOver& act) const {
        return act.last.cycle;
    }
    std::optional<std::uint64_t> operator()(const protocol::Recovery& act) const {
        return act.last.cycle;
    }
    std::optional<std::uint64_t> operator()(const auto&) const { return std::nullopt; }
};

// The last term whose committee the link is of use to: whoever trusts a later one is past it. A
// takeover may stand on the cycle block of the term that it ends, which the one before has decided.
std::uint64_t leads_from(const Link& link) {
    if (const auto* cycle = std::get_if<CycleLink>(&link)) return cycle->certificate.slot.cycle;
    const auto& takeover = std::get<election::TakeoverLink>(link);
    const auto ended = std::visit(TermEnded{}, takeover.act.body.action);
    return ended.value_or(takeover.last.certificate.slot.cycle);
}

Result<Trusted, ChainError> follow_one(const ChainContext& context, const Trusted& trusted,
                                       const Link& link) {
    CycleChain chain;
    chain.push_back(link);
    return election::follow(context, trusted, chain);
}

// A block that the committee has decided and that says so itself. It may prove no later term.
Result<Trusted, ChainError> decided_by(const ChainContext& context, const Trusted& trusted,
                                       const CycleLink& block) {
    auto next = follow_one(context, trusted, block);
    // Found last, when all else holds: the committee's own term goes on.
    if (!next && next.error() == ChainError::no_progress) return trusted;
    return next;
}

Result<Learned, ChainError> walk(const ChainContext& context, Learned learned, const Chain& chain) {
    const auto go_on = [&learned](Trusted&& next, const Link& link) {
        if (next.seats != learned.committee.seats) learned.changes.emplace_back(next.cycle, link);
        learned.committee = std::move(next);
    };
    for (const Link& link : chain.links) {
        if (leads_from(link) < learned.committee.cycle) continue;
        go_on(TRY(follow_one(context, learned.committee, link)), link);
    }
    if (chain.end) {
        const CycleLink& end = *chain.end;
        go_on(TRY(decided_by(context, learned.committee, end)), end);
        learned.end = Proven{end.header, end.certificate, learned.committee};
    }
    return learned;
}

// Behind a checkpoint. Its certificate must hold as well, since the block is shown to others.
Result<Learned, ChainError> start_of(const ChainContext& context,
                                     const election::Checkpoint& checkpoint,
                                     const protocol::CandidateTable& table) {
    const protocol::BlockHeader& header = checkpoint.block.header;
    Learned start;
    start.committee = TRY(trusted_from(context, checkpoint, table));
    TRY(anchored_by(context, {header.sequence, hash_as_parent(context.chain, header)},
                    checkpoint.block));
    start.changes.emplace_back(start.committee.cycle, checkpoint.block);
    start.from_checkpoint = true;
    return start;
}

// Steps along the links, as far as needed, to the committee that has decided the block.
class Certifier {
 public:
    Certifier(const ChainContext& context, std::span<const Link> links)
        : context_(context), links_(links) {}

    enum class Verdict : std::uint8_t { decided, unknown_term, bad };
    Verdict judge(Trusted& trusted, const DecidedBlock& block) {
        const std::uint64_t term = block.certificate.slot.cycle;
        for (;;) {
            if (verify_decided(context_, trusted, block.header, block.certificate)) {
                return Verdict::decided;
            }
            if (term <= trusted.cycle) return Verdict::bad;
            auto later = next_of(trusted);
            if (!later) return Verdict::unknown_term;
            if (later->cycle > term) return Verdict::bad;
            trusted = *std::move(later);
        }
    }

 private:
    std::optional<Trusted> next_of(const Trusted& trusted) {
        while (!links_.empty()) {
            const Link& link = links_.front();
            links_ = links_.subspan(1);
            if (leads_from(link) < trusted.cycle) continue;
            auto later = follow_one(context_, trusted, link);
            if (later) return *std::move(later);
        }
        return std::nullopt;
    }

    const ChainContext& context_;
    std::span<const Link> links_;
};

}  // namespace

const char* to_string(FollowError error) {
    switch (error) {
        case FollowError::not_next: return "not_next";
        case FollowError::bad_transactions: return "bad_transactions";
        case FollowError::bad_certificate: return "bad_certificate";
    }
    UNREACHABLE();
}

Head founding_head(const protocol::Charter& charter) {
    Head head;
    head.hash = Hash::copy_of(chain_id(charter).view());
    head.committee = election::trusted_from(charter);
    return head;
}

ChainContext context_of(const protocol::Charter& charter) {
    return {chain_id(charter), charter.supply};
}

Result<Followed, FollowError> follow(const ChainContext& context, Head head,
                                     std::span<const DecidedBlock> run,
                                     std::span<const Link> links) {
    Followed followed;
    Certifier certifier(context, links);
    for (const DecidedBlock& block : run) {
        if (!is_next(head, block.header)) return fail(FollowError::not_next);
        switch (certifier.judge(head.committee, block)) {
            case Certifier::Verdict::decided: break;
            case Certifier::Verdict::bad: return fail(FollowError::bad_certificate);
            case Certifier::Verdict::unknown_term:
                followed.unknown_term = block.certificate.slot.cycle;
                followed.head = std::move(head);
                return followed;
        }
        if (!holds_its_transactions(context.chain, block)) {
            return fail(FollowError::bad_transactions);
        }
        head.sequence = block.header.sequence;
        head.hash = hash_as_parent(context.chain, block.header);
        head.pulse = block.header.pulse;
        ++followed.blocks;
    }
    followed.head = std::move(head);
    return followed;
}

Result<Learned, ChainError> learn(const ChainContext& context, const Trusted& trusted,
                                  const Chain& chain, const protocol::CandidateTable* table) {
    auto learned = walk(context, Learned{trusted, std::nullopt, {}, false}, chain);
    if (learned || !chain.checkpoint || table == nullptr) return learned;
    // No link leads there. Whoever holds that table need not see the way.
    auto start = start_of(context, *chain.checkpoint, *table);
    if (!start || start->committee.cycle <= trusted.cycle) return learned;
    return walk(context, *std::move(start), chain);
}

}  // namespace leither::sync
