// What happens to the town: rounds of trouble and calm.
#include <algorithm>

#include <fmt/format.h>

#include "leither/base/check.h"

#include "ledger_town.h"

namespace leither::sim {

namespace {

using std::chrono::seconds;

constexpr Duration kTroubleMin = seconds(1);
constexpr Duration kStepMin = seconds(1);
constexpr Duration kLookEvery = std::chrono::milliseconds(10);
constexpr Duration kApart = seconds(2);  // of crashes that belong together
constexpr Duration kStillWriting = seconds(1);

}  // namespace

const char* to_string(Trouble trouble) {
    switch (trouble) {
        case Trouble::crash: return "crash";
        case Trouble::restart: return "restart";
        case Trouble::disk_full: return "disk full";
        case Trouble::disk_fails: return "disk fails";
        case Trouble::clock_ahead: return "clock ahead";
        case Trouble::clock_behind: return "clock behind";
        case Trouble::cut_off: return "cut off";
        case Trouble::mute: return "mute";
        case Trouble::deaf: return "deaf";
        case Trouble::asleep: return "asleep";
        case Trouble::from_backup: return "from backup";
        case Trouble::disk_lies: return "disk lies";
    }
    UNREACHABLE();
}

Duration LedgerTown::drawn(Duration from, Duration to) {
    const auto spread = static_cast<std::uint64_t>((to - from).count());
    return from + Duration(static_cast<Duration::rep>(chance_.below(spread + 1)));
}

std::vector<LedgerTown::Resident*> LedgerTown::some(Role role, std::size_t count) {
    std::vector<Resident*> all;
    for (Resident& each : residents_) {
        if (each.role == role && !each.lie) all.push_back(&each);
    }
    chance_.shuffle(std::span(all));
    all.resize(std::min(count, all.size()));
    return all;
}

void LedgerTown::round() {
    if (plan_.of_bookkeepers.empty() && plan_.of_members.empty()) return;
    take_backups();
    checkers_.expect_nothing();
    calm_now_.reset();
    const Instant start = world_.now();
    const auto befall = [&](Role role, std::size_t most, const std::vector<Trouble>& kinds) {
        if (kinds.empty()) return;
        for (Resident* each : some(role, chance_.below(most + 1))) {
            trouble(*each, kinds[chance_.below(kinds.size())],
                    drawn(kTroubleMin, plan_.trouble_max));
        }
    };
    befall(Role::bookkeeper, plan_.impaired_max, plan_.of_bookkeepers);
    befall(Role::member, plan_.troubled_max, plan_.of_members);
    world_.run_until(start + plan_.trouble_max);
    heal_all();
    recover();
}

void LedgerTown::recover() {
    make_work();
    const Duration patience = pulses(plan_.progress_pulses) + clocks_behind_;
    checkers_.expect_block_within(patience, "although all is well again");
    world_.run_for(patience);
    clocks_behind_ = Duration(0);
    calm_now_ = ++rounds_;
    world_.run_for(plan_.calm_min);
}

// Who proposes first at a height: the author of the block before.
void LedgerTown::crash_chief() {
    const auto found = std::ranges::find_if(residents_, [&](const Resident& each) {
        return each.role == Role::bookkeeper && each.number == author_;
    });
    if (found == residents_.end() || found->lie || !is_running(*found)) return;
    Resident& chief = *found;
    checkers_.expect_nothing();
    calm_now_.reset();
    node(chief).note("is the chief, and crashes");
    network_.crash(chief.host);
    make_work();
    without_chief_.add(until_next_block(world_.now()));
    world_.run_for(kTroubleMin);
    start_again(chief);
    recover();
}

Duration LedgerTown::until_next_block(Instant since) {
    const auto before = checkers_.highest();
    const Instant latest = since + 2 * pulses(plan_.progress_pulses);
    while (checkers_.highest() == before && world_.now() < latest) world_.run_for(kLookEvery);
    return world_.now() - since;
}

std::vector<LedgerTown::Resident*> LedgerTown::crash_many() {
    const std::size_t enough = protocol::faulty_max(plan_.bookkeepers) + 1;
    const std::size_t many = enough + chance_.below(plan_.bookkeepers - enough + 1);
    std::vector<Resident*> gone = some(Role::bookkeeper, many);
    for (Resident* each : gone) {
        // Its next write is kept or not, and then it ends by itself, if it writes in time.
        if (chance_.chance(1, 3)) {
            node(*each).disk().fail_next(
                Disk::Part::ledger, chance_.chance(1, 2) ? Disk::Kept::all : Disk::Kept::nothing);
        }
        world_.after(drawn(Duration(0), kApart), [this, each] {
            if (network_.is_up(each->host)) network_.crash(each->host);
            node(*each).disk().mend();
        });
    }
    return gone;
}

void LedgerTown::lose_quorum() {
    checkers_.expect_nothing();
    calm_now_.reset();
    make_work();
    const std::vector<Resident*> gone = crash_many();
    // What was decided before may still be on its way to a disk.
    world_.run_for(kApart + kStillWriting);
    ++halted_;
    const auto before = checkers_.highest();
    make_work();
    world_.run_for(drawn(pulses(plan_.progress_pulses), plan_.trouble_max));
    if (checkers_.highest() != before) ++decided_while_halted_;
    for (Resident* each : gone) {
        world_.after(drawn(Duration(0), kApart), [this, each] { start_again(*each); });
    }
    // The one who makes it a quorum may be the first to come back.
    const Instant first = world_.now();
    const Duration taken = until_next_block(first);
    without_quorum_.add(std::max(taken - kApart, Duration(0)));
    world_.run_until(std::max(world_.now(), first + kApart));
    recover();
}

void LedgerTown::trouble(Resident& it, Trouble what, Duration length) {
    ++troubles_[static_cast<std::size_t>(what)];
    it.is_troubled = true;
    node(it).note(fmt::format("is in trouble: {}", to_string(what)));
    begin(it, what);
    world_.after(length, [&it] {
        if (auto mend = std::exchange(it.mend, nullptr)) mend();
        it.is_troubled = false;
    });
}

void LedgerTown::begin(Resident& it, Trouble what) {
    const HostId host = it.host;
    Disk& disk = node(it).disk();
    switch (what) {
        case Trouble::crash:
            network_.crash(host);
            it.mend = [this, &it] { start_again(it); };
            return;
        case Trouble::restart:
            if (is_running(it)) node(it).leave();
            it.mend = [this, &it] { start_again(it); };
            return;
        case Trouble::disk_full:
            disk.fill_up();
            it.mend = [this, &it, &disk] {
                disk.free_space();
                start_again(it);
            };
            return;
        case Trouble::disk_fails: {
            const bool is_ledger = chance_.chance(1, 2);
            disk.fail_next(is_ledger ? Disk::Part::ledger : Disk::Part::network,
                           chance_.chance(1, 2) ? Disk::Kept::all : Disk::Kept::nothing);
            it.mend = [this, &it, &disk] {
                if (network_.is_up(it.host)) disk.mend();
                start_again(it);
            };
            return;
        }
        case Trouble::clock_ahead: return step_clock(it, drawn(kStepMin, plan_.clock_step_max));
        case Trouble::clock_behind: return step_clock(it, -drawn(kStepMin, plan_.clock_step_max));
        case Trouble::cut_off: return cut(it, Cut::both_ways);
        case Trouble::mute: return cut(it, Cut::outbound);
        case Trouble::deaf: return cut(it, Cut::inbound);
        case Trouble::asleep:
            if (!network_.is_up(host)) return;
            network_.suspend(host);
            it.mend = [this, host] { network_.resume(host); };
            return;
        case Trouble::from_backup:
            network_.crash(host);
            if (it.backup) disk.restore(*it.backup);
            checkers_.on_restored(host, node(it).ledger());
            it.mend = [this, &it] { start_again(it); };
            return;
        case Trouble::disk_lies:
            disk.begin_lying();
            it.mend = [this, &it, host] {
                network_.crash(host);
                checkers_.on_restored(host, node(it).ledger());
                start_again(it);
            };
            return;
    }
    UNREACHABLE();
}

void LedgerTown::cut(Resident& it, Cut how) {
    it.mend = [this, partition = network_.split({it.host}, how)] { network_.heal(partition); };
}

void LedgerTown::step_clock(Resident& it, Duration by) {
    network_.step_clock(it.host, by);
    if (it.role == Role::bookkeeper) clocks_behind_ = std::max(clocks_behind_, std::max(by, -by));
    it.mend = [this, host = it.host, by] { network_.step_clock(host, -by); };
}

void LedgerTown::start_again(Resident& it) {
    if (!network_.is_up(it.host)) network_.start(it.host);
}

void LedgerTown::take_backups() {
    if (std::ranges::count(plan_.of_members, Trouble::from_backup) == 0) return;
    for (Resident& each : residents_) {
        if (chance_.chance(1, 2)) each.backup = node(each).disk().image();
    }
}

// What has ended by itself outside any trouble of its own stays: that is a finding.
void LedgerTown::heal_all() {
    for (Resident& each : residents_) {
        if (auto mend = std::exchange(each.mend, nullptr)) mend();
        each.is_troubled = false;
    }
}

}  // namespace leither::sim
