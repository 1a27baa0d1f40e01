// What a wallet has promised: requests sent, transactions signed for requests of others, requests
// declined. Written before it is told to anybody, so that after a crash the same is told again and
// nothing is signed twice. Pure; the file belongs to app.
//
// Specification
//   * A line of text a record: "<hex of its BCS>\n", behind a heading. A last line without its end
//     is a write that was cut off: it was told to nobody, and is left out.
//   * A request is paid by one transaction at a time. Another one is signed for it only when the
//     former can never be committed (next_step); until then the same one is submitted again.
//   * A request whose expiry has passed can be paid no more; so what is older than kKeptMs may be
//     forgotten.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "leither/base/result.h"
#include "leither/protocol/envelope.h"
#include "leither/wallet/request.h"

namespace leither::wallet {

inline constexpr std::uint64_t kDayMs = 86'400'000;
// Longer than any request holds that a payee would make, and than the window of a policy.
inline constexpr std::uint64_t kKeptMs = 60 * kDayMs;

// A letter to be posted, sealed once, so that posting it again is posting the same one.
struct SealedTo {
    Id recipient;
    protocol::SealedLetter sealed;
    static void fields(auto& self, auto&& visit) { visit(self.recipient, self.sealed); }
};

// We ask: the payee's side. With a letter if it goes by message.
struct Asked {
    std::uint64_t at_ms = 0;
    SignedRequest request;
    std::optional<SealedTo> letter;
    static void fields(auto& self, auto&& visit) { visit(self.at_ms, self.request, self.letter); }
};
enum class Cause : std::uint8_t { by_hand, by_policy };  // encoded; never change these values
constexpr Cause last_of(Cause) {
    return Cause::by_policy;
}
// We pay: signed, about to be submitted.
struct Paying {
    std::uint64_t at_ms = 0;
    Cause cause = Cause::by_hand;
    ChainId chain;
    protocol::Transaction transaction;  // a transfer
    static void fields(auto& self, auto&& visit) {
        visit(self.at_ms, self.cause, self.chain, self.transaction);
    }
};
// We decline, and tell so by letter.
struct Declined {
    std::uint64_t at_ms = 0;
    Decline decline;
    std::optional<SealedTo> letter;
    static void fields(auto& self, auto&& visit) { visit(self.at_ms, self.decline, self.letter); }
};
// The letter of what was asked or declined has been handed to the node.
struct Posted {
    std::uint64_t at_ms = 0;
    Hash request;
    Hash message;
    static void fields(auto& self, auto&& visit) { visit(self.at_ms, self.request, self.message); }
};
// Whom we asked has declined.
struct Refused {
    std::uint64_t at_ms = 0;
    Hash request;
    protocol::Text reason;
    static void fields(auto& self, auto&& visit) { visit(self.at_ms, self.request, self.reason); }
};
// The node has refused what we have signed, and the owner was told so: it is submitted again only
// if the owner, or the policy, asks for it.
struct NotTaken {
    std::uint64_t at_ms = 0;
    Hash request;
    Hash transaction;
    protocol::Text refusal;  // its name
    static void fields(auto& self, auto&& visit) {
        visit(self.at_ms, self.request, self.transaction, self.refusal);
    }
};
// The alternatives' order is encoded; only ever append.
using JournalRecord = std::variant<Asked, Paying, Declined, Posted, Refused, NotTaken>;

std::string to_line(const JournalRecord& record);
inline constexpr std::string_view kJournalHeading = "leither-wallet-journal-1\n";
// More is not read: the file is cut down long before.
inline constexpr std::size_t kJournalBytesMax = std::size_t{32} << 20;

enum class JournalError : std::uint8_t {
    unknown_version,  // another heading
    too_long,
    damaged,  // a line that is no record: nothing may be signed before it is known what was
};
const char* to_string(JournalError error);

class Journal {
 public:
    static Result<Journal, JournalError> parse(std::string_view text);

    void add(JournalRecord record);
    const std::vector<JournalRecord>& records() const { return records_; }

    struct OwnRequest {
        Asked asked;
        std::optional<Hash> message;  // of its letter, once posted
        std::optional<protocol::Text> refusal;
    };
    // Null if there is none.
    const OwnRequest* asked(const Hash& request) const;
    const Paying* paying(const Hash& request) const;  // the newest
    const Declined* declined(const Hash& request) const;
    // Of the newest transaction that was signed for the request; null if it was taken, as far as
    // this wallet knows.
    const NotTaken* not_taken(const Hash& request) const;
    // By time.
    std::vector<const OwnRequest*> own_requests() const;
    std::vector<const Paying*> payments() const;
    // Letters of this organization that a crash may have kept from being posted.
    struct Unposted {
        Hash request;
        SealedTo letter;
    };
    std::vector<Unposted> unposted(const ChainId& chain) const;
    // What the policy has signed for a payee since then, for other requests than `except`.
    struct Window {
        ChainId chain;
        Id payee;
        std::uint64_t since_ms = 0;
        Hash except;
    };
    Amount spent_by_policy(const Window& window) const;

    // The file without what is older than kKeptMs; nothing if it would hardly be shorter.
    std::optional<std::string> compacted(std::uint64_t now_ms) const;

 private:
    void index(const Asked& record);
    void index(const Paying& record);
    void index(const Declined& record);
    void index(const Posted& record);
    void index(const Refused& record);
    void index(const NotTaken& record);

    std::vector<JournalRecord> records_;
    std::map<Hash, OwnRequest> asked_;
    std::map<Hash, Paying> paying_;
    std::map<Hash, Declined> declined_;
    std::map<Hash, NotTaken> not_taken_;
    std::map<Hash, Hash> posted_;  // request, message
};

// The request that a Paying pays. REQUIRES: its action is a transfer.
const protocol::PaymentRequest& request_of(const Paying& paying);

}  // namespace leither::wallet
