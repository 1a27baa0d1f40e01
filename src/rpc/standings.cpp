#include "standings.h"

#include <algorithm>

#include "handlers.h"

namespace leither::rpc {

node::Answer<Standings> Standings::now(Host& host) {
    const auto queries = host.queries();
    return Standings(queries, host.now(), TRY(queries.status()));
}

node::Answer<Standings::Standing> Standings::of(Sequence block, Pulse pulse) const {
    const std::uint32_t publicity = status_.bookkeeping.params.publicity_pulses;
    Standing standing;
    standing.finality = TRY(queries_.finality(block, now_));
    standing.is_contested =
        standing.finality.dissenting > 0 ||
        std::ranges::any_of(status_.evidence.forks, [&](Sequence at) { return at <= block; });
    standing.state = wallet::state_of({pulse, standing.finality.is_final, standing.is_contested},
                                      publicity, queries_.pulse(now_));
    standing.settles_at = wallet::settles_at(pulse, publicity);
    return standing;
}

Json Standings::to_json(const Standing& standing) const {
    return {{"state", wallet::to_string(standing.state)},
            {"settles_ms", time_ms_at(status_.organization.charter, standing.settles_at)},
            {"contested", standing.is_contested}};
}

}  // namespace leither::rpc
