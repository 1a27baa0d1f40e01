#include "leither/org/announcer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "leither/base/check.h"
#include "leither/base/prng.h"
#include "leither/crypto/hash.h"

namespace leither::org {

using protocol::RoutingRecord;
using protocol::SignedRoutingRecord;

namespace {

constexpr std::string_view kSequenceName = "last";
constexpr Instant kNever = Instant::max();

// Kinds of what stays published, in the order in which they are sent when due at once.
enum class SlotKind : std::uint8_t { record, manifest, chat_line, chat_head, presence, offer };

// `target` tells chat lines and the ids we are announced at apart.
struct SlotKey {
    SlotKind kind = SlotKind::record;
    Id target;
    friend auto operator<=>(const SlotKey&, const SlotKey&) = default;
};

struct Slot {
    Instant due = kNever;
    OrderId order = 0;  // 0: none is out
    Instant order_lost;
    Duration retry{};  // zero: the last order did not fail
};

// By announce_peer; the others are items.
bool is_announced(SlotKind kind) {
    return kind == SlotKind::presence || kind == SlotKind::offer;
}

// Whatever was on its way is out of date.
Slot slot_due(Instant due) {
    Slot slot;
    slot.due = due;
    return slot;
}

}  // namespace

struct Announcer::Impl {
    AnnouncerOptions options;
    Setup setup;
    Shelf shelf;
    Entropy& entropy;
    Log log;

    std::vector<Endpoint> endpoints;
    protocol::Delegations served;
    std::optional<ManifestIs> manifest;
    std::optional<ChatIs> chat;
    std::uint64_t chat_sequence = 0;
    std::optional<SignedRoutingRecord> record;
    std::uint64_t last_sequence = 0;
    std::map<SlotKey, Slot> slots;
    OrderId last_order = 0;

    void on(Tick&&, Instant, Effects&) {}
    void on(AddressesAre&& input, Instant now, Effects& effects);
    void on(Serves&& input, Instant now, Effects& effects);
    void on(ManifestIs&& input, Instant now, Effects& effects);
    void on(ChatIs&& input, Instant now, Effects& effects);
    void on(Offers&& input, Instant now, Effects& effects);
    void on(Carried&& input, Instant now, Effects& effects);
    void on(Joined&&, Instant now, Effects& effects);

