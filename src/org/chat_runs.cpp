#include "chat_runs.h"

#include <algorithm>
#include <tuple>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

namespace leither::org {

using protocol::SignedLine;

namespace {

constexpr unsigned kOlderTries = 3;

// Names sort as numbers do.
Bytes name_of(const Id& author, std::uint64_t number) {
    Bytes name(author.view().begin(), author.view().end());
    for (unsigned shift = 64; shift > 0; shift -= 8) {
        name.push_back(static_cast<std::uint8_t>(number >> (shift - 8)));
    }
    return name;
}

bool follows(const KeptLine& line, const KeptLine& before) {
    return line.number() == before.number() + 1 && line.line.line.previous == before.hash;
}

bool is_answer(Origin origin) {
    return origin == Origin::told || origin == Origin::told_from_first || origin == Origin::found;
}

}  // namespace

const KeptLine* Run::at(std::uint64_t number) const {
    if (number < first() || number > last()) return nullptr;
    return &lines[static_cast<std::size_t>(number - first())];
}

ChatRuns::ChatRuns(const ChatOptions& options, const ChainId& chain, Shelf shelf)
    : options_(options), chain_(chain), shelf_(std::move(shelf)) {
    CHECK(options.lines_per_author_max > kBurstLines);
    CHECK(options.lines_max >= options.lines_per_author_max && options.authors_max > 0);
}

Result<void, store::Fault> ChatRuns::load(const store::Reader& reader) {
    GatheredWrites unused;
    return shelf_.load<SignedLine>(reader, [&](ByteView, SignedLine&& stored) {
        const Id author = crypto::id_of(stored.line.author);
        const KeptLine line{stored, line_hash(chain_, stored.line)};
        const Run* run = find(author);
        const bool fits =
            run == nullptr ? runs_.size() < options_.authors_max : follows(line, run->lines.back());
        if (!fits) return;
        append(author, line, unused);
        const auto grown = runs_.find(author);  // there was room for the line, or there was not
        if (grown != runs_.end() && grown->second.first() > 1) {
            grown->second.older_tries = kOlderTries;
        }
    });
}

const Run* ChatRuns::find(const Id& author) const {
    const auto run = runs_.find(author);
    return run == runs_.end() ? nullptr : &run->second;
}

bool ChatRuns::knows(const KeptLine& line) const {
    const Run* run = find(crypto::id_of(line.line.line.author));
    const KeptLine* kept = run == nullptr ? nullptr : run->at(line.number());
    return kept != nullptr && kept->hash == line.hash;
}

Result<void, ChatRefusal> ChatRuns::take(const KeptLine& line, Origin origin,
                                         GatheredWrites& writes) {
    if (knows(line)) return fail(ChatRefusal::known);
    const Id author = crypto::id_of(line.line.line.author);
    const Run* run = find(author);
    if (run == nullptr) return begin(author, line, origin, writes);
    if (line.number() < run->first()) return fail(ChatRefusal::too_old);
    if (line.number() <= run->last()) return replace(author, line, origin, writes);
    if (line.number() == run->last() + 1) return extend(author, line, origin, writes);
    return jump(author, line, origin, writes);
}

Result<void, ChatRefusal> ChatRuns::begin(const Id& author, const KeptLine& line, Origin origin,
                                          GatheredWrites& writes) {
    const bool is_start = line.number() == 1 || is_answer(origin);
    if (!is_start) return fail(ChatRefusal::gap);
    if (runs_.size() >= options_.authors_max) {
        const auto silent = longest_silent();
        if (silent->second.lines.back().time_ms() >= line.time_ms()) {
            return fail(ChatRefusal::too_old);
        }
        const Id gone = silent->first;
        while (runs_.contains(gone)) drop_front(gone, writes);
    }
    start_run(author, line, origin, writes);
    return {};
}

void ChatRuns::start_run(const Id& author, const KeptLine& line, Origin origin,
                         GatheredWrites& writes) {
    append(author, line, writes);
    const auto begun = runs_.find(author);
    const bool midway = origin == Origin::found && line.number() > 1;
    if (midway && begun != runs_.end()) begun->second.older_tries = kOlderTries;
}

bool ChatRuns::seeks_older(const Run& run) const {
    return run.older_tries > 0 && run.first() > 1 &&
           run.lines.size() < options_.lines_per_author_max && lines_ < options_.lines_max;
}

// How fast they were said need not be judged: the chain of hashes leaves no choice among them.
std::size_t ChatRuns::prepend(const Id& author, std::vector<KeptLine> lines,
                              GatheredWrites& writes) {
    Run& run = runs_.at(author);
    const std::size_t room =
        std::min(options_.lines_per_author_max - run.lines.size(), options_.lines_max - lines_);
    if (lines.size() > room) lines.erase(lines.begin(), lines.end() - static_cast<long>(room));
    if (lines.empty()) return 0;
    std::deque<KeptLine> joined(lines.begin(), lines.end());
    joined.insert(joined.end(), run.lines.begin(), run.lines.end());
    for (std::size_t i = 1; i <= lines.size(); ++i) {
        const bool holds =
            follows(joined[i], joined[i - 1]) && joined[i].time_ms() >= joined[i - 1].time_ms();
        if (!holds) return 0;
    }
    run.lines = std::move(joined);
    lines_ += lines.size();
    for (const KeptLine& line : lines)
        shelf_.put(writes, name_of(author, line.number()), line.line);
    return lines.size();
}

Result<void, ChatRefusal> ChatRuns::extend(const Id& author, const KeptLine& line, Origin origin,
                                           GatheredWrites& writes) {
    Run& run = runs_.at(author);
    if (!follows(line, run.lines.back())) {
        // Where the two chains part will show in an answer from our first line on.
        if (origin != Origin::told_from_first) return fail(ChatRefusal::gap);
        return jump(author, line, origin, writes);
    }
    TRY(check_pace(run, line));
    run.unfilled = 0;
    append(author, line, writes);
    return {};
}

Result<void, ChatRefusal> ChatRuns::replace(const Id& author, const KeptLine& line, Origin origin,
                                            GatheredWrites& writes) {
    const Run& run = runs_.at(author);
    if (origin == Origin::said || run.at(line.number())->hash < line.hash) {
        return fail(ChatRefusal::fork);
    }
    const KeptLine* before = line.number() == run.first() ? nullptr : run.at(line.number() - 1);
    const bool linked = before == nullptr || follows(line, *before);
    // The chains have parted before. In an answer from our first line on: before all that either
    // has.
    if (!linked && origin != Origin::told_from_first) return fail(ChatRefusal::gap);
    if (linked && before != nullptr) TRY(check_pace(run, line));
    const std::uint64_t number = line.number();
    for (const Run* left = find(author); left != nullptr; left = find(author)) {
        const bool stays = left->last() < number && linked;
        if (stays) break;
        drop_back(author, writes);
    }
    append(author, line, writes);
    return {};
}

Result<void, ChatRefusal> ChatRuns::jump(const Id& author, const KeptLine& line, Origin origin,
                                         GatheredWrites& writes) {
    Run& run = runs_.at(author);
    if (!is_answer(origin) || ++run.unfilled < kUnfilledMax) return fail(ChatRefusal::gap);
    while (runs_.contains(author)) drop_front(author, writes);
    start_run(author, line, origin, writes);
    return {};
}

// REQUIRES: the line before it is there.
Result<void, ChatRefusal> ChatRuns::check_pace(const Run& run, const KeptLine& line) {
    const std::uint64_t number = line.number();
    if (line.time_ms() < run.at(number - 1)->time_ms()) return fail(ChatRefusal::step_back);
    const KeptLine* earlier = number > kBurstLines ? run.at(number - kBurstLines) : nullptr;
    constexpr auto kWindowMs = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(kBurstWindow).count());
    const bool too_fast = earlier != nullptr && line.time_ms() - earlier->time_ms() < kWindowMs;
    if (too_fast) return fail(ChatRefusal::too_fast);
    return {};
}

