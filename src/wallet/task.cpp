#include "leither/wallet/task.h"

#include <fmt/format.h>

#include "leither/crypto/hash.h"
#include "leither/protocol/domain_tags.h"

#include "link_text.h"

namespace leither::wallet {

namespace {

constexpr std::size_t kDigitsOfTask = 12;

Bytes signing_message(const ChainId& chain, const Task& task) {
    return crypto::tagged_message(protocol::tags::kTask, chain, bcs::encode(task));
}

Bytes signing_message(const ChainId& chain, const Work& work) {
    return crypto::tagged_message(protocol::tags::kSubmission, chain, bcs::encode(work));
}

Result<SignedWork, LinkFault> work_from_text(std::string_view prefix, std::string_view text) {
    auto work = TRY(value_of_link<SignedWork>(prefix, text));
    const bool is_claim = prefix == kClaimPrefix;
    if (is_claim != work.work.proof.empty()) return fail(LinkFault::not_readable);
    return work;
}

}  // namespace

Hash task_id(const ChainId& chain, const Task& task) {
    return crypto::tagged_hash(protocol::tags::kTask, chain, bcs::encode(task));
}

SignedTask sign_task(const ChainId& chain, const Task& task, const crypto::KeyPair& supervisor) {
    CHECK(task.supervisor == supervisor.public_key());
    return {chain, task, supervisor.sign(signing_message(chain, task))};
}

std::string to_text(const SignedTask& task) {
    return link_to(kTaskPrefix, task);
}

Result<SignedTask, LinkFault> task_from_text(std::string_view text) {
    return value_of_link<SignedTask>(kTaskPrefix, text);
}

bool SignedWork::is_canonical() const {
    if (work.task != task_id(task.chain, task.task)) return false;
    if (!application) return true;
    return !work.proof.empty() && application->chain == task.chain &&
           application->application.applicant == work.worker;
}

SignedWork sign_work(const SignedTask& task, const protocol::LongText& proof,
                     const crypto::KeyPair& worker, std::optional<SignedApplication> application) {
    CHECK(!application || application->application.applicant == worker.public_key());
    Work work{task_id(task.chain, task.task), worker.public_key(), proof};
    const Signature signature = worker.sign(signing_message(task.chain, work));
    return {task, std::move(work), signature, std::move(application)};
}

std::string to_text(const SignedWork& work) {
    return link_to(work.work.proof.empty() ? kClaimPrefix : kSubmissionPrefix, work);
}

Result<SignedWork, LinkFault> claim_from_text(std::string_view text) {
    return work_from_text(kClaimPrefix, text);
}

Result<SignedWork, LinkFault> submission_from_text(std::string_view text) {
    return work_from_text(kSubmissionPrefix, text);
}

const char* to_string(TaskFault fault) {
    switch (fault) {
        case TaskFault::wrong_organization: return "wrong_organization";
        case TaskFault::not_promised: return "not_promised";
        case TaskFault::not_signed: return "not_signed";
        case TaskFault::expired: return "expired";
    }
    UNREACHABLE();
}

Result<void, TaskFault> check(const SignedTask& task, const ChainId& chain, Instant now) {
    if (task.chain != chain) return fail(TaskFault::wrong_organization);
    const bool is_promised =
        crypto::verify(task.task.supervisor, signing_message(chain, task.task), task.signature);
    if (!is_promised) return fail(TaskFault::not_promised);
    if (!task.task.validity.holds(now)) return fail(TaskFault::expired);
    return {};
}

Result<void, TaskFault> check(const SignedWork& work, const ChainId& chain) {
    if (work.task.chain != chain) return fail(TaskFault::wrong_organization);
    const Task& task = work.task.task;
    if (!crypto::verify(task.supervisor, signing_message(chain, task), work.task.signature)) {
        return fail(TaskFault::not_promised);
    }
    if (!crypto::verify(work.work.worker, signing_message(chain, work.work), work.signature)) {
        return fail(TaskFault::not_signed);
    }
    return {};
}

protocol::LongText reason_of(const ChainId& chain, const Task& task) {
    return protocol::LongText(fmt::format("{} [task {}]", std::string(task.title),
                                          task_id(chain, task).hex().substr(0, kDigitsOfTask)));
}

}  // namespace leither::wallet
