#include "leither/consensus/bookkeeper.h"

#include <algorithm>

#include "leither/ledger/cycle.h"
#include "leither/protocol/block.h"

namespace leither::consensus {

namespace {

using ledger::Seal;
using store::Fault;

struct Candidates {
    std::vector<const protocol::Transaction*> transactions;
    std::vector<Hash> ids;
};

Candidates candidates_of(const std::deque<Mempool::Entry>& entries) {
    Candidates candidates;
    candidates.transactions.reserve(entries.size());
    candidates.ids.reserve(entries.size());
    for (const Mempool::Entry& entry : entries) {
        candidates.transactions.push_back(&entry.transaction);
        candidates.ids.push_back(entry.id);
    }
    return candidates;
}

// The ids of the block's transactions: of the candidates looked at, those not skipped.
std::vector<Hash> included(const Candidates& candidates, const ledger::Built& built) {
    std::vector<Hash> ids;
    ids.reserve(built.transactions.size());
    auto skip = built.skipped.begin();
    for (std::size_t i = 0; i < built.considered; ++i) {
        if (skip != built.skipped.end() && skip->index == i) {
            ++skip;
        } else {
            ids.push_back(candidates.ids[i]);
        }
    }
    CHECK(ids.size() == built.transactions.size());
    return ids;
}

using PendingRewards = std::vector<protocol::PendingReward>;

// What the head says of the block after it.
struct Outlook {
    PendingRewards rewards;  // by due pulse
    Pulse due;               // the protocol itself has work
    Pulse node_acts_close;
    std::uint64_t cycle = 0;
    bool is_in_office = false;
};

Result<Outlook, Fault> outlook_of(const ledger::Organization& organization, tree::Tree& tree,
                                  const PublicKey& key) {
    ledger::State state(organization, tree);
    TRY(state.load_system());
    const auto& pending = state.treasury().pending;
    const auto authority = ledger::next_authority(state);
    const bool is_alone = authority.seats.size() == 1 && authority.seats.front().vote_key == key;
    return Outlook{PendingRewards(pending.begin(), pending.end()), ledger::next_due(state),
                   ledger::node_acts_close(state), authority.cycle, is_alone};
}

}  // namespace

protocol::Certificate certify_alone(const ledger::Organization& organization,
                                    const protocol::BlockHeader& header, const crypto::KeyPair& key,
                                    const Office& office) {
    protocol::Certificate certificate;
    certificate.slot.cycle = office.cycle;
    certificate.slot.height = header.sequence;
    certificate.block = protocol::block_hash(organization.chain, header);
    const Bytes message =
        protocol::precommit_message(organization.chain, certificate.slot, certificate.block);
    certificate.signatures.push_back({office.seat, key.sign(message)});
    return certificate;
}

ledger::Parent parent_of(const ledger::Organization& organization, const Seal& seal) {
    const bool is_founding = seal.header.sequence == Sequence(0);
    const Hash hash = is_founding ? Hash::copy_of(organization.chain.view())
                                  : protocol::block_hash(organization.chain, seal.header);
    return {seal.header, hash};
}

struct Bookkeeper::Impl {
    // A block whose batch is out.
    struct Open {
        Seal seal;
        tree::Tree::Update update;
        protocol::Transactions transactions;
        std::vector<Hash> ids;
    };

    Setup setup;
    tree::Tree& tree;
    Mempool& mempool;
    Outlook outlook = {};
    std::optional<Open> open = std::nullopt;
    // When the next height opens for what waits in the mempool.
    std::optional<Pulse> opens_at = std::nullopt;

