#include "community.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "leither/codec/bcs.h"

namespace leither::node {

namespace {

using org::AddressBook;
using org::Announcer;
using org::ChatLog;
using org::Mailbox;
using org::ManifestKeeper;
using org::Shelf;
using org::ShelfKind;
using protocol::RecordError;

// What the room `org` needs to know of the DHT's items.
class DhtFormat final : public org::ItemFormat {
 public:
    Id target(ByteView content) const override {
        return dht::immutable_target(dht::value_of(content));
    }
    Bytes signed_bytes(std::string_view salt, std::uint64_t sequence,
                       ByteView content) const override {
        return dht::signed_bytes(dht::ItemSalt::copy_of(as_bytes(salt)),
                                 static_cast<std::int64_t>(sequence), dht::value_of(content));
    }
};

Bytes prefix_of_organization(const Id& organization) {
    Bytes prefix{'o'};
    prefix.insert(prefix.end(), organization.view().begin(), organization.view().end());
    return prefix;
}

// Nothing for bytes that are no secret.
std::optional<crypto::X25519KeyPair> read_key_from(ByteView bytes) {
    using Secret = crypto::X25519KeyPair::Secret;
    if (bytes.size() != Secret::kSize) return std::nullopt;
    return crypto::X25519KeyPair::from_secret(Secret::copy_of(bytes));
}

NetworkFailure refused(std::string_view rule, std::string_view why) {
    return {NetworkError::refused, std::string(why), rule};
}
NetworkFailure refused(protocol::RecordError error, std::string_view what) {
    const char* rule = protocol::to_string(error);
    return refused(rule, fmt::format("{}: {}", what, rule));
}
NetworkFailure not_a_member(std::string_view what) {
    return refused("not_a_member",
                   fmt::format("{}; if a supervisor has just admitted it, wait until a node that "
                               "keeps the ledger has been reached",
                               what));
}
// What its author can do about it.
NetworkFailure refused(org::ChatRefusal refusal) {
    using org::ChatRefusal;
    const auto named = [refusal](std::string_view why) {
        return refused(org::to_string(refusal), why);
    };
    switch (refusal) {
        case ChatRefusal::known: return named("this line has been said already");
        case ChatRefusal::stranger: return not_a_member("the line's author is no member");
        case ChatRefusal::bad_line:
            return named("the line is badly signed, or dated in the future: check the clock");
        case ChatRefusal::too_old: return named("the line's time lies too far back");
        case ChatRefusal::gap: return named("the line does not follow its author's last one");
        case ChatRefusal::fork:
            return named("its author has said another line since: ask chat.next again");
        case ChatRefusal::step_back:
            return named("its time is before that of the author's last line: check the clock");
        case ChatRefusal::too_fast:
            return named(fmt::format("at most {} lines in ten minutes; wait", org::kBurstLines));
    }
    UNREACHABLE();
}

NetworkFailure no_manifest() {
    return {NetworkError::no_organization, "the organization's manifest is not known yet"};
}

}  // namespace

struct Community::Impl {
    // What the chain id gives life to.
    struct Life {
        ChainId chain;
        org::Members members;
        AddressBook book;
        Announcer announcer;
        Mailbox mailbox;
        ChatLog chat;

        Life(const NetworkOptions& options, const Setup& setup, const ChainId& its_chain,
             const org::MemberSource& source, Entropy& entropy, const Bytes& prefix)
            : chain(its_chain),
              members({}, chain, source, Shelf(prefix, ShelfKind::pass)),
              book({}, chain, members, prefix),
              announcer(options.announcer,
                        {setup.node, setup.static_key, setup.organization, chain, 0},
                        Shelf(prefix, ShelfKind::sequence), entropy, setup.log),
              mailbox(options.mailbox, {setup.node, chain, prefix}, book, entropy, setup.log),
              chat(options.chat, {chain, prefix}, members, entropy, setup.log) {}
    };

    Impl(const NetworkOptions& given, Setup its_setup, const org::MemberSource& its_source,
         Entropy& its_entropy)
        : options(given),
          setup(std::move(its_setup)),
          source(its_source),
          entropy(its_entropy),
          prefix(prefix_of_organization(setup.organization)),
          keeper(setup.organization, format, Shelf(prefix, ShelfKind::manifest)),
          served_shelf(prefix, ShelfKind::served),
          secret_shelf(prefix, ShelfKind::read_secret) {}

    // ---- From one machine's effects to the community's
    void take(ManifestKeeper::Effects&& from, Instant now, Effects& fx);
    void take(Announcer::Effects&& from, Instant now, Effects& fx);
    void take(Mailbox::Effects&& from, Effects& fx);
    void take(ChatLog::Effects&& from, Instant now, Effects& fx);
    void take_writes(Effects& fx);

