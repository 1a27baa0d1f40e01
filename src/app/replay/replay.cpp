#include "app/replay/replay.h"

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/codec/bcs.h"
#include "leither/crypto/hash.h"
#include "leither/ledger/receipt.h"

#include "app/cli_error.h"
#include "app/publishing.h"
#include "app/replay/progress.h"
#include "app/session.h"

namespace leither::app {

namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kChunk = 2000;
constexpr std::size_t kChunksAhead = 6;
constexpr std::size_t kComplaintsMax = 10;
constexpr std::uint64_t kMemberPage = 1000;
constexpr auto kGatherPatience = std::chrono::seconds(60);
// Signed to hold for most of what the organization's parameters allow, so that no pause is too
// long.
constexpr std::uint64_t kExpiryMargin = 600;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::uint64_t units_of(const json& text) {
    const auto amount = parse_amount(text.get<std::string>(), 0);
    return amount ? amount->units() : UINT64_MAX;
}

}  // namespace

Replay::Replay(ReplayOptions options, const History& history, std::vector<DaemonLink*> daemons)
    : options_(options),
      history_(history),
      daemons_(std::move(daemons)),
      link_(*daemons_.at(0)),
      forecast_(forecast(history)),
      cast_(options.seed, history.accounts.size()),
      prng_(options.seed) {
    rows_.joins = history.accounts.size();
    rows_.transfers = history.transfers.size();
    for (AccountIndex i = 0; i < history.accounts.size(); ++i) {
        if (!history.balances[i].is_zero()) rows_.funded.push_back(i);
    }
    joined_.resize(history.accounts.size());
    funded_at_.resize(history.accounts.size());
    transferred_.resize(history.transfers.size());
    plan_nonces();
    barriers_ = daemons_.size() > 1 ? barriers(history, forecast_)
                                    : std::vector<bool>(history.transfers.size());
}

// A refused transfer uses up no nonce, so only what must be accepted counts.
void Replay::plan_nonces() {
    std::vector<std::uint64_t> next(history_.accounts.size());
    for (std::size_t i = 0; i < history_.transfers.size(); ++i) {
        std::uint64_t& counter = next[history_.transfers[i].payer];
        counters_.push_back(counter);
        if (!forecast_.refusals[i]) ++counter;
    }
}

std::size_t Replay::daemon_of(std::size_t transfer) const {
    return history_.transfers[transfer].payer % daemons_.size();
}

ReplaySummary Replay::run() {
    const auto start = Clock::now();
    summary_.accounts = history_.accounts.size();
    summary_.supply = history_.total;
    found();
    gather();
    for (DaemonLink* daemon : daemons_) {
        couriers_.emplace_back(*daemon, charter_,
                               [this](const Delivery& delivery) { on_delivered(delivery); });
    }
    set_up(couriers_[0]);
    settle();
    summary_.setup_seconds = seconds_since(start);
    run_transfers();
    settle();
    summary_.sequences = couriers_[0].head().value();
    summarise_latencies();
    check_root();
    check_balances();
    check_receipts();
    for (const DaemonLink* daemon : daemons_) summary_.reconnects += daemon->reconnects();
    return std::move(summary_);
}

PublicKey Replay::node_key_of(DaemonLink& daemon) {
    const json status = daemon.ask("node.status", json::object());
    if (!status.at("organization").is_null()) {
        throw CliError(CliExit::refused, "exists",
                       "The daemon keeps an organization already, and a replay founds its own.",
                       "Start a daemon with an empty data directory, or leave --data-dir and --rpc "
                       "out to have one started.");
    }
    const auto key = PublicKey::parse(status.at("node_key").get<std::string>());
    return key.value_or(PublicKey());
}

void Replay::found() {
    std::vector<PublicKey> node_keys;
    for (DaemonLink* daemon : daemons_) node_keys.push_back(node_key_of(*daemon));
    const auto genesis = cast_.found(history_.total, node_keys, unix_ms_now());
    charter_ = genesis.charter.charter;
    chain_ = protocol::chain_id(charter_);
    link_.call("organization.create", {{"genesis", to_hex(bcs::encode(genesis))}});
}

