#include "leither/dht/lookup.h"

#include <algorithm>
#include <array>

#include "leither/base/check.h"

namespace leither::dht {

namespace {

using State = Lookup::State;

// Neither counted among the closest nor waited for.
bool passed_over(State state) {
    return state == State::failed || state == State::late || state == State::asked_again;
}

bool is_at_work(State state) {
    return state == State::asked || state == State::late || state == State::asked_again;
}

// The item a reply claims to hold; nothing if it brought none of the kind that is sought.
std::optional<Item> item_of(const Found& found, const std::optional<Lookup::Author>& author) {
    if (found.value.empty()) return std::nullopt;
    if (!author) return Item{found.value, std::nullopt};
    if (!found.key || !found.signature || !found.sequence || *found.key != author->key) {
        return std::nullopt;
    }
    return Item{found.value,
                Authorship{author->key, author->salt, *found.sequence, *found.signature}};
}

}  // namespace

Lookup::Lookup(const Options& options, const Id& target, const Id& own_id,
               const std::vector<Contact>& seeds)
    : options_(options), target_(target), own_id_(own_id) {
    candidates_.reserve(3 * options_.k);
    std::size_t dealt = 0;
    for (const Contact& seed : seeds) add(seed, static_cast<std::uint8_t>(dealt++ % kPaths), 1);
}

// ---- Candidates

Lookup::Candidate* Lookup::find(const Endpoint& endpoint) {
    const auto at = std::find_if(candidates_.begin(), candidates_.end(),
                                 [&](const auto& c) { return c.contact.endpoint == endpoint; });
    return at == candidates_.end() ? nullptr : &*at;
}

void Lookup::add(const Contact& contact, std::uint8_t path, std::uint8_t hop) {
    if (contact.id == own_id_ || find(contact.endpoint) != nullptr) return;
    const IpAddress& address = contact.endpoint.address;
    if (!is_exempt(options_.local, address)) {
        const IpAddress block = address.block();
        const auto of_block =
            std::count_if(candidates_.begin(), candidates_.end(), [&](const Candidate& other) {
                const IpAddress& its = other.contact.endpoint.address;
                return its.is_v4() == address.is_v4() && its.block() == block;
            });
        if (static_cast<std::size_t>(of_block) >= kPerBlockMax) return;
    }
    const CloserTo nearer{target_};
    const auto at = std::upper_bound(
        candidates_.begin(), candidates_.end(), contact,
        [&](const Contact& a, const Candidate& b) { return nearer(a, b.contact); });
    if (candidates_.size() >= kCandidatesMax) {
        // The farthest that is not at work goes.
        const auto last = std::find_if(candidates_.rbegin(), candidates_.rend(),
                                       [](const Candidate& c) { return !is_at_work(c.state); });
        const auto place = at - candidates_.begin();
        if (last == candidates_.rend() || last.base() <= at) return;
        candidates_.erase(std::next(last).base());
        candidates_.insert(candidates_.begin() + place,
                           Candidate{contact, State::fresh, path, hop, 0, {}, {}, false});
        return;
    }
    candidates_.insert(at, Candidate{contact, State::fresh, path, hop, 0, {}, {}, false});
}

// Whoever named the node was wrong about its id.
void Lookup::move_to(Candidate& candidate, const Id& id) {
    candidate.contact.id = id;
    std::stable_sort(candidates_.begin(), candidates_.end(),
                     [&](const Candidate& a, const Candidate& b) {
                         return closer(target_, a.contact.id, b.contact.id);
                     });
}

// The k closest of those that count.
std::vector<std::size_t> Lookup::front() const {
    std::vector<std::size_t> out;
    out.reserve(options_.k + kPaths * kPathEnds);
    for (std::size_t i = 0; i < candidates_.size() && out.size() < options_.k; ++i) {
        if (!passed_over(candidates_[i].state)) out.push_back(i);
    }
    return out;
}

// All that must answer before the lookup has converged: the front and the end of each path.
std::vector<std::size_t> Lookup::frontier() const {
    std::vector<std::size_t> out = front();
    std::array<std::size_t, kPaths> ends{};
    for (const std::size_t i : out) ++ends[candidates_[i].path];
    const std::size_t beyond = out.empty() ? candidates_.size() : out.back() + 1;
    for (std::size_t i = beyond; i < candidates_.size(); ++i) {
        const Candidate& candidate = candidates_[i];
        if (passed_over(candidate.state) || ends[candidate.path] >= kPathEnds) continue;
        ++ends[candidate.path];
        out.push_back(i);
    }
    return out;
}

// ---- Asking

std::size_t Lookup::in_flight() const {
    return static_cast<std::size_t>(
        std::count_if(candidates_.begin(), candidates_.end(), [](const Candidate& c) {
            return c.state == State::asked || c.state == State::asked_again;
        }));
}

bool Lookup::is_content() const {
    if (options_.goal != Goal::item || !item_) return false;
    if (!options_.author) return true;
    return independent_holders_ >= kQuorum;
}

bool Lookup::wants_retries() const {
    return options_.goal == Goal::item && !item_ && !is_spent();
}

// Of the k closest that have not failed: the late ones, once, and, if a value may have been held
// back from us for want of a token, those that answered.
std::vector<std::size_t> Lookup::retries() const {
    std::vector<std::size_t> out;
    std::size_t seen = 0;
    for (std::size_t i = 0; i < candidates_.size() && seen < options_.k; ++i) {
        const Candidate& candidate = candidates_[i];
        if (candidate.state == State::failed) continue;
        ++seen;
        const bool was_bare =
            candidate.state == State::answered && !options_.author && !candidate.token.empty();
        if (candidate.tries == 1 && (candidate.state == State::late || was_bare)) out.push_back(i);
    }
    return out;
}

Lookup::Probe Lookup::ask(Candidate& candidate) {
    ++queries_;
    ++candidate.tries;
    candidate.state = candidate.state == State::fresh ? State::asked : State::asked_again;
    return {candidate.contact, candidate.token};
}

std::vector<Lookup::Probe> Lookup::next() {
    std::vector<Probe> out;
    if (is_content() || is_spent()) return out;
    const std::size_t slots = std::min(options_.alpha + late_seen_, kInFlightMax);
    std::size_t flying = in_flight();
    bool is_converging = false;
    for (const std::size_t i : frontier()) {
        is_converging = is_converging || candidates_[i].state == State::asked;
        if (candidates_[i].state != State::fresh) continue;
        is_converging = true;
        if (flying >= slots || is_spent()) break;
        out.push_back(ask(candidates_[i]));
        ++flying;
    }
    if (is_converging || !wants_retries()) return out;
    for (const std::size_t i : retries()) {
        if (is_spent()) break;
        out.push_back(ask(candidates_[i]));
    }
    return out;
}

bool Lookup::done() const {
    if (is_content()) return true;
    for (const std::size_t i : frontier()) {
        const State state = candidates_[i].state;
        if (state == State::asked || (state == State::fresh && !is_spent())) return false;
    }
    const auto waits_for = [&](State state) {
        return std::any_of(candidates_.begin(), candidates_.end(),
                           [&](const Candidate& c) { return c.state == state; });
    };
    if (wants_retries() && (!retries().empty() || waits_for(State::asked_again))) return false;
    // Better late than nobody.
    return answers_ > 0 || !(waits_for(State::late) || waits_for(State::asked_again));
}

// ---- What happened

void Lookup::late(const Contact& asked) {
    Candidate* candidate = find(asked.endpoint);
    if (candidate == nullptr) return;
    if (candidate->state == State::asked) {
        candidate->state = State::late;
        ++late_seen_;
    } else if (candidate->state == State::asked_again) {
        candidate->state = candidate->token.empty() ? State::failed : State::answered;
    }
}

void Lookup::failed(const Contact& asked) {
    Candidate* candidate = find(asked.endpoint);
    if (candidate != nullptr && candidate->state != State::answered) {
        candidate->state = State::failed;
    }
}

void Lookup::answered(const Contact& asked, const Response& reply, Duration round_trip) {
    Candidate* candidate = find(asked.endpoint);
    if (candidate == nullptr || candidate->state == State::answered) return;
    candidate->state = State::answered;
    ++answers_;
    candidate->round_trip = round_trip;
    candidate->token = reply.token;
    take_item(*candidate, reply.found);
    take_peers(reply.peers);
    const std::uint8_t path = candidate->path;
    const auto hop = static_cast<std::uint8_t>(std::min(candidate->hop + 1, 255));
    if (candidate->contact.id != reply.sender) move_to(*candidate, reply.sender);
    const std::size_t named = std::min(reply.nodes.size(), kNamedMax);
    for (std::size_t i = 0; i < named; ++i) add(reply.nodes[i], path, hop);
}

void Lookup::take_peers(const std::vector<Endpoint>& peers) {
    if (options_.goal != Goal::peers) return;
    for (const Endpoint& peer : peers) {
        if (peers_.size() >= kPeersMax) return;
        if (std::find(peers_.begin(), peers_.end(), peer) == peers_.end()) peers_.push_back(peer);
    }
}

// A value equal to the one we have needs no second look at its signature.
void Lookup::take_item(Candidate& from, const Found& found) {
    if (options_.goal != Goal::item && options_.goal != Goal::every_copy) return;
    auto item = item_of(found, options_.author);
    if (!item) {
        if (found.sequence && options_.author) take_claim(from, *found.sequence);
        return;
    }
    const bool is_known = item_ && *item == *item_;
    if (!is_known && !check(*item, target_)) return;
    take_valid(from, *std::move(item));
}

// A sequence without its item: the holder saw that we have it, or keeps it back until we show that
// we receive at our address.
void Lookup::take_claim(Candidate& from, std::int64_t sequence) {
    from.sequence = sequence;
    if (options_.newer_than && sequence <= *options_.newer_than) {
        from.holds = sequence == *options_.newer_than;
        return;
    }
    if (from.token.empty() || from.tries > 1) return;
    from.state = State::fresh;
    --answers_;
}

void Lookup::take_valid(Candidate& from, Item&& item) {
    from.holds = true;
    if (item.author) from.sequence = item.author->sequence;
    if (!item_ || outranks(item, *item_)) {
        item_ = std::move(item);
        forget_holders();
    } else if (item != *item_) {
        return;
    }
    count_holder(from);
}

void Lookup::count_holder(const Candidate& holder) {
    ++holders_;
    holder_hop_ = holder.hop;
    const IpAddress& address = holder.contact.endpoint.address;
    if (!is_exempt(options_.local, address)) {
        const IpAddress block = address.block();
        const auto& counted = holder_blocks_;
        if (std::find(counted.begin(), counted.end(), block) != counted.end()) return;
        holder_blocks_.push_back(block);
    }
    ++independent_holders_;
}

void Lookup::forget_holders() {
    holders_ = 0;
    independent_holders_ = 0;
    holder_blocks_.clear();
}

void Lookup::offer_own(const Item& item) {
    item_ = item;
    forget_holders();
}

// ---- What it brought

std::vector<const Lookup::Candidate*> Lookup::closest() const {
    std::vector<const Candidate*> out;
    for (const Candidate& candidate : candidates_) {
        if (out.size() >= options_.k) break;
        if (candidate.state == State::answered) out.push_back(&candidate);
    }
    return out;
}

std::uint32_t Lookup::hops() const {
    if (holder_hop_ > 0) return holder_hop_;
    const auto nearest = closest();
    return nearest.empty() ? 0 : nearest.front()->hop;
}

void Lookup::check_invariants() const {
    CHECK(candidates_.size() <= kCandidatesMax);
    CHECK(queries_ <= kQueriesMax);
    CHECK(peers_.size() <= kPeersMax);
    CHECK(std::is_sorted(candidates_.begin(), candidates_.end(),
                         [&](const Candidate& a, const Candidate& b) {
                             return closer(target_, a.contact.id, b.contact.id);
                         }));
    CHECK(in_flight() <= queries_);
}

}  // namespace leither::dht
