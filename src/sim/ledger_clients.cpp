// Clients of the town: they pay, ask what became of it, send again what a crash has forgotten, and
// now and then try to spend one nonce twice.
#include <algorithm>

#include "leither/codec/bcs.h"

#include "ledger_town.h"

namespace leither::sim {

namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kCheatOf = 20;  // one payment of so many
constexpr std::uint64_t kAmountMax = 20;
constexpr Duration kAct = milliseconds(250);
constexpr std::int64_t kInTime = 2;  // pulses
constexpr std::size_t kPendingMax = 8;

}  // namespace

void LedgerTown::act(Client& client) {
    NodeHost* entry = any_entry();
    if (entry == nullptr) return;
    if (!client.pending.empty()) {
        if (world_.now() < client.asks_at) return;
        client.asks_at = world_.now() + plan_.patience / 3;
        return ask(client, *entry);
    }
    const auto pause = static_cast<std::uint64_t>(plan_.pay_every / kAct);
    if (clients_chance_.chance(1, std::max<std::uint64_t>(pause, 1))) pay(client, *entry);
}

void LedgerTown::make_work() {
    for (Client& client : clients_) {
        NodeHost* entry = any_entry();
        if (entry != nullptr && client.pending.empty()) pay(client, *entry);
    }
}

void LedgerTown::pay(Client& client, NodeHost& entry) {
    const crypto::KeyPair payer = community_.member(client.account);
    const auto counter = entry.queries().next_counter(payer.id(), 0);
    if (!counter || !*counter) return;
    const Pulse now = entry.queries().pulse(entry.now());
    const Signing signing{**counter, Pulse(now.value() + plan_.expiry_pulses)};
    const std::size_t members = community_.options().members;
    const std::size_t count = clients_chance_.chance(1, kCheatOf) ? 2 : 1;
    client.calm = calm_now_;
    client.asks_at = world_.now() + plan_.patience;
    std::vector<Payment> made;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t payee =
            (client.account + 1 + clients_chance_.below(members - 1)) % members;
        Payment payment;
        payment.transaction = community_.pay(payer, community_.member(payee),
                                             1 + clients_chance_.below(kAmountMax), signing);
        payment.id = protocol::transaction_id(community_.chain(), payment.transaction.body);
        payment.signed_at = now;
        // The very same may be drawn twice.
        if (made.empty() || made.front().id != payment.id) made.push_back(payment);
    }
    // To the node that told the nonce, as a wallet does; its twin to the same, or to another.
    for (const Payment& payment : made) {
        paid_by_[payment.id] = client.account;
        client.pending.push_back(payment);
        NodeHost* to = payment.id == made.front().id ? &entry : any_entry();
        if (to == nullptr) continue;
        if (client.calm) awaited_[payment.id] = {resident(*to).host, world_.now(), *client.calm};
        submit(payment, *to);
    }
    signed_ += made.size();
}

void LedgerTown::submit(const Payment& payment, NodeHost& entry) {
    entry.tell(node::Submit{++last_token_, {bcs::encode(payment.transaction)}});
}

void LedgerTown::ask(Client& client, NodeHost& entry) {
    const Id signer = community_.member(client.account).id();
    const auto status = entry.queries().status();
    if (!status) return;
    const Pulse now = entry.queries().pulse(entry.now());
    bool is_under_way = false;
    for (const Payment& payment : std::vector(client.pending)) {
        const auto fate = entry.queries().fate(payment.id, signer);
        if (!fate) return;
        const Pulse expiry = payment.transaction.body.expiry;
        if (const auto* there = std::get_if<node::Committed>(&*fate)) {
            return committed(entry, payment.id, there->sequence, std::nullopt);
        }
        if (status->head.pulse >= expiry) {
            // No block to come may hold it: that it is not there yet proves that it never will be.
            over(client, payment, entry);
        } else if (now <= expiry) {
            is_under_way = true;
            if (std::holds_alternative<node::Unknown>(*fate)) submit(payment, entry);
        }
    }
    // What has expired can still be in a block that nobody has seen. Another of the same nonce
    // makes sure that only one of them counts.
    const bool is_at_a_loss = !client.pending.empty() && !is_under_way;
    if (is_at_a_loss && client.pending.size() < kPendingMax) pay(client, entry);
}

LedgerTown::Client* LedgerTown::client_of(const Hash& transaction) {
    const auto found = paid_by_.find(transaction);
    return found == paid_by_.end() ? nullptr : &clients_[found->second];
}

void LedgerTown::committed(NodeHost& host, const Hash& transaction, Sequence sequence,
                           std::optional<Pulse> pulse) {
    checkers_.on_told_committed(resident(host).host, transaction, sequence);
    Client* client = client_of(transaction);
    if (client == nullptr) return;
    ++told_committed_;
    const auto pending = client->pending;
    const auto it = std::find_if(pending.begin(), pending.end(),
                                 [&](const Payment& each) { return each.id == transaction; });
    for (const Payment& each : pending) {
        const bool is_it = each.id == transaction;
        if (!is_it && each.transaction.body.nonce == it->transaction.body.nonce) {
            over(*client, each, host);  // its nonce is spent
        }
    }
    if (pulse) note_time_taken(*client, *it, *pulse);
    forget(*client, transaction);
}

void LedgerTown::note_time_taken(const Client& client, const Payment& payment, Pulse committed) {
    // Pulses of two clocks: the block's may be the lower one.
    const std::int64_t taken = static_cast<std::int64_t>(committed.value()) -
                               static_cast<std::int64_t>(payment.signed_at.value());
    pulses_taken_.add(taken);
    if (!client.calm || client.calm != calm_now_) return;
    ++in_calm_;
    const bool is_censored =
        client.account == 0 && std::ranges::count(plan_.liars, Lie::censor) > 0;
    if (is_censored) censored_taken_.add(taken);
    if (taken <= kInTime) ++in_calm_in_time_;
}

void LedgerTown::over(Client& client, const Payment& payment, NodeHost& host) {
    ++told_over_;
    checkers_.on_told_over(resident(host).host, payment.id);
    forget(client, payment.id);
}

void LedgerTown::forget(Client& client, const Hash& transaction) {
    paid_by_.erase(transaction);
    std::erase_if(client.pending, [&](const Payment& each) { return each.id == transaction; });
}

}  // namespace leither::sim
