#include "leither/org/catalogue.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "leither/base/check.h"
#include "leither/base/prng.h"
#include "leither/crypto/hash.h"

namespace leither::org {

using protocol::CatalogueAsk;
using protocol::CatalogueEntries;
using protocol::CatalogueEntry;
using protocol::CatalogueHave;
using protocol::CatalogueOffer;
using protocol::SignedContribution;
using protocol::SignedPack;
using protocol::SignedTag;
using protocol::SignedWithdrawal;

namespace {

// After this an unanswered question may be put to another node.
constexpr Duration kAnswerTimeout = std::chrono::seconds(20);
constexpr Duration kMinute = std::chrono::minutes(1);

// What entries are about: of two about the same thing one counts.
struct Subject {
    std::size_t kind = 0;  // of kKinds
    Id author;
    Bytes rest;
    friend auto operator<=>(const Subject&, const Subject&) = default;
};
constexpr std::size_t kPack = 0;
constexpr std::size_t kTag = 1;
constexpr std::size_t kContribution = 2;
constexpr std::array<std::size_t, 3> kKinds = {kPack, kTag, kContribution};

struct SubjectOf {
    Id author;

    Subject operator()(const SignedPack& one) const {
        return {kPack, author, bcs::encode(one.pack.name)};
    }
    Subject operator()(const SignedTag& one) const { return tag_of(one.entry); }
    Subject operator()(const SignedWithdrawal& one) const { return tag_of(one.withdrawal); }
    Subject operator()(const SignedContribution& one) const {
        const Hash itself = crypto::blake2b_256(bcs::encode(one.contribution));
        return {kContribution, author, Bytes(itself.view().begin(), itself.view().end())};
    }
    Subject tag_of(const auto& entry) const {
        bcs::Writer out;
        bcs::write(out, entry.tag);
        bcs::write(out, entry.target);
        return {kTag, author, out.take()};
    }
};

Subject subject_of(const CatalogueEntry& entry) {
    return std::visit(SubjectOf{crypto::id_of(author_of(entry))}, entry);
}

struct Kept {
    CatalogueEntry entry;
    Hash id;
    std::uint64_t issued_ms() const { return issued_ms_of(entry); }
};

// Whether `one` counts before `other`.
bool is_later(std::uint64_t issued_ms, const Hash& id, const Kept& other) {
    if (issued_ms != other.issued_ms()) return issued_ms > other.issued_ms();
    return id < other.id;
}

struct Link {
    std::optional<Instant> shown;  // when it was last offered all
    std::optional<Instant> told;   // when it last heard our digest
    Instant minute;                // in which it has asked so often:
    std::size_t asks = 0;
};

struct Question {
    Id node;
    Instant asked;
};

template <class Ids>
CatalogueOffer offer_of(const Ids& ids) {
    CatalogueOffer offer;
    offer.ids.assign(ids.begin(), ids.end());
    return offer;
}

}  // namespace

struct Catalogue::Impl {
    CatalogueOptions options;
    Setup setup;
    const Members& members;
    Log log;
    Prng prng;
    Shelf shelf;
    std::map<Subject, Kept> kept;
    std::map<Hash, Subject> subjects;  // by id
    std::map<Id, Link> links;
    std::map<Hash, Question> questions;  // of entries asked for
    std::optional<Instant> next_compare;
    std::optional<Instant> next_expiry;
    GatheredWrites writes;

    void on(Tick&&, Instant, Effects&) {}
    void on(NodeUp&& input, Instant now, Effects& effects);
    void on(NodeDown&& input, Instant now, Effects& effects);
    void on(Add&& input, Instant now, Effects& effects);
    void on(Compared&& input, Instant now, Effects& effects);
    void on(Offered&& input, Instant now, Effects& effects);
    void on(Asked&& input, Instant now, Effects& effects);
    void on(Told&& input, Instant now, Effects& effects);

    std::size_t most(std::size_t kind) const {
        return std::array{options.packs_max, options.tags_max, options.contributions_max}[kind];
    }
    std::size_t most_of_one(std::size_t kind) const {
        return std::array{options.packs_per_publisher_max, options.tags_per_author_max,
                          options.contributions_per_author_max}[kind];
    }
    std::size_t questions_max() const {
        return 2 * (options.packs_max + options.tags_max + options.contributions_max);
    }

