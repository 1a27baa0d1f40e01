#include "app/replay/history.h"

#include <cstring>
#include <unordered_map>

#include <fmt/format.h>

#include "app/csv.h"

namespace leither::app {

namespace {

// Account ids are hashes, so their first bytes serve as one.
struct IdHash {
    std::size_t operator()(const Id& id) const {
        std::size_t out = 0;
        std::memcpy(&out, id.data(), sizeof(out));
        return out;
    }
};

class HistoryLoader {
 public:
    explicit HistoryLoader(const HistorySource& source) : source_(source) {}

    History load() {
        read_balances();
        read_transfers();
        read_expected();
        return std::move(history_);
    }

 private:
    std::string path(const std::filesystem::path& name) const {
        return (source_.directory / name).string();
    }

    void read_balances() {
        CsvReader rows(path(source_.balances), "account_hex20,balance_uint64");
        while (rows.next()) {
            const Id id = rows.id(0);
            const auto index = static_cast<AccountIndex>(history_.accounts.size());
            if (!indexes_.try_emplace(id, index).second) {
                rows.refuse(fmt::format("account {} is listed twice", id.hex()));
            }
            history_.accounts.push_back(id);
            history_.balances.push_back(rows.amount(1));
            const auto total = history_.total.plus(history_.balances.back());
            if (!total)
                rows.refuse(fmt::format("the balances add up to more than {}", Amount::kMax));
            history_.total = *total;
        }
    }

    AccountIndex account(const CsvReader& rows, std::size_t column) const {
        const Id id = rows.id(column);
        const auto found = indexes_.find(id);
        if (found == indexes_.end()) {
            rows.refuse(
                fmt::format("account {} is not listed in {}", id.hex(), source_.balances.string()));
        }
        return found->second;
    }

    void read_transfers() {
        if (!std::filesystem::exists(path("transfers.csv")))
            return;  // balances alone are a history
        CsvReader rows(path("transfers.csv"),
                       "time_or_block,tx_index,payer_hex20,payee_hex20,amount_uint64");
        while (history_.transfers.size() < source_.limit && rows.next()) {
            history_.transfers.push_back({account(rows, 2), account(rows, 3), rows.amount(4)});
        }
        complete_ = !rows.next();
    }

    void read_expected() {
        if (!complete_ || !std::filesystem::exists(path("expected.csv"))) return;
        CsvReader rows(path("expected.csv"), "account_hex20,balance_uint64");
        std::vector<std::optional<Amount>> found(history_.accounts.size());
        while (rows.next()) {
            auto& balance = found[account(rows, 0)];
            if (balance) rows.refuse("the account is listed twice");
            balance = rows.amount(1);
        }
        // An account left out is expected to have nothing.
        history_.expected.emplace();
        for (const auto& balance : found) history_.expected->push_back(balance.value_or(Amount()));
    }

    const HistorySource& source_;
    History history_;
    std::unordered_map<Id, AccountIndex, IdHash> indexes_;
    bool complete_ = true;
};

std::optional<protocol::Refusal> refusal_of(const HistoryTransfer& transfer,
                                            const std::vector<Amount>& balances) {
    using protocol::Refusal;
    if (transfer.amount.is_zero()) return Refusal::zero_amount;
    if (transfer.payer == transfer.payee) return Refusal::self_payment;
    if (balances[transfer.payer] < transfer.amount) return Refusal::insufficient_balance;
    return std::nullopt;
}

}  // namespace

History load_history(const HistorySource& source) {
    return HistoryLoader(source).load();
}

std::vector<bool> barriers(const History& history, const Forecast& forecast) {
    std::vector<bool> out(history.transfers.size());
    std::vector<Amount> counted_on = history.balances;
    std::vector<Amount> balances = history.balances;
    bool refused_before = false;
    for (std::size_t i = 0; i < history.transfers.size(); ++i) {
        const auto& [payer, payee, amount] = history.transfers[i];
        // What must be refused for want of credit stands alone: credit that comes later might be
        // there earlier.
        const bool refused = forecast.refusals[i] == protocol::Refusal::insufficient_balance;
        if (refused || refused_before || counted_on[payer] < amount) {
            out[i] = true;
            counted_on = balances;
        }
        refused_before = refused;
        if (forecast.refusals[i]) continue;
        counted_on[payer] = *counted_on[payer].minus(amount);
        balances[payer] = *balances[payer].minus(amount);
        balances[payee] = *balances[payee].plus(amount);
    }
    return out;
}

Forecast forecast(const History& history) {
    Forecast out;
    out.balances = history.balances;
    out.refusals.reserve(history.transfers.size());
    for (const HistoryTransfer& transfer : history.transfers) {
        out.refusals.push_back(refusal_of(transfer, out.balances));
        if (out.refusals.back()) continue;
        Amount& payer = out.balances[transfer.payer];
        Amount& payee = out.balances[transfer.payee];
        payer = *payer.minus(transfer.amount);
        payee = *payee.plus(transfer.amount);  // no more than the total, which fits
    }
    return out;
}

}  // namespace leither::app
