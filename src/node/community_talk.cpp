#include <algorithm>

#include "leither/codec/bcs.h"

#include "community_impl.h"

namespace leither::node {

namespace {

using org::ChatLog;
using org::Mailbox;
using protocol::RecordError;

}  // namespace

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

// Each introduction costs dozens of signatures, those of a keeper's welcome among them.
bool Community::Impl::may_introduce_itself(const Id& node, Instant now) {
    Introductions& theirs = introductions[node];
    if (theirs.count == 0 || now - theirs.since >= std::chrono::minutes(1)) theirs = {now, 0};
    return ++theirs.count <= kIntroductionsPerMinute;
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
    return connected != up.end() && belongs(connected->second, now);
}

bool Community::Impl::belongs(const PublicKey& node, Instant now) const {
    const auto& item = keeper.item();
    const bool is_named = item && item->content.manifest.keeper(node) != nullptr;
    return is_named || source.is_bookkeeper(node) || from_member(crypto::id_of(node), now);
}

void Community::Impl::on(const Id& from, protocol::Acknowledgements&& told, Instant now,
                         Effects& fx) {
    if (!neighbours.contains(from)) return;
    std::erase_if(told.list,
                  [&](const protocol::Acknowledgement& one) { return !belongs(one.node, now); });
    if (!told.list.empty()) fx.ledger.emplace_back(LedgerMessage{from, std::move(told)});
}

void Community::Impl::review_neighbour(const Id& node, Instant now, Effects& fx) {
    const bool is_one = is_neighbourly(node, now);
    if (is_one && neighbours.insert(node).second) {
        fx.ledger.emplace_back(NeighbourUp{node, features.at(node)});
    } else if (!is_one && neighbours.erase(node) > 0) {
        fx.ledger.emplace_back(NeighbourDown{node});
    }
}

void Community::Impl::review_neighbours(Instant now, Effects& fx) {
    for (const auto& [node, key] : up) {
        // Its account may have been admitted since it has shown itself: nobody is to wait until it
        // does so again.
        if (is_newly_member(node, now)) {
            introduce(node, now, fx);
            meet(node, now, fx);
            welcome(key, {life->book.delegations_of(node), {}}, now, fx);
        }
        review_neighbour(node, now, fx);
    }
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
    if (*news != org::AddressBook::News::newer) return std::nullopt;
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
    auto step = keeper.step(org::ManifestKeeper::Offered{*std::move(reply.item)}, now);
    if (step.refused == RecordError::bad_signature) fx.judged.push_back({from, kForged});
    take(std::move(step), now, fx);
}

void Community::Impl::on(const Id& from, protocol::Credentials&& shown, Instant now, Effects& fx) {
    if (!life || !may_introduce_itself(from, now)) return;
    const PublicKey key = up.at(from);
    // Whoever shows a delegation has checked it: only what has expired may fail to hold.
    const auto is_forged = [&](const protocol::SignedDelegation& one) {
        const auto held = protocol::check(one, life->chain, now);
        return !held && held.error() == RecordError::bad_signature;
    };
    if (std::ranges::any_of(shown.delegations, is_forged)) {
        fx.judged.push_back({from, kForged});
        return;
    }
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

}  // namespace leither::node
