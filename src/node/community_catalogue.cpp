// Packs, tags and contributions in a community: the catalogue that all its nodes keep, and files of
// packs.
#include <algorithm>

#include <fmt/format.h>

#include "community_impl.h"

namespace leither::node {

namespace {

using org::Announcer;
using org::Catalogue;
using org::ContentExchange;

// Of what this node announces: packs it has, and tags given by accounts that it serves.
constexpr std::size_t kPacksAnnounced = org::kOffersMax / 2;
constexpr std::size_t kTagsAnnounced = org::kOffersMax / 2;

// What the one who has signed the entry can do about it.
NetworkFailure refused(org::CatalogueRefusal refusal, std::string_view what) {
    using org::CatalogueRefusal;
    const char* rule = to_string(refusal);
    switch (refusal) {
        case CatalogueRefusal::known:
            return node::refused(rule, fmt::format("this {} is known already", what));
        case CatalogueRefusal::stranger:
            return not_a_member(fmt::format("whoever has signed this {} is no member", what));
        case CatalogueRefusal::older:
            return node::refused(
                rule, fmt::format("a later {} about the same is known: check the clock", what));
        case CatalogueRefusal::full:
            return {NetworkError::full,
                    fmt::format("there is no room for a {} older than all that are kept: check the "
                                "clock",
                                what)};
        case CatalogueRefusal::bad_entry:
            return node::refused(rule,
                                 fmt::format("the {} is badly signed, has expired, lives too long "
                                             "or is dated in the future: check the clock",
                                             what));
    }
    UNREACHABLE();
}

std::string_view name_of(const protocol::CatalogueEntry& entry) {
    struct Visit {
        std::string_view operator()(const protocol::SignedPack&) const { return "pack"; }
        std::string_view operator()(const protocol::SignedTag&) const { return "tag"; }
        std::string_view operator()(const protocol::SignedContribution&) const {
            return "contribution";
        }
        std::string_view operator()(const protocol::SignedWithdrawal&) const {
            return "withdrawal";
        }
    };
    return std::visit(Visit{}, entry);
}

NetworkFailure refused(org::ContentRefusal refusal, const ContentExchange& content) {
    using org::ContentRefusal;
    const char* rule = to_string(refusal);
    const auto& options = content.options();
    switch (refusal) {
        case ContentRefusal::not_held:
            return {NetworkError::not_found, "no such pack is published or fetched on this node"};
        case ContentRefusal::bad_contents:
            return node::refused(rule, "the list of files is not the one that the pack names");
        case ContentRefusal::unknown_piece:
            return node::refused(rule,
                                 "these bytes are no piece of the pack: have its files changed "
                                 "since it was signed?");
        case ContentRefusal::too_many:
            return {NetworkError::full,
                    fmt::format("this node holds {} packs, as many as it may; remove one with "
                                "`leither app remove ID`",
                                options.packs_max)};
        case ContentRefusal::no_room:
            return {NetworkError::full,
                    fmt::format("packs use {} of {} bytes on this node; remove one with `leither "
                                "app remove ID`, or raise `content.max_bytes`",
                                content.bytes_reserved(), options.bytes_max)};
    }
    UNREACHABLE();
}

}  // namespace

// ---- Effects -----------------------------------------------------------------------------------

void Community::Impl::take(Catalogue::Effects&& from, Instant now, Effects& fx) {
    carry_out(from, fx);
    if (from.changed) tell_offers(now, fx);
}

void Community::Impl::take(ContentExchange::Effects&& from, Instant now, Effects& fx) {
    carry_out(from, fx);
    for (const Id& liar : from.liars) fx.judged.push_back({liar, kForged});
    fx.seek.insert(fx.seek.end(), from.seek.begin(), from.seek.end());
    for (auto& pack : from.published) tell_catalogue(Catalogue::Add{std::move(pack)}, now, fx);
    if (from.changed) tell_offers(now, fx);
}

void Community::Impl::tell_offers(Instant now, Effects& fx) {
    Announcer::Offers offers;
    for (const Hash& pack : life->content.complete()) {
        if (offers.targets.size() == kPacksAnnounced) break;
        offers.targets.push_back(protocol::announce_id(pack));
    }
    const std::vector<Id> accounts = served_ids();
    std::set<Id> tags;
    for (const auto& one : life->catalogue.tags()) {
        if (tags.size() == kTagsAnnounced) break;
        const Id author = crypto::id_of(one.entry.author);
        if (std::ranges::find(accounts, author) == accounts.end()) continue;
        tags.insert(protocol::tag_id(life->chain, one.entry.tag));
    }
    offers.targets.insert(offers.targets.end(), tags.begin(), tags.end());
    tell_announcer(std::move(offers), now, fx);
}

// ---- Other nodes -------------------------------------------------------------------------------

void Community::Impl::begin_exchange(const Id& node, Instant now, Effects& fx) {
    tell_catalogue(Catalogue::NodeUp{node}, now, fx);
    tell_content(ContentExchange::NodeUp{node}, now, fx);
}

void Community::Impl::on(const Id& from, protocol::CatalogueHave&& have, Instant now, Effects& fx) {
    if (life) tell_catalogue(Catalogue::Compared{from, std::move(have)}, now, fx);
}
void Community::Impl::on(const Id& from, protocol::CatalogueOffer&& offer, Instant now,
                         Effects& fx) {
    if (life) tell_catalogue(Catalogue::Offered{from, std::move(offer)}, now, fx);
}
void Community::Impl::on(const Id& from, protocol::CatalogueAsk&& ask, Instant now, Effects& fx) {
    if (life) tell_catalogue(Catalogue::Asked{from, std::move(ask)}, now, fx);
}
void Community::Impl::on(const Id& from, protocol::CatalogueEntries&& entries, Instant now,
                         Effects& fx) {
    if (!life) return;
    // Of whoever has not been asked not even a pass is looked at: it costs a signature.
    for (const auto& listed : entries.entries) {
        if (!listed.pass || !life->catalogue.awaits(from, listed.entry)) continue;
        (void)life->members.accept(*listed.pass, now);
    }
    auto step = life->catalogue.step(Catalogue::Told{from, std::move(entries)}, now);
    if (step.forged) fx.judged.push_back({from, kForged});
    take(std::move(step), now, fx);
}

// Files are for the organization's own: the catalogue is not.
void Community::Impl::on(const Id& from, protocol::ContentAsk&& ask, Instant now, Effects& fx) {
    if (life && belongs(up.at(from), now)) {
        return tell_content(ContentExchange::Asked{from, std::move(ask)}, now, fx);
    }
    if (!exchanges(from)) return;
    fx.sends.push_back(
        {from, protocol::ContentReply{ask.piece, protocol::ContentOutcome::absent, {}}});
}
void Community::Impl::on(const Id& from, protocol::ContentReply&& reply, Instant now, Effects& fx) {
    if (life) tell_content(ContentExchange::Answered{from, std::move(reply)}, now, fx);
}

// ---- Callers -----------------------------------------------------------------------------------

Result<org::ContentProgress, NetworkFailure> Community::publish_pack(PublishPack&& order,
                                                                     Instant now, Effects& fx) {
    if (!impl_->life) return fail(no_manifest());
    auto& life = *impl_->life;
    const auto takes = life.catalogue.would_take(order.pack, now);
    if (!takes && takes.error() != org::CatalogueRefusal::known) {
        return fail(refused(takes.error(), "pack"));
    }
    auto step = life.content.step(
        ContentExchange::Publish{std::move(order.pack), std::move(order.contents)}, now);
    CHECK(step.done.has_value());
    const auto done = *step.done;
    impl_->take(std::move(step), now, fx);
    impl_->take_writes(fx);
    if (!done) return fail(refused(done.error(), life.content));
    return life.content.progress(*done).value();
}

Result<org::ContentProgress, NetworkFailure> Community::put_piece(PutPiece&& order, Instant now,
                                                                  Effects& fx) {
    if (!impl_->life) return fail(no_manifest());
    auto& content = impl_->life->content;
    auto step = content.step(ContentExchange::Put{order.pack, std::move(order.bytes)}, now);
    CHECK(step.done.has_value());
    const auto done = *step.done;
    impl_->take(std::move(step), now, fx);
    impl_->take_writes(fx);
    if (!done) return fail(refused(done.error(), content));
    return content.progress(*done).value();
}

Result<org::ContentProgress, NetworkFailure> Community::fetch_pack(const FetchPack& order,
                                                                   Instant now, Effects& fx) {
    if (!impl_->life) return fail(no_manifest());
    auto& life = *impl_->life;
    const protocol::SignedPack* pack = life.content.pack(order.pack);
    if (pack == nullptr) pack = life.catalogue.pack(order.pack);
    if (pack == nullptr) {
        fx.seek.push_back(protocol::announce_id(order.pack));
        return fail(NetworkFailure{NetworkError::not_found,
                                   "no pack of that id is known here; nodes that have it are being "
                                   "looked for: see `leither app list` in a minute"});
    }
    auto step = life.content.step(ContentExchange::Fetch{*pack}, now);
    CHECK(step.done.has_value());
    const auto done = *step.done;
    impl_->take(std::move(step), now, fx);
    impl_->take_writes(fx);
    if (!done) return fail(refused(done.error(), life.content));
    return life.content.progress(*done).value();
}

Result<Hash, NetworkFailure> Community::drop_pack(const DropPack& order, Instant now, Effects& fx) {
    if (!impl_->life) return fail(no_manifest());
    auto& content = impl_->life->content;
    auto step = content.step(ContentExchange::Drop{order.pack}, now);
    CHECK(step.done.has_value());
    const auto done = *step.done;
    impl_->take(std::move(step), now, fx);
    impl_->take_writes(fx);
    if (!done) return fail(refused(done.error(), content));
    return *done;
}

Result<Hash, NetworkFailure> Community::add_entry(AddEntry&& order, Instant now, Effects& fx) {
    if (!impl_->life) return fail(no_manifest());
    const std::string_view what = name_of(order.entry);
    auto step = impl_->life->catalogue.step(Catalogue::Add{std::move(order.entry)}, now);
    CHECK(step.added.has_value());
    const auto added = *step.added;
    impl_->take(std::move(step), now, fx);
    impl_->take_writes(fx);
    if (!added) return fail(refused(added.error(), what));
    return *added;
}

Result<void, NetworkFailure> Community::seek_tag(const SeekTag& order, Instant, Effects& fx) {
    if (!impl_->life) return fail(no_manifest());
    fx.seek.push_back(protocol::tag_id(impl_->life->chain, order.tag));
    return {};
}

}  // namespace leither::node
