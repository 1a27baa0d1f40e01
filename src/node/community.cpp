#include <algorithm>

#include <fmt/format.h>

#include "leither/codec/bcs.h"

#include "community_impl.h"

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

Bytes prefix_of_organization(const Id& organization) {
    Bytes prefix{'o'};
    prefix.insert(prefix.end(), organization.view().begin(), organization.view().end());
    return prefix;
}

NetworkFailure refused(protocol::RecordError error, std::string_view what) {
    const char* rule = protocol::to_string(error);
    return node::refused(rule, fmt::format("{}: {}", what, rule));
}
// What its author can do about it.
NetworkFailure refused(org::ChatRefusal refusal) {
    using org::ChatRefusal;
    const auto named = [refusal](std::string_view why) {
        return node::refused(org::to_string(refusal), why);
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

}  // namespace

NetworkFailure refused(std::string_view rule, std::string_view why) {
    return {NetworkError::refused, std::string(why), rule};
}
NetworkFailure not_a_member(std::string_view what) {
    return refused("not_a_member",
                   fmt::format("{}; if a supervisor has just admitted it, wait until a node that "
                               "keeps the ledger has been reached",
                               what));
}
NetworkFailure no_manifest() {
    return {NetworkError::no_organization, "the organization's manifest is not known yet"};
}

std::optional<crypto::X25519KeyPair> read_key_from(ByteView bytes) {
    using Secret = crypto::X25519KeyPair::Secret;
    if (bytes.size() != Secret::kSize) return std::nullopt;
    return crypto::X25519KeyPair::from_secret(Secret::copy_of(bytes));
}

Community::Impl::Impl(const NetworkOptions& given, Setup its_setup,
                      const org::MemberSource& its_source, Entropy& its_entropy)
    : options(given),
      setup(std::move(its_setup)),
      source(its_source),
      entropy(its_entropy),
      prefix(prefix_of_organization(setup.organization)),
      keeper(setup.organization, format, Shelf(prefix, ShelfKind::manifest)),
      served_shelf(prefix, ShelfKind::served),
      secret_shelf(prefix, ShelfKind::read_secret) {}

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
    carry_out(from, fx);
    fx.reach.insert(fx.reach.end(), from.reach.begin(), from.reach.end());
    for (const auto& arrived : from.arrived) {
        fx.events.emplace_back(LetterArrived{arrived.account, arrived.message});
    }
}

void Community::Impl::take(ChatLog::Effects&& from, Instant now, Effects& fx) {
    carry_out(from, fx);
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
    TRY(life->catalogue.load(reader, now));
    TRY(life->content.load(reader));
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
        if (is_born && exchanges(node)) begin_exchange(node, now, fx);
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

// Nobody else passes on all that comes from here unless this is a member's node.
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
    tell_offers(now, fx);
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

void Community::on_peer_up(const PublicKey& key, std::uint64_t features, Instant now, Effects& fx) {
    const Id node = crypto::id_of(key);
    impl_->up.insert_or_assign(node, key);
    impl_->features.insert_or_assign(node, features);
    fx.sends.push_back({node, protocol::AskManifest{impl_->setup.organization}});
    impl_->review_neighbour(node, now, fx);
    impl_->introduce(node, now, fx);
    if (!impl_->life) return;
    impl_->tell_mailbox(Mailbox::NodeUp{node}, now, fx);
    if (impl_->is_newly_member(node, now)) impl_->meet(node, now, fx);
    if (impl_->exchanges(node)) impl_->begin_exchange(node, now, fx);
    impl_->take_writes(fx);
}

void Community::on_peer_down(const Id& node, Instant now, Effects& fx) {
    impl_->up.erase(node);
    impl_->met.erase(node);
    impl_->features.erase(node);
    impl_->introductions.erase(node);
    impl_->review_neighbour(node, now, fx);
    if (!impl_->life) return;
    impl_->tell_mailbox(Mailbox::NodeDown{node}, now, fx);
    impl_->tell_chat(ChatLog::NodeDown{node}, now, fx);
    impl_->tell_catalogue(org::Catalogue::NodeDown{node}, now, fx);
    impl_->tell_content(org::ContentExchange::NodeDown{node}, now, fx);
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
    impl_->take_writes(fx);
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
    if (due(impl_->life->catalogue)) impl_->tell_catalogue(org::Catalogue::Tick{}, now, fx);
    if (due(impl_->life->content)) impl_->tell_content(org::ContentExchange::Tick{}, now, fx);
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
    // A guest's node may write too: to members, who take it within the bounds of guests.
    if (impl_->served.empty() && !impl_->is_members_node(now)) {
        return fail(
            refused("not_served", "this node serves no account whose answers could find it"));
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
    sooner(impl_->life->catalogue.next_deadline());
    sooner(impl_->life->content.next_deadline());
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
    impl_->life->catalogue.check_invariants();
    impl_->life->content.check_invariants();
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
const protocol::Delegations& Community::served() const {
    return impl_->served;
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
const org::Catalogue* Community::catalogue() const {
    return impl_->life ? &impl_->life->catalogue : nullptr;
}
const org::ContentExchange* Community::content() const {
    return impl_->life ? &impl_->life->content : nullptr;
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
    status.catalogue_entries = impl_->life->catalogue.size();
    status.packs_held = impl_->life->content.held().size();
    status.content_bytes = impl_->life->content.bytes_reserved();
    status.content_bytes_max = impl_->life->content.options().bytes_max;
    return status;
}

}  // namespace leither::node