void Replay::gather() {
    if (daemons_.size() == 1) return;
    const crypto::KeyPair& key = cast_.organization();
    const json draft = link_.ask("organization.draft", json::object());
    link_.call("organization.publish", sign_manifest(manifest_of_draft(draft), key));
    for (std::size_t i = 1; i < daemons_.size(); ++i) {
        daemons_[i]->call("organization.follow", {{"organization", key.id().hex()}});
    }
    const auto deadline = Clock::now() + kGatherPatience;
    for (DaemonLink* daemon : daemons_) {
        while (daemon->ask("node.status", json::object()).at("organization").is_null()) {
            if (Clock::now() > deadline) {
                throw CliError(CliExit::unreachable, "timed_out",
                               "The daemons do not find each other.",
                               "Give those behind the first its address with dht.bootstrap.");
            }
            daemon->pause();
        }
    }
}

std::uint64_t Replay::delivered() const {
    std::uint64_t all = 0;
    for (const Courier& courier : couriers_) all += courier.delivered();
    return all;
}

void Replay::settle() {
    for (Courier& courier : couriers_) courier.finish();
    const auto ahead = std::ranges::max_element(couriers_, {}, &Courier::head);
    const Sequence newest = ahead->head();
    for (Courier& courier : couriers_) courier.read_up_to(newest);
}

Acts Replay::acts() const {
    const std::uint64_t now = protocol::pulse_at(charter_, unix_ms_now()).value();
    return Acts(cast_, chain_, Pulse(now + charter_.params.expiry_pulses_max - kExpiryMargin));
}

std::size_t Replay::chunk() const {
    // Ten chunks a second are smooth enough for any rate.
    return options_.rate ? std::clamp<std::size_t>(*options_.rate / 10, 1, kChunk) : kChunk;
}

void Replay::set_up(Courier& courier) {
    const Acts acts = this->acts();
    const std::size_t count = rows_.first_transfer();
    Signer signer({.count = count, .chunk = kChunk, .chunks_ahead = kChunksAhead},
                  [&](std::size_t row) {
                      const auto account = static_cast<AccountIndex>(row);
                      if (row < rows_.joins) return acts.seal(row, acts.join(account, row));
                      const AccountIndex funded = rows_.funded[row - rows_.joins];
                      return acts.seal(row, acts.fund(funded, history_.balances[funded], row));
                  });
    Progress progress("accounts joined and funded", count);
    for (auto signed_chunk = signer.next(); !signed_chunk.empty(); signed_chunk = signer.next()) {
        courier.submit(std::move(signed_chunk));
        progress.show(courier.delivered());
    }
    courier.finish();
    progress.show(courier.delivered());
}

void Replay::run_transfers() {
    const Acts acts = this->acts();
    const bool ahead = options_.sign == SignWhen::before_the_clock_starts;
    Signer signer({.count = rows_.transfers,
                   .chunk = chunk(),
                   .chunks_ahead = ahead ? rows_.transfers + 1 : kChunksAhead},
                  [&](std::size_t i) {
                      const HistoryTransfer& transfer = history_.transfers[i];
                      // As protocol::MemberRecord::first_counter.
                      const std::uint64_t first = joined_[transfer.payer].value() << 20;
                      return acts.seal(rows_.first_transfer() + i,
                                       acts.transfer(transfer, first + counters_[i]));
                  });
    std::vector<std::vector<SignedTransaction>> signed_before;
    if (ahead) signed_before = sign_all(signer);

    clock_start_ = Clock::now();
    Progress progress("transfers", rows_.transfers);
    const auto deliver = [&](std::vector<SignedTransaction> transactions) {
        submit_paced(std::move(transactions));
        progress.show(delivered() - rows_.first_transfer());
    };
    for (auto& transactions : signed_before) deliver(std::move(transactions));
    for (auto next = signer.next(); !next.empty(); next = signer.next()) deliver(std::move(next));
    for (Courier& courier : couriers_) courier.finish();
    progress.show(delivered() - rows_.first_transfer());
    summary_.seconds = seconds_since(clock_start_);
    summary_.transfers_per_second =
        static_cast<double>(summary_.committed) / std::max(summary_.seconds, 0.001);
}

