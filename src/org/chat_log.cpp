#include "leither/org/chat_log.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "leither/base/check.h"
#include "leither/base/prng.h"
#include "leither/crypto/hash.h"

#include "chat_runs.h"

namespace leither::org {

using protocol::ChatAsk;
using protocol::ChatHave;
using protocol::ChatLines;
using protocol::ChatPost;
using protocol::ChatTip;
using protocol::SignedLine;

namespace {

// After this an unanswered question may be put again.
constexpr Duration kAnswerTimeout = std::chrono::seconds(20);
// How often two nodes tell each other their tips because one lacks something.
constexpr Duration kHaveInterval = std::chrono::seconds(30);
constexpr std::size_t kQuestionsMax = 256;

struct Link {
    std::optional<Instant> compared;  // when it last heard our tips
};

// What we have asked about an author, and whom.
struct Question {
    Id node;
    std::uint64_t from = 0;
    Instant asked;
};

// The least id above `id`, all zeros behind the last one.
Id next_id(Id id) {
    for (std::size_t i = Id::kSize; i-- > 0;) {
        if (++id[i] != 0) break;
    }
    return id;
}

Id last_id() {
    Id id;
    std::ranges::fill(id.span(), std::uint8_t{0xff});
    return id;
}

}  // namespace

struct ChatLog::Impl {
    ChatOptions options;
    Setup setup;
    const Members& members;
    Log log;
    Prng prng;
    ChatRuns runs;
    std::map<Id, Link> links;
    std::map<Id, Question> questions;  // by author
    std::optional<Instant> next_compare;
    GatheredWrites writes;

    void on(Tick&&, Instant, Effects&) {}
    void on(NodeUp&& input, Instant now, Effects& effects);
    void on(NodeDown&& input, Instant now, Effects& effects);
    void on(Say&& input, Instant now, Effects& effects);
    void on(Heard&& input, Instant now, Effects& effects);
    void on(Compared&& input, Instant now, Effects& effects);
    void on(Asked&& input, Instant now, Effects& effects);
    void on(Told&& input, Instant now, Effects& effects);
    void on(Found&& input, Instant now, Effects& effects);

