#include "leither/peer/session.h"

#include <algorithm>
#include <utility>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/noise/frame.h"
#include "leither/noise/handshake.h"
#include "leither/protocol/domain_tags.h"

#include "message_stream.h"

namespace leither::peer {

namespace {

using noise::Role;

constexpr std::size_t kLengthBytes = 2;

// What each side shows in its last handshake message.
struct IdentityProof {
    PublicKey node_key;
    Signature signature;
    static void fields(auto& self, auto&& visit) { visit(self.node_key, self.signature); }
};

struct Claim {
    const Context& context;
    const crypto::WideHash& hash;  // of the handshake before the message that carries the proof
    const StaticKey& static_key;   // of who signs
    Role role = Role::initiator;   // likewise
};

Bytes message_of(const Claim& claim) {
    Bytes body(claim.hash.view().begin(), claim.hash.view().end());
    body.insert(body.end(), claim.static_key.view().begin(), claim.static_key.view().end());
    body.push_back(static_cast<std::uint8_t>(claim.role));
    return crypto::tagged_message(protocol::tags::kNoiseIdentity, claim.context.chain(), body);
}

void append_framed(Bytes& out, ByteView message) {
    CHECK(message.size() <= kHandshakeMessageMax);
    out.push_back(static_cast<std::uint8_t>(message.size() >> 8));
    out.push_back(static_cast<std::uint8_t>(message.size() & 0xff));
    out.insert(out.end(), message.begin(), message.end());
}

const noise::Pattern& noise_pattern(Pattern pattern) {
    switch (pattern) {
        case Pattern::xk: return noise::kXK;
        case Pattern::xx: return noise::kXX;
    }
    UNREACHABLE();
}

}  // namespace

Identity Identity::of(const crypto::KeyPair& node) {
    return {node, crypto::X25519KeyPair::derive(node.seed(), protocol::tags::kNoiseStatic)};
}

const char* to_string(Direction direction) {
    switch (direction) {
        case Direction::inbound: return "inbound";
        case Direction::outbound: return "outbound";
    }
    UNREACHABLE();
}

struct Session::Impl {
    enum class Phase : std::uint8_t { unstarted, preamble, handshake, open, closed };

    using Done = Result<void, CloseReason>;

    const Identity& identity;
    Entropy& entropy;
    Role role = Role::initiator;
    Phase phase = Phase::unstarted;
    Target target = {};                // the dialer's
    std::vector<Context> served = {};  // the other's
    Preamble preamble = {};
    std::optional<noise::Handshake> handshake = std::nullopt;
    Bytes partial = {};  // of the preamble or a handshake message
    std::optional<Authenticated> remote = std::nullopt;
    std::optional<noise::FrameReader> reader = std::nullopt;
    std::optional<noise::FrameWriter> writer = std::nullopt;
    MessageStream stream = {};

    Step start();
    Step receive(ByteView bytes);
    Done advance(ByteView& bytes, Step& step);
    Done read_preamble(ByteView bytes);
    Done read_handshake(ByteView message, Step& step);
    Done open(ByteView bytes, Step& step);

