// People at machines of their own: each has a whole node, a wallet whose journal lies on the same
// disk, and hands that do, again and again, what is to be done next by what the machine has kept.
// What the life scenarios have in common.
//
// Specification
//   * Whatever a wallet decides is decided by room `wallet`, out of its journal, its letters and
//     the ledger of the machine's own node.
//   * When the power goes, the node's disk and the journal keep what was synced; of what was under
//     way, nothing, all, or of the journal's line a part. Nobody remembers what was under way.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "leither/sim/checkers.h"
#include "leither/sim/community.h"
#include "leither/sim/network.h"
#include "leither/sim/node_host.h"
#include "leither/sim/scenario.h"
#include "leither/wallet/application.h"
#include "leither/wallet/inbox.h"

namespace leither::sim {

// The file of a wallet's journal.
class JournalFile {
 public:
    JournalFile(World& world, const Prng& chance) : world_(&world), chance_(chance) {}

    bool is_busy() const { return under_way_.has_value(); }
    // As the wallet reads it. A line that was cut off counts for nothing.
    wallet::Journal read() const;
    // Durable when `then` is called. REQUIRES: not busy.
    void append(const wallet::JournalRecord& record, std::function<void()> then);
    void crash();

 private:
    World* world_;
    Prng chance_;
    std::string text_;
    std::optional<std::string> under_way_;
    std::uint64_t life_ = 0;
};

class LifeTown : public NodeWatcher {
 public:
    struct Options {
        std::size_t bookkeepers = 1;  // machines that keep the ledger: the first ones
        std::size_t members = 3;      // accounts from the beginning; the machines' behind the first
        std::uint64_t balance = 1'000;
        protocol::Params params = CommunityOptions::open_params();
        unsigned loss_per_mille = 0;
    };
    LifeTown(const Settings& settings, const Options& options);

 protected:
    struct Machine {
        std::string name;
        HostId host;
        crypto::KeyPair account;
        JournalFile journal;
        std::uint64_t life = 0;  // one more with each loss of power
        bool is_busy = false;    // the person waits for an answer
    };
    using Answered = std::function<void(Result<node::NetworkAnswer, node::NetworkFailure>)>;
    using Judged = std::function<void(node::Verdict)>;

    // ---- Machines. The first founds.
    struct Newcomer {
        std::string name;
        crypto::KeyPair account;
        node::Options node{};
        node::Meddler* meddler = nullptr;  // none: it is honest
    };
    Machine& add(const Newcomer& newcomer);
    Machine& machine(std::size_t index) { return *machines_[index]; }
    std::size_t machines() const { return machines_.size(); }
    NodeHost& node(const Machine& it) { return static_cast<NodeHost&>(network_.host(it.host)); }
    bool is_on(const Machine& it) { return network_.is_up(it.host) && node(it).is_running(); }
    bool is_free(const Machine& it) { return is_on(it) && !it.is_busy && !it.journal.is_busy(); }
    // Founds the organization at the first machine and publishes it.
    void found();
    // Follows it, and has its account served.
    void look_after(Machine& it);
    void switch_off(Machine& it);  // says goodbye first
    void cut_power(Machine& it);
    void switch_on(Machine& it);

    // ---- Calls. The machine is busy until it is answered; what the power takes is never answered.
    void ask(Machine& it, node::NetworkRequest&& request, Answered then);
    void submit(Machine& it, const protocol::Transaction& transaction, Judged then);
    void append(Machine& it, const wallet::JournalRecord& record, std::function<void()> then);

    // ---- What the machine's own node says
    std::optional<wallet::LedgerTime> time(Machine& it);
    wallet::TransactionFate fate(Machine& it, const Hash& id, const Id& signer);
    std::optional<protocol::MemberRecord> member(Machine& it, const Id& account);
    std::optional<std::uint64_t> counter(Machine& it, const Id& account, std::uint8_t lane);
    std::optional<wallet::Draft> draft(Machine& it, const Id& signer);
    // Of its account, oldest first.
    std::vector<wallet::OpenedLetter> letters(Machine& it);
    std::optional<org::OutgoingState> state_of_mail(Machine& it, const Id& recipient,
                                                    std::uint64_t since_ms);
    wallet::SealedTo seal(Machine& it, const PublicKey& to, const std::string& text);
    // The payment of a request of this account, as its own history has it.
    std::optional<wallet::PaymentFound> payment(Machine& it, const Hash& request);
    // Own account, proven by the organization's id alone; nothing if it cannot be proven.
    bool proves_account(Machine& it, const Id& account);

    void note(const Machine& it, const std::string& text) { node(it).note(text); }
    std::uint64_t now_ms(Machine& it) { return unix_ms(node(it).now()); }
    Duration drawn(Duration from, Duration to);

    // ---- NodeWatcher
    void on_reply(NodeHost& host, node::Reply&& reply) override;
    void on_durable(NodeHost& host, const store::WriteBatch& batch) override;
    void on_opened(NodeHost& host) override;

    // All checkers', and that every disk can be read whole.
    void conclude(Report& report);

    World world_;
    Network network_;
    Prng chance_;
    Community community_;
    Checkers checkers_;

 private:
    Machine& owner(const NodeHost& host) { return *machines_[by_name_.at(host.name())]; }

    SignatureMemo memo_;
    Options options_;
    std::vector<std::unique_ptr<Machine>> machines_;
    std::map<std::string, std::size_t> by_name_;
    node::Token last_token_ = 0;
    std::map<node::Token, Answered> asked_;
    std::map<node::Token, Judged> submitted_;
};

}  // namespace leither::sim
