// What bookkeepers say to each other, from anybody: decoding, and a committee member that hears it.
#include "leither/consensus/agreement.h"
#include "leither/protocol/agreement.h"

#include "support/agreement/agreement_network.h"
#include "support/codec_fuzz.h"

using namespace leither;

namespace {

// A member of four that has voted for a block; made once, copied never: each input gets a new one.
consensus::Agreement::Setup setup_of() {
    consensus::Agreement::Setup setup;
    setup.chain = testing::toy_chain();
    setup.pulse_ms = testing::kToyPulseMs;
    // Half of all signatures hold, so that the machine behind the checks is reached.
    setup.holds = [](const PublicKey&, ByteView, const Signature& signature) {
        return signature[0] % 2 == 0;
    };
    setup.vouch = consensus::Vouch{};
    return setup;
}

template <class T>
T must(Result<T, store::Fault>&& result) {
    CHECK(result.has_value());
    return *std::move(result);
}

// Bytes as messages, each with a length before it, by two neighbours in turn.
void hear(ByteView input) {
    consensus::Term term;
    term.committee = testing::seat_keys(4);
    for (const PublicKey& key : term.committee) term.nodes.push_back(crypto::id_of(key));
    term.seat = 1;
    term.key = testing::seat_key(1);
    term.first_height = Sequence(1);
    testing::ToyLaw law(term);
    law.waiting = Pulse(1);
    consensus::Agreement agreement({}, setup_of(), law);
    Instant now = instant_from_unix_ms(5000);
    std::uint64_t logged = 0;
    const auto carry_out = [&](consensus::Agreement::Effects&& fx) {
        if (fx.log) logged = fx.log->number;
        agreement.check_invariants();
        return fx.durable.has_value();
    };
    bool sealing = carry_out(must(agreement.start(now)));
    for (const std::uint64_t seat : {0U, 2U}) {
        carry_out(
            must(agreement.step(consensus::Agreement::NodeUp{testing::seat_key(seat).id()}, now)));
    }
    for (std::size_t count = 0; input.size() >= 2; ++count) {
        const auto length = static_cast<std::size_t>(input[0] | input[1] << 8);
        const std::size_t size = std::min(length, input.size() - 2);
        const auto message = bcs::decode<protocol::AgreementMessage>(input.subspan(2, size));
        input = input.subspan(2 + size);
        now += std::chrono::milliseconds(size);
        if (message) {
            const Id from = testing::seat_key(count % 2 * 2).id();
            sealing |= carry_out(
                must(agreement.step(consensus::Agreement::Received{from, *message}, now)));
        }
        sealing |= carry_out(must(agreement.step(consensus::Agreement::Logged{logged}, now)));
        sealing |= carry_out(must(agreement.step(consensus::Agreement::Tick{}, now)));
        if (sealing) carry_out(must(agreement.step(consensus::Agreement::Persisted{}, now)));
        sealing = false;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    if (input.empty()) return 0;
    if (input[0] % 2 == 0) {
        testing::check_canonical_any<protocol::Vote, protocol::Proposal, protocol::ProposalClaim,
                                     protocol::Heartbeat, protocol::Status, protocol::Decision,
                                     protocol::Conflict, protocol::Fork, consensus::LogRecord,
                                     consensus::Vouch>(input.subspan(1));
    } else {
        hear(input.subspan(1));
    }
    return 0;
}