    // ---- Life
    void begin_life();
    Result<void, store::Fault> load_life(const store::Reader& reader, Instant now);
    void on_new_manifest(Instant now, Effects& fx);
    void on_new_read_key(Instant now, Effects& fx);
    void learn_keepers(Effects& fx) const;
    void tell_served(Instant now, Effects& fx);
    std::vector<Id> served_ids() const;
    // All but `spared`'s.
    void drop_expired_delegations(const PublicKey& spared, Instant now, Effects& fx);
    bool is_members_node(Instant now) const;
    bool is_keeper() const;

    // ---- Talk
    void introduce(const Id& to, Instant now, Effects& fx);
    void welcome(const PublicKey& key, const protocol::Credentials& shown, Instant now,
                 Effects& fx);
    bool has_fresh_pass(const Id& account, const protocol::Passes& shown, Instant now) const;
    Duration pass_lifetime() const { return std::chrono::hours(options.pass_lifetime_hours); }
    // Whether a connected node has turned out to be a member's.
    bool is_newly_member(const Id& node, Instant now) const {
        return from_member(node, now) && !met.contains(node);
    }
    void meet(const Id& node, Instant now, Effects& fx);
    // Whether a connected node may hear of the ledger.
    bool is_neighbourly(const Id& node, Instant now) const;
    void review_neighbour(const Id& node, Instant now, Effects& fx);
    void review_neighbours(Instant now, Effects& fx);
    // What the ledger's machines say to each other.
    template <class Message>
    void on(const Id& from, Message&& message, Instant, Effects& fx) {
        if (!neighbours.contains(from)) return;
        fx.ledger.emplace_back(LedgerMessage{from, std::forward<Message>(message)});
    }
    // All that are known here.
    void offer_records(const Id& to, Instant now, Effects& fx);
    // Why it does not hold; nothing if it does.
    std::optional<RecordError> on_record(const protocol::SignedRoutingRecord& record, Instant now,
                                         Effects& fx);
    void on_known_better(const Id& node, Instant now, Effects& fx);
    bool from_member(const Id& node, Instant now) const {
        return life && life->book.is_members_node(node, now);
    }

    void on(const Id& from, protocol::AskManifest&& ask, Instant now, Effects& fx);
    void on(const Id& from, protocol::ManifestReply&& reply, Instant now, Effects& fx);
    void on(const Id& from, protocol::Credentials&& shown, Instant now, Effects& fx);
    void on(const Id& from, protocol::Welcome&& given, Instant now, Effects& fx);
    void on(const Id& from, protocol::RecordOffer&& offer, Instant now, Effects& fx);
    void on(const Id& from, protocol::RecordAsk&& ask, Instant now, Effects& fx);
    void on(const Id& from, protocol::RecordReply&& reply, Instant now, Effects& fx);
    void on(const Id& from, protocol::EnvelopeOffer&& offer, Instant now, Effects& fx);
    void on(const Id& from, protocol::EnvelopePost&& post, Instant now, Effects& fx);
    void on(const Id& from, protocol::EnvelopeAck&& ack, Instant now, Effects& fx);
    void on(const Id& from, protocol::ChatPost&& post, Instant now, Effects& fx);
    void on(const Id& from, protocol::ChatHave&& have, Instant now, Effects& fx);
    void on(const Id& from, protocol::ChatAsk&& ask, Instant now, Effects& fx);
    void on(const Id& from, protocol::ChatLines&& lines, Instant now, Effects& fx);
    // The hub's own kinds never come here.
    void on(const Id&, protocol::Hello&&, Instant, Effects&) { UNREACHABLE(); }
    void on(const Id&, protocol::Ping&&, Instant, Effects&) { UNREACHABLE(); }
    void on(const Id&, protocol::Pong&&, Instant, Effects&) { UNREACHABLE(); }
    void on(const Id&, protocol::Goodbye&&, Instant, Effects&) { UNREACHABLE(); }
    void on(const Id&, protocol::AskDialBack&&, Instant, Effects&) { UNREACHABLE(); }
    void on(const Id&, protocol::DialBackResult&&, Instant, Effects&) { UNREACHABLE(); }

    template <class Input>
    void tell_mailbox(Input&& input, Instant now, Effects& fx) {
        take(life->mailbox.step(std::forward<Input>(input), now), fx);
    }
    template <class Input>
    void tell_chat(Input&& input, Instant now, Effects& fx) {
        take(life->chat.step(std::forward<Input>(input), now), now, fx);
    }
    // Lines that `from` answers for.
    template <class Input>
    void hear_chat(const Id& from, Input&& input, Instant now, Effects& fx) {
        auto step = life->chat.step(std::forward<Input>(input), now);
        if (step.forged) fx.judged.push_back({from, kForged});
        take(std::move(step), now, fx);
    }
    template <class Input>
    void tell_announcer(Input&& input, Instant now, Effects& fx) {
        take(life->announcer.step(std::forward<Input>(input), now), now, fx);
    }

    const NetworkOptions options;
    const Setup setup;
    const org::MemberSource& source;
    Entropy& entropy;
    const Bytes prefix;
    DhtFormat format;
    ManifestKeeper keeper;
    Shelf served_shelf;
    Shelf secret_shelf;

