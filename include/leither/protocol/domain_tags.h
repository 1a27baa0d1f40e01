// The tags that separate everything signed or hashed outside the tree. Never change or reuse one.
#pragma once

#include <string_view>

namespace leither::protocol::tags {

inline constexpr std::string_view kCharter = "leither/charter/1";
inline constexpr std::string_view kTransaction = "leither/transaction/1";
inline constexpr std::string_view kPaymentRequest = "leither/payment-request/1";
inline constexpr std::string_view kApplication = "leither/application/1";
inline constexpr std::string_view kTransactions = "leither/transactions/1";
inline constexpr std::string_view kBlock = "leither/block/1";
inline constexpr std::string_view kProposal = "leither/proposal/1";
inline constexpr std::string_view kPrevote = "leither/prevote/1";
inline constexpr std::string_view kPrecommit = "leither/precommit/1";
inline constexpr std::string_view kNilPrecommit = "leither/nil-precommit/1";
inline constexpr std::string_view kHeartbeat = "leither/heartbeat/1";
inline constexpr std::string_view kAcknowledgement = "leither/acknowledgement/1";
inline constexpr std::string_view kEndorsement = "leither/endorsement/1";
inline constexpr std::string_view kAskEndorsement = "leither/ask-endorsement/1";
inline constexpr std::string_view kAllocation = "leither/allocation/1";
inline constexpr std::string_view kSalt = "leither/salt/1";
inline constexpr std::string_view kBookkeepingId = "leither/bookkeeping-id/1";
inline constexpr std::string_view kElectionId = "leither/election-id/1";
inline constexpr std::string_view kCandidatesId = "leither/candidates-id/1";
inline constexpr std::string_view kTallyId = "leither/tally-id/1";
inline constexpr std::string_view kVoteId = "leither/vote-id/1";
inline constexpr std::string_view kElectionSeed = "leither/election-seed/1";
inline constexpr std::string_view kElectionDraw = "leither/election-draw/1";
inline constexpr std::string_view kRevealLink = "leither/reveal-link/1";
inline constexpr std::string_view kRewardLine = "leither/reward-line/1";
inline constexpr std::string_view kRewardNode = "leither/reward-node/1";
inline constexpr std::string_view kCheckpoint = "leither/checkpoint/1";
inline constexpr std::string_view kHandOver = "leither/hand-over/1";
inline constexpr std::string_view kRecovery = "leither/recovery/1";
inline constexpr std::string_view kManifest = "leither/manifest/1";
inline constexpr std::string_view kReadKey = "leither/read-key/1";
inline constexpr std::string_view kDelegation = "leither/delegation/1";
inline constexpr std::string_view kMemberPass = "leither/member-pass/1";
inline constexpr std::string_view kRoutingRecord = "leither/routing-record/1";
inline constexpr std::string_view kLetter = "leither/letter/1";
inline constexpr std::string_view kEnvelope = "leither/envelope/1";
inline constexpr std::string_view kMessageId = "leither/message-id/1";
inline constexpr std::string_view kDeliveryReceipt = "leither/delivery-receipt/1";
inline constexpr std::string_view kChatLine = "leither/chat-line/1";
inline constexpr std::string_view kPack = "leither/pack/1";
inline constexpr std::string_view kTagEntry = "leither/tag-entry/1";
inline constexpr std::string_view kTagWithdrawal = "leither/tag-withdrawal/1";
inline constexpr std::string_view kTagId = "leither/tag-id/1";
inline constexpr std::string_view kContribution = "leither/contribution/1";
inline constexpr std::string_view kTask = "leither/task/1";
inline constexpr std::string_view kSubmission = "leither/submission/1";
inline constexpr std::string_view kNoiseStatic = "leither/noise-static/1";
inline constexpr std::string_view kNoiseIdentity = "leither/noise-identity/1";

}  // namespace leither::protocol::tags
