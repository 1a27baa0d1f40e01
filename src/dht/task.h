// One thing to get done: a lookup in each family, then what is stored at the nodes they found.
// Decides whom to ask what; the node gives each query its transaction and sends it.
#pragma once

#include <optional>
#include <vector>

#include "leither/dht/dht_node.h"
#include "leither/dht/rpc_manager.h"

#include "tables.h"

namespace leither::dht {

class Task {
 public:
    enum class Kind : std::uint8_t { find, peers, get, announce, put, copy };
    // Whether what k nodes hold already is stored again.
    enum class Thrift : std::uint8_t { store_always, spare_if_held };

    struct Spec {
        Kind kind = Kind::find;
        Id target;
        std::optional<Lookup::Author> author;  // get of a mutable item
        std::optional<Item> item;              // put, copy
        std::optional<std::int64_t> cas;
        std::uint16_t port = 0;  // announce
        Duration age{0};         // copy
        Thrift thrift = Thrift::store_always;
    };

    Task(const Spec& spec, const Options& options, const Tables& tables);

    // ---- What this node itself has to say
    void offer_own(const Item& item);
    void offer_own(const std::vector<Endpoint>& peers);

    // ---- Asking
    // Sender, version and transaction of the query are the node's to fill in.
    struct Send {
        Contact to;
        Errand::Kind kind = Errand::Kind::look;
        Query query;
    };
    // Ask again after every event until it is done.
    std::vector<Send> next();
    void answered(const RpcManager::Sent& sent, const Response& reply);
    void refused(const RpcManager::Sent& sent, std::int32_t code);
    void late(const RpcManager::Sent& sent);
    void failed(const RpcManager::Sent& sent);
    bool done() const { return phase_ == Phase::done; }

    // ---- What came of it. REQUIRES: done.
    Outcome outcome() const;
    // Whether a node of this id is one of the k closest to the target.
    bool would_hold(const Id& own_id) const;
    bool was_spared() const { return was_spared_; }
    const Spec& spec() const { return spec_; }
    void check_invariants() const;

 private:
    enum class Phase : std::uint8_t { looking, storing, done };
    enum class StoreState : std::uint8_t {
        waiting,
        sent,
        overdue,
        sent_again,
        stored,
        refused,
        given_up,
    };
    struct Store {
        Contact at;
        Token token;
        std::optional<std::int64_t> cas;
        StoreState state = StoreState::waiting;
    };

    bool stores() const;
    void add_looks(std::vector<Send>& out);
    void begin_storing();
    void add_stores(std::vector<Send>& out);
    Query look_query(const Lookup::Probe& probe) const;
    Query store_query(const Store& store) const;
    Lookup& lookup_of(const Contact& contact);
    Store* store_at(const Endpoint& endpoint);
    std::optional<Item> best_item() const;
    std::uint32_t holders_of(const Item& item) const;
    std::optional<Failure> failure_of_store(const Outcome& outcome) const;
    std::optional<Failure> failure_of(const Outcome& outcome) const;

    Spec spec_;
    std::size_t k_;
    Want want_;
    Phase phase_ = Phase::looking;
    std::vector<Family> families_;
    std::vector<Lookup> lookups_;  // one for each of families_
    std::vector<Store> stores_;
    std::optional<Item> own_item_;
    std::vector<Endpoint> own_peers_;
    std::optional<std::int32_t> refusal_;
    std::uint32_t store_queries_ = 0;
    bool was_spared_ = false;
};

}  // namespace leither::dht
