#include "leither/org/mailbox.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "leither/base/check.h"
#include "leither/base/prng.h"
#include "leither/crypto/hash.h"

#include "incoming_box.h"
#include "parcels.h"
#include "settled.h"

namespace leither::org {

using protocol::DeliveryReceipt;
using protocol::EnvelopeAck;
using protocol::EnvelopeOffer;
using protocol::EnvelopeOutcome;
using protocol::EnvelopePost;
using protocol::SignedEnvelope;

namespace {

// Attempts of one step; what is left is due at once.
constexpr std::size_t kAttemptsPerStep = 64;
constexpr Duration kPostLifetimeMin = std::chrono::minutes(1);

// What goes on with one connected node.
struct Link {
    std::map<Hash, Instant> offered;  // and since when there is no answer
    std::set<Hash> waiting;           // to be offered when there is room
    std::set<Hash> shared;            // of our inboxes: it has them, or will never take them
};

void keep_once(std::vector<Id>& ids) {
    std::ranges::sort(ids);
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

EnvelopeOffer offer_of(const Hash& message, const SignedEnvelope& envelope) {
    return {message, envelope.envelope.recipient,
            static_cast<std::uint32_t>(encoded_size(envelope))};
}

std::array<std::uint8_t, Id::kSize> distance(const Id& a, const Id& b) {
    std::array<std::uint8_t, Id::kSize> out{};
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(a[i] ^ b[i]);
    return out;
}

}  // namespace

struct Mailbox::Impl {
    MailboxOptions options;
    Setup setup;
    const Directory& directory;
    Log log;
    Prng prng;
    Parcels parcels;
    IncomingBox incoming;
    Settled settled;
    std::map<Id, protocol::SignedDelegation> served;
    std::map<Id, Link> links;
    std::optional<Instant> share_at;  // nothing while all nodes connected have what they may have
    Duration share_wait{};
    GatheredWrites writes;

    void on(Tick&&, Instant, Effects&) {}
    void on(NodeUp&& input, Instant now, Effects& effects);
    void on(NodeDown&& input, Instant, Effects&) { links.erase(input.node); }
    void on(NodeKnown&& input, Instant now, Effects& effects);
    void on(Serves&& input, Instant now, Effects& effects);
    void on(Post&& input, Instant now, Effects& effects);
    void on(Forget&& input, Instant now, Effects&);
    void on(Offered&& input, Instant now, Effects& effects);
    void on(Posted&& input, Instant now, Effects& effects);
    void on(Acknowledged&& input, Instant now, Effects& effects);

    // ---- Sending
    void run(Instant now, Effects& effects);
    // Tries now and puts off the next try.
    void attempt(Parcel& parcel, Instant now, Effects& effects);
    void try_now(Parcel& parcel, Instant now, Effects& effects);
    // True if one of the recipient's nodes is connected.
    bool offer_to_recipient(Parcel& parcel, Instant now, Effects& effects);
    void offer_to_holders(Parcel& parcel, Instant now, Effects& effects);
    std::vector<Id> new_holders(const Parcel& parcel, Instant now) const;
    void ask_holder(Parcel& parcel, const Id& node, Instant now, Effects& effects);
    void offer(const Parcel& parcel, const Id& node, Instant now, Effects& effects);
    void offer(const EnvelopeOffer& what, const Id& node, Instant now, Effects& effects);
    void offer_waiting(const Id& node, Instant now, Effects& effects);
    void meet(const Id& node, Instant now, Effects& effects);
    void expire(const Hash& message, Effects& effects);

    // ---- Sharing
    void share_soon(Instant now);
    void share(Instant now, Effects& effects);
    // True if the node lacks something still.
    bool share_with(const Id& node, const Id& account, Instant now, Effects& effects);

    // ---- Answers to what we sent
    void on_shared(const Id& from, const SignedEnvelope& envelope, const EnvelopeAck& ack,
                   Instant now, Effects& effects);
    void on_answer(Parcel& parcel, const Id& from, const EnvelopeAck& ack, Instant now,
                   Effects& effects);
    void delivered(Parcel& parcel, const DeliveryReceipt& receipt, Effects& effects);
    void held(Parcel& parcel, const Id& by, Instant now, Effects& effects);