std::vector<std::vector<SignedTransaction>> Replay::sign_all(Signer& signer) {
    const auto start = Clock::now();
    Progress progress("transfers signed", rows_.transfers);
    std::vector<std::vector<SignedTransaction>> all;
    std::uint64_t count = 0;
    for (auto next = signer.next(); !next.empty(); next = signer.next()) {
        count += next.size();
        progress.show(count);
        all.push_back(std::move(next));
    }
    summary_.signing_seconds = seconds_since(start);
    return all;
}

void Replay::submit_paced(std::vector<SignedTransaction> transactions) {
    if (options_.rate) {
        const std::chrono::duration<double> due(static_cast<double>(paced_) /
                                                static_cast<double>(*options_.rate));
        std::this_thread::sleep_until(clock_start_ +
                                      std::chrono::duration_cast<Clock::duration>(due));
    }
    paced_ += transactions.size();
    summary_.submitted += transactions.size();
    distribute(std::move(transactions));
}

void Replay::distribute(std::vector<SignedTransaction> transactions) {
    std::vector<std::vector<SignedTransaction>> parts(couriers_.size());
    const auto send = [&] {
        for (std::size_t i = 0; i < parts.size(); ++i) {
            couriers_[i].submit(std::exchange(parts[i], {}));
        }
    };
    for (SignedTransaction& transaction : transactions) {
        const auto transfer = static_cast<std::size_t>(transaction.row) - rows_.first_transfer();
        if (barriers_[transfer]) {
            send();
            settle();
        }
        parts[daemon_of(transfer)].push_back(std::move(transaction));
    }
    send();
}

void Replay::on_delivered(const Delivery& delivery) {
    const auto row = static_cast<std::size_t>(delivery.row);
    if (row >= rows_.first_transfer()) {
        on_transfer_delivered(row - rows_.first_transfer(), delivery);
        return;
    }
    if (!delivery.refusal.empty()) {
        throw CliError(CliExit::refused, delivery.refusal,
                       fmt::format("An account of the history was not {}.",
                                   row < rows_.joins ? "admitted" : "funded"));
    }
    if (row < rows_.joins) {
        joined_[row] = delivery.sequence;
    } else {
        funded_at_[rows_.funded[row - rows_.joins]] = delivery.sequence;
    }
}

void Replay::on_transfer_delivered(std::size_t transfer, const Delivery& delivery) {
    const auto expected = forecast_.refusals[transfer];
    const std::string wanted = expected ? protocol::to_string(*expected) : "";
    if (delivery.refusal.empty()) {
        ++summary_.committed;
        transferred_[transfer] = delivery.sequence;
        latencies_.resize(std::max<std::size_t>(latencies_.size(), delivery.pulses + 1));
        ++latencies_[delivery.pulses];
    } else {
        ++summary_.refused[delivery.refusal];
    }
    if (delivery.refusal == wanted) return;
    mismatch(fmt::format("transfer {}: expected {}, but {}", transfer + 1,
                         wanted.empty() ? "commitment" : wanted,
                         delivery.refusal.empty() ? "it was committed" : delivery.refusal));
}

void Replay::mismatch(std::string complaint) {
    ++summary_.mismatches;
    if (summary_.complaints.size() < kComplaintsMax) {
        summary_.complaints.push_back(std::move(complaint));
    }
}

void Replay::summarise_latencies() {
    const auto percentile = [this](std::uint64_t percent) {
        const std::uint64_t wanted = (summary_.committed * percent + 99) / 100;
        std::uint64_t seen = 0;
        for (std::size_t pulses = 0; pulses < latencies_.size(); ++pulses) {
            seen += latencies_[pulses];
            if (seen >= wanted) return static_cast<std::uint64_t>(pulses);
        }
        return std::uint64_t{0};
    };
    summary_.latency_p50 = percentile(50);
    summary_.latency_p99 = percentile(99);
}

