// leither-dht-node: our DHT nodes for tests and figures (tests/interop/README.md). Says
// {"event":"ready","nodes":[...]}, then answers JSON lines {"id","do",...} with {"id","ok",...}
// until its input ends.

#include <chrono>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "leither/base/bytes.h"
#include "leither/crypto/sign.h"

#include "dht_world.h"
#include "udp_echo.h"

namespace leither::interop {

namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

// More than any machine here answers.
constexpr std::uint32_t kRateLifted = 1'000'000;

struct CommandLine {
    std::vector<std::string> listen;
    std::vector<std::string> bootstrap;
    std::string admit = "any";
    std::string local = "exempt";
    std::string rates = "kept";
    std::uint32_t loss_permille = 0;
    std::uint64_t seed = 1;
    std::string echo;
};

// ---- Reading

Endpoint endpoint_of(const std::string& text) {
    const auto endpoint = Endpoint::parse(text);
    if (!endpoint) throw std::invalid_argument("no endpoint: " + text);
    return *endpoint;
}

std::vector<Endpoint> endpoints_of(const std::vector<std::string>& texts) {
    std::vector<Endpoint> out;
    for (const auto& text : texts) out.push_back(endpoint_of(text));
    return out;
}

Bytes bytes_field(const Json& request, const char* name) {
    const auto bytes = from_hex(request.at(name).get<std::string>());
    if (!bytes) throw std::invalid_argument(std::string("no hex: ") + name);
    return *bytes;
}

template <class T>
T fixed_field(const Json& request, const char* name) {
    const auto value = T::from(bytes_field(request, name));
    if (!value) throw std::invalid_argument(std::string("wrong length: ") + name);
    return *value;
}

dht::ItemSalt salt_field(const Json& request) {
    return dht::ItemSalt::from(bytes_field(request, "salt")).value();
}

World::Options options_of(const CommandLine& line) {
    static const std::map<std::string, dht::Admission> kAdmissions = {
        {"tagged", dht::Admission::tagged},
        {"guests", dht::Admission::guests},
        {"any", dht::Admission::any},
    };
    World::Options options;
    options.listen = endpoints_of(line.listen);
    options.bootstrap = endpoints_of(line.bootstrap);
    options.node.wall.admission = kAdmissions.at(line.admit);
    options.node.local =
        line.local == "exempt" ? dht::LocalSources::exempt : dht::LocalSources::limited;
    options.node.rates.local = options.node.proofs.local = options.node.local;
    if (line.rates == "lifted") {
        options.node.rates.total_burst = options.node.rates.total_per_second = kRateLifted;
    }
    options.loss_permille = line.loss_permille;
    options.seed = line.seed;
    return options;
}

dht::Item mutable_item(const Json& request) {
    crypto::KeyPair::Seed seed{};
    if (!from_hex(request.at("seed").get<std::string>(), seed)) {
        throw std::invalid_argument("no seed of 32 bytes");
    }
    const auto key = crypto::KeyPair::from_seed(seed);
    return dht::sign_item(key, salt_field(request), request.at("seq"),
                          bytes_field(request, "value"));
}

// What a request asks of the DHT; nothing if it is for the host.
std::optional<dht::Request> dht_request(const std::string& what, const Json& request) {
    if (what == "put_value") {
        return dht::Put{dht::Item{bytes_field(request, "value"), std::nullopt}, std::nullopt};
    }
    if (what == "put_mutable") return dht::Put{mutable_item(request), std::nullopt};
    if (what == "get_value") return dht::GetImmutable{fixed_field<Id>(request, "target")};
    if (what == "get_mutable") {
        return dht::GetMutable{fixed_field<PublicKey>(request, "key"), salt_field(request)};
    }
    if (what == "announce") {
        return dht::Announce{fixed_field<Id>(request, "info_hash"), request.at("port")};
    }
    if (what == "peers") return dht::GetPeers{fixed_field<Id>(request, "info_hash")};
    if (what == "find_node") return dht::FindNode{fixed_field<Id>(request, "target")};
    return std::nullopt;
}

// ---- Answering

void say(const Json& message) {
    std::cout << message.dump() << '\n' << std::flush;
}

Json names_of(const std::vector<dht::Contact>& contacts) {
    Json names = Json::array();
    for (const auto& contact : contacts) names.push_back(contact.endpoint.text());
    return names;
}

Json answer_of(const dht::Outcome& outcome) {
    Json answer = {{"ok", !outcome.failure},     {"holders", outcome.holders},
                   {"copies", outcome.copies},   {"stored_here", outcome.stored_here},
                   {"queries", outcome.queries}, {"answers", outcome.answers},
                   {"hops", outcome.hops},       {"nodes", names_of(outcome.nodes)},
                   {"peers", Json::array()}};
    if (outcome.failure) answer["failure"] = to_string(*outcome.failure);
    if (outcome.refusal) answer["refusal"] = *outcome.refusal;
    for (const auto& peer : outcome.peers) answer["peers"].push_back(peer.text());
    if (outcome.item) {
        answer["value"] = to_hex(outcome.item->value);
        answer["target"] = dht::target_of(*outcome.item).hex();
        if (outcome.item->author) answer["seq"] = outcome.item->author->sequence;
    }
    return answer;
}

class Harness {
 public:
    Harness(io::Reactor& reactor, const CommandLine& line)
        : world_(reactor, options_of(line),
                 [this](World::NodeIndex, const dht::Done& done) { finish(done); }) {}

