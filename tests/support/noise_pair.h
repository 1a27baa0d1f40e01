// Two ends of a Noise connection in memory, for tests and fuzz targets.
#pragma once

#include "leither/base/check.h"
#include "leither/base/prng.h"
#include "leither/noise/handshake.h"

namespace leither::testing {

// Keys drawn from `seed`, so that two pairs of one seed are alike.
class NoisePair {
 public:
    explicit NoisePair(const noise::Pattern& pattern, std::uint64_t seed = 1)
        : entropy_(seed),
          initiator_key_(noise::X25519KeyPair::generate(entropy_)),
          responder_key_(noise::X25519KeyPair::generate(entropy_)),
          initiator(setup(pattern, noise::Role::initiator), entropy_),
          responder(setup(pattern, noise::Role::responder), entropy_) {}

    // Exchanges so many messages, without payload, the initiator first.
    void run(std::size_t messages) {
        for (std::size_t i = 0; i < messages; ++i) {
            noise::Handshake& from = i % 2 == 0 ? initiator : responder;
            noise::Handshake& to = i % 2 == 0 ? responder : initiator;
            const auto message = from.write({});
            CHECK(message && to.read(*message));
        }
    }
    void run_all() { run(3); }

    const noise::X25519KeyPair& initiator_key() const { return initiator_key_; }
    const noise::X25519KeyPair& responder_key() const { return responder_key_; }

 private:
    noise::HandshakeSetup setup(const noise::Pattern& pattern, noise::Role role) const {
        const bool initiates = role == noise::Role::initiator;
        noise::HandshakeSetup setup{.pattern = pattern, .role = role};
        setup.static_key = initiates ? initiator_key_ : responder_key_;
        if (initiates && !pattern.known_of_responder.empty()) {
            setup.remote_static = responder_key_.public_key();
        }
        return setup;
    }

    Prng entropy_;
    noise::X25519KeyPair initiator_key_;
    noise::X25519KeyPair responder_key_;

 public:
    noise::Handshake initiator;
    noise::Handshake responder;
};

}  // namespace leither::testing
