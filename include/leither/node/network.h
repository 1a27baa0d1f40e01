// The node on the network, as its host and its callers see it: what can happen to it there, what it
// asks of its sockets, what can be asked of it. docs/architecture.md shows the machines behind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "leither/dht/dht_node.h"
#include "leither/ledger/receipt.h"
#include "leither/org/announcer.h"
#include "leither/org/catalogue.h"
#include "leither/org/chat_log.h"
#include "leither/org/content_exchange.h"
#include "leither/org/mailbox.h"
#include "leither/org/manifest_keeper.h"
#include "leither/peer/hub.h"
#include "leither/protocol/introduction.h"
#include "leither/protocol/takeover.h"
#include "leither/store/kv.h"

namespace leither::node {

// Names a caller's request, so that its reply finds the way back. Chosen by the caller.
using Token = std::uint64_t;

struct NetworkOptions {
    dht::Options dht;  // own_id is set by the node
    peer::HubOptions hub;
    org::AnnouncerOptions announcer;
    org::MailboxOptions mailbox;
    org::ChatOptions chat;
    org::CatalogueOptions catalogue;
    org::ContentOptions content;
    std::vector<Endpoint> bootstrap;  // of the DHT
    std::vector<Endpoint> peers;      // nodes the operator wants connections to
    // Where we listen for connections, one of each family at most. The address may be unspecified:
    // any of ours. The first one's port is what others are told.
    std::vector<Endpoint> listen;
    Duration find_timeout = std::chrono::seconds(20);   // of an organization
    Duration save_interval = std::chrono::hours(3);     // of contacts, addresses, bans
    Duration refresh_interval = std::chrono::hours(1);  // of the manifest
    std::size_t pass_lifetime_hours = 72;               // of what a keeper signs for members
    std::size_t saved_max = 256;                        // contacts, and addresses
};

// ---- From the host ------------------------------------------------------------------------------

// A datagram of the DHT's socket; read during the step only.
struct DatagramReceived {
    Endpoint from;
    ByteView bytes;
};
// Addresses of the DHT's nodes to begin with, which the host has found under their names.
struct BootstrapFound {
    std::vector<Endpoint> endpoints;
};
// The host's addresses, loopback left out unless it is all there is.
struct AddressesAre {
    std::vector<IpAddress> addresses;
};
// What the home router forwards to us; nothing where it does not.
struct PortsMapped {
    std::optional<Endpoint> tcp;
    std::optional<Endpoint> udp;
    std::string how;  // for people: by which protocol, or why not
};
// The batch of the network store handed out last is durable, or could not be written.
struct NetworkPersisted {
    Result<void, store::Fault> result;
};
// Says goodbye and hands out what is to be kept. Nothing else is stepped but NetworkPersisted.
struct NetworkStopping {};

using NetworkInput = std::variant<DatagramReceived, peer::Accepted, peer::Opened, peer::Received,
                                  peer::Sent, peer::Closed, BootstrapFound, AddressesAre,
                                  PortsMapped, NetworkPersisted, NetworkStopping>;

// ---- From callers -------------------------------------------------------------------------------

// The organization's manifest, from wherever it can be had.
struct FindOrganization {
    Id organization;
};
// Takes part in it from now on, also after a restart.
struct FollowOrganization {
    Id organization;
    // How an invitation introduces it; kept over restarts.
    std::optional<protocol::Introduction> introduction = {};
};
// By the holder of the organization key. `read_key` opens the members' routing records; it is kept
// and handed to members' nodes.
struct PublishManifest {
    protocol::ManifestItem item;
    crypto::X25519KeyPair::Secret read_secret;
};
// An account's owner wants this node to serve it.
struct ServeAccount {
    protocol::SignedDelegation delegation;
};
struct PostLetter {
    Id recipient;
    protocol::SealedLetter sealed;
    Duration lifetime = protocol::kEnvelopeLifetimeMax;
};
struct ForgetLetter {
    Hash message;
};
struct SayLine {
    protocol::SignedLine line;
};
// Publishes a pack, of whose files nothing but the list comes with it: PutPiece brings the rest.
struct PublishPack {
    protocol::SignedPack pack;
    Bytes contents;
};
struct PutPiece {
    Hash pack;
    Bytes bytes;
};
// Fetches a pack's files, also after a restart, until they are here or DropPack.
struct FetchPack {
    Hash pack;
};
// Its files are no longer kept here.
struct DropPack {
    Hash pack;
};
// A tag, the withdrawal of one, or a contribution. Packs come with their files: PublishPack.
struct AddEntry {
    protocol::CatalogueEntry entry;
};
// Looks in the DHT for nodes that keep entries under this tag.
struct SeekTag {
    std::string tag;
};
// Dials an address for the followed organization and keeps it as configured.
struct AddPeer {
    Endpoint endpoint;
};
// No connection with that node for so long; zero ends a ban.
struct BanPeer {
    Id node;
    Duration duration{};
};
using NetworkRequest =
    std::variant<dht::Request, FindOrganization, FollowOrganization, PublishManifest, ServeAccount,
                 PostLetter, ForgetLetter, SayLine, AddPeer, BanPeer, PublishPack, PutPiece,
                 FetchPack, DropPack, AddEntry, SeekTag>;

enum class NetworkError : std::uint8_t {
    no_network,       // this node runs without network
    no_organization,  // it follows none, or has no manifest of it yet
    not_found,        // nobody who answers knows it
    refused,          // what was given breaks a rule; the detail says which
    full,             // no room: try later
    timed_out,
    stopping,
};
const char* to_string(NetworkError error);
struct NetworkFailure {
    NetworkError error = NetworkError::no_network;
    std::string detail;
    // Of `refused`: the rule that is broken, by its stable name; perhaps empty.
    std::string_view rule = {};
};
NetworkFailure no_network();
// In the order of requests: an outcome, a manifest, nothing, or the id of what was taken. Of what
// concerns takeovers: a signature, or the act's id. Of a pack's files: how far they are.
using NetworkAnswer =
    std::variant<std::monostate, dht::Outcome, protocol::ManifestItem, Hash,
                 protocol::TakeoverSignature, org::ContentProgress, ledger::EndorsedReceipt>;
struct NetworkReply {
    Token token = 0;
    Result<NetworkAnswer, NetworkFailure> answer;
};

// ---- For subscribers ----------------------------------------------------------------------------

struct LetterArrived {
    Id account;
    Hash message;
};
struct LineTaken {
    protocol::SignedLine line;
};
using NetworkEvent = std::variant<LetterArrived, LineTaken>;

// ---- To the host --------------------------------------------------------------------------------

// Carried out list by list, in this order. `durable` goes to the network's own store, synced; at
// most one batch is out at a time, and NetworkPersisted tells its end.
struct NetworkEffects {
    std::vector<dht::Outgoing> datagrams;
    std::vector<peer::Dial> dials;
    std::vector<peer::Write> writes;
    std::vector<peer::SetReading> reading;
    std::vector<peer::Close> closes;
    std::optional<store::WriteBatch> durable;

