// Envelopes on their way: those posted here and those held for others, with what limits count by.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "leither/org/mailbox.h"

namespace leither::org {

enum class Place : std::uint8_t { outgoing, held };

// A node that has been asked to hold an outgoing parcel.
struct Holder {
    bool holds = false;
    Instant ask_again;  // not before
};

struct Parcel {
    Hash message;
    Place place = Place::outgoing;
    Origin origin = Origin::member;     // of a held one
    protocol::SignedEnvelope envelope;  // without its letter once delivered
    std::size_t bytes = 0;              // of the whole envelope, encoded
    OutgoingState state = OutgoingState::waiting;
    std::map<Id, Holder> holders;  // of an outgoing one
    Duration back_off{};
    Instant next_attempt;

    const Id& recipient() const { return envelope.envelope.recipient; }
    std::uint64_t expires_ms() const { return envelope.envelope.validity.expires_ms; }
    std::size_t holding() const;
    Mailbox::Outgoing status() const;
};

// Nodes asked to hold one parcel that are remembered; the longest refusing go first.
inline constexpr std::size_t kHoldersAskedMax = 16;

class Parcels {
 public:
    Parcels(const MailboxOptions& options, const ChainId& chain, ByteView prefix);
    Result<void, store::Fault> load(const store::Reader& reader, Instant now);

    Parcel* find(const Hash& message);
    bool contains(const Hash& message) const { return parcels_.contains(message); }
    // Makes room among outgoing parcels that are delivered already; false if all are still on
    // their way.
    bool has_room_for_outgoing(GatheredWrites& writes);
    // By a member's node; by a guest's.
    bool has_room_for_held(const Id& recipient, const Id& sender, std::size_t cost) const;
    bool has_room_for_guest(const Id& sender, std::size_t cost) const;

    // REQUIRES: there is room, and no such message yet.
    Parcel& add(Parcel&& parcel, GatheredWrites& writes);
    void erase(const Hash& message, GatheredWrites& writes);
    // Delivered: only the fact is kept.
    void strip(Parcel& parcel, GatheredWrites& writes);
    void save(const Parcel& parcel, GatheredWrites& writes) const;

    void schedule(Parcel& parcel, Instant next_attempt);
    // The next to be attempted or expired, and when.
    std::optional<std::pair<Instant, Hash>> first() const;

    // Undelivered, by recipient.
    std::vector<Hash> to(const Id& recipient) const;
    std::vector<Id> recipients() const;
    std::vector<Hash> outgoing() const;
    std::size_t outgoing_count() const { return outgoing_; }
    std::size_t held_cost() const { return held_cost_ + guest_cost_; }
    std::size_t held_count() const { return parcels_.size() - outgoing_; }
    void check_invariants() const;

 private:
    Result<void, store::Fault> load_held(const store::Reader& reader, Origin origin, Instant now);
    const Shelf& shelf_of(const Parcel& parcel) const;
    // What the store gave is fit to be kept.
    bool is_sound(const Parcel& parcel) const;
    static Instant due(const Parcel& parcel);
    void index(const Parcel& parcel);
    void unindex(const Parcel& parcel);

    MailboxOptions options_;
    ChainId chain_;
    Shelf outgoing_shelf_;
    Shelf held_shelf_;
    Shelf guest_shelf_;
    std::map<Hash, Parcel> parcels_;
    std::set<std::pair<Instant, Hash>> schedule_;
    std::map<Id, std::set<Hash>> by_recipient_;
    std::map<Id, std::size_t> held_by_recipient_;  // cost
    std::map<Id, std::size_t> held_by_sender_;     // cost
    std::size_t held_cost_ = 0;                    // of members
    std::map<Id, std::size_t> guest_by_sender_;    // cost
    std::size_t guest_cost_ = 0;
    std::size_t outgoing_ = 0;
};

}  // namespace leither::org