    // ---- Receiving
    EnvelopeOutcome judge(const Id& from, const EnvelopeOffer& offer, Instant now) const;
    Origin origin_of(const Id& node, Instant now) const;
    // Whether there is room for one of that cost of a guest's node.
    bool has_room_for_guest(const Id& recipient, const Id& sender, std::size_t cost) const;
    EnvelopeOutcome take(const Id& from, SignedEnvelope&& envelope, Instant now, Effects& effects);
    void answer(const Id& to, const protocol::Delivery& delivery, EnvelopeOutcome outcome,
                Effects& effects);
    void arrive(const Hash& message, const SignedEnvelope& envelope, Origin origin, Instant now,
                Effects& effects);
    // If its recipient is served here.
    void arrive_at_home(Parcel& parcel, Instant now, Effects& effects);
    void hold(const Hash& message, SignedEnvelope&& envelope, Origin origin, Instant now,
              Effects& effects);
};

// ---- Sending ------------------------------------------------------------------------------------

void Mailbox::Impl::run(Instant now, Effects& effects) {
    for (std::size_t i = 0; i < kAttemptsPerStep; ++i) {
        const auto first = parcels.first();
        if (!first || first->first > now) break;
        Parcel* parcel = parcels.find(first->second);
        if (parcel->expires_ms() <= unix_ms(now)) {
            expire(first->second, effects);
        } else {
            attempt(*parcel, now, effects);
        }
    }
    settled.expire(now, writes);
}

void Mailbox::Impl::expire(const Hash& message, Effects& effects) {
    const Parcel& parcel = *parcels.find(message);
    const bool failed = parcel.place == Place::outgoing && parcel.state != OutgoingState::delivered;
    if (failed) effects.expired.push_back(message);
    parcels.erase(message, writes);
}

void Mailbox::Impl::try_now(Parcel& parcel, Instant now, Effects& effects) {
    const bool met = offer_to_recipient(parcel, now, effects);
    if (!met && parcel.place == Place::outgoing) offer_to_holders(parcel, now, effects);
}

void Mailbox::Impl::attempt(Parcel& parcel, Instant now, Effects& effects) {
    try_now(parcel, now, effects);
    parcel.back_off = parcel.back_off == Duration{}
                          ? options.retry_min
                          : std::min(2 * parcel.back_off, options.retry_max);
    // A quarter more or less, so that parcels do not march in step.
    const auto quarter = static_cast<std::uint64_t>(parcel.back_off.count() / 4);
    const auto drawn = static_cast<Duration::rep>(prng.below(2 * quarter + 1));
    parcels.schedule(parcel, now + parcel.back_off - Duration(quarter) + Duration(drawn));
}

bool Mailbox::Impl::offer_to_recipient(Parcel& parcel, Instant now, Effects& effects) {
    const std::vector<Id> nodes = directory.nodes_of(parcel.recipient(), now);
    bool met = false;
    for (const Id& node : nodes) {
        if (!links.contains(node)) continue;
        offer(parcel, node, now, effects);
        met = true;
    }
    if (!met) {
        for (const Id& node : nodes) {
            if (node != setup.node.id()) effects.reach.push_back(node);
        }
    }
    return met;
}

void Mailbox::Impl::offer_to_holders(Parcel& parcel, Instant now, Effects& effects) {
    // Those that hold it may know by now that it has arrived.
    for (const auto& [node, holder] : parcel.holders) {
        if (holder.holds && links.contains(node)) offer(parcel, node, now, effects);
    }
    for (const Id& node : new_holders(parcel, now)) ask_holder(parcel, node, now, effects);
}

std::vector<Id> Mailbox::Impl::new_holders(const Parcel& parcel, Instant now) const {
    const std::size_t holding = parcel.holding();
    if (holding >= options.holders) return {};
    const std::vector<Id> own = directory.nodes_of(parcel.recipient(), now);
    std::vector<Id> candidates;
    for (const auto& [node, link] : links) {
        const auto asked = parcel.holders.find(node);
        const bool waits =
            asked != parcel.holders.end() && (asked->second.holds || asked->second.ask_again > now);
        const bool is_own = std::ranges::find(own, node) != own.end();
        if (!waits && !is_own && directory.is_members_node(node, now)) candidates.push_back(node);
    }
    std::ranges::sort(candidates, {},
                      [&parcel](const Id& node) { return distance(node, parcel.recipient()); });
    if (candidates.size() > options.holders - holding) {
        candidates.resize(options.holders - holding);
    }
    return candidates;
}

void Mailbox::Impl::ask_holder(Parcel& parcel, const Id& node, Instant now, Effects& effects) {
    if (parcel.holders.size() >= kHoldersAskedMax && !parcel.holders.contains(node)) {
        const auto idle = std::ranges::min_element(parcel.holders, {}, [](const auto& holder) {
            return std::pair(holder.second.holds, holder.second.ask_again);
        });
        parcel.holders.erase(idle);
    }
    parcel.holders[node] = {.holds = false, .ask_again = now + options.answer_timeout};
    offer(parcel, node, now, effects);
}

void Mailbox::Impl::offer(const Parcel& parcel, const Id& node, Instant now, Effects& effects) {
    const auto bytes = static_cast<std::uint32_t>(parcel.bytes);
    offer(EnvelopeOffer{parcel.message, parcel.recipient(), bytes}, node, now, effects);
}

void Mailbox::Impl::offer(const EnvelopeOffer& what, const Id& node, Instant now,
                          Effects& effects) {
    Link& link = links.at(node);
    std::erase_if(link.offered,
                  [&](const auto& entry) { return now - entry.second >= options.answer_timeout; });
    if (link.offered.contains(what.message)) return;
    if (link.offered.size() >= options.offers_per_node_max) {
        if (link.waiting.size() < options.waiting_per_node_max) link.waiting.insert(what.message);
        return;
    }
    link.offered[what.message] = now;
    effects.sends.push_back({node, what});
}

void Mailbox::Impl::offer_waiting(const Id& node, Instant now, Effects& effects) {
    Link& link = links.at(node);
    while (!link.waiting.empty() && link.offered.size() < options.offers_per_node_max) {
        const Hash message = *link.waiting.begin();
        link.waiting.erase(link.waiting.begin());
        const Parcel* parcel = parcels.find(message);
        const bool wanted = parcel != nullptr && parcel->state != OutgoingState::delivered;
        if (wanted) {
            offer(*parcel, node, now, effects);
        } else if (const SignedEnvelope* envelope = incoming.find(message)) {
            offer(offer_of(message, *envelope), node, now, effects);
        }
    }
}

// Everything that waits for this node, or for somebody like it.
void Mailbox::Impl::meet(const Id& node, Instant now, Effects& effects) {
    for (const Id& recipient : parcels.recipients()) {
        const std::vector<Id> nodes = directory.nodes_of(recipient, now);
        if (std::ranges::find(nodes, node) == nodes.end()) continue;
        for (const Hash& message : parcels.to(recipient)) {
            Parcel& parcel = *parcels.find(message);
            parcel.back_off = Duration{};
            offer(parcel, node, now, effects);
        }
    }
    if (!directory.is_members_node(node, now)) return;
    for (const Hash& message : parcels.outgoing()) {
        Parcel& parcel = *parcels.find(message);
        const bool lacks =
            parcel.state != OutgoingState::delivered && parcel.holding() < options.holders;
        if (lacks) try_now(parcel, now, effects);
    }
}

void Mailbox::Impl::on(NodeUp&& input, Instant now, Effects& effects) {
    links[input.node] = Link{};
    meet(input.node, now, effects);
    share_soon(now);
}

void Mailbox::Impl::on(NodeKnown&& input, Instant now, Effects& effects) {
    share_soon(now);
    if (links.contains(input.node)) {
        meet(input.node, now, effects);
        return;
    }
    const std::vector<Id> recipients = parcels.recipients();
    const bool awaited = std::ranges::any_of(recipients, [&](const Id& recipient) {
        const auto nodes = directory.nodes_of(recipient, now);
        return std::ranges::find(nodes, input.node) != nodes.end();
    });
    if (awaited) effects.reach.push_back(input.node);
}

void Mailbox::Impl::on(Serves&& input, Instant now, Effects& effects) {
    share_soon(now);
    served.clear();
    for (const auto& delegation : input.delegations) {
        CHECK(delegation.delegation.node == setup.node.public_key());
        served.emplace(crypto::id_of(delegation.delegation.account), delegation);
    }
    // What was on its way to an account that has moved in has arrived.
    for (const auto& [account, delegation] : served) {
        for (const Hash& message : parcels.to(account)) {
            arrive_at_home(*parcels.find(message), now, effects);
        }
    }
}

void Mailbox::Impl::arrive_at_home(Parcel& parcel, Instant now, Effects& effects) {
    const auto home = served.find(parcel.recipient());
    if (home == served.end() || !incoming.fits(home->first, cost_of(parcel.bytes))) return;
    const Hash message = parcel.message;
    if (!incoming.contains(message)) {
        arrive(message, parcel.envelope, Origin::member, now, effects);
    }
    delivered(parcel, acknowledge(setup.chain, message, home->second, setup.node), effects);
}

void Mailbox::Impl::on(Post&& input, Instant now, Effects& effects) {
    if (input.lifetime < kPostLifetimeMin || input.lifetime > protocol::kEnvelopeLifetimeMax) {
        effects.posted = fail(PostRefusal::bad_lifetime);
        return;
    }
    const Hash message = protocol::message_id(setup.chain, input.recipient, input.sealed);
    if (parcels.contains(message) || settled.contains(message)) {
        effects.posted = message;
        return;
    }
    if (!parcels.has_room_for_outgoing(writes)) {
        effects.posted = fail(PostRefusal::outbox_full);
        return;
    }
    protocol::Envelope envelope;
    envelope.recipient = input.recipient;
    envelope.sealed = std::move(input.sealed);
    envelope.node = setup.node.public_key();
    envelope.validity = protocol::Validity::from(now, input.lifetime);
    Parcel parcel;
    parcel.message = message;
    parcel.envelope = sign(setup.chain, std::move(envelope), setup.node);
    parcel.next_attempt = now;
    effects.posted = message;
    arrive_at_home(parcels.add(std::move(parcel), writes), now, effects);
}

void Mailbox::Impl::on(Forget&& input, Instant, Effects&) {
    const SignedEnvelope* envelope = incoming.find(input.message);
    if (envelope == nullptr) return;
    settled.add(input.message, {envelope->envelope.validity.expires_ms, std::nullopt}, writes);
    incoming.erase(input.message, writes);
    for (auto& [node, link] : links) link.shared.erase(input.message);
}

// ---- Sharing ------------------------------------------------------------------------------------

void Mailbox::Impl::share_soon(Instant now) {
    share_wait = options.retry_min;
    share_at = now;
}

void Mailbox::Impl::share(Instant now, Effects& effects) {
    bool open = false;
    for (const auto& [account, delegation] : served) {
        for (const Id& node : directory.nodes_of(account, now)) {
            if (node != setup.node.id()) open |= share_with(node, account, now, effects);
        }
    }
    share_at.reset();
    if (open) share_at = now + share_wait;
    share_wait = std::min(2 * share_wait, options.retry_max);
}

bool Mailbox::Impl::share_with(const Id& node, const Id& account, Instant now, Effects& effects) {
    const auto link = links.find(node);
    bool open = false;
    for (const Hash& message : incoming.messages_of(account)) {
        const SignedEnvelope& envelope = *incoming.find(message);
        if (!envelope.envelope.validity.holds(now)) continue;
        if (link == links.end()) {
            effects.reach.push_back(node);
            return false;  // it will be met
        }
        if (link->second.shared.contains(message)) continue;
        offer(offer_of(message, envelope), node, now, effects);
        open = true;
    }
    return open;
}

void Mailbox::Impl::on_shared(const Id& from, const SignedEnvelope& envelope,
                              const EnvelopeAck& ack, Instant now, Effects& effects) {
    Link& link = links.at(from);
    switch (ack.outcome) {
        case EnvelopeOutcome::wanted:
            link.offered[ack.message] = now;
            effects.sends.push_back({from, EnvelopePost{envelope}});
            return;
        case EnvelopeOutcome::full: return;  // asked again later
        case EnvelopeOutcome::delivered:
        case EnvelopeOutcome::held:
        case EnvelopeOutcome::refused: link.shared.insert(ack.message); return;
    }
    UNREACHABLE();
}

// ---- Answers to what we sent --------------------------------------------------------------------

void Mailbox::Impl::on(Acknowledged&& input, Instant now, Effects& effects) {
    const auto link = links.find(input.from);
    // An answer to nothing we asked could draw a held letter out of us, or make us forget it.
    if (link == links.end() || link->second.offered.erase(input.ack.message) == 0) return;
    Parcel* parcel = parcels.find(input.ack.message);
    if (parcel != nullptr && parcel->state != OutgoingState::delivered) {
        on_answer(*parcel, input.from, input.ack, now, effects);
    } else if (const SignedEnvelope* envelope = incoming.find(input.ack.message)) {
        on_shared(input.from, *envelope, input.ack, now, effects);
    }
    offer_waiting(input.from, now, effects);
}

void Mailbox::Impl::on_answer(Parcel& parcel, const Id& from, const EnvelopeAck& ack, Instant now,
                              Effects& effects) {
    switch (ack.outcome) {
        case EnvelopeOutcome::wanted:
            links.at(from).offered[parcel.message] = now;
            effects.sends.push_back({from, EnvelopePost{parcel.envelope}});
            return;
        case EnvelopeOutcome::delivered: {
            const protocol::Delivery delivery{parcel.message, parcel.recipient()};
            const bool proven = ack.receipt && check(*ack.receipt, setup.chain, delivery, now);
            if (proven) delivered(parcel, *ack.receipt, effects);
            return;
        }
        case EnvelopeOutcome::held: held(parcel, from, now, effects); return;
        case EnvelopeOutcome::full:
        case EnvelopeOutcome::refused: {
            const auto holder = parcel.holders.find(from);
            if (holder == parcel.holders.end()) return;
            holder->second = {.holds = false, .ask_again = now + options.retry_max};
            for (const Id& node : new_holders(parcel, now)) ask_holder(parcel, node, now, effects);
            return;
        }
    }
    UNREACHABLE();
}

void Mailbox::Impl::delivered(Parcel& parcel, const DeliveryReceipt& receipt, Effects& effects) {
    log.debug("message_delivered", "message={}", parcel.message.hex());
    if (parcel.place == Place::held) {
        settled.add(parcel.message, {parcel.expires_ms(), receipt}, writes);
        parcels.erase(Hash(parcel.message), writes);
        return;
    }
    parcels.strip(parcel, writes);
    effects.changed.push_back(parcel.status());
}

void Mailbox::Impl::held(Parcel& parcel, const Id& by, Instant now, Effects& effects) {
    const auto holder = parcel.holders.find(by);
    if (holder == parcel.holders.end() || holder->second.holds) return;
    holder->second = {.holds = true, .ask_again = now};
    parcel.state = OutgoingState::held;
    parcels.save(parcel, writes);
    effects.changed.push_back(parcel.status());
}

// ---- Receiving ----------------------------------------------------------------------------------

Origin Mailbox::Impl::origin_of(const Id& node, Instant now) const {
    const bool is_ours = node == setup.node.id();
    return is_ours || directory.is_members_node(node, now) ? Origin::member : Origin::guest;
}

bool Mailbox::Impl::has_room_for_guest(const Id& recipient, const Id& sender,
                                       std::size_t cost) const {
    return served.contains(recipient) ? incoming.fits_of_guest(recipient, sender, cost)
                                      : parcels.has_room_for_guest(sender, cost);
}

EnvelopeOutcome Mailbox::Impl::judge(const Id& from, const EnvelopeOffer& offer,
                                     Instant now) const {
    const bool is_guest = origin_of(from, now) == Origin::guest;
    // Guests have something to say to members alone.
    if (is_guest && !directory.is_member(offer.recipient, now)) return EnvelopeOutcome::refused;
    if (offer.bytes > EnvelopePost::kBytesMax) return EnvelopeOutcome::refused;
    if (settled.contains(offer.message)) return EnvelopeOutcome::delivered;
    if (incoming.contains(offer.message)) return EnvelopeOutcome::delivered;
    if (parcels.contains(offer.message)) return EnvelopeOutcome::held;
    const std::size_t cost = cost_of(offer.bytes);
    if (is_guest) {
        const bool fits = has_room_for_guest(offer.recipient, from, cost);
        return fits ? EnvelopeOutcome::wanted : EnvelopeOutcome::full;
    }
    const bool fits = served.contains(offer.recipient)
                          ? incoming.fits(offer.recipient, cost)
                          : parcels.has_room_for_held(offer.recipient, from, cost);
    return fits ? EnvelopeOutcome::wanted : EnvelopeOutcome::full;
}

void Mailbox::Impl::on(Offered&& input, Instant now, Effects& effects) {
    const EnvelopeOutcome outcome = judge(input.from, input.offer, now);
    answer(input.from, {input.offer.message, input.offer.recipient}, outcome, effects);
}

void Mailbox::Impl::on(Posted&& input, Instant now, Effects& effects) {
    const Hash message = protocol::message_id(setup.chain, input.post.envelope.envelope);
    const Id recipient = input.post.envelope.envelope.recipient;
    const EnvelopeOutcome outcome = take(input.from, std::move(input.post.envelope), now, effects);
    answer(input.from, {message, recipient}, outcome, effects);
}

void Mailbox::Impl::answer(const Id& to, const protocol::Delivery& delivery,
                           EnvelopeOutcome outcome, Effects& effects) {
    EnvelopeAck ack{delivery.message, outcome, std::nullopt};
    if (outcome == EnvelopeOutcome::delivered) {
        const auto home = served.find(delivery.recipient);
        if (const DeliveryReceipt* receipt = settled.receipt(delivery.message)) {
            ack.receipt = *receipt;
        } else if (home != served.end()) {
            ack.receipt = acknowledge(setup.chain, delivery.message, home->second, setup.node);
        }
    }
    effects.sends.push_back({to, std::move(ack)});
}

EnvelopeOutcome Mailbox::Impl::take(const Id& from, SignedEnvelope&& envelope, Instant now,
                                    Effects& effects) {
    const Hash message = protocol::message_id(setup.chain, envelope.envelope);
    const Id& recipient = envelope.envelope.recipient;
    const auto bytes = static_cast<std::uint32_t>(encoded_size(envelope));
    const EnvelopeOutcome outcome = judge(from, {message, recipient, bytes}, now);
    if (outcome != EnvelopeOutcome::wanted) return outcome;
    if (const auto holds = check(envelope, setup.chain, now); !holds) {
        effects.forged = holds.error() == protocol::RecordError::bad_signature;
        return EnvelopeOutcome::refused;
    }
    const Id sender = crypto::id_of(envelope.envelope.node);
    const Origin origin = origin_of(sender, now);
    if (served.contains(recipient)) {
        // What a member's node hands on of a guest counts as the guest's.
        const bool fits =
            origin == Origin::member || has_room_for_guest(recipient, sender, cost_of(bytes));
        if (!fits) return EnvelopeOutcome::full;
        arrive(message, envelope, origin, now, effects);
        // Whoever brought it has it: another of the account's nodes, perhaps.
        if (const auto link = links.find(from); link != links.end()) {
            link->second.shared.insert(message);
        }
        return EnvelopeOutcome::delivered;
    }
    // A holder holds for the sender alone: a chain of holders would have no end.
    if (sender != from) return EnvelopeOutcome::refused;
    hold(message, std::move(envelope), origin, now, effects);
    return EnvelopeOutcome::held;
}

void Mailbox::Impl::arrive(const Hash& message, const SignedEnvelope& envelope, Origin origin,
                           Instant now, Effects& effects) {
    incoming.add(message, envelope, origin, writes);
    share_soon(now);
    effects.arrived.push_back({envelope.envelope.recipient, message});
}

void Mailbox::Impl::hold(const Hash& message, SignedEnvelope&& envelope, Origin origin, Instant now,
                         Effects& effects) {
    Parcel parcel;
    parcel.message = message;
    parcel.place = Place::held;
    parcel.origin = origin;
    parcel.envelope = std::move(envelope);
    parcel.next_attempt = now;
    attempt(parcels.add(std::move(parcel), writes), now, effects);
}

// ---- The machine --------------------------------------------------------------------------------

const char* to_string(OutgoingState state) {
    switch (state) {
        case OutgoingState::waiting: return "waiting";
        case OutgoingState::held: return "held";
        case OutgoingState::delivered: return "delivered";
    }
    UNREACHABLE();
}

Mailbox::Mailbox(MailboxOptions options, Setup setup, const Directory& directory, Entropy& entropy,
                 Log log)
    : impl_(
          new Impl{.options = options,
                   .setup = setup,
                   .directory = directory,
                   .log = std::move(log),
                   .prng = Prng(draw_number(entropy)),
                   .parcels = Parcels(options, setup.chain, setup.prefix),
                   .incoming = IncomingBox(options, setup.chain, setup.prefix),
                   .settled = Settled(options.settled_max, Shelf(setup.prefix, ShelfKind::settled)),
                   .served = {},
                   .links = {},
                   .share_at = std::nullopt,
                   .share_wait = {},
                   .writes = {}}) {
    CHECK(options.holders <= kHoldersAskedMax);
    CHECK(options.retry_min > Duration{} && options.retry_min <= options.retry_max);
}
Mailbox::Mailbox(Mailbox&&) noexcept = default;
Mailbox& Mailbox::operator=(Mailbox&&) noexcept = default;
Mailbox::~Mailbox() = default;

Result<void, store::Fault> Mailbox::load(const store::Reader& reader, Instant now) {
    TRY(impl_->parcels.load(reader, now));
    TRY(impl_->incoming.load(reader));
    TRY(impl_->settled.load(reader));
    return {};
}

Mailbox::Effects Mailbox::step(Input&& input, Instant now) {
    Effects effects;
    std::visit([&](auto&& held) { impl_->on(std::move(held), now, effects); }, std::move(input));
    if (impl_->share_at && *impl_->share_at <= now) impl_->share(now, effects);
    impl_->run(now, effects);
    effects.writes = impl_->writes.take();
    keep_once(effects.reach);
    return effects;
}

std::optional<Instant> Mailbox::next_deadline() const {
    const auto first = impl_->parcels.first();
    if (!first) return impl_->share_at;
    return impl_->share_at ? std::min(first->first, *impl_->share_at) : first->first;
}

const SignedEnvelope* Mailbox::letter(const Hash& message) const {
    return impl_->incoming.find(message);
}

std::vector<Mailbox::Incoming> Mailbox::incoming(const Id& account) const {
    return impl_->incoming.of(account);
}

std::vector<Mailbox::Outgoing> Mailbox::outgoing() const {
    std::vector<Outgoing> out;
    for (const Hash& message : impl_->parcels.outgoing()) {
        out.push_back(impl_->parcels.find(message)->status());
    }
    std::ranges::sort(out, {}, [](const Outgoing& outgoing) {
        return std::pair(outgoing.posted_ms, outgoing.message);
    });
    return out;
}

Mailbox::Usage Mailbox::usage() const {
    return {impl_->parcels.held_count(), impl_->parcels.held_cost(), impl_->incoming.size(),
            impl_->settled.size()};
}

void Mailbox::check_invariants() const {
    impl_->parcels.check_invariants();
    impl_->incoming.check_invariants();
    impl_->settled.check_invariants();
    for (const auto& [node, link] : impl_->links) {
        CHECK(link.offered.size() <= impl_->options.offers_per_node_max);
        CHECK(link.waiting.size() <= impl_->options.waiting_per_node_max);
        for (const Hash& message : link.shared) CHECK(impl_->incoming.contains(message));
    }
}

}  // namespace leither::org
