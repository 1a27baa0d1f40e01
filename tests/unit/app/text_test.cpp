#include <gtest/gtest.h>

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
