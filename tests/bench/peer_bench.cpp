// Bulk between two peers as a node runs them: messages, session, Noise, the real transport, each
// side on a thread of its own; beside bare libsodium over the same frames in the same run.
#include <algorithm>
#include <array>
#include <optional>
#include <thread>

#include <benchmark/benchmark.h>
#include <sodium.h>

#include "leither/base/check.h"
#include "leither/base/prng.h"
#include "leither/io/tcp_transport.h"
#include "leither/peer/session.h"

#include "measure.h"

namespace leither::bench {
namespace {

using io::Reactor;
using io::TcpId;
using io::TcpTransport;
using peer::Context;
using peer::Session;

const Endpoint kAnyPort = *Endpoint::parse("127.0.0.1:0");
const Context kContext = Context::of(ChainId{});

// As a hub seals and hands over at once.
constexpr std::size_t kSealedAtOnce = std::size_t{64} << 10;
constexpr std::size_t kInFlight = std::size_t{256} << 10;
constexpr std::size_t kBulk = std::size_t{256} << 20;

peer::Identity identity_of(std::uint64_t seed) {
    Prng prng(seed);
    return peer::Identity::of(crypto::KeyPair::generate(prng));
}

protocol::EnvelopePost letter() {
    Prng prng(1);
    protocol::EnvelopePost post;
    Bytes sealed(protocol::kSealedLetterBytesMax);
    prng.fill(sealed);
    post.envelope.envelope.validity = {.issued_ms = 1, .expires_ms = 2};
    post.envelope.envelope.sealed.assign(sealed.begin(), sealed.end());
    return post;
}

// One letter behind another, as many as are sealed at once.
Bytes batch_of_letters() {
    const Bytes one = protocol::encode_peer_message(letter());
    Bytes batch;
    while (batch.size() + one.size() <= kSealedAtOnce) {
        batch.insert(batch.end(), one.begin(), one.end());
    }
    return batch;
}

// A side: its session over its transport.
class Side : public io::TcpHandler {
 public:
    explicit Side(std::uint64_t seed)
        : entropy_(seed), identity_(identity_of(seed)), transport_({}, reactor_, *this, Log()) {}

    TcpTransport& transport() { return transport_; }
    Reactor& reactor() { return reactor_; }
    double run() {
        const double begin = thread_cpu_seconds();
        reactor_.run();
        return thread_cpu_seconds() - begin;
    }

    void on_accepted(TcpId, const Endpoint&) override {
        session_.emplace(Session::accept(identity_, {kContext}, entropy_));
    }
    void on_opened(TcpId id) override {
        peer::Target target;
        target.context = kContext;
        session_.emplace(Session::dial(identity_, target, entropy_));
        transport_.write(id, session_->start().write);
    }
    void on_received(TcpId id, ByteView bytes) override {
        Session::Step step = session_->receive(bytes);
        CHECK(!step.close);
        if (!step.write.empty()) transport_.write(id, std::move(step.write));
        heard(id, step.messages);
    }
    void on_sent(TcpId, std::size_t) override {}
    void on_closed(TcpId, io::TcpClosed) override { reactor_.stop(); }

 protected:
    virtual void heard(TcpId id, const std::vector<protocol::PeerMessage>& messages) = 0;
    Session& session() { return *session_; }

 private:
    Prng entropy_;
    peer::Identity identity_;
    Reactor reactor_;
    TcpTransport transport_;
    std::optional<Session> session_;
};

class Sender final : public Side {
 public:
    Sender() : Side(1) {}

 private:
    void heard(TcpId id, const std::vector<protocol::PeerMessage>&) override { send_more(id, 0); }
    void on_sent(TcpId id, std::size_t queued) override {
        if (session().is_established()) send_more(id, queued);
    }
    void send_more(TcpId id, std::size_t queued) {
        if (!session().is_established()) return;
        while (left_ > 0 && queued < kInFlight) {
            Bytes sealed = session().seal(batch_);
            queued += sealed.size();
            transport().write(id, std::move(sealed));
            --left_;
        }
        if (left_ == 0) transport().close(id, io::TcpClose::graceful);
    }

    Bytes batch_ = batch_of_letters();
    std::size_t left_ = kBulk / batch_.size();
};

class Receiver final : public Side {
 public:
    Receiver() : Side(2) {}
    std::size_t good() const { return good_; }

 private:
    void heard(TcpId, const std::vector<protocol::PeerMessage>& messages) override {
        for (const auto& message : messages) {
            const auto* post = std::get_if<protocol::EnvelopePost>(&message);
            good_ += post != nullptr && *post == letter_ ? 1 : 0;
        }
    }
    protocol::EnvelopePost letter_ = letter();
    std::size_t good_ = 0;
};

struct Transfer {
    double slower = 0;  // CPU of the busier side: each has a core
    double wall = 0;
    std::size_t good = 0;
};

Transfer transfer() {
    Receiver receiver;
    Sender sender;
    sender.transport().dial(1, receiver.transport().listen(kAnyPort).value());
    Transfer out;
    const double begin = wall_seconds();
    double receiver_cpu = 0;
    std::thread receiving([&] { receiver_cpu = receiver.run(); });
    double sender_cpu = 0;
    std::thread sending([&] { sender_cpu = sender.run(); });
    receiving.join();
    out.wall = wall_seconds() - begin;
    sender.reactor().stop();
    sending.join();
    out.slower = std::max(sender_cpu, receiver_cpu);
    out.good = receiver.good();
    return out;
}

// CPU of the dearer of encrypting and decrypting as many frames of that length.
double bare_libsodium(std::size_t frame, std::size_t count) {
    Bytes plain(frame);
    Bytes sealed(frame + crypto_aead_chacha20poly1305_ietf_ABYTES);
    const std::array<std::uint8_t, 12> nonce{};
    const std::array<std::uint8_t, 32> key{};
    const double begin = thread_cpu_seconds();
    for (std::size_t i = 0; i < count; ++i) {
        crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data(), nullptr, plain.data(),
                                                  plain.size(), nullptr, 0, nullptr, nonce.data(),
                                                  key.data());
    }
    const double between = thread_cpu_seconds();
    for (std::size_t i = 0; i < count; ++i) {
        CHECK(crypto_aead_chacha20poly1305_ietf_decrypt(plain.data(), nullptr, nullptr,
                                                        sealed.data(), sealed.size(), nullptr, 0,
                                                        nonce.data(), key.data()) == 0);
    }
    return std::max(between - begin, thread_cpu_seconds() - between);
}

void bulk(benchmark::State& state) {
    crypto::initialise();
    const std::size_t frame = batch_of_letters().size();
    const std::size_t count = kBulk / frame;
    const std::size_t letters = count * (frame / protocol::encode_peer_message(letter()).size());
    double ours = 0;
    double bare = 0;
    double wall = 0;
    for (auto _ : state) {
        const Transfer transferred = transfer();
        if (transferred.good != letters) state.SkipWithError("letters went astray");
        ours += transferred.slower;
        wall += transferred.wall;
        bare += bare_libsodium(frame, count);
    }
    const double bytes =
        static_cast<double>(state.iterations()) * static_cast<double>(count * frame);
    state.counters["ratio"] = bare / ours;
    state.counters["mb_per_s_and_core"] = bytes / ours / 1e6;
    state.counters["wall_mb_per_s"] = bytes / wall / 1e6;
}
BENCHMARK(bulk)->Name("peer/bulk")->Iterations(5)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace leither::bench