void ChatRuns::append(const Id& author, const KeptLine& line, GatheredWrites& writes) {
    runs_[author].lines.push_back(line);
    ++lines_;
    shelf_.put(writes, name_of(author, line.number()), line.line);
    keep_within_bounds(author, writes);
}

void ChatRuns::keep_within_bounds(const Id& author, GatheredWrites& writes) {
    if (runs_.at(author).lines.size() > options_.lines_per_author_max) drop_front(author, writes);
    if (lines_ > options_.lines_max) drop_front(Id(longest_silent()->first), writes);
}

std::map<Id, Run>::iterator ChatRuns::longest_silent() {
    return std::ranges::min_element(
        runs_, {}, [](const auto& entry) { return entry.second.lines.back().time_ms(); });
}

void ChatRuns::drop_front(const Id& author, GatheredWrites& writes) {
    const auto run = runs_.find(author);
    erase_line(author, run->second.first(), writes);
    run->second.lines.pop_front();
    --lines_;
    if (run->second.lines.empty()) runs_.erase(run);
}

void ChatRuns::drop_back(const Id& author, GatheredWrites& writes) {
    const auto run = runs_.find(author);
    erase_line(author, run->second.last(), writes);
    run->second.lines.pop_back();
    --lines_;
    if (run->second.lines.empty()) runs_.erase(run);
}

void ChatRuns::erase_line(const Id& author, std::uint64_t number, GatheredWrites& writes) const {
    shelf_.erase(writes, name_of(author, number));
}

std::vector<SignedLine> ChatRuns::last(std::size_t max) const {
    std::vector<const KeptLine*> candidates;
    for (const auto& [author, run] : runs_) {
        const std::size_t skipped = run.lines.size() - std::min(max, run.lines.size());
        for (std::size_t i = skipped; i < run.lines.size(); ++i) {
            candidates.push_back(&run.lines[i]);
        }
    }
    std::ranges::sort(candidates, {}, [](const KeptLine* kept) {
        const auto& line = kept->line.line;
        return std::tuple(line.time_ms, line.author, line.number);
    });
    std::vector<SignedLine> out;
    for (std::size_t i = candidates.size() - std::min(max, candidates.size());
         i < candidates.size(); ++i) {
        out.push_back(candidates[i]->line);
    }
    return out;
}

void ChatRuns::check_invariants() const {
    std::size_t lines = 0;
    for (const auto& [author, run] : runs_) {
        CHECK(!run.lines.empty());
        CHECK(run.lines.size() <= options_.lines_per_author_max);
        lines += run.lines.size();
        for (std::size_t i = 1; i < run.lines.size(); ++i) {
            CHECK(follows(run.lines[i], run.lines[i - 1]));
        }
    }
    CHECK(lines == lines_ && lines_ <= options_.lines_max);
    CHECK(runs_.size() <= options_.authors_max);
}

}  // namespace leither::org
