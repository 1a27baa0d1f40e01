// What the daemon keeps beside its store, its log and its service manager.
#include <algorithm>
#include <cstdlib>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "leither/base/prng.h"
#include "leither/io/data_dir.h"
#include "leither/io/log_sink.h"
#include "leither/io/os_entropy.h"
#include "leither/io/service_manager.h"
#include "leither/io/wall_clock.h"

#include "support/shared_data.h"
#include "support/temp_dir.h"

namespace leither::io {
namespace {

TEST(DataDir, ASecondLockNamesTheHolder) {
    const testing::TempDir dir;
    {
        const auto held = DataDirLock::acquire(dir.path());
        ASSERT_TRUE(held);
        const auto second = DataDirLock::acquire(dir.path());
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().pid, getpid());
        EXPECT_NE(second.error().detail.find(std::to_string(getpid())), std::string::npos);
    }
    EXPECT_TRUE(DataDirLock::acquire(dir.path()));
    const auto absent = DataDirLock::acquire(dir / "absent");
    ASSERT_FALSE(absent);
    EXPECT_FALSE(absent.error().pid);
}

TEST(DataDir, PrivateFilesAreForTheirOwnerAndReplacedWhole) {
    const testing::TempDir dir;
    const std::string path = dir / "cookie";
    Prng prng(1);
    const std::string cookie = make_cookie(prng);
    EXPECT_EQ(cookie.size(), 64u);
    EXPECT_NE(cookie, make_cookie(prng));
    ASSERT_TRUE(write_private_file(path, "older and longer than the cookie" + cookie));
    ASSERT_TRUE(write_private_file(path, cookie));
    EXPECT_EQ(read_private_file(path), cookie);
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    EXPECT_FALSE(read_private_file(dir / "absent"));
    EXPECT_FALSE(write_private_file(dir / "absent/file", "x"));
}

TEST(LogSink, RoomsHaveTheirOwnLevelsAndTheFileItsLines) {
    const testing::TempDir dir;
    const std::string path = dir / "log";
    {
        auto sink = SpdlogSink::open(
            {.level = LogLevel::off, .rooms = {{"node", LogLevel::info}}, .file = path});
        ASSERT_TRUE(sink);
        const Log log(sink->get(), "node");
        log.info("block_sealed", "sequence={}", 7);
        log.debug("hidden");
        log.with_room("io").error("hidden");
        (*sink)->set_levels(LogLevel::off, {{"node", LogLevel::debug}});
        log.debug("shown");
    }
    const std::string text = testing::load_text(path);
    EXPECT_NE(text.find("info node block_sealed sequence=7\n"), std::string::npos) << text;
    EXPECT_NE(text.find("debug node shown\n"), std::string::npos) << text;
    EXPECT_EQ(text.find("hidden"), std::string::npos) << text;
    EXPECT_FALSE(SpdlogSink::open({.file = "/dev/null/x"}));
    EXPECT_EQ(parse_log_level("warn"), LogLevel::warn);
    EXPECT_FALSE(parse_log_level("loud"));
}

TEST(ServiceManager, EachStateIsOneDatagram) {
    const testing::TempDir dir;
    const std::string path = dir / "notify";
    const int receiver = socket(AF_UNIX, SOCK_DGRAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), address.sun_path);
    ASSERT_EQ(bind(receiver, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    const auto receive = [receiver] {
        char buffer[256];
        const auto size = recv(receiver, buffer, sizeof(buffer), MSG_DONTWAIT);
        return std::string(buffer, size > 0 ? static_cast<std::size_t>(size) : 0);
    };
    ServiceManager manager(path);
    manager.ready("serving\nhere");
    EXPECT_EQ(receive(), "READY=1\nSTATUS=serving here");
    manager.reloading();
    EXPECT_EQ(receive().substr(0, 27), "RELOADING=1\nMONOTONIC_USEC=");
    manager.stopping();
    EXPECT_EQ(receive(), "STOPPING=1");
    manager.watchdog();
    EXPECT_EQ(receive(), "WATCHDOG=1");
    close(receiver);
    ServiceManager("").ready("nobody listens");
}

TEST(WallClock, AStepBackwardsRepeatsTheLastInstant) {
    struct SetClock final : WallClock {
        Instant read() const override { return set; }
        Instant set{};
    } clock;
    clock.set = instant_from_unix_ms(2'000);
    EXPECT_EQ(clock.now(), instant_from_unix_ms(2'000));
    clock.set = instant_from_unix_ms(1'000);
    EXPECT_EQ(clock.now(), instant_from_unix_ms(2'000));
    clock.set = instant_from_unix_ms(3'000);
    EXPECT_EQ(clock.now(), instant_from_unix_ms(3'000));
}

TEST(OsEntropy, FillsDifferently) {
    OsEntropy entropy;
    EXPECT_NE(make_cookie(entropy), make_cookie(entropy));
}

TEST(LogRing, KeepsTheNewestLinesWithinItsBounds) {
    LogRing ring;
    EXPECT_TRUE(ring.lines(0, 10).empty());
    for (std::size_t i = 1; i <= LogRing::kLinesMax + 1; ++i) {
        ring.add(instant_from_unix_ms(i), "node", LogLevel::info, "event",
                 std::string(LogRing::kFieldsMax + 1, 'x'));
    }
    const auto all = ring.lines(0, 1000);
    ASSERT_EQ(all.size(), LogRing::kLinesMax);
    EXPECT_EQ(all.front().number, 2u) << "the oldest has made room";
    EXPECT_EQ(all.back().number, LogRing::kLinesMax + 1);
    EXPECT_EQ(all.back().level, "info");
    EXPECT_EQ(all.back().fields.size(), LogRing::kFieldsMax);
    const auto newest = ring.lines(0, 2);
    ASSERT_EQ(newest.size(), 2u);
    EXPECT_EQ(newest.front().number, LogRing::kLinesMax);
    EXPECT_EQ(ring.lines(LogRing::kLinesMax, 1000).size(), 1u);
    EXPECT_TRUE(ring.lines(LogRing::kLinesMax + 1, 1000).empty());
}

}  // namespace
}  // namespace leither::io
