// An organization's nodes in one network: bookkeepers, members' nodes that follow, clients that
// pay. What the ledger scenarios have in common; what differs between them is a LedgerPlan.
//
// A run is a row of rounds: some faults at once, all of them over, a calm. Each calm must bring a
// block in time; at the end every disk is read whole.
//
// Whoever keeps the ledger takes payments, so members' nodes do as soon as they hold it. Of several
// bookkeepers the first founds and publishes; the others find it in the network, as members do.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "leither/sim/checkers.h"
#include "leither/sim/community.h"
#include "leither/sim/liar.h"
#include "leither/sim/network.h"
#include "leither/sim/node_host.h"
#include "leither/sim/scenario.h"

namespace leither::sim {

// What can happen to one node. Each begins and is over some time later.
enum class Trouble : std::uint8_t {
    crash,         // and starts again
    restart,       // says goodbye first
    disk_full,     // stops at the next write, starts when there is space again
    disk_fails,    // one write, kept or not
    clock_ahead,   // set ahead, then back
    clock_behind,  // set back, then ahead
    cut_off,       // both ways
    mute,          // nobody hears it
    deaf,          // it hears nobody
    asleep,
    // Only for who may lose what it held: not for a lone bookkeeper.
    from_backup,  // starts from an older disk
    disk_lies,    // acknowledges what it then loses in a crash
};
inline constexpr std::size_t kTroubles = 12;
const char* to_string(Trouble trouble);
inline constexpr std::array kLosesNothing = {
    Trouble::crash,        Trouble::restart, Trouble::disk_full, Trouble::disk_fails,
    Trouble::clock_ahead,  Trouble::cut_off, Trouble::mute,      Trouble::deaf,
    Trouble::clock_behind, Trouble::asleep,
};

struct LedgerPlan {
    std::size_t bookkeepers = 1;
    std::size_t members = 4;    // nodes besides
    std::size_t newcomers = 0;  // members' nodes that come later
    std::size_t newcomers_a_round = 1;
    std::vector<Lie> liars{};  // bookkeepers from seat 1 on, beside whoever is impaired
    std::size_t clients = 4;
    Duration length = std::chrono::minutes(10);
    Duration pay_every = std::chrono::seconds(2);  // on average, each client
    std::uint64_t expiry_pulses = 40;              // of a payment
    // Clients are told of what is committed; who is not asks after so long, then thrice as often.
    // Many clients that ask at once would cost more than all nodes.
    Duration patience{0};
    Line line = Line::home();
    Duration settling = std::chrono::seconds(30);        // until clients come
    Duration skew_max = std::chrono::milliseconds(500);  // of each clock, either way
    std::int64_t drift_ppm_max = 50;
    std::uint32_t cycle_pulses = 1800;

    // ---- Faults
    std::vector<Trouble> of_bookkeepers{kLosesNothing.begin(), kLosesNothing.end()};
    std::vector<Trouble> of_members{kLosesNothing.begin(), kLosesNothing.end()};
    std::size_t impaired_max = 1;  // bookkeepers at once
    // Between rounds the chief crashes, and the pulses until the next block are counted.
    enum class Chief : std::uint8_t { is_spared, crashes };
    Chief chief = Chief::is_spared;
    // Between rounds more than f bookkeepers crash: nothing is decided until enough are back.
    enum class Quorum : std::uint8_t { stays, is_lost };
    Quorum quorum = Quorum::stays;
    std::size_t troubled_max = 3;  // members' nodes at once
    Duration trouble_max = std::chrono::seconds(40);
    Duration clock_step_max = std::chrono::seconds(15);
    Duration calm_min = std::chrono::seconds(30);
    std::uint64_t progress_pulses = 10;  // after all is well again

    // ---- Goals
    std::int64_t in_time_per_mille = 990;  // of calm's payments, committed within 2 pulses
    // Of these, told by the node that took them within 2 s. Nothing: no goal, for members' nodes
    // hear of blocks by way of others.
    std::optional<std::int64_t> told_in_time_per_mille{};
    // At the end nobody pays for so long: no ledger may be written.
    Duration idle{0};
};

class LedgerTown final : public NodeWatcher {
 public:
    LedgerTown(const Settings& settings, const LedgerPlan& plan);

    Report run();

 private:
    enum class Role : std::uint8_t { bookkeeper, member };
    struct Resident {
        HostId host;
        Role role = Role::member;
        std::size_t number = 0;  // seat, or account
        std::optional<Lie> lie;
        bool is_troubled = false;
        std::optional<Disk::Image> backup;
        std::function<void()> mend;  // ends its trouble
    };
    struct Payment {
        protocol::Transaction transaction;
        Hash id;
        Pulse signed_at;
    };
    struct Client {
        std::size_t account = 0;
        // Of one nonce: one, a cheat's two, or one more after each that has expired.
        std::vector<Payment> pending;
        std::optional<std::uint64_t> calm;  // in which it was signed, if in any
        Instant asks_at;                    // not before
    };