    Result<void, ChatRefusal> take(const KeptLine& line, Origin origin, Instant now,
                                   Effects& effects);
    // Of an author who is a member.
    Result<void, ChatRefusal> take_members(const KeptLine& line, Origin origin, Instant now,
                                           Effects& effects);
    // An answer that begins before our run: puts what leads up to it there, and asks on.
    void take_older(const Id& from, const Id& author, const protocol::ChatLines& answer,
                    Instant now, Effects& effects);
    void ask_older(const Id& node, const Id& author, Instant now, Effects& effects);
    // `source` has it already; nothing: nobody has.
    void pass_on(const SignedLine& line, const std::optional<Id>& source, Instant now,
                 Effects& effects) const;
    void ask(const Id& node, ChatAsk question, Instant now, Effects& effects);
    void ask_after(const Id& node, const Id& author, std::uint64_t number, Instant now,
                   Effects& effects);
    void send_tips(const Id& node, Instant now, Effects& effects);
    // Unless it has just seen them.
    void show_tips(const Id& node, Instant now, Effects& effects);
    std::vector<ChatHave> haves() const;
    // What to ask of a node with that tip; nothing if it has nothing for us.
    std::optional<std::uint64_t> lacking(const ChatTip& tip) const;
    bool has_more_than(const ChatHave& have) const;
    void compare_if_due(Instant now, Effects& effects);
    KeptLine kept(const SignedLine& line) const {
        return {line, line_hash(setup.chain, line.line)};
    }
};

// ---- Lines --------------------------------------------------------------------------------------

Result<void, ChatRefusal> ChatLog::Impl::take(const KeptLine& line, Origin origin, Instant now,
                                              Effects& effects) {
    if (runs.knows(line)) return fail(ChatRefusal::known);
    if (!members.is_member(crypto::id_of(line.line.line.author), now)) {
        return fail(ChatRefusal::stranger);
    }
    return take_members(line, origin, now, effects);
}

Result<void, ChatRefusal> ChatLog::Impl::take_members(const KeptLine& line, Origin origin,
                                                      Instant now, Effects& effects) {
    if (runs.knows(line)) return fail(ChatRefusal::known);
    const SignedLine& signed_ = line.line;
    if (const auto holds = check(signed_, setup.chain, now); !holds) {
        if (holds.error() == protocol::RecordError::bad_signature) effects.forged = true;
        return fail(ChatRefusal::bad_line);
    }
    const bool fresh = instant_from_unix_ms(signed_.line.time_ms) + kFreshWindow >= now;
    const bool unasked = origin == Origin::said || origin == Origin::heard;
    if (!fresh && unasked) return fail(ChatRefusal::too_old);
    TRY(runs.take(line, origin, writes));
    effects.taken.push_back(signed_);
    effects.last_lines_changed = true;
    return {};
}

void ChatLog::Impl::pass_on(const SignedLine& line, const std::optional<Id>& source, Instant now,
                            Effects& effects) const {
    if (instant_from_unix_ms(line.line.time_ms) + kFreshWindow < now) return;
    const ChatPost post{line, members.pass_of(crypto::id_of(line.line.author), now)};
    for (const auto& [node, link] : links) {
        if (node != source) effects.sends.push_back({node, post});
    }
}

void ChatLog::Impl::on(Say&& input, Instant now, Effects& effects) {
    const KeptLine line = kept(input.line);
    const auto taken = take(line, Origin::said, now, effects);
    if (!taken) {
        effects.said = fail(taken.error());
        return;
    }
    effects.said = line.hash;
    pass_on(input.line, std::nullopt, now, effects);
}

void ChatLog::Impl::on(Heard&& input, Instant now, Effects& effects) {
    if (!links.contains(input.from)) return;
    const SignedLine& line = input.post.line;
    const auto taken = take(kept(line), Origin::heard, now, effects);
    if (taken) {
        pass_on(line, input.from, now, effects);
    } else if (taken.error() == ChatRefusal::gap) {
        ask_after(input.from, crypto::id_of(line.line.author), line.line.number, now, effects);
    }
}

void ChatLog::Impl::on(Told&& input, Instant now, Effects& effects) {
    auto& lines = input.lines.lines;
    if (lines.empty() || !links.contains(input.from)) return;
    const Id author = crypto::id_of(lines.front().line.author);
    const auto question = questions.find(author);
    if (question == questions.end() || question->second.node != input.from) return;
    const Run* run = runs.find(author);
    const std::uint64_t from = question->second.from;
    questions.erase(question);
    const std::uint64_t end = run == nullptr ? 0 : run->last() + 1;
    if (from > end) {
        // Our run has become shorter since we asked: a smaller hash has won.
        ask(input.from, {author, end}, now, effects);
        return;
    }
    if (run != nullptr && from < run->first() && runs.seeks_older(*run)) {
        take_older(input.from, author, input.lines, now, effects);
        return;
    }
    const bool from_first = run != nullptr && from <= run->first();
    const Origin origin = from_first ? Origin::told_from_first : Origin::told;
    for (const SignedLine& line : lines) {
        const auto taken = take(kept(line), origin, now, effects);
        if (taken) {
            pass_on(line, input.from, now, effects);
        } else if (taken.error() == ChatRefusal::gap) {
            ask_after(input.from, author, line.line.number, now, effects);
            return;
        } else if (taken.error() != ChatRefusal::known) {
            // Ours is the line that stays: that node lacks it.
            if (taken.error() == ChatRefusal::fork) show_tips(input.from, now, effects);
            return;
        }
    }
    if (lines.size() == protocol::kChatLinesPerReply) {
        ask(input.from, {author, lines.back().line.number + 1}, now, effects);
    } else {
        ask_older(input.from, author, now, effects);
    }
}

void ChatLog::Impl::on(Found&& input, Instant now, Effects& effects) {
    std::set<Id> parted;  // authors whose lines do not join ours: all of them are one answer
    for (const FoundLine& one : input.lines) {
        const Id author = crypto::id_of(one.line.line.author);
        if (parted.contains(author)) continue;
        const KeptLine line = kept(one.line);
        const auto taken = one.voucher == Voucher::keeper
                               ? take_members(line, Origin::found, now, effects)
                               : take(line, Origin::found, now, effects);
        if (taken) continue;
        log.debug("found_line_refused", "why={}", to_string(taken.error()));
        if (taken.error() != ChatRefusal::gap) continue;
        parted.insert(author);
        if (!links.empty()) {
            ask_after(links.begin()->first, author, line.number(), now, effects);
        }
    }
    // Who is connected already has shown its tips, but not that it has what comes before.
    for (const auto& [author, run] : runs.all()) {
        if (!links.empty()) ask_older(links.begin()->first, author, now, effects);
    }
}

// ---- What comes before a run --------------------------------------------------------------------

void ChatLog::Impl::ask_older(const Id& node, const Id& author, Instant now, Effects& effects) {
    const Run* run = runs.find(author);
    if (run == nullptr || !runs.seeks_older(*run)) return;
    const std::uint64_t step = protocol::kChatLinesPerReply;
    ask(node, {author, run->first() > step ? run->first() - step : 1}, now, effects);
}

void ChatLog::Impl::take_older(const Id& from, const Id& author, const protocol::ChatLines& answer,
                               Instant now, Effects& effects) {
    const std::uint64_t first = runs.find(author)->first();
    std::vector<KeptLine> older;
    for (const SignedLine& line : answer.lines) {
        if (line.line.number < first && check(line, setup.chain, now)) older.push_back(kept(line));
    }
    // No word of its membership is needed: the chain of hashes says that it is the same author.
    const std::size_t put = runs.prepend(author, older, writes);
    if (put == 0) {
        runs.give_up_once(author);
        return;
    }
    for (std::size_t i = older.size() - put; i < older.size(); ++i) {
        effects.taken.push_back(older[i].line);
    }
    effects.last_lines_changed = true;
    ask_older(from, author, now, effects);
}

// ---- Questions and answers ----------------------------------------------------------------------

void ChatLog::Impl::ask(const Id& node, ChatAsk question, Instant now, Effects& effects) {
    const auto pending = questions.find(question.author);
    const bool waits = pending != questions.end() && now - pending->second.asked < kAnswerTimeout;
    if (waits) return;
    if (pending == questions.end() && questions.size() >= kQuestionsMax) {
        std::erase_if(questions, [now](const auto& entry) {
            return now - entry.second.asked >= kAnswerTimeout;
        });
        if (questions.size() >= kQuestionsMax) return;
    }
    questions[question.author] = {node, question.from, now};
    effects.sends.push_back({node, question});
}

// The line `number` does not fit behind what we have.
void ChatLog::Impl::ask_after(const Id& node, const Id& author, std::uint64_t number, Instant now,
                              Effects& effects) {
    const Run* run = runs.find(author);
    if (run == nullptr) {
        ask(node, {author, 0}, now, effects);
    } else if (number > run->last() + 1) {
        ask(node, {author, run->last() + 1}, now, effects);
    } else {
        ask(node, {author, run->first()}, now, effects);
    }
}

void ChatLog::Impl::on(Asked&& input, Instant now, Effects& effects) {
    const Run* run = runs.find(input.ask.author);
    if (run == nullptr || !links.contains(input.from) || input.ask.from > run->last()) return;
    ChatLines answer;
    const std::uint64_t from = std::max(input.ask.from, run->first());
    const std::uint64_t count =
        std::min<std::uint64_t>(run->last() - from + 1, protocol::kChatLinesPerReply);
    for (std::uint64_t i = 0; i < count; ++i) answer.lines.push_back(run->at(from + i)->line);
    answer.pass = members.pass_of(input.ask.author, now);
    effects.sends.push_back({input.from, std::move(answer)});
}

// ---- Comparing ----------------------------------------------------------------------------------

void ChatLog::Impl::on(NodeUp&& input, Instant now, Effects& effects) {
    links[input.node] = Link{};
    if (!next_compare) next_compare = now + options.compare_interval;
    send_tips(input.node, now, effects);
}

void ChatLog::Impl::on(NodeDown&& input, Instant, Effects&) {
    links.erase(input.node);
    std::erase_if(questions,
                  [&input](const auto& entry) { return entry.second.node == input.node; });
    if (links.empty()) next_compare.reset();
}

void ChatLog::Impl::send_tips(const Id& node, Instant now, Effects& effects) {
    links.at(node).compared = now;
    for (ChatHave& have : haves()) effects.sends.push_back({node, std::move(have)});
}

std::vector<ChatHave> ChatLog::Impl::haves() const {
    std::vector<ChatHave> out(1);
    for (const auto& [author, run] : runs.all()) {
        if (out.back().tips.full()) {
            out.back().last = out.back().tips.back().author;
            ChatHave next;
            next.first = next_id(out.back().last);
            out.push_back(std::move(next));
        }
        out.back().tips.push_back({author, run.last(), run.lines.back().hash});
    }
    out.back().last = last_id();
    return out;
}

void ChatLog::Impl::on(Compared&& input, Instant now, Effects& effects) {
    const auto link = links.find(input.from);
    if (link == links.end()) return;
    for (const ChatTip& tip : input.have.tips) {
        if (const auto from = lacking(tip)) {
            ask(input.from, {tip.author, *from}, now, effects);
        } else {
            ask_older(input.from, tip.author, now, effects);
        }
    }
    if (has_more_than(input.have)) show_tips(input.from, now, effects);
}

void ChatLog::Impl::show_tips(const Id& node, Instant now, Effects& effects) {
    const auto& compared = links.at(node).compared;
    if (!compared || now - *compared >= kHaveInterval) send_tips(node, now, effects);
}

std::optional<std::uint64_t> ChatLog::Impl::lacking(const ChatTip& tip) const {
    const Run* run = runs.find(tip.author);
    if (run == nullptr) return 0;
    if (tip.number > run->last()) return run->last() + 1;
    const KeptLine* ours = run->at(tip.number);
    if (ours == nullptr || ours->hash == tip.line) return std::nullopt;
    return run->first();
}

bool ChatLog::Impl::has_more_than(const ChatHave& have) const {
    const auto& all = runs.all();
    for (auto run = all.lower_bound(have.first); run != all.end(); ++run) {
        if (run->first > have.last) break;
        const auto tip = std::ranges::find(have.tips, run->first, &ChatTip::author);
        if (tip == have.tips.end() || tip->number < run->second.last()) return true;
        if (tip->number == run->second.last() && tip->line != run->second.lines.back().hash) {
            return true;
        }
    }
    return false;
}

void ChatLog::Impl::compare_if_due(Instant now, Effects& effects) {
    if (!next_compare || now < *next_compare || links.empty()) return;
    auto link = links.begin();
    std::advance(link, prng.below(links.size()));
    send_tips(link->first, now, effects);
    next_compare = now + options.compare_interval;
}

// ---- The machine --------------------------------------------------------------------------------

const char* to_string(ChatRefusal refusal) {
    switch (refusal) {
        case ChatRefusal::known: return "known";
        case ChatRefusal::stranger: return "stranger";
        case ChatRefusal::bad_line: return "bad_line";
        case ChatRefusal::too_old: return "too_old";
        case ChatRefusal::gap: return "gap";
        case ChatRefusal::fork: return "fork";
        case ChatRefusal::step_back: return "step_back";
        case ChatRefusal::too_fast: return "too_fast";
    }
    UNREACHABLE();
}

ChatLog::ChatLog(ChatOptions options, Setup setup, const Members& members, Entropy& entropy,
                 Log log)
    : impl_(new Impl{
          .options = options,
          .setup = setup,
          .members = members,
          .log = std::move(log),
          .prng = Prng(draw_number(entropy)),
          .runs = ChatRuns(options, setup.chain, Shelf(setup.prefix, ShelfKind::chat_line)),
          .links = {},
          .questions = {},
          .next_compare = std::nullopt,
          .writes = {}}) {}
ChatLog::ChatLog(ChatLog&&) noexcept = default;
ChatLog& ChatLog::operator=(ChatLog&&) noexcept = default;
ChatLog::~ChatLog() = default;

Result<void, store::Fault> ChatLog::load(const store::Reader& reader, Instant) {
    return impl_->runs.load(reader);
}

ChatLog::Effects ChatLog::step(Input&& input, Instant now) {
    Effects effects;
    std::visit([&](auto&& held) { impl_->on(std::move(held), now, effects); }, std::move(input));
    impl_->compare_if_due(now, effects);
    effects.writes = impl_->writes.take();
    return effects;
}

std::optional<Instant> ChatLog::next_deadline() const {
    return impl_->next_compare;
}

ChatLog::Next ChatLog::next(const Id& author) const {
    const Run* run = impl_->runs.find(author);
    if (run == nullptr) return {};
    const KeptLine& last = run->lines.back();
    return {last.number() + 1, last.hash, last.time_ms()};
}

std::vector<SignedLine> ChatLog::last(std::size_t max) const {
    return impl_->runs.last(max);
}

std::vector<ChatTip> ChatLog::tips() const {
    std::vector<ChatTip> out;
    for (const auto& [author, run] : impl_->runs.all()) {
        out.push_back({author, run.last(), run.lines.back().hash});
    }
    return out;
}

std::size_t ChatLog::size() const {
    return impl_->runs.size();
}

void ChatLog::check_invariants() const {
    impl_->runs.check_invariants();
    CHECK(impl_->questions.size() <= kQuestionsMax);
    for (const auto& [author, question] : impl_->questions) {
        CHECK(impl_->links.contains(question.node));
    }
}

}  // namespace leither::org