    Pulse pulse(Instant now) const;
    std::optional<Pulse> next_height() const;
    ledger::Place place_after(const Seal& seal, Instant now) const;
    Result<ledger::Built, Fault> build(const Candidates& candidates, Pulse at);
    Result<std::vector<Mempool::Dropped>, Fault> drop_expired(Pulse at);
    store::WriteBatch seal(ledger::Built&& built, std::vector<Hash>&& ids);
    std::vector<Id> due(Pulse at) const;
    std::optional<Pulse> opening_for_waiting(Pulse next) const;
};

Pulse Bookkeeper::Impl::pulse(Instant now) const {
    const std::int64_t since_epoch = now.time_since_epoch().count();
    // Before 1970 there is no pulse, whatever the clock says.
    return protocol::pulse_at(setup.organization.charter, since_epoch < 0 ? 0 : unix_ms(now));
}

std::optional<Pulse> Bookkeeper::Impl::next_height() const {
    if (!outlook.is_in_office) return std::nullopt;
    const Pulse at = opens_at ? std::min(*opens_at, outlook.due) : outlook.due;
    return std::max(at, setup.head.header.pulse.next());
}

// When a height opens for what waits, at pulse `next` or later.
std::optional<Pulse> Bookkeeper::Impl::opening_for_waiting(Pulse next) const {
    const auto& entries = mempool.entries();
    if (entries.empty()) return std::nullopt;
    const bool is_urgent = std::ranges::any_of(entries, [](const Mempool::Entry& entry) {
        return protocol::opens_height(entry.transaction);
    });
    return is_urgent ? next : std::max(next, outlook.node_acts_close);
}

ledger::Place Bookkeeper::Impl::place_after(const Seal& seal, Instant now) const {
    return {std::max(pulse(now), seal.header.pulse).next(), seal.header.sequence.next()};
}

std::vector<Id> Bookkeeper::Impl::due(Pulse at) const {
    std::vector<Id> members;
    for (const auto& reward : outlook.rewards) {
        if (reward.due <= at) members.push_back(reward.member);
    }
    return members;
}

// A block that takes the mempool as it stands need not execute it again.
Result<ledger::Built, Fault> Bookkeeper::Impl::build(const Candidates& candidates, Pulse at) {
    ledger::Parent parent = parent_of(setup.organization, setup.head);
    const ledger::Stamp stamp{at, setup.seat, ledger::signers_of(setup.head.certificate)};
    if (const auto* executed = mempool.executed_at({at, parent.header.sequence.next()})) {
        auto built = TRY(ledger::build_on(*executed, tree, parent, stamp, candidates.transactions));
        if (built) return *std::move(built);
    }
    parent.known = mempool.reads();
    return ledger::build(setup.organization, tree, parent, stamp, candidates.transactions);
}

// Nothing that waits could be sealed, so the pool is judged anew at the pulse after this one.
Result<std::vector<Mempool::Dropped>, Fault> Bookkeeper::Impl::drop_expired(Pulse at) {
    const ledger::Place place{at.next(), setup.head.header.sequence.next()};
    auto dropped = TRY(mempool.on_block({}, place));
    opens_at = opening_for_waiting(place.pulse);
    return dropped;
}

store::WriteBatch Bookkeeper::Impl::seal(ledger::Built&& built, std::vector<Hash>&& ids) {
    const protocol::BlockHeader& header = built.executed.header;
    tree::Tree::Update& update = built.executed.update;
    const Office office{outlook.cycle, setup.seat};
    Seal next{header, certify_alone(setup.organization, header, setup.key, office),
              update.version().location};

    store::WriteBatch batch = update.take_writes();
    ledger::put_seal(batch, next);
    ledger::put_block(batch, header.sequence, built.transactions);
    open.emplace(
        Open{std::move(next), std::move(update), std::move(built.transactions), std::move(ids)});
    opens_at = std::nullopt;
    return batch;
}

Bookkeeper::Bookkeeper(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Bookkeeper::Bookkeeper(Bookkeeper&&) noexcept = default;
Bookkeeper::~Bookkeeper() = default;

Result<Bookkeeper, Fault> Bookkeeper::open(Setup setup, tree::Tree& tree, Mempool& mempool) {
    auto outlook = TRY(outlook_of(setup.organization, tree, setup.key.public_key()));
    return Bookkeeper(
        std::unique_ptr<Impl>(new Impl{std::move(setup), tree, mempool, std::move(outlook)}));
}

void Bookkeeper::on_admitted(Instant now) {
    const Pulse present = impl_->pulse(now);
    if (impl_->opens_at && *impl_->opens_at <= present.next()) return;
    const Pulse head = impl_->setup.head.header.pulse;
    if (present < head) {
        impl_->setup.log.warn("clock_behind_ledger", "pulse={} head_pulse={}", present.value(),
                              head.value());
    }
    impl_->opens_at = impl_->opening_for_waiting(present.next());
}

Result<Bookkeeper::Turn, Fault> Bookkeeper::on_tick(Instant now) {
    CHECK(!impl_->open);
    const auto height = impl_->next_height();
    const Pulse present = impl_->pulse(now);
    if (!height || present < *height) return Turn{};

    const Candidates candidates = candidates_of(impl_->mempool.entries());
    auto built = TRY(impl_->build(candidates, present));
    if (built.transactions.empty() && present < impl_->outlook.due) {
        auto expired = TRY(impl_->drop_expired(present));
        return Turn{std::nullopt, std::move(expired)};
    }
    auto ids = included(candidates, built);
    return Turn{impl_->seal(std::move(built), std::move(ids)), {}};
}

Result<Sealed, Fault> Bookkeeper::on_durable(Instant now) {
    CHECK(impl_->open);
    Impl::Open block = std::move(*std::exchange(impl_->open, std::nullopt));
    impl_->tree.commit(std::move(block.update));
    impl_->setup.head = block.seal;

    Sealed sealed{block.seal,
                  std::move(block.transactions),
                  std::move(block.ids),
                  impl_->due(block.seal.header.pulse),
                  {}};
    impl_->outlook =
        TRY(outlook_of(impl_->setup.organization, impl_->tree, impl_->setup.key.public_key()));
    sealed.dropped = TRY(impl_->mempool.on_block(sealed.ids, impl_->place_after(block.seal, now)));
    // What did not fit has waited long enough; what came meanwhile may go with it.
    impl_->opens_at = impl_->opening_for_waiting(block.seal.header.pulse.next());
    if (!impl_->outlook.is_in_office) {
        impl_->setup.log.info("left_office", "cycle={}", impl_->outlook.cycle);
    }
    return sealed;
}

std::optional<Instant> Bookkeeper::next_deadline() const {
    if (impl_->open) return std::nullopt;
    const auto height = impl_->next_height();
    if (!height) return std::nullopt;
    const protocol::Charter& charter = impl_->setup.organization.charter;
    return instant_from_unix_ms(charter.time_ms + height->value() * charter.params.pulse_ms);
}

ledger::Place Bookkeeper::next_place(Instant now) const {
    return impl_->place_after(impl_->open ? impl_->open->seal : impl_->setup.head, now);
}

Pulse Bookkeeper::pulse(Instant now) const {
    return impl_->pulse(now);
}

const Seal& Bookkeeper::head() const {
    return impl_->setup.head;
}

bool Bookkeeper::is_in_office() const {
    return impl_->outlook.is_in_office;
}

bool Bookkeeper::is_sealing() const {
    return impl_->open.has_value();
}

void Bookkeeper::check_invariants() const {
    const protocol::BlockHeader& head = impl_->setup.head.header;
    CHECK(impl_->tree.head().sequence == head.sequence);
    CHECK(impl_->tree.head().root == head.root);
    CHECK(std::ranges::is_sorted(impl_->outlook.rewards, {}, &protocol::PendingReward::due));
    // Whatever waits has a height that will take it.
    CHECK(impl_->open || impl_->mempool.size() == 0 || impl_->opens_at);
}

}  // namespace leither::consensus
