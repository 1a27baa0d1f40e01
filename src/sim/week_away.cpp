// A member's node is off for days, and comes back to what has happened.
#include <algorithm>

#include <fmt/format.h>

#include "leither/base/check.h"
#include "leither/crypto/hash.h"

#include "life_town.h"
#include "scenarios.h"

namespace leither::sim {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kFounder = 0;
constexpr std::size_t kAnna = 1;  // who pays
constexpr std::size_t kBen = 2;   // who writes
constexpr std::size_t kAway = 3;  // and behind it the liar, a member's node too
constexpr std::uint64_t kBalance = 1'000;
constexpr std::uint64_t kPaid = 12;
constexpr std::uint64_t kRewarded = 40;
constexpr std::uint64_t kGranted = 5;
constexpr std::uint64_t kLines = 6;
constexpr std::uint64_t kLetters = 4;
constexpr Duration kSettling = minutes(2);
constexpr Duration kHand = seconds(5);
// Who comes back meets the liar alone for so long.
constexpr Duration kWithLiar = minutes(5);
// What was missed is here so long after the return. A letter whose last offer went in vain at the
// wrong moment waits up to an hour for the next.
constexpr Duration kFoundWithin = minutes(70);
// So few that the blocks of the absence are too many: the state is taken.
constexpr std::uint64_t kFewBlocks = 4;

// Says of the ledger what is not so, to whoever catches up from it: higher heads, blocks without
// their last transaction, pieces with a byte changed.
class Forger final : public node::Meddler {
 public:
    std::vector<protocol::PeerMessage> says(const Id&, protocol::PeerMessage&& message) override {
        if (auto* reply = std::get_if<protocol::BlocksReply>(&message)) {
            forge(*reply);
        } else if (auto* piece = std::get_if<protocol::PieceReply>(&message)) {
            if (!piece->piece.empty()) piece->piece[piece->piece.size() / 2] ^= 1;
            ++forged_;
        }
        std::vector<protocol::PeerMessage> all;
        all.push_back(std::move(message));
        return all;
    }
    bool hears(const Id&, const protocol::PeerMessage&) override { return true; }
    std::uint64_t forged() const { return forged_; }

 private:
    void forge(protocol::BlocksReply& reply) {
        ++forged_;
        for (auto& block : reply.blocks) {
            if (block.transactions.empty()) continue;
            block.transactions.pop_back();
            return;
        }
    }
    std::uint64_t forged_ = 0;
};

LifeTown::Options options_of(const Settings& settings) {
    LifeTown::Options options;
    options.members = 4;
    options.balance = kBalance;
    options.loss_per_mille = settings.loss_per_mille;
    // A quarter of the absence, so that one vote closes within it and another does not.
    options.params.vote_pulses = static_cast<std::uint32_t>(settings.duration / seconds(4));
    return options;
}

class WeekAway final : public LifeTown {
 public:
    explicit WeekAway(const Settings& settings)
        : LifeTown(settings, options_of(settings)),
          length_(settings.duration),
          // Every other seed.
          takes_state_(settings.seed % 2 == 0) {}

    Report run();

 private:
    // Tries again and again, from that part of the absence on, until it is done.
    void plan(std::int64_t per_mille, std::size_t who,
              std::function<void(std::function<void()>)> act);
    void attempt(std::size_t who, std::function<void(std::function<void()>)> act,
                 std::shared_ptr<bool> is_done);
    void plan_all();
    void before_leaving();

    // Each calls `done` once it is.
    void write(std::size_t from, const std::string& text, Duration lifetime,
               std::function<void()> done);
    void say(std::size_t who, const std::string& text, std::function<void()> done);
    void sign_and_submit(std::size_t who, protocol::Action action, std::function<void()> done);
    void pay_request(std::function<void()> done);
    void propose(std::optional<Id>& vote, std::function<void()> done);

    // ---- What the one who was away finds
    struct Found {
        std::uint64_t letters = 0;
        bool has_late_letter = false;  // one that had expired
        std::uint64_t lines = 0;
        bool at_the_head = false;
        bool balance = false;
        bool is_proven = false;
        bool closed_vote = false;
        bool open_vote = false;
        bool request = false;
        bool receipts = false;
        bool all() const {
            return letters == kLetters && lines == kLines && at_the_head && balance && is_proven &&
                   closed_vote && open_vote && request && receipts;
        }
    };
    Found look();
    // Its head is no block of the one chain.
    bool is_astray();
    bool has_receipts(Machine& it);
    void conclude_week(Report& report);

