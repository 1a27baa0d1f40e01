#include "leither/protocol/record.h"

#include <algorithm>

#include "leither/codec/bcs.h"

namespace leither::protocol {

namespace {

bool strictly_rising(const auto& items, auto key) {
    return std::ranges::adjacent_find(items, std::ranges::greater_equal{}, key) == items.end();
}

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

std::optional<Amount> sum_of(const BookkeepingRecord&) {
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

bool MemberRecord::is_canonical() const {
    return strictly_rising(lanes, &Lane::lane);
}

std::uint64_t MemberRecord::next_counter(std::uint8_t lane) const {
    const auto used = std::ranges::find(lanes, lane, &Lane::lane);
    return used == lanes.end() ? first_counter() : used->next;
}

bool BookkeepingRecord::is_canonical() const {
    return strictly_rising(supervisors, std::identity{});
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
