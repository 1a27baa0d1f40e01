// A keeper's whole part in a community: members' nodes and a stranger's say whatever they like,
// rightly signed or not, nodes come and go, the process restarts from its store. Its invariants
// hold after every step, and what it sends keeps to the maximum of its kind.
#include <deque>
#include <memory>

#include "leither/crypto/hash.h"
#include "leither/dht/item.h"

#include "node/community.h"
#include "support/codec_fuzz.h"
#include "support/org/org_world.h"

using namespace leither;

namespace {

constexpr std::size_t kStepsMax = 200;
constexpr std::size_t kOffersKept = 64;
// The kinds that are the organization's.
constexpr std::size_t kFirstKind = 6;
constexpr std::size_t kKinds = protocol::kPeerMessageKinds.size() - kFirstKind;
static_assert(protocol::kPeerMessageKinds[kFirstKind].name == "ask_manifest");

struct World {
    testing::OrgSample sample;
    crypto::KeyPair carol = testing::key_named("carol");
    // The peers: of alice, of bob, of nobody.
    std::vector<crypto::KeyPair> peers = {testing::key_named("p0"), testing::key_named("p1"),
                                          testing::key_named("p2")};
    testing::ListedMembers ledger;

    World() {
        for (const auto& member : {sample.alice, sample.bob, carol}) {
            ledger.accounts.insert(member.id());
        }
    }
    const crypto::KeyPair& account(std::uint8_t n) const {
        return n % 3 == 0 ? sample.alice : n % 3 == 1 ? sample.bob : carol;
    }
};

const World& world() {
    static const World all;
    return all;
}

// A random message almost never carries a signature that holds; this makes it hold.
struct SignAs {
    const crypto::KeyPair& node;

    void operator()(protocol::EnvelopePost& post) const {
        auto& envelope = post.envelope.envelope;
        envelope.recipient = world().account(envelope.recipient[0]).id();
        envelope.node = node.public_key();
        envelope.validity =
            world().sample.valid(std::chrono::hours(1 + envelope.validity.issued_ms % 300));
        post.envelope = sign(world().sample.chain, std::move(envelope), node);
    }
    void operator()(protocol::ChatPost& post) const { sign_line(post.line); }
    void operator()(protocol::ChatLines& told) const {
        for (auto& line : told.lines) sign_line(line);
    }
    void operator()(protocol::RecordReply& reply) const {
        for (auto& record : reply.records) {
            record.record.node = node.public_key();
            record.record.validity = world().sample.valid(std::chrono::hours(4));
            record = sign(world().sample.chain, record.record, node);
        }
    }
    void operator()(protocol::Credentials& shown) const {
        for (auto& delegation : shown.delegations) {
            const auto& account = world().account(delegation.delegation.account[0]);
            delegation = world().sample.delegation(account, node);
        }
    }
    void operator()(protocol::CatalogueEntries& told) const {
        for (auto& listed : told.entries)
            std::visit([](auto& entry) { sign_entry(entry); }, listed.entry);
    }
    void operator()(auto&) const {}

    static void sign_entry(protocol::SignedPack& pack) {
        const auto& publisher = world().account(pack.pack.publisher[0]);
        pack.pack.publisher = publisher.public_key();
        pack.pack.published_ms = testing::kSampleMs - pack.pack.published_ms % 4'000'000;
        pack = sign(world().sample.chain, pack.pack, publisher);
    }
    static void sign_entry(protocol::SignedTag& tag) {
        const auto& author = world().account(tag.entry.author[0]);
        tag.entry.author = author.public_key();
        tag.entry.validity =
            world().sample.valid(std::chrono::hours(1 + tag.entry.validity.expires_ms % 300));
        tag = sign(world().sample.chain, tag.entry, author);
    }
    static void sign_entry(protocol::SignedContribution& signed_) {
        auto& contribution = signed_.contribution;
        const auto& author = world().account(contribution.author[0]);
        contribution.author = author.public_key();
        contribution.issued_ms = testing::kSampleMs - contribution.issued_ms % 4'000'000;
        signed_ = sign(world().sample.chain, contribution, author);
    }
    static void sign_entry(protocol::SignedWithdrawal& signed_) {
        auto& withdrawal = signed_.withdrawal;
        const auto& author = world().account(withdrawal.author[0]);
        withdrawal.author = author.public_key();
        withdrawal.issued_ms = testing::kSampleMs - withdrawal.issued_ms % 4'000'000;
        signed_ = sign(world().sample.chain, withdrawal, author);
    }

