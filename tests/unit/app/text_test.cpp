#include <gtest/gtest.h>

#include "app/printable.h"
#include "app/rpc_client.h"
#include "app/text_table.h"

namespace leither::app {
namespace {

TEST(TextTable, ColumnsAreAsWideAsTheirWidestCell) {
    TextTable table({{"NAME"}, {"BALANCE", Align::right}});
    table.add({"anna", "5"});
    table.add({"zoë-long", "12.50"});
    EXPECT_EQ(table.text(),
              "NAME      BALANCE\n"
              "anna            5\n"
              "zoë-long    12.50\n");
}

TEST(FormatFields, ValuesAreAligned) {
    EXPECT_EQ(format_fields({{"id", "1"}, {"longer", "2"}}), "id:      1\nlonger:  2\n");
}

TEST(FormatTime, IsUtc) {
    EXPECT_EQ(format_time(0), "1970-01-01 00:00:00 UTC");
    EXPECT_EQ(format_time(1'700'000'000'123), "2023-11-14 22:13:20 UTC");
}

TEST(FormatTime, NoTimeIsTooLateForIt) {
    EXPECT_FALSE(format_time(UINT64_MAX).empty());
}

TEST(Printable, TextOfAnyLanguageStaysAsItIs) {
    const std::string text = "zoë, 今日は, שלום, \xf0\x9f\x8d\x9e";
    EXPECT_EQ(printable(text, LineBreaks::escaped), text);
}

TEST(Printable, NothingThatActsOnATerminalIsLeft) {
    EXPECT_EQ(printable("\x1b[2J\a", LineBreaks::kept), "\\u{1b}[2J\\u{7}");
    EXPECT_EQ(printable("a\xc2\x9b"
                        "31m",
                        LineBreaks::kept),
              "a\\u{9b}31m");  // CSI in one character
    EXPECT_EQ(printable("\x7f\r\b", LineBreaks::kept), "\\u{7f}\\u{d}\\u{8}");
    EXPECT_EQ(printable("\xe2\x80\xae"
                        "evil",
                        LineBreaks::kept),
              "\\u{202e}evil");
    EXPECT_EQ(printable(std::string_view("\0", 1), LineBreaks::kept), "\\u{0}");
}

TEST(Printable, LineBreaksStayOnlyWhereTheyMay) {
    EXPECT_EQ(printable("a\n\tb", LineBreaks::kept), "a\n\tb");
    EXPECT_EQ(printable("a\n\tb", LineBreaks::escaped), "a\\u{a}\\u{9}b");
}

TEST(Printable, WhatIsNoUtf8IsShownByteByByte) {
    EXPECT_EQ(printable("\xff\xc3", LineBreaks::escaped), "\\x{ff}\\x{c3}");
    EXPECT_EQ(printable("\xe2\x80", LineBreaks::escaped), "\\x{e2}\\x{80}");
}

TEST(TextTable, ACellOfOthersCannotBreakOut) {
    TextTable table({{"AGENT"}});
    table.add({"x\x1b[1m\ny"});
    EXPECT_EQ(table.text(), "AGENT\nx\\u{1b}[1m\\u{a}y\n");
    EXPECT_EQ(format_fields({{"name", "a\nb"}}), "name:  a\\u{a}b\n");
}

TEST(RpcUrl, HostPortAndPathAreRead) {
    const auto endpoint = parse_rpc_url("http://127.0.0.1:7171/rpc");
    ASSERT_TRUE(endpoint);
    EXPECT_EQ(endpoint->host, "127.0.0.1");
    EXPECT_EQ(endpoint->port, 7171);
    EXPECT_EQ(endpoint->path, "/rpc");
    EXPECT_EQ(parse_rpc_url("http://[::1]:1")->host, "::1");
    EXPECT_EQ(parse_rpc_url("http://localhost:1/")->path, "/rpc");
}

TEST(RpcUrl, EverythingElseIsRefused) {
    for (const char* wrong : {"", "127.0.0.1:7171", "https://127.0.0.1:1/", "http://127.0.0.1",
                              "http://127.0.0.1:0/", "http://127.0.0.1:99999/", "http://:1/"}) {
        EXPECT_FALSE(parse_rpc_url(wrong)) << wrong;
    }
}

}  // namespace
}  // namespace leither::app
