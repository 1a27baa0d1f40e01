// The ledger's terms: what a cycle block does of the protocol's own accord
// (docs/protocol/election.md).
#pragma once

#include "leither/ledger/state.h"

namespace leither::ledger {

// The seats that must certify the block after `state`, and the term they do it in: the protocol's
// own `Slot::cycle`. A block that begins with a takeover is certified by the seats it puts there,
// in the term it begins. REQUIRES: state.load_system().
protocol::Authority next_authority(const State& state);
// Whether the seats that stood for it have decided the head of `tree`: quorum, slot and term. Of
// the founding no certificate is needed: the charter's signature stands for it.
Result<Result<void, protocol::CertificateError>, store::Fault> verify_head(
    const Organization& organization, tree::Tree& tree, const protocol::BlockHeader& header,
    const protocol::Certificate& certificate);

// Whether the block at `pulse` is sealed even without a transaction: the cycle has ended, a reward
// is due or a vote closes. REQUIRES: state.load_system().
bool must_seal(const State& state, Pulse pulse);
// Reveals and `ready` that wait open a height from `due` on, and are taken up to `close`. Between
// them lies a tenth of the window, three pulses at least: time to agree in a later round, or on a
// later block. REQUIRES: state.load_system().
struct NodeActs {
    Pulse due;
    Pulse close;
};
NodeActs node_acts(const State& state);

// The fewest seats an elected committee has; with fewer the former one goes on.
std::size_t seats_min(const protocol::Charter& charter);

// The first election record.
protocol::ElectionRecord first_election(const protocol::Charter& charter, const ChainId& chain);

// The tally with one more header of `state`'s term: of the block at `sequence`, which names the
// signers of the block before. What the former committee certified counts for nobody.
protocol::TallyRecord tally_after(const State& state, Sequence sequence, std::uint32_t signers);
// The same from the two records of that state.
protocol::TallyRecord tally_after(const protocol::ElectionRecord& record,
                                  const protocol::TallyRecord& before, Sequence sequence,
                                  std::uint32_t signers);

// Ends the cycle: records work, draws, seats the next committee, brings changed parameters into
// force. `signers` as in the block's header. REQUIRES: state.load_system(), the cycle has ended.
Result<void, store::Fault> begin_cycle(State& state, const Place& place, std::uint32_t signers);

// `seats` begin a term of their own with the block at `place`, which they certify. The work of the
// term they end counts for nobody. REQUIRES: state.load_system().
void take_over(State& state, const Place& place, protocol::Seats seats);

}  // namespace leither::ledger
