// What nodes ask each other to catch up, from anybody: decoding, and a machine that hears it as the
// answer to its own questions.
#include "leither/sync/catch_up.h"

#include "support/codec_fuzz.h"

namespace {

using namespace leither;
using namespace leither::protocol;
using namespace leither::sync;

constexpr std::uint32_t kSupply = 1'000'000;

Charter charter_of() {
    Charter charter;
    charter.supply = Amount::of(kSupply);
    charter.bookkeepers.resize(1);
    return charter;
}

template <class T>
T decoded(ByteView input) {
    auto value = bcs::decode<T>(input);
    return value ? *std::move(value) : T{};
}

// Answers that name what was asked get past the first check.
struct Answer {
    ByteView input;
    SyncReply operator()(const AskBlocks& ask) const {
        auto reply = decoded<BlocksReply>(input);
        reply.from = ask.from;
        return reply;
    }
    SyncReply operator()(const AskGenesis& ask) const {
        auto reply = decoded<GenesisReply>(input);
        reply.from = ask.from;
        return reply;
    }
    SyncReply operator()(const AskChain& ask) const {
        auto reply = decoded<ChainReply>(input);
        reply.cycle = ask.cycle;
        reply.anchor = ask.anchor;
        return reply;
    }
    SyncReply operator()(const AskPiece& ask) const {
        auto reply = decoded<PieceReply>(input);
        reply.sequence = ask.sequence;
        reply.prefix = ask.prefix;
        return reply;
    }
};

// Bytes as messages, each with a length before it, in answer to whatever is asked.
void hear(ByteView input, CatchUp::Setup setup) {
    CatchUp machine(CatchUpOptions{}, std::move(setup));
    Instant now = instant_from_unix_ms(1'700'000'000'000);
    Id node;
    std::vector<CatchUp::Send> asked;
    const auto step = [&](CatchUp::Input next) {
        auto effects = machine.step(std::move(next), now);
        for (auto& send : effects.sends) asked.push_back(std::move(send));
        machine.check_invariants();
        if (effects.durable) {
            effects = machine.step(CatchUp::Persisted{}, now);
            for (auto& send : effects.sends) asked.push_back(std::move(send));
        }
    };
    step(CatchUp::PeerUp{node});
    step(CatchUp::Heard{node, Sequence(input.size() % 7)});
    for (std::size_t turn = 0; turn < 64 && !input.empty(); ++turn) {
        const std::size_t length = std::min<std::size_t>(input[0] * 4U, input.size() - 1);
        const ByteView message = input.subspan(1, length);
        input = input.subspan(1 + length);
        if (asked.empty()) {
            now += std::chrono::minutes(1);
            step(CatchUp::Tick{});
            continue;
        }
        const auto question = asked.back();
        asked.pop_back();
        step(CatchUp::Received{node, std::visit(Answer{message}, question.message)});
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input(data, size);
    testing::check_canonical_any<AskBlocks, BlocksReply, AskGenesis, GenesisReply, AskChain,
                                 ChainReply, AskPiece, PieceReply, CheckpointVotes, Chain,
                                 PieceLeaves>(input);
    const Charter charter = charter_of();
    CatchUp::Setup newcomer;
    newcomer.chain = chain_id(charter);
    hear(input, newcomer);
    CatchUp::Setup anchored = newcomer;
    anchored.anchor = Anchor{{Sequence(3), Hash{}}, /*is_pinned=*/input.size() % 2 == 0};
    hear(input, std::move(anchored));
    CatchUp::Setup returning = newcomer;
    returning.charter = SignedCharter{charter, {}};
    returning.head = founding_head(charter);
    hear(input, std::move(returning));
    return 0;
}
