#include "life_town.h"

#include <algorithm>

#include <fmt/format.h>

#include "leither/base/check.h"
#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/protocol/envelope.h"

namespace leither::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint16_t kPort = 7400;
constexpr Duration kSkewMax = milliseconds(300);
constexpr Duration kSyncMin = milliseconds(1);
constexpr Duration kSyncMax = milliseconds(12);
constexpr std::uint64_t kExpiryPulses = 300;  // as the command line signs
constexpr std::size_t kHistoryLimit = 500;

CommunityOptions community_options(const Settings& settings, const LifeTown::Options& options) {
    CommunityOptions out;
    out.seed = settings.seed;
    out.members = options.members;
    out.bookkeepers = options.bookkeepers;
    out.balance = options.balance;
    out.params = options.params;
    out.params.block_bytes_max = 256 << 10;
    out.time_ms = unix_ms(kStart) - 10'000;
    return out;
}

}  // namespace

// ---- The journal's file

wallet::Journal JournalFile::read() const {
    auto journal = wallet::Journal::parse(text_);
    CHECK(journal.has_value(), "a journal is read again after any loss of power");
    return *std::move(journal);
}

void JournalFile::append(const wallet::JournalRecord& record, std::function<void()> then) {
    CHECK(!is_busy());
    // What a cut has left of a line is cut off first.
    const auto end = text_.rfind('\n');
    text_.resize(end == std::string::npos ? 0 : end + 1);
    under_way_ = (text_.empty() ? std::string(wallet::kJournalHeading) : "") + to_line(record);
    const auto spread = static_cast<std::uint64_t>((kSyncMax - kSyncMin).count());
    const Duration taken =
        kSyncMin + Duration(static_cast<Duration::rep>(chance_.below(spread + 1)));
    world_->after(taken, [this, life = life_, then = std::move(then)] {
        if (life != life_) return;
        text_ += *std::exchange(under_way_, std::nullopt);
        then();
    });
}

void JournalFile::crash() {
    ++life_;
    if (!under_way_) return;
    const std::string line = *std::exchange(under_way_, std::nullopt);
    text_ += line.substr(0, chance_.below(line.size() + 1));
}

// ---- Machines

LifeTown::LifeTown(const Settings& settings, const Options& options)
    : world_(settings.seed, settings.trace),
      network_(world_),
      chance_(world_.stream("scenario")),
      community_(community_options(settings, options)),
      checkers_(world_, community_.organization()),
      options_(options) {}

Duration LifeTown::drawn(Duration from, Duration to) {
    const auto spread = static_cast<std::uint64_t>((to - from).count());
    return from + Duration(static_cast<Duration::rep>(chance_.below(spread + 1)));
}

LifeTown::Machine& LifeTown::add(const Newcomer& newcomer) {
    const std::string& name = newcomer.name;
    const std::size_t index = machines_.size();
    Place place;
    place.endpoint = {IpAddress::v4({20, 0, static_cast<std::uint8_t>(index), 1}), kPort};
    place.line = Line::home();
    place.line.loss_per_mille = options_.loss_per_mille;
    place.accepts = Place::Accepts::streams;
    place.clock_offset = drawn(-kSkewMax, kSkewMax);
    const bool keeps_books = index < options_.bookkeepers;
    NodeHost::Options options{
        .name = name,
        .key = keeps_books ? community_.node_key(index) : crypto::derive_key({}, 1000 + index)};
    options.node = newcomer.node;
    options.meddler = newcomer.meddler;
    options.memo = &memo_;
    options.network.listen = {place.endpoint};
    options.network.dht.families = dht::Families::v4;
    if (index > 0) options.network.bootstrap = {network_.place(machines_[0]->host).endpoint};
    by_name_[name] = index;
    const HostId host(static_cast<std::uint32_t>(index));
    checkers_.admit(host, name);
    if (newcomer.meddler != nullptr) checkers_.set_dishonest(host);
    machines_.push_back(std::make_unique<Machine>(
        Machine{name, host, newcomer.account, JournalFile(world_, world_.stream("journal", index)),
                0, false}));
    const HostId added = network_.add(
        std::make_unique<NodeHost>(options, world_.stream("host", index), *this), place);
    CHECK(added == host, "only machines are hosts here");
    return *machines_.back();
}

