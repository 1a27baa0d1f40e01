// Each author's lines in a row, and the rules by which a line joins them.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "leither/org/chat_log.h"

namespace leither::org {

struct KeptLine {
    protocol::SignedLine line;
    Hash hash;

    std::uint64_t number() const { return line.line.number; }
    std::uint64_t time_ms() const { return line.line.time_ms; }
};

struct Run {
    std::deque<KeptLine> lines;  // never empty
    unsigned unfilled = 0;       // answers that could not close the gap behind it
    unsigned older_tries = 0;    // answers to wait for that may bring what comes before it

    std::uint64_t first() const { return lines.front().number(); }
    std::uint64_t last() const { return lines.back().number(); }
    const KeptLine* at(std::uint64_t number) const;
};

// How a line came here.
enum class Origin : std::uint8_t {
    said,             // by its owner, at this node
    heard,            // unasked
    told,             // in answer to a question of ours
    told_from_first,  // in answer to one that began at our run's first line
    found,            // in the DHT
};

class ChatRuns {
 public:
    ChatRuns(const ChatOptions& options, const ChainId& chain, Shelf shelf);
    Result<void, store::Fault> load(const store::Reader& reader);

    // Takes a line whose author is a member and whose signature holds.
    Result<void, ChatRefusal> take(const KeptLine& line, Origin origin, GatheredWrites& writes);
    bool knows(const KeptLine& line) const;
    // Puts an author's lines before its run, as many of the last as there is room for. How many:
    // none if they do not lead up to it.
    std::size_t prepend(const Id& author, std::vector<KeptLine> lines, GatheredWrites& writes);
    // An answer has brought nothing older.
    void give_up_once(const Id& author) { --runs_.at(author).older_tries; }
    // Whether lines before the run are worth asking for.
    bool seeks_older(const Run& run) const;

    const Run* find(const Id& author) const;
    const std::map<Id, Run>& all() const { return runs_; }
    std::vector<protocol::SignedLine> last(std::size_t max) const;
    std::size_t size() const { return lines_; }
    void check_invariants() const;

 private:
    Result<void, ChatRefusal> begin(const Id& author, const KeptLine& line, Origin origin,
                                    GatheredWrites& writes);
    Result<void, ChatRefusal> extend(const Id& author, const KeptLine& line, Origin origin,
                                     GatheredWrites& writes);
    Result<void, ChatRefusal> replace(const Id& author, const KeptLine& line, Origin origin,
                                      GatheredWrites& writes);
    Result<void, ChatRefusal> jump(const Id& author, const KeptLine& line, Origin origin,
                                   GatheredWrites& writes);
    // REQUIRES: the author has none.
    void start_run(const Id& author, const KeptLine& line, Origin origin, GatheredWrites& writes);
    static Result<void, ChatRefusal> check_pace(const Run& run, const KeptLine& line);
    void append(const Id& author, const KeptLine& line, GatheredWrites& writes);
    void drop_front(const Id& author, GatheredWrites& writes);
    void drop_back(const Id& author, GatheredWrites& writes);
    void keep_within_bounds(const Id& author, GatheredWrites& writes);
    std::map<Id, Run>::iterator longest_silent();
    void erase_line(const Id& author, std::uint64_t number, GatheredWrites& writes) const;

    ChatOptions options_;
    ChainId chain_;
    Shelf shelf_;
    std::map<Id, Run> runs_;
    std::size_t lines_ = 0;
};

}  // namespace leither::org