    std::optional<crypto::X25519KeyPair> read_key;
    protocol::Delegations served;
    std::vector<Endpoint> endpoints;
    std::optional<Life> life;
    std::map<Id, PublicKey> up;  // connected nodes
    std::set<Id> met;            // those of them the conversation goes on with
    std::set<Id> neighbours;     // those of them that may hear of the ledger
    Instant introduce_at{};      // to all of them, so that passes are renewed in time
};

// ---- Effects -----------------------------------------------------------------------------------

void Community::Impl::take(ManifestKeeper::Effects&& from, Instant now, Effects& fx) {
    fx.writes.append(from.writes);
    if (from.changed) on_new_manifest(now, fx);
}

void Community::Impl::take(Announcer::Effects&& from, Instant now, Effects& fx) {
    const auto& own = life->announcer.record();
    fx.writes.append(from.writes);
    std::move(from.publish.begin(), from.publish.end(), std::back_inserter(fx.publish));
    std::move(from.announce.begin(), from.announce.end(), std::back_inserter(fx.announce));
    // All of them: so the others' records, too, go on to those who have not met their nodes.
    if (own && life->book.accept(*own, now) == AddressBook::News::newer) {
        for (const auto& [node, key] : up) offer_records(node, now, fx);
    }
}

void Community::Impl::take(Mailbox::Effects&& from, Effects& fx) {
    fx.writes.append(from.writes);
    for (auto& send : from.sends) {
        std::visit(
            [&](auto&& held) {
                fx.after_writes.push_back({send.to, protocol::PeerMessage(std::move(held))});
            },
            std::move(send.message));
    }
    fx.reach.insert(fx.reach.end(), from.reach.begin(), from.reach.end());
    for (const auto& arrived : from.arrived) {
        fx.events.emplace_back(LetterArrived{arrived.account, arrived.message});
    }
}

void Community::Impl::take(ChatLog::Effects&& from, Instant now, Effects& fx) {
    fx.writes.append(from.writes);
    for (auto& send : from.sends) {
        std::visit(
            [&](auto&& held) {
                fx.after_writes.push_back({send.to, protocol::PeerMessage(std::move(held))});
            },
            std::move(send.message));
    }
    for (auto& line : from.taken) fx.events.emplace_back(LineTaken{std::move(line)});
    if (!from.last_lines_changed) return;
    const auto& manifest = keeper.item()->content.manifest;
    Announcer::ChatIs chat;
    for (const auto& line : life->chat.last(protocol::kChatHeadLines)) {
        auto content = protocol::seal_line(line, manifest.read_key);
        if (!content) return;  // a read key nobody can seal to: nothing is published
        chat.head.lines.push_back({format.target(*content), crypto::blake2b_256(*content)});
        chat.lines.push_back(*std::move(content));
    }
    tell_announcer(std::move(chat), now, fx);
}

void Community::Impl::take_writes(Effects& fx) {
    if (!life) return;
    fx.writes.append(life->members.take_writes());
    fx.writes.append(life->book.take_writes());
}

// ---- Life --------------------------------------------------------------------------------------

void Community::Impl::begin_life() {
    const protocol::Manifest& manifest = keeper.item()->content.manifest;
    if (life && life->chain == manifest.chain) return;
    life.reset();
    met.clear();
    life.emplace(options, setup, manifest.chain, source, entropy, prefix);
    life->members.set_keepers(manifest);
}

Result<void, store::Fault> Community::Impl::load_life(const store::Reader& reader, Instant now) {
    begin_life();
    TRY(life->members.load(reader, now));
    TRY(life->book.load(reader, now));
    TRY(life->announcer.load(reader));
    TRY(life->mailbox.load(reader, now));
    return life->chat.load(reader, now);
}

bool Community::Impl::is_keeper() const {
    const auto& item = keeper.item();
    return item && item->content.manifest.keeper(setup.node.public_key()) != nullptr;
}

void Community::Impl::on_new_manifest(Instant now, Effects& fx) {
    const bool is_born = !life || life->chain != keeper.item()->content.manifest.chain;
    begin_life();
    life->members.set_keepers(keeper.item()->content.manifest);
    fx.manifest_changed = true;
    if (read_key && read_key->public_key() != keeper.item()->content.manifest.read_key) {
        read_key.reset();
    }
    on_new_read_key(now, fx);
    tell_served(now, fx);
    tell_announcer(Announcer::AddressesAre{endpoints}, now, fx);
    learn_keepers(fx);
    for (const auto& [node, key] : up) {
        introduce(node, now, fx);
        if (is_born) tell_mailbox(Mailbox::NodeUp{node}, now, fx);
        if (is_newly_member(node, now)) meet(node, now, fx);
    }
}

void Community::Impl::on_new_read_key(Instant now, Effects& fx) {
    tell_announcer(
        Announcer::ManifestIs{keeper.publication(), keeper.item()->content.manifest.read_key}, now,
        fx);
}

void Community::Impl::learn_keepers(Effects& fx) const {
    const protocol::Manifest& manifest = keeper.item()->content.manifest;
    for (const protocol::Keeper& one : manifest.keepers) {
        if (one.node == setup.node.public_key()) continue;
        for (const protocol::WireEndpoint& endpoint : one.endpoints) {
            fx.learn.push_back({endpoint.endpoint(), peer::Context::of(manifest.chain),
                                crypto::id_of(one.node), one.static_key, peer::Source::manifest});
        }
    }
}

// Nobody else passes on what comes from here unless this is a member's node.
bool Community::Impl::is_members_node(Instant now) const {
    if (life->members.is_keeper(setup.node.id())) return true;
    return std::ranges::any_of(
        served_ids(), [&](const Id& account) { return life->members.is_member(account, now); });
}

std::vector<Id> Community::Impl::served_ids() const {
    std::vector<Id> ids;
    for (const auto& signed_ : served) ids.push_back(crypto::id_of(signed_.delegation.account));
    return ids;
}

void Community::Impl::drop_expired_delegations(const PublicKey& spared, Instant now, Effects& fx) {
    std::erase_if(served, [&](const protocol::SignedDelegation& one) {
        const bool stays = one.delegation.account == spared || one.delegation.validity.holds(now);
        if (stays) return false;
        fx.writes.erase(served_shelf.key(crypto::id_of(one.delegation.account).view()));
        return true;
    });
}

void Community::Impl::tell_served(Instant now, Effects& fx) {
    life->book.introduce(setup.node.public_key(), served, now);
    tell_announcer(Announcer::Serves{served}, now, fx);
    tell_mailbox(Mailbox::Serves{served}, now, fx);
}

// ---- Talk --------------------------------------------------------------------------------------

void Community::Impl::introduce(const Id& to, Instant now, Effects& fx) {
    if (!life || served.empty()) return;
    protocol::Credentials shown{served, {}};
    // Whoever shows no pass is given all a member's node needs.
    for (const Id& account : read_key ? served_ids() : std::vector<Id>{}) {
        if (auto pass = life->members.pass_of(account, now)) shown.passes.push_back(*pass);
    }
    fx.sends.push_back({to, std::move(shown)});
}

// Whether its half time is still to come: then it needs no other.
bool Community::Impl::has_fresh_pass(const Id& account, const protocol::Passes& shown,
                                     Instant now) const {
    return std::ranges::any_of(shown, [&](const protocol::SignedPass& one) {
        return one.pass.account == account && one.pass.keeper == setup.node.public_key() &&
               one.pass.validity.holds(now + pass_lifetime() / 2);
    });
}

// What a keeper gives a member's node.
void Community::Impl::welcome(const PublicKey& key, const protocol::Credentials& shown, Instant now,
                              Effects& fx) {
    if (!is_keeper() || !read_key) return;
    protocol::Welcome given;
    for (const auto& signed_ : shown.delegations) {
        const Id account = crypto::id_of(signed_.delegation.account);
        if (has_fresh_pass(account, shown.passes, now) || given.passes.full()) continue;
        const bool holds = signed_.delegation.node == key &&
                           protocol::check(signed_, life->chain, now).has_value();
        if (!holds || source.is_member(account) != true) continue;
        given.passes.push_back(protocol::sign(
            life->chain,
            {account, setup.node.public_key(), protocol::Validity::from(now, pass_lifetime())},
            setup.node));
    }
    if (given.passes.empty()) return;
    const auto seal_key = crypto::seal_key_of(key);
    const auto sealed =
        seal_key ? crypto::seal(*seal_key, read_key->secret().view(), entropy) : std::nullopt;
    if (!sealed) return;
    given.read_secret.assign(sealed->begin(), sealed->end());
    fx.sends.push_back({crypto::id_of(key), std::move(given)});
}

void Community::Impl::meet(const Id& node, Instant now, Effects& fx) {
    met.insert(node);
    offer_records(node, now, fx);
    tell_chat(ChatLog::NodeUp{node}, now, fx);
}

bool Community::Impl::is_neighbourly(const Id& node, Instant now) const {
    const auto connected = up.find(node);
    if (connected == up.end()) return false;
    const auto& item = keeper.item();
    const bool is_named = item && item->content.manifest.keeper(connected->second) != nullptr;
    return is_named || source.is_bookkeeper(connected->second) || from_member(node, now);
}

void Community::Impl::review_neighbour(const Id& node, Instant now, Effects& fx) {
    const bool is_one = is_neighbourly(node, now);
    if (is_one && neighbours.insert(node).second) {
        fx.ledger.emplace_back(NeighbourUp{node});
    } else if (!is_one && neighbours.erase(node) > 0) {
        fx.ledger.emplace_back(NeighbourDown{node});
    }
}

void Community::Impl::review_neighbours(Instant now, Effects& fx) {
    for (const auto& [node, key] : up) review_neighbour(node, now, fx);
}

void Community::Impl::offer_records(const Id& to, Instant now, Effects& fx) {
    if (!from_member(to, now)) return;
    Id last;  // of the page before, where the next one begins
    for (bool more = true; more;) {
        const auto page = life->book.notices(last, protocol::kRecordNoticesMax, now);
        protocol::RecordOffer offer;
        for (const auto& notice : page) {
            if (notice.node != to && notice.node != last) offer.records.push_back(notice);
        }
        if (!offer.records.empty()) fx.sends.push_back({to, std::move(offer)});
        more = page.size() == protocol::kRecordNoticesMax;
        if (more) last = page.back().node;
    }
}

std::optional<RecordError> Community::Impl::on_record(const protocol::SignedRoutingRecord& record,
                                                      Instant now, Effects& fx) {
    const auto news = life->book.accept(record, now);
    if (!news) return news.error();
    if (*news != AddressBook::News::newer) return std::nullopt;
    const Id node = crypto::id_of(record.record.node);
    for (const auto& endpoint : record.record.endpoints) {
        fx.learn.push_back({endpoint.endpoint(), peer::Context::of(life->chain), node,
                            record.record.static_key, peer::Source::told});
    }
    on_known_better(node, now, fx);
    return std::nullopt;
}

void Community::Impl::on_known_better(const Id& node, Instant now, Effects& fx) {
    tell_mailbox(Mailbox::NodeKnown{node}, now, fx);
}

void Community::Impl::on(const Id& from, protocol::AskManifest&& ask, Instant, Effects& fx) {
    protocol::ManifestReply reply;
    if (ask.organization == setup.organization) reply.item = keeper.item();
    fx.sends.push_back({from, std::move(reply)});
}

void Community::Impl::on(const Id& from, protocol::ManifestReply&& reply, Instant now,
                         Effects& fx) {
    if (!reply.item) return;
    auto step = keeper.step(ManifestKeeper::Offered{*std::move(reply.item)}, now);
    if (step.refused == RecordError::bad_signature) fx.judged.push_back({from, kForged});
    take(std::move(step), now, fx);
}

void Community::Impl::on(const Id& from, protocol::Credentials&& shown, Instant now, Effects& fx) {
    if (!life) return;
    const PublicKey key = up.at(from);
    for (const auto& pass : shown.passes) (void)life->members.accept(pass, now);
    const std::size_t held = life->book.introduce(key, shown.delegations, now);
    if (held > 0) on_known_better(from, now, fx);
    welcome(key, shown, now, fx);
}

void Community::Impl::on(const Id& from, protocol::Welcome&& given, Instant now, Effects& fx) {
    if (!life) return;
    const protocol::Manifest& manifest = keeper.item()->content.manifest;
    if (manifest.keeper(up.at(from)) == nullptr) return;
    for (const auto& pass : given.passes) (void)life->members.accept(pass, now);
    const auto opened = crypto::open(crypto::seal_pair_of(setup.node), given.read_secret);
    const auto given_key = opened ? read_key_from(*opened) : std::nullopt;
    if (given_key && given_key->public_key() == manifest.read_key && !read_key) {
        fx.writes.put(secret_shelf.key({}), *opened);
        read_key = given_key;
    }
    // With passes in hand, everybody else learns that this is a member's node.
    for (const auto& [node, key] : up) {
        if (node != from) introduce(node, now, fx);
    }
    if (from_member(from, now)) offer_records(from, now, fx);
}

void Community::Impl::on(const Id& from, protocol::RecordOffer&& offer, Instant now, Effects& fx) {
    if (!from_member(from, now)) return;
    protocol::RecordAsk ask;
    for (const auto& notice : offer.records) {
        const auto* known = life->book.record(notice.node, now);
        const bool newer = known == nullptr || known->record.validity.issued_ms < notice.issued_ms;
        if (newer && !ask.nodes.full()) ask.nodes.push_back(notice.node);
    }
    if (!ask.nodes.empty()) fx.sends.push_back({from, std::move(ask)});
}

void Community::Impl::on(const Id& from, protocol::RecordAsk&& ask, Instant now, Effects& fx) {
    if (!from_member(from, now)) return;
    protocol::RecordReply reply;
    const auto flush = [&] {
        if (!reply.records.empty()) fx.sends.push_back({from, std::exchange(reply, {})});
    };
    for (const Id& node : ask.nodes) {
        const auto* known = life->book.record(node, now);
        if (known != nullptr) reply.records.push_back(*known);
        if (reply.records.full()) flush();
    }
    flush();
}

void Community::Impl::on(const Id& from, protocol::RecordReply&& reply, Instant now, Effects& fx) {
    if (!from_member(from, now)) return;
    for (const auto& record : reply.records) {
        const auto fault = on_record(record, now, fx);
        if (fault == RecordError::bad_signature) fx.judged.push_back({from, kForged});
    }
}

void Community::Impl::on(const Id& from, protocol::EnvelopeOffer&& offer, Instant now,
                         Effects& fx) {
    if (life) tell_mailbox(Mailbox::Offered{from, std::move(offer)}, now, fx);
}
void Community::Impl::on(const Id& from, protocol::EnvelopePost&& post, Instant now, Effects& fx) {
    if (!life) return;
    auto step = life->mailbox.step(Mailbox::Posted{from, std::move(post)}, now);
    if (step.forged) fx.judged.push_back({from, kForged});
    take(std::move(step), fx);
}
void Community::Impl::on(const Id& from, protocol::EnvelopeAck&& ack, Instant now, Effects& fx) {
    if (life) tell_mailbox(Mailbox::Acknowledged{from, std::move(ack)}, now, fx);
}

void Community::Impl::on(const Id& from, protocol::ChatPost&& post, Instant now, Effects& fx) {
    if (!from_member(from, now)) return;
    if (post.pass) (void)life->members.accept(*post.pass, now);
    hear_chat(from, ChatLog::Heard{from, std::move(post)}, now, fx);
}
void Community::Impl::on(const Id& from, protocol::ChatHave&& have, Instant now, Effects& fx) {
    if (from_member(from, now)) tell_chat(ChatLog::Compared{from, std::move(have)}, now, fx);
}
void Community::Impl::on(const Id& from, protocol::ChatAsk&& ask, Instant now, Effects& fx) {
    if (from_member(from, now)) tell_chat(ChatLog::Asked{from, std::move(ask)}, now, fx);
}
void Community::Impl::on(const Id& from, protocol::ChatLines&& lines, Instant now, Effects& fx) {
    if (!from_member(from, now)) return;
    if (lines.pass) (void)life->members.accept(*lines.pass, now);
    hear_chat(from, ChatLog::Told{from, std::move(lines)}, now, fx);
}

// ---- Community ---------------------------------------------------------------------------------

Community::Community(const NetworkOptions& options, Setup setup, const org::MemberSource& source,
                     Entropy& entropy)
    : impl_(std::make_unique<Impl>(options, std::move(setup), source, entropy)) {}
Community::~Community() = default;

Result<void, store::Fault> Community::load(const store::Reader& reader, Instant now) {
    TRY(impl_->keeper.load(reader));
    TRY(impl_->served_shelf.load<protocol::SignedDelegation>(
        reader, [this](ByteView, protocol::SignedDelegation&& one) {
            if (!impl_->served.full()) impl_->served.push_back(std::move(one));
        }));
    if (const auto secret = TRY(reader.get(impl_->secret_shelf.key({})))) {
        impl_->read_key = read_key_from(as_bytes(*secret));
    }
    if (!impl_->keeper.item()) return {};
    return impl_->load_life(reader, now);
}

void Community::begin(Instant now, Effects& fx) {
    if (impl_->life) impl_->on_new_manifest(now, fx);
    impl_->take_writes(fx);
}

void Community::on_peer_up(const PublicKey& key, Instant now, Effects& fx) {
    const Id node = crypto::id_of(key);
    impl_->up.insert_or_assign(node, key);
    fx.sends.push_back({node, protocol::AskManifest{impl_->setup.organization}});
    impl_->review_neighbour(node, now, fx);
    impl_->introduce(node, now, fx);
    if (!impl_->life) return;
    impl_->tell_mailbox(Mailbox::NodeUp{node}, now, fx);
    if (impl_->is_newly_member(node, now)) impl_->meet(node, now, fx);
    impl_->take_writes(fx);
}

void Community::on_peer_down(const Id& node, Instant now, Effects& fx) {
    impl_->up.erase(node);
    impl_->met.erase(node);
    impl_->review_neighbour(node, now, fx);
    if (!impl_->life) return;
    impl_->tell_mailbox(Mailbox::NodeDown{node}, now, fx);
    impl_->tell_chat(ChatLog::NodeDown{node}, now, fx);
    impl_->take_writes(fx);
}

void Community::on_message(const Id& from, protocol::PeerMessage&& message, Instant now,
                           Effects& fx) {
    if (!impl_->up.contains(from)) return;
    std::visit([&](auto&& held) { impl_->on(from, std::move(held), now, fx); }, std::move(message));
    impl_->review_neighbour(from, now, fx);
    if (impl_->is_newly_member(from, now)) {
        // It may have learnt only now what an introduction means.
        impl_->introduce(from, now, fx);
        impl_->meet(from, now, fx);
    }
    impl_->take_writes(fx);
}

const std::set<Id>& Community::neighbours() const {
    return impl_->neighbours;
}

void Community::review_neighbours(Instant now, Effects& fx) {
    impl_->review_neighbours(now, fx);
}

void Community::on_carried(org::OrderId order, org::OrderOutcome outcome, Instant now,
                           Effects& fx) {
    if (!impl_->life) return;
    impl_->tell_announcer(Announcer::Carried{order, outcome}, now, fx);
    impl_->take_writes(fx);
}

void Community::on_joined(Instant now, Effects& fx) {
    if (impl_->life) impl_->tell_announcer(Announcer::Joined{}, now, fx);
}

void Community::on_manifest_found(const dht::Item& item, Instant now, Effects& fx) {
    const auto content = dht::content_of(item.value);
    if (!item.author || !content || item.author->sequence < 0) return;
    ManifestKeeper::Found found{static_cast<std::uint64_t>(item.author->sequence),
                                Bytes(content->begin(), content->end()), item.author->signature};
    impl_->take(impl_->keeper.step(std::move(found), now), now, fx);
    impl_->take_writes(fx);
}

void Community::on_record_found(const PublicKey& node, ByteView content, Instant now, Effects& fx) {
    if (!impl_->life || !impl_->read_key) return;
    const auto record =
        protocol::open_record({*impl_->read_key, impl_->life->chain}, content, node, now);
    if (record) static_cast<void>(impl_->on_record(*record, now, fx));
    impl_->take_writes(fx);
}

void Community::on_lines_found(std::vector<org::FoundLine>&& lines, Instant now, Effects& fx) {
    if (!impl_->life) return;
    impl_->tell_chat(ChatLog::Found{std::move(lines)}, now, fx);
    impl_->take_writes(fx);
}

void Community::on_tick(Instant now, Effects& fx) {
    const auto due = [now](const auto& machine) {
        const auto deadline = machine.next_deadline();
        return deadline && *deadline <= now;
    };
    if (!impl_->life) return;
    if (now >= impl_->introduce_at) {
        impl_->introduce_at = now + impl_->pass_lifetime() / 6;
        for (const auto& [node, key] : impl_->up) impl_->introduce(node, now, fx);
        impl_->review_neighbours(now, fx);
    }
    if (due(impl_->life->book)) impl_->life->book.expire(now);
    if (due(impl_->life->announcer)) impl_->tell_announcer(Announcer::Tick{}, now, fx);
    if (due(impl_->life->mailbox)) impl_->tell_mailbox(Mailbox::Tick{}, now, fx);
    if (due(impl_->life->chat)) impl_->tell_chat(ChatLog::Tick{}, now, fx);
    impl_->take_writes(fx);
}

void Community::set_endpoints(const std::vector<Endpoint>& endpoints, Instant now, Effects& fx) {
    if (impl_->endpoints == endpoints) return;
    impl_->endpoints = endpoints;
    if (!impl_->life) return;
    impl_->tell_announcer(Announcer::AddressesAre{endpoints}, now, fx);
    impl_->take_writes(fx);
}

Result<void, NetworkFailure> Community::publish(PublishManifest&& order, Instant now, Effects& fx) {
    const auto key = crypto::X25519KeyPair::from_secret(order.read_secret);
    if (key.public_key() != order.item.content.manifest.read_key) {
        return fail(refused("wrong_read_secret",
                            "the read secret does not belong to the manifest's read key"));
    }
    auto step = impl_->keeper.step(ManifestKeeper::Offered{order.item}, now);
    if (step.refused) return fail(refused(*step.refused, "the manifest does not hold"));
    if (impl_->keeper.item() != order.item) {
        return fail(refused("not_newer", "a later manifest is known: check the clock"));
    }
    impl_->read_key = key;
    fx.writes.put(impl_->secret_shelf.key({}),
                  Bytes(order.read_secret.view().begin(), order.read_secret.view().end()));
    impl_->take(std::move(step), now, fx);
    impl_->take_writes(fx);
    return {};
}

Result<void, NetworkFailure> Community::serve(ServeAccount&& order, Instant now, Effects& fx) {
    if (!impl_->life) return fail(no_manifest());
    const protocol::SignedDelegation& given = order.delegation;
    if (given.delegation.node != impl_->setup.node.public_key()) {
        return fail(refused("wrong_node", "the delegation names another node than this one"));
    }
    const auto valid = protocol::check(given, impl_->life->chain, now);
    if (!valid) return fail(refused(valid.error(), "the delegation does not hold"));
    impl_->drop_expired_delegations(given.delegation.account, now, fx);
    const auto same = std::ranges::find_if(impl_->served, [&](const auto& one) {
        return one.delegation.account == given.delegation.account;
    });
    if (same == impl_->served.end() && impl_->served.full()) {
        return fail(NetworkFailure{
            NetworkError::full,
            fmt::format("a node serves {} accounts at most", protocol::kServedAccountsMax)});
    }
    fx.writes.put(impl_->served_shelf.key(crypto::id_of(given.delegation.account).view()),
                  bcs::encode(given));
    if (same == impl_->served.end()) {
        impl_->served.push_back(given);
    } else {
        *same = given;
    }
    // A keeper is its own members' witness.
    impl_->tell_served(now, fx);
    for (const auto& [node, key] : impl_->up) impl_->introduce(node, now, fx);
    impl_->take_writes(fx);
    return {};
}

Result<Hash, NetworkFailure> Community::post(PostLetter&& letter, Instant now, Effects& fx) {
    if (!impl_->life) return fail(no_manifest());
    if (!impl_->is_members_node(now)) {
        return fail(not_a_member("none of the accounts this node serves is a member's"));
    }
    auto step = impl_->life->mailbox.step(
        Mailbox::Post{letter.recipient, std::move(letter.sealed), letter.lifetime}, now);
    CHECK(step.posted.has_value());
    const auto posted = *step.posted;
    impl_->take(std::move(step), fx);
    impl_->take_writes(fx);
    if (posted) return *posted;
    switch (posted.error()) {
        case Mailbox::PostRefusal::outbox_full:
            return fail(
                NetworkFailure{NetworkError::full, "too many messages wait to be delivered"});
        case Mailbox::PostRefusal::bad_lifetime:
            return fail(
                refused("bad_lifetime", "a message lives a minute at least and 14 days at most"));
    }
    UNREACHABLE();
}

Result<void, NetworkFailure> Community::forget(const ForgetLetter& letter, Instant now,
                                               Effects& fx) {
    if (!impl_->life) return fail(no_manifest());
    if (impl_->life->mailbox.letter(letter.message) == nullptr) {
        return fail(NetworkFailure{NetworkError::not_found, "no such message waits here"});
    }
    impl_->tell_mailbox(Mailbox::Forget{letter.message}, now, fx);
    impl_->take_writes(fx);
    return {};
}

Result<Hash, NetworkFailure> Community::say(SayLine&& line, Instant now, Effects& fx) {
    if (!impl_->life) return fail(no_manifest());
    auto step = impl_->life->chat.step(ChatLog::Say{std::move(line.line)}, now);
    CHECK(step.said.has_value());
    const auto said = *step.said;
    impl_->take(std::move(step), now, fx);
    impl_->take_writes(fx);
    if (!said) return fail(refused(said.error()));
    return *said;
}

std::optional<Instant> Community::next_deadline() const {
    std::optional<Instant> next;
    const auto sooner = [&next](std::optional<Instant> other) {
        if (other && (!next || *other < *next)) next = other;
    };
    if (!impl_->life) return next;
    if (!impl_->up.empty()) sooner(impl_->introduce_at);
    sooner(impl_->life->book.next_deadline());
    sooner(impl_->life->announcer.next_deadline());
    sooner(impl_->life->mailbox.next_deadline());
    sooner(impl_->life->chat.next_deadline());
    return next;
}

void Community::check_invariants() const {
    impl_->keeper.check_invariants();
    if (!impl_->life) return;
    impl_->life->members.check_invariants();
    impl_->life->book.check_invariants();
    impl_->life->announcer.check_invariants();
    impl_->life->mailbox.check_invariants();
    impl_->life->chat.check_invariants();
}

const Id& Community::organization() const {
    return impl_->setup.organization;
}
const std::optional<protocol::ManifestItem>& Community::manifest() const {
    return impl_->keeper.item();
}
std::optional<ChainId> Community::chain() const {
    return impl_->life ? std::optional(impl_->life->chain) : std::nullopt;
}
const org::Mailbox* Community::mailbox() const {
    return impl_->life ? &impl_->life->mailbox : nullptr;
}
const org::ChatLog* Community::chat() const {
    return impl_->life ? &impl_->life->chat : nullptr;
}
const AddressBook* Community::book() const {
    return impl_->life ? &impl_->life->book : nullptr;
}
const std::optional<crypto::X25519KeyPair>& Community::read_key() const {
    return impl_->read_key;
}

std::vector<ChatGatherer::Source> Community::chat_sources(Instant now) const {
    std::vector<ChatGatherer::Source> sources;
    if (!impl_->life) return sources;
    const PublicKey& own = impl_->setup.node.public_key();
    for (const auto& keeper : impl_->keeper.item()->content.manifest.keepers) {
        if (keeper.node != own) sources.push_back({keeper.node, org::Voucher::keeper});
    }
    for (const Id& node : impl_->life->book.members_nodes(now)) {
        const auto* known = impl_->life->book.record(node, now);
        const bool is_other =
            known != nullptr && known->record.node != own && !impl_->life->members.is_keeper(node);
        if (is_other) sources.push_back({known->record.node, org::Voucher::nobody});
    }
    return sources;
}

bool Community::is_member(const Id& account, Instant now) const {
    return impl_->life && impl_->life->members.is_member(account, now);
}

CommunityStatus Community::status(Instant now) const {
    CommunityStatus status;
    status.organization = impl_->setup.organization;
    status.chain = chain();
    status.has_ledger = impl_->source.is_member(Id{}).has_value();
    status.can_read_records = impl_->read_key.has_value();
    for (const auto& signed_ : impl_->served) {
        const Id account = crypto::id_of(signed_.delegation.account);
        status.accounts.push_back(
            {account, signed_.delegation.validity.expires_ms, is_member(account, now)});
    }
    status.endpoints = impl_->endpoints;
    if (const auto* manifest = impl_->keeper.current(now)) status.manifest = *manifest;
    if (!impl_->life) return status;
    status.members_nodes = impl_->life->book.members_nodes(now).size();
    status.passes = impl_->life->members.passes();
    status.mailbox = impl_->life->mailbox.usage();
    status.chat_lines = impl_->life->chat.size();
    return status;
}

}  // namespace leither::node