    void start() { slots[{SlotKind::presence, setup.organization}].due = Instant{}; }
    const Bytes* find_line(const Id& target) const;
    void want(const SlotKey& key, Instant due);
    void want_record(Instant now);
    void run(Instant now, Effects& effects);
    void carry_out(const SlotKey& key, Slot& slot, Instant now, Effects& effects);
    std::optional<Publication> publication(const SlotKey& key, Instant now, Effects& effects);
    std::optional<Publication> new_record(Instant now, Effects& effects);
    std::uint64_t next_sequence(Instant now, Effects& effects);
    Instant again_at(const SlotKey& key, Instant now);
    Duration jitter();
    void fail_order(Slot& slot, Instant now);
};

// A later wish never puts off what is due, but one that failed may be tried at once.
void Announcer::Impl::want(const SlotKey& key, Instant due) {
    Slot& slot = slots[key];
    slot.due = std::min(slot.due, due);
    slot.retry = Duration{};
}

void Announcer::Impl::want_record(Instant now) {
    const SlotKey key{SlotKind::record, {}};
    if (!manifest || endpoints.empty()) {
        slots.erase(key);
        return;
    }
    Slot& slot = slots[key];
    // An order that is out publishes what was so before the change.
    slot.order = 0;
    want(key, now + options.settle);
}

void Announcer::Impl::on(AddressesAre&& input, Instant now, Effects&) {
    if (input.endpoints.size() > decltype(RoutingRecord::endpoints)::kMax) {
        input.endpoints.resize(decltype(RoutingRecord::endpoints)::kMax);
    }
    if (input.endpoints == endpoints) return;
    const bool has_moved = !endpoints.empty();
    endpoints = std::move(input.endpoints);
    want_record(now);
    if (!has_moved) return;
    // An announcement names the address that it came from.
    for (auto& [key, slot] : slots) {
        if (!is_announced(key.kind)) continue;
        slot.order = 0;
        want(key, now + options.settle);
    }
}

void Announcer::Impl::on(Serves&& input, Instant now, Effects&) {
    if (input.delegations == served) return;
    served = std::move(input.delegations);
    std::erase_if(slots, [this](const auto& slot) {
        const auto& [key, held] = slot;
        return key.kind == SlotKind::presence && key.target != setup.organization &&
               std::ranges::none_of(served, [&key = key](const auto& delegation) {
                   return crypto::id_of(delegation.delegation.account) == key.target;
               });
    });
    for (const auto& delegation : served) {
        want({SlotKind::presence, crypto::id_of(delegation.delegation.account)}, now);
    }
    want_record(now);
}

void Announcer::Impl::on(ManifestIs&& input, Instant now, Effects&) {
    const bool new_key = !manifest || manifest->read_key != input.read_key;
    const bool new_item = !manifest || manifest->item != input.item;
    manifest = std::move(input);
    const SlotKey key{SlotKind::manifest, {}};
    if (new_item) slots[key] = slot_due(now);
    if (new_key) want_record(now);
}

void Announcer::Impl::on(ChatIs&& input, Instant now, Effects& effects) {
    CHECK(input.lines.size() == input.head.lines.size());
    chat = std::move(input);
    chat_sequence = next_sequence(now, effects);
    std::erase_if(slots, [this](const auto& slot) {
        return slot.first.kind == SlotKind::chat_line && find_line(slot.first.target) == nullptr;
    });
    for (const auto& line : chat->head.lines) {
        const SlotKey key{SlotKind::chat_line, line.target};
        if (!slots.contains(key)) want(key, now + options.settle);
    }
    Slot& head = slots[{SlotKind::chat_head, {}}];
    // One that waits already will name the new line too: a lively hour does not put it off.
    const bool waits = head.order == 0 && head.due <= now + options.settle;
    if (!waits) head = slot_due(now + options.settle);
}

void Announcer::Impl::on(Offers&& input, Instant now, Effects&) {
    if (input.targets.size() > kOffersMax) input.targets.resize(kOffersMax);
    std::erase_if(slots, [&input](const auto& slot) {
        const SlotKey& key = slot.first;
        return key.kind == SlotKind::offer &&
               std::ranges::find(input.targets, key.target) == input.targets.end();
    });
    for (const Id& target : input.targets) {
        const SlotKey key{SlotKind::offer, target};
        if (!slots.contains(key)) want(key, now);
    }
}

const Bytes* Announcer::Impl::find_line(const Id& target) const {
    for (std::size_t i = 0; i < chat->lines.size(); ++i) {
        if (chat->head.lines[i].target == target) return &chat->lines[i];
    }
    return nullptr;
}

void Announcer::Impl::on(Carried&& input, Instant now, Effects&) {
    for (auto& [key, slot] : slots) {
        if (slot.order != input.order || input.order == 0) continue;
        slot.order = 0;
        if (input.outcome == OrderOutcome::failed) {
            fail_order(slot, now);
        } else {
            slot.retry = Duration{};
            slot.due = std::min(slot.due, again_at(key, now));
        }
        return;
    }
}

void Announcer::Impl::on(Joined&&, Instant now, Effects&) {
    for (auto& [key, slot] : slots) {
        if (slot.order == 0) slot.due = now;
        slot.retry = Duration{};
    }
}

void Announcer::Impl::fail_order(Slot& slot, Instant now) {
    slot.order = 0;
    slot.retry =
        slot.retry == Duration{} ? options.retry_min : std::min(2 * slot.retry, options.retry_max);
    slot.due = now + slot.retry;
}

void Announcer::Impl::run(Instant now, Effects& effects) {
    for (auto& [key, slot] : slots) {
        if (slot.order != 0 && now >= slot.order_lost) fail_order(slot, now);
        if (slot.order == 0 && now >= slot.due) carry_out(key, slot, now, effects);
    }
}

void Announcer::Impl::carry_out(const SlotKey& key, Slot& slot, Instant now, Effects& effects) {
    slot.due = kNever;
    if (is_announced(key.kind)) {
        slot.order = ++last_order;
        effects.announce.push_back({slot.order, key.target});
    } else if (auto item = publication(key, now, effects)) {
        slot.order = ++last_order;
        effects.publish.push_back({slot.order, *std::move(item)});
    }
    slot.order_lost = now + options.order_timeout;
}

std::optional<Publication> Announcer::Impl::publication(const SlotKey& key, Instant now,
                                                        Effects& effects) {
    switch (key.kind) {
        case SlotKind::record: return new_record(now, effects);
        case SlotKind::manifest: return manifest->item;
        case SlotKind::chat_line: return ImmutableItem{*find_line(key.target)};
        case SlotKind::chat_head:
            return MutableItem{setup.node.public_key(), std::string(protocol::kChatSalt),
                               chat_sequence, bcs::encode(chat->head), std::nullopt};
        case SlotKind::presence:
        case SlotKind::offer: return std::nullopt;
    }
    UNREACHABLE();
}

std::optional<Publication> Announcer::Impl::new_record(Instant now, Effects& effects) {
    RoutingRecord next;
    next.node = setup.node.public_key();
    next.static_key = setup.static_key;
    next.features = setup.features;
    for (const Endpoint& endpoint : endpoints) {
        next.endpoints.push_back(protocol::WireEndpoint::of(endpoint));
    }
    for (const auto& delegation : served) {
        next.accounts.push_back(protocol::served_account(delegation));
    }
    next.validity = protocol::Validity::from(now, options.record_lifetime);
    next.validity.issued_ms = next_sequence(now, effects);
    next.validity.expires_ms = std::max(next.validity.expires_ms, next.validity.issued_ms + 1);
    record = sign(setup.chain, next, setup.node);
    auto content = seal_record(*record, manifest->read_key, entropy);
    if (!content) {
        log.warn("read_key_unusable");
        return std::nullopt;
    }
    return MutableItem{next.node, std::string(protocol::kRoutingRecordSalt),
                       next.validity.issued_ms, *std::move(content), std::nullopt};
}

std::uint64_t Announcer::Impl::next_sequence(Instant now, Effects& effects) {
    last_sequence = std::max(unix_ms(now), last_sequence + 1);
    GatheredWrites writes;
    shelf.put(writes, as_bytes(kSequenceName), last_sequence);
    effects.writes = writes.take();
    return last_sequence;
}

Instant Announcer::Impl::again_at(const SlotKey& key, Instant now) {
    if (key.kind != SlotKind::record) return now + options.republish + jitter();
    // The item's own life in the DHT is shorter than the record's.
    return now + std::min(options.record_lifetime / 2 - options.jitter, options.republish) +
           jitter();
}

Duration Announcer::Impl::jitter() {
    if (options.jitter == Duration{}) return Duration{};
    Prng prng(draw_number(entropy));
    return Duration(
        static_cast<Duration::rep>(prng.below(static_cast<std::uint64_t>(options.jitter.count()))));
}

Announcer::Announcer(AnnouncerOptions options, Setup setup, Shelf shelf, Entropy& entropy, Log log)
    : impl_(new Impl{.options = options,
                     .setup = std::move(setup),
                     .shelf = std::move(shelf),
                     .entropy = entropy,
                     .log = std::move(log),
                     .endpoints = {},
                     .served = {},
                     .manifest = std::nullopt,
                     .chat = std::nullopt,
                     .record = std::nullopt,
                     .slots = {}}) {
    CHECK(options.settle < std::chrono::minutes(1));
    CHECK(options.record_lifetime <= protocol::kRoutingRecordLifetimeMax);
    CHECK(options.jitter < options.record_lifetime / 2);
    impl_->start();
}
Announcer::Announcer(Announcer&&) noexcept = default;
Announcer& Announcer::operator=(Announcer&&) noexcept = default;
Announcer::~Announcer() = default;

Result<void, store::Fault> Announcer::load(const store::Reader& reader) {
    return impl_->shelf.load<std::uint64_t>(reader, [this](ByteView, std::uint64_t&& sequence) {
        impl_->last_sequence = std::max(impl_->last_sequence, sequence);
    });
}

Announcer::Effects Announcer::step(Input&& input, Instant now) {
    Effects effects;
    std::visit([&](auto&& held) { impl_->on(std::move(held), now, effects); }, std::move(input));
    impl_->run(now, effects);
    return effects;
}

std::optional<Instant> Announcer::next_deadline() const {
    Instant first = kNever;
    for (const auto& [key, slot] : impl_->slots) {
        first = std::min(first, slot.order == 0 ? slot.due : slot.order_lost);
    }
    if (first == kNever) return std::nullopt;
    return first;
}

const std::optional<SignedRoutingRecord>& Announcer::record() const {
    return impl_->record;
}

void Announcer::check_invariants() const {
    constexpr std::size_t kSlotsMax =
        2 + 1 + protocol::kChatHeadLines + 1 + protocol::kServedAccountsMax + kOffersMax;
    CHECK(impl_->slots.size() <= kSlotsMax);
    for (const auto& [key, slot] : impl_->slots) CHECK(slot.order <= impl_->last_order);
}

}  // namespace leither::org