void LifeTown::found() {
    node(machine(0)).tell(node::Found{++last_token_, community_.encoded_genesis()});
    world_.run_for(seconds(2));
}

void LifeTown::look_after(Machine& it) {
    if (!is_free(it)) return;
    NodeHost& host = node(it);
    const auto status = host.queries().network(host.now());
    const bool is_first = &it == machines_[0].get();
    const bool has_manifest = host.queries().manifest().has_value();
    if (is_first && !has_manifest) {
        if (!host.queries().manifest_draft()) return;
        return ask(it, community_.manifest(host.queries(), host.now()), [](const auto&) {});
    }
    if (!is_first && (!status || !status->community)) {
        return ask(it, node::FollowOrganization{community_.organization().treasury},
                   [](const auto&) {});
    }
    if (!has_manifest || !status->community->accounts.empty()) return;
    ask(it, community_.delegate(it.account, host.key().public_key(), host.now()),
        [](const auto&) {});
}

void LifeTown::switch_off(Machine& it) {
    ++it.life;
    it.is_busy = false;
    it.journal.crash();
    node(it).leave();
}

void LifeTown::cut_power(Machine& it) {
    note(it, "loses power");
    ++it.life;
    it.is_busy = false;
    it.journal.crash();
    network_.crash(it.host);
}

void LifeTown::switch_on(Machine& it) {
    network_.start(it.host);
    note(it, "has power again");
}

// ---- Calls

void LifeTown::ask(Machine& it, node::NetworkRequest&& request, Answered then) {
    it.is_busy = true;
    const node::Token token = ++last_token_;
    asked_[token] = [&it, life = it.life, then = std::move(then)](auto answer) {
        if (life != it.life) return;
        it.is_busy = false;
        then(std::move(answer));
    };
    node(it).tell(node::NetworkCall{token, std::move(request)});
}

void LifeTown::submit(Machine& it, const protocol::Transaction& transaction, Judged then) {
    it.is_busy = true;
    const node::Token token = ++last_token_;
    submitted_[token] = [&it, life = it.life, then = std::move(then)](node::Verdict verdict) {
        if (life != it.life) return;
        it.is_busy = false;
        then(std::move(verdict));
    };
    node(it).tell(node::Submit{token, {bcs::encode(transaction)}});
}

void LifeTown::append(Machine& it, const wallet::JournalRecord& record,
                      std::function<void()> then) {
    it.journal.append(record, [&it, life = it.life, then = std::move(then)] {
        if (life == it.life) then();
    });
}

void LifeTown::on_reply(NodeHost&, node::Reply&& reply) {
    if (auto* network = std::get_if<node::NetworkReply>(&reply)) {
        auto found = asked_.extract(network->token);
        if (found.empty()) return;
        world_.after(Duration(0), [then = std::move(found.mapped()),
                                   answer = std::move(network->answer)] { then(answer); });
    } else if (auto* verdicts = std::get_if<node::SubmitReply>(&reply)) {
        auto found = submitted_.extract(verdicts->token);
        if (found.empty()) return;
        world_.after(Duration(0), [then = std::move(found.mapped()),
                                   verdict = verdicts->verdicts.at(0)] { then(verdict); });
    }
}

void LifeTown::on_durable(NodeHost& host, const store::WriteBatch& batch) {
    checkers_.on_durable(owner(host).host, batch);
}

void LifeTown::on_opened(NodeHost& host) {
    checkers_.on_opened(owner(host).host, host.ledger());
}

// ---- What the machine's own node says

std::optional<wallet::LedgerTime> LifeTown::time(Machine& it) {
    const auto status = node(it).queries().status();
    if (!status) return std::nullopt;
    return wallet::LedgerTime{community_.chain(), node(it).queries().pulse(node(it).now()),
                              status->head.pulse};
}

wallet::TransactionFate LifeTown::fate(Machine& it, const Hash& id, const Id& signer) {
    using State = wallet::TransactionFate::State;
    const auto fate = node(it).queries().fate(id, signer);
    if (!fate) return {};
    if (std::holds_alternative<node::Pending>(*fate)) return {State::pending, {}, {}};
    if (std::holds_alternative<node::Committed>(*fate))
        return {State::committed, wallet::PaymentState::committed, {}};
    if (const auto* dropped = std::get_if<node::Dropped>(&*fate)) {
        return {State::refused, {}, protocol::to_string(dropped->refused.code)};
    }
    return {};
}