    void begin_handshake();
    std::optional<ByteView> gather(ByteView& bytes, std::size_t size);
    Result<std::optional<ByteView>, CloseReason> gather_message(ByteView& bytes);
    Done write_handshake(ByteView payload, Step& step);
    Bytes prove() const;
    Done check_proof(ByteView payload, const crypto::WideHash& hash);
    void finish();
};

// ---- The stream, phase by phase

Session::Step Session::Impl::start() {
    CHECK(role == Role::initiator && phase == Phase::unstarted);
    Step step;
    preamble = {target.static_key ? Pattern::xk : Pattern::xx, target.context};
    const auto bytes = preamble.encode();
    step.write.assign(bytes.begin(), bytes.end());
    begin_handshake();
    if (const Done done = write_handshake({}, step); !done) {
        step.close = done.error();
        phase = Phase::closed;
    }
    return step;
}

Session::Step Session::Impl::receive(ByteView bytes) {
    CHECK(phase != Phase::unstarted);
    Step step;
    while (!bytes.empty() && phase != Phase::closed) {
        const Done done = advance(bytes, step);
        if (done) continue;
        step.close = done.error();
        phase = Phase::closed;
    }
    return step;
}

// Takes some of `bytes`, at least one.
Session::Impl::Done Session::Impl::advance(ByteView& bytes, Step& step) {
    switch (phase) {
        case Phase::preamble: {
            const auto whole = gather(bytes, kPreambleBytes);
            if (!whole) return {};
            return read_preamble(*whole);
        }
        case Phase::handshake: {
            const auto message = TRY(gather_message(bytes));
            if (!message) return {};
            const Bytes copy(message->begin(), message->end());
            partial.clear();
            return read_handshake(copy, step);
        }
        case Phase::open: return open(std::exchange(bytes, {}), step);
        case Phase::unstarted:
        case Phase::closed: break;
    }
    UNREACHABLE();
}

// Moves bytes into `partial` until it holds `size`; its view then, else nothing.
std::optional<ByteView> Session::Impl::gather(ByteView& bytes, std::size_t size) {
    CHECK(partial.size() <= size);
    const std::size_t taken = std::min(size - partial.size(), bytes.size());
    partial.insert(partial.end(), bytes.begin(),
                   bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    bytes = bytes.subspan(taken);
    if (partial.size() < size) return std::nullopt;
    return ByteView(partial);
}

// A handshake message, without its length.
Result<std::optional<ByteView>, CloseReason> Session::Impl::gather_message(ByteView& bytes) {
    using Gathered = std::optional<ByteView>;
    if (partial.size() < kLengthBytes && !gather(bytes, kLengthBytes)) return Gathered{};
    const std::size_t length = static_cast<std::size_t>(partial[0]) << 8 | partial[1];
    if (length > kHandshakeMessageMax) return fail(CloseReason::bad_handshake);
    const auto whole = gather(bytes, kLengthBytes + length);
    if (!whole) return Gathered{};
    return Gathered(whole->subspan(kLengthBytes));
}

Session::Impl::Done Session::Impl::read_preamble(ByteView bytes) {
    const auto decoded = Preamble::decode(bytes);
    if (!decoded) return fail(CloseReason::bad_preamble);
    if (std::ranges::find(served, decoded->context) == served.end()) {
        return fail(CloseReason::unknown_context);
    }
    preamble = *decoded;
    partial.clear();
    begin_handshake();
    return {};
}

void Session::Impl::begin_handshake() {
    const auto prologue = preamble.encode();
    handshake.emplace(noise::HandshakeSetup{.pattern = noise_pattern(preamble.pattern),
                                            .role = role,
                                            .prologue = prologue,
                                            .static_key = identity.channel,
                                            .remote_static = target.static_key,
                                            .psks = {}},
                      entropy);
    phase = Phase::handshake;
}

// Three messages: the dialer's without a payload, then each side's with its proof.
Session::Impl::Done Session::Impl::read_handshake(ByteView message, Step& step) {
    const crypto::WideHash before = handshake->hash();
    const auto payload = handshake->read(message);
    if (!payload) return fail(CloseReason::bad_handshake);
    const bool is_first = role == Role::responder && !handshake->is_complete();
    if (is_first) {
        if (!payload->empty()) return fail(CloseReason::bad_handshake);
        return write_handshake(prove(), step);
    }
    TRY(check_proof(*payload, before));
    if (target.purpose == Target::Purpose::probe) {
        phase = Phase::open;
        return {};
    }
    if (role == Role::initiator) TRY(write_handshake(prove(), step));
    finish();
    return {};
}

Session::Impl::Done Session::Impl::open(ByteView bytes, Step& step) {
    // A probe has learnt what it wanted.
    if (!reader) return {};
    const auto plain = reader->open(bytes);
    if (!plain) return fail(CloseReason::bad_frame);
    if (const auto reason = stream.feed(*plain, step.messages)) return fail(*reason);
    return {};
}

// ---- Who is who

Session::Impl::Done Session::Impl::write_handshake(ByteView payload, Step& step) {
    const auto message = handshake->write(payload);
    if (!message) return fail(CloseReason::bad_handshake);
    append_framed(step.write, *message);
    return {};
}

Bytes Session::Impl::prove() const {
    const Claim claim{preamble.context, handshake->hash(), identity.channel.public_key(), role};
    return bcs::encode(
        IdentityProof{identity.node.public_key(), identity.node.sign(message_of(claim))});
}

Session::Impl::Done Session::Impl::check_proof(ByteView payload, const crypto::WideHash& hash) {
    const auto proof = bcs::decode<IdentityProof>(payload);
    if (!proof) return fail(CloseReason::bad_identity);
    const auto& static_key = handshake->remote_static();
    CHECK(static_key.has_value());
    const Claim claim{preamble.context, hash, *static_key, noise::other(role)};
    if (!crypto::verify(proof->node_key, message_of(claim), proof->signature)) {
        return fail(CloseReason::bad_identity);
    }
    const Id node = crypto::id_of(proof->node_key);
    if (target.node && *target.node != node) return fail(CloseReason::wrong_node);
    remote = Authenticated{.node_key = proof->node_key,
                           .node = node,
                           .static_key = *static_key,
                           .context = preamble.context,
                           .pattern = preamble.pattern,
                           .handshake = {}};
    return {};
}

void Session::Impl::finish() {
    CHECK(handshake->is_complete() && remote);
    remote->handshake = handshake->hash();
    noise::Ciphers ciphers = std::move(*handshake).split();
    handshake.reset();
    reader.emplace(std::move(ciphers.receive));
    writer.emplace(std::move(ciphers.send));
    partial = {};
    phase = Phase::open;
}

// ---- The session

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Session Session::dial(const Identity& identity, const Target& target, Entropy& entropy) {
    auto impl = std::make_unique<Impl>(Impl{.identity = identity, .entropy = entropy});
    impl->target = target;
    return Session(std::move(impl));
}

Session Session::accept(const Identity& identity, std::vector<Context> served, Entropy& entropy) {
    auto impl = std::make_unique<Impl>(Impl{.identity = identity, .entropy = entropy});
    impl->role = Role::responder;
    impl->phase = Impl::Phase::preamble;
    impl->served = std::move(served);
    return Session(std::move(impl));
}

Session::Step Session::start() {
    return impl_->start();
}

Session::Step Session::receive(ByteView bytes) {
    return impl_->receive(bytes);
}

Bytes Session::seal(ByteView framed) {
    CHECK(impl_->writer.has_value());
    auto sealed = impl_->writer->seal(framed);
    // A key lasts 2^16 frames, the count for longer than any machine.
    CHECK(sealed.has_value());
    return std::move(*sealed);
}

bool Session::is_established() const {
    const bool is_probed =
        impl_->target.purpose == Target::Purpose::probe && impl_->phase == Impl::Phase::open;
    return is_probed || impl_->writer.has_value();
}

const Authenticated& Session::remote() const {
    CHECK(is_established());
    return *impl_->remote;
}

void Session::check_invariants() const {
    const Impl& session = *impl_;
    CHECK(session.partial.size() <= std::max(kPreambleBytes, kLengthBytes + kHandshakeMessageMax));
    CHECK(session.stream.pending() < protocol::kPeerHeaderBytes + protocol::kPeerBodyBytesMax);
    if (session.phase == Impl::Phase::open) CHECK(session.remote.has_value());
}

}  // namespace leither::peer
