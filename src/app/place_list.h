// The organizations of one daemon: the first in the data directory itself, further ones below
// DATA-DIR/organizations/NAME. One that fails does not take the others down; when none is left, the
// daemon ends as it would with one. All calls on the reactor's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "leither/rpc/places.h"

#include "app/place.h"
#include "app/place_log.h"

namespace leither::app {

class PlaceList final : public rpc::Places {
 public:
    struct Around {
        Machine& machine;
        io::LocalApi& api;
        SharedWallet* wallet = nullptr;  // null: the daemon holds none
        LogSink& sink;
        std::function<void()> stop_all;
    };
    // `config` is of the whole process. All outlive the list.
    PlaceList(const Config& config, DataDir root, Around around);

    // Opens the first place and those below `organizations` that are not marked closed. Throws the
    // first one's DaemonFailure if none can be opened.
    void open_all();
    // All go to work. `ended` is told once, when none works any more.
    void serve_all(std::function<void()> ended);
    // All begin to end.
    void finish_all();
    // Once all have ended: what the daemon says and ends with; nothing if one has ended as asked.
    std::optional<DaemonFailure> failure() const;
    // Of the first place, else of any that is served.
    std::optional<PublicKey> node_key() const;

    std::vector<rpc::PlaceStatus> list() const override;
    Result<void, rpc::PlaceFailure> open(std::string_view name) override;
    Result<void, rpc::PlaceFailure> close(std::string_view name, rpc::Closing closing) override;

 private:
    struct Entry {
        Entry(LogSink& its_sink, const std::string& name)
            : sink(its_sink, name), log(&sink, "node") {}

        PlaceLog sink;  // a router's thread may log after its place is gone
        Log log;
        rpc::PlaceState state = rpc::PlaceState::closed;
        std::optional<DaemonFailure> failure;  // of one that has failed
        std::unique_ptr<Place> place;          // while it is served, and while it is closing
    };

    DataDir dir_of(const std::string& name) const;
    Entry& entry(const std::string& name);
    void find_directories();
    bool try_open(const std::string& name, const Config& share);
    void serve(const std::string& name);
    void on_ended(const std::string& name, const std::optional<store::Fault>& fault);
    void fail(Entry& entry, const DaemonFailure& failure);
    std::size_t count_taking_room() const;
    bool is_any_at_work() const;

    const Config& config_;
    DataDir root_;
    Around around_;
    std::map<std::string, std::unique_ptr<Entry>> entries_;  // the first place's name is empty
    std::function<void()> ended_;
    bool finishing_ = false;
    bool finished_well_ = false;  // one has ended as asked, together with the daemon
};

}  // namespace leither::app
