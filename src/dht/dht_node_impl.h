// What a DhtNode is made of. Split in two files: dht_node.cpp routes inputs and datagrams,
// dht_upkeep.cpp does what nobody asked for.
#pragma once

#include <deque>
#include <map>

#include "leither/dht/dht_node.h"
#include "leither/dht/rpc_manager.h"

#include "external_address.h"
#include "responder.h"
#include "schedule.h"
#include "tables.h"
#include "task.h"

namespace leither::dht {

bool serves(Families families, const IpAddress& address);

struct DhtNode::Impl {
    // Who wants to know what came of a task.
    struct Request {
        RequestId id;
    };
    struct SelfLookup {};
    struct Exploration {};
    struct Publication {
        Id target;
    };
    struct Copying {
        Id target;
    };
    using Owner = std::variant<Request, SelfLookup, Exploration, Publication, Copying>;
    struct Work {
        Task task;
        Owner owner;
    };
    struct Kept {
        std::variant<Put, Announce> what;
        Duration retry{0};  // grows while nobody takes a copy
        bool was_spared = false;
    };

    Impl(const Options& chosen, Entropy& source, const Log& sink, Instant now);

    // ---- Inputs
    void on(const Tick& tick, Instant now);
    void on(const Datagram& datagram, Instant now);
    void on(const Start& start, Instant now);
    void on(const Bootstrap& found, Instant now);
    void on(const RoleIs& input, Instant now);
    void on(const Ask& ask, Instant now);
    void on(const Cancel& cancel, Instant now);
    void on(const Keep& keep, Instant now);
    void on(const Forget& forget, Instant now);
    void on(const NetworkChanged& change, Instant now);

    // ---- Datagrams
    void handle(const Datagram& datagram, const Query& query, Instant now);
    void handle(const Datagram& datagram, Response& reply, Instant now);
    void handle(const Datagram& datagram, const ErrorReply& error, Instant now);
    void send(const Endpoint& to, Bytes bytes);
    void send_answer(const Endpoint& to, Responder::Answer&& answer);
    void send_query(const Contact& to, const Errand& errand, Query& query, Instant now);
    void ping(const Contact& to, Instant now);
    void learn(const Contact& contact, Instant now);
    void lose(const Contact& contact, Instant now);
    void doubt(const Contact& contact, Instant now);
    void dismiss(const Contact& contact, Instant now);
    void hear_of(const Contact& contact, Instant now);
    void ping_stranger(const Contact& contact, Instant now);
    void keep_believable(const Endpoint& teller, Response& reply, Instant now);
    void vote(const Endpoint& voter, const Response& reply, Instant now);
    void expire_queries(Instant now);
    void give_up(const RpcManager::Sent& sent, Instant now);
    void close_join(const Errand& errand);

    // ---- Tasks
    Task::Spec spec_of(const Ask& ask) const;
    void refuse(RequestId id, Failure failure);
    void start(const Task::Spec& spec, const Owner& owner, Instant now);
    void advance(std::uint32_t number, Instant now);
    void start_waiting(Instant now);
    void finish(Work& work, Instant now);
    void conclude(const Request& request, Work& work, Instant now);
    void conclude(const SelfLookup& lookup, Work& work, Instant now);
    void conclude(const Exploration& exploration, Work& work, Instant now);
    void conclude(const Publication& publication, Work& work, Instant now);
    void conclude(const Copying& copying, Work& work, Instant now);
    bool store_here(const Task& task, const Outcome& outcome, Instant now);
    std::size_t requests_at_work() const;
    std::size_t upkeep_at_work() const;

    // ---- Upkeep
    void work_until(Instant now);
    void join(Instant now);
    void settle(Instant now);
    void look_around(Instant now);
    void check_next(Instant now);
    void check_neighbour(Instant now);
    void publish_due(Instant now);
    void copy_due(Instant now);
    void watch(const Id& target, Instant now);
    void neighbourhood_changed(const Contact& contact, Instant now);
    Task::Spec spec_of(const Kept& kept) const;
    void adopt_address(Instant now);
    Instant after(Duration least, Duration most, Instant now);
    Id random_id();

    Options options;
    Log log;
    Wall wall;
    Prng prng;
    Tables tables;
    RpcManager rpc;
    Responder responder;
    ExternalAddress external_v4;
    ExternalAddress external_v6;
    Counters counters;
    Effects out;

    std::map<std::uint32_t, Work> tasks;
    std::uint32_t next_task = 1;
    std::deque<Ask> waiting;

    bool is_started = false;
    bool is_ready = false;
    std::vector<Endpoint> bootstrap;
    std::vector<Endpoint> bootstrap_found;
    std::vector<Contact> remembered;  // from earlier runs, or last seen before all went silent
    std::size_t joins_open = 0;
    std::uint32_t self_lookups = 0;  // at work
    std::uint32_t explorations_left = 0;
    Duration join_pause{0};
    Duration self_pause{0};
    std::optional<Instant> join_at;
    std::optional<Instant> self_at;
    std::optional<Instant> upkeep_at;
    std::optional<Instant> neighbour_at;
    Instant swept_at;       // the store
    Instant pings_counted;  // allowance for pings to nodes we only heard of
    std::uint32_t pings_left = 0;

    std::map<Id, Kept> kept;
    Schedule kept_due;
    Schedule copies_due;
};

}  // namespace leither::dht
