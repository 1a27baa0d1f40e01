#include "leither/rpc/methods.h"

#include <algorithm>
#include <array>
#include <vector>

#include "leither/base/check.h"
#include "leither/base/prefix.h"
#include "leither/base/version.h"
#include "leither/dht/item.h"
#include "leither/protocol/contribution.h"
#include "leither/protocol/envelope.h"
#include "leither/protocol/tag.h"
#include "leither/protocol/transaction.h"

#include "call.h"
#include "handlers.h"

namespace leither::rpc {
namespace {

constexpr std::uint64_t kSubmitManyMax = 5'000;
constexpr std::uint64_t kHistoryMax = 500;
constexpr std::uint64_t kMembersMax = 1'000;
constexpr std::uint64_t kReceiptsMax = 500;
constexpr std::uint64_t kLinesMax = 1'000;
constexpr std::uint64_t kVotesMax = 500;
constexpr std::uint64_t kLogLinesMax = 500;
constexpr std::uint64_t kPlaceNameMax = 32;
constexpr std::uint64_t kBanSecondsMax = std::uint64_t{366} * 86'400;
constexpr std::uint64_t kLifetimeSecondsMax =
    std::chrono::duration_cast<std::chrono::seconds>(protocol::kEnvelopeLifetimeMax).count();

constexpr std::string_view kDetailWords[] = {"ids", "full", "none"};
constexpr std::string_view kChoiceWords[] = {"yes", "no"};
constexpr std::string_view kKeepWords[] = {"keep", "stop"};
constexpr std::string_view kVoteWords[] = {"open", "closed", "all"};
constexpr std::string_view kTopicWords[] = {"pulse",   "block", "account",
                                            "message", "chat",  "final"};

constexpr auto kRequired = Presence::required;
constexpr auto kOptional = Presence::optional;

constexpr std::string_view kClosingWords[] = {"careful", "forced"};
constexpr ParamInfo kPlaceOpenParams[] = {{"name", ParamType::string, kRequired,
                                           "what it is called here: 1 to 32 of a-z, 0-9 and -",
                                           kPlaceNameMax}};
constexpr ParamInfo kPlaceCloseParams[] = {
    {"name", ParamType::string, kRequired, "what it is called here", kPlaceNameMax},
    {"how", ParamType::text, kOptional,
     "\"forced\" also while others count on its node; \"careful\" if absent", UINT64_MAX,
     kClosingWords}};

constexpr ParamInfo kAccount = {"account", ParamType::id, kRequired, "the account's id"};
constexpr ParamInfo kAtSequence = {"sequence", ParamType::number, kOptional,
                                   "the version to read; the newest if absent"};

constexpr ParamInfo kCreateParams[] = {
    {"genesis", ParamType::bytes, kRequired, "BCS of the signed genesis"}};
constexpr ParamInfo kSubmitParams[] = {
    {"transaction", ParamType::bytes, kRequired, "BCS of the signed transaction"}};
constexpr ParamInfo kSubmitManyParams[] = {{"transactions", ParamType::bytes_list, kRequired,
                                            "BCS of signed transactions, admitted in order",
                                            kSubmitManyMax}};
constexpr ParamInfo kStatusParams[] = {
    {"id", ParamType::hash, kRequired, "the transaction's id"},
    {"signer", ParamType::id, kOptional, "its signer: widens the search to that history"}};
constexpr ParamInfo kAccountAtParams[] = {kAccount, kAtSequence};
constexpr ParamInfo kNonceParams[] = {
    kAccount, {"lane", ParamType::number, kOptional, "the nonce lane; 0 if absent", 255}};
constexpr ParamInfo kHistoryParams[] = {
    kAccount,
    {"before", ParamType::number, kOptional, "only below this sequence; `next` of the page before"},
    {"limit", ParamType::number, kOptional, "items of this page; 50 if absent", kHistoryMax}};
constexpr ParamInfo kMemberListParams[] = {
    {"from", ParamType::id, kOptional, "the first id; `next` of the page before"},
    {"limit", ParamType::number, kOptional, "items of this page; 100 if absent", kMembersMax}};
constexpr ParamInfo kReceiptListParams[] = {
    {"account", ParamType::id, kOptional, "only this account's"},
    {"before", ParamType::number, kOptional, "only below this sequence; `next` of the page before"},
    {"limit", ParamType::number, kOptional, "items of this page; 50 if absent", kReceiptsMax}};
constexpr ParamInfo kReceiptFindParams[] = {
    {"transaction", ParamType::hash, kRequired, "the transaction's id"},
    {"account", ParamType::id, kOptional, "whose receipt, if several are kept here"}};
constexpr ParamInfo kReceiptKeepParams[] = {
    kAccount,
    {"wish", ParamType::text, kOptional, "whether to keep or to stop; \"keep\" if absent",
     UINT64_MAX, kKeepWords}};
constexpr ParamInfo kEndorseParams[] = {
    {"question", ParamType::bytes, kRequired,
     "BCS of the question, signed by the account's key: account, cycle, sequence"}};
constexpr ParamInfo kChildParams[] = {
    {"prefix", ParamType::id, kRequired, "the prefix, filled up with zeros"},
    {"bits", ParamType::number, kRequired, "how many bits of it count", kIdBits},
    kAtSequence};
constexpr ParamInfo kBlockParams[] = {
    {"sequence", ParamType::number, kRequired, "the block's sequence"},
    {"detail", ParamType::text, kOptional, "how much of its transactions; \"ids\" if absent",
     UINT64_MAX, kDetailWords}};
constexpr ParamInfo kEvidenceParams[] = {
    {"id", ParamType::hash, kRequired, "the evidence's id, as evidence.list names it"}};
constexpr ParamInfo kVoter = {"account", ParamType::id, kOptional,
                              "whose own ballot and right to vote to tell"};
constexpr ParamInfo kVoteListParams[] = {
    {"state", ParamType::text, kOptional, "which votes; \"open\" if absent", UINT64_MAX,
     kVoteWords},
    kVoter,
    {"before", ParamType::number, kOptional,
     "only those counted below this sequence; `next` of the page before"},
    {"limit", ParamType::number, kOptional, "closed votes of this page; 50 if absent", kVotesMax}};
constexpr ParamInfo kVoteParams[] = {{"vote", ParamType::id, kRequired, "the vote's id"}, kVoter};
constexpr ParamInfo kProofParams[] = {
    kAccount, {"cycle", ParamType::number, kRequired, "the term whose mining reward is claimed"}};
constexpr ParamInfo kSubscribeParams[] = {
    {"topic", ParamType::text, kRequired, "what to be told of", UINT64_MAX, kTopicWords},
    {"account", ParamType::id, kOptional,
     "whose changes, or messages; for the topics \"account\" and \"message\""}};
constexpr ParamInfo kOrganizationParams[] = {
    {"organization", ParamType::id, kRequired, "the organization's id"}};
constexpr ParamInfo kFollowParams[] = {
    {"organization", ParamType::id, kRequired, "the organization's id"},
    {"introduction", ParamType::bytes, kOptional,
     "BCS of how an invitation introduces it: where to begin, and whom to ask first"}};
constexpr ParamInfo kPublishParams[] = {
    {"manifest", ParamType::bytes, kRequired, "BCS of the signed manifest item"},
    {"read_secret", ParamType::hash, kRequired, "the secret that opens members' routing records"}};
constexpr ParamInfo kDhtKey = {"key", ParamType::hash, kOptional,
                               "the public key of a mutable item"};
constexpr ParamInfo kDhtSalt = {"salt", ParamType::bytes, kOptional,
                                "the salt of a mutable item, at most 64 bytes; none if absent"};
constexpr ParamInfo kDhtValue = {"value", ParamType::bytes, kRequired,
                                 "the value, bencoded, at most 1000 bytes"};
constexpr ParamInfo kDhtGetParams[] = {
    {"target", ParamType::id, kOptional, "where an immutable item lies"}, kDhtKey, kDhtSalt};
constexpr ParamInfo kDhtPutParams[] = {kDhtValue};
constexpr ParamInfo kDhtPutSignedParams[] = {
    {"key", ParamType::hash, kRequired, "the public key that signed"},
    kDhtSalt,
    {"seq", ParamType::number, kRequired, "the item's sequence", dht::kSequenceMax},
    {"cas", ParamType::number, kOptional, "only if this sequence is the newest there is",
     dht::kSequenceMax},
    kDhtValue,
    {"signature", ParamType::bytes, kRequired, "over salt, sequence and value as BEP 44 says"}};
constexpr ParamInfo kDhtLookupParams[] = {
    {"target", ParamType::id, kRequired, "the id to come near to"}};
constexpr ParamInfo kInfoHash = {"info_hash", ParamType::id, kRequired,
                                 "the info hash, or the id of an organization"};
constexpr ParamInfo kDhtAnnounceParams[] = {
    kInfoHash,
    {"port", ParamType::number, kOptional,
     "where we can be reached; the port of our datagrams if absent", UINT16_MAX}};
constexpr ParamInfo kDhtPeersParams[] = {kInfoHash};
constexpr ParamInfo kBanParams[] = {
    {"node", ParamType::id, kRequired, "the node's id"},
    {"seconds", ParamType::number, kRequired, "for how long; 0 ends a ban", kBanSecondsMax}};
constexpr ParamInfo kConnectParams[] = {
    {"endpoint", ParamType::endpoint, kRequired, "where a node of the organization listens"}};
constexpr ParamInfo kAccountParams[] = {kAccount};
constexpr ParamInfo kServeParams[] = {
    {"delegation", ParamType::bytes, kRequired, "BCS of the account's signed delegation"}};
constexpr ParamInfo kPostParams[] = {
    {"recipient", ParamType::id, kRequired, "the recipient's account"},
    {"sealed", ParamType::bytes, kRequired, "the signed letter, sealed to the recipient's key"},
    {"lifetime_s", ParamType::number, kOptional, "how long it may be on its way; 14 days if absent",
     kLifetimeSecondsMax}};
constexpr ParamInfo kForgetParams[] = {
    {"message", ParamType::hash, kRequired, "the id of a message that has arrived here"}};
constexpr ParamInfo kAuthorParams[] = {
    {"author", ParamType::id, kRequired, "the author's account"}};
constexpr ParamInfo kLineParams[] = {
    {"line", ParamType::bytes, kRequired, "BCS of the author's signed line"}};
constexpr ParamInfo kPackId = {"id", ParamType::hash, kRequired, "the pack's id"};
constexpr ParamInfo kPackParams[] = {kPackId};
constexpr ParamInfo kAppPublishParams[] = {
    {"pack", ParamType::bytes, kRequired, "BCS of the publisher's signed pack"},
    {"contents", ParamType::bytes, kRequired, "BCS of the list of its files"}};
constexpr ParamInfo kAppPutParams[] = {
    kPackId, {"data", ParamType::bytes, kRequired, "a piece of one of its files"}};
constexpr ParamInfo kAppPieceParams[] = {
    {"piece", ParamType::hash, kRequired, "the hash of a piece that is here"}};
constexpr ParamInfo kTagAddParams[] = {
    {"entry", ParamType::bytes, kRequired, "BCS of the author's signed tag entry"}};
constexpr ParamInfo kTagRemoveParams[] = {
    {"withdrawal", ParamType::bytes, kRequired, "BCS of the author's signed withdrawal"}};
constexpr ParamInfo kTagParams[] = {
    {"tag", ParamType::string, kRequired, "the tag, in small letters", protocol::kTagBytesMax}};
constexpr std::uint64_t kContributionsMax = 4'096;
constexpr std::string_view kContributionWords[] = {"development", "production", "support",
                                                   "promotion", "appreciation"};
constexpr ParamInfo kContributionAddParams[] = {
    {"entry", ParamType::bytes, kRequired, "BCS of the author's signed contribution"}};
constexpr ParamInfo kContributionListParams[] = {
    {"by", ParamType::id, kOptional, "only this account's"},
    {"kind", ParamType::text, kOptional, "only of this kind", UINT64_MAX, kContributionWords},
    {"rewarded", ParamType::text, kOptional, "only those rewarded, or not", UINT64_MAX,
     kChoiceWords},
    {"limit", ParamType::number, kOptional, "at most so many; 50 if absent", kContributionsMax}};
constexpr ParamInfo kContributionParams[] = {
    {"id", ParamType::hash, kRequired, "the contribution's id"}};
constexpr ParamInfo kReadParams[] = {
    {"limit", ParamType::number, kOptional, "lines of this page; 50 if absent", kLinesMax},
    {"before", ParamType::hash, kOptional, "only older ones than this; the first line's id"},
    {"author", ParamType::id, kOptional, "only this account's"}};
constexpr ParamInfo kSignTakeoverParams[] = {
    {"seats", ParamType::bytes, kOptional,
     "BCS of the seats that a hand-over names; absent: for a recovery"}};
constexpr std::uint64_t kNameMax = 64;
constexpr std::uint64_t kPassphraseMax = 1'024;
constexpr std::uint64_t kTokenMax = 4'096;
constexpr std::uint64_t kDigitsMax = 20;
constexpr std::uint64_t kReferenceMax = 140;
constexpr std::uint64_t kLineMax = 500;
constexpr std::uint64_t kRulesMax = 64;
constexpr std::uint64_t kExpirySecondsMax = std::uint64_t{366} * 86'400;

constexpr ParamInfo kOwnAccount = {"account", ParamType::string, kRequired,
                                   "a key of the wallet: its name, or its account's id", kNameMax};
constexpr ParamInfo kReference = {"reference", ParamType::string, kOptional, "what it is for",
                                  kReferenceMax};
constexpr ParamInfo kUnlockParams[] = {
    {"passphrase", ParamType::string, kRequired, "the wallet's passphrase", kPassphraseMax}};
constexpr ParamInfo kNameParams[] = {
    {"name", ParamType::string, kRequired, "what to call the key", kNameMax}};
constexpr ParamInfo kRequestParams[] = {
    kOwnAccount,
    {"amount", ParamType::string, kRequired, "how much, in smallest units", kDigitsMax},
    kReference,
    {"expires_s", ParamType::number, kOptional, "how long it can be paid; 600 if absent",
     kExpirySecondsMax},
    {"payer", ParamType::string, kOptional, "the account it is sent to as a letter", kNameMax}};
constexpr ParamInfo kReadTextParams[] = {
    {"text", ParamType::string, kRequired, "leither:pay:..., or a text that holds it", kTokenMax}};
constexpr ParamInfo kPayParams[] = {
    kOwnAccount,
    {"text", ParamType::string, kOptional, "the payee's request; or else payee and amount",
     kTokenMax},
    {"payee", ParamType::string, kOptional, "another key of this wallet", kNameMax},
    {"amount", ParamType::string, kOptional, "how much, in smallest units", kDigitsMax},
    kReference};
constexpr ParamInfo kItemParams[] = {
    {"id", ParamType::string, kRequired, "the item's id, or its first digits", 64}};
constexpr ParamInfo kDeclineParams[] = {
    kItemParams[0],
    {"reason", ParamType::string, kOptional, "what the payee is told", kReferenceMax}};
constexpr ParamInfo kWhyParams[] = {
    {"id", ParamType::string, kRequired,
     "a request's or transaction's id, or the first digits of one this wallet knows", 64},
    {"signer", ParamType::id, kOptional, "who signed it: finds older ones of others"}};
constexpr ParamInfo kPolicyParams[] = {{"rules", ParamType::objects, kRequired,
                                        "all rules there are to be: from, amount_max, per_day",
                                        kRulesMax}};
constexpr ParamInfo kContactParams[] = {
    {"account", ParamType::id, kRequired, "whose"},
    {"name", ParamType::string, kOptional, "what to call it; none: nothing any more", kNameMax}};
constexpr ParamInfo kOwnAccountParams[] = {kOwnAccount};
constexpr ParamInfo kSendParams[] = {
    kOwnAccount,
    {"to", ParamType::string, kRequired, "the recipient's account", kNameMax},
    {"text", ParamType::string, kRequired, "what to write", protocol::kLetterTextMax}};
constexpr ParamInfo kChatParams[] = {
    kOwnAccount, {"text", ParamType::string, kRequired, "what to say to all members", kLineMax}};
constexpr ParamInfo kContributeParams[] = {
    kOwnAccount,
    {"kind", ParamType::text, kRequired, "in which part of the business", UINT64_MAX,
     kContributionWords},
    {"text", ParamType::string, kRequired, "what was done", protocol::LongText::kMax},
    {"evidence", ParamType::string, kOptional, "where to see it",
     decltype(protocol::Contribution::evidence)::kMax},
    {"builds_on", ParamType::bytes_list, kOptional, "ids of contributions it builds on",
     protocol::kBasesMax}};
constexpr ParamInfo kCastParams[] = {
    kOwnAccount,
    {"vote", ParamType::id, kRequired, "the vote's id"},
    {"choice", ParamType::text, kRequired, "the ballot", UINT64_MAX, kChoiceWords}};
// ---- What commands do, done by the wallet for its pages
constexpr std::uint64_t kDaysMax = 400;
constexpr std::uint64_t kSharesMax = 64;
constexpr std::uint64_t kReasonMax = 280;
constexpr std::uint64_t kOfferMax = 8'192;
constexpr std::string_view kYesNoWords[] = {"yes", "no"};
constexpr std::string_view kRoleWords[] = {"supervisor", "member"};
constexpr std::string_view kSubjectWords[] = {"parameter", "structural", "operation"};
constexpr std::string_view kRewardWords[] = {"structural", "service", "operation", "mining"};
constexpr ParamInfo kBy = {"account", ParamType::string, kOptional,
                           "the key that signs; if absent, one of the wallet that may", kNameMax};
constexpr ParamInfo kOffer = {
    "offer",    ParamType::text,
    kOptional,  "whether others sign elsewhere, who are sent it; no if absent",
    UINT64_MAX, kYesNoWords};
constexpr ParamInfo kDays = {"days", ParamType::number, kOptional, "for how long", kDaysMax};
constexpr ParamInfo kNote = {"note", ParamType::string, kOptional, "a line to those who decide",
                             kReferenceMax};
constexpr ParamInfo kReason = {"reason", ParamType::string, kRequired, "why; public, or for them",
                               kReasonMax};
constexpr ParamInfo kProof = {"proof", ParamType::string, kOptional, "where the evidence is",
                              kReasonMax};
constexpr ParamInfo kAmount = {"amount", ParamType::string, kRequired,
                               "how much, in smallest units", kDigitsMax};
constexpr ParamInfo kApplicant = {"applicant", ParamType::string, kRequired,
                                  "the applicant's account, its first digits, or leither:join:...",
                                  kTokenMax};
constexpr ParamInfo kMember = {"member", ParamType::string, kRequired,
                               "a member's account, or a key's name", kNameMax};
constexpr ParamInfo kTask = {"task", ParamType::string, kRequired,
                             "the task's id, its first digits, or leither:task:...", kTokenMax};
constexpr ParamInfo kWorker = {"worker", ParamType::string, kOptional,
                               "whose work, where several have handed it in", kNameMax};
constexpr ParamInfo kFoundParams[] = {
    {"name", ParamType::string, kRequired, "what it is called", kNameMax},
    {"unit", ParamType::string, kOptional, "what its credit is called; hour if absent", 16},
    {"decimals", ParamType::number, kOptional, "of amounts; 2 if absent", 18},
    {"supply", ParamType::string, kOptional, "all credit there will be, in smallest units",
     kDigitsMax},
    {"announcement", ParamType::string, kOptional, "reasons for the first distribution", 280},
    {"account", ParamType::string, kOptional, "the founder's key; made if missing", kNameMax},
    {"shares", ParamType::objects, kOptional, "the first distribution: key, amount, reason",
     kSharesMax}};
constexpr ParamInfo kInviteParams[] = {kBy, kDays};
constexpr ParamInfo kInvitationParams[] = {
    {"text", ParamType::string, kRequired, "leither:invite:...", kTokenMax}};
constexpr ParamInfo kJoinParams[] = {
    {"link", ParamType::string, kRequired, "leither:invite:...", kTokenMax},
    {"account", ParamType::string, kRequired, "the key that shall be the member's; made if missing",
     kNameMax},
    kNote,
    kDays};
constexpr ParamInfo kApproveParams[] = {kApplicant, kBy, kOffer};
constexpr ParamInfo kRefuseParams[] = {kApplicant, kReason, kBy};
constexpr ParamInfo kSponsorParams[] = {kApplicant, kBy};
constexpr ParamInfo kRoleParams[] = {
    kMember,
    {"role", ParamType::text, kRequired, "what they become", UINT64_MAX, kRoleWords},
    kBy,
    kOffer};
constexpr ParamInfo kCosignParams[] = {
    {"id", ParamType::string, kRequired, "the offer's id, its first digits, or leither:cosign:...",
     kOfferMax},
    kBy};
constexpr ParamInfo kProposeParams[] = {
    {"kind", ParamType::text, kRequired, "what it is about", UINT64_MAX, kSubjectWords},
    {"parameter", ParamType::string, kOptional, "of a parameter: its name", kNameMax},
    {"value", ParamType::number, kOptional, "of a parameter: what it shall be", UINT32_MAX},
    {"member", ParamType::string, kOptional, "of a reward: whom it is for", kNameMax},
    {"amount", ParamType::string, kOptional, "of a reward: how much, in smallest units",
     kDigitsMax},
    kReason,
    kProof,
    kBy};
constexpr ParamInfo kRewardParams[] = {
    kMember,
    kAmount,
    {"kind", ParamType::text, kOptional, "what for; service if absent", UINT64_MAX, kRewardWords},
    {"reason", ParamType::string, kOptional, "public; if absent, what the contribution says",
     kReasonMax},
    kProof,
    {"contribution", ParamType::string, kOptional, "what it rewards: an id, or its first digits",
     64},
    kBy,
    kOffer};
constexpr ParamInfo kOwnTagParams[] = {
    kOwnAccount,
    {"tag", ParamType::string, kRequired, "one word", 32},
    {"target", ParamType::string, kRequired, "a pack's or account's id, or a text", 200},
    kDays};
constexpr ParamInfo kCreateTaskParams[] = {
    {"title", ParamType::string, kRequired, "what is to be done, in a line", kReferenceMax},
    kAmount,
    {"text", ParamType::string, kOptional, "more about it", kReasonMax},
    kDays,
    kBy};
constexpr ParamInfo kClaimTaskParams[] = {kTask, kOwnAccount};
constexpr ParamInfo kSubmitTaskParams[] = {
    kTask,
    kOwnAccount,
    {"text", ParamType::string, kRequired, "what shows that it is done", kReasonMax},
    kNote};
constexpr ParamInfo kConfirmTaskParams[] = {kTask, kWorker, kBy, kOffer};
constexpr ParamInfo kRefuseTaskParams[] = {kTask, kReason, kWorker, kBy};

constexpr ParamInfo kLogsParams[] = {
    {"after", ParamType::number, kOptional, "only lines behind this number"},
    {"limit", ParamType::number, kOptional, "lines; 100 if absent", kLogLinesMax}};
constexpr ParamInfo kUnsubscribeParams[] = {
    {"subscription", ParamType::number, kRequired, "the number subscribe gave"}};

constexpr Method kTable[] = {
    {{"node.status", "Version, time and ledger of this node.", {}}, node_status},
    {{"organization.create", "Founds an organization on this node.", kCreateParams},
     organization_create,
     Timing::deferred},
    {{"organization.info", "Charter, supply, parameters and system accounts.", {}},
     organization_info},
    {{"organization.allocations", "The first distribution of credit, with reasons.", {}},
     organization_allocations},
    {{"organization.find", "An organization's manifest, from wherever it can be had.",
      kOrganizationParams},
     organization_find,
     Timing::deferred},
    {{"organization.follow", "Takes part in an organization from now on.", kFollowParams},
     organization_follow,
     Timing::deferred},
    {{"organization.introduction", "How a newcomer's node may begin, for an invitation.", {}},
     organization_introduction},
    {{"organization.draft", "What the manifest should say today, to be signed.", {}},
     organization_draft},
    {{"organization.publish", "Publishes a signed manifest.", kPublishParams},
     organization_publish,
     Timing::deferred},
    {{"dht.status", "This node in the DHT: table, store, traffic.", {}}, dht_status},
    {{"dht.get", "An item of the DHT, by its target or by key and salt.", kDhtGetParams},
     dht_get,
     Timing::deferred},
    {{"dht.put", "Stores an immutable item at the nodes nearest to it.", kDhtPutParams},
     dht_put,
     Timing::deferred},
    {{"dht.put_signed", "The same for a mutable item that its writer has signed.",
      kDhtPutSignedParams},
     dht_put_signed,
     Timing::deferred},
    {{"dht.lookup", "The nodes nearest to an id.", kDhtLookupParams}, dht_lookup, Timing::deferred},
    {{"dht.announce", "Tells the DHT that this node can be reached under an info hash.",
      kDhtAnnounceParams},
     dht_announce,
     Timing::deferred},
    {{"dht.peers", "Who has announced itself under an info hash.", kDhtPeersParams},
     dht_peers,
     Timing::deferred},
    {{"network.peers", "The nodes this one is connected to.", {}}, network_peers},
    {{"network.connect", "Dials a node of the followed organization, and keeps its address.",
      kConnectParams},
     network_connect,
     Timing::deferred},
    {{"network.bans", "The nodes no connection is made with.", {}}, network_bans},
    {{"network.ban", "Keeps a node away for a time.", kBanParams}, network_ban, Timing::deferred},
    {{"account.serve", "This node keeps an account's messages from now on.", kServeParams},
     account_serve,
     Timing::deferred},
    {{"account.key", "What messages to an account are sealed to.", kAccountParams}, account_key},
    {{"message.post", "Sends a sealed message.", kPostParams}, message_post, Timing::deferred},
    {{"message.inbox", "Messages that have arrived for an account served here, oldest first.",
      kAccountParams},
     message_inbox},
    {{"message.outbox", "Messages posted here and what has become of them, oldest first.", {}},
     message_outbox},
    {{"message.forget", "Removes a message that has arrived here.", kForgetParams},
     message_forget,
     Timing::deferred},
    {{"chat.next", "What an author's next line must carry.", kAuthorParams}, chat_next},
    {{"chat.post", "Says a signed line to all members.", kLineParams}, chat_post, Timing::deferred},
    {{"chat.read", "The newest lines of the conversation, oldest first.", kReadParams}, chat_read},
    {{"app.publish", "Begins to publish a pack; its pieces are brought by app.put.",
      kAppPublishParams},
     app_publish,
     Timing::deferred},
    {{"app.put", "Brings a piece of a pack that is being published; the last one makes it public.",
      kAppPutParams},
     app_put,
     Timing::deferred},
    {{"app.list", "The packs of the organization and those held here, newest first.", {}},
     app_list},
    {{"app.show", "A pack, with its files as far as they are known here.", kPackParams}, app_show},
    {{"app.fetch", "Fetches a pack's files, or says how far they are.", kPackParams},
     app_fetch,
     Timing::deferred},
    {{"app.piece", "A piece that is here.", kAppPieceParams}, app_piece},
    {{"app.remove", "This node keeps a pack's files no longer.", kPackParams},
     app_remove,
     Timing::deferred},
    {{"tag.add", "Makes a signed tag entry public.", kTagAddParams}, tag_add, Timing::deferred},
    {{"tag.remove", "Makes public that an author withdraws a tag entry.", kTagRemoveParams},
     tag_remove,
     Timing::deferred},
    {{"tag.search", "The entries under a tag, newest first.", kTagParams}, tag_search},
    {{"tag.find", "Looks in the DHT for nodes that keep entries under a tag.", kTagParams},
     tag_find,
     Timing::deferred},
    {{"contribution.add", "Makes a signed contribution public.", kContributionAddParams},
     contribution_add,
     Timing::deferred},
    {{"contribution.list",
      "What members have contributed, newest first, and what it was rewarded "
      "with.",
      kContributionListParams},
     contribution_list},
    {{"contribution.show", "A contribution, what it builds on, and what builds on it.",
      kContributionParams},
     contribution_show},
    {{"transaction.submit", "Checks a transaction and puts it in line for the next block.",
      kSubmitParams},
     transaction_submit,
     Timing::deferred},
    {{"transaction.submit_many", "The same for many, with one verdict each.", kSubmitManyParams},
     transaction_submit_many,
     Timing::deferred},
    {{"transaction.status", "What became of a transaction.", kStatusParams}, transaction_status},
    {{"account.get", "An account's record.", kAccountAtParams}, account_get},
    {{"account.nonce", "What a transaction of this account must carry next.", kNonceParams},
     account_nonce},
    {{"account.history", "Transactions that touched an account, newest first.", kHistoryParams},
     account_history},
    {{"office.status", "Terms and committees, and this node's part in them.", {}}, office_status},
    {{"office.registration", "What a member's pledge registers, for this node to stand for it.",
      kAccountParams},
     office_registration},
    {{"takeover.status", "What would replace a silent committee, and this node's part in it.", {}},
     takeover_status},
    {{"takeover.sign",
      "Signs, as a candidate's node, that the head is the last block of a silent committee.",
      kSignTakeoverParams},
     takeover_sign,
     Timing::deferred},
    {{"takeover.submit", "A complete takeover, for its seats to decide and others to follow.",
      kSubmitParams},
     takeover_submit,
     Timing::deferred},
    {{"member.list", "Members by id.", kMemberListParams}, member_list},
    {{"receipt.get", "Proof of what an account held, to be verified offline.", kAccountAtParams},
     receipt_get},
    {{"receipt.list", "Receipts that this node has kept, newest first.", kReceiptListParams},
     receipt_list},
    {{"receipt.find", "The receipt of what a transaction has left.", kReceiptFindParams},
     receipt_find},
    {{"receipt.keep", "This node keeps an account's receipts from now on, or no longer.",
      kReceiptKeepParams},
     receipt_keep,
     Timing::deferred},
    {{"receipt.terms", "What an owner signs to have its account endorsed, and who answers.", {}},
     receipt_terms},
    {{"receipt.endorse",
      "An endorsed receipt, gathered from the bookkeepers in office: for strangers.",
      kEndorseParams},
     receipt_endorse,
     Timing::deferred},
    {{"child.get", "Synopsis of a child organization (a prefix of ids), with proof.", kChildParams},
     child_get},
    {{"block.get", "A sealed block.", kBlockParams}, block_get},
    {{"evidence.list", "What this node has recorded against bookkeepers, oldest first.", {}},
     evidence_list},
    {{"evidence.get", "One record, to be judged offline.", kEvidenceParams}, evidence_get},
    {{"vote.list", "Votes of the members: open ones by closing pulse, closed ones newest first.",
      kVoteListParams},
     vote_list},
    {{"vote.get", "One vote: what it would change, how it stands, what it needs.", kVoteParams},
     vote_get},
    {{"vote.parameters", "The parameters that a vote may change, with their bounds.", {}},
     vote_parameters},
    {{"reward.list",
      "Rewards announced and not yet paid, and the mining rewards of ended terms.",
      {}},
     reward_list},
    {{"reward.proof", "Proof of an account's mining reward of a term, as a claim carries it.",
      kProofParams},
     reward_proof},
    {{"wallet.status", "The wallet that this program holds, and its accounts.", {}},
     wallet_call,
     Timing::deferred},
    {{"wallet.unlock", "Opens the wallet's sealed keys for a while.", kUnlockParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.lock", "Forgets what opens the sealed keys.", {}}, wallet_call, Timing::deferred},
    {{"wallet.create", "Makes a key.", kNameParams}, wallet_call, Timing::deferred},
    {{"wallet.request", "Signs a request for a payment, and sends it.", kRequestParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.requests", "Requests made with this wallet, and what became of them.", {}},
     wallet_call,
     Timing::deferred},
    {{"wallet.read", "What a request says, and who would see the payment.", kReadTextParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.pay", "Pays a request once, or another key of this wallet.", kPayParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.inbox", "What waits for the owner's word, and what became of it.", {}},
     wallet_call,
     Timing::deferred},
    {{"wallet.accept", "Pays a request of the inbox.", kItemParams}, wallet_call, Timing::deferred},
    {{"wallet.decline", "Declines a request of the inbox, and tells the payee.", kDeclineParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.why", "Why a request or transaction stands where it stands.", kWhyParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.policy", "What the wallet pays by itself.", {}}, wallet_call, Timing::deferred},
    {{"wallet.set_policy", "Replaces these rules.", kPolicyParams}, wallet_call, Timing::deferred},
    {{"wallet.contacts", "What the owner calls other people's accounts.", {}},
     wallet_call,
     Timing::deferred},
    {{"wallet.set_contact", "Names an account, for this wallet alone.", kContactParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.letters", "Letters that have arrived for an account, opened.", kOwnAccountParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.send", "Writes a letter to a member.", kSendParams}, wallet_call, Timing::deferred},
    {{"wallet.chat", "Says a line to all members.", kChatParams}, wallet_call, Timing::deferred},
    {{"wallet.contribute", "Makes public what a key of the wallet has contributed.",
      kContributeParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.cast", "Casts a ballot.", kCastParams}, wallet_call, Timing::deferred},
    {{"wallet.endorse", "An endorsed receipt of an account, as a file to show to strangers.",
      kOwnAccountParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.found", "Founds an organization on this node.", kFoundParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.invite", "Invites somebody to the organization.", kInviteParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.invitation", "What an invitation says.", kInvitationParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.join", "Asks to be admitted, by an invitation.", kJoinParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.standing", "Where the wallet's own applications stand.", {}},
     wallet_call,
     Timing::deferred},
    {{"wallet.applications", "Who asks to be admitted.", {}}, wallet_call, Timing::deferred},
    {{"wallet.approve", "Admits an applicant.", kApproveParams}, wallet_call, Timing::deferred},
    {{"wallet.refuse", "Turns an applicant down, with a reason.", kRefuseParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.sponsor", "Passes an application on to supervisors.", kSponsorParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.leave", "Leaves the organization with an empty account.", kOwnAccountParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.set_role", "Makes a member supervisor, or member again.", kRoleParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.offers", "What supervisors elsewhere have offered to be signed.", {}},
     wallet_call,
     Timing::deferred},
    {{"wallet.cosign", "Signs such an offer; the last signature submits it.", kCosignParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.propose", "Opens a vote of the members.", kProposeParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.reward", "Rewards a member from the treasury.", kRewardParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.tag", "Puts something under a tag.", kOwnTagParams}, wallet_call, Timing::deferred},
    {{"wallet.tasks", "Tasks known to this wallet, and how they stand.", {}},
     wallet_call,
     Timing::deferred},
    {{"wallet.create_task", "Promises pay for a piece of work.", kCreateTaskParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.claim_task", "Says that one does a task.", kClaimTaskParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.submit_task", "Hands in finished work.", kSubmitTaskParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.confirm_task", "Accepts work: pays, and admits a guest.", kConfirmTaskParams},
     wallet_call,
     Timing::deferred},
    {{"wallet.refuse_task", "Does not accept work, with a reason.", kRefuseTaskParams},
     wallet_call,
     Timing::deferred},
    {{"subscribe", "Be told of what happens, by topic (WebSocket only).", kSubscribeParams},
     subscribe},
    {{"unsubscribe", "End a subscription.", kUnsubscribeParams}, unsubscribe},
    {{"node.machine", "What this node takes of its machine and of its line.", {}}, node_machine},
    {{"node.logs", "The newest lines of the daemon's log, oldest first.", kLogsParams},
     node_logs,
     Timing::at_once,
     Needs::program},
    {{"dashboard.link", "A link that opens the dashboard, once and soon.", {}},
     dashboard_link,
     Timing::at_once,
     Needs::program},
    {{"place.list", "The organizations that this daemon serves.", {}},
     place_list,
     Timing::at_once,
     Needs::program},
    {{"place.open", "Makes room for another organization, or opens it again.", kPlaceOpenParams},
     place_open,
     Timing::at_once,
     Needs::program},
    {{"place.close", "Serves an organization no more; its files stay.", kPlaceCloseParams},
     place_close,
     Timing::at_once,
     Needs::program},
    {{"node.stop", "Stops the daemon as on SIGTERM.", {}},
     node_stop,
     Timing::at_once,
     Needs::program},
    {{"rpc.discover", "This list, as an OpenRPC document.", {}},
     discover,
     Timing::at_once,
     Needs::program},
};

constexpr bool params_fit() {
    for (const auto& method : kTable) {
        if (method.info.params.size() > Args::kParamsMax) return false;
    }
    return true;
}
static_assert(params_fit());

Json schema_of(const ParamInfo& param) {
    constexpr const char* kHex = "^([0-9a-fA-F]{2})*$";
    switch (param.type) {
        case ParamType::id: return {{"type", "string"}, {"pattern", "^[0-9a-fA-F]{40}$"}};
        case ParamType::hash: return {{"type", "string"}, {"pattern", "^[0-9a-fA-F]{64}$"}};
        case ParamType::number:
            return {{"type", "integer"}, {"minimum", 0}, {"maximum", param.max}};
        case ParamType::text: return {{"type", "string"}, {"enum", param.words}};
        case ParamType::bytes: return {{"type", "string"}, {"pattern", kHex}};
        case ParamType::endpoint: return {{"type", "string"}};
        case ParamType::string:
            return {{"type", "string"}, {"minLength", 1}, {"maxLength", param.max}};
        case ParamType::objects:
            return {{"type", "array"}, {"maxItems", param.max}, {"items", {{"type", "object"}}}};
        case ParamType::bytes_list:
            return {{"type", "array"},
                    {"maxItems", param.max},
                    {"items", {{"type", "string"}, {"pattern", kHex}}}};
    }
    UNREACHABLE();
}

Json describe(const MethodInfo& method) {
    Json params = Json::array();
    for (const auto& param : method.params) {
        params.push_back({{"name", param.name},
                          {"description", param.doc},
                          {"required", param.presence == Presence::required},
                          {"schema", schema_of(param)}});
    }
    return {{"name", method.name},
            {"description", method.doc},
            {"paramStructure", "by-name"},
            {"params", std::move(params)},
            {"result", {{"name", "result"}, {"schema", true}}}};
}

}  // namespace

std::span<const MethodInfo> methods() {
    static constexpr auto kInfos = [] {
        std::array<MethodInfo, std::size(kTable)> infos;
        for (std::size_t i = 0; i < infos.size(); ++i) infos[i] = kTable[i].info;
        return infos;
    }();
    return kInfos;
}

const Method* find_method(std::string_view name) {
    const auto* found = std::find_if(std::begin(kTable), std::end(kTable),
                                     [name](const Method& row) { return row.info.name == name; });
    return found == std::end(kTable) ? nullptr : found;
}

Outcome discover(Call&) {
    Json list = Json::array();
    for (const auto& method : methods()) list.push_back(describe(method));
    return Json{{"openrpc", "1.2.6"},
                {"info", {{"title", "Leither local API"}, {"version", kVersion}}},
                {"methods", std::move(list)}};
}

}  // namespace leither::rpc
