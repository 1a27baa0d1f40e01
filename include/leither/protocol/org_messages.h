// What the nodes of one organization tell each other beyond the connection itself: alternatives of
// PeerMessage (docs/protocol/peers.md), each with the maximum of its encoded body. All but the
// first two go to members' nodes only.
#pragma once

#include <optional>

#include "leither/protocol/chat.h"
#include "leither/protocol/envelope.h"
#include "leither/protocol/routing_record.h"

namespace leither::protocol {

// ---- The organization
struct AskManifest {
    Id organization;
    static constexpr std::uint32_t kBytesMax = 20;
    static void fields(auto& self, auto&& visit) { visit(self.organization); }
    friend bool operator==(const AskManifest&, const AskManifest&) = default;
};
struct ManifestReply {
    std::optional<ManifestItem> item;
    static constexpr std::uint32_t kBytesMax = 1 + kItemContentBytesMax + 64;
    static void fields(auto& self, auto&& visit) { visit(self.item); }
    friend bool operator==(const ManifestReply&, const ManifestReply&) = default;
};
// "These accounts are served here." Once after connecting, and when they change.
struct Credentials {
    Delegations delegations;
    Passes passes;
    static constexpr std::uint32_t kBytesMax =
        2 + kServedAccountsMax * (kSignedDelegationBytes + kSignedPassBytes);
    static void fields(auto& self, auto&& visit) { visit(self.delegations, self.passes); }
    friend bool operator==(const Credentials&, const Credentials&) = default;
};
// To a member's node: the secret read key, sealed to its node key, and passes for its accounts.
struct Welcome {
    Bounded<std::uint8_t, 32 + crypto::kSealOverhead> read_secret;
    Passes passes;
    static constexpr std::uint32_t kBytesMax =
        1 + 32 + crypto::kSealOverhead + 1 + kServedAccountsMax * kSignedPassBytes;
    static void fields(auto& self, auto&& visit) { visit(self.read_secret, self.passes); }
    friend bool operator==(const Welcome&, const Welcome&) = default;
};

// ---- Routing records
struct RecordNotice {
    Id node;
    std::uint64_t issued_ms = 0;
    static void fields(auto& self, auto&& visit) { visit(self.node, self.issued_ms); }
    friend bool operator==(const RecordNotice&, const RecordNotice&) = default;
};
inline constexpr std::size_t kRecordNoticesMax = 32;
struct RecordOffer {
    Bounded<RecordNotice, kRecordNoticesMax> records;
    static constexpr std::uint32_t kBytesMax = 1 + kRecordNoticesMax * 28;
    static void fields(auto& self, auto&& visit) { visit(self.records); }
    friend bool operator==(const RecordOffer&, const RecordOffer&) = default;
};
struct RecordAsk {
    Bounded<Id, kRecordNoticesMax> nodes;
    static constexpr std::uint32_t kBytesMax = 1 + kRecordNoticesMax * 20;
    static void fields(auto& self, auto&& visit) { visit(self.nodes); }
    friend bool operator==(const RecordAsk&, const RecordAsk&) = default;
};
inline constexpr std::size_t kRecordsPerReply = 8;
struct RecordReply {
    Bounded<SignedRoutingRecord, kRecordsPerReply> records;
    static constexpr std::uint32_t kBytesMax =
        1 + kRecordsPerReply * (kItemContentBytesMax - crypto::kSealOverhead);
    static void fields(auto& self, auto&& visit) { visit(self.records); }
    friend bool operator==(const RecordReply&, const RecordReply&) = default;
};

// ---- Messages between members
struct EnvelopeOffer {
    Hash message;
    Id recipient;
    std::uint32_t bytes = 0;  // of the signed envelope, encoded
    static constexpr std::uint32_t kBytesMax = 56;
    static void fields(auto& self, auto&& visit) {
        visit(self.message, self.recipient, self.bytes);
    }
    friend bool operator==(const EnvelopeOffer&, const EnvelopeOffer&) = default;
};
struct EnvelopePost {
    SignedEnvelope envelope;
    static constexpr std::uint32_t kBytesMax = 20 + 2 + kSealedLetterBytesMax + 32 + 16 + 64;
    static void fields(auto& self, auto&& visit) { visit(self.envelope); }
    friend bool operator==(const EnvelopePost&, const EnvelopePost&) = default;
};
enum class EnvelopeOutcome : std::uint8_t {  // encoded; never change these values
    wanted,                                  // send it
    delivered,  // a node that serves the recipient has it: see the receipt
    held,       // kept until such a node shows up
    full,       // no room; later perhaps
    refused,    // never: its sender is no member's node, or it does not hold
};
constexpr EnvelopeOutcome last_of(EnvelopeOutcome) {
    return EnvelopeOutcome::refused;
}
const char* to_string(EnvelopeOutcome outcome);
struct EnvelopeAck {
    Hash message;
    EnvelopeOutcome outcome = EnvelopeOutcome::wanted;
    std::optional<DeliveryReceipt> receipt;  // with `delivered`
    static constexpr std::uint32_t kBytesMax = 32 + 1 + 1 + kDeliveryReceiptBytes;
    static void fields(auto& self, auto&& visit) {
        visit(self.message, self.outcome, self.receipt);
    }
    friend bool operator==(const EnvelopeAck&, const EnvelopeAck&) = default;
};

// ---- Chat
inline constexpr std::size_t kSignedLineBytesMax = 32 + 8 + 32 + 8 + (2 + 500) + 64;
// A new line, passed on to everybody connected.
struct ChatPost {
    SignedLine line;
    std::optional<SignedPass> pass;  // of the author
    static constexpr std::uint32_t kBytesMax = kSignedLineBytesMax + 1 + kSignedPassBytes;
    static void fields(auto& self, auto&& visit) { visit(self.line, self.pass); }
    friend bool operator==(const ChatPost&, const ChatPost&) = default;
};
// Where an author's lines end at the sender.
struct ChatTip {
    Id author;
    std::uint64_t number = 0;
    Hash line;
    static void fields(auto& self, auto&& visit) { visit(self.author, self.number, self.line); }
    friend bool operator==(const ChatTip&, const ChatTip&) = default;
};
inline constexpr std::size_t kChatTipsMax = 32;
// All the authors the sender knows from `first` to `last`, so that the receiver sees what either
// lacks.
struct ChatHave {
    Id first;
    Id last;
    Bounded<ChatTip, kChatTipsMax> tips;  // rising by author, within [first, last]
    static constexpr std::uint32_t kBytesMax = 41 + kChatTipsMax * 60;
    static void fields(auto& self, auto&& visit) { visit(self.first, self.last, self.tips); }
    bool is_canonical() const;
    friend bool operator==(const ChatHave&, const ChatHave&) = default;
};
struct ChatAsk {
    Id author;
    std::uint64_t from = 0;
    static constexpr std::uint32_t kBytesMax = 28;
    static void fields(auto& self, auto&& visit) { visit(self.author, self.from); }
    friend bool operator==(const ChatAsk&, const ChatAsk&) = default;
};
inline constexpr std::size_t kChatLinesPerReply = 16;
// An author's lines in a row, from the one asked for or the oldest the sender has.
struct ChatLines {
    Bounded<SignedLine, kChatLinesPerReply> lines;
    std::optional<SignedPass> pass;
    static constexpr std::uint32_t kBytesMax =
        1 + kChatLinesPerReply * kSignedLineBytesMax + 1 + kSignedPassBytes;
    static void fields(auto& self, auto&& visit) { visit(self.lines, self.pass); }
    bool is_canonical() const;
    friend bool operator==(const ChatLines&, const ChatLines&) = default;
};

}  // namespace leither::protocol
