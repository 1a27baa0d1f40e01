// What two connected nodes say to each other (docs/protocol/peers.md).
//
// A message travels as: kind u8 | length of the body u32, little-endian | body in BCS. The length
// is held against the kind's maximum before anything is allocated. To add a message: append its
// struct to `PeerMessage` and its row to `kPeerMessageKinds`; give it a feature bit if older nodes
// must not get it, since an unknown kind ends the connection.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <variant>

#include "leither/base/bounded.h"
#include "leither/base/number.h"
#include "leither/codec/bcs.h"
#include "leither/protocol/acknowledgement.h"
#include "leither/protocol/agreement.h"
#include "leither/protocol/catalogue_messages.h"
#include "leither/protocol/checkpoint.h"
#include "leither/protocol/endorsement.h"
#include "leither/protocol/org_messages.h"
#include "leither/protocol/sync_messages.h"
#include "leither/protocol/transaction_post.h"
#include "leither/protocol/wire_endpoint.h"

namespace leither::protocol {

// Bits of Hello::features; never give one another meaning. Kinds that came later than the first are
// sent only to whoever has their bit.
// Bit 0 stands for a catalogue of packs and tags alone: whoever shows only that is told nothing.
inline constexpr std::uint64_t kFeatureEndorsements = 2;  // kinds 88 and 89
inline constexpr std::uint64_t kFeatureCatalogue = 4;     // kinds 80 to 85
// What this program understands.
inline constexpr std::uint64_t kOwnFeatures = kFeatureCatalogue | kFeatureEndorsements;

// The first message of each side. Nothing else may come before it.
struct Hello {
    BoundedText<64> agent;          // program and version, for people
    std::uint16_t listen_port = 0;  // where the sender accepts connections; 0 = nowhere
    std::uint64_t features = 0;     // bits; unknown ones mean nothing
    WireEndpoint observed;          // the receiver, as the sender sees it
    static void fields(auto& self, auto&& visit) {
        visit(self.agent, self.listen_port, self.features, self.observed);
    }
    friend bool operator==(const Hello&, const Hello&) = default;
};

// Answered by a Pong with the same nonce.
struct Ping {
    std::uint64_t nonce = 0;
    static void fields(auto& self, auto&& visit) { visit(self.nonce); }
    friend bool operator==(const Ping&, const Ping&) = default;
};
struct Pong {
    std::uint64_t nonce = 0;
    static void fields(auto& self, auto&& visit) { visit(self.nonce); }
    friend bool operator==(const Pong&, const Pong&) = default;
};

// Why the sender closes.
enum class GoodbyeReason : std::uint8_t {  // encoded; never change these values
    stopping,                              // its program ends
    full,                                  // it has as many connections as it may
    duplicate,                             // another connection between the two stays
    not_needed,
    misconduct,  // the receiver broke the rules, or sends more than it may
};
constexpr GoodbyeReason last_of(GoodbyeReason) {
    return GoodbyeReason::misconduct;
}
// The sender's last message.
struct Goodbye {
    GoodbyeReason reason = GoodbyeReason::stopping;
    static void fields(auto& self, auto&& visit) { visit(self.reason); }
    friend bool operator==(const Goodbye&, const Goodbye&) = default;
};

// "Can you connect to me at this port of the address you see me at?"
struct AskDialBack {
    std::uint16_t port = 0;
    std::uint64_t nonce = 0;
    static void fields(auto& self, auto&& visit) { visit(self.port, self.nonce); }
    friend bool operator==(const AskDialBack&, const AskDialBack&) = default;
};
enum class DialBackOutcome : std::uint8_t {  // encoded; never change these values
    reached,                                 // a handshake proved that the asker listens there
    unreachable,                             // refused, or silence
    other_node,                              // somebody else answers there
    declined,                                // not tried: asked too often, or busy
};
constexpr DialBackOutcome last_of(DialBackOutcome) {
    return DialBackOutcome::declined;
}
struct DialBackResult {
    std::uint64_t nonce = 0;
    DialBackOutcome outcome = DialBackOutcome::declined;
    static void fields(auto& self, auto&& visit) { visit(self.nonce, self.outcome); }
    friend bool operator==(const DialBackResult&, const DialBackResult&) = default;
};

// In the order of `kPeerMessageKinds`; only ever append.
using PeerMessage =
    std::variant<Hello, Ping, Pong, Goodbye, AskDialBack, DialBackResult, AskManifest,
                 ManifestReply, Credentials, Welcome, RecordOffer, RecordAsk, RecordReply,
                 EnvelopeOffer, EnvelopePost, EnvelopeAck, ChatPost, ChatHave, ChatAsk, ChatLines,
                 TransactionPost, Proposal, Vote, Heartbeat, Status, Decision, AskBlocks,
                 BlocksReply, AskGenesis, GenesisReply, AskChain, ChainReply, AskPiece, PieceReply,
                 CheckpointVotes, Acknowledgements, CatalogueHave, CatalogueOffer, CatalogueAsk,
                 CatalogueEntries, ContentAsk, ContentReply, AskEndorsement, EndorsementReply>;

// What a sender that must drop something drops first.
enum class Urgency : std::uint8_t {
    low,  // others can supply it, or it is out of date soon
    normal,
    vital,  // keeps the connection itself going
};

// What carries blocks. An organization of several bookkeepers must have blocks that fit.
inline constexpr std::uint32_t kBlockMessageBytesMax = 1 << 20;

struct PeerMessageKind {
    std::uint8_t wire = 0;  // on the wire; never change these values
    std::string_view name;  // in logs
    std::uint32_t body_bytes_max = 0;
    Urgency urgency = Urgency::normal;
};
inline constexpr std::array<PeerMessageKind, std::variant_size_v<PeerMessage>> kPeerMessageKinds = {
    {
        {1, "hello", 65 + 2 + 8 + kWireEndpointBytesMax, Urgency::vital},
        {2, "ping", 8, Urgency::vital},
        {3, "pong", 8, Urgency::vital},
        {4, "goodbye", 1, Urgency::vital},
        {5, "ask_dial_back", 10, Urgency::normal},
        {6, "dial_back_result", 9, Urgency::normal},
        {16, "ask_manifest", AskManifest::kBytesMax, Urgency::normal},
        {17, "manifest_reply", ManifestReply::kBytesMax, Urgency::normal},
        {18, "credentials", Credentials::kBytesMax, Urgency::normal},
        {19, "welcome", Welcome::kBytesMax, Urgency::normal},
        {20, "record_offer", RecordOffer::kBytesMax, Urgency::low},
        {21, "record_ask", RecordAsk::kBytesMax, Urgency::low},
        {22, "record_reply", RecordReply::kBytesMax, Urgency::low},
        {23, "envelope_offer", EnvelopeOffer::kBytesMax, Urgency::normal},
        {24, "envelope_post", EnvelopePost::kBytesMax, Urgency::normal},
        {25, "envelope_ack", EnvelopeAck::kBytesMax, Urgency::normal},
        {26, "chat_post", ChatPost::kBytesMax, Urgency::low},
        {27, "chat_have", ChatHave::kBytesMax, Urgency::low},
        {28, "chat_ask", ChatAsk::kBytesMax, Urgency::low},
        {29, "chat_lines", ChatLines::kBytesMax, Urgency::low},
        {48, "transactions", TransactionPost::kBytesMax, Urgency::normal},
        {49, "proposal", kBlockMessageBytesMax, Urgency::normal},
        {50, "vote", Vote::kBytesMax, Urgency::normal},
        {51, "heartbeat", Heartbeat::kBytesMax, Urgency::low},
        {52, "agreement_status", Status::kBytesMax, Urgency::low},
        {53, "decision", kBlockMessageBytesMax, Urgency::normal},
        {64, "ask_blocks", AskBlocks::kBytesMax, Urgency::normal},
        {65, "blocks", kBlockMessageBytesMax, Urgency::normal},
        {66, "ask_genesis", AskGenesis::kBytesMax, Urgency::normal},
        {67, "genesis", GenesisReply::kBytesMax, Urgency::normal},
        {68, "ask_chain", AskChain::kBytesMax, Urgency::normal},
        {69, "chain", ChainReply::kBytesMax, Urgency::normal},
        {70, "ask_piece", AskPiece::kBytesMax, Urgency::normal},
        {71, "piece", PieceReply::kBytesMax, Urgency::normal},
        {72, "checkpoint_signatures", CheckpointVotes::kBytesMax, Urgency::normal},
        {73, "acknowledgements", Acknowledgements::kBytesMax, Urgency::low},
        {80, "catalogue_have", CatalogueHave::kBytesMax, Urgency::low},
        {81, "catalogue_offer", CatalogueOffer::kBytesMax, Urgency::low},
        {82, "catalogue_ask", CatalogueAsk::kBytesMax, Urgency::low},
        {83, "catalogue_entries", CatalogueEntries::kBytesMax, Urgency::low},
        {84, "content_ask", ContentAsk::kBytesMax, Urgency::low},
        {85, "content_reply", ContentReply::kBytesMax, Urgency::low},
        {88, "ask_endorsement", AskEndorsement::kBytesMax, Urgency::normal},
        {89, "endorsement", EndorsementReply::kBytesMax, Urgency::normal},
    }};

inline constexpr std::size_t kPeerHeaderBytes = 5;
inline constexpr std::uint32_t kPeerBodyBytesMax = [] {
    std::uint32_t most = 0;
    for (const PeerMessageKind& kind : kPeerMessageKinds)
        most = kind.body_bytes_max > most ? kind.body_bytes_max : most;
    return most;
}();

const PeerMessageKind& kind_of(const PeerMessage& message);

enum class PeerMessageError : std::uint8_t {
    unknown_kind,
    too_long,  // longer than its kind allows; found before the body is read
    bad_body,  // not the canonical encoding of its kind
};
const char* to_string(PeerMessageError error);

struct PeerHeader {
    std::size_t index = 0;  // in kPeerMessageKinds and PeerMessage
    std::uint32_t body_bytes = 0;
};
// REQUIRES: bytes.size() == kPeerHeaderBytes.
Result<PeerHeader, PeerMessageError> read_peer_header(ByteView bytes);
// REQUIRES: header.index is a kind's.
Result<PeerMessage, PeerMessageError> read_peer_body(const PeerHeader& header, ByteView body);
// Header and body. REQUIRES: the body keeps to its kind's maximum.
Bytes encode_peer_message(const PeerMessage& message);

}  // namespace leither::protocol