    bool empty() const {
        return datagrams.empty() && dials.empty() && writes.empty() && reading.empty() &&
               closes.empty() && !durable;
    }
};

// ---- Read-only answers --------------------------------------------------------------------------

struct ServedAccount {
    Id account;
    std::uint64_t expires_ms = 0;  // of its delegation
    bool is_member = false;        // as far as this node can tell
};
struct CommunityStatus {
    Id organization;
    std::optional<ChainId> chain;  // once a manifest has told
    bool has_ledger = false;
    bool can_read_records = false;
    std::optional<protocol::Manifest> manifest;  // as long as it holds
    std::vector<ServedAccount> accounts;         // served here
    std::size_t members_nodes = 0;               // known and reachable by record
    std::size_t passes = 0;
    org::Mailbox::Usage mailbox;
    std::size_t chat_lines = 0;
    std::size_t catalogue_entries = 0;
    std::size_t packs_held = 0;
    std::uint64_t content_bytes = 0;      // of these, when complete
    std::uint64_t content_bytes_max = 0;  // what they may have
    std::vector<Endpoint> endpoints;      // in our routing record
};
struct NetworkStatus {
    dht::Status dht;
    peer::HubStatus hub;
    PortsMapped ports;
    std::string reachability;  // in plain words
    std::optional<CommunityStatus> community;
};

}  // namespace leither::node