// ---- Checks -----------------------------------------------------------------------------------

void Replay::check_root() {
    const auto root_at = [&](DaemonLink& daemon) {
        const json block =
            daemon.ask("block.get", {{"sequence", summary_.sequences}, {"detail", "none"}});
        const json& root = block.at("root");
        return Synopsis{Hash::parse(root.at("hash").get<std::string>()).value_or(Hash()),
                        Amount::from(units_of(root.at("sum"))).value_or(Amount())};
    };
    summary_.root = root_at(link_);
    for (DaemonLink* daemon : daemons_) {
        if (root_at(*daemon) == summary_.root) {
            ++summary_.daemons;
        } else {
            mismatch(
                fmt::format("daemons disagree on the root of sequence {}", summary_.sequences));
        }
    }
    if (summary_.root.sum != history_.total) {
        mismatch(fmt::format("the root's sum is {}, but the supply is {}",
                             summary_.root.sum.units(), history_.total.units()));
    }
}

void Replay::check_balances() {
    std::map<Id, std::uint64_t> found;
    json params = {{"limit", kMemberPage}};
    for (;;) {
        const json page = link_.ask("member.list", params);
        for (const json& item : page.at("items")) {
            const auto id = Id::parse(item.at("account").get<std::string>());
            found[id.value_or(Id())] = units_of(item.at("balance"));
        }
        const auto next = page.find("next");
        if (next == page.end() || !next->is_string()) break;
        params["from"] = *next;
    }
    const auto& expected = history_.expected ? *history_.expected : forecast_.balances;
    for (AccountIndex i = 0; i < history_.accounts.size(); ++i) {
        const auto at = found.find(cast_.account(i).id());
        ++summary_.balances_compared;
        if (at != found.end() && at->second == expected[i].units()) continue;
        mismatch(fmt::format("account {} holds {}, but {} is expected", history_.accounts[i].hex(),
                             at == found.end() ? "nothing" : std::to_string(at->second),
                             expected[i].units()));
    }
}

void Replay::check_receipts() {
    if (history_.accounts.empty()) return;
    const json organization = link_.ask("node.status", json::object()).at("organization");
    Sequence oldest(organization.at("oldest_sequence").get<std::uint64_t>());
    // The founding is signed by the organization alone: no committee has certified it.
    if (daemons_.size() > 1) oldest = std::max(oldest, Sequence(1));
    Progress progress("receipts verified", options_.receipts);
    for (std::size_t i = 0; i < options_.receipts; ++i) {
        check_receipt(draw_sample(i, oldest));
        progress.show(i + 1);
    }
}

// In turn: an account now, one at a past sequence (perhaps before it joined), again, and an id that
// never had an account.
Replay::Sample Replay::draw_sample(std::size_t number, Sequence oldest) {
    const Sequence head(summary_.sequences);
    Sample sample;
    sample.sequence = head;
    if (number % 4 != 0) {
        sample.sequence = Sequence(oldest.value() + prng_.below(head.value() - oldest.value() + 1));
    }
    if (number % 4 == 3) {
        prng_.fill(sample.id.span());
        return sample;
    }
    sample.account = static_cast<AccountIndex>(prng_.below(history_.accounts.size()));
    sample.id = cast_.account(*sample.account).id();
    return sample;
}

void Replay::check_receipt(const Sample& sample) {
    const json answer = link_.ask(
        "receipt.get", {{"account", sample.id.hex()}, {"sequence", sample.sequence.value()}});
    const auto bytes = from_hex(answer.at("receipt").get<std::string>());
    const auto receipt = bcs::decode<ledger::Receipt>(bytes.value_or(Bytes()));
    const std::string what =
        fmt::format("receipt of {} at {}", sample.id.hex(), sample.sequence.value());
    if (!receipt) return mismatch(what + " cannot be read");
    const auto proven = ledger::verify(*receipt, crypto::id_of(charter_.organization));
    if (!proven) return mismatch(fmt::format("{}: {}", what, ledger::to_string(proven.error())));
    if (proven->sequence != sample.sequence || receipt->proof.id != sample.id) {
        return mismatch(what + " proves another account or sequence");
    }
    std::optional<Amount> held;
    if (proven->record) {
        const auto* member = std::get_if<protocol::MemberRecord>(&*proven->record);
        if (member == nullptr) return mismatch(what + " is of no member");
        held = member->balance;
    }
    const auto expected =
        sample.account ? balance_at(*sample.account, sample.sequence) : std::nullopt;
    if (held != expected) return mismatch(what + " proves another balance than expected");
    ++summary_.receipts_verified;
}

