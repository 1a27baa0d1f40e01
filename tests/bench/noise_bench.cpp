// The transport against its limits: the bare operations of libsodium that no handshake and no frame
// can do without, in the same run. `ratio` is speed beside the limit's; 1 is the limit itself.
#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include "leither/base/check.h"
#include "leither/base/prng.h"
#include "leither/crypto/sign.h"
#include "leither/noise/frame.h"
#include "leither/noise/handshake.h"

#include "measure.h"

namespace leither::bench {
namespace {

using noise::Handshake;
using noise::HandshakeSetup;
using noise::Role;
using noise::X25519KeyPair;

template <class Work>
double cpu_seconds_of(const Work& work) {
    const double begin = thread_cpu_seconds();
    work();
    return thread_cpu_seconds() - begin;
}

// ---- Handshakes ---------------------------------------------------------------------------------

// Two nodes that prove their node keys to each other, as peers do: each signs the handshake's hash.
class Nodes {
 public:
    std::array<noise::HandshakeHash, 2> shake_hands(const noise::Pattern& pattern) {
        HandshakeSetup dialer{
            .pattern = pattern, .role = Role::initiator, .static_key = channels_[0]};
        if (!pattern.known_of_responder.empty()) dialer.remote_static = channels_[1].public_key();
        Handshake initiator(dialer, prng_);
        Handshake responder(
            {.pattern = pattern, .role = Role::responder, .static_key = channels_[1]}, prng_);
        CHECK(responder.read(initiator.write({}).value()));
        pass(responder, initiator, nodes_[1]);
        pass(initiator, responder, nodes_[0]);
        const std::array hashes = {initiator.hash(), responder.hash()};
        (void)std::move(initiator).split();
        (void)std::move(responder).split();
        return hashes;
    }

    // Four products on each side, of which one makes the ephemeral key, and a signature each way.
    void bare_operations() {
        std::array<std::uint8_t, 32> secret{};
        std::array<std::uint8_t, 32> product{};
        const X25519KeyPair& mine = channels_[0];
        const auto& others = channels_[1].public_key();
        const Bytes message(137);
        for (int side = 0; side < 2; ++side) {
            prng_.fill(secret);
            CHECK(crypto_scalarmult_base(product.data(), secret.data()) == 0);
            for (int i = 0; i < 3; ++i) {
                CHECK(crypto_scalarmult(product.data(), mine.secret().data(), others.data()) == 0);
            }
            const Signature signature = nodes_[0].sign(message);
            CHECK(crypto::verify(nodes_[0].public_key(), message, signature));
        }
    }

 private:
    static void pass(Handshake& from, Handshake& to, const crypto::KeyPair& key) {
        const auto signature = key.sign(from.hash().view());
        const noise::HandshakeHash signed_hash = to.hash();
        const Bytes message = from.write(signature.view()).value();
        const auto payload = Signature::from(to.read(message).value());
        CHECK(payload && crypto::verify(key.public_key(), signed_hash.view(), *payload));
    }

