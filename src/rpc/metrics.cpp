#include "leither/rpc/metrics.h"

#include <fmt/format.h>

#include "leither/base/check.h"

namespace leither::rpc {
namespace {

// Label values may hold anything; these three characters are escaped.
std::string escaped_label(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
    return out;
}

class Exposition {
 public:
    void describe(std::string_view name, std::string_view type, std::string_view help) {
        out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
    }
    template <class T>
    void sample(std::string_view name, const T& value) {
        out_ += fmt::format("{} {}\n", name, value);
    }
    template <class T>
    void gauge(std::string_view name, std::string_view help, const T& value) {
        describe(name, "gauge", help);
        sample(name, value);
    }
    template <class T>
    void counter(std::string_view name, std::string_view help, const T& value) {
        describe(name, "counter", help);
        sample(name, value);
    }
    void histogram(std::string_view name, std::string_view help, const Histogram& histogram) {
        describe(name, "histogram", help);
        for (std::size_t i = 0; i < Histogram::kBoundsSeconds.size(); ++i) {
            sample(fmt::format("{}_bucket{{le=\"{}\"}}", name, Histogram::kBoundsSeconds[i]),
                   histogram.cumulative(i));
        }
        sample(fmt::format("{}_bucket{{le=\"+Inf\"}}", name), histogram.count());
        sample(fmt::format("{}_sum", name), histogram.sum_seconds());
        sample(fmt::format("{}_count", name), histogram.count());
    }
    std::string take() { return std::move(out_); }

 private:
    std::string out_;
};

double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

void expose_ledger(Exposition& out, const node::LedgerStatus& status, Pulse pulse) {
    out.gauge("leither_sequence", "Newest sealed sequence.", status.head.sequence.value());
    out.gauge("leither_sequence_pulse", "Pulse of the newest sealed sequence.",
              status.head.pulse.value());
    out.gauge("leither_oldest_sequence", "Oldest sequence that can be read.",
              status.oldest.value());
    out.gauge("leither_pulse", "Pulse now.", pulse.value());
    out.gauge("leither_members", "Members of the organization.", status.bookkeeping.members);
    out.gauge("leither_mempool_transactions", "Transactions waiting for a block.",
              status.mempool_transactions);
    out.gauge("leither_mempool_bytes", "Their encoded size.", status.mempool_bytes);
    out.gauge("leither_tree_cached_nodes", "Inner tree nodes held in memory.",
              status.tree.cached_nodes);
    out.gauge("leither_tree_cached_bytes", "Bytes of inner tree nodes held in memory.",
              status.tree.cached_bytes);
    out.counter("leither_tree_page_reads_total", "Pages of the tree read from the store.",
                status.tree.page_reads);
}

void expose_process(Exposition& out, const ProcessStats& stats) {
    out.gauge("process_resident_memory_bytes", "Resident memory.", stats.resident_bytes);
    out.counter("process_cpu_seconds_total", "CPU time, user and system.", seconds(stats.cpu));
    out.gauge("leither_uptime_seconds", "Time since the start.", seconds(stats.uptime));
}

}  // namespace

const char* to_string(CallOutcome outcome) {
    switch (outcome) {
        case CallOutcome::ok: return "ok";
        case CallOutcome::refused: return "refused";
        case CallOutcome::invalid: return "invalid";
        case CallOutcome::failed: return "failed";
    }
    UNREACHABLE();
}

void Histogram::observe(Duration duration) {
    ++count_;
    sum_seconds_ += seconds(duration);
    for (std::size_t i = 0; i < kBoundsSeconds.size(); ++i) {
        if (seconds(duration) > kBoundsSeconds[i]) continue;
        ++buckets_[i];
        return;
    }
}

std::uint64_t Histogram::cumulative(std::size_t i) const {
    std::uint64_t total = 0;
    for (std::size_t j = 0; j <= i; ++j) total += buckets_[j];
    return total;
}

void Metrics::count_call(std::string_view method, CallOutcome outcome) {
    ++calls_[{std::string(method), outcome}];
}

void Metrics::count_transactions(std::string_view verdict, std::uint64_t count) {
    transactions_[std::string(verdict)] += count;
}

std::string Metrics::text(const Host& host) const {
    Exposition out;
    const auto queries = host.queries();
    if (const auto status = queries.status()) {
        expose_ledger(out, *status, queries.pulse(host.now()));
    }
    out.counter("leither_blocks_sealed_total", "Blocks sealed since the start.", blocks_);
    out.histogram("leither_seal_seconds", "From handing a batch to the disk to its being durable.",
                  seals_);
    if (!transactions_.empty()) {
        out.describe("leither_transactions_total", "counter", "Transactions by verdict.");
    }
    for (const auto& [verdict, count] : transactions_) {
        out.sample(
            fmt::format("leither_transactions_total{{verdict=\"{}\"}}", escaped_label(verdict)),
            count);
    }
    if (!calls_.empty()) {
        out.describe("leither_rpc_calls_total", "counter", "Calls by method and outcome.");
    }
    for (const auto& [key, count] : calls_) {
        out.sample(fmt::format("leither_rpc_calls_total{{method=\"{}\",outcome=\"{}\"}}",
                               escaped_label(key.first), to_string(key.second)),
                   count);
    }
    expose_process(out, host.process_stats());
    return out.take();
}

}  // namespace leither::rpc
