// The way of submitted transactions into the mempool: decoded, their signatures checked by the
// host's workers, then admitted by the rules.
//
// Specification
//   * Admission happens strictly in the order of submission, whatever the order in which checks
//     come back; so a row of nonces, or a payment out of one that waits, may be submitted at once.
//   * The transactions of one Submit share jobs of about kChecksPerJob checks, so that several
//     cores work on it. A job never parts the checks of one transaction.
//   * Keys are looked up at arrival. If an account is unknown then, a transaction still on its way
//     may create it: the lookup is done once more when all earlier ones have been admitted, and
//     only then is the transaction refused. Such a transaction costs one more round through the
//     host.
//   * Signatures on their way are bounded; beyond, a transaction is refused (`mempool_full`).
//   * A copy of a transaction on its way, signatures included, shares its checks. One with other
//     signatures is checked like any other, so that nobody can hold up a transaction by sending
//     it with a spoilt signature first. Both are refused at admission if the first was admitted.
//   * What was found to hold is remembered for the blocks that will carry it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "leither/consensus/mempool.h"
#include "leither/node/effects.h"
#include "leither/node/input.h"

#include "ledger_link.h"
#include "recent.h"
#include "verified_signatures.h"

namespace leither::node {

inline constexpr std::size_t kChecksPerJob = 32;
// Transactions of a submission whose accounts are looked up together.
inline constexpr std::size_t kReadTogether = 24;

class Admission {
 public:
    // Mempool and recent transactions outlive the admission. Its jobs count from `first_job`;
    // those before were another's, whose answers may still come and are passed over.
    Admission(const ledger::Organization& organization, std::size_t checks_max,
              consensus::Mempool& mempool, const RecentTransactions& recent,
              std::uint64_t first_job = 0);

    // Jobs and replies go to `fx`. `place`: the block that could hold them first.
    Result<void, store::Fault> submit(Submit&& submit, const ledger::Place& place, Effects& fx);
    // What a neighbour says it has admitted; nobody waits for the verdicts. Its signatures take up
    // at most half of what may be out, so that there is room for those whom this node serves.
    Result<void, store::Fault> submit(const Id& from, protocol::TransactionPost&& post,
                                      const ledger::Place& place, Effects& fx);
    // Neighbours that have posted what no node can have admitted, since the last call.
    std::vector<Id> take_forgers() { return std::exchange(forgers_, {}); }
    // REQUIRES: the job is out, or another's.
    Result<void, store::Fault> on_checked(const SignaturesChecked& checked,
                                          const ledger::Place& place, Effects& fx);
    // The neighbour, if it was one, that sent each transaction admitted since the last call: the
    // last of the mempool's, in their order.
    std::vector<std::optional<Id>> take_admitted_from() {
        return std::exchange(admitted_from_, {});
    }
    // Refuses whatever is on its way: the node stops, or keeps no ledger for a moment.
    void refuse_all(protocol::Refusal why, Effects& fx);
    std::uint64_t next_job() const { return next_job_; }
    VerifiedSignatures& verified() { return verified_; }

    void check_invariants() const;

 private:
    struct Sender {
        Token token = 0;
        std::optional<Id> neighbour;  // nothing: a client
    };
    // What came together and whose verdicts are not all known.
    struct Submission {
        Sender sender;
        std::vector<std::optional<Verdict>> verdicts;
        std::size_t open = 0;
        bool is_blamed = false;  // the neighbour, once
    };
    enum class Stage : std::uint8_t {
        unresolved,  // an account was unknown at the last lookup
        checking,    // its signatures are out
        checked,
    };
    // A transaction's place among those submitted.
    struct Position {
        std::uint64_t submission = 0;
        std::size_t index = 0;
    };
    struct Item {
        Position at;
        consensus::Mempool::Entry entry;
        Stage stage = Stage::unresolved;
        std::optional<protocol::Refused> refused;  // once checked
        // While it is being checked: its signatures, if they are to be remembered, and its copies.
        std::vector<Hash> digests;
        std::vector<std::uint64_t> copies;
    };
    // One transaction's share of a job.
    struct Part {
        std::uint64_t item = 0;
        std::size_t checks = 0;
    };

    using Read = Result<consensus::Mempool::Entry, protocol::Refused>;
    using ReadAt = std::function<Read(std::size_t)>;  // of a submission's transactions; once each

    Result<void, store::Fault> take_all(const Sender& sender, std::size_t count,
                                        const ReadAt& read_at, const ledger::Place& place,
                                        Effects& fx);
    Result<void, store::Fault> take(const Position& at, std::size_t count, const ReadAt& read_at,
                                    Effects& fx);
    Read read(ByteView bytes) const;
    Read read(protocol::Transaction&& transaction) const;
    std::optional<protocol::Refused> refuse_early(const consensus::Mempool::Entry& entry,
                                                  const Submission& submission) const;
    Result<void, store::Fault> enqueue(Item&& item, Effects& fx);
    Result<void, store::Fault> look_up(Item& item, std::uint64_t number, Effects& fx);
    Result<void, store::Fault> look_up_front(Effects& fx);
    bool joins_original(Item& item, std::uint64_t number);
    void conclude(Item& item, std::optional<protocol::Refused> refused);
    Result<void, store::Fault> admit_ready(const ledger::Place& place, Effects& fx);
    Result<Verdict, store::Fault> admit(Item& item, const ledger::Place& place);
    void blame_for(const Item& item);
    void settle(const Position& at, Verdict verdict, Effects& fx);
    void flush_job(Effects& fx);

    ledger::Organization organization_;
    std::size_t checks_max_;
    consensus::Mempool& mempool_;
    const RecentTransactions& recent_;

    std::deque<Item> queue_;
    std::uint64_t front_ = 0;         // number of the queue's first item
    std::size_t signatures_out_ = 0;  // carried by the items in the queue
    // Those whose checks are out, by transaction id; of several with one id, the first.
    std::map<Hash, std::uint64_t> under_way_;
    VerifiedSignatures verified_;
    std::vector<std::optional<Id>> admitted_from_;
    std::map<std::uint64_t, Submission> submissions_;
    std::vector<Id> forgers_;
    std::uint64_t next_submission_ = 0;
    std::map<std::uint64_t, std::vector<Part>> jobs_;
    std::uint64_t first_job_ = 0;
    std::uint64_t next_job_ = 0;
    SignatureJob filling_;  // the job that takes more checks within this step
    std::vector<Part> filling_parts_;
};

}  // namespace leither::node
