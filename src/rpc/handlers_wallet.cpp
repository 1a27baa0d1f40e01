// wallet.*: all of them go to the wallet that the program holds (docs/rpc.md).
#include "handlers.h"

namespace leither::rpc {

Outcome wallet_call(Call& call) {
    if (call.wallet == nullptr && call.method == "wallet.status") {
        return Json{{"enabled", false},
                    {"encrypted", false},
                    {"locked", false},
                    {"accounts", Json::array()}};
    }
    if (call.wallet == nullptr) {
        return named_error(ErrorCode::wallet, "no_wallet",
                           "this daemon holds no wallet (wallet.enabled is false): sign with "
                           "leither, whose keys are elsewhere");
    }
    if (call.wallet->call(call.token, call.method, call.args.to_json())) return Deferred::wallet;
    return named_error(ErrorCode::busy, "busy", "too many calls wait for the wallet; try again");
}

}  // namespace leither::rpc
