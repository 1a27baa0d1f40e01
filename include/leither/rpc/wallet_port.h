// The wallet that the program holds beside its node, as the dispatcher sees it: calls go in by
// name, results come back through Dispatcher::on_wallet_reply. The wallet itself calls the API like
// any client (Dispatcher::handle).
#pragma once

#include <string>
#include <string_view>

#include "leither/base/result.h"
#include "leither/node/effects.h"
#include "leither/rpc/json.h"

namespace leither::rpc {

// As it stands in the reply's `error`.
struct WalletFailure {
    int code = 0;
    std::string message;
    Json data;  // {"name", ...}
};
using WalletResult = Result<Json, WalletFailure>;

class WalletPort {
 public:
    virtual ~WalletPort() = default;
    // `params` as sent, checked against the method's row. Answered later, never from within. False:
    // too much is under way.
    virtual bool call(node::Token token, std::string_view method, Json params) = 0;
    virtual void on_event(const node::Event& event) = 0;
};

}  // namespace leither::rpc
