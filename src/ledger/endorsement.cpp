#include "leither/ledger/endorsement.h"

#include <algorithm>

#include "leither/codec/bcs.h"

namespace leither::ledger {

namespace {

using protocol::HolderKind;
using protocol::Holding;
using protocol::Record;
using store::Fault;

// Leaves below the prefix; `limit` if there are more.
Result<std::size_t, Fault> count_below(const tree::Tree& tree, const tree::Version& version,
                                       const Prefix& prefix, std::size_t limit) {
    std::size_t count = 0;
    TRY(tree.walk_at(version, prefix.id, [&](const Id& id, ByteView, Amount) {
        if (!prefix.covers(id) || count == limit) return tree::Visit::stop;
        ++count;
        return tree::Visit::go_on;
    }));
    return count;
}

Prefix beside(const Id& id, unsigned depth) {
    Prefix sibling{prefix_of(id, depth + 1), static_cast<std::uint8_t>(depth + 1)};
    sibling.id[depth / 8] = static_cast<std::uint8_t>(sibling.id[depth / 8] ^ 0x80U >> (depth % 8));
    return sibling;
}

// What the path to an account ends at, as a prefix of all that lies there.
struct EndOf {
    const Id& account;
    Prefix operator()(const tree::Presence&) const { return whole(account); }
    Prefix operator()(const tree::EmptyTree&) const { return {}; }
    Prefix operator()(const tree::OtherLeaf& end) const { return whole(end.id); }
    Prefix operator()(const tree::OtherNode& end) const { return {end.prefix, end.depth}; }
    static Prefix whole(const Id& id) { return {id, static_cast<std::uint8_t>(kIdBits)}; }
};

struct HoldingOf {
    Amount sum;
    Holding operator()(const protocol::MemberRecord& member) const {
        return of(HolderKind::member, member.balance);
    }
    Holding operator()(const protocol::TreasuryRecord& treasury) const {
        return of(HolderKind::treasury, treasury.balance);
    }
    Holding operator()(const auto&) const { return of(HolderKind::system, sum); }
    Holding of(HolderKind kind, Amount balance) const {
        const auto frozen = sum.minus(balance);
        CHECK(frozen.has_value(), "a record's sum holds its balance");
        return {kind, balance, *frozen};
    }
};

tl::unexpected<Fault> corrupt(const char* what) {
    return fail(Fault{Fault::Kind::corrupt, what});
}

}  // namespace

Result<Prefix, Fault> branch_to_show(const tree::Tree& tree, const tree::Version& version,
                                     const Id& account) {
    const auto proof = TRY(tree.prove_at(version, account));
    const tree::Path& path = proof.path;
    if (path.empty()) return Prefix{};
    // From below, to where enough accounts lie.
    const Prefix end = std::visit(EndOf{account}, proof.end);
    std::size_t found = TRY(count_below(tree, version, end, kOpaqueAccountsMin));
    std::size_t branch = path.size();  // the step whose node it is; behind the last: the end
    while (found < kOpaqueAccountsMin && branch > 0) {
        --branch;
        const Prefix sibling = beside(account, path[branch].depth);
        found += TRY(count_below(tree, version, sibling, kOpaqueAccountsMin - found));
    }
    // From above, no further than siblings may be seen.
    for (std::size_t i = 0; i < branch; ++i) {
        const Prefix sibling = beside(account, path[i].depth);
        const std::size_t beside_it = TRY(count_below(tree, version, sibling, kOpaqueAccountsMin));
        if (beside_it < kOpaqueAccountsMin) branch = i;
    }
    const unsigned bits = branch < path.size() ? path[branch].depth : common_bits(end.id, account);
    return Prefix{prefix_of(account, bits), static_cast<std::uint8_t>(bits)};
}

Result<Endorsable, Fault> endorsable(const Organization& organization, const tree::Tree& tree,
                                     const Seal& seal, std::uint64_t cycle, const Id& account) {
    const tree::Version version = version_of(seal);
    Endorsable made;
    protocol::EndorsementClaim& claim = made.claim;
    const Prefix branch = TRY(branch_to_show(tree, version, account));
    claim.slot = {cycle, branch, seal.header.sequence, 0};
    claim.block = hash_as_parent(organization.chain, seal.header);
    claim.account = account;
    auto proof = TRY(tree.prove_at(version, claim.slot.branch));
    const auto synopsis = tree::verify(proof, seal.header.root, organization.charter.supply);
    if (!synopsis) return corrupt("a branch does not lead to the root");
    claim.synopsis = *synopsis;
    made.path = std::move(proof.path);
    const auto leaf = TRY(tree.read_at(version, account));
    if (!leaf) return made;
    const auto record = bcs::decode<Record>(leaf->record);
    const auto sum = record ? protocol::sum_of(*record) : std::nullopt;
    if (!sum) return corrupt("a record does not decode");
    claim.holding = std::visit(HoldingOf{*sum}, *record);
    return made;
}

}  // namespace leither::ledger
