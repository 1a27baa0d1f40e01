#include "app/endorsing.h"

#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr int kTriesMax = 3;  // terms do not end so fast

}  // namespace

ledger::EndorsedReceipt endorse(Session& session, const std::string& account) {
    const crypto::KeyPair owner = session.key(account);
    const ChainId chain = session.organization().chain;
    for (int tries = 1;; ++tries) {
        const json terms = session.call("receipt.terms", json::object());
        const auto question =
            protocol::ask_endorsement(chain, terms.at("cycle").get<std::uint64_t>(),
                                      Sequence(terms.at("sequence").get<std::uint64_t>()), owner);
        try {
            const json answer =
                session.call("receipt.endorse", {{"question", to_hex(bcs::encode(question))}});
            const auto bytes = from_hex(answer.at("receipt").get<std::string>());
            auto receipt = bcs::decode<ledger::EndorsedReceipt>(bytes.value_or(Bytes()));
            if (receipt) return *std::move(receipt);
        } catch (const RpcError& error) {
            if (error.details().name == "term_over" && tries < kTriesMax) continue;
            throw;
        }
        throw CliError(CliExit::unreachable, "bad_receipt",
                       "The daemon's receipt cannot be read by this version of leither.",
                       "Use the versions of leither and leitherd that belong together.");
    }
}

}  // namespace leither::app