    void say_ready() const;
    void serve(const std::string& line);

 private:
    struct Open {
        Json id;
        Clock::time_point begun;
    };

    void serve(const Json& request, World::NodeIndex node);
    Json serve_by_host(const std::string& what, const Json& request, World::NodeIndex node);
    Json counters() const;
    void finish(const dht::Done& done);

    std::uint64_t next_id_ = 1;
    std::map<dht::RequestId, Open> open_;
    World world_;
};

void Harness::say_ready() const {
    Json nodes = Json::array();
    for (World::NodeIndex index = 0; index < world_.size(); ++index) {
        nodes.push_back({{"listen", world_.endpoint(index).text()},
                         {"id", world_.node(index).status().id_v4.hex()}});
    }
    say({{"event", "ready"}, {"nodes", nodes}});
}

void Harness::serve(const std::string& line) {
    const Json request = Json::parse(line);
    try {
        serve(request, request.value("node", World::NodeIndex{0}));
    } catch (const std::exception& error) {
        say({{"id", request.at("id")}, {"ok", false}, {"error", error.what()}});
    }
}

void Harness::serve(const Json& request, World::NodeIndex node) {
    const std::string what = request.at("do");
    auto asked = dht_request(what, request);
    if (!asked) {
        Json answer = serve_by_host(what, request, node);
        answer["id"] = request.at("id");
        answer["ok"] = true;
        say(answer);
        return;
    }
    const dht::RequestId id{next_id_++};
    open_[id] = {request.at("id"), Clock::now()};
    world_.ask(node, {id, std::move(*asked)});
}

Json Harness::serve_by_host(const std::string& what, const Json& request, World::NodeIndex node) {
    if (what == "contacts") return {{"contacts", names_of(world_.node(node).good_nodes(10'000))}};
    if (what == "silence") {
        for (const auto& each : request.at("nodes")) world_.silence(each);
        return Json::object();
    }
    if (what == "advance") {
        world_.advance(std::chrono::seconds(request.at("seconds").get<std::int64_t>()));
        return Json::object();
    }
    if (what == "ready") {
        std::size_t ready = 0;
        for (World::NodeIndex each = 0; each < world_.size(); ++each) {
            ready += world_.node(each).status().ready;
        }
        return {{"ready", ready}};
    }
    if (what == "counters") return counters();
    throw std::invalid_argument("unknown request: " + what);
}

Json Harness::counters() const {
    std::uint64_t queries = 0;
    std::uint64_t replies = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    for (World::NodeIndex index = 0; index < world_.size(); ++index) {
        const auto counters = world_.node(index).status().counters;
        queries += counters.queries_sent;
        replies += counters.replies_sent;
        bytes_sent += counters.bytes_sent;
        bytes_received += counters.bytes_received;
    }
    return {{"queries_sent", queries},
            {"replies_sent", replies},
            {"bytes_sent", bytes_sent},
            {"bytes_received", bytes_received}};
}

void Harness::finish(const dht::Done& done) {
    const auto open = open_.find(done.id);
    if (open == open_.end()) return;
    Json answer = answer_of(done.outcome);
    answer["id"] = open->second.id;
    answer["us"] =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - open->second.begun)
            .count();
    open_.erase(open);
    say(answer);
}

// Reads requests on a thread of its own until the input ends.
template <class Serve>
void run(io::Reactor& reactor, Serve serve) {
    std::thread reader([&] {
        for (std::string line; std::getline(std::cin, line);) {
            reactor.post([line, &serve] { serve(line); });
        }
        reactor.stop();
    });
    reactor.run();
    reader.join();
}

int run(const CommandLine& line) {
    io::Reactor reactor;
    if (!line.echo.empty()) {
        UdpEcho echo(reactor, endpoint_of(line.echo));
        say({{"event", "ready"},
             {"nodes", {{{"listen", echo.endpoint().text()}, {"id", std::string(40, '0')}}}}});
        run(reactor, [](const std::string&) {});
        return 0;
    }
    Harness harness(reactor, line);
    harness.say_ready();
    run(reactor, [&](const std::string& text) { harness.serve(text); });
    return 0;
}

}  // namespace

}  // namespace leither::interop

int main(int argc, char** argv) {
    leither::interop::CommandLine line;
    CLI::App app("Our DHT nodes, for tests");
    app.add_option("--listen", line.listen, "one node each");
    app.add_option("--bootstrap", line.bootstrap, "what all of them know");
    app.add_option("--admit", line.admit)->check(CLI::IsMember({"tagged", "guests", "any"}));
    app.add_option("--local", line.local)->check(CLI::IsMember({"limited", "exempt"}));
    app.add_option("--rates", line.rates, "of all sources together")
        ->check(CLI::IsMember({"kept", "lifted"}));
    app.add_option("--loss-permille", line.loss_permille)->check(CLI::Range(0, 1000));
    app.add_option("--seed", line.seed);
    app.add_option("--echo", line.echo, "be a bare UDP echo instead");
    CLI11_PARSE(app, argc, argv);
    leither::crypto::initialise();
    try {
        return leither::interop::run(line);
    } catch (const std::exception& error) {
        std::cerr << "leither-dht-node: " << error.what() << '\n';
        return 1;
    }
}
