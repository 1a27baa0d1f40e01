#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/wait.h>

#include "leither/io/data_dir.h"

#include "app/commands/commands.h"
#include "app/data_dir.h"

extern char** environ;

namespace leither::app {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

enum class Browser : std::uint8_t { open, leave };

// A page that leads on to the link. The browser is given this file's name, and not the link:
// command lines are shown to everybody on the machine.
fs::path write_forwarding_page(const Session& session, const std::string& url) {
    const auto& given = session.options().data_dir;
    const fs::path dir = given.empty() ? default_data_dir() : fs::path(given);
    std::error_code error;
    fs::create_directories(dir, error);  // with --rpc there may be none
    const fs::path page = fs::absolute(dir) / "dashboard.html";
    const auto written = io::write_private_file(
        page.string(),
        fmt::format("<!doctype html><meta charset=utf-8><meta name=referrer content=no-referrer>"
                    "<title>Leither</title><meta http-equiv=refresh content=\"0; url={}\">",
                    url));
    if (!written) {
        throw CliError(
            CliExit::local, "cannot_open",
            fmt::format("The page for the browser cannot be written: {}.", written.error()),
            "Without --open the link is printed, to be opened by hand.");
    }
    return page;
}

void open_browser(const fs::path& page) {
    const std::string name = page.string();
    std::string program = "xdg-open";
    std::string argument = name;
    char* const words[] = {program.data(), argument.data(), nullptr};
    posix_spawn_file_actions_t quiet;
    ::posix_spawn_file_actions_init(&quiet);
    for (const int descriptor : {0, 1, 2}) {
        ::posix_spawn_file_actions_addopen(&quiet, descriptor, "/dev/null", O_RDWR, 0);
    }
    pid_t child = 0;
    const int failed = ::posix_spawnp(&child, program.c_str(), &quiet, nullptr, words, environ);
    ::posix_spawn_file_actions_destroy(&quiet);
    int status = 0;
    const bool opened = failed == 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) &&
                        WEXITSTATUS(status) == 0;
    if (opened) return;
    throw CliError(CliExit::local, "cannot_open",
                   failed != 0 ? fmt::format("xdg-open cannot be run: {}.", std::strerror(failed))
                               : std::string("xdg-open found no browser."),
                   "Run leither dashboard without --open, and open the link by hand.");
}

void dashboard(Session& session, Browser browser) {
    const json link = session.call("dashboard.link", json::object());
    const auto url = link.at("url").get<std::string>();
    if (browser == Browser::open) {
        open_browser(write_forwarding_page(session, url));
        return session.print(link, "The dashboard opens in your browser.\n");
    }
    session.print(link, fmt::format("Open this in a browser on this machine, once, within two "
                                    "minutes:\n\n  {}\n\n",
                                    url));
}

}  // namespace

void add_dashboard_command(CLI::App& cli, Session& session) {
    const auto open = std::make_shared<bool>(false);
    auto* show = cli.add_subcommand("dashboard", "A link to this node's pages for your browser");
    show->add_flag("--open", *open, "Open the browser");
    show->footer(
        "The link signs you in; after that the page stays signed in until you leave it for half "
        "an\n"
        "hour, or the daemon stops.\n"
        "Examples:\n"
        "  leither dashboard\n"
        "  leither dashboard --open");
    show->callback(
        [&session, open] { dashboard(session, *open ? Browser::open : Browser::leave); });
}

}  // namespace leither::app
