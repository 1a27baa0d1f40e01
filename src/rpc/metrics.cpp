#include "leither/rpc/metrics.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

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

// Values of a label, each with its figure.
template <class T>
using Series = std::initializer_list<std::pair<std::string_view, T>>;
using Sizes = Series<std::size_t>;
using Counts = Series<std::uint64_t>;

// The samples of a metric stand together, whichever node they are of.
class Exposition {
 public:
    // Of that place are the samples from now on.
    void begin_place(const std::string& name) { place_ = name; }
    void describe(std::string_view name, std::string_view type, std::string_view help) {
        const auto [at, is_new] = families_.try_emplace(std::string(name), texts_.size());
        if (is_new) {
            texts_.push_back(fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type));
        }
        family_ = at->second;
    }
    // Of the metric that was described last. `labels`: "a=\"1\",b=\"2\"", or empty.
    template <class T>
    void sample(std::string_view name, const T& value, std::string labels = {}) {
        if (!place_.empty()) {
            labels = fmt::format("org=\"{}\"{}{}", place_, labels.empty() ? "" : ",", labels);
        }
        if (!labels.empty()) labels = "{" + labels + "}";
        texts_[family_] += fmt::format("{}{} {}\n", name, labels, value);
    }
    // One series for each value of a label.
    template <class T>
    void labelled(std::string_view name, std::string_view label, Series<T> series) {
        for (const auto& [value, count] : series) {
            sample(name, count, fmt::format("{}=\"{}\"", label, value));
        }
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
            sample(fmt::format("{}_bucket", name), histogram.cumulative(i),
                   fmt::format("le=\"{}\"", Histogram::kBoundsSeconds[i]));
        }
        sample(fmt::format("{}_bucket", name), histogram.count(), "le=\"+Inf\"");
        sample(fmt::format("{}_sum", name), histogram.sum_seconds());
        sample(fmt::format("{}_count", name), histogram.count());
    }
    std::string take() const {
        std::string out;
        for (const std::string& text : texts_) out += text;
        return out;
    }

 private:
    std::map<std::string, std::size_t> families_;  // where in `texts_`
    std::vector<std::string> texts_;
    std::size_t family_ = 0;
    std::string place_;
};

double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

