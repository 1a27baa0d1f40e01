#include "leither/node/office.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash_chain.h"
#include "leither/protocol/domain_tags.h"

namespace leither::node {

namespace {

using protocol::Seat;
using protocol::Seats;
// Of our own secrets, which nobody else computes.
constexpr std::string_view kChainSecretTag = "leither/reveal-secret/1";
constexpr std::string_view kStampTag = "leither/vote-keys-stamp/1";
// How far apart clocks of nodes that vote may be.
constexpr std::uint64_t kPulsesApart = 2;
constexpr std::uint64_t kPaceMin = 4;
// A pledge is committed in the cycle in which it was made, or soon after.
constexpr std::uint64_t kPledgeCyclesMax = 3;
constexpr std::uint64_t kClaimExpiryPulses = 60;

bool names(const Seats& seats, const PublicKey& vote_key) {
    return std::ranges::count(seats, vote_key, &Seat::vote_key) > 0;
}

std::uint64_t pace_of(std::uint64_t from, std::uint64_t last) {
    return std::max(kPaceMin, (last - std::min(from, last)) / 4);
}

crypto::KeyPair key_from(const Hash& hash) {
    crypto::KeyPair::Seed seed{};
    std::ranges::copy(hash.view(), seed.begin());
    auto key = crypto::KeyPair::from_seed(seed);
    crypto::erase(seed);
    return key;
}

}  // namespace

std::string_view to_string(Office::Duty duty) {
    switch (duty) {
        case Office::Duty::reveal: return "reveal";
        case Office::Duty::ready: return "ready";
        case Office::Duty::claim: return "claim";
    }
    UNREACHABLE();
}

Office::Office(Setup setup)
    : chain_(setup.chain),
      node_key_(std::move(setup.node_key)),
      seed_(setup.seed),
      stamp_(setup.kept.stamp),
      former_stamp_(setup.kept.former) {
    for (VoteKeys::Kept& kept : setup.kept.keys) {
        keys_.push_back({kept.cycle, key_from(kept.seed)});
        crypto::erase({kept.seed.data(), Hash::kSize});
    }
}

// ---- Reveal chains ------------------------------------------------------------------------------

Hash Office::chain_secret(const Id& member, std::uint64_t cycle) const {
    auto seed = node_key_.seed();
    Bytes body(seed.begin(), seed.end());
    for (const Bytes& part : {bcs::encode(member), bcs::encode(cycle)}) {
        body.insert(body.end(), part.begin(), part.end());
    }
    const Hash secret = crypto::tagged_hash(kChainSecretTag, chain_, body);
    crypto::erase(seed);
    crypto::erase(body);
    return secret;
}

protocol::Registration Office::registration(const Id& member, std::uint64_t cycle) const {
    const crypto::HashChain links(protocol::tags::kRevealLink, chain_, chain_secret(member, cycle),
                                  kLinks);
    return {node_key_.public_key(), links.head()};
}

Office::Chain Office::find_chain(const Standing& standing) const {
    Chain chain{standing.member, standing.candidacy.last_link, std::nullopt, false};
    for (std::uint64_t back = 0; back < kPledgeCyclesMax && back <= standing.pledged_in; ++back) {
        Hash link = chain_secret(standing.member, standing.pledged_in - back);
        std::optional<Hash> after;
        for (std::uint32_t i = kLinks; link != chain.last_link && i > 0; --i) {
            after = link;
            link = crypto::tagged_hash(protocol::tags::kRevealLink, chain_, link.view());
        }
        if (link != chain.last_link) continue;
        chain.next = after;
        chain.is_ours = true;
        break;
    }
    return chain;
}

// Looked for once: others may name our node key as often as they pledge.
const Office::Chain& Office::chain_of(const Standing& standing) {
    const auto known = std::ranges::find_if(known_, [&](const Chain& chain) {
        return chain.member == standing.member && chain.last_link == standing.candidacy.last_link;
    });
    return known != known_.end() ? *known : known_.emplace_back(find_chain(standing));
}

void Office::choose_standing() {
    standing_.reset();
    next_link_.reset();
    std::vector<Chain> looked_at;
    for (const Standing& standing : head_.standings) {
        const Chain chain = chain_of(standing);
        looked_at.push_back(chain);
        if (standing_ || !chain.is_ours) continue;
        standing_ = standing;
        next_link_ = chain.next;
    }
    known_ = std::move(looked_at);
}

// ---- Vote keys ----------------------------------------------------------------------------------

bool Office::is_wanted(const Held& held) const {
    const PublicKey& key = held.key.public_key();
    const protocol::ElectionRecord& record = head_.record;
    // Those of a reveal to come, and of terms that a head behind us does not know yet.
    if (held.cycle >= record.cycle + protocol::kElectedAhead) return true;
    const bool is_revealed = standing_ && standing_->candidacy.revealed &&
                             standing_->candidacy.revealed->vote_key == key;
    return is_revealed || names(record.former, key) || names(record.present, key) ||
           names(record.next.seats, key) || names(record.next.spares, key) ||
           names(record.after_next.seats, key) || names(record.after_next.spares, key);
}

const Office::Held* Office::key_for(std::uint64_t cycle) const {
    const auto held = std::ranges::find(keys_, cycle, &Held::cycle);
    return held == keys_.end() ? nullptr : &*held;
}

const Office::Held* Office::key_of(const PublicKey& vote_key) const {
    const auto held = std::ranges::find_if(
        keys_, [&vote_key](const Held& one) { return one.key.public_key() == vote_key; });
    return held == keys_.end() ? nullptr : &*held;
}

// The charter's bookkeepers vote with their node keys. A seat that names somebody else's node is
// not ours, whatever key it has revealed.
std::optional<crypto::KeyPair> Office::vote_key(const Seat& seat) const {
    if (seat.node_key != node_key_.public_key()) return std::nullopt;
    if (seat.vote_key == seat.node_key) return node_key_;
    const Held* held = key_of(seat.vote_key);
    return held == nullptr ? std::nullopt : std::optional(held->key);
}

SecretFile Office::file() const {
    VoteKeys kept;
    kept.stamp = stamp_;
    kept.former = former_stamp_;
    for (const Held& held : keys_) {
        VoteKeys::Kept one{held.cycle, {}};
        auto seed = held.key.seed();
        std::ranges::copy(seed, one.seed.data());
        crypto::erase(seed);
        kept.keys.push_back(one);
        crypto::erase({one.seed.data(), Hash::kSize});
    }
    SecretFile file = vote_keys::encode(kept);
    for (VoteKeys::Kept& one : kept.keys) crypto::erase({one.seed.data(), Hash::kSize});
    return file;
}

// With each use, so that no later look at it tells what was drawn from it earlier.
void Office::advance_seed() {
    crypto::KeyPair::Seed family{};
    std::ranges::copy(seed_.view(), family.begin());
    auto next = crypto::derive_key(family, 1).seed();
    seed_ = Secret::copy_of(next);
    crypto::erase(next);
    crypto::erase(family);
}

void Office::draw_key(std::uint64_t cycle) {
    crypto::KeyPair::Seed family{};
    std::ranges::copy(seed_.view(), family.begin());
    keys_.push_back({cycle, crypto::derive_key(family, 0)});
    std::ranges::sort(keys_, {}, &Held::cycle);
    crypto::erase(family);
    advance_seed();
}

bool Office::may_vote() const {
    const Seats& seats = head_.record.present;
    // Who decides alone keeps no vote log either.
    const bool has_voice = seats.size() > 1 && std::ranges::any_of(seats, [this](const Seat& seat) {
                               return vote_key(seat).has_value();
                           });
    return has_voice || !keys_.empty();
}

Office::Stamping Office::stamp() {
    const Hash next = crypto::tagged_hash(kStampTag, chain_, seed_.view());
    advance_seed();
    former_stamp_ = std::exchange(stamp_, next);
    SecretFile offered = file();
    former_stamp_.reset();
    store::WriteBatch batch;
    vote_keys::put_stamp(batch, next);
    return {std::move(offered), std::move(batch), file()};
}

// ---- What is due --------------------------------------------------------------------------------

std::optional<SecretFile> Office::follow(Head head) {
    head_ = std::move(head);
    const auto before = standing_ ? std::optional(standing_->member) : std::nullopt;
    choose_standing();
    if (!standing_ || before != standing_->member) tasks_.clear();
    std::vector<Task> tasks;
    if (auto task = reveal_task()) tasks.push_back(*std::move(task));
    if (auto task = ready_task()) tasks.push_back(*std::move(task));
    static constexpr Duty kInWindow[] = {Duty::reveal, Duty::ready};
    set_tasks(std::move(tasks), kInWindow);
    const auto gone = std::erase_if(keys_, [this](const Held& held) { return !is_wanted(held); });
    return gone == 0 ? std::nullopt : std::optional(file());
}

void Office::set_claims(const std::vector<protocol::Claim>& claims) {
    std::vector<Task> tasks;
    const std::uint64_t first = head_.record.first_pulse.value();
    const std::uint64_t last = head_.record.end_pulse.value() - 1;
    for (const protocol::Claim& claim : claims) {
        tasks.push_back({Duty::claim, claim.cycle, Pulse(last), pace_of(first, last),
                         Pulse(first + kPulsesApart), claim});
    }
    static constexpr Duty kClaims[] = {Duty::claim};
    set_tasks(std::move(tasks), kClaims);
}

// Tasks go on where they were, those that are done are gone.
void Office::set_tasks(std::vector<Task> tasks, std::span<const Duty> of) {
    for (Task& task : tasks) {
        const auto same =
            std::ranges::find_if(tasks_, [&task](const Task& other) { return task.is(other); });
        if (same == tasks_.end()) continue;
        task.next = same->next;
        task.sent = std::move(same->sent);
    }
    std::erase_if(tasks_, [of](const Task& task) { return std::ranges::count(of, task.duty) > 0; });
    std::ranges::move(tasks, std::back_inserter(tasks_));
}

Office::Task Office::window_task(Duty duty) const {
    const std::uint64_t last = head_.windows.last.value();
    // It shall live until the window closes.
    const std::uint64_t alive = last + 1 - std::min<std::uint64_t>(last, head_.expiry_pulses_max);
    const std::uint64_t from = std::max(head_.windows.reveal_from.value() + kPulsesApart, alive);
    return {duty, head_.record.cycle, head_.windows.last, pace_of(from, last), Pulse(from)};
}

std::optional<Office::Task> Office::reveal_task() const {
    if (!standing_ || !next_link_) return std::nullopt;
    const auto& revealed = standing_->candidacy.revealed;
    if (revealed && revealed->cycle == head_.record.cycle) return std::nullopt;
    return window_task(Duty::reveal);
}

std::optional<Office::Task> Office::ready_task() const {
    if (!standing_) return std::nullopt;
    const auto find_in = [this](const Seats& seats) {
        return std::ranges::find(seats, standing_->member, &Seat::member);
    };
    const protocol::Committee& next = head_.record.next;
    const bool has_seat = find_in(next.seats) != next.seats.end();
    const Seats& among = has_seat ? next.seats : next.spares;
    const auto seat = find_in(among);
    if (seat == among.end() || !vote_key(*seat)) return std::nullopt;
    const auto bit = static_cast<std::uint64_t>(seat - among.begin()) + (has_seat ? 0 : 32);
    if ((head_.record.ready >> bit & 1) != 0) return std::nullopt;
    return window_task(Duty::ready);
}

std::optional<Office::Due> Office::next_duty() const {
    std::optional<Due> first;
    for (const Task& task : tasks_) {
        if (task.next > task.last || (first && first->pulse <= task.next)) continue;
        first = Due{task.duty, task.next};
    }
    return first;
}

std::optional<Pulse> Office::due() const {
    const auto next = is_writing_ ? std::nullopt : next_duty();
    return next ? std::optional(next->pulse) : std::nullopt;
}

Office::Turn Office::turn(Pulse now, const Lane& lane) {
    Turn turn;
    if (is_writing_) return turn;
    std::uint64_t counter = lane.counter;
    for (Task& task : tasks_) {
        if (task.next > task.last || now < task.next) continue;
        if (now > task.last) {
            task.next = task.last.next();
            continue;
        }
        const std::uint64_t term = head_.record.cycle + protocol::kElectedAhead;
        if (task.duty == Duty::reveal && key_for(term) == nullptr) {
            draw_key(term);
            turn.keys = file();
            is_writing_ = true;
            continue;
        }
        task.next = Pulse(now.value() + task.pace);
        const bool waits =
            task.sent && lane.still_waits(protocol::transaction_id(chain_, task.sent->body));
        if (!waits) task.sent = sign(task, now, counter++);
        (waits ? turn.reminds : turn.acts).push_back(*task.sent);
    }
    return turn;
}

void Office::on_durable() {
    CHECK(is_writing_);
    is_writing_ = false;
}

protocol::Action Office::action_of(const Task& task) const {
    switch (task.duty) {
        case Duty::reveal: {
            const Held* held = key_for(head_.record.cycle + protocol::kElectedAhead);
            CHECK(held != nullptr && next_link_);
            return protocol::Reveal{*next_link_, held->key.public_key()};
        }
        case Duty::ready: return protocol::Ready{head_.record.cycle + 1};
        case Duty::claim: return *task.claim;
    }
    UNREACHABLE();
}

protocol::Transaction Office::sign(const Task& task, Pulse now, std::uint64_t counter) const {
    CHECK(standing_);
    const std::uint64_t patience =
        std::min<std::uint64_t>(kClaimExpiryPulses, head_.expiry_pulses_max);
    protocol::Transaction transaction;
    transaction.body.signer = standing_->member;
    transaction.body.nonce = {protocol::kNodeLane, counter};
    transaction.body.expiry = task.duty == Duty::claim ? Pulse(now.value() + patience) : task.last;
    transaction.body.action = action_of(task);
    transaction.signatures.push_back(
        node_key_.sign(protocol::signing_message(chain_, transaction.body)));
    return transaction;
}

void Office::check_invariants() const {
    CHECK(keys_.size() <= VoteKeys::kKeysMax);
    CHECK(std::ranges::is_sorted(keys_, {}, &Held::cycle));
    CHECK(standing_ || tasks_.empty());
    CHECK(standing_ || !next_link_);
}

}  // namespace leither::node
