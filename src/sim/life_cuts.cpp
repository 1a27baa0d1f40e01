// The power goes at one step of joining or paying, at the machine that does it or is about to.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"

#include "life_town.h"
#include "scenarios.h"

namespace leither::sim {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// In the order in which they are done, first of joining, then of paying.
enum class Step : std::uint8_t {
    invited,    // the guest's node follows, by the invitation
    served,     // and serves the guest's account
    noted,      // the application is signed and written down
    applied,    // it is on its way to the sponsor
    carried,    // it has come to the sponsor
    sponsored,  // the sponsor passes it on
    brought,    // it has come to the supervisor
    approved,   // the supervisor submits the join
    admitted,   // it is committed
    welcomed,   // the guest's node has the ledger and says so
    asked,      // the payee has signed a request and written it down
    requested,  // it is on its way to the payer
    delivered,  // it has come to the payer
    signed_,    // the payer has signed and written it down
    submitted,  // the payer's node takes it
    committed,  // a block holds it
    answered,   // the payee's node says so
};
constexpr std::size_t kSteps = 17;
constexpr std::array<std::string_view, kSteps> kNames = {
    "invited",   "served",   "noted",     "applied",   "carried", "sponsored",
    "brought",   "approved", "admitted",  "welcomed",  "asked",   "requested",
    "delivered", "signed",   "submitted", "committed", "answered"};
// Steps that nobody does: they are seen to have happened.
constexpr bool happens(Step step) {
    return step == Step::carried || step == Step::brought || step == Step::admitted ||
           step == Step::welcomed || step == Step::delivered || step == Step::committed ||
           step == Step::answered;
}

enum class When : std::uint8_t {
    before,  // the step is not done
    amid,    // it is begun, nothing of it is durable
    after,   // its answer has come
};
constexpr std::array<std::string_view, 3> kWhen = {"before", "amid", "after"};

// One machine of each, by its number.
constexpr std::size_t kFounder = 0;
constexpr std::size_t kPayer = 1;
constexpr std::size_t kSponsor = 2;
constexpr std::size_t kPayee = 3;
constexpr std::size_t kGuest = 4;

constexpr std::size_t machine_of(Step step) {
    switch (step) {
        case Step::invited:
        case Step::served:
        case Step::noted:
        case Step::applied:
        case Step::welcomed: return kGuest;
        case Step::carried:
        case Step::sponsored: return kSponsor;
        case Step::brought:
        case Step::approved:
        case Step::admitted:
        case Step::committed: return kFounder;
        case Step::asked:
        case Step::requested:
        case Step::answered: return kPayee;
        case Step::delivered:
        case Step::signed_:
        case Step::submitted: return kPayer;
    }
    UNREACHABLE();
}

constexpr std::uint64_t kAmount = 12;
constexpr Duration kHand = milliseconds(500);
constexpr Duration kSettling = seconds(40);
constexpr Duration kRequestHolds = minutes(10);
constexpr Duration kApplicationHolds = minutes(20);
constexpr Duration kAway = minutes(3);
// A lost line is dialed again, and letters offered again, with pauses that double; an idle ledger's
// next block, which proves what has expired, is the cycle's last.
constexpr Duration kShortBound = minutes(15);
constexpr Duration kLongBound = minutes(75);

// What is done to this run: every combination has its seed, counted from 1.
struct Case {
    Step step = Step::invited;
    When when = When::before;
    bool is_long = false;       // longer than what was signed holds
    bool is_away = false;       // the recipient of the first letter, so that others hold it
    bool is_committee = false;  // four machines keep the ledger, not one

