// Membership and pay by work (docs/protocol/joining.md): a supervisor's promise, a worker's word
// that it is taken or done, and what a supervisor makes of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "leither/base/result.h"
#include "leither/protocol/transaction.h"
#include "leither/protocol/validity.h"
#include "leither/wallet/link.h"
#include "leither/wallet/payment.h"

namespace leither::wallet {

using TaskTitle = BoundedText<80>;

// "Whoever does this is paid so much, and admitted if a guest."
struct Task {
    PublicKey supervisor;  // who promises
    TaskTitle title;
    protocol::LongText text;
    Amount amount;
    protocol::Validity validity;  // work is to be handed in until then
    static void fields(auto& self, auto&& visit) {
        visit(self.supervisor, self.title, self.text, self.amount, self.validity);
    }
    bool is_canonical() const { return !title.empty() && !amount.is_zero(); }
    friend bool operator==(const Task&, const Task&) = default;
};
struct SignedTask {
    ChainId chain;
    Task task;
    Signature signature;  // by the supervisor
    static void fields(auto& self, auto&& visit) { visit(self.chain, self.task, self.signature); }
    friend bool operator==(const SignedTask&, const SignedTask&) = default;
};
inline constexpr std::string_view kTaskPrefix = "leither:task:";

Hash task_id(const ChainId& chain, const Task& task);
// REQUIRES: `supervisor` is the task's.
SignedTask sign_task(const ChainId& chain, const Task& task, const crypto::KeyPair& supervisor);
std::string to_text(const SignedTask& task);
Result<SignedTask, LinkFault> task_from_text(std::string_view text);

// What a worker says of a task: that it is taken (no proof yet), or done.
struct Work {
    Hash task;
    PublicKey worker;
    protocol::LongText proof;
    static void fields(auto& self, auto&& visit) { visit(self.task, self.worker, self.proof); }
    friend bool operator==(const Work&, const Work&) = default;
};
struct SignedWork {
    SignedTask task;
    Work work;
    Signature signature;                           // by the worker
    std::optional<SignedApplication> application;  // of a guest who hands in
    static void fields(auto& self, auto&& visit) {
        visit(self.task, self.work, self.signature, self.application);
    }
    // The work is that task's; an application is the worker's own, and only with a proof.
    bool is_canonical() const;
};
inline constexpr std::string_view kClaimPrefix = "leither:claim:";
inline constexpr std::string_view kSubmissionPrefix = "leither:submit:";

// REQUIRES: `worker` is whose application it is.
SignedWork sign_work(const SignedTask& task, const protocol::LongText& proof,
                     const crypto::KeyPair& worker,
                     std::optional<SignedApplication> application = std::nullopt);
// A claim without proof, a submission with one.
std::string to_text(const SignedWork& work);
Result<SignedWork, LinkFault> claim_from_text(std::string_view text);
Result<SignedWork, LinkFault> submission_from_text(std::string_view text);

// In order of precedence.
enum class TaskFault : std::uint8_t {
    wrong_organization,
    not_promised,  // the supervisor named has not signed it
    not_signed,    // the worker has not
    expired,
};
const char* to_string(TaskFault fault);
Result<void, TaskFault> check(const SignedTask& task, const ChainId& chain, Instant now);
// Of the work alone; the task's expiry is for the reader to judge.
Result<void, TaskFault> check(const SignedWork& work, const ChainId& chain);

// What the ledger's record of the payment says it is for: the title, and the task by its first
// digits, so that what has been paid is found again.
protocol::LongText reason_of(const ChainId& chain, const Task& task);

}  // namespace leither::wallet
