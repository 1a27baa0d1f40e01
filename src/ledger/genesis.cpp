#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/crypto/sign.h"
#include "leither/ledger/cycle.h"
#include "leither/ledger/execute.h"
#include "leither/ledger/invariants.h"
#include "leither/protocol/domain_tags.h"

#include "rules/leaf.h"

namespace leither::ledger {

namespace {

using protocol::Allocation;
using protocol::Charter;
using protocol::Genesis;
using protocol::MemberRecord;
using store::Fault;

bool all_different(std::vector<PublicKey> keys) {
    std::ranges::sort(keys);
    return std::ranges::adjacent_find(keys) == keys.end();
}

std::vector<PublicKey> keys_of(const protocol::Allocations& allocations) {
    std::vector<PublicKey> keys;
    for (const Allocation& allocation : allocations) keys.push_back(allocation.key);
    return keys;
}

Result<void, GenesisError> check_charter(const protocol::SignedCharter& signed_charter) {
    const Charter& charter = signed_charter.charter;
    if (!crypto::verify(charter.organization, signing_message(charter), signed_charter.signature)) {
        return fail(GenesisError::bad_signature);
    }
    if (protocol::out_of_bounds(charter.params) != nullptr) {
        return fail(GenesisError::parameter_out_of_bounds);
    }
    if (charter.decimals > kDecimalsMax) return fail(GenesisError::bad_decimals);
    if (charter.bookkeepers.empty()) return fail(GenesisError::no_bookkeeper);
    if (!all_different(charter.bookkeepers)) return fail(GenesisError::duplicate_key);
    return {};
}

std::optional<Amount> total(const protocol::Allocations& allocations) {
    std::optional<Amount> sum = Amount{};
    for (const Allocation& allocation : allocations) {
        if (sum) sum = sum->plus(allocation.amount);
    }
    return sum;
}

bool touches_reserved_account(const Genesis& genesis) {
    const Organization organization = organization_of(genesis.charter.charter);
    std::vector<PublicKey> members = keys_of(genesis.allocations);
    members.push_back(genesis.charter.charter.founder);
    return std::ranges::any_of(members, [&organization](const PublicKey& key) {
        const Id id = crypto::id_of(key);
        return id == organization.treasury || id == organization.bookkeeping ||
               id == organization.election || id == organization.candidates ||
               id == organization.tally;
    });
}

Result<void, GenesisError> check_allocations(const Genesis& genesis) {
    const Charter& charter = genesis.charter.charter;
    if (!all_different(keys_of(genesis.allocations))) return fail(GenesisError::duplicate_key);
    if (charter.allocations != allocations_hash(genesis.allocations)) {
        return fail(GenesisError::allocations_mismatch);
    }
    const auto sum = total(genesis.allocations);
    if (!sum || *sum > charter.supply) return fail(GenesisError::allocations_exceed_supply);
    if (touches_reserved_account(genesis)) return fail(GenesisError::reserved_account);
    const auto has_no_reason = [](const Allocation& line) { return line.reason.empty(); };
    if (std::ranges::any_of(genesis.allocations, has_no_reason)) {
        return fail(GenesisError::missing_reason);
    }
    return {};
}

// No transaction creates the first members, so the key stands in its id's place in the salt.
MemberRecord first_record(const ChainId& chain, const PublicKey& key) {
    MemberRecord record;
    record.key = key;
    const Hash cause = crypto::tagged_hash(protocol::tags::kAllocation, chain, key.view());
    record.salt = rules::next_salt(chain, Salt{}, cause);
    return record;
}

Result<void, Fault> create_members(State& state, const Genesis& genesis) {
    const Organization& organization = state.organization();
    const Id founder = crypto::id_of(organization.charter.founder);
    TRY(state.load(founder));
    MemberRecord record = first_record(organization.chain, organization.charter.founder);
    record.role = protocol::Role::supervisor;
    state.create_member(founder, record);

    for (const Allocation& allocation : genesis.allocations) {
        const Id id = crypto::id_of(allocation.key);
        TRY(state.load(id));
        if (id != founder)
            state.create_member(id, first_record(organization.chain, allocation.key));
        state.member_for_change(id)->balance = allocation.amount;
    }
    return {};
}

protocol::TreasuryRecord first_treasury(const Genesis& genesis) {
    protocol::TreasuryRecord treasury;
    treasury.balance =
        rules::difference(genesis.charter.charter.supply, *total(genesis.allocations));
    treasury.day_base = treasury.balance;  // pulse 0 opens day 0
    return treasury;
}

protocol::BookkeepingRecord first_bookkeeping(const Genesis& genesis) {
    const Charter& charter = genesis.charter.charter;
    const bool founder_has_line =
        std::ranges::count(genesis.allocations, charter.founder, &Allocation::key) > 0;
    protocol::BookkeepingRecord bookkeeping;
    bookkeeping.params = charter.params;
    bookkeeping.supervisors.push_back(crypto::id_of(charter.founder));
    bookkeeping.members = genesis.allocations.size() + (founder_has_line ? 0 : 1);
    return bookkeeping;
}

}  // namespace

const char* to_string(GenesisError error) {
    switch (error) {
        case GenesisError::bad_signature: return "bad_signature";
        case GenesisError::parameter_out_of_bounds: return "parameter_out_of_bounds";
        case GenesisError::bad_decimals: return "bad_decimals";
        case GenesisError::no_bookkeeper: return "no_bookkeeper";
        case GenesisError::duplicate_key: return "duplicate_key";
        case GenesisError::allocations_mismatch: return "allocations_mismatch";
        case GenesisError::allocations_exceed_supply: return "allocations_exceed_supply";
        case GenesisError::reserved_account: return "reserved_account";
        case GenesisError::missing_reason: return "missing_reason";
    }
    UNREACHABLE();
}

Result<void, GenesisError> check(const Genesis& genesis) {
    TRY(check_charter(genesis.charter));
    return check_allocations(genesis);
}

Result<Executed, Fault> execute_genesis(const Organization& organization, tree::Tree& tree,
                                        const Genesis& genesis) {
    State state(organization, tree);
    TRY(state.load_system());
    TRY(state.load(organization.candidates));
    state.create_system({first_treasury(genesis), first_bookkeeping(genesis),
                         first_election(genesis.charter.charter, organization.chain)});
    TRY(create_members(state, genesis));
    tree::Tree::Update update = TRY(tree.prepare(state.changes(), Sequence(0)));
    check_invariants(state, update.version().root);

    BlockHeader header;  // sequence 0, pulse 0
    header.parent = Hash::copy_of(organization.chain.view());
    header.root = update.version().root;
    header.transactions = protocol::transactions_hash(organization.chain, Transactions{});
    return Executed{header, std::move(update)};
}

}  // namespace leither::ledger