    explicit Case(std::uint64_t seed) {
        std::uint64_t number = seed - 1;
        const auto draw = [&number](std::uint64_t count) {
            const std::uint64_t drawn = number % count;
            number /= count;
            return drawn;
        };
        step = static_cast<Step>(draw(kSteps));
        when = static_cast<When>(draw(kWhen.size()));
        is_long = draw(2) == 1;
        is_away = draw(2) == 1;
        is_committee = draw(2) == 1;
    }
    std::string text() const {
        return fmt::format("{} {}{}{}{}", kWhen[static_cast<std::size_t>(when)],
                           kNames[static_cast<std::size_t>(step)], is_long ? ", for long" : "",
                           is_away ? ", recipients away" : "",
                           is_committee ? ", four keep the ledger" : "");
    }
};

LifeTown::Options options_of(const Settings& settings, const Case& which) {
    LifeTown::Options options;
    options.bookkeepers = which.is_committee ? 4 : 1;
    options.loss_per_mille = settings.loss_per_mille;
    return options;
}

// How one side sees it in the end.
enum class Word : std::uint8_t { open, done, over };

class LifeCuts final : public LifeTown {
 public:
    explicit LifeCuts(const Settings& settings)
        : LifeTown(settings, options_of(settings, Case(settings.seed))), case_(settings.seed) {}

    Report run();

 private:
    template <class Act>
    void do_step(Step step, Act&& act);
    void done(Step step);
    void cut(Step step);

    // ---- What each person does next, as far as the machine's own records tell
    void guest();
    void sponsor();
    void supervisor();
    void payee();
    void payer();
    void act();
    void watch();
    void post(Machine& it, const wallet::SealedTo& letter, Answered then) {
        ask(it, node::PostLetter{letter.recipient, letter.sealed}, std::move(then));
    }
    void forget(Machine& it, const Hash& message) {
        ask(it, node::ForgetLetter{message}, [](const auto&) {});
    }
    void post_request(const Hash& request, const wallet::SealedTo& letter);
    void submit_payment(const wallet::Paying& paying);
    wallet::PaymentFacts payment_facts(Machine& it);

    // ---- The two sides
    Word word_of_guest();
    Word word_of_supervisor();
    Word word_of_payer();
    Word word_of_payee();
    bool all_said();
    std::size_t payments_in_chain();
    void conclude_life(Report& report);

