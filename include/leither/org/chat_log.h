// The organization's conversation as this node has it.
//
// Specification
//   * Each author's lines are kept as one run without gaps, each line naming the hash of the one
//     before; the newest lines_per_author_max of them.
//   * Only members' lines are taken. An author's own times never step back, and no kBurstLines + 1
//     of them lie within kBurstWindow: every node judges that alike, so it keeps nobody apart.
//   * Of two lines of one author and number the one with the smaller hash stays, and what followed
//     the other goes: an author who writes on two machines at once loses lines, and all nodes lose
//     the same.
//   * A new line is passed on to everybody connected; one older than kFreshWindow is taken only in
//     answer to a question. What was lost on the way is found by comparing tips, with each node
//     that comes up and then with one of them every compare_interval.
//   * What the DHT names begins a run in the middle; the lines before it are asked of nodes that
//     have them.
//   * A gap that nobody fills in kUnfilledMax answers ends the old run: a new one begins behind it.
//   * Bounded: authors, lines per author and lines in all; the author silent for longest goes
//     first.
// Rationale
//   * Runs make "what do you lack" one number per author, and a hash chain lets one line vouch for
//     all before it.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "leither/base/entropy.h"
#include "leither/base/log.h"
#include "leither/org/members.h"
#include "leither/org/publication.h"
#include "leither/protocol/org_messages.h"

namespace leither::org {

inline constexpr std::size_t kBurstLines = 20;
inline constexpr Duration kBurstWindow = std::chrono::minutes(10);
inline constexpr Duration kFreshWindow = std::chrono::hours(1);
inline constexpr unsigned kUnfilledMax = 3;

struct ChatOptions {
    std::size_t authors_max = 1024;
    std::size_t lines_per_author_max = 256;
    std::size_t lines_max = 4096;  // at least lines_per_author_max
    Duration compare_interval = std::chrono::minutes(10);
};

// Why a line is not taken. In order of precedence.
enum class ChatRefusal : std::uint8_t {
    known,      // we have it
    stranger,   // its author is no member
    bad_line,   // from the future, or badly signed
    too_old,    // before the run, or neither fresh nor asked for
    gap,        // lines before it are missing, or others than ours: asked for
    fork,       // another line of that number has the smaller hash
    step_back,  // its time is before that of the line before it
    too_fast,   // kBurstLines within kBurstWindow
};
const char* to_string(ChatRefusal refusal);

// Who says that the author of a line from the DHT is a member: nobody but our own list, or a keeper
// by naming the line in its head.
enum class Voucher : std::uint8_t { nobody, keeper };
struct FoundLine {
    protocol::SignedLine line;
    Voucher voucher = Voucher::nobody;
};

class ChatLog {
 public:
    struct Tick {};
    // A member's node is connected; what others say is passed over.
    struct NodeUp {
        Id node;
    };
    struct NodeDown {
        Id node;
    };
    // By an account's owner.
    struct Say {
        protocol::SignedLine line;
    };
    struct Heard {
        Id from;
        protocol::ChatPost post;
    };
    struct Compared {
        Id from;
        protocol::ChatHave have;
    };
    struct Asked {
        Id from;
        protocol::ChatAsk ask;
    };
    struct Told {
        Id from;
        protocol::ChatLines lines;
    };
    // Lines from the DHT, opened: of each author in rising order.
    struct Found {
        std::vector<FoundLine> lines;
    };
    using Input = std::variant<Tick, NodeUp, NodeDown, Say, Heard, Compared, Asked, Told, Found>;

    struct Send {
        Id to;
        std::variant<protocol::ChatPost, protocol::ChatHave, protocol::ChatAsk, protocol::ChatLines>
            message;
    };
    struct Effects {
        store::WriteBatch writes;
        std::vector<Send> sends;                        // once the writes are durable
        std::vector<protocol::SignedLine> taken;        // new here, for whoever follows
        std::optional<Result<Hash, ChatRefusal>> said;  // of a Say
        bool last_lines_changed = false;                // publish them
        bool forged = false;                            // some line bore no good signature
    };

    struct Setup {
        ChainId chain;
        Bytes prefix;  // of the store's keys
    };
    // `members` and `entropy` outlive the log.
    ChatLog(ChatOptions options, Setup setup, const Members& members, Entropy& entropy, Log log);
    ChatLog(ChatLog&&) noexcept;
    ChatLog& operator=(ChatLog&&) noexcept;
    ~ChatLog();
    Result<void, store::Fault> load(const store::Reader& reader, Instant now);

    Effects step(Input&& input, Instant now);
    std::optional<Instant> next_deadline() const;

    // What the author's next line must say; number 1 if there is none yet.
    struct Next {
        std::uint64_t number = 1;
        Hash previous;
        std::uint64_t time_ms_min = 0;
    };
    Next next(const Id& author) const;
    // The newest `max` lines, oldest first: by time, then author and number.
    std::vector<protocol::SignedLine> last(std::size_t max) const;
    std::vector<protocol::ChatTip> tips() const;
    std::size_t size() const;
    void check_invariants() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::org