std::optional<protocol::MemberRecord> LifeTown::member(Machine& it, const Id& account) {
    const auto answer = node(it).queries().account(account, std::nullopt);
    if (!answer || !answer->record) return std::nullopt;
    const auto* record = std::get_if<protocol::MemberRecord>(&*answer->record);
    return record == nullptr ? std::nullopt : std::optional(*record);
}

std::optional<std::uint64_t> LifeTown::counter(Machine& it, const Id& account, std::uint8_t lane) {
    const auto record = member(it, account);
    if (!record) return std::nullopt;
    for (const protocol::Lane& one : record->lanes) {
        if (one.lane == lane) return one.next;
    }
    return std::nullopt;
}

std::optional<wallet::Draft> LifeTown::draft(Machine& it, const Id& signer) {
    const auto next = node(it).queries().next_counter(signer, 0);
    if (!next || !*next) return std::nullopt;
    const Pulse now = node(it).queries().pulse(node(it).now());
    return wallet::Draft{community_.chain(), {0, **next}, Pulse(now.value() + kExpiryPulses)};
}

std::vector<wallet::OpenedLetter> LifeTown::letters(Machine& it) {
    std::vector<wallet::OpenedLetter> all;
    for (const auto& one : node(it).queries().letters(it.account.id())) {
        const auto opened =
            protocol::open_letter(community_.chain(), one.envelope.envelope, it.account);
        if (!opened) continue;
        all.push_back({one.message, it.account.id(), opened->letter.sender, opened->letter.sent_ms,
                       std::string(opened->letter.text)});
    }
    std::ranges::stable_sort(all, {}, &wallet::OpenedLetter::sent_ms);
    return all;
}

std::optional<org::OutgoingState> LifeTown::state_of_mail(Machine& it, const Id& recipient,
                                                          std::uint64_t since_ms) {
    std::optional<org::OutgoingState> state;
    for (const auto& one : node(it).queries().outgoing_letters()) {
        if (one.recipient == recipient && one.posted_ms >= since_ms) state = one.state;
    }
    return state;
}

wallet::SealedTo LifeTown::seal(Machine& it, const PublicKey& to, const std::string& text) {
    protocol::Letter letter;
    letter.sender = it.account.public_key();
    letter.recipient = crypto::id_of(to);
    letter.sent_ms = now_ms(it);
    letter.text = BoundedText<protocol::kLetterTextMax>(text);
    const auto sealed =
        protocol::seal_letter(protocol::sign(community_.chain(), letter, it.account), to, chance_);
    CHECK(sealed.has_value(), "members' keys can be sealed to");
    return {letter.recipient, *sealed};
}

std::optional<wallet::PaymentFound> LifeTown::payment(Machine& it, const Hash& request) {
    const auto history = node(it).queries().history(it.account.id(), std::nullopt, kHistoryLimit);
    if (!history) return std::nullopt;
    for (const node::HistoryItem& item : history->items) {
        const auto* transfer = std::get_if<protocol::Transfer>(&item.body.action);
        const bool is_it = transfer != nullptr && transfer->request.payee == it.account.id() &&
                           wallet::request_id(community_.chain(), transfer->request) == request;
        if (is_it)
            return wallet::PaymentFound{item.id, item.sequence, item.body.signer,
                                        wallet::PaymentState::committed};
    }
    return std::nullopt;
}

bool LifeTown::proves_account(Machine& it, const Id& account) {
    const auto receipt = node(it).queries().receipt(account, std::nullopt);
    if (!receipt) return false;
    checkers_.on_receipt(it.host, account, *receipt);
    return true;
}

void LifeTown::conclude(Report& report) {
    for (const auto& each : machines_) checkers_.check_store(each->host, node(*each).ledger());
    const auto verified = node::verify_store(node(machine(0)).ledger(), [](Sequence) {});
    checkers_.report(report);
    report.at_least("executes again from genesis", 1, verified ? 1 : 0);
    report.hash = world_.hash();
    report.happenings = world_.happenings();
    report.elapsed = world_.elapsed();
}

}  // namespace leither::sim
