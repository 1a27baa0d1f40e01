// Two real sessions and a stranger on the line between them, who may cut, hold back, alter and
// insert bytes in every state of either; and two ends that send each other any plain bytes.
// Whatever happens, each side hears only from the other, and only the beginning of what it sent.
#include <algorithm>
#include <array>

#include "leither/base/check.h"
#include "leither/base/prng.h"
#include "leither/peer/session.h"

namespace {

using namespace leither;
using namespace leither::peer;

constexpr std::size_t kOperationsMax = 400;

// The input, bit by bit; zeros at its end.
class Choices {
 public:
    explicit Choices(ByteView input) : left_(input) {}
    bool is_empty() const { return left_.empty(); }
    std::uint8_t byte() {
        if (left_.empty()) return 0;
        const std::uint8_t next = left_[0];
        left_ = left_.subspan(1);
        return next;
    }
    ByteView bytes(std::size_t size) {
        const ByteView taken = left_.first(std::min(size, left_.size()));
        left_ = left_.subspan(taken.size());
        return taken;
    }

 private:
    ByteView left_;
};

const Identity& identity(std::size_t side) {
    static const std::array<Identity, 2> kIdentities = [] {
        Prng prng(1);
        return std::array{Identity::of(crypto::KeyPair::generate(prng)),
                          Identity::of(crypto::KeyPair::generate(prng))};
    }();
    return kIdentities[side];
}

protocol::PeerMessage message(std::uint8_t choice) {
    switch (choice % 5) {
        case 0: return protocol::Ping{choice};
        case 1: return protocol::Goodbye{protocol::GoodbyeReason::full};
        case 2: return protocol::AskManifest{Id::copy_of(Bytes(Id::kSize, choice))};
        case 3: return protocol::ManifestReply{};
        case 4: {
            protocol::EnvelopePost post;
            post.envelope.envelope.sealed.assign(std::size_t{choice} * 16, choice);
            return post;
        }
    }
    UNREACHABLE();
}

struct Side {
    explicit Side(Session&& its_session) : session(std::move(its_session)) {}

    Session session;
    Bytes arriving = {};  // written by the other, not yet received
    Bytes sent = {};      // all plain bytes, of which the other may hear the beginning
    Bytes heard = {};
    bool is_closed = false;
    bool was_tampered_with = false;  // with what arrives here
};

class Line {
 public:
    Line(std::uint8_t setup, const Context& context)
        : purpose_((setup & 2) != 0 ? Target::Purpose::probe : Target::Purpose::connection),
          means_another_((setup & 4) != 0),
          is_served_((setup & 8) == 0),
          sides_{Side(Session::dial(identity(0), target((setup & 1) != 0, context), entropy_)),
                 Side(Session::accept(identity(1), served(context), entropy_))} {
        take(sides_[0], sides_[0].session.start());
    }

    // `count` bytes of those on the way to `side` arrive.
    void carry(std::size_t side, std::size_t count) {
        Side& to = sides_[side];
        const std::size_t size = std::min(count, to.arriving.size());
        const Bytes bytes(to.arriving.begin(),
                          to.arriving.begin() + static_cast<std::ptrdiff_t>(size));
        to.arriving.erase(to.arriving.begin(),
                          to.arriving.begin() + static_cast<std::ptrdiff_t>(size));
        receive(to, bytes);
    }
    void carry_all() {
        while (!sides_[0].arriving.empty() || !sides_[1].arriving.empty()) {
            carry(1, sides_[1].arriving.size());
            carry(0, sides_[0].arriving.size());
        }
    }
    void alter(std::size_t side, std::size_t at, std::uint8_t bits) {
        Bytes& arriving = sides_[side].arriving;
        if (arriving.empty() || bits == 0) return;
        std::uint8_t& byte = arriving[at % arriving.size()];
        byte = static_cast<std::uint8_t>(byte ^ bits);
        sides_[side].was_tampered_with = true;
    }
    void insert(std::size_t side, ByteView bytes) {
        if (bytes.empty()) return;
        sides_[side].was_tampered_with = true;
        receive(sides_[side], bytes);
    }
    void send(std::size_t side, ByteView plain) {
        Side& from = sides_[side];
        const bool can_send = from.session.is_established() && !from.is_closed &&
                              purpose_ == Target::Purpose::connection && !plain.empty();
        if (!can_send) return;
        from.sent.insert(from.sent.end(), plain.begin(), plain.end());
        const Bytes sealed = from.session.seal(plain);
        Bytes& arriving = other(from).arriving;
        arriving.insert(arriving.end(), sealed.begin(), sealed.end());
    }

