#include "leither/sync/catch_up.h"

#include <algorithm>
#include <utility>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/protocol/record.h"

#include "catch_up_impl.h"

namespace leither::sync {

using protocol::SyncAsk;
using store::Fault;

const char* to_string(Blame blame) {
    switch (blame) {
        case Blame::other_genesis: return "other_genesis";
        case Blame::bad_chain: return "bad_chain";
        case Blame::bad_blocks: return "bad_blocks";
        case Blame::bad_piece: return "bad_piece";
        case Blame::false_split: return "false_split";
        case Blame::oversized: return "oversized";
        case Blame::malformed: return "malformed";
    }
    UNREACHABLE();
}

const char* to_string(Stage stage) {
    switch (stage) {
        case Stage::idle: return "idle";
        case Stage::genesis: return "genesis";
        case Stage::chain: return "chain";
        case Stage::blocks: return "blocks";
        case Stage::state: return "state";
        case Stage::building: return "building";
        case Stage::halted: return "halted";
    }
    UNREACHABLE();
}

const char* to_string(Trouble trouble) {
    switch (trouble) {
        case Trouble::none: return "none";
        case Trouble::anchor_too_old: return "anchor_too_old";
        case Trouble::pin_not_found: return "pin_not_found";
        case Trouble::pin_broken: return "pin_broken";
    }
    UNREACHABLE();
}

// ---- Inputs -------------------------------------------------------------------------------------

CatchUp::Impl::Impl(CatchUpOptions chosen, Setup&& given)
    : options(chosen),
      setup(std::move(given)),
      head(setup.head),
      peers({.peers_max = options.peers_max,
             .answer_timeout = options.answer_timeout,
             .retry_min = options.retry_min,
             .retry_max = options.retry_max},
            setup.seed) {
    CHECK(!head || setup.charter);
    CHECK(options.run_bytes <= protocol::kSyncReplyBytes);
    CHECK(options.pieces_asked_max > 0 && options.pieces_per_peer_max > 0);
    CHECK(options.chains_compared > 0 && options.failures_max > 0);
    CHECK(options.retry_min > Duration{} && options.retry_min <= options.retry_max);
    CHECK(options.answer_timeout > Duration{});
}

void CatchUp::Impl::on(PeerUp&& input, Instant, Effects&) {
    peers.up(input.node);
}

void CatchUp::Impl::on(PeerDown&& input, Instant, Effects&) {
    give_back(peers.down(input.node));
    if (draft && draft->from == input.node) draft.reset();
    if (line && line->sender() == input.node) line->drop_unverified();
}

void CatchUp::Impl::on(Heard&& input, Instant, Effects&) {
    Peer* peer = peers.find(input.node);
    if (peer == nullptr) return;
    peer->claim = input.height;
    // A node says where it stands when it lets another in, and hears nothing of it before.
    if (!std::exchange(peer->has_spoken, true)) give_back(peers.begin_anew(input.node));
}

void CatchUp::Impl::on(Received&& input, Instant now, Effects& effects) {
    std::visit([&](auto&& held) { take(input.from, std::move(held), now, effects); },
               std::move(input.message));
}

void CatchUp::Impl::on(Applied&& input, Instant, Effects&) {
    // What a newcomer has kept for the start is the host's now.
    if (is_newcomer() || genesis) {
        genesis.reset();
        pending.erase(key(Entry::genesis));
    }
    head = std::move(input.head);
    if (trouble != Trouble::pin_broken) trouble = Trouble::none;
    setup.table.reset();  // of an older state; checkpoints of later ones are signed by others
    if (target && head->sequence >= target->header.sequence) {
        discard_state();
        if (stage == Stage::state || stage == Stage::building) stage = Stage::idle;
    }
    if (line) line->applied(*head);
}

void CatchUp::Impl::on(Refused&& input, Instant, Effects&) {
    constexpr unsigned kRefusedMax = 2;
    const bool is_state = stage == Stage::building && target->header.sequence == input.height;
    if (is_state && ++refused < kRefusedMax) {
        // Damaged on disk, perhaps.
        discard_state();
        genesis_is_out = false;
        stage = Stage::idle;
        return;
    }
    drop_line();
    setup.log.error("decided_but_refused", "height={}", input.height.value());
    stage = Stage::halted;
}

void CatchUp::Impl::on(Persisted&&, Instant, Effects&) {
    CHECK(is_unsynced, "nothing was to be written");
    is_unsynced = false;
}

void CatchUp::Impl::on(Anchored&& input, Instant, Effects&) {
    if (setup.anchor == input.anchor) return;
    setup.anchor = std::move(input.anchor);
    if (stage == Stage::halted) return;
    trouble = Trouble::none;
    peers.for_each([](Peer& peer) {
        peer.failures = 0;
        peer.not_before = {};
    });
    if (stage == Stage::chain) is_comparing = false;
}

// ---- Common -------------------------------------------------------------------------------------

bool CatchUp::Impl::ask_one(const Peers::Fits& fits, std::size_t asked_max, SyncAsk question,
                            Instant now, Effects& effects) {
    const auto node = peers.pick(fits, asked_max, now);
    if (!node) {
        wake_at(peers.rested(fits, now));
        return false;
    }
    ask(*node, std::move(question), now, effects);
    return true;
}

void CatchUp::Impl::ask(const Id& node, SyncAsk question, Instant now, Effects& effects) {
    peers.ask(node, question, now);
    effects.sends.push_back({node, std::move(question)});
}

void CatchUp::Impl::wake_at(std::optional<Instant> instant) {
    if (instant && (!wake || *instant < *wake)) wake = instant;
}

void CatchUp::Impl::give_back(const Peers::Unanswered& questions) {
    for (const auto& [node, question] : questions) {
        if (const auto* piece = std::get_if<protocol::AskPiece>(&question)) {
            const bool is_ours = fetch && target->header.sequence == piece->sequence;
            if (is_ours) fetch->give_back(piece->prefix);
        } else if (std::holds_alternative<protocol::AskChain>(question)) {
            // Whoever sent the blocks does not say who certifies them.
            if (links_asked && links_asked->node == node) {
                links_asked.reset();
                line->drop_unverified();
            }
        } else if (std::holds_alternative<protocol::AskGenesis>(question)) {
            draft.reset();
        }
    }
}

void CatchUp::Impl::drop_line() {
    line.reset();
    links_asked.reset();
    goal.reset();
}

void CatchUp::Impl::blame(const Id& node, Blame why, Effects& effects) {
    effects.blamed.push_back({node, why});
    setup.log.debug("peer_blamed", "node={} why={}", node.hex(), to_string(why));
    give_back(peers.drop_liar(node));
    if (draft && draft->from == node) draft.reset();
    if (line && line->sender() == node) line->drop_unverified();
}

// ---- The store ----------------------------------------------------------------------------------

Bytes CatchUp::Impl::key(Entry entry) const {
    Bytes key = setup.prefix;
    key.push_back(static_cast<std::uint8_t>(entry));
    return key;
}

Fetch::Target CatchUp::Impl::fetch_target() const {
    return {target->header.root, setup.charter->charter.supply, protocol::sum_of_encoded};
}

void CatchUp::Impl::start_fetch(StoredTarget chosen) {
    target = std::move(chosen);
    pending.put(key(Entry::target), bcs::encode(*target));
    fetch.emplace(fetch_target(), PieceKeys(key(Entry::piece)));
}

Bytes CatchUp::Impl::links_of(const Id& peer) const {
    Bytes start = key(Entry::link);
    const auto id = peer.view();
    start.insert(start.end(), id.begin(), id.end());
    return start;
}

Bytes CatchUp::Impl::link_key(const Id& peer, std::uint64_t term) const {
    Bytes key = links_of(peer);
    for (int shift = 56; shift >= 0; shift -= 8) {
        key.push_back(static_cast<std::uint8_t>(term >> shift));
    }
    return key;
}

void CatchUp::Impl::keep_link(const Id& peer, std::uint64_t term, KeptLink&& link) {
    pending.put(link_key(peer, term), bcs::encode(link));
    links.emplace(peer, term);
}

void CatchUp::Impl::erase_links(const std::function<bool(const Id&)>& of) {
    std::erase_if(links, [&](const auto& link) {
        if (!of(link.first)) return false;
        pending.erase(link_key(link.first, link.second));
        return true;
    });
}

Result<std::set<std::pair<Id, std::uint64_t>>, Fault> CatchUp::Impl::links_in(
    const store::Reader& store) const {
    std::set<std::pair<Id, std::uint64_t>> found;
    const Bytes start = key(Entry::link);
    const auto cursor = store.cursor();
    for (cursor->seek(start); cursor->valid(); cursor->next()) {
        const ByteView key = cursor->key();
        if (key.size() != start.size() + Id::kSize + 8 ||
            !std::ranges::equal(key.first(start.size()), start)) {
            break;
        }
        std::uint64_t term = 0;
        for (const std::uint8_t byte : key.last(8)) term = term << 8 | byte;
        found.emplace(Id::copy_of(key.subspan(start.size(), Id::kSize)), term);
    }
    if (auto fault = cursor->fault()) return fail(*std::move(fault));
    return found;
}

void CatchUp::Impl::discard_state() {
    erase_links(anybody);
    fetch->discard(pending);
    pending.erase(key(Entry::target));
    fetch.reset();
    target.reset();
}

void CatchUp::Impl::flush(Effects& effects) {
    if (is_unsynced || pending.empty()) return;
    effects.durable = pending.take();
    is_unsynced = true;
}

// ---- The machine --------------------------------------------------------------------------------

CatchUp::CatchUp(CatchUpOptions options, Setup setup)
    : impl_(std::make_unique<Impl>(options, std::move(setup))) {}
CatchUp::CatchUp(CatchUp&&) noexcept = default;
CatchUp& CatchUp::operator=(CatchUp&&) noexcept = default;
CatchUp::~CatchUp() = default;

Result<void, Fault> CatchUp::load(const store::Reader& store) {
    Impl& impl = *impl_;
    if (const auto bytes = TRY(store.get(impl.key(Impl::Entry::genesis)))) {
        auto genesis = bcs::decode<protocol::Genesis>(as_bytes(*bytes));
        if (!impl.is_newcomer()) {
            impl.pending.erase(impl.key(Impl::Entry::genesis));
        } else if (genesis && chain_id(genesis->charter.charter) == impl.setup.chain) {
            impl.setup.charter = genesis->charter;
            impl.genesis = *std::move(genesis);
        }
    }
    impl.links = TRY(impl.links_in(store));
    const auto bytes = TRY(store.get(impl.key(Impl::Entry::target)));
    auto target = bytes && impl.setup.charter ? bcs::decode<StoredTarget>(as_bytes(*bytes))
                                              : fail(bcs::DecodeError::truncated);
    if (!target) {
        impl.erase_links(Impl::anybody);
        return {};
    }
    impl.target = *std::move(target);
    impl.erase_links([&impl](const Id& peer) { return peer != impl.target->shown_by; });
    impl.fetch =
        TRY(Fetch::resume(impl.fetch_target(), PieceKeys(impl.key(Impl::Entry::piece)), store));
    // The ledger has got there, and the crash came before this was cleared away.
    if (impl.head && impl.head->sequence >= impl.target->header.sequence) impl.discard_state();
    return {};
}

CatchUp::Effects CatchUp::step(Input&& input, Instant now) {
    Effects effects;
    const Stage before = impl_->stage;
    const Trouble trouble_before = impl_->trouble;
    std::visit([&](auto&& held) { impl_->on(std::move(held), now, effects); }, std::move(input));
    impl_->run(now, effects);
    impl_->flush(effects);
    if (impl_->stage != before) effects.stage = impl_->stage;
    if (impl_->trouble != trouble_before) effects.trouble = impl_->trouble;
    return effects;
}

std::optional<Instant> CatchUp::next_deadline() const {
    const auto late = impl_->peers.deadline();
    if (!late || !impl_->wake) return late ? late : impl_->wake;
    return std::min(*late, *impl_->wake);
}

PieceKeys CatchUp::piece_keys() const {
    return PieceKeys(impl_->key(Impl::Entry::piece));
}

Bytes CatchUp::links_of(const Id& peer) const {
    return impl_->links_of(peer);
}

CatchUp::Progress CatchUp::progress() const {
    Progress progress;
    progress.stage = impl_->stage;
    progress.trouble = impl_->trouble;
    if (impl_->head) progress.head = impl_->head->sequence;
    const unsigned failures_max = impl_->options.failures_max;
    impl_->peers.for_each([&](const Peer& peer) {
        if (!peer.is_liar && peer.failures < failures_max && peer.claim) {
            progress.claimed = std::max(progress.claimed.value_or(Sequence(0)), *peer.claim);
        }
    });
    if (impl_->fetch) {
        progress.pieces = impl_->fetch->pieces();
        progress.share = impl_->fetch->share();
    }
    return progress;
}

void CatchUp::check_invariants() const {
    const Impl& impl = *impl_;
    impl.peers.check_invariants();
    if (impl.fetch) impl.fetch->check_invariants();
    CHECK(impl.fetch.has_value() == impl.target.has_value());
    CHECK(impl.stage != Stage::state || impl.fetch);
    CHECK(impl.stage != Stage::building || impl.fetch->is_complete());
    CHECK(impl.stage != Stage::blocks || impl.line);
    CHECK(impl.pending.bytes() <= 2 * impl.options.unsynced_bytes_max + (32U << 20));
}

}  // namespace leither::sync
