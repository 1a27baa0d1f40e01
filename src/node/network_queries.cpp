#include <algorithm>
#include <set>

#include "leither/codec/bcs.h"
#include "leither/node/queries.h"

#include "node_impl.h"

namespace leither::node {

namespace {

const Community* community_of(const NodeImpl& node) {
    return node.network() == nullptr ? nullptr : node.network()->community();
}

}  // namespace

std::optional<NetworkStatus> Queries::network(Instant now) const {
    if (node_->network() == nullptr) return std::nullopt;
    return node_->network()->status(now);
}

std::vector<peer::PeerStatus> Queries::peers(Instant now) const {
    if (node_->network() == nullptr) return {};
    return node_->network()->peers(now);
}

std::vector<peer::BanStatus> Queries::bans(Instant now) const {
    if (node_->network() == nullptr) return {};
    return node_->network()->bans(now);
}

std::optional<protocol::ManifestItem> Queries::manifest() const {
    const Community* community = community_of(*node_);
    return community == nullptr ? std::nullopt : community->manifest();
}

std::optional<protocol::Manifest> Queries::manifest_draft() const {
    const OrgInstance* org = node_->organization();
    if (org == nullptr || node_->network() == nullptr) return std::nullopt;
    const protocol::Charter& charter = org->organization().charter;
    // Before the first checkpoint the head, for which the key's holder alone answers.
    const auto& newest = org->checkpoints().newest();
    const protocol::BlockHeader& named =
        newest ? newest->checkpoint.block.header : org->head().header;
    protocol::Manifest draft;
    draft.organization = charter.organization;
    draft.chain = org->organization().chain;
    draft.name = charter.name;
    draft.unit = charter.unit;
    draft.decimals = charter.decimals;
    draft.checkpoint = {named.sequence, protocol::block_hash(draft.chain, named), named.pulse};
    draft.validity = {0, 1};  // to be replaced; none at all would not be canonical
    draft.keepers.push_back(node_->network()->as_keeper());
    return draft;
}

std::optional<protocol::Introduction> Queries::introduction() const {
    const OrgInstance* org = node_->organization();
    if (org == nullptr || node_->network() == nullptr) return std::nullopt;
    protocol::Introduction out;
    out.organization = org->organization().charter.organization;
    out.chain = org->organization().chain;
    if (const auto& newest = org->checkpoints().newest()) {
        const protocol::BlockHeader& header = newest->checkpoint.block.header;
        out.checkpoint = {header.sequence, protocol::block_hash(out.chain, header), header.pulse};
    }
    const auto add = [&out](const protocol::Keeper& entry) {
        const bool is_known = std::ranges::count(out.entries, entry.node, &protocol::Keeper::node);
        const bool is_useful = !entry.endpoints.empty() && !is_known && !out.entries.full();
        if (is_useful) out.entries.push_back(entry);
    };
    add(node_->network()->as_keeper());
    const auto item = manifest();
    if (item) {
        for (const protocol::Keeper& keeper : item->content.manifest.keepers) add(keeper);
    }
    return out;
}

std::optional<PublicKey> Queries::account_key(const Id& account) const {
    const auto answer = this->account(account, std::nullopt);
    if (answer && answer->record) {
        if (const auto* member = std::get_if<protocol::MemberRecord>(&*answer->record)) {
            return member->key;
        }
    }
    const Community* community = community_of(*node_);
    if (community == nullptr || community->book() == nullptr) return std::nullopt;
    return community->book()->account_key(account);
}

std::vector<org::Mailbox::Incoming> Queries::letters(const Id& account) const {
    const Community* community = community_of(*node_);
    if (community == nullptr || community->mailbox() == nullptr) return {};
    return community->mailbox()->incoming(account);
}

std::vector<org::Mailbox::Outgoing> Queries::outgoing_letters() const {
    const Community* community = community_of(*node_);
    if (community == nullptr || community->mailbox() == nullptr) return {};
    return community->mailbox()->outgoing();
}

std::optional<ChainId> Queries::chain() const {
    const Community* community = community_of(*node_);
    return community == nullptr ? std::nullopt : community->chain();
}

std::vector<protocol::SignedLine> Queries::chat(std::size_t max) const {
    const Community* community = community_of(*node_);
    if (community == nullptr || community->chat() == nullptr) return {};
    return community->chat()->last(max);
}

std::vector<PackItem> Queries::packs() const {
    const Community* community = community_of(*node_);
    std::vector<PackItem> all;
    if (community == nullptr || community->catalogue() == nullptr) return all;
    const auto& content = *community->content();
    std::set<Hash> listed;
    for (auto& pack : community->catalogue()->packs()) {
        const Hash id = protocol::pack_id(*community->chain(), pack.pack);
        listed.insert(id);
        all.push_back({id, std::move(pack), content.progress(id)});
    }
    for (const Hash& id : content.held()) {
        if (!listed.contains(id)) all.push_back({id, *content.pack(id), content.progress(id)});
    }
    std::ranges::stable_sort(all, std::ranges::greater{},
                             [](const PackItem& one) { return one.pack.pack.published_ms; });
    return all;
}

std::optional<PackItem> Queries::pack(const Hash& id) const {
    const Community* community = community_of(*node_);
    if (community == nullptr || community->catalogue() == nullptr) return std::nullopt;
    const protocol::SignedPack* pack = community->catalogue()->pack(id);
    if (pack == nullptr) pack = community->content()->pack(id);
    if (pack == nullptr) return std::nullopt;
    return PackItem{id, *pack, community->content()->progress(id)};
}

std::optional<protocol::PackContents> Queries::pack_contents(const Hash& id) const {
    const Community* community = community_of(*node_);
    if (community == nullptr || community->content() == nullptr) return std::nullopt;
    const protocol::PackContents* contents = community->content()->contents(id);
    return contents == nullptr ? std::nullopt : std::optional(*contents);
}

std::optional<Bytes> Queries::piece(const Hash& piece) const {
    const Community* community = community_of(*node_);
    if (community == nullptr || community->content() == nullptr) return std::nullopt;
    return community->content()->piece(piece);
}

std::vector<protocol::SignedTag> Queries::tags() const {
    const Community* community = community_of(*node_);
    if (community == nullptr || community->catalogue() == nullptr) return {};
    return community->catalogue()->tags();
}

std::vector<protocol::SignedContribution> Queries::contributions() const {
    const Community* community = community_of(*node_);
    if (community == nullptr || community->catalogue() == nullptr) return {};
    return community->catalogue()->contributions();
}

std::optional<protocol::SignedContribution> Queries::contribution(const Hash& id) const {
    const Community* community = community_of(*node_);
    if (community == nullptr || community->catalogue() == nullptr) return std::nullopt;
    const auto* held = community->catalogue()->contribution(id);
    return held == nullptr ? std::nullopt : std::optional(*held);
}

std::optional<org::ChatLog::Next> Queries::next_line(const Id& author) const {
    const Community* community = community_of(*node_);
    if (community == nullptr || community->chat() == nullptr) return std::nullopt;
    return community->chat()->next(author);
}

}  // namespace leither::node