    // With nobody on the line the two agree, unless one of them has a reason not to.
    void check_end() {
        carry_all();
        const bool is_intact = !sides_[0].was_tampered_with && !sides_[1].was_tampered_with;
        if (!is_intact) return;
        const bool may_agree = is_served_ && !means_another_;
        CHECK(sides_[0].session.is_established() == may_agree);
        const bool answers = may_agree && purpose_ == Target::Purpose::connection;
        CHECK(sides_[1].session.is_established() == answers);
        if (!answers) return;
        CHECK(sides_[0].session.remote().handshake == sides_[1].session.remote().handshake);
        for (Side& side : sides_) {
            const std::size_t waiting = other(side).sent.size() - side.heard.size();
            CHECK(side.is_closed ||
                  waiting < protocol::kPeerHeaderBytes + protocol::kPeerBodyBytesMax);
        }
    }

 private:
    Target target(bool is_known, const Context& context) const {
        Target target;
        target.context = context;
        target.purpose = purpose_;
        if (is_known) target.static_key = identity(1).channel.public_key();
        if (means_another_) target.node = identity(0).node.id();
        return target;
    }
    std::vector<Context> served(const Context& context) const {
        return is_served_ ? std::vector{context} : std::vector<Context>{};
    }
    Side& other(const Side& side) { return &side == &sides_[0] ? sides_[1] : sides_[0]; }

    void receive(Side& to, ByteView bytes) { take(to, to.session.receive(bytes)); }
    void take(Side& side, Session::Step step) {
        side.session.check_invariants();
        if (side.is_closed) CHECK(step.write.empty() && step.messages.empty() && !step.close);
        side.is_closed = side.is_closed || step.close.has_value();
        Bytes& arriving = other(side).arriving;
        arriving.insert(arriving.end(), step.write.begin(), step.write.end());
        if (side.session.is_established()) {
            CHECK(side.session.remote().node == identity(&side == &sides_[0] ? 1 : 0).node.id());
        } else {
            CHECK(step.messages.empty());
        }
        for (const protocol::PeerMessage& message : step.messages) {
            const Bytes framed = protocol::encode_peer_message(message);
            side.heard.insert(side.heard.end(), framed.begin(), framed.end());
        }
        const Bytes& sent = other(side).sent;
        CHECK(side.heard.size() <= sent.size());
        CHECK(std::equal(side.heard.begin(), side.heard.end(), sent.begin()));
    }

    Prng entropy_{7};
    Target::Purpose purpose_;
    bool means_another_;
    bool is_served_;
    std::array<Side, 2> sides_;
};

void operate(Line& line, Choices& choices) {
    const std::uint8_t choice = choices.byte();
    const std::size_t side = choice & 1;
    switch (choice / 2 % 6) {
        case 0: return line.carry(side, choices.byte());
        case 1: return line.carry_all();
        case 2: {
            const std::size_t at = choices.byte() * std::size_t{2};
            return line.alter(side, at, choices.byte());
        }
        case 3: return line.insert(side, choices.bytes(choices.byte()));
        case 4: return line.send(side, choices.bytes(choices.byte()));
        case 5: return line.send(side, protocol::encode_peer_message(message(choices.byte())));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    crypto::initialise();
    if (size == 0) return 0;
    Choices choices({data, size});
    const std::uint8_t setup = choices.byte();
    const Context context =
        (setup & 16) != 0 ? Context::of(Id{}) : Context::of(ChainId::copy_of(Bytes(32, 0xcc)));
    Line line(setup, context);
    if ((setup & 32) != 0) line.carry_all();
    for (std::size_t i = 0; i < kOperationsMax && !choices.is_empty(); ++i) operate(line, choices);
    line.check_end();
    return 0;
}
