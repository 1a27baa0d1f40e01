// node.machine, node.logs, dashboard.link: what the program around the node tells its user.
#include "handlers.h"

namespace leither::rpc {
namespace {

constexpr std::uint64_t kLogLines = 100;

CallError no_front() {
    return named_error(
        ErrorCode::not_found, "not_found",
        "the program that runs this node has no dashboard and keeps no log in memory");
}

Json disk_json(const std::optional<DiskUse>& use) {
    if (!use) return nullptr;
    return {{"used_bytes", use->used_bytes},
            {"free_bytes", use->free_bytes},
            {"total_bytes", use->total_bytes}};
}

Json line_use_json(const std::optional<LineStats>& line) {
    if (!line) return nullptr;
    return {{"up_bytes", line->used.up_bytes},
            {"down_bytes", line->used.down_bytes},
            {"month_bytes_max", line->caps.month_bytes_max},
            {"upload_max", line->caps.up_bytes_per_second},
            {"download_max", line->caps.down_bytes_per_second}};
}

}  // namespace

Outcome node_machine(Call& call) {
    const ProcessStats stats = call.host.process_stats();
    using std::chrono::duration_cast;
    return Json{{"uptime_s", duration_cast<std::chrono::seconds>(stats.uptime).count()},
                {"cpu_ms", duration_cast<std::chrono::milliseconds>(stats.cpu).count()},
                {"resident_bytes", stats.resident_bytes},
                {"disk", call.front == nullptr ? Json(nullptr) : disk_json(call.front->disk_use())},
                {"month", line_use_json(stats.line)}};
}

Outcome node_logs(Call& call) {
    if (call.front == nullptr) return no_front();
    const auto after = call.args.find<std::uint64_t>("after").value_or(0);
    const auto limit = call.args.find<std::uint64_t>("limit").value_or(kLogLines);
    Json out = Json::array();
    for (const LogLine& line : call.front->log_lines(after, limit)) {
        out.push_back({{"number", line.number},
                       {"time_ms", unix_ms(line.time)},
                       {"level", line.level},
                       {"room", line.room},
                       {"event", line.event},
                       {"fields", line.fields}});
    }
    return out;
}

Outcome dashboard_link(Call& call) {
    if (call.front == nullptr) return no_front();
    const DashboardLink link = call.front->dashboard_link();
    return Json{{"url", link.url}, {"expires_ms", unix_ms(link.expires)}};
}

}  // namespace leither::rpc
