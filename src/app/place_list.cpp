#include "app/place_list.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "leither/base/check.h"
#include "leither/io/data_dir.h"

namespace leither::app {

namespace {

namespace fs = std::filesystem;
using rpc::PlaceState;

rpc::PlaceFailure bad_name(std::string_view name) {
    return {"bad_name", fmt::format("\"{}\" can be no organization's name here; use 1 to {} of "
                                    "a-z, 0-9 and '-'",
                                    name, kPlaceNameMax)};
}

rpc::PlaceFailure no_such_place(std::string_view name) {
    return {"no_such_place",
            fmt::format("this daemon has no organization under the name \"{}\"; see: leither org "
                        "list",
                        name)};
}

}  // namespace

PlaceList::PlaceList(const Config& config, DataDir root, Around around)
    : config_(config), root_(std::move(root)), around_(std::move(around)) {}

DataDir PlaceList::dir_of(const std::string& name) const {
    return name.empty() ? root_ : DataDir(root_.organizations() / name);
}

PlaceList::Entry& PlaceList::entry(const std::string& name) {
    auto& entry = entries_[name];
    if (entry == nullptr) entry = std::make_unique<Entry>(around_.sink, name);
    return *entry;
}

void PlaceList::find_directories() {
    entry("");
    std::error_code error;
    for (fs::directory_iterator at(root_.organizations(), error), end; !error && at != end;
         at.increment(error)) {
        const std::string name = at->path().filename().string();
        if (!at->is_directory()) continue;
        if (is_place_name(name)) {
            entry(name);
        } else {
            entries_.at("")->log.warn("organization_ignored", "directory={:?} detail=\"{}\"", name,
                                      bad_name(name).message);
        }
    }
}

void PlaceList::open_all() {
    find_directories();
    std::vector<std::string> wanted;
    for (auto& [name, entry] : entries_) {
        if (!name.empty() && fs::exists(dir_of(name).closed())) continue;
        if (wanted.size() < config_.organizations_max) {
            wanted.push_back(name);
            continue;
        }
        fail(*entry, {DaemonExit::bad_config,
                      fmt::format("organizations.max allows {}; close another with `leither org "
                                  "close NAME` or raise it, then: leither org open {}",
                                  config_.organizations_max, name)});
    }
    const Config share = share_of(config_, wanted.size());
    for (const std::string& name : wanted) try_open(name, share);
    if (!is_any_at_work()) throw DaemonFailure(*failure());
}

bool PlaceList::try_open(const std::string& name, const Config& share) {
    Entry& one = entry(name);
    try {
        one.place = std::make_unique<Place>(PlaceOptions{name, dir_of(name), share},
                                            around_.machine, one.log);
        one.state = PlaceState::serving;
        one.failure.reset();
        return true;
    } catch (const DaemonFailure& failure) {
        fail(one, failure);
        return false;
    }
}

void PlaceList::fail(Entry& entry, const DaemonFailure& failure) {
    entry.state = PlaceState::failed;
    entry.failure = failure;
    entry.log.error("organization_failed", "detail={:?}", std::string_view(failure.what()));
}

std::optional<DaemonFailure> PlaceList::failure() const {
    if (finished_well_) return std::nullopt;
    for (const auto& [name, entry] : entries_) {
        if (entry->failure) return entry->failure;
    }
    return std::nullopt;
}

void PlaceList::serve_all(std::function<void()> ended) {
    ended_ = std::move(ended);
    for (auto& [name, entry] : entries_) {
        if (entry->place != nullptr) serve(name);
    }
}

void PlaceList::serve(const std::string& name) {
    Entry& one = entry(name);
    one.place->serve(
        {around_.api, around_.wallet, around_.stop_all},
        [this, name](const std::optional<store::Fault>& fault) {
            around_.machine.reactor.post([this, name, fault] { on_ended(name, fault); });
        });
    if (name.empty()) return;
    one.log.with_room("app").info("organization_served", "data_dir={} node_key={}",
                                  dir_of(name).root().string(), one.place->node_key().hex());
}

void PlaceList::on_ended(const std::string& name, const std::optional<store::Fault>& fault) {
    Entry& one = entry(name);
    one.place.reset();
    one.state = PlaceState::closed;
    if (fault) {
        fail(one, failure_of(*fault, dir_of(name)));
    } else if (finishing_) {
        finished_well_ = true;
    } else {
        one.log.with_room("app").info("organization_closed");
    }
    if (!is_any_at_work()) ended_();
}

void PlaceList::finish_all() {
    finishing_ = true;
    for (auto& [name, entry] : entries_) {
        if (entry->place != nullptr) entry->place->finish();
    }
}

std::optional<PublicKey> PlaceList::node_key() const {
    for (const auto& [name, entry] : entries_) {
        if (entry->place != nullptr) return entry->place->node_key();
    }
    return std::nullopt;
}

std::size_t PlaceList::count_taking_room() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        entries_, [](const auto& each) { return each.second->state != PlaceState::closed; }));
}

