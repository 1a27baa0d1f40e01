#include "leither/org/address_book.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

namespace leither::org {

using protocol::Delegations;
using protocol::RecordError;
using protocol::SignedDelegation;
using protocol::SignedRoutingRecord;

namespace {

Bytes name_of(const Id& node, const Id& account) {
    Bytes name(node.view().begin(), node.view().end());
    name.insert(name.end(), account.view().begin(), account.view().end());
    return name;
}

}  // namespace

AddressBook::AddressBook(Options options, const ChainId& chain, const Members& members,
                         ByteView prefix)
    : options_(options),
      chain_(chain),
      members_(members),
      records_shelf_(prefix, ShelfKind::record),
      delegations_shelf_(prefix, ShelfKind::delegation) {
    CHECK(options.nodes_max > 0 && options.nodes_per_account_max > 0);
}

Result<void, store::Fault> AddressBook::load(const store::Reader& reader, Instant now) {
    GatheredWrites stale;  // what has expired meanwhile
    TRY(records_shelf_.load<SignedRoutingRecord>(reader,
                                                 [&](ByteView name, SignedRoutingRecord&& record) {
                                                     if (!record.record.validity.holds(now))
                                                         records_shelf_.erase(stale, name);
                                                     static_cast<void>(accept(record, now));
                                                 }));
    TRY(delegations_shelf_.load<SignedDelegation>(
        reader, [&](ByteView name, SignedDelegation&& delegation) {
            if (!delegation.delegation.validity.holds(now)) delegations_shelf_.erase(stale, name);
            const PublicKey node = delegation.delegation.node;
            introduce(node, Delegations{delegation}, now);
        }));
    writes_ = std::move(stale);  // what was read needs no writing
    return {};
}

Result<AddressBook::News, RecordError> AddressBook::accept(const SignedRoutingRecord& record,
                                                           Instant now) {
    const Id id = crypto::id_of(record.record.node);
    const auto known = nodes_.find(id);
    if (known != nodes_.end() && known->second.record) {
        const auto held = known->second.record->record.validity.issued_ms;
        const auto issued = record.record.validity.issued_ms;
        if (issued == held) return News::none;
        if (issued < held) return News::older;
    }
    TRY(check(record, chain_, now));
    const PublicKey& key = record.record.node;
    const Delegations delegations = holding(key, delegations_of(record.record), now);
    Node* node = place(key, shows_member(delegations, now), now);
    if (node == nullptr) return News::none;
    node->record = record;
    records_shelf_.put(writes_, id.view(), record);
    for (const SignedDelegation& delegation : delegations) serve(*node, delegation);
    return News::newer;
}

std::size_t AddressBook::introduce(const PublicKey& node, const Delegations& shown, Instant now) {
    const Delegations delegations = holding(node, shown, now);
    if (delegations.empty()) return 0;
    Node* placed = place(node, shows_member(delegations, now), now);
    if (placed == nullptr) return 0;
    for (const SignedDelegation& delegation : delegations) serve(*placed, delegation);
    return delegations.size();
}

Delegations AddressBook::holding(const PublicKey& node, const Delegations& delegations,
                                 Instant now) const {
    Delegations out;
    for (const SignedDelegation& delegation : delegations) {
        if (delegation.delegation.node == node && check(delegation, chain_, now)) {
            out.push_back(delegation);
        }
    }
    return out;
}

bool AddressBook::shows_member(const Delegations& delegations, Instant now) const {
    return std::ranges::any_of(delegations, [this, now](const SignedDelegation& delegation) {
        return members_.is_member(crypto::id_of(delegation.delegation.account), now);
    });
}

AddressBook::Node* AddressBook::place(const PublicKey& key, bool is_member, Instant now) {
    const Id id = crypto::id_of(key);
    const auto known = nodes_.find(id);
    if (known != nodes_.end()) {
        known->second.heard = now;
        return &known->second;
    }
    if (nodes_.size() >= options_.nodes_max && !make_room(is_member, now)) return nullptr;
    Node& node = nodes_[id];
    node.key = key;
    node.heard = now;
    return &node;
}

bool AddressBook::make_room(bool for_member, Instant now) {
    auto worst = nodes_.end();
    bool worst_is_member = true;
    for (auto node = nodes_.begin(); node != nodes_.end(); ++node) {
        const bool member = is_members(node->second, now);
        const bool worse = worst == nodes_.end() || (worst_is_member && !member) ||
                           (worst_is_member == member && node->second.heard < worst->second.heard);
        if (!worse) continue;
        worst = node;
        worst_is_member = member;
    }
    if (worst_is_member && !for_member) return false;
    forget(worst);
    return true;
}

void AddressBook::serve(Node& node, const SignedDelegation& delegation) {
    const Id account = crypto::id_of(delegation.delegation.account);
    const auto known = node.accounts.find(account);
    if (known != node.accounts.end()) {
        const auto held = known->second.delegation.validity.issued_ms;
        if (held >= delegation.delegation.validity.issued_ms) return;
    } else if (node.accounts.size() >= protocol::kServedAccountsMax) {
        const auto first = std::ranges::min_element(node.accounts, {}, [](const auto& served) {
            return served.second.delegation.validity.issued_ms;
        });
        forget_account(node, first->first);
    }
    node.accounts[account] = delegation;
    const Id id = crypto::id_of(node.key);
    nodes_by_account_[account].insert(id);
    delegations_shelf_.put(writes_, name_of(id, account), delegation);
}

void AddressBook::forget_account(Node& node, const Id& account) {
    const Id id = crypto::id_of(node.key);
    const auto nodes = nodes_by_account_.find(account);
    CHECK(nodes != nodes_by_account_.end());
    nodes->second.erase(id);
    if (nodes->second.empty()) nodes_by_account_.erase(nodes);
    delegations_shelf_.erase(writes_, name_of(id, account));
    node.accounts.erase(account);
}

void AddressBook::forget(Nodes::iterator node) {
    while (!node->second.accounts.empty()) {
        forget_account(node->second, Id(node->second.accounts.begin()->first));
    }
    records_shelf_.erase(writes_, node->first.view());
    nodes_.erase(node);
}

void AddressBook::expire(Instant now) {
    expired_at_ = now;
    for (auto node = nodes_.begin(); node != nodes_.end();) {
        auto& [id, held] = *node;
        std::vector<Id> over;
        for (const auto& [account, served] : held.accounts) {
            if (!served.delegation.validity.holds(now)) over.push_back(account);
        }
        for (const Id& account : over) forget_account(held, account);
        if (held.record && !held.record->record.validity.holds(now)) {
            held.record.reset();
            records_shelf_.erase(writes_, id.view());
        }
        const auto next = std::next(node);
        if (!held.record && held.accounts.empty()) nodes_.erase(node);
        node = next;
    }
}

bool AddressBook::is_members(const Node& node, Instant now) const {
    if (members_.is_keeper(crypto::id_of(node.key))) return true;
    return std::ranges::any_of(node.accounts, [this, now](const auto& served) {
        return served.second.delegation.validity.holds(now) &&
               members_.is_member(served.first, now);
    });
}

bool AddressBook::is_member(const Id& account, Instant now) const {
    return members_.is_member(account, now);
}

bool AddressBook::is_members_node(const Id& node, Instant now) const {
    const auto known = nodes_.find(node);
    return members_.is_keeper(node) || (known != nodes_.end() && is_members(known->second, now));
}

std::vector<Id> AddressBook::nodes_of(const Id& account, Instant now) const {
    const auto known = nodes_by_account_.find(account);
    if (known == nodes_by_account_.end()) return {};
    std::vector<std::pair<std::uint64_t, Id>> serving;
    for (const Id& node : known->second) {
        const auto& validity = nodes_.at(node).accounts.at(account).delegation.validity;
        if (validity.holds(now)) serving.emplace_back(validity.issued_ms, node);
    }
    std::ranges::sort(serving, std::ranges::greater{});
    if (serving.size() > options_.nodes_per_account_max) {
        serving.resize(options_.nodes_per_account_max);
    }
    std::vector<Id> nodes;
    for (const auto& [issued, node] : serving) nodes.push_back(node);
    return nodes;
}

const SignedRoutingRecord* AddressBook::record(const Id& node, Instant now) const {
    const auto known = nodes_.find(node);
    const bool has = known != nodes_.end() && known->second.record &&
                     known->second.record->record.validity.holds(now);
    return has ? &*known->second.record : nullptr;
}

std::optional<PublicKey> AddressBook::account_key(const Id& account) const {
    const auto known = nodes_by_account_.find(account);
    if (known == nodes_by_account_.end()) return std::nullopt;
    return nodes_.at(*known->second.begin()).accounts.at(account).delegation.account;
}

Delegations AddressBook::delegations_of(const Id& node) const {
    Delegations out;
    const auto known = nodes_.find(node);
    if (known == nodes_.end()) return out;
    for (const auto& [account, delegation] : known->second.accounts) out.push_back(delegation);
    return out;
}

std::vector<Id> AddressBook::members_nodes(Instant now) const {
    std::vector<Id> nodes;
    for (const auto& [id, node] : nodes_) {
        if (is_members(node, now)) nodes.push_back(id);
    }
    return nodes;
}

std::vector<protocol::RecordNotice> AddressBook::notices(const Id& from, std::size_t max,
                                                         Instant now) const {
    std::vector<protocol::RecordNotice> notices;
    for (auto node = nodes_.lower_bound(from); node != nodes_.end(); ++node) {
        if (notices.size() >= max) break;
        const auto& held = node->second.record;
        if (!held || !held->record.validity.holds(now)) continue;
        notices.push_back({node->first, held->record.validity.issued_ms});
    }
    return notices;
}

std::optional<Instant> AddressBook::next_deadline() const {
    if (nodes_.empty()) return std::nullopt;
    return expired_at_ + options_.expire_interval;
}

void AddressBook::check_invariants() const {
    CHECK(nodes_.size() <= options_.nodes_max);
    std::size_t served = 0;
    for (const auto& [id, node] : nodes_) {
        CHECK(crypto::id_of(node.key) == id);
        CHECK(node.record || !node.accounts.empty());
        CHECK(node.accounts.size() <= protocol::kServedAccountsMax);
        served += node.accounts.size();
        for (const auto& [account, delegation] : node.accounts) {
            CHECK(delegation.delegation.node == node.key);
            CHECK(nodes_by_account_.at(account).contains(id));
        }
    }
    std::size_t indexed = 0;
    for (const auto& [account, nodes] : nodes_by_account_) indexed += nodes.size();
    CHECK(indexed == served);
}

}  // namespace leither::org
