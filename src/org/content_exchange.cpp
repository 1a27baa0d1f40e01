#include "leither/org/content_exchange.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

#include "held_packs.h"

namespace leither::org {

using protocol::ContentAsk;
using protocol::ContentOutcome;
using protocol::ContentReply;
using protocol::SignedPack;

namespace {

constexpr Duration kSecond = std::chrono::seconds(1);

// What is counted within a second.
struct Meter {
    Instant since;
    std::size_t count = 0;

    bool take(std::size_t max, Instant now) {
        if (now - since >= kSecond) {
            since = now;
            count = 0;
        }
        if (count >= max) return false;
        ++count;
        return true;
    }
};

struct Link {
    std::size_t questions = 0;
    bool lies = false;
    Instant rests_until;
    std::map<Hash, Instant> lacks_until;  // by pack
    Meter given;
};

struct Question {
    Id node;
    Hash pack;
    Instant asked;
};

}  // namespace

struct ContentExchange::Impl {
    ContentOptions options;
    Setup setup;
    Log log;
    HeldPacks packs;
    std::map<Id, Link> links;
    std::map<Hash, Question> questions;  // by piece
    std::map<Hash, Instant> seek_at;     // of packs that are fetched
    Meter given;
    Instant last_step;
    GatheredWrites writes;

    void on(Tick&&, Instant, Effects&) {}
    void on(NodeUp&& input, Instant now, Effects& effects);
    void on(NodeDown&& input, Instant now, Effects& effects);
    void on(Publish&& input, Instant now, Effects& effects);
    void on(Put&& input, Instant now, Effects& effects);
    void on(Fetch&& input, Instant now, Effects& effects);
    void on(Drop&& input, Instant now, Effects& effects);
    void on(Asked&& input, Instant now, Effects& effects);
    void on(Answered&& input, Instant now, Effects& effects);

    Result<void, ContentRefusal> room_for(const SignedPack& pack, const Hash& id) const;
    Result<Hash, ContentRefusal> publish(Publish&& input, Effects& effects);
    Result<Hash, ContentRefusal> fetch(Fetch&& input, Instant now, Effects& effects);
    Result<Hash, ContentRefusal> put_piece(Put&& input, Effects& effects);
    Result<Hash, ContentRefusal> drop(const Hash& pack);
    void put(const Hash& name, ByteView bytes, Effects& effects);
    void drop_unusable(const Hash& pack);
    void finish(Effects& effects);