    static void sign_line(protocol::SignedLine& line) {
        const auto& author = world().account(line.line.author[0]);
        line.line.author = author.public_key();
        line.line.number %= 300;
        line.line.time_ms = testing::kSampleMs + line.line.time_ms % 4'000'000;
        if (line.line.number < 2) {
            line.line.number = 1;
            line.line.previous = Hash{};
        }
        line = sign(world().sample.chain, line.line, author);
    }
};

class Run {
 public:
    explicit Run(ByteView input) : in_(input) { restart(); }

    void go() {
        for (std::size_t i = 0; i < kStepsMax && in_.ok() && in_.left() > 0; ++i) step();
    }

 private:
    using Effects = node::Community::Effects;

    void step() {
        const std::uint8_t act = in_.byte();
        const auto& peer = world().peers[in_.byte() % world().peers.size()];
        switch (act % 8) {
            case 0: meet(peer); return;
            case 1: part(peer); return;
            case 2: wait(std::chrono::seconds(in_.little_endian<std::uint16_t>())); return;
            case 3: restart(); return;
            case 4: operate(); return;
            case 5: say_back(peer); return;
            case 6: receive(peer, /*signed_well=*/false); return;
            case 7: receive(peer, /*signed_well=*/true); return;
        }
    }
    void meet(const crypto::KeyPair& peer) {
        up_.insert(peer.id());
        self_->on_peer_up(peer.public_key(), protocol::kOwnFeatures, now_, begin());
        finish();
    }
    void part(const crypto::KeyPair& peer) {
        up_.erase(peer.id());
        self_->on_peer_down(peer.id(), now_, begin());
        finish();
    }
    void wait(Duration duration) {
        now_ += duration;
        self_->on_tick(now_, begin());
        finish();
    }
    void hear(const crypto::KeyPair& peer, protocol::PeerMessage&& message) {
        if (!up_.contains(peer.id())) return;
        self_->on_message(peer.id(), std::move(message), now_, begin());
        finish();
    }
    void receive(const crypto::KeyPair& peer, bool signed_well) {
        protocol::PeerHeader header;
        header.index = kFirstKind + in_.byte() % kKinds;
        header.body_bytes = in_.little_endian<std::uint16_t>();
        const ByteView body = in_.raw(std::min<std::size_t>(header.body_bytes, in_.left()));
        if (body.size() > protocol::kPeerMessageKinds[header.index].body_bytes_max) return;
        auto message = read_peer_body(header, body);
        if (!message) return;
        if (signed_well) std::visit(SignAs{peer}, *message);
        ask_for_what_is_told(peer, *message);
        hear(peer, *std::move(message));
    }
    // Entries are taken only if they have been offered and asked for before.
    void ask_for_what_is_told(const crypto::KeyPair& peer, const protocol::PeerMessage& message) {
        const auto* told = std::get_if<protocol::CatalogueEntries>(&message);
        if (told == nullptr) return;
        for (const auto& listed : told->entries) {
            hear(peer, protocol::CatalogueOffer{{entry_id(world().sample.chain, listed.entry)}});
        }
    }
    // An answer to the last offer made to this peer, with an id that no fuzzer guesses.
    void say_back(const crypto::KeyPair& peer) {
        const auto outcome = static_cast<protocol::EnvelopeOutcome>(in_.byte() % 5);
        for (auto offer = offers_.rbegin(); offer != offers_.rend(); ++offer) {
            if (offer->first != peer.id()) continue;
            protocol::EnvelopeAck ack{offer->second.message, outcome, std::nullopt};
            for (std::uint8_t n = 0; n < 3; ++n) {
                const auto& account = world().account(n);
                if (account.id() != offer->second.recipient) continue;
                ack.receipt = acknowledge(world().sample.chain, ack.message,
                                          world().sample.delegation(account, peer), peer);
            }
            hear(peer, std::move(ack));
            return;
        }
    }
    void operate() {
        const std::uint8_t act = in_.byte();
        const auto& account = world().account(in_.byte());
        switch (act % 8) {
            case 0:
                static_cast<void>(self_->serve(
                    {world().sample.delegation(account, world().sample.node)}, now_, begin()));
                break;
            case 1: post_to(account.id()); break;
            case 2: say_as(account); break;
            case 3: forget_one(account.id()); break;
            case 4: publish(); break;
            case 5: publish_pack(account); break;
            case 6: fetch_pack(); break;
            case 7: tag_as(account); break;
        }
        finish();
    }
    void publish_pack(const crypto::KeyPair& account) {
        const std::string name(1, static_cast<char>('a' + in_.byte() % 4));
        const auto pack = testing::make_pack(world().sample.chain, account, name,
                                             {in_.byte() % 64u + 1u, in_.byte() % 64u}, now_);
        static_cast<void>(self_->publish_pack({pack.pack, pack.contents}, now_, begin()));
        finish();
        for (const Bytes& piece : pack.pieces) {
            static_cast<void>(self_->put_piece({pack.id, piece}, now_, begin()));
            finish();
        }
    }
    void fetch_pack() {
        if (self_->catalogue() == nullptr) return;
        const auto packs = self_->catalogue()->packs();
        if (packs.empty()) return;
        const auto& chosen = packs[in_.byte() % packs.size()];
        const Hash id = protocol::pack_id(world().sample.chain, chosen.pack);
        if (in_.byte() % 4 == 0) {
            static_cast<void>(self_->drop_pack({id}, now_, begin()));
        } else {
            static_cast<void>(self_->fetch_pack({id}, now_, begin()));
        }
    }
    void tag_as(const crypto::KeyPair& account) {
        const std::string word(1, static_cast<char>('a' + in_.byte() % 4));
        const protocol::TagTarget target = protocol::AccountTarget{account.id()};
        const auto& sample = world().sample;
        protocol::CatalogueEntry entry =
            sample.tag(account, word, target, now_, std::chrono::minutes(1 + in_.byte()));
        const auto other = in_.byte() % 4;
        if (other == 1) entry = sample.withdrawal(account, word, target, now_);
        if (other == 2) entry = sample.contribution(account, word, {}, now_);
        static_cast<void>(self_->add_entry({std::move(entry)}, now_, begin()));
    }
    void post_to(const Id& account) {
        protocol::SealedLetter sealed(50 + in_.little_endian<std::uint16_t>() % 4000);
        prng_.fill(sealed);
        static_cast<void>(self_->post({account, std::move(sealed)}, now_, begin()));
    }
    void say_as(const crypto::KeyPair& account) {
        if (self_->chat() == nullptr) return;
        const auto next = self_->chat()->next(account.id());
        const std::uint64_t time_ms = std::max(unix_ms(now_), next.time_ms_min);
        const protocol::ChatLine line{account.public_key(), next.number, next.previous, time_ms,
                                      BoundedText<500>("text")};
        static_cast<void>(self_->say({sign(world().sample.chain, line, account)}, now_, begin()));
    }
    void forget_one(const Id& account) {
        if (self_->mailbox() == nullptr) return;
        const auto incoming = self_->mailbox()->incoming(account);
        if (incoming.empty()) return;
        static_cast<void>(self_->forget({incoming.front().message}, now_, begin()));
    }
    void publish() {
        const auto& organization = world().sample.organization;
        protocol::Manifest manifest = world().sample.manifest();
        manifest.validity = protocol::Validity::from(now_, std::chrono::hours(24));
        protocol::ManifestItem item{sign(manifest, organization), {}};
        item.item_signature = organization.sign(
            dht::signed_bytes(dht::ItemSalt::copy_of(as_bytes(protocol::kManifestSalt)),
                              static_cast<std::int64_t>(manifest.validity.issued_ms),
                              dht::value_of(bcs::encode(item.content))));
        static_cast<void>(
            self_->publish({item, protocol::read_key_of(organization).secret()}, now_, begin()));
    }
    void restart() {
        node::NetworkOptions options;
        options.mailbox.held_bytes_max = 20'000;
        options.mailbox.outgoing_max = 8;
        options.mailbox.settled_max = 8;
        options.chat.authors_max = 2;
        options.chat.lines_per_author_max = 24;
        options.chat.lines_max = 30;
        options.catalogue.packs_max = 4;
        options.catalogue.packs_per_publisher_max = 2;
        options.catalogue.tags_max = 4;
        options.catalogue.tags_per_author_max = 2;
        options.content.packs_max = 3;
        self_ = std::make_unique<node::Community>(
            options,
            node::Community::Setup{
                world().sample.organization.id(), world().sample.node, {}, Log(), &disk_},
            world().ledger, prng_);
        up_.clear();
        CHECK(self_->load(disk_, now_).has_value());
        self_->begin(now_, begin());
        finish();
    }
    Effects& begin() {
        effects_ = {};
        return effects_;
    }
    void finish() {
        self_->check_invariants();
        testing::write(disk_, effects_.writes.take());
        for (const auto* list : {&effects_.sends, &effects_.after_writes}) {
            for (const auto& send : *list) {
                static_cast<void>(encode_peer_message(send.message));
                const auto* offer = std::get_if<protocol::EnvelopeOffer>(&send.message);
                if (offer == nullptr) continue;
                if (offers_.size() >= kOffersKept) offers_.pop_front();
                offers_.emplace_back(send.to, *offer);
            }
        }
        effects_ = {};
    }

    bcs::Reader in_;
    Prng prng_{1};
    store::MemoryStore disk_;
    Instant now_ = testing::kSampleNow;
    std::unique_ptr<node::Community> self_;
    std::set<Id> up_;
    Effects effects_;
    std::deque<std::pair<Id, protocol::EnvelopeOffer>> offers_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Run({data, size}).go();
    return 0;
}