    Duration length_;
    bool takes_state_;
    Forger forger_;
    Instant left_;
    std::optional<wallet::SignedRequest> request_;   // that the one away has signed
    std::optional<wallet::SignedRequest> incoming_;  // that waits for the one away
    std::optional<Id> closed_;
    std::optional<Id> open_;
    bool has_cast_ = false;
    std::uint64_t planned_ = 0;
    std::uint64_t done_ = 0;
    Found found_;
    bool is_deceived_ = false;
    Duration took_{0};
};

// ---- What happens meanwhile

void WeekAway::attempt(std::size_t who, std::function<void(std::function<void()>)> act,
                       std::shared_ptr<bool> is_done) {
    if (*is_done) return;
    if (is_free(machine(who))) {
        act([this, is_done] {
            if (!std::exchange(*is_done, true)) ++done_;
        });
    }
    world_.after(kHand, [this, who, act, is_done] { attempt(who, act, is_done); });
}

void WeekAway::plan(std::int64_t per_mille, std::size_t who,
                    std::function<void(std::function<void()>)> act) {
    ++planned_;
    world_.at(left_ + length_ * per_mille / 1000, [this, who, act = std::move(act)] {
        attempt(who, act, std::make_shared<bool>(false));
    });
}

void WeekAway::write(std::size_t from, const std::string& text, Duration lifetime,
                     std::function<void()> done) {
    Machine& it = machine(from);
    const auto letter = seal(it, machine(kAway).account.public_key(), text);
    ask(it, node::PostLetter{letter.recipient, letter.sealed, lifetime},
        [done = std::move(done)](const auto& answer) {
            if (answer) done();
        });
}

void WeekAway::say(std::size_t who, const std::string& text, std::function<void()> done) {
    Machine& it = machine(who);
    const auto next = node(it).queries().next_line(it.account.id());
    if (!next) return;
    protocol::ChatLine line;
    line.author = it.account.public_key();
    line.number = next->number;
    line.previous = next->previous;
    line.time_ms = std::max(next->time_ms_min, now_ms(it));
    line.text = decltype(line.text)(text);
    ask(it, node::SayLine{protocol::sign(community_.chain(), line, it.account)},
        [done = std::move(done)](const auto& answer) {
            if (answer) done();
        });
}

void WeekAway::sign_and_submit(std::size_t who, protocol::Action action,
                               std::function<void()> done) {
    Machine& it = machine(who);
    const auto draft = this->draft(it, it.account.id());
    if (!draft) return;
    submit(it, wallet::sign(*draft, std::move(action), it.account, nullptr),
           [done = std::move(done)](const node::Verdict& verdict) {
               if (verdict) done();
           });
}

void WeekAway::pay_request(std::function<void()> done) {
    Machine& it = machine(kAnna);
    const auto draft = this->draft(it, it.account.id());
    if (!draft || !request_) return;
    submit(it, wallet::pay(*draft, *request_, it.account),
           [done = std::move(done)](const node::Verdict& verdict) {
               if (verdict) done();
           });
}

void WeekAway::propose(std::optional<Id>& vote, std::function<void()> done) {
    Machine& it = machine(kFounder);
    const auto draft = this->draft(it, it.account.id());
    if (!draft) return;
    const protocol::Grant grant{protocol::RewardKind::operation, machine(kAway).account.id(),
                                Amount::of(kGranted), protocol::LongText("sweeps the hall"),
                                protocol::LongText()};
    const Id id = protocol::vote_id(community_.chain(), it.account.id(), draft->nonce.lane,
                                    draft->nonce.counter);
    submit(it, wallet::sign(*draft, protocol::Propose{grant}, it.account, nullptr),
           [&vote, id, done = std::move(done)](const node::Verdict& verdict) {
               if (!verdict) return;
               vote = id;
               done();
           });
}

void WeekAway::before_leaving() {
    Machine& away = machine(kAway);
    const auto signed_for = [&](Machine& payee) {
        protocol::PaymentRequest request;
        request.payee = payee.account.id();
        request.amount = Amount::of(kPaid);
        request.reference = protocol::Text("two loaves");
        const Pulse now = node(away).queries().pulse(node(away).now());
        request.expiry = Pulse(now.value() + static_cast<std::uint64_t>(2 * length_ / seconds(1)));
        return wallet::sign_request(community_.chain(), request, payee.account);
    };
    request_ = signed_for(away);
    incoming_ = signed_for(machine(kBen));
    node(away).tell(node::KeepReceipts{1'000'000'000, away.account.id()});
}

void WeekAway::plan_all() {
    const Duration whole = protocol::kEnvelopeLifetimeMax;
    plan(50, kBen, [this](auto done) { write(kBen, "gone too late", length_ / 4, done); });
    plan(100, kBen, [this, whole](auto done) { write(kBen, "the first", whole, done); });
    plan(300, kAnna, [this, whole](auto done) { write(kAnna, "the second", whole, done); });
    plan(600, kBen, [this, whole](auto done) {
        write(kBen, "Please pay.\n" + wallet::to_text(*incoming_), whole, done);
    });
    plan(950, kFounder, [this, whole](auto done) { write(kFounder, "the last", whole, done); });
    for (std::int64_t n = 0; n < static_cast<std::int64_t>(kLines); ++n) {
        const std::size_t who = n % 2 == 0 ? kAnna : kBen;
        plan(80 + 150 * n, who,
             [this, who, n](auto done) { say(who, fmt::format("line {}", n), done); });
    }
    plan(200, kFounder, [this](auto done) { propose(closed_, done); });
    for (const std::size_t who : {kFounder, kAnna}) {
        plan(250, who, [this, who](auto done) {
            if (closed_) {
                sign_and_submit(who, protocol::Cast{*closed_, protocol::Choice::yes}, done);
            }
        });
    }
    plan(400, kAnna, [this](auto done) { pay_request(done); });
    plan(700, kFounder, [this](auto done) {
        sign_and_submit(
            kFounder,
            protocol::Reward{protocol::RewardKind::service, machine(kAway).account.id(),
                             Amount::of(kRewarded), protocol::LongText("repaired the oven"),
                             protocol::LongText()},
            done);
    });
    plan(900, kFounder, [this](auto done) { propose(open_, done); });
    plan(920, kAnna, [this](auto done) {
        if (open_) sign_and_submit(kAnna, protocol::Cast{*open_, protocol::Choice::yes}, done);
    });
}

// ---- What is found

// Of every block that changed the account while it was away; or it is said that they are missing.
bool WeekAway::has_receipts(Machine& it) {
    const auto kept = node(it).queries().kept_receipts(it.account.id(), std::nullopt, 100);
    if (!kept || kept->accounts.empty()) return false;
    if (kept->accounts[0].gap) return takes_state_;
    const auto is_of = [](const node::KeptReceiptItem& item, const char* kind) {
        return std::ranges::any_of(item.transactions, [&](const node::HistoryItem& one) {
            return std::string_view(protocol::kind_name(one.body.action)) == kind;
        });
    };
    const auto has = [&](const char* kind) {
        return std::ranges::any_of(kept->items,
                                   [&](const auto& item) { return is_of(item, kind); });
    };
    return has("transfer") && has("reward");
}

bool WeekAway::is_astray() {
    const auto status = node(machine(kAway)).queries().status();
    if (!status) return false;
    const auto block = node(machine(kAway)).queries().block(status->head.sequence);
    return !block || !*block || (*block)->hash != checkers_.hash_at(status->head.sequence);
}

WeekAway::Found WeekAway::look() {
    Found found;
    Machine& it = machine(kAway);
    const auto now = is_on(it) ? time(it) : std::nullopt;
    if (!now) return found;
    for (const auto& letter : letters(it)) {
        if (letter.text == "gone too late") {
            found.has_late_letter = true;
        } else {
            ++found.letters;
        }
    }
    found.lines = node(it).queries().chat(100).size();
    const auto status = node(it).queries().status();
    found.at_the_head = status && status->head.sequence == checkers_.highest();
    const auto record = member(it, it.account.id());
    found.balance = record && record->balance.units() == kBalance + kPaid + kRewarded + kGranted;
    found.is_proven = found.balance && proves_account(it, it.account.id());
    if (closed_) {
        const auto vote = node(it).queries().vote(*closed_);
        found.closed_vote = vote && *vote && (*vote)->record.outcome == protocol::Outcome::passed;
    }
    if (open_) {
        const auto vote = node(it).queries().vote(*open_);
        found.open_vote = vote && *vote && (*vote)->record.outcome == protocol::Outcome::open &&
                          node(it).queries().standing(**vote, it.account.id(), node(it).now()) ==
                              node::Suffrage::may_cast;
    }
    wallet::InboxFacts facts;
    facts.time = *now;
    facts.now_ms = now_ms(it);
    facts.fate = [this, &it](const Hash& id, const Id& signer) { return fate(it, id, signer); };
    facts.is_member = [this, &it](const Id& account) { return member(it, account).has_value(); };
    for (const auto& item : wallet::inbox(letters(it), it.journal.read(), {}, facts)) {
        found.request = item.request && item.state == wallet::ItemState::waiting;
    }
    found.receipts = has_receipts(it);
    return found;
}

Report WeekAway::run() {
    add({"founder", community_.founder()});
    found();
    add({"anna", community_.member(0)});
    add({"ben", community_.member(1)});
    node::Options options;
    if (takes_state_) options.catch_up_blocks_max = kFewBlocks;
    add({"away", community_.member(2), options});
    add({"liar", community_.member(3), {}, &forger_});
    const Instant settled = world_.now() + kSettling;
    world_.every(kHand, settled, [this] {
        for (std::size_t each = 0; each < machines(); ++each) look_after(machine(each));
    });
    world_.run_until(settled);
    before_leaving();
    world_.run_for(seconds(10));
    left_ = world_.now();
    Machine& away = machine(kAway);
    switch_off(away);
    plan_all();
    world_.run_until(left_ + length_);
    for (const std::size_t each : {kFounder, kAnna, kBen}) switch_off(machine(each));
    world_.run_for(seconds(10));
    switch_on(away);
    world_.run_for(kWithLiar);
    is_deceived_ = !is_on(away) || is_astray();
    for (const std::size_t each : {kFounder, kAnna, kBen}) switch_on(machine(each));
    const Instant back = world_.now();
    while (world_.now() < back + kFoundWithin && !found_.all()) {
        world_.run_for(seconds(5));
        found_ = look();
    }
    took_ = world_.now() - back;
    // It takes part again: its ballot counts.
    attempt(
        kAway,
        [this](auto done) {
            sign_and_submit(kAway, protocol::Cast{*open_, protocol::Choice::yes}, [this, done] {
                has_cast_ = true;
                done();
            });
        },
        std::make_shared<bool>(!open_.has_value()));
    world_.run_until(left_ + length_ * 6 / 5);
    Report report;
    conclude_week(report);
    return report;
}

void WeekAway::conclude_week(Report& report) {
    const auto number = [](auto value) { return static_cast<std::int64_t>(value); };
    report.at_least("acts of the others", number(planned_), number(std::min(done_, planned_)));
    report.at_least("letters found", number(kLetters), number(found_.letters));
    report.at_most("letters found that had expired", 0, found_.has_late_letter ? 1 : 0);
    report.at_least("a request found waiting", 1, found_.request ? 1 : 0);
    report.at_least("lines of the conversation found", number(kLines), number(found_.lines));
    report.at_least("at the head of the one chain", 1, found_.at_the_head ? 1 : 0);
    report.at_least("its balance found", 1, found_.balance ? 1 : 0);
    report.at_least("and proven", 1, found_.is_proven ? 1 : 0);
    report.at_least("its receipts found, or said to be missing where it takes the state", 1,
                    found_.receipts ? 1 : 0);
    report.at_least("the closed vote found", 1, found_.closed_vote ? 1 : 0);
    report.at_least("the open vote found", 1, found_.open_vote ? 1 : 0);
    Machine& founder = machine(kFounder);
    std::uint64_t yes = 0;
    if (open_ && is_on(founder)) {
        const auto vote = node(founder).queries().vote(*open_);
        if (vote && *vote) yes = (*vote)->record.yes;
    }
    report.at_least("ballots in it, with its own", 2, number(yes));
    report.at_most("found after its return", kFoundWithin.count(), took_.count(), Unit::micros);
    report.add("takes the state", takes_state_ ? 1 : 0);
    report.at_least("forged answers given", 1, number(forger_.forged()));
    report.at_most("misled by the liar", 0, is_deceived_ ? 1 : 0);
    report.add("blocks", number(checkers_.blocks()));
    conclude(report);
}

}  // namespace

Report run_week_away(const Settings& settings) {
    return WeekAway(settings).run();
}

}  // namespace leither::sim