    bool can_ask(const Link& link, const Hash& pack, Instant now) const;
    std::map<Id, Link>::iterator free_link(const Hash& pack, Instant now);
    void ask_on(Instant now, Effects& effects);
    void ask_for(const Hash& pack, Instant now, Effects& effects);
    void take_back(std::map<Hash, Question>::iterator question);
    void take_back_all(const Id& node);
    void give_up_late(Instant now);
    void seek(Instant now, Effects& effects);
    std::optional<Bytes> read(const Hash& piece) const;
};

// ---- Held ---------------------------------------------------------------------------------------

Result<void, ContentRefusal> ContentExchange::Impl::room_for(const SignedPack& pack,
                                                             const Hash& id) const {
    if (packs.find(id) != nullptr) return {};
    if (packs.all().size() >= options.packs_max) return fail(ContentRefusal::too_many);
    const std::uint64_t needed = bytes_of(pack.pack);
    const std::uint64_t used = packs.bytes_reserved();
    if (used > options.bytes_max || needed > options.bytes_max - used) {
        return fail(ContentRefusal::no_room);
    }
    return {};
}

Result<Hash, ContentRefusal> ContentExchange::Impl::publish(Publish&& input, Effects& effects) {
    const Hash id = pack_id(setup.chain, input.pack.pack);
    if (!read_contents(input.pack.pack, input.contents)) {
        return fail(ContentRefusal::bad_contents);
    }
    TRY(room_for(input.pack, id));
    packs.hold(id, input.pack, Origin::published, writes);
    put(input.pack.pack.contents, input.contents, effects);
    // Once more by its owner: the catalogue may have lost it.
    const bool is_new = std::ranges::find(effects.published, input.pack) == effects.published.end();
    if (packs.find(id)->is_complete() && is_new) effects.published.push_back(input.pack);
    return id;
}

Result<Hash, ContentRefusal> ContentExchange::Impl::fetch(Fetch&& input, Instant now,
                                                          Effects& effects) {
    const Hash id = pack_id(setup.chain, input.pack.pack);
    TRY(room_for(input.pack, id));
    packs.hold(id, input.pack, Origin::fetched, writes);
    // Another pack may have the same files.
    const Hash& list = input.pack.pack.contents;
    const auto known = packs.find(id)->contents ? std::nullopt : read(list);
    if (known) put(list, *known, effects);
    if (packs.find(id) == nullptr) return fail(ContentRefusal::bad_contents);
    if (!packs.find(id)->is_complete()) seek_at.try_emplace(id, now);
    return id;
}

Result<Hash, ContentRefusal> ContentExchange::Impl::put_piece(Put&& input, Effects& effects) {
    if (packs.find(input.pack) == nullptr) return fail(ContentRefusal::not_held);
    const Hash name = crypto::blake2b_256(input.bytes);
    if (packs.has(name)) return input.pack;
    if (packs.size_of(input.pack, name) != input.bytes.size()) {
        return fail(ContentRefusal::unknown_piece);
    }
    put(name, input.bytes, effects);
    return input.pack;
}

Result<Hash, ContentRefusal> ContentExchange::Impl::drop(const Hash& pack) {
    if (packs.find(pack) == nullptr) return fail(ContentRefusal::not_held);
    packs.drop(pack, writes);
    seek_at.erase(pack);
    for (auto question = questions.begin(); question != questions.end();) {
        const auto next = std::next(question);
        if (question->second.pack == pack) take_back(question);
        question = next;
    }
    return pack;
}

void ContentExchange::Impl::put(const Hash& name, ByteView bytes, Effects& effects) {
    for (const Hash& id : packs.put(name, bytes, writes)) drop_unusable(id);
    finish(effects);
}

// What its publisher has signed does not hold together: nobody can have it complete.
void ContentExchange::Impl::drop_unusable(const Hash& pack) {
    log.debug("pack_unusable", "pack={}", pack.hex());
    (void)drop(pack);
}

// A piece may have been the last one of several packs.
void ContentExchange::Impl::finish(Effects& effects) {
    for (const Hash& id : packs.take_completed()) {
        const HeldPack* held = packs.find(id);
        if (held == nullptr) continue;  // an older one, dropped for another of these
        log.info("pack_complete", "pack={} name=\"{}\"", id.hex(), held->pack.pack.name);
        effects.changed = true;
        if (held->origin == Origin::published) effects.published.push_back(held->pack);
        seek_at.erase(id);
        for (const Hash& older : packs.older_than(id)) (void)drop(older);
    }
}

void ContentExchange::Impl::on(Publish&& input, Instant, Effects& effects) {
    effects.done = publish(std::move(input), effects);
}
void ContentExchange::Impl::on(Put&& input, Instant, Effects& effects) {
    effects.done = put_piece(std::move(input), effects);
}
void ContentExchange::Impl::on(Fetch&& input, Instant now, Effects& effects) {
    effects.done = fetch(std::move(input), now, effects);
}
void ContentExchange::Impl::on(Drop&& input, Instant, Effects& effects) {
    effects.done = drop(input.pack);
    effects.changed = effects.changed || effects.done->has_value();
}

// ---- Giving -------------------------------------------------------------------------------------

std::optional<Bytes> ContentExchange::Impl::read(const Hash& piece) const {
    if (!packs.has(piece) || setup.store == nullptr) return std::nullopt;
    const auto found = setup.store->get(packs.key_of_piece(piece));
    if (!found || !*found) return std::nullopt;  // not durable yet, or damaged
    return Bytes((*found)->begin(), (*found)->end());
}

void ContentExchange::Impl::on(Asked&& input, Instant now, Effects& effects) {
    const auto link = links.find(input.from);
    if (link == links.end()) return;
    ContentReply reply{input.ask.piece, ContentOutcome::absent, {}};
    if (packs.has(input.ask.piece)) {
        const bool may = link->second.given.take(options.pieces_per_node_max, now) &&
                         given.take(options.pieces_per_second_max, now);
        reply.outcome = ContentOutcome::busy;
        const auto bytes = may ? read(input.ask.piece) : std::nullopt;
        if (bytes && !bytes->empty()) {
            reply.outcome = ContentOutcome::here;
            reply.bytes.assign(bytes->begin(), bytes->end());
        }
    }
    effects.sends.push_back({input.from, std::move(reply)});
}

// ---- Fetching -----------------------------------------------------------------------------------

void ContentExchange::Impl::on(NodeUp&& input, Instant, Effects&) {
    links.try_emplace(input.node);
}

void ContentExchange::Impl::on(NodeDown&& input, Instant, Effects&) {
    if (links.contains(input.node)) take_back_all(input.node);
    links.erase(input.node);
}

void ContentExchange::Impl::take_back_all(const Id& node) {
    for (auto question = questions.begin(); question != questions.end();) {
        const auto next = std::next(question);
        if (question->second.node == node) take_back(question);
        question = next;
    }
}

void ContentExchange::Impl::take_back(std::map<Hash, Question>::iterator question) {
    --links.at(question->second.node).questions;
    questions.erase(question);
}

void ContentExchange::Impl::on(Answered&& input, Instant now, Effects& effects) {
    const auto question = questions.find(input.reply.piece);
    if (question == questions.end() || question->second.node != input.from) return;
    const Hash pack = question->second.pack;
    take_back(question);
    Link& link = links.at(input.from);
    switch (input.reply.outcome) {
        case ContentOutcome::absent:
            link.lacks_until.insert_or_assign(pack, now + options.absent_rest);
            return;
        case ContentOutcome::busy: link.rests_until = now + options.busy_rest; return;
        case ContentOutcome::here: break;
    }
    const auto needed = packs.size_of(pack, input.reply.piece);
    if (!needed) return;  // has come otherwise meanwhile
    if (crypto::blake2b_256(input.reply.bytes) != input.reply.piece) {
        log.debug("false_piece", "node={} pack={}", input.from.hex(), pack.hex());
        link.lies = true;
        take_back_all(input.from);  // one lie is enough to know, and blamed once
        effects.liars.push_back(input.from);
        return;
    }
    // The publisher has signed another size: not the fault of who has sent it.
    if (input.reply.bytes.size() != *needed) return drop_unusable(pack);
    put(input.reply.piece, input.reply.bytes, effects);
}

bool ContentExchange::Impl::can_ask(const Link& link, const Hash& pack, Instant now) const {
    if (link.lies || link.rests_until > now) return false;
    if (link.questions >= options.questions_per_node_max) return false;
    const auto lacks = link.lacks_until.find(pack);
    return lacks == link.lacks_until.end() || lacks->second <= now;
}

// The one with the fewest questions open.
std::map<Id, Link>::iterator ContentExchange::Impl::free_link(const Hash& pack, Instant now) {
    auto best = links.end();
    for (auto link = links.begin(); link != links.end(); ++link) {
        if (!can_ask(link->second, pack, now)) continue;
        if (best == links.end() || link->second.questions < best->second.questions) best = link;
    }
    return best;
}

void ContentExchange::Impl::ask_on(Instant now, Effects& effects) {
    for (const auto& [id, held] : packs.all()) {
        if (held.is_complete() || held.origin != Origin::fetched) continue;
        if (questions.size() >= options.questions_max) return;
        ask_for(id, now, effects);
    }
}

void ContentExchange::Impl::ask_for(const Hash& pack, Instant now, Effects& effects) {
    for (const Hash& piece : packs.find(pack)->missing) {
        if (questions.size() >= options.questions_max) return;
        if (questions.contains(piece)) continue;
        const auto link = free_link(pack, now);
        if (link == links.end()) return;
        ++link->second.questions;
        questions.emplace(piece, Question{link->first, pack, now});
        effects.sends.push_back({link->first, ContentAsk{piece}});
    }
}

void ContentExchange::Impl::give_up_late(Instant now) {
    for (auto question = questions.begin(); question != questions.end();) {
        const auto next = std::next(question);
        if (now - question->second.asked >= options.answer_timeout) {
            links.at(question->second.node).rests_until = now + options.answer_timeout;
            take_back(question);
        }
        question = next;
    }
    for (auto& [node, link] : links) {
        std::erase_if(link.lacks_until, [&](const auto& lacks) { return lacks.second <= now; });
    }
}

void ContentExchange::Impl::seek(Instant now, Effects& effects) {
    for (auto& [pack, at] : seek_at) {
        if (at > now) continue;
        at = now + options.seek_interval;
        const bool goes_on = std::ranges::any_of(
            questions, [&id = pack](const auto& one) { return one.second.pack == id; });
        if (!goes_on) effects.seek.push_back(protocol::announce_id(pack));
    }
}

// ---- ContentExchange ----------------------------------------------------------------------------

const char* to_string(ContentRefusal refusal) {
    switch (refusal) {
        case ContentRefusal::not_held: return "not_held";
        case ContentRefusal::bad_contents: return "bad_contents";
        case ContentRefusal::unknown_piece: return "unknown_piece";
        case ContentRefusal::too_many: return "too_many";
        case ContentRefusal::no_room: return "no_room";
    }
    UNREACHABLE();
}

const char* to_string(HoldState state) {
    switch (state) {
        case HoldState::publishing: return "publishing";
        case HoldState::fetching: return "fetching";
        case HoldState::complete: return "complete";
    }
    UNREACHABLE();
}

ContentExchange::ContentExchange(ContentOptions options, Setup setup, Log log)
    : impl_(new Impl{.options = options,
                     .setup = setup,
                     .log = std::move(log),
                     .packs = HeldPacks(setup.chain, setup.prefix),
                     .links = {},
                     .questions = {},
                     .seek_at = {},
                     .given = {},
                     .last_step = {},
                     .writes = {}}) {
    CHECK(options.questions_per_node_max > 0 && options.packs_max > 0);
}
ContentExchange::ContentExchange(ContentExchange&&) noexcept = default;
ContentExchange& ContentExchange::operator=(ContentExchange&&) noexcept = default;
ContentExchange::~ContentExchange() = default;

Result<void, store::Fault> ContentExchange::load(const store::Reader& reader) {
    TRY(impl_->packs.load(reader));
    for (const auto& [id, held] : impl_->packs.all()) {
        const bool goes_on = !held.is_complete() && held.origin == Origin::fetched;
        if (goes_on) impl_->seek_at.emplace(id, Instant{});
    }
    return {};
}

ContentExchange::Effects ContentExchange::step(Input&& input, Instant now) {
    Effects effects;
    impl_->last_step = now;
    impl_->give_up_late(now);
    std::visit([&](auto&& held) { impl_->on(std::move(held), now, effects); }, std::move(input));
    impl_->seek(now, effects);
    impl_->ask_on(now, effects);
    effects.writes = impl_->writes.take();
    return effects;
}

// Nothing while nothing is fetched.
std::optional<Instant> ContentExchange::next_deadline() const {
    if (impl_->seek_at.empty()) return std::nullopt;
    Instant next = Instant::max();
    for (const auto& [pack, at] : impl_->seek_at) next = std::min(next, at);
    for (const auto& [piece, question] : impl_->questions) {
        next = std::min(next, question.asked + impl_->options.answer_timeout);
    }
    // A node that has rested may be asked again; what is over already has been acted on.
    for (const auto& [node, link] : impl_->links) {
        if (link.rests_until > impl_->last_step) next = std::min(next, link.rests_until);
        for (const auto& [pack, until] : link.lacks_until) {
            if (until > impl_->last_step) next = std::min(next, until);
        }
    }
    return next;
}

std::optional<ContentProgress> ContentExchange::progress(const Hash& pack) const {
    const HeldPack* held = impl_->packs.find(pack);
    if (held == nullptr) return std::nullopt;
    ContentProgress progress;
    progress.state = held->is_complete()                 ? HoldState::complete
                     : held->origin == Origin::published ? HoldState::publishing
                                                         : HoldState::fetching;
    progress.total_bytes = bytes_of(held->pack.pack);
    progress.done_bytes = impl_->packs.bytes_done(*held);
    std::set<Id> asked;
    for (const auto& [piece, question] : impl_->questions) {
        if (question.pack == pack) asked.insert(question.node);
    }
    progress.asked_nodes = asked.size();
    return progress;
}

const SignedPack* ContentExchange::pack(const Hash& pack) const {
    const HeldPack* held = impl_->packs.find(pack);
    return held == nullptr ? nullptr : &held->pack;
}

const protocol::PackContents* ContentExchange::contents(const Hash& pack) const {
    const HeldPack* held = impl_->packs.find(pack);
    return held == nullptr || !held->contents ? nullptr : &*held->contents;
}

std::optional<Bytes> ContentExchange::piece(const Hash& piece) const {
    return impl_->read(piece);
}

std::vector<Hash> ContentExchange::held() const {
    std::vector<Hash> ids;
    for (const auto& [id, held] : impl_->packs.all()) ids.push_back(id);
    return ids;
}

std::vector<Hash> ContentExchange::complete() const {
    std::vector<std::pair<std::uint64_t, Hash>> found;
    for (const auto& [id, held] : impl_->packs.all()) {
        if (held.is_complete()) found.emplace_back(held.pack.pack.published_ms, id);
    }
    std::ranges::sort(found, std::ranges::greater{});
    std::vector<Hash> ids;
    for (const auto& one : found) ids.push_back(one.second);
    return ids;
}

std::uint64_t ContentExchange::bytes_reserved() const {
    return impl_->packs.bytes_reserved();
}

const ContentOptions& ContentExchange::options() const {
    return impl_->options;
}

void ContentExchange::check_invariants() const {
    impl_->packs.check_invariants();
    CHECK(impl_->packs.all().size() <= impl_->options.packs_max);
    CHECK(impl_->questions.size() <= impl_->options.questions_max);
    std::map<Id, std::size_t> open;
    for (const auto& [piece, question] : impl_->questions) ++open[question.node];
    for (const auto& [node, link] : impl_->links) {
        CHECK(link.questions <= impl_->options.questions_per_node_max);
        const auto counted = open.find(node);
        CHECK(link.questions == (counted == open.end() ? 0 : counted->second));
        CHECK(link.lacks_until.size() <= impl_->options.packs_max * 2);
    }
    for (const auto& [pack, at] : impl_->seek_at) CHECK(impl_->packs.find(pack) != nullptr);
}

}  // namespace leither::org
