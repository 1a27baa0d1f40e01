// One organization's place in the daemon: a data directory, what lies in it, sockets, and a node at
// work, with its part of the API and of the wallet. All calls on the reactor's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "leither/io/event_loop.h"
#include "leither/io/local_api.h"
#include "leither/io/network_host.h"
#include "leither/io/os_entropy.h"
#include "leither/rpc/places.h"

#include "app/place_files.h"
#include "app/place_plan.h"
#include "app/wallet_service.h"

namespace leither::app {

// What the places of a daemon share.
struct Machine {
    io::OsEntropy entropy;
    io::WallClock clock;
    io::Reactor reactor;
    std::shared_ptr<io::VerifyPool> verify;
    std::shared_ptr<io::TrafficMeter> line;  // null: no network
};

struct PlaceOptions {
    std::string name;  // empty: the first, whose directory the daemon holds locked
    DataDir dir;
    Config config;  // its share
};

class Place {
 public:
    // Opens what is in the directory, makes what is not, and binds its ports. Throws DaemonFailure.
    // `machine` outlives the place.
    Place(PlaceOptions options, Machine& machine, const Log& log);
    ~Place();

    struct Surroundings {
        io::LocalApi& api;
        SharedWallet* wallet = nullptr;  // null: the daemon holds none
        std::function<void()> stop_all;  // what node.stop asks
    };
    // The node goes to work. `ended` is told once of its end; the place is not to be destroyed from
    // within. All outlive the place.
    void serve(const Surroundings& surroundings, io::EventLoop::Ended ended);
    // Begins to end: what is being written becomes durable first.
    void finish();

    // What is known of its organization and ports.
    rpc::PlaceStatus status() const;
    // Who counts on this node; nothing if nobody does.
    std::optional<std::string> why_needed() const;
    const PublicKey& node_key() const { return node_->node_key(); }

 private:
    // The node's place in the network: its store and its sockets.
    struct Network {
        std::unique_ptr<store::Store> store;
        std::unique_ptr<io::NetworkHost> host;
    };

    std::unique_ptr<io::NetworkHost> open_sockets(store::Store& store);
    std::unique_ptr<io::NetworkHost> try_ports(store::Store& store,
                                               const io::NetworkHostOptions& options);
    std::unique_ptr<io::NetworkHost> listen_first(store::Store& store);
    std::unique_ptr<io::NetworkHost> listen_beside(store::Store& store);
    void open_node(const crypto::KeyPair& key);

    PlaceOptions options_;
    Machine& machine_;
    Log log_;
    std::optional<io::DataDirLock> lock_;
    std::unique_ptr<store::Store> store_;
    std::optional<Network> network_;
    std::string listening_fault_;  // of the last try
    std::optional<node::Node> node_;
    std::optional<io::EventLoop> loop_;
    std::optional<io::PlaceApi> api_;
    std::optional<WalletService> wallet_;
};

}  // namespace leither::app
