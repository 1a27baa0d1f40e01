#include "leither/protocol/record.h"

#include <algorithm>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/ballot.h"
#include "leither/protocol/domain_tags.h"

#include "rising.h"

namespace leither::protocol {

namespace {

std::optional<Amount> sum_of(const MemberRecord& record) {
    std::optional<Amount> sum = record.balance;
    for (const Lock& lock : record.locks) {
        if (sum) sum = sum->plus(lock.amount);
    }
    return sum;
}

std::optional<Amount> sum_of(const TreasuryRecord& record) {
    std::optional<Amount> sum = record.balance;
    for (const PendingReward& reward : record.pending) {
        if (sum) sum = sum->plus(reward.amount);
    }
    return sum;
}

// Neither the organization's own records nor votes hold credit.
template <class Other>
std::optional<Amount> sum_of(const Other&) {
    return Amount{};
}

}  // namespace

const char* to_string(Role role) {
    switch (role) {
        case Role::member: return "member";
        case Role::supervisor: return "supervisor";
    }
    UNREACHABLE();
}

const char* to_string(RewardKind kind) {
    switch (kind) {
        case RewardKind::structural: return "structural";
        case RewardKind::service: return "service";
        case RewardKind::operation: return "operation";
        case RewardKind::mining: return "mining";
    }
    UNREACHABLE();
}

const char* to_string(Outcome outcome) {
    switch (outcome) {
        case Outcome::open: return "open";
        case Outcome::passed: return "passed";
        case Outcome::rejected: return "rejected";
        case Outcome::unpaid: return "unpaid";
    }
    UNREACHABLE();
}

bool MemberRecord::is_canonical() const {
    return strictly_rising(lanes, &Lane::lane) && strictly_rising(voted, std::identity{});
}

std::uint64_t MemberRecord::next_counter(std::uint8_t lane) const {
    const auto used = std::ranges::find(lanes, lane, &Lane::lane);
    return used == lanes.end() ? first_counter() : used->next;
}

bool BookkeepingRecord::is_canonical() const {
    return strictly_rising(supervisors, std::identity{});
}

Id vote_id(const ChainId& chain, const Id& proposer, std::uint8_t lane, std::uint64_t counter) {
    bcs::Writer out;
    bcs::write(out, proposer);
    bcs::write(out, lane);
    bcs::write(out, counter);
    const Hash hash = crypto::tagged_hash(tags::kVoteId, chain, out.view());
    return Id::copy_of(hash.view().first(Id::kSize));
}

std::uint64_t quorum_of(std::uint64_t members) {
    return std::max<std::uint64_t>(members / 3 + (members % 3 != 0), 1);
}

std::uint64_t majority_of(std::uint64_t yes, std::uint64_t no) {
    return static_cast<std::uint64_t>(((Uint128{yes} + no) * 2 + 2) / 3);
}

bool is_passed(std::uint64_t yes, std::uint64_t no, std::uint64_t members) {
    return yes >= quorum_of(members) && yes >= majority_of(yes, no);
}

std::optional<Amount> sum_of(const Record& record) {
    return std::visit([](const auto& held) { return sum_of(held); }, record);
}

std::optional<Amount> sum_of_encoded(ByteView record) {
    const auto decoded = bcs::decode<Record>(record);
    if (!decoded) return std::nullopt;
    return sum_of(*decoded);
}

}  // namespace leither::protocol
