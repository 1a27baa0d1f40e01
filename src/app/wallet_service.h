// The wallet that the daemon holds: on a thread of its own, since a passphrase takes a fraction of
// a second and files are synced, one call after the other. It calls the daemon's API as the command
// line does (WalletDesk), only from within.
//
// Specification
//   * Each organization's node has a service of its own; all share one keyring, which is opened for
//     all or for none, and take turns: a call that waits for one node lets the others' wait.
//   * `call` and `on_event` on the reactor's thread; results go back through the reactor.
//   * Sealed keys are opened by `wallet.unlock`, and closed by `wallet.lock` or after
//     `lock_after`. Meanwhile what opens them lies in guarded memory; keys themselves are read from
//     their files for each signature and erased behind it.
//   * Between calls it does what is left to do (WalletDesk::work): at the start, when a letter or,
//     if something waits, a block has come. Without journal and policy it sleeps.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

#include "leither/base/log.h"
#include "leither/io/local_api.h"
#include "leither/io/reactor.h"
#include "leither/rpc/wallet_port.h"
#include "leither/wallet/keyring.h"

#include "app/session.h"
#include "app/wallet_desk.h"

namespace leither::app {

struct WalletOptions {
    std::string directory;
    std::chrono::seconds lock_after{0};  // zero: not by itself
};

// The keyring of all services of a daemon, which outlives them, and whose turn it is.
struct SharedWallet {
    explicit SharedWallet(WalletOptions given)
        : options(std::move(given)), keyring(options.directory) {}

    using Clock = std::chrono::steady_clock;

    const WalletOptions options;
    wallet::Keyring keyring;  // of whoever has the turn

    std::mutex mutex;
    std::condition_variable changed;
    // Guarded by `mutex`, like what the services say of themselves.
    bool is_taken = false;  // somebody has the turn
    std::optional<Clock::time_point> lock_at;
    std::uint64_t unlocks = 0;  // so far: each may let something be done
};

class WalletService final : public rpc::WalletPort, private RpcCaller {
 public:
    // Given things outlive the service. Becomes the API's wallet. `place`: the organization's name
    // in this daemon.
    WalletService(SharedWallet& shared, const std::string& place, io::Reactor& reactor,
                  io::PlaceApi& api, Log log);
    // Waits for the call at hand, which ends at its next question to the daemon.
    ~WalletService() override;

    bool call(node::Token token, std::string_view method, rpc::Json params) override;
    void on_event(const node::Event& event) override;

 private:
    using Clock = SharedWallet::Clock;
    // Where results go: null once the service is gone. On the reactor's thread.
    struct Link {
        io::PlaceApi* api = nullptr;
    };
    struct Job {
        node::Token token = 0;
        std::string method;
        nlohmann::json params;
    };

    nlohmann::json call(const std::string& method, const nlohmann::json& params) override;

    // ---- On the thread
    void run();
    bool take_turn();
    void end_turn();
    void set_lock_at(std::optional<Clock::time_point> at);
    std::optional<Job> next_job();
    void answer(Job&& job);
    nlohmann::json carry_out(Session& session, const Job& job);
    nlohmann::json status(Session& session);
    nlohmann::json unlock(std::string& passphrase);
    nlohmann::json create(Session& session, const std::string& name);
    void lock_if_due();
    void work();

    SharedWallet& shared_;
    io::Reactor& reactor_;
    const std::shared_ptr<Link> link_;
    Log log_;
    GlobalOptions session_options_;
    wallet::Keyring& keyring_;
    WalletDesk::TriedAt tried_;
    std::optional<Clock::time_point> work_at_;  // to look again by itself

    std::mutex& mutex_;
    std::condition_variable& changed_;
    std::deque<Job> jobs_;  // guarded by mutex_, like all that follow
    std::uint64_t unlocks_seen_ = 0;
    bool work_due_ = true;  // something may be to be done
    bool blocks_matter_ = false;
    bool stopping_ = false;
    std::thread thread_;  // last: it uses all of these
};

}  // namespace leither::app
