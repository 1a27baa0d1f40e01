// Members' messages: those that wait here for the accounts this node serves, those on their way
// from here, and those held for members who are away.
//
// Specification
//   * An envelope goes from node to node by offer, "wanted", post, acknowledgement. Everything is
//     idempotent and repeated with back-off, so any of them may be lost or doubled.
//   * Outgoing: offered to the recipient's nodes while one is connected, and otherwise to up to
//     `holders` other members' nodes, those nearest to the recipient's id first. It is done when
//     it has the receipt of a node that serves the recipient, from that node or a holder; else at
//     its expiry.
//   * Held: only what a member's node sends for itself, within bounds in all, per recipient and per
//     sending node, up to its expiry; nothing taken is dropped to make room. Offered when a node
//     of the recipient shows up; deleted when that one has receipted it.
//   * Incoming: for served accounts, from members' nodes; kept until forgotten by its owner.
//     Within bounds per account: then the sender hears "full" and keeps it.
//   * Guests: a node that is, as far as is known here, no member's may send for itself to members
//     alone. What it sends is held and kept within small bounds of its own, in all and per sending
//     node, and takes no room from members.
//   * The nodes of one account share what arrives, so that its owner finds it at each: whichever
//     has it offers it to the others, until they have receipted it, it is forgotten or expires.
//   * A message that has been delivered, or forgotten by its owner, is remembered until it expires,
//     so that it is never taken twice.
//   * What a step writes is durable before what it sends is sent.
// Rationale
//   * Holders are chosen by distance to the recipient's id, so they need no word among each other,
//     and the load spreads.
// Complexity: O(log n) per message; NodeUp O(recipients).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "leither/base/entropy.h"
#include "leither/base/log.h"
#include "leither/org/directory.h"
#include "leither/org/shelf.h"
#include "leither/protocol/org_messages.h"

namespace leither::org {

struct MailboxOptions {
    std::size_t outgoing_max = 256;
    // Bytes count kEnvelopeOverhead for each envelope besides its own.
    std::size_t held_bytes_max = std::size_t{4} << 20;
    std::size_t held_bytes_per_recipient_max = std::size_t{512} << 10;
    std::size_t held_bytes_per_sender_max = std::size_t{1} << 20;
    std::size_t incoming_bytes_per_account_max = std::size_t{2} << 20;
    // Of guests' nodes: held here in all, and in one inbox; and of one such node in either.
    std::size_t guest_bytes_max = std::size_t{128} << 10;
    std::size_t guest_bytes_per_sender_max = std::size_t{8} << 10;
    std::size_t settled_max = 4096;
    std::size_t holders = 3;
    std::size_t offers_per_node_max = 16;  // unanswered
    // To be offered as these are answered; what finds no place has to await its next try.
    std::size_t waiting_per_node_max = 1024;
    Duration answer_timeout = std::chrono::seconds(30);
    Duration retry_min = std::chrono::seconds(15);
    Duration retry_max = std::chrono::hours(1);
};

// Whose node has sent an envelope, as far as is known where it is taken.
enum class Origin : std::uint8_t { member, guest };

// What keeping one costs in memory beside its encoded bytes.
inline constexpr std::size_t kEnvelopeOverhead = 512;

enum class OutgoingState : std::uint8_t { waiting, held, delivered };  // encoded
constexpr OutgoingState last_of(OutgoingState) {
    return OutgoingState::delivered;
}
const char* to_string(OutgoingState state);

class Mailbox {
 public:
    struct Tick {};
    struct NodeUp {
        Id node;
    };
    struct NodeDown {
        Id node;
    };
    // The directory knows more about this node than before.
    struct NodeKnown {
        Id node;
    };
    // The accounts of this node, by delegations that hold.
    struct Serves {
        protocol::Delegations delegations;
    };
    // By the operator: to be sent. The sealed letter is what its writer has made of it.
    struct Post {
        Id recipient;
        protocol::SealedLetter sealed;
        Duration lifetime = protocol::kEnvelopeLifetimeMax;
    };
    // By the account's owner: read, or not wanted.
    struct Forget {
        Hash message;
    };
    struct Offered {
        Id from;
        protocol::EnvelopeOffer offer;
    };
    struct Posted {
        Id from;
        protocol::EnvelopePost post;
    };
    struct Acknowledged {
        Id from;
        protocol::EnvelopeAck ack;
    };
    using Input = std::variant<Tick, NodeUp, NodeDown, NodeKnown, Serves, Post, Forget, Offered,
                               Posted, Acknowledged>;

    enum class PostRefusal : std::uint8_t { outbox_full, bad_lifetime };
    struct Send {
        Id to;
        std::variant<protocol::EnvelopeOffer, protocol::EnvelopePost, protocol::EnvelopeAck>
            message;
    };
    struct Arrived {
        Id account;
        Hash message;
    };
    struct Outgoing {
        Hash message;
        Id recipient;
        OutgoingState state = OutgoingState::waiting;
        std::uint64_t posted_ms = 0;
        std::uint64_t expires_ms = 0;
        std::size_t holders = 0;
    };
    struct Effects {
        store::WriteBatch writes;
        std::vector<Send> sends;  // once the writes are durable
        std::vector<Id> reach;    // nodes worth a connection now
        std::vector<Arrived> arrived;
        std::vector<Outgoing> changed;  // outgoing ones in a new state
        std::vector<Hash> expired;      // outgoing ones that never arrived
        // Of a Post: its id, or why not.
        std::optional<Result<Hash, PostRefusal>> posted;
        bool forged = false;  // what was posted to us bears no good signature
    };

    struct Incoming {
        Hash message;
        protocol::SignedEnvelope envelope;
    };

    struct Setup {
        crypto::KeyPair node;
        ChainId chain;
        Bytes prefix;  // of the store's keys
    };
    // `directory` and `entropy` outlive the mailbox.
    Mailbox(MailboxOptions options, Setup setup, const Directory& directory, Entropy& entropy,
            Log log);
    Mailbox(Mailbox&&) noexcept;
    Mailbox& operator=(Mailbox&&) noexcept;
    ~Mailbox();
    Result<void, store::Fault> load(const store::Reader& reader, Instant now);

    Effects step(Input&& input, Instant now);
    std::optional<Instant> next_deadline() const;

    // Null if no such message has arrived here, or it has been forgotten.
    const protocol::SignedEnvelope* letter(const Hash& message) const;
    // Oldest first.
    std::vector<Incoming> incoming(const Id& account) const;
    std::vector<Outgoing> outgoing() const;
    struct Usage {
        std::size_t held_messages = 0;
        std::size_t held_bytes = 0;
        std::size_t incoming_messages = 0;
        std::size_t settled = 0;
    };
    Usage usage() const;
    void check_invariants() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace leither::org