    Case case_;
    std::array<bool, kSteps> done_{};
    bool has_cut_ = false;
    std::optional<wallet::Invitation> invitation_;
    std::optional<Instant> power_back_;
    Instant began_;
    // The application and the request as their makers have them: for the judges alone.
    std::optional<wallet::SignedApplication> application_;
    std::optional<wallet::SignedRequest> request_;
    std::optional<Hash> admitting_;  // submitted by the supervisor, who remembers until a crash
    std::uint64_t admitting_life_ = 0;
    std::optional<Pulse> admitting_until_;
};

// ---- Steps and the cut

template <class Act>
void LifeCuts::do_step(Step step, Act&& act) {
    const bool is_it = !has_cut_ && case_.step == step;
    if (is_it && case_.when == When::before) return cut(step);
    act();
    if (is_it && case_.when == When::amid) cut(step);
}

void LifeCuts::done(Step step) {
    if (std::exchange(done_[static_cast<std::size_t>(step)], true)) return;
    world_.note(fmt::format("done: {}", kNames[static_cast<std::size_t>(step)]));
    if (has_cut_) return;
    if (case_.step == step && case_.when == When::after) return cut(step);
    // What nobody does is cut off while it is on its way.
    const auto next = static_cast<std::size_t>(step) + 1;
    const bool is_next = next < kSteps && case_.step == static_cast<Step>(next) &&
                         happens(case_.step) && case_.when != When::after;
    if (!is_next) return;
    const Duration most = case_.when == When::before ? milliseconds(1) : milliseconds(1'500);
    world_.after(drawn(Duration(0), most), [this] {
        if (!has_cut_) cut(case_.step);
    });
}

void LifeCuts::cut(Step step) {
    Machine& it = machine(machine_of(step));
    if (!is_on(it)) {  // it is away still: as soon as it is back
        world_.after(kHand, [this, step] {
            if (!has_cut_) cut(step);
        });
        return;
    }
    has_cut_ = true;
    const Duration longest = std::max(kRequestHolds, kApplicationHolds);
    const Duration gone = case_.is_long ? drawn(longest + minutes(1), longest + minutes(10))
                                        : drawn(seconds(2), seconds(60));
    power_back_ = world_.now() + gone;
    // Not within what the machine is just told.
    world_.after(Duration(0), [this, &it] {
        if (is_on(it)) cut_power(it);
    });
    world_.at(*power_back_, [this, &it] {
        if (!network_.is_up(it.host)) switch_on(it);
    });
}

// ---- Joining

void LifeCuts::guest() {
    Machine& it = machine(kGuest);
    if (!invitation_ || !is_free(it)) return;
    const auto status = node(it).queries().network(node(it).now());
    if (!status) return;
    if (!status->community) {
        return do_step(Step::invited, [&] {
            ask(it,
                node::FollowOrganization{community_.organization().treasury,
                                         invitation_->introduction},
                [this](const auto& answer) {
                    if (answer) done(Step::invited);
                });
        });
    }
    done(Step::invited);
    if (!node(it).queries().manifest()) return;
    const auto& accounts = status->community->accounts;
    if (accounts.empty()) {
        return do_step(Step::served, [&] {
            ask(it, community_.delegate(it.account, node(it).key().public_key(), node(it).now()),
                [this](const auto& answer) {
                    if (answer) done(Step::served);
                });
        });
    }
    done(Step::served);
    if (accounts[0].is_member) return;
    const auto mail = letters(it);
    const auto own = wallet::own_application(mail, it.account.id(), community_.chain());
    if (!own) {
        return do_step(Step::noted, [&] {
            protocol::Application application;
            application.applicant = it.account.public_key();
            application.sponsor = machine(kSponsor).account.id();
            application.expiry = invitation_->pulse_at(
                now_ms(it) + static_cast<std::uint64_t>(kApplicationHolds / milliseconds(1)));
            const auto signed_ =
                wallet::sign_application(community_.chain(), application, it.account);
            post(it, seal(it, it.account.public_key(), wallet::note_of(signed_, *invitation_)),
                 [this](const auto& answer) {
                     if (answer) done(Step::noted);
                 });
        });
    }
    application_ = own->signed_;
    done(Step::noted);
    // Who has been forgotten for so long asks no more.
    if (!wallet::still_asks(*own, mail, *invitation_, now_ms(it))) return;
    const Id sponsor = machine(kSponsor).account.id();
    if (state_of_mail(it, sponsor, own->sent_ms)) return done(Step::applied);
    do_step(Step::applied, [&] {
        post(it,
             seal(it, machine(kSponsor).account.public_key(),
                  fmt::format("I ask to be admitted.\n{}", own->text)),
             [this](const auto& answer) {
                 if (answer) done(Step::applied);
             });
    });
}

void LifeCuts::sponsor() {
    Machine& it = machine(kSponsor);
    if (!is_free(it)) return;
    const auto all = wallet::applications_in(letters(it), community_.chain());
    if (all.empty()) return;
    done(Step::carried);
    const auto& one = all.front();
    const Id founder = machine(kFounder).account.id();
    if (state_of_mail(it, founder, one.sent_ms)) {
        done(Step::sponsored);
        return forget(it, one.letters.front());
    }
    do_step(Step::sponsored, [&] {
        post(it,
             seal(it, machine(kFounder).account.public_key(),
                  fmt::format("I speak for this applicant.\n{}", one.text)),
             [this](const auto& answer) {
                 if (answer) done(Step::sponsored);
             });
    });
}

void LifeCuts::supervisor() {
    Machine& it = machine(kFounder);
    if (!is_free(it)) return;
    for (const auto& one : wallet::applications_in(letters(it), community_.chain())) {
        done(Step::brought);
        const auto now = time(it);
        if (!now) return;
        const bool is_over = now->now > one.signed_.application.expiry;
        if (member(it, one.applicant()) || is_over) {
            return forget(it, one.letters.front());
        }
        const bool remembers = admitting_ && admitting_life_ == it.life;
        if (remembers && now->now <= *admitting_until_) continue;
        const auto draft = this->draft(it, it.account.id());
        if (!draft) return;
        const auto transaction = wallet::admit(*draft, one.signed_, it.account);
        do_step(Step::approved, [&] {
            admitting_ = protocol::transaction_id(community_.chain(), transaction.body);
            admitting_life_ = it.life;
            admitting_until_ = draft->expiry;
            submit(it, transaction, [this](const node::Verdict& verdict) {
                if (verdict) done(Step::approved);
            });
        });
        return;
    }
}

// ---- Paying

void LifeCuts::post_request(const Hash& request, const wallet::SealedTo& letter) {
    Machine& it = machine(kPayee);
    do_step(Step::requested, [&] {
        post(it, letter, [this, &it, request](const auto& answer) {
            if (!answer) return;
            const wallet::Posted posted{now_ms(it), request, std::get<Hash>(*answer)};
            append(it, posted, [this] { done(Step::requested); });
        });
    });
}

void LifeCuts::payee() {
    Machine& it = machine(kPayee);
    const auto now = is_free(it) ? time(it) : std::nullopt;
    if (!now || !member(it, it.account.id())) return;
    const auto status = node(it).queries().network(node(it).now());
    if (!status || !status->community || status->community->accounts.empty()) return;
    const auto journal = it.journal.read();
    const auto own = journal.own_requests();
    if (own.empty()) {
        return do_step(Step::asked, [&] {
            protocol::PaymentRequest request;
            request.payee = it.account.id();
            request.amount = Amount::of(kAmount);
            request.reference = protocol::Text("two loaves");
            request.expiry =
                Pulse(now->now.value() + static_cast<std::uint64_t>(kRequestHolds / seconds(1)));
            const auto signed_ = wallet::sign_request(community_.chain(), request, it.account);
            const auto letter = seal(it, machine(kPayer).account.public_key(),
                                     fmt::format("Please pay.\n{}", wallet::to_text(signed_)));
            append(it, wallet::Asked{now_ms(it), signed_, letter}, [this] { done(Step::asked); });
        });
    }
    request_ = own.front()->asked.request;
    done(Step::asked);
    const auto unfinished = wallet::unfinished(journal, *now, payment_facts(it));
    if (!unfinished.letters.empty()) {
        const auto& [request, letter] = unfinished.letters.front();
        return post_request(request, letter);
    }
    if (payment(it, wallet::request_id(*request_))) done(Step::answered);
}

void LifeCuts::submit_payment(const wallet::Paying& paying) {
    Machine& it = machine(kPayer);
    const Hash request = wallet::request_id(paying.chain, wallet::request_of(paying));
    const Hash id = protocol::transaction_id(paying.chain, paying.transaction.body);
    do_step(Step::submitted, [&] {
        submit(it, paying.transaction, [this, &it, request, id](const node::Verdict& verdict) {
            if (verdict) return done(Step::submitted);
            const std::string name = protocol::to_string(verdict.error().code);
            if (name == "already_pending" || name == "already_committed") return;
            append(it, wallet::NotTaken{now_ms(it), request, id, protocol::Text(name)}, [] {});
        });
    });
}

wallet::PaymentFacts LifeCuts::payment_facts(Machine& it) {
    return {
        [this, &it](const Hash& id, const Id& signer) { return fate(it, id, signer); },
        [this, &it](const Id& account, std::uint8_t lane) { return counter(it, account, lane); }};
}

void LifeCuts::payer() {
    Machine& it = machine(kPayer);
    const auto now = is_free(it) ? time(it) : std::nullopt;
    if (!now) return;
    const auto journal = it.journal.read();
    const auto facts = payment_facts(it);
    const auto unfinished = wallet::unfinished(journal, *now, facts);
    if (!unfinished.payments.empty()) return submit_payment(*unfinished.payments.front());
    wallet::InboxFacts inbox_facts;
    inbox_facts.time = *now;
    inbox_facts.now_ms = now_ms(it);
    inbox_facts.fate = facts.fate;
    inbox_facts.is_member = [this, &it](const Id& account) {
        return member(it, account).has_value();
    };
    for (const auto& item : wallet::inbox(letters(it), journal, {}, inbox_facts)) {
        if (!item.request) continue;
        done(Step::delivered);
        if (item.state != wallet::ItemState::waiting) continue;
        wallet::Former former;
        former.paying = journal.paying(item.id);
        if (former.paying != nullptr) {
            const auto& body = former.paying->transaction.body;
            former.counter = counter(it, body.signer, body.nonce.lane);
            former.fate = fate(it, protocol::transaction_id(community_.chain(), body), body.signer);
        }
        const auto draft = this->draft(it, it.account.id());
        if (wallet::next_step(former, *now) != wallet::NextStep::sign || !draft) continue;
        return do_step(Step::signed_, [&] {
            const wallet::Paying paying{now_ms(it), wallet::Cause::by_hand, community_.chain(),
                                        wallet::pay(*draft, *item.request, it.account)};
            append(it, paying, [this] { done(Step::signed_); });
        });
    }
}

void LifeCuts::act() {
    for (const std::size_t each : {kPayer, kSponsor, kPayee}) look_after(machine(each));
    guest();
    sponsor();
    supervisor();
    payee();
    payer();
    watch();
}

// What has happened without anybody's doing.
void LifeCuts::watch() {
    Machine& founder = machine(kFounder);
    Machine& guest = machine(kGuest);
    if (is_on(founder) && member(founder, guest.account.id())) done(Step::admitted);
    if (is_on(founder) && request_ && payments_in_chain() > 0) done(Step::committed);
    if (is_on(guest) && member(guest, guest.account.id())) done(Step::welcomed);
}

// ---- The two sides

Word LifeCuts::word_of_guest() {
    Machine& it = machine(kGuest);
    if (!is_on(it)) return Word::open;
    if (member(it, it.account.id())) {
        return proves_account(it, it.account.id()) ? Word::done : Word::open;
    }
    // A guest is told nothing of the ledger: that it is not in, an application's own end tells.
    const bool is_over =
        application_ && application_->application.expiry < invitation_->pulse_at(now_ms(it));
    return is_over ? Word::over : Word::open;
}

Word LifeCuts::word_of_supervisor() {
    Machine& it = machine(kFounder);
    const auto now = is_on(it) ? time(it) : std::nullopt;
    if (!now) return Word::open;
    if (member(it, machine(kGuest).account.id())) return Word::done;
    // A decided block is behind the expiry, and the account is proven not to be there.
    const bool is_over = application_ && now->head > application_->application.expiry &&
                         proves_account(it, machine(kGuest).account.id());
    return is_over ? Word::over : Word::open;
}

Word LifeCuts::word_of_payer() {
    Machine& it = machine(kPayer);
    const auto now = is_on(it) ? time(it) : std::nullopt;
    if (!now || !request_) return Word::open;
    const auto journal = it.journal.read();
    const auto* paying = journal.paying(wallet::request_id(*request_));
    if (paying != nullptr) {
        const auto& body = paying->transaction.body;
        const auto id = protocol::transaction_id(community_.chain(), body);
        if (fate(it, id, body.signer).state == wallet::TransactionFate::State::committed) {
            return Word::done;
        }
        if (now->head <= body.expiry) return Word::open;
    }
    return now->head > request_->request.expiry ? Word::over : Word::open;
}

Word LifeCuts::word_of_payee() {
    Machine& it = machine(kPayee);
    const auto now = is_on(it) ? time(it) : std::nullopt;
    if (!now || !request_) return Word::open;
    const auto journal = it.journal.read();
    const Hash id = wallet::request_id(*request_);
    const auto* own = journal.asked(id);
    if (own == nullptr) return Word::open;
    const auto status = wallet::status_of(*own, payment(it, id), *now);
    switch (status.state) {
        case wallet::PaymentState::pending:
        case wallet::PaymentState::refused: return Word::open;
        case wallet::PaymentState::committed:
        case wallet::PaymentState::secured:
        case wallet::PaymentState::settled: return Word::done;
        case wallet::PaymentState::expired: return status.is_proven ? Word::over : Word::open;
    }
    UNREACHABLE();
}

bool LifeCuts::all_said() {
    return has_cut_ && power_back_ < world_.now() && word_of_guest() != Word::open &&
           word_of_guest() == word_of_supervisor() && word_of_payer() != Word::open &&
           word_of_payer() == word_of_payee();
}

// Transfers that pay the request, as the founder's ledger has them.
std::size_t LifeCuts::payments_in_chain() {
    const Id payee = machine(kPayee).account.id();
    const auto history = node(machine(kFounder)).queries().history(payee, std::nullopt, 500);
    if (!history) return 0;
    return static_cast<std::size_t>(std::ranges::count_if(history->items, [&](const auto& item) {
        const auto* transfer = std::get_if<protocol::Transfer>(&item.body.action);
        return transfer != nullptr && transfer->request.payee == payee;
    }));
}

// ---- The run

Report LifeCuts::run() {
    add({"founder", community_.founder()});
    found();
    for (const char* name : {"payer", "sponsor", "payee"}) {
        add({name, community_.member(machines() - 1)});
    }
    add({"guest", community_.member(900)});
    const Instant settled = world_.now() + kSettling;
    world_.every(kHand, settled, [this] {
        for (std::size_t each = 0; each < kGuest; ++each) look_after(machine(each));
    });
    world_.run_until(settled);
    world_.note(case_.text());
    began_ = world_.now();
    if (case_.is_away) {
        for (const std::size_t each : {kSponsor, kPayer}) {
            Machine& it = machine(each);
            switch_off(it);
            world_.after(kAway, [this, &it] {
                if (!network_.is_up(it.host)) switch_on(it);
            });
        }
    }
    wallet::Invitation invitation;
    if (const auto given = node(machine(kFounder)).queries().introduction()) {
        invitation.introduction = *given;
    }
    invitation.name = BoundedText<64>("Testers");
    invitation.time_ms = community_.options().time_ms;
    invitation.pulse_ms = community_.options().params.pulse_ms;
    invitation.member = machine(kSponsor).account.public_key();
    invitation.expires_ms = unix_ms(world_.now() + hours(24));
    invitation_ = invitation;
    const Instant end = world_.now() + kAway + minutes(30) + kLongBound;
    world_.every(kHand, end, [this] { act(); });
    while (world_.now() < end && !all_said()) world_.run_for(seconds(5));
    Report report;
    conclude_life(report);
    return report;
}

void LifeCuts::conclude_life(Report& report) {
    const auto number = [](auto value) { return static_cast<std::int64_t>(value); };
    const Duration taken =
        power_back_ ? std::max(world_.now() - *power_back_, Duration(0)) : Duration(0);
    const Word joined = word_of_supervisor();
    const Word paid = word_of_payee();
    const std::size_t payments = is_on(machine(kFounder)) ? payments_in_chain() : std::size_t{99};
    const auto balance = [this](std::size_t of) {
        const auto record = member(machine(kFounder), machine(of).account.id());
        return record ? record->balance.units() : 0;
    };
    const std::uint64_t moved = paid == Word::done ? kAmount : 0;
    report.at_least("the power has gone at its step", 1, has_cut_ ? 1 : 0);
    report.at_least("joining: both sides say the same, with proof", 1,
                    joined != Word::open && joined == word_of_guest() ? 1 : 0);
    report.at_least("paying: both sides say the same, with proof", 1,
                    paid != Word::open && paid == word_of_payer() ? 1 : 0);
    report.at_most("payments of the one request", number(moved / kAmount), number(payments));
    report.at_least("balances are what was paid", 1,
                    balance(kPayer) == 1'000 - moved && balance(kPayee) == 1'000 + moved ? 1 : 0);
    // What a short cut interrupts is done all the same.
    if (!case_.is_long) {
        report.at_least("the guest is a member", 1, joined == Word::done ? 1 : 0);
        report.at_least("the request is paid", 1, paid == Word::done ? 1 : 0);
    }
    report.at_most("settled after power is back",
                   (case_.is_long ? kLongBound : kShortBound).count(), taken.count(), Unit::micros);
    report.add("members admitted", joined == Word::done ? 1 : 0);
    report.add("requests paid", number(payments));
    conclude(report);
}

}  // namespace

Report run_life_cuts(const Settings& settings) {
    return LifeCuts(settings).run();
}

}  // namespace leither::sim
