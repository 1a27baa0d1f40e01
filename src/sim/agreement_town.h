// A committee of agreements and nothing else: the voting machines of the daemon with their logs and
// disks, real messages, a stub for the ledger (stub_law.h), and lines between them. What the
// scenario `agreement` runs by the thousand; whole nodes are LedgerTown's.
//
// Some of the seats break the rules for the whole run, with the liars of liar.h. Rounds: some of
// the others in trouble and the lines at their worst, then calm, in which a block must come.
//
// In trouble messages are lost, doubled and overtaken; in calm they come once and in order, those
// lost a little later, as over a stream. A twin's neighbours are connected to one of the two.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "leither/consensus/agreement.h"
#include "leither/sim/checkers.h"
#include "leither/sim/community.h"
#include "leither/sim/disk.h"
#include "leither/sim/liar.h"
#include "leither/sim/line.h"
#include "leither/sim/scenario.h"
#include "leither/sim/signature_memo.h"

#include "stub_law.h"

namespace leither::sim {

struct AgreementPlan {
    std::size_t seats = 4;
    std::vector<Lie> liars{};      // from seat 1 on, so that the first leader is honest
    std::size_t impaired_max = 0;  // of the others, at once
    Duration length = std::chrono::minutes(10);
    // Of calm; in trouble three times as much is lost, and as much doubled.
    Line line{};
    Duration skew_max = std::chrono::milliseconds(500);  // of each clock, either way
    std::uint64_t pay_of = 1;                            // in one pulse of so many somebody pays
    Duration trouble_max = std::chrono::seconds(40);
    Duration calm_min = std::chrono::seconds(20);
    std::uint64_t progress_pulses = 10;
    bool checks_invariants = false;  // after each step
};

class AgreementTown {
 public:
    AgreementTown(const Settings& settings, const AgreementPlan& plan);

    Report run();

 private:
    struct Write {
        store::WriteBatch batch;
        std::optional<std::uint64_t> log;  // its number; nothing: a block
    };
    struct Machine {
        Machine(const Disk::Options& options, const Prng& chance, const StubLaw& made)
            : law(made), disk(options, chance) {}

        HostId number;
        Endpoint endpoint;  // in the trace
        std::uint16_t seat = 0;
        std::optional<Lie> lie;
        crypto::KeyPair key = crypto::derive_key({}, 0);
        Duration offset{0};  // of its clock
        StubLaw law;
        Disk disk;
        std::unique_ptr<node::Meddler> meddler;  // none: it is honest
        std::optional<consensus::Agreement> agreement;
        std::uint64_t life = 0;
        std::deque<Write> writes;  // the first is under way
        std::optional<Instant> timer;
        std::map<Id, std::size_t> peers;     // connected
        std::map<Id, Instant> last_arrival;  // in calm, of what each has sent
        // Behind its head, as others have shown.
        Sequence wanted;
        std::deque<protocol::DecidedBlock> fetched;
        // Which of two machines with one key it is connected to, by seat.
        std::vector<bool> prefers_twin;
        // cut_off: its neighbours know. The last three: both ways, or what it says, or hears, is
        // lost and nobody knows.
        enum class Trouble : std::uint8_t { none, down, cut_off, unheard, mute, deaf };
        Trouble trouble = Trouble::none;
    };
    using Trouble = Machine::Trouble;

    // ---- Machines
    void add(std::uint16_t seat, std::optional<Lie> lie, bool is_twin);
    void start(Machine& machine);
    void crash(Machine& machine);
    Instant local(const Machine& machine) const { return world_.now() + machine.offset; }
    void input(Machine& machine, consensus::Agreement::Input&& input);
    void carry_out(Machine& machine, consensus::Agreement::Effects&& fx);
    void write(Machine& machine, Write&& write);
    void write_next(Machine& machine);
    void rearm(Machine& machine);
    void ask_for_blocks(Machine& machine);
    void take_fetched(Machine& machine);

    // ---- Lines
    bool are_connected(const Machine& one, const Machine& other) const;
    // Tells all of who has come and gone.
    void relink();
    void say(Machine& from, const Id& to, protocol::PeerMessage&& message);
    void send(Machine& from, std::size_t to, protocol::PeerMessage&& message);
    void deliver(std::size_t from, std::size_t to, protocol::PeerMessage&& message);
    void take(Machine& machine, const Id& from, protocol::PeerMessage&& message);
    Duration drawn(Duration from, Duration to);

    // ---- Payments
    void work();
    void pay();
    void post(Machine& machine, const protocol::Transaction& transaction);
    Machine* any_honest();

    // ---- Rounds
    void round();
    static const char* name_of(Trouble trouble);
    void begin(Machine& machine, Trouble what, Duration length);
    void note(const Machine& machine, std::string_view text);
    void conclude(Report& report);

    AgreementPlan plan_;
    World world_;
    Prng chance_;
    Prng lines_;
    Prng clients_;
    Community community_;
    Checkers checkers_;
    SignatureMemo memo_;
    std::vector<std::unique_ptr<Machine>> machines_;
    bool is_calm_ = true;
    std::uint64_t round_ = 0;
    struct Payment {
        protocol::Transaction transaction;
        Hash id;
        Instant since;
    };
    std::vector<Payment> pending_;
    std::vector<std::uint64_t> counters_;  // by account
    std::uint64_t paid_ = 0;
    std::uint64_t messages_ = 0;
    std::uint64_t crashes_ = 0;
    std::uint64_t conflicts_ = 0;  // shown of liars
};

}  // namespace leither::sim
