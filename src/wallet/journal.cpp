#include "leither/wallet/journal.h"

#include <algorithm>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/wallet/handed.h"

namespace leither::wallet {

namespace {

// A letter, a request and some ids, in hexadecimal.
constexpr std::size_t kLineMax = 2 * (protocol::kSealedLetterBytesMax + 4096);
// A file that would lose less is not written anew.
constexpr std::size_t kCompactedSavingMin = 64;

std::uint64_t time_of(const JournalRecord& record) {
    return std::visit([](const auto& held) { return held.at_ms; }, record);
}

bool is_sound(const JournalRecord& record) {
    const auto* paying = std::get_if<Paying>(&record);
    return paying == nullptr ||
           std::holds_alternative<protocol::Transfer>(paying->transaction.body.action);
}

std::optional<JournalRecord> record_of(std::string_view line) {
    if (line.size() > kLineMax) return std::nullopt;
    const auto bytes = from_hex(line);
    if (!bytes) return std::nullopt;
    auto record = bcs::decode<JournalRecord>(*bytes);
    if (!record || !is_sound(*record)) return std::nullopt;
    return *std::move(record);
}

}  // namespace

std::string to_line(const JournalRecord& record) {
    return to_hex(bcs::encode(record)) + "\n";
}

const char* to_string(JournalError error) {
    switch (error) {
        case JournalError::unknown_version: return "unknown_version";
        case JournalError::too_long: return "too_long";
        case JournalError::damaged: return "damaged";
    }
    UNREACHABLE();
}

const protocol::PaymentRequest& request_of(const Paying& paying) {
    return request_of(paying.transaction);
}

Result<Journal, JournalError> Journal::parse(std::string_view text) {
    Journal journal;
    if (text.size() > kJournalBytesMax) return fail(JournalError::too_long);
    // Cut off within the heading: the very first write, of which nobody was told.
    if (text.size() < kJournalHeading.size() && kJournalHeading.starts_with(text)) return journal;
    if (!text.starts_with(kJournalHeading)) return fail(JournalError::unknown_version);
    text.remove_prefix(kJournalHeading.size());
    for (std::size_t end = 0; (end = text.find('\n')) != text.npos; text.remove_prefix(end + 1)) {
        auto record = record_of(text.substr(0, end));
        if (!record) return fail(JournalError::damaged);
        journal.add(*std::move(record));
    }
    return journal;
}

void Journal::add(JournalRecord record) {
    std::visit([this](const auto& held) { index(held); }, record);
    records_.push_back(std::move(record));
}

void Journal::index(const Asked& record) {
    OwnRequest own;
    own.asked = record;
    asked_.insert_or_assign(request_id(record.request), std::move(own));
}

void Journal::index(const Paying& record) {
    const Hash request = request_id(record.chain, request_of(record));
    not_taken_.erase(request);
    paying_.insert_or_assign(request, record);
}

void Journal::index(const Declined& record) {
    declined_.insert_or_assign(record.decline.request, record);
}

void Journal::index(const Posted& record) {
    posted_.insert_or_assign(record.request, record.message);
    const auto own = asked_.find(record.request);
    if (own != asked_.end()) own->second.message = record.message;
}

void Journal::index(const Refused& record) {
    const auto own = asked_.find(record.request);
    if (own != asked_.end()) own->second.refusal = record.reason;
}

void Journal::index(const NotTaken& record) {
    not_taken_.insert_or_assign(record.request, record);
}

const NotTaken* Journal::not_taken(const Hash& request) const {
    const auto found = not_taken_.find(request);
    return found == not_taken_.end() ? nullptr : &found->second;
}

const Journal::OwnRequest* Journal::asked(const Hash& request) const {
    const auto found = asked_.find(request);
    return found == asked_.end() ? nullptr : &found->second;
}

const Paying* Journal::paying(const Hash& request) const {
    const auto found = paying_.find(request);
    return found == paying_.end() ? nullptr : &found->second;
}

const Declined* Journal::declined(const Hash& request) const {
    const auto found = declined_.find(request);
    return found == declined_.end() ? nullptr : &found->second;
}

std::vector<const Journal::OwnRequest*> Journal::own_requests() const {
    std::vector<const OwnRequest*> all;
    for (const auto& entry : asked_) all.push_back(&entry.second);
    std::ranges::stable_sort(all, {}, [](const OwnRequest* own) { return own->asked.at_ms; });
    return all;
}

std::vector<const Paying*> Journal::payments() const {
    std::vector<const Paying*> all;
    for (const auto& entry : paying_) all.push_back(&entry.second);
    std::ranges::stable_sort(all, {}, [](const Paying* paying) { return paying->at_ms; });
    return all;
}

std::vector<Journal::Unposted> Journal::unposted(const ChainId& chain) const {
    std::vector<Unposted> all;
    for (const auto& [request, own] : asked_) {
        if (own.asked.request.chain != chain) continue;
        if (own.asked.letter && !own.message) all.push_back({request, *own.asked.letter});
    }
    for (const auto& [request, declined] : declined_) {
        if (declined.decline.chain != chain) continue;
        if (declined.letter && !posted_.contains(request)) {
            all.push_back({request, *declined.letter});
        }
    }
    return all;
}

Amount Journal::spent_by_policy(const Window& window) const {
    Amount sum;
    for (const auto& [id, paying] : paying_) {
        const auto& request = request_of(paying);
        const bool counts = paying.cause == Cause::by_policy && paying.chain == window.chain &&
                            request.payee == window.payee && paying.at_ms >= window.since_ms &&
                            id != window.except;
        if (!counts) continue;
        // More than any supply: then nothing is left of a day's share either.
        sum = sum.plus(request.amount).value_or(Amount::of(Amount::kMax));
    }
    return sum;
}

std::optional<std::string> Journal::compacted(std::uint64_t now_ms) const {
    const auto is_old = [now_ms](const JournalRecord& record) {
        return time_of(record) + kKeptMs < now_ms;
    };
    const auto old = static_cast<std::size_t>(std::ranges::count_if(records_, is_old));
    if (old < kCompactedSavingMin || old * 2 < records_.size()) return std::nullopt;
    std::string text(kJournalHeading);
    for (const JournalRecord& record : records_) {
        if (!is_old(record)) text += to_line(record);
    }
    return text;
}

}  // namespace leither::wallet