    Prng prng_{1};
    std::array<crypto::KeyPair, 2> nodes_ = {crypto::KeyPair::generate(prng_),
                                             crypto::KeyPair::generate(prng_)};
    std::array<X25519KeyPair, 2> channels_ = {X25519KeyPair::generate(prng_),
                                              X25519KeyPair::generate(prng_)};
};

void handshake(benchmark::State& state, const noise::Pattern& pattern) {
    crypto::initialise();
    Nodes nodes;
    double ours = 0;
    double bare = 0;
    for (auto _ : state) {
        ours += cpu_seconds_of([&] {
            const auto hashes = nodes.shake_hands(pattern);
            if (hashes[0] != hashes[1]) state.SkipWithError("the two sides disagree");
        });
        bare += cpu_seconds_of([&] { nodes.bare_operations(); });
    }
    state.counters["ratio"] = bare / ours;
    // Each core runs one side.
    state.counters["per_s_and_core"] = 2 * static_cast<double>(state.iterations()) / ours;
}
BENCHMARK_CAPTURE(handshake, xk, noise::kXK)
    ->Name("noise/handshake_xk")
    ->Iterations(1'000)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(handshake, xx, noise::kXX)
    ->Name("noise/handshake_xx")
    ->Iterations(1'000)
    ->Unit(benchmark::kMicrosecond);

// ---- Frames -------------------------------------------------------------------------------------

constexpr std::size_t kBulk = 4 << 20;

noise::Cipher cipher() {
    return noise::Cipher(crypto::AeadKey::copy_of(Bytes(32, 1)));
}

Bytes random_bytes(std::size_t size) {
    Bytes bytes(size);
    Prng(1).fill(bytes);
    return bytes;
}

// libsodium alone: each frame encrypted and decrypted where it is, by one key.
class BareFrames {
 public:
    BareFrames(std::size_t plain_size, std::size_t total)
        : plain_(random_bytes(plain_size)),
          sealed_(plain_size + noise::kTagSize),
          count_(total / plain_size) {}

    void encrypt() {
        for (std::size_t i = 0; i < count_; ++i) {
            crypto_aead_chacha20poly1305_ietf_encrypt(sealed_.data(), nullptr, plain_.data(),
                                                      plain_.size(), nullptr, 0, nullptr,
                                                      nonce_.data(), key_.data());
        }
    }
    void decrypt() {
        for (std::size_t i = 0; i < count_; ++i) {
            CHECK(crypto_aead_chacha20poly1305_ietf_decrypt(plain_.data(), nullptr, nullptr,
                                                            sealed_.data(), sealed_.size(), nullptr,
                                                            0, nonce_.data(), key_.data()) == 0);
        }
    }

 private:
    Bytes plain_;
    Bytes sealed_;
    std::size_t count_;
    std::array<std::uint8_t, 12> nonce_{};
    std::array<std::uint8_t, 32> key_{};
};

// `ratio`: CPU of bare libsodium / CPU of writer and reader, for texts of one length.
void frames(benchmark::State& state) {
    crypto::initialise();
    const auto size = static_cast<std::size_t>(state.range(0));
    const Bytes text = random_bytes(size);
    noise::FrameWriter writer(cipher());
    noise::FrameReader reader(cipher());
    BareFrames bare_frames(size, kBulk);
    double ours = 0;
    double bare = 0;
    for (auto _ : state) {
        ours += cpu_seconds_of([&] {
            for (std::size_t i = 0; i < kBulk / size; ++i) {
                const auto opened = reader.open(writer.seal(text).value());
                if (!opened || *opened != text) state.SkipWithError("a frame did not open");
            }
        });
        bare += cpu_seconds_of([&] {
            bare_frames.encrypt();
            bare_frames.decrypt();
        });
    }
    state.counters["ratio"] = bare / ours;
    state.counters["mb_per_s"] = static_cast<double>(state.iterations()) * kBulk / ours / 1e6;
}
BENCHMARK(frames)
    ->Name("noise/frames")
    ->Arg(noise::kFramePlainMax)
    ->Arg(1'024)
    ->Arg(64)
    ->Iterations(50)
    ->Unit(benchmark::kMillisecond);

// ---- Over TCP -----------------------------------------------------------------------------------

class Socket {
 public:
    explicit Socket(int fd) : fd_(fd) { CHECK(fd >= 0); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Socket& operator=(Socket&&) = delete;
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    int fd() const { return fd_; }

    void send_all(ByteView bytes) const {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            CHECK(sent > 0);
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        }
    }
    // What has arrived, at the front of `buffer`; nothing at the end of the stream.
    ByteView receive(Bytes& buffer) const {
        const auto size = ::recv(fd_, buffer.data(), buffer.size(), 0);
        CHECK(size >= 0);
        return ByteView(buffer).first(static_cast<std::size_t>(size));
    }

 private:
    int fd_;
};

struct Connection {
    Socket sender;
    Socket receiver;
};

Connection connect_loopback() {
    const Socket listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof address;
    CHECK(::bind(listener.fd(), raw, length) == 0);
    CHECK(::getsockname(listener.fd(), raw, &length) == 0);
    CHECK(::listen(listener.fd(), 1) == 0);
    Socket sender(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK(::connect(sender.fd(), raw, length) == 0);
    Socket receiver(::accept(listener.fd(), nullptr, nullptr));
    return {std::move(sender), std::move(receiver)};
}

struct BothSides {
    double sender_cpu = 0;
    double receiver_cpu = 0;
    std::size_t received = 0;
    bool intact = true;

    // What the slower side takes: each has a core.
    double slower() const { return std::max(sender_cpu, receiver_cpu); }
};

// Sends `text` so many times, encrypted, from one thread to another.
BothSides transfer(const Bytes& text, std::size_t times) {
    Connection connection = connect_loopback();
    BothSides sides;
    std::thread receiving([&] {
        noise::FrameReader reader(cipher());
        Bytes buffer(256 << 10);
        sides.receiver_cpu = cpu_seconds_of([&] {
            for (;;) {
                const ByteView arrived = connection.receiver.receive(buffer);
                if (arrived.empty()) break;
                const Bytes plain = reader.open(arrived).value();
                for (std::size_t i = 0; i < plain.size(); i += 4093) {
                    sides.intact &= plain[i] == text[(sides.received + i) % text.size()];
                }
                sides.received += plain.size();
            }
        });
    });
    noise::FrameWriter writer(cipher());
    sides.sender_cpu = cpu_seconds_of([&] {
        for (std::size_t i = 0; i < times; ++i) {
            connection.sender.send_all(writer.seal(text).value());
        }
    });
    ::shutdown(connection.sender.fd(), SHUT_WR);
    receiving.join();
    return sides;
}

// `ratio`: CPU of the slower side, system calls included, beside bare libsodium's over the same
// frames, one side each.
void loopback(benchmark::State& state) {
    crypto::initialise();
    constexpr std::size_t kTimes = 64;
    const Bytes text = random_bytes(4 * noise::kFramePlainMax);
    const std::size_t total = kTimes * text.size();
    BareFrames bare_frames(noise::kFramePlainMax, total);
    double ours = 0;
    double bare = 0;
    double wall = 0;
    for (auto _ : state) {
        const double begin = wall_seconds();
        const BothSides sides = transfer(text, kTimes);
        wall += wall_seconds() - begin;
        if (sides.received != total || !sides.intact) state.SkipWithError("bytes went astray");
        ours += sides.slower();
        const double encrypt = cpu_seconds_of([&] { bare_frames.encrypt(); });
        const double decrypt = cpu_seconds_of([&] { bare_frames.decrypt(); });
        bare += std::max(encrypt, decrypt);
    }
    const double bytes = static_cast<double>(state.iterations()) * static_cast<double>(total);
    state.counters["ratio"] = bare / ours;
    state.counters["mb_per_s_and_core"] = bytes / ours / 1e6;
    state.counters["wall_mb_per_s"] = bytes / wall / 1e6;
}
BENCHMARK(loopback)->Name("noise/loopback_tcp")->Iterations(10)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace leither::bench