std::optional<Amount> Replay::balance_at(AccountIndex account, Sequence sequence) const {
    if (joined_[account] > sequence) return std::nullopt;
    std::uint64_t units = 0;
    if (funded_at_[account] <= sequence) units = history_.balances[account].units();
    for (std::size_t i = 0; i < history_.transfers.size(); ++i) {
        if (!transferred_[i] || *transferred_[i] > sequence) continue;
        // Wraps within one block at most; the sum of a whole block never does.
        if (history_.transfers[i].payer == account) units -= history_.transfers[i].amount.units();
        if (history_.transfers[i].payee == account) units += history_.transfers[i].amount.units();
    }
    return Amount::from(units);
}

// ---- Telling ----------------------------------------------------------------------------------

json to_json(const ReplaySummary& summary) {
    return {
        {"accounts", summary.accounts},
        {"submitted", summary.submitted},
        {"committed", summary.committed},
        {"refused", summary.refused},
        {"sequences", summary.sequences},
        {"setup_seconds", summary.setup_seconds},
        {"signing_seconds", summary.signing_seconds},
        {"seconds", summary.seconds},
        {"transfers_per_second", summary.transfers_per_second},
        {"latency_pulses_p50", summary.latency_p50},
        {"latency_pulses_p99", summary.latency_p99},
        {"root",
         {{"hash", summary.root.hash.hex()}, {"sum", std::to_string(summary.root.sum.units())}}},
        {"daemons", summary.daemons},
        {"supply", std::to_string(summary.supply.units())},
        {"balances_compared", summary.balances_compared},
        {"receipts_verified", summary.receipts_verified},
        {"reconnects", summary.reconnects},
        {"mismatches", summary.mismatches},
        {"complaints", summary.complaints}};
}

std::string to_text(const ReplaySummary& summary) {
    std::uint64_t refused = 0;
    std::string names;
    for (const auto& [name, count] : summary.refused) {
        refused += count;
        names += fmt::format("{}{} {}", names.empty() ? ": " : ", ", count, name);
    }
    std::string text = fmt::format(
        "{} accounts joined and funded in {:.1f} s.\n"
        "{} transfers submitted: {} committed, {} refused{}.\n"
        "{} sequences sealed; {:.0f} transfers/s over {:.1f} s; a transfer took {} pulses (99 of "
        "100: at most {}).\n"
        "Root {}, sum {} of a supply of {}{}.\n"
        "{} balances compared, {} receipts verified offline.\n",
        summary.accounts, summary.setup_seconds, summary.submitted, summary.committed, refused,
        names, summary.sequences, summary.transfers_per_second, summary.seconds,
        summary.latency_p50, summary.latency_p99, summary.root.hash.hex(), summary.root.sum.units(),
        summary.supply.units(),
        summary.daemons > 1 ? fmt::format(", the same at {} daemons", summary.daemons) : "",
        summary.balances_compared, summary.receipts_verified);
    if (summary.signing_seconds > 0) {
        text += fmt::format("Signing beforehand took {:.1f} s.\n", summary.signing_seconds);
    }
    if (summary.reconnects > 0) {
        text +=
            fmt::format("{} {} times; nothing was lost.\n",
                        summary.daemons > 1 ? "Payers changed the daemon" : "The daemon went away",
                        summary.reconnects);
    }
    for (const auto& complaint : summary.complaints) text += "MISMATCH: " + complaint + "\n";
    return text + (summary.mismatches == 0 ? "Everything is as expected.\n"
                                           : fmt::format("{} mismatches.\n", summary.mismatches));
}

}  // namespace leither::app