    Result<void, CatalogueRefusal> may_come(const Hash& id, const CatalogueEntry& entry,
                                            Instant now) const;
    Result<Hash, CatalogueRefusal> take(CatalogueEntry&& entry, Instant now, Effects& effects);
    void put(const Subject& subject, Kept&& kept_now);
    void insert(const Subject& subject, Kept&& kept_now);
    void remove(const Subject& subject);
    // The oldest of a kind, and of an author if one is named.
    std::optional<Subject> oldest(std::size_t kind, const Id* author) const;
    std::size_t count(std::size_t kind, const Id* author) const;
    template <class Visit>
    void for_each_of(std::size_t kind, const Id* author, Visit visit) const;
    template <class Signed>
    std::vector<Signed> newest_first() const;
    template <class Signed>
    const Signed* find(const Hash& id) const;
    void keep_within_bounds(const Subject& newcomer);
    void expire(Instant now, Effects& effects);
    void find_next_expiry();

    CatalogueHave have() const;
    void tell_digest(const Id& node, Instant now, Effects& effects);
    void show_all(const Id& node, Instant now, Effects& effects);
    void offer_to_others(const std::set<Hash>& ids, const std::optional<Id>& source,
                         Effects& effects) const;
    void compare_if_due(Instant now, Effects& effects);
};

// ---- Entries ------------------------------------------------------------------------------------

Result<void, CatalogueRefusal> Catalogue::Impl::may_come(const Hash& id,
                                                         const CatalogueEntry& entry,
                                                         Instant now) const {
    if (subjects.contains(id)) return fail(CatalogueRefusal::known);
    const Subject subject = subject_of(entry);
    if (!members.is_member(subject.author, now)) return fail(CatalogueRefusal::stranger);
    const auto same = kept.find(subject);
    if (same != kept.end() && !is_later(issued_ms_of(entry), id, same->second)) {
        return fail(CatalogueRefusal::older);
    }
    const auto has_room = [&](const Id* author, std::size_t max) {
        if (same != kept.end() || count(subject.kind, author) < max) return true;
        return is_later(issued_ms_of(entry), id, kept.at(*oldest(subject.kind, author)));
    };
    const bool fits = has_room(&subject.author, most_of_one(subject.kind)) &&
                      has_room(nullptr, most(subject.kind));
    if (!fits) return fail(CatalogueRefusal::full);
    return {};
}

Result<Hash, CatalogueRefusal> Catalogue::Impl::take(CatalogueEntry&& entry, Instant now,
                                                     Effects& effects) {
    const Hash id = entry_id(setup.chain, entry);
    TRY(may_come(id, entry, now));
    if (const auto holds = check(entry, setup.chain, now); !holds) {
        if (holds.error() == protocol::RecordError::bad_signature) effects.forged = true;
        return fail(CatalogueRefusal::bad_entry);
    }
    const Subject subject = subject_of(entry);
    put(subject, {std::move(entry), id});
    keep_within_bounds(subject);
    find_next_expiry();
    effects.changed = true;
    return id;
}

void Catalogue::Impl::put(const Subject& subject, Kept&& kept_now) {
    remove(subject);
    shelf.put(writes, kept_now.id.view(), kept_now.entry);
    insert(subject, std::move(kept_now));
}

void Catalogue::Impl::insert(const Subject& subject, Kept&& kept_now) {
    subjects.emplace(kept_now.id, subject);
    kept.emplace(subject, std::move(kept_now));
}

void Catalogue::Impl::remove(const Subject& subject) {
    const auto found = kept.find(subject);
    if (found == kept.end()) return;
    shelf.erase(writes, found->second.id.view());
    subjects.erase(found->second.id);
    kept.erase(found);
}

template <class Visit>
void Catalogue::Impl::for_each_of(std::size_t kind, const Id* author, Visit visit) const {
    // Those of one kind, and in it those of one author, stand side by side.
    auto one = kept.lower_bound({kind, author == nullptr ? Id{} : *author, {}});
    for (; one != kept.end() && one->first.kind == kind; ++one) {
        if (author != nullptr && one->first.author != *author) return;
        visit(*one);
    }
}

std::optional<Subject> Catalogue::Impl::oldest(std::size_t kind, const Id* author) const {
    const std::pair<const Subject, Kept>* found = nullptr;
    for_each_of(kind, author, [&found](const auto& one) {
        const bool older =
            found == nullptr || is_later(found->second.issued_ms(), found->second.id, one.second);
        if (older) found = &one;
    });
    if (found == nullptr) return std::nullopt;
    return found->first;
}

std::size_t Catalogue::Impl::count(std::size_t kind, const Id* author) const {
    std::size_t found = 0;
    for_each_of(kind, author, [&found](const auto&) { ++found; });
    return found;
}

void Catalogue::Impl::keep_within_bounds(const Subject& newcomer) {
    if (count(newcomer.kind, &newcomer.author) > most_of_one(newcomer.kind)) {
        remove(*oldest(newcomer.kind, &newcomer.author));
    }
    if (count(newcomer.kind, nullptr) > most(newcomer.kind)) {
        remove(*oldest(newcomer.kind, nullptr));
    }
}

void Catalogue::Impl::expire(Instant now, Effects& effects) {
    if (!next_expiry || *next_expiry > now) return;
    std::vector<Subject> over;
    for (const auto& [subject, one] : kept) {
        const auto expiry = expires_ms_of(one.entry);
        if (expiry && *expiry <= unix_ms(now)) over.push_back(subject);
    }
    for (const Subject& subject : over) remove(subject);
    find_next_expiry();
    effects.changed = effects.changed || !over.empty();
}

void Catalogue::Impl::find_next_expiry() {
    next_expiry.reset();
    for (const auto& [subject, one] : kept) {
        const auto expiry = expires_ms_of(one.entry);
        if (!expiry) continue;
        const Instant at = instant_from_unix_ms(*expiry);
        if (!next_expiry || at < *next_expiry) next_expiry = at;
    }
}

void Catalogue::Impl::on(Add&& input, Instant now, Effects& effects) {
    effects.added = take(std::move(input.entry), now, effects);
    if (effects.added->has_value()) offer_to_others({**effects.added}, std::nullopt, effects);
}

// ---- Comparing ----------------------------------------------------------------------------------

CatalogueHave Catalogue::Impl::have() const {
    Bytes ids;
    ids.reserve(subjects.size() * Hash::kSize);
    for (const auto& [id, subject] : subjects) {
        ids.insert(ids.end(), id.view().begin(), id.view().end());
    }
    return {static_cast<std::uint32_t>(subjects.size()), crypto::blake2b_256(ids)};
}

void Catalogue::Impl::tell_digest(const Id& node, Instant now, Effects& effects) {
    links.at(node).told = now;
    effects.sends.push_back({node, have()});
}

void Catalogue::Impl::show_all(const Id& node, Instant now, Effects& effects) {
    links.at(node).shown = now;
    CatalogueOffer offer;
    for (const auto& [id, subject] : subjects) {
        offer.ids.push_back(id);
        if (offer.ids.full()) effects.sends.push_back({node, std::exchange(offer, {})});
    }
    if (!offer.ids.empty()) effects.sends.push_back({node, std::move(offer)});
}

void Catalogue::Impl::offer_to_others(const std::set<Hash>& ids, const std::optional<Id>& source,
                                      Effects& effects) const {
    if (ids.empty()) return;
    for (const auto& [node, link] : links) {
        if (node != source) effects.sends.push_back({node, offer_of(ids)});
    }
}

void Catalogue::Impl::on(NodeUp&& input, Instant now, Effects& effects) {
    links.try_emplace(input.node);
    if (!next_compare) next_compare = now + options.compare_interval;
    if (!kept.empty()) tell_digest(input.node, now, effects);
}

void Catalogue::Impl::on(NodeDown&& input, Instant, Effects&) {
    links.erase(input.node);
    std::erase_if(questions,
                  [&](const auto& question) { return question.second.node == input.node; });
    if (links.empty()) next_compare.reset();
}

void Catalogue::Impl::on(Compared&& input, Instant now, Effects& effects) {
    const auto link = links.find(input.from);
    if (link == links.end() || input.have == have()) return;
    const auto is_due = [&](const std::optional<Instant>& last) {
        return !last || now - *last >= options.show_interval;
    };
    if (is_due(link->second.shown)) show_all(input.from, now, effects);
    if (is_due(link->second.told)) tell_digest(input.from, now, effects);
}

void Catalogue::Impl::on(Offered&& input, Instant now, Effects& effects) {
    if (!links.contains(input.from)) return;
    CatalogueAsk ask;
    for (const Hash& id : input.offer.ids) {
        if (subjects.contains(id)) continue;
        const auto question = questions.find(id);
        const bool waits =
            question != questions.end() && now - question->second.asked < kAnswerTimeout;
        if (waits || (question == questions.end() && questions.size() >= questions_max())) {
            continue;
        }
        questions.insert_or_assign(id, Question{input.from, now});
        ask.ids.push_back(id);
    }
    if (!ask.ids.empty()) effects.sends.push_back({input.from, std::move(ask)});
}

void Catalogue::Impl::on(Asked&& input, Instant now, Effects& effects) {
    const auto link = links.find(input.from);
    if (link == links.end()) return;
    Link& asker = link->second;
    if (now - asker.minute >= kMinute) {
        asker.minute = now;
        asker.asks = 0;
    }
    if (++asker.asks > options.asks_per_minute_max) return;
    CatalogueEntries answer;
    const auto flush = [&] {
        if (answer.entries.empty()) return;
        effects.sends.push_back({input.from, std::exchange(answer, {})});
    };
    for (const Hash& id : input.ask.ids) {
        const auto subject = subjects.find(id);
        if (subject == subjects.end()) continue;
        const Kept& one = kept.at(subject->second);
        answer.entries.push_back({one.entry, members.pass_of(subject->second.author, now)});
        if (answer.entries.full()) flush();
    }
    flush();
}

void Catalogue::Impl::on(Told&& input, Instant now, Effects& effects) {
    if (!links.contains(input.from)) return;
    std::set<Hash> taken;
    for (protocol::ListedEntry& listed : input.entries.entries) {
        const auto question = questions.find(entry_id(setup.chain, listed.entry));
        if (question == questions.end() || question->second.node != input.from) continue;
        questions.erase(question);
        const auto id = take(std::move(listed.entry), now, effects);
        if (id) {
            taken.insert(*id);
        } else {
            log.debug("entry_refused", "why={}", to_string(id.error()));
        }
    }
    // One may have pushed out another of the same answer.
    std::erase_if(taken, [&](const Hash& id) { return !subjects.contains(id); });
    offer_to_others(taken, input.from, effects);
}

void Catalogue::Impl::compare_if_due(Instant now, Effects& effects) {
    if (!next_compare || *next_compare > now) return;
    next_compare = now + options.compare_interval;
    std::erase_if(questions, [&](const auto& question) {
        return now - question.second.asked >= kAnswerTimeout;
    });
    if (kept.empty()) return;
    auto link = links.begin();
    std::advance(link, static_cast<std::ptrdiff_t>(prng.below(links.size())));
    tell_digest(link->first, now, effects);
}

// ---- Catalogue ----------------------------------------------------------------------------------

const char* to_string(CatalogueRefusal refusal) {
    switch (refusal) {
        case CatalogueRefusal::known: return "known";
        case CatalogueRefusal::stranger: return "stranger";
        case CatalogueRefusal::older: return "older";
        case CatalogueRefusal::full: return "full";
        case CatalogueRefusal::bad_entry: return "bad_entry";
    }
    UNREACHABLE();
}

Catalogue::Catalogue(CatalogueOptions options, Setup setup, const Members& members,
                     Entropy& entropy, Log log)
    : impl_(new Impl{.options = options,
                     .setup = setup,
                     .members = members,
                     .log = std::move(log),
                     .prng = Prng(draw_number(entropy)),
                     .shelf = Shelf(setup.prefix, ShelfKind::entry),
                     .kept = {},
                     .subjects = {},
                     .links = {},
                     .questions = {},
                     .next_compare = std::nullopt,
                     .next_expiry = std::nullopt,
                     .writes = {}}) {
    CHECK(options.packs_per_publisher_max > 0 && options.tags_per_author_max > 0 &&
          options.contributions_per_author_max > 0);
}
Catalogue::Catalogue(Catalogue&&) noexcept = default;
Catalogue& Catalogue::operator=(Catalogue&&) noexcept = default;
Catalogue::~Catalogue() = default;

Result<void, store::Fault> Catalogue::load(const store::Reader& reader, Instant now) {
    TRY(impl_->shelf.load<CatalogueEntry>(reader, [&](ByteView name, CatalogueEntry&& entry) {
        const Hash id = entry_id(impl_->setup.chain, entry);
        // Of the chain before the organization was founded anew.
        if (Hash::from(name) != id) return impl_->shelf.erase(impl_->writes, name);
        const Subject subject = subject_of(entry);
        const auto same = impl_->kept.find(subject);
        const bool counts =
            same == impl_->kept.end() || is_later(issued_ms_of(entry), id, same->second);
        if (!counts) return;
        impl_->remove(subject);
        impl_->insert(subject, {std::move(entry), id});
        impl_->keep_within_bounds(subject);
    }));
    impl_->find_next_expiry();
    Effects effects;
    impl_->expire(now, effects);
    return {};
}

Catalogue::Effects Catalogue::step(Input&& input, Instant now) {
    Effects effects;
    impl_->expire(now, effects);
    std::visit([&](auto&& held) { impl_->on(std::move(held), now, effects); }, std::move(input));
    impl_->compare_if_due(now, effects);
    effects.writes = impl_->writes.take();
    return effects;
}

std::optional<Instant> Catalogue::next_deadline() const {
    if (!impl_->next_compare) return impl_->next_expiry;
    if (!impl_->next_expiry) return impl_->next_compare;
    return std::min(*impl_->next_compare, *impl_->next_expiry);
}

Result<void, CatalogueRefusal> Catalogue::would_take(const CatalogueEntry& entry,
                                                     Instant now) const {
    TRY(impl_->may_come(entry_id(impl_->setup.chain, entry), entry, now));
    if (!check(entry, impl_->setup.chain, now)) return fail(CatalogueRefusal::bad_entry);
    return {};
}

bool Catalogue::awaits(const Id& node, const CatalogueEntry& entry) const {
    const auto question = impl_->questions.find(entry_id(impl_->setup.chain, entry));
    return question != impl_->questions.end() && question->second.node == node;
}

template <class Signed>
std::vector<Signed> Catalogue::Impl::newest_first() const {
    std::vector<const Kept*> found;
    for (const auto& [subject, one] : kept) {
        if (std::holds_alternative<Signed>(one.entry)) found.push_back(&one);
    }
    std::ranges::stable_sort(found, std::ranges::greater{}, &Kept::issued_ms);
    std::vector<Signed> all;
    all.reserve(found.size());
    for (const Kept* one : found) all.push_back(std::get<Signed>(one->entry));
    return all;
}

template <class Signed>
const Signed* Catalogue::Impl::find(const Hash& id) const {
    const auto subject = subjects.find(id);
    if (subject == subjects.end()) return nullptr;
    return std::get_if<Signed>(&kept.at(subject->second).entry);
}

std::vector<SignedPack> Catalogue::packs() const {
    return impl_->newest_first<SignedPack>();
}

std::vector<SignedTag> Catalogue::tags() const {
    return impl_->newest_first<SignedTag>();
}

std::vector<SignedContribution> Catalogue::contributions() const {
    return impl_->newest_first<SignedContribution>();
}

const SignedPack* Catalogue::pack(const Hash& id) const {
    return impl_->find<SignedPack>(id);
}

const SignedContribution* Catalogue::contribution(const Hash& id) const {
    return impl_->find<SignedContribution>(id);
}

std::size_t Catalogue::size() const {
    return impl_->kept.size();
}

void Catalogue::check_invariants() const {
    CHECK(impl_->kept.size() == impl_->subjects.size());
    for (const auto& [id, subject] : impl_->subjects) CHECK(impl_->kept.at(subject).id == id);
    for (const std::size_t kind : kKinds) {
        CHECK(impl_->count(kind, nullptr) <= impl_->most(kind));
    }
    CHECK(impl_->questions.size() <= impl_->questions_max());
    for (const auto& [id, question] : impl_->questions) {
        CHECK(impl_->links.contains(question.node));
    }
    CHECK(impl_->links.empty() == !impl_->next_compare.has_value());
}

}  // namespace leither::org