bool PlaceList::is_any_at_work() const {
    return std::ranges::any_of(entries_,
                               [](const auto& each) { return each.second->place != nullptr; });
}

std::vector<rpc::PlaceStatus> PlaceList::list() const {
    std::vector<rpc::PlaceStatus> all;
    for (const auto& [name, entry] : entries_) {
        rpc::PlaceStatus status;
        if (entry->place != nullptr) status = entry->place->status();
        status.name = name;
        status.state = entry->state;
        if (entry->failure) status.detail = entry->failure->what();
        status.directory = dir_of(name).root().string();
        all.push_back(std::move(status));
    }
    return all;
}

Result<void, rpc::PlaceFailure> PlaceList::open(std::string_view text) {
    const std::string name(text);
    if (!is_place_name(name)) return leither::fail(bad_name(name));
    if (finishing_) {
        return leither::fail(rpc::PlaceFailure{"stopping",
                                               "the daemon is stopping; start it "
                                               "again and retry"});
    }
    const auto known = entries_.find(name);
    const bool is_failed = known != entries_.end() && known->second->state == PlaceState::failed;
    if (known != entries_.end() && known->second->state == PlaceState::closing) {
        return leither::fail(rpc::PlaceFailure{
            "closing", fmt::format("\"{}\" is still closing; try again in a moment", name)});
    }
    if (known != entries_.end() && known->second->place != nullptr) {
        return leither::fail(rpc::PlaceFailure{
            "is_open", fmt::format("\"{}\" is open already: use --org {}", name, name)});
    }
    if (!is_failed && count_taking_room() >= config_.organizations_max) {
        return leither::fail(rpc::PlaceFailure{
            "too_many", fmt::format("this daemon may serve {} organizations; close one with "
                                    "`leither org close NAME`, or raise organizations.max and "
                                    "start it again",
                                    config_.organizations_max)});
    }
    // Those that are open keep what they have until the next start, when all have the same.
    if (!try_open(name, share_of(config_, config_.organizations_max))) {
        return leither::fail(rpc::PlaceFailure{"place_failed", entry(name).failure->what()});
    }
    std::error_code ignored;
    fs::remove(dir_of(name).closed(), ignored);
    serve(name);
    return {};
}

Result<void, rpc::PlaceFailure> PlaceList::close(std::string_view text, rpc::Closing closing) {
    const auto known = entries_.find(std::string(text));
    if (known == entries_.end() || text.empty()) return leither::fail(no_such_place(text));
    Entry& one = *known->second;
    if (one.state == PlaceState::closed || one.state == PlaceState::closing) return {};
    if (closing == rpc::Closing::careful && one.place != nullptr) {
        if (const auto why = one.place->why_needed()) {
            return leither::fail(rpc::PlaceFailure{
                "needed", fmt::format("\"{}\" is not closed: {}; see: leither --org {} committee. "
                                      "To close it all the same: leither org close {} --force",
                                      text, *why, text, text)});
        }
    }
    const std::string mark = dir_of(known->first).closed().string();
    if (const auto written = io::write_private_file(mark, "leither org open serves it again");
        !written) {
        return leither::fail(rpc::PlaceFailure{"io", written.error()});
    }
    one.failure.reset();
    if (one.place == nullptr) {
        one.state = PlaceState::closed;
        return {};
    }
    one.state = PlaceState::closing;
    one.place->finish();
    return {};
}

}  // namespace leither::app