void expose_ledger(Exposition& out, const node::LedgerStatus& status, Pulse pulse,
                   const node::Finality& of_head) {
    out.gauge("leither_sequence", "Newest sealed sequence.", status.head.sequence.value());
    out.gauge("leither_sequence_pulse", "Pulse of the newest sealed sequence.",
              status.head.pulse.value());
    out.gauge("leither_oldest_sequence", "Oldest sequence that can be read.",
              status.oldest.value());
    out.gauge("leither_pulse", "Pulse now.", pulse.value());
    out.gauge("leither_final_sequence", "This block and all before it are final.",
              status.final_sequence.value());
    out.describe("leither_countersigning_nodes", "gauge",
                 "Members' nodes by what they make of the newest block; any that dissents needs "
                 "the operator. All 0 where four seats or more decide.");
    out.labelled("leither_countersigning_nodes", "state",
                 Sizes{{"online", of_head.online},
                       {"countersigned", of_head.countersigned},
                       {"needed", of_head.needed},
                       {"dissenting", of_head.dissenting}});
    out.describe("leither_evidence_records", "gauge",
                 "Recorded against bookkeepers by kind; any fork needs the operator.");
    out.labelled(
        "leither_evidence_records", "kind",
        Sizes{{"conflict", status.evidence.conflicts}, {"fork", status.evidence.forks.size()}});
    if (const auto& newest = status.checkpoint.newest) {
        const std::uint64_t pulses = pulse.value() - std::min(pulse.value(), newest->pulse.value());
        out.gauge("leither_checkpoint_sequence", "Sequence of the newest checkpoint.",
                  newest->block.sequence.value());
        out.gauge("leither_checkpoint_age_pulses", "Pulses since the newest checkpoint.", pulses);
    }
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

void expose_dht(Exposition& out, const dht::Status& status) {
    const dht::Counters& counted = status.counters;
    out.describe("leither_dht_nodes", "gauge", "Nodes in the routing table by address family.");
    out.labelled("leither_dht_nodes", "family",
                 Sizes{{"v4", status.nodes_v4}, {"v6", status.nodes_v6}});
    out.gauge("leither_dht_items", "Items held for others and ourselves.", status.items);
    out.gauge("leither_dht_item_bytes", "Their size as it counts against the limit.",
              status.item_bytes);
    out.gauge("leither_dht_peers", "Announced peers held for others.", status.peers);
    out.gauge("leither_dht_lookups", "Lookups at work.", status.lookups);
    out.counter("leither_dht_lookups_total", "Lookups begun, for callers and for upkeep.",
                counted.lookups_begun);
    out.describe("leither_dht_datagrams_total", "counter", "Datagrams by direction.");
    out.labelled("leither_dht_datagrams_total", "direction",
                 Counts{{"in", counted.datagrams_received}, {"out", counted.datagrams_sent}});
    out.describe("leither_dht_bytes_total", "counter", "Their bytes, without UDP and IP headers.");
    out.labelled("leither_dht_bytes_total", "direction",
                 Counts{{"in", counted.bytes_received}, {"out", counted.bytes_sent}});
    out.describe("leither_dht_dropped_total", "counter", "Datagrams not read, by reason.");
    out.labelled("leither_dht_dropped_total", "reason",
                 Counts{{"malformed", counted.malformed},
                        {"limited", counted.limited},
                        {"walled", counted.walled},
                        {"unexpected", counted.unexpected}});
    out.describe("leither_dht_queries_total", "counter", "Queries of ours by what came of them.");
    out.labelled(
        "leither_dht_queries_total", "outcome",
        Counts{{"answered", counted.queries_answered}, {"failed", counted.queries_failed}});
}

void expose_connections(Exposition& out, const peer::HubStatus& status) {
    const peer::HubTotals& totals = status.totals;
    out.describe("leither_peer_connections", "gauge", "Authenticated connections by direction.");
    out.labelled(
        "leither_peer_connections", "direction",
        Sizes{{"inbound", status.established - status.outbound}, {"outbound", status.outbound}});
    out.gauge("leither_peer_addresses", "Addresses of nodes known.", status.addresses);
    out.gauge("leither_peer_bans", "Nodes banned now.", status.bans);
    out.describe("leither_peer_bytes_total", "counter", "Bytes on connections by direction.");
    out.labelled("leither_peer_bytes_total", "direction",
                 Counts{{"in", totals.bytes_in}, {"out", totals.bytes_out}});
    out.describe("leither_peer_messages_total", "counter", "Messages on connections by direction.");
    out.labelled("leither_peer_messages_total", "direction",
                 Counts{{"in", totals.messages_in}, {"out", totals.messages_out}});
    out.counter("leither_peer_dials_failed_total", "Dials that nobody answered.",
                totals.dials_failed);
    out.counter("leither_peer_handshakes_failed_total",
                "Connections that ended before both sides were authenticated.",
                totals.handshakes_failed);
    out.counter("leither_peer_crowded_out_total",
                "Half-open connections that gave way to newer ones.", status.crowded_out);
}

void expose_line(Exposition& out, const LineStats& line) {
    out.describe("leither_traffic_month_bytes", "gauge",
                 "Bytes over the line this calendar month (UTC) by direction.");
    out.labelled("leither_traffic_month_bytes", "direction",
                 Counts{{"up", line.used.up_bytes}, {"down", line.used.down_bytes}});
    out.gauge("leither_traffic_month_max_bytes",
              "What network.month_max allows, both ways together; 0 is no limit.",
              line.caps.month_bytes_max);
    out.describe("leither_traffic_max_bytes_per_second", "gauge",
                 "What network.upload_max and network.download_max allow; 0 is no limit.");
    out.labelled(
        "leither_traffic_max_bytes_per_second", "direction",
        Counts{{"up", line.caps.up_bytes_per_second}, {"down", line.caps.down_bytes_per_second}});
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

namespace {

void expose_counted(Exposition& out, const Metrics& metrics) {
    out.counter("leither_blocks_sealed_total", "Blocks sealed since the start.", metrics.blocks());
    out.histogram("leither_seal_seconds", "From handing a batch to the disk to its being durable.",
                  metrics.seals());
    for (const auto& [verdict, count] : metrics.transactions()) {
        out.describe("leither_transactions_total", "counter", "Transactions by verdict.");
        out.sample("leither_transactions_total", count,
                   fmt::format("verdict=\"{}\"", escaped_label(verdict)));
    }
    for (const auto& [key, count] : metrics.calls()) {
        out.describe("leither_rpc_calls_total", "counter", "Calls by method and outcome.");
        out.sample("leither_rpc_calls_total", count,
                   fmt::format("method=\"{}\",outcome=\"{}\"", escaped_label(key.first),
                               to_string(key.second)));
    }
}

void expose_node(Exposition& out, const Metered& node) {
    out.begin_place(node.name);
    const auto queries = node.host->queries();
    const Instant now = node.host->now();
    const auto of_head = queries.finality(std::nullopt, now);
    if (const auto status = queries.status(); status && of_head) {
        expose_ledger(out, *status, queries.pulse(now), *of_head);
    }
    expose_counted(out, *node.metrics);
    if (const auto network = queries.network(now)) {
        expose_dht(out, network->dht);
        expose_connections(out, network->hub);
    }
}

void expose_places(Exposition& out, const std::vector<PlaceStatus>& places) {
    out.describe("leither_organizations", "gauge",
                 "Organizations of this daemon by state; any that has failed needs the operator.");
    for (const PlaceState state :
         {PlaceState::serving, PlaceState::closing, PlaceState::closed, PlaceState::failed}) {
        const auto count = std::count_if(places.begin(), places.end(),
                                         [&](const auto& one) { return one.state == state; });
        out.sample("leither_organizations", count, fmt::format("state=\"{}\"", to_string(state)));
    }
}

}  // namespace

std::string exposition(const std::vector<Metered>& nodes, const ProcessStats& process,
                       const std::vector<PlaceStatus>& places) {
    Exposition out;
    for (const Metered& node : nodes) expose_node(out, node);
    out.begin_place("");
    if (!places.empty()) expose_places(out, places);
    if (process.line) expose_line(out, *process.line);
    expose_process(out, process);
    return out.take();
}

}  // namespace leither::rpc