    // ---- Nodes (ledger_town.cpp)
    struct Newcomer {
        Role role = Role::member;
        std::size_t number = 0;
        crypto::KeyPair key;
        std::optional<Lie> lie{};
        bool is_twin = false;  // the second of its key
    };
    Resident& add(const Newcomer& newcomer);
    void add_bookkeeper(std::size_t seat);
    void add_member();
    void found();
    // Whatever is missing before it takes part: again and again, since a disk may forget.
    void look_after(const Resident& resident);
    Resident& resident(const NodeHost& host) { return residents_[by_name_.at(host.name())]; }
    NodeHost& node(const Resident& it) { return static_cast<NodeHost&>(network_.host(it.host)); }
    const NodeHost& node(const Resident& it) const {
        return static_cast<const NodeHost&>(network_.host(it.host));
    }
    bool is_running(const Resident& it) { return network_.is_up(it.host) && node(it).is_running(); }
    // One that keeps the ledger and takes transactions.
    NodeHost* any_entry();
    void on_reply(NodeHost& host, node::Reply&& reply) override;
    void on_event(NodeHost& host, node::Event&& event) override;
    void on_durable(NodeHost& host, const store::WriteBatch& batch) override;
    void on_opened(NodeHost& host) override;
    void on_ended(NodeHost& host, const std::string& why) override;
    void sample_receipt(NodeHost& host, const node::BlockSealed& sealed);

    // ---- Clients (ledger_clients.cpp)
    void act(Client& client);
    // Whoever has nothing under way pays now.
    void make_work();
    void pay(Client& client, NodeHost& entry);
    void ask(Client& client, NodeHost& entry);
    void submit(const Payment& payment, NodeHost& entry);
    Client* client_of(const Hash& transaction);
    void committed(NodeHost& host, const Hash& transaction, Sequence sequence,
                   std::optional<Pulse> pulse);
    void over(Client& client, const Payment& payment, NodeHost& host);
    void forget(Client& client, const Hash& transaction);
    void note_time_taken(const Client& client, const Payment& payment, Pulse committed);

    // ---- Faults (ledger_faults.cpp)
    void round();
    void crash_chief();
    void lose_quorum();
    // More than f at random moments, some of them by a disk that fails.
    std::vector<Resident*> crash_many();
    // Until a block comes, from `since` on; at most until the checker of progress calls.
    Duration until_next_block(Instant since);
    // All is well and there is work: a block must come.
    void recover();
    void trouble(Resident& it, Trouble what, Duration length);
    void begin(Resident& it, Trouble what);
    void cut(Resident& it, Cut how);
    void step_clock(Resident& it, Duration by);
    void start_again(Resident& it);
    void take_backups();
    void heal_all();
    Duration drawn(Duration from, Duration to);
    std::vector<Resident*> some(Role role, std::size_t count);
    Duration pulses(std::uint64_t count) const {
        return count * std::chrono::milliseconds(community_.options().params.pulse_ms);
    }

    void rest();
    void conclude(Report& report);
    void report_times(Report& report) const;

    LedgerPlan plan_;
    World world_;
    SignatureMemo memo_;
    std::vector<std::unique_ptr<node::Meddler>> meddlers_;
    Network network_;
    Prng chance_;
    Prng clients_chance_;
    Community community_;
    Checkers checkers_;
    std::vector<Resident> residents_;  // bookkeepers first; never moved
    std::map<std::string, std::size_t> by_name_;
    std::vector<Client> clients_;
    std::map<Hash, std::size_t> paid_by_;  // pending
    node::Token last_token_ = 0;
    // Counted; nothing while there is trouble.
    std::optional<std::uint64_t> calm_now_ = 0;
    std::uint64_t rounds_ = 0;
    std::size_t members_ = 0;
    std::optional<std::size_t> author_;  // of the newest block, by seat
    // After a step back the node's clock stands still for as long.
    Duration clocks_behind_{0};

    std::array<std::uint64_t, kTroubles> troubles_{};
    std::uint64_t ended_by_fault_ = 0;
    std::uint64_t signed_ = 0;
    std::uint64_t told_committed_ = 0;
    std::uint64_t told_over_ = 0;
    std::uint64_t receipts_ = 0;
    std::uint64_t in_calm_ = 0;          // signed and committed without any fault
    std::uint64_t in_calm_in_time_ = 0;  // of these, within two pulses
    // Told committed by the node that took it, for what is signed and told in calm.
    struct Awaited {
        HostId entry;
        Instant since;
        std::uint64_t calm = 0;
    };
    std::map<Hash, Awaited> awaited_;
    std::vector<Duration> times_taken_;
    Sample pulses_taken_;
    Sample without_chief_;   // until the next block
    Sample without_quorum_;  // from when all are back
    std::uint64_t halted_ = 0;
    std::uint64_t decided_while_halted_ = 0;
    struct Rest {
        std::uint64_t ledger_writes = 0;
        std::uint64_t network_writes = 0;
        std::uint64_t sent_bytes = 0;
    };
    Rest counted() const;
    Rest at_rest_;           // what was written and sent while nobody paid
    Sample censored_taken_;  // of the victim's payments in calm
};

}  // namespace leither::sim
