#include "org_instance.h"

#include <algorithm>
#include <utility>

namespace leither::node {

namespace {

using consensus::Agreement;
using consensus::LedgerApplication;
using consensus::Mempool;
using store::Fault;

// Transactions read back at most when a node opens, so that what was sent just before a crash is
// recognised when a client sends it again.
constexpr std::size_t kRememberedAtOpenMax = 16'384;

// The system account a kind changes beside those of members.
struct SystemAccount {
    const ledger::Organization& organization;
    using Answer = std::optional<Id>;
    Answer operator()(const protocol::Join&) const { return organization.bookkeeping; }
    Answer operator()(const protocol::Leave&) const { return organization.bookkeeping; }
    Answer operator()(const protocol::SetRole&) const { return organization.bookkeeping; }
    Answer operator()(const protocol::Reward&) const { return organization.treasury; }
    Answer operator()(const protocol::Claim&) const { return organization.treasury; }
    Answer operator()(const protocol::Propose&) const { return organization.bookkeeping; }
    Answer operator()(const protocol::Evidence&) const { return organization.treasury; }
    Answer operator()(const auto&) const { return std::nullopt; }
};

std::vector<Id> accounts_changed(const ledger::Organization& organization,
                                 const consensus::Sealed& sealed) {
    std::vector<Id> accounts = sealed.rewarded;
    if (!accounts.empty()) accounts.push_back(organization.treasury);
    for (const protocol::Transaction& transaction : sealed.transactions) {
        const auto concerned = accounts_concerned(organization, transaction.body);
        accounts.insert(accounts.end(), concerned.begin(), concerned.end());
    }
    std::ranges::sort(accounts);
    accounts.erase(std::unique(accounts.begin(), accounts.end()), accounts.end());
    return accounts;
}

}  // namespace

std::vector<Id> members_concerned(const protocol::TransactionBody& body) {
    std::vector<Id> members{body.signer};
    if (const auto id = protocol::counterparty(body.action)) members.push_back(*id);
    if (const auto* reward = std::get_if<protocol::Reward>(&body.action)) {
        members.push_back(reward->member);
    }
    if (const auto* evidence = std::get_if<protocol::Evidence>(&body.action)) {
        members.push_back(evidence->accused);
    }
    return members;
}

std::vector<Id> accounts_concerned(const ledger::Organization& organization,
                                   const protocol::TransactionBody& body) {
    std::vector<Id> accounts = members_concerned(body);
    if (const auto id = std::visit(SystemAccount{organization}, body.action)) {
        accounts.push_back(*id);
    }
    return accounts;
}

OrgInstance::OrgInstance(const Options& options, const store::Reader& store, Log log, Parts parts)
    : store_(store),
      log_(std::move(log)),
      charter_(std::move(parts.charter)),
      organization_(ledger::organization_of(charter_.charter)),
      tree_(std::move(parts.tree)),
      mempool_(options.mempool, organization_, tree_),
      recent_(options.recent_transactions),
      admission_(organization_, options.signature_checks_max, mempool_, recent_),
      window_(options.history_pulses, charter_.charter.params, parts.oldest, log_) {}

Result<std::unique_ptr<OrgInstance>, Fault> OrgInstance::make(const Options& options,
                                                              const store::Reader& store,
                                                              crypto::KeyPair node_key, Log log,
                                                              Parts parts) {
    ledger::Seal head = parts.head;
    std::unique_ptr<OrgInstance> made(new OrgInstance(options, store, log, std::move(parts)));
    TRY(made->open(std::move(head), std::move(node_key)));
    TRY(made->remember_recent(std::min(options.recent_transactions, kRememberedAtOpenMax)));
    return made;
}

Result<void, Fault> OrgInstance::open(ledger::Seal&& head, crypto::KeyPair&& node_key) {
    const protocol::Charter& charter = charter_.charter;
    const Sequence next = head.header.sequence.next();
    LedgerApplication::Setup law;
    law.organization = organization_;
    law.head = std::move(head);
    // The charter's bookkeepers vote with their node keys.
    law.vote_keys = [key = std::move(node_key)](const PublicKey& vote_key) {
        return vote_key == key.public_key() ? std::optional(key) : std::nullopt;
    };
    law.signature_holds = [](const ledger::SignatureCheck& check) {
        return crypto::verify(check.key, check.message, check.signature);
    };
    law.log = log_.with_room("consensus");
    Agreement::Setup agreement;
    agreement.chain = organization_.chain;
    agreement.time_ms = charter.time_ms;
    agreement.pulse_ms = charter.params.pulse_ms;
    agreement.holds = crypto::verify;
    agreement.vouch = TRY(consensus::vote_log::read_vouch(store_));
    agreement.replay = TRY(consensus::vote_log::read(store_, next));
    agreement.log = law.log;
    law_.emplace(TRY(LedgerApplication::open(std::move(law), store_, tree_, mempool_)));
    agreement.author_run =
        TRY(consensus::author_run(store_, law_->head(), law_->term().first_height));
    agreement_.emplace(consensus::AgreementOptions{}, std::move(agreement), *law_);
    return {};
}

Result<void, Fault> OrgInstance::remember_recent(std::size_t limit) {
    // Newest blocks first, until enough is found; remembered oldest first, to be forgotten so.
    std::vector<std::pair<Hash, Sequence>> found;
    for (Sequence at = head().header.sequence; at > Sequence(0) && found.size() < limit;
         at = Sequence(at.value() - 1)) {
        const auto block = TRY(ledger::read_block(store_, at));
        if (!block) break;
        for (auto it = block->rbegin(); it != block->rend() && found.size() < limit; ++it) {
            found.emplace_back(protocol::transaction_id(organization_.chain, it->body), at);
        }
    }
    for (auto it = found.rbegin(); it != found.rend(); ++it) recent_.commit(it->first, it->second);
    return {};
}

Result<void, Fault> OrgInstance::on_tick(Instant now, Effects& fx) {
    if (out_) return {};
    if (std::exchange(has_begun_, true)) return agree(Agreement::Tick{}, now, fx);
    return carry_out(TRY(agreement_->start(now)), fx);
}

Result<void, Fault> OrgInstance::agree(Agreement::Input&& input, Instant now, Effects& fx) {
    return carry_out(TRY(agreement_->step(std::move(input), now)), fx);
}

Result<void, Fault> OrgInstance::carry_out(Agreement::Effects&& agreed, Effects& fx) {
    CHECK(agreed.sends.empty());  // it has no neighbours
    if (agreed.log) write(std::move(agreed.log->batch), fx).log = agreed.log->number;
    if (agreed.durable) write(*std::move(agreed.durable), fx).is_block = true;
    if (agreed.committed) TRY(tell_sealed(fx));
    drop(law_->take_dropped(), fx);
    return {};
}

// Log and block of one step go together, in this order.
OrgInstance::Out& OrgInstance::write(store::WriteBatch&& batch, Effects& fx) {
    if (fx.durable) {
        fx.durable->append(std::move(batch));
    } else {
        fx.durable = std::move(batch);
    }
    if (!out_) out_.emplace();
    return *out_;
}

Result<void, Fault> OrgInstance::on_submit(Submit&& submit, Instant now, Effects& fx) {
    const std::size_t before = mempool_.size();
    TRY(admission_.submit(std::move(submit), law_->next_place(now), fx));
    note_admitted(before, now);
    return {};
}

Result<void, Fault> OrgInstance::on_checked(const SignaturesChecked& checked, Instant now,
                                            Effects& fx) {
    const std::size_t before = mempool_.size();
    TRY(admission_.on_checked(checked, law_->next_place(now), fx));
    note_admitted(before, now);
    return {};
}

void OrgInstance::note_admitted(std::size_t size_before, Instant now) {
    if (mempool_.size() > size_before) law_->on_admitted(now);
}

Result<void, Fault> OrgInstance::on_durable(Instant now, Effects& fx) {
    CHECK(out_);
    const Out done = *std::exchange(out_, std::nullopt);
    if (done.log) TRY(agree(Agreement::Logged{*done.log}, now, fx));
    if (done.is_block) TRY(agree(Agreement::Persisted{}, now, fx));
    return {};
}

Result<void, Fault> OrgInstance::tell_sealed(Effects& fx) {
    auto sealed = law_->take_sealed();
    const protocol::BlockHeader& header = sealed.seal.header;
    for (const Hash& id : sealed.ids) recent_.commit(id, header.sequence);
    TRY(window_.on_sealed(store_, tree_, header));
    fx.prune = window_.take_pruning(tree_);
    log_.debug("block_sealed", "sequence={} pulse={} transactions={}", header.sequence.value(),
               header.pulse.value(), header.transaction_count);

    auto accounts = accounts_changed(organization_, sealed);
    fx.events.emplace_back(
        BlockSealed{std::move(sealed.seal), std::move(sealed.ids), std::move(accounts)});
    drop(sealed.dropped, fx);
    return {};
}

void OrgInstance::drop(const std::vector<Mempool::Dropped>& dropped, Effects& fx) {
    for (const auto& [id, refused] : dropped) {
        recent_.drop(id, refused);
        log_.debug("transaction_dropped", "id={} refusal={}", id.hex(),
                   protocol::to_string(refused.code));
        fx.events.emplace_back(TransactionDropped{id, refused});
    }
}

void OrgInstance::check_invariants() const {
    mempool_.check_invariants();
    law_->check_invariants();
    agreement_->check_invariants();
    admission_.check_invariants();
    CHECK(window_.oldest() <= head().header.sequence);
}

}  // namespace leither::node
