// Bookkeepers that break the rules. Each is an honest node whose words are changed on their way to
// the network, signed with its own key where a signature is needed.
#pragma once

#include <cstdint>
#include <memory>

#include "leither/base/prng.h"
#include "leither/crypto/sign.h"
#include "leither/node/meddler.h"

namespace leither::sim {

enum class Lie : std::uint8_t {
    equivocator,     // tells each half of the others another block and another vote
    withholder,      // proposes and votes, but tells few of it; hands out no blocks
    censor,          // takes no payment of one member
    garbage,         // proposes what is invalid, signs for slots far away, spoils signatures
    lock_breaker,    // votes for what comes, whatever it is bound to
    stale_replayer,  // repeats what has been said, at any time
    twins,           // two machines with one key, each honest by itself
};
inline constexpr std::size_t kLies = 7;
const char* to_string(Lie lie);

struct LiarOptions {
    Lie lie = Lie::equivocator;
    ChainId chain;
    crypto::KeyPair key;  // of its node, and its votes
    std::uint16_t seat = 0;
    Id victim;  // whom a censor leaves out
};
std::unique_ptr<node::Meddler> make_liar(const LiarOptions& options, const Prng& chance);

}  // namespace leither::sim
