#include "support/org/org_sample.h"

#include "leither/crypto/hash.h"

namespace leither::testing {

using namespace protocol;

namespace {

WireEndpoint endpoint(std::uint8_t host) {
    return WireEndpoint::of({IpAddress::v4({192, 0, 2, host}), 4242});
}

WireEndpoint long_endpoint(std::uint8_t host) {
    IpAddress::V6 bytes{0x20, 0x01, 0x0d, 0xb8};
    bytes[15] = host;
    return WireEndpoint::of({IpAddress::v6(bytes), 65535});
}

}  // namespace

crypto::KeyPair key_named(const std::string& name) {
    const Hash digest = crypto::blake2b_256(as_bytes(name));
    crypto::KeyPair::Seed seed{};
    std::ranges::copy(digest.view(), seed.begin());
    return crypto::KeyPair::from_seed(seed);
}

Manifest OrgSample::manifest() const {
    Manifest manifest;
    manifest.organization = organization.public_key();
    manifest.chain = chain;
    manifest.name = BoundedText<64>("Harbour");
    manifest.unit = BoundedText<16>("hour");
    manifest.decimals = 2;
    manifest.checkpoint = {Sequence(7), Hash::copy_of(Bytes(32, 0x77)), Pulse(900)};
    manifest.read_key = read_key_of(organization).public_key();
    Keeper keeper;
    keeper.node = node.public_key();
    keeper.static_key = StaticKey::copy_of(Bytes(32, 0x55));
    keeper.endpoints.push_back(endpoint(1));
    manifest.keepers.push_back(keeper);
    manifest.validity = valid(std::chrono::hours(24));
    return manifest;
}

Manifest OrgSample::largest_manifest() const {
    Manifest largest = manifest();
    largest.name = BoundedText<64>(std::string(64, 'n'));
    largest.unit = BoundedText<16>(std::string(16, 'u'));
    Keeper keeper = largest.keepers.front();
    keeper.endpoints = {long_endpoint(1), long_endpoint(2)};
    largest.keepers.assign(kKeepersMax, keeper);
    return largest;
}

SignedDelegation OrgSample::delegation(const crypto::KeyPair& account,
                                       const crypto::KeyPair& to) const {
    const Delegation body{account.public_key(), to.public_key(),
                          valid(std::chrono::hours(24 * 30))};
    return sign(chain, body, account);
}

SignedPass OrgSample::pass(const Id& account) const {
    return sign(chain, MemberPass{account, node.public_key(), valid(kMemberPassLifetimeMax)}, node);
}

RoutingRecord OrgSample::record() const {
    RoutingRecord record;
    record.node = node.public_key();
    record.static_key = StaticKey::copy_of(Bytes(32, 0x55));
    record.endpoints.push_back(endpoint(1));
    record.accounts.push_back(served_account(delegation(alice, node)));
    record.features = 1;
    record.validity = valid(std::chrono::hours(4));
    return record;
}

RoutingRecord OrgSample::largest_record() const {
    RoutingRecord largest = record();
    largest.endpoints = {long_endpoint(1), long_endpoint(2), long_endpoint(3), long_endpoint(4)};
    largest.accounts.assign(kServedAccountsMax, largest.accounts.front());
    return largest;
}

SignedLetter OrgSample::letter(const std::string& text) const {
    Letter letter;
    letter.sender = alice.public_key();
    letter.recipient = bob.id();
    letter.sent_ms = kSampleMs;
    letter.text = BoundedText<kLetterTextMax>(text);
    return sign(chain, letter, alice);
}

SignedEnvelope OrgSample::envelope(const std::string& text) const {
    Prng prng(5);
    Envelope envelope;
    envelope.recipient = bob.id();
    envelope.sealed = *seal_letter(letter(text), bob.public_key(), prng);
    envelope.node = node.public_key();
    envelope.validity = valid(kEnvelopeLifetimeMax);
    return sign(chain, std::move(envelope), node);
}

SignedLine OrgSample::line(std::uint64_t number, const Hash& previous,
                           const std::string& text) const {
    ChatLine line;
    line.author = alice.public_key();
    line.number = number;
    line.previous = previous;
    line.time_ms = kSampleMs;
    line.text = BoundedText<500>(text);
    return sign(chain, line, alice);
}

SignedTag OrgSample::tag(const crypto::KeyPair& author, const std::string& word,
                         const TagTarget& target, Instant issued, Duration lifetime) const {
    TagEntry entry;
    entry.author = author.public_key();
    entry.tag = BoundedText<kTagBytesMax>(word);
    entry.target = target;
    entry.validity = Validity::from(issued, lifetime);
    return sign(chain, entry, author);
}

SignedWithdrawal OrgSample::withdrawal(const crypto::KeyPair& author, const std::string& word,
                                       const TagTarget& target, Instant issued) const {
    TagWithdrawal withdrawal;
    withdrawal.author = author.public_key();
    withdrawal.tag = BoundedText<kTagBytesMax>(word);
    withdrawal.target = target;
    withdrawal.issued_ms = unix_ms(issued);
    return sign(chain, withdrawal, author);
}

SignedContribution OrgSample::contribution(const crypto::KeyPair& author, const std::string& text,
                                           const std::vector<Hash>& builds_on,
                                           Instant issued) const {
    Contribution contribution;
    contribution.author = author.public_key();
    contribution.kind = ContributionKind::production;
    contribution.text = LongText(text);
    contribution.builds_on.assign(builds_on.begin(), builds_on.end());
    contribution.issued_ms = unix_ms(issued);
    return sign(chain, contribution, author);
}

SamplePack make_pack(const ChainId& chain, const crypto::KeyPair& publisher, const Pack& about,
                     const std::vector<std::pair<std::string, Bytes>>& files) {
    SamplePack made;
    PackContents contents;
    for (const auto& [path, content] : files) {
        PackFile file;
        file.path = BoundedText<200>(path);
        file.bytes = content.size();
        for (std::size_t i = 0; i < pieces_of(file.bytes); ++i) {
            const auto piece = ByteView(content).subspan(std::size_t{i} * kContentPieceMax,
                                                         piece_bytes(file.bytes, i));
            file.pieces.push_back(crypto::blake2b_256(piece));
            made.pieces.emplace_back(piece.begin(), piece.end());
        }
        contents.files.push_back(std::move(file));
    }
    CHECK(contents.is_canonical());
    made.contents = bcs::encode(contents);
    Pack pack = about;
    pack.publisher = publisher.public_key();
    pack.contents = crypto::blake2b_256(made.contents);
    pack.contents_bytes = static_cast<std::uint32_t>(made.contents.size());
    pack.bytes = contents.bytes();
    made.pack = sign(chain, pack, publisher);
    made.id = pack_id(chain, pack);
    return made;
}

SamplePack make_pack(const ChainId& chain, const crypto::KeyPair& publisher,
                     const std::string& name, const std::vector<std::size_t>& file_bytes,
                     Instant published, std::uint64_t seed) {
    Prng prng(seed);
    std::vector<std::pair<std::string, Bytes>> files;
    for (std::size_t i = 0; i < file_bytes.size(); ++i) {
        Bytes content(file_bytes[i]);
        prng.fill(content);
        files.emplace_back("file" + std::string(1, static_cast<char>('a' + i)), std::move(content));
    }
    Pack about;
    about.name = BoundedText<48>(name);
    about.version = BoundedText<24>("1");
    about.published_ms = unix_ms(published);
    about.applications.push_back({ApplicationKind::content, BoundedText<200>("filea")});
    return make_pack(chain, publisher, about, files);
}

Bytes altered(ByteView bytes, std::size_t bit) {
    Bytes out(bytes.begin(), bytes.end());
    out[bit / 8] = static_cast<std::uint8_t>(out[bit / 8] ^ (1 << bit % 8));
    return out;
}

}  // namespace leither::testing
