// The DHT's machine alone: what answering costs. Sockets are not in it.
#include <cstdlib>

#include <benchmark/benchmark.h>

#include "leither/base/prng.h"
#include "leither/crypto/sign.h"
#include "leither/dht/dht_node.h"

#include "measure.h"
#include "support/dht_network.h"

namespace leither::bench {
namespace {

using namespace dht;
using testing::DhtNetwork;

// Fails the benchmark's run: a figure of something that does not work is none.
void demand(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "dht_bench: %s\n", what);
    std::abort();
}

// A node that knows a community of 200, with limits that let a benchmark through.
class Busy {
 public:
    Busy() : network_({.seed = 1}) {
        Options open;
        open.rates = {.source_burst = 1'000'000,
                      .source_per_second = 1'000'000,
                      .total_burst = 1'000'000,
                      .total_per_second = 1'000'000};
        network_.add(open);
        while (network_.size() < 200) network_.add();
        network_.run_for(std::chrono::seconds(60));
        item_.value = value_of(Bytes(100, 7));
        network_.ask(0, Put{item_, std::nullopt});
    }

    Datagram query(Method method, Bytes& buffer) {
        Query query;
        query.method = method;
        query.transaction = Transaction::copy_of(as_bytes("abcd"));
        query.version = kPrivateNetworkTag;
        const auto& asker = network_.node(1 + prng_.below(199));
        query.sender = asker.id;
        query.target = method == Method::get ? target_of(item_) : asker.id;
        buffer = write(query);
        return {asker.endpoint, buffer};
    }
    DhtNode& node() { return network_.machine(0); }
    Instant now() const { return network_.now(); }

 private:
    Prng prng_{2};
    DhtNetwork network_;
    Item item_;
};

// One datagram in, one out: read, answered, written.
void dht_answer(benchmark::State& state) {
    crypto::initialise();
    Busy busy;
    const auto method = static_cast<Method>(state.range(0));
    std::vector<Bytes> buffers(256);
    std::vector<Datagram> queries;
    for (Bytes& buffer : buffers) queries.push_back(busy.query(method, buffer));
    Instant now = busy.now();
    std::size_t i = 0;
    std::size_t sent = 0;
    const double cpu = thread_cpu_seconds();
    for (auto _ : state) {
        now += Duration(2);
        sent += busy.node().step(queries[i++ % queries.size()], now).sends.size();
    }
    const double used = thread_cpu_seconds() - cpu;
    demand(sent >= static_cast<std::size_t>(state.iterations()), "a query was not answered");
    state.counters["answers_per_cpu_second"] = static_cast<double>(state.iterations()) / used;
    state.SetLabel(to_string(method));
}
BENCHMARK(dht_answer)
    ->Arg(static_cast<int>(Method::ping))
    ->Arg(static_cast<int>(Method::find_node))
    ->Arg(static_cast<int>(Method::get_peers))
    ->Arg(static_cast<int>(Method::get));

// What is dropped costs little: this is what a flood makes of us.
void dht_refuse_malformed(benchmark::State& state) {
    crypto::initialise();
    Busy busy;
    Prng prng(3);
    std::vector<Bytes> rubbish(256, Bytes(100));
    for (Bytes& bytes : rubbish) {
        prng.fill(bytes);
        bytes[0] = 'd';
    }
    Instant now = busy.now();
    std::size_t i = 0;
    const Endpoint from{IpAddress::v4({66, 6, 6, 6}), 666};
    const double cpu = thread_cpu_seconds();
    for (auto _ : state) {
        now += Duration(2);
        benchmark::DoNotOptimize(
            busy.node().step(Datagram{from, rubbish[i++ % rubbish.size()]}, now));
    }
    state.counters["datagrams_per_cpu_second"] =
        static_cast<double>(state.iterations()) / (thread_cpu_seconds() - cpu);
}
BENCHMARK(dht_refuse_malformed);

// Nodes in one process, each knowing what a node of a network of 200 knows, idle for ten minutes.

}  // namespace
}  // namespace leither::bench
