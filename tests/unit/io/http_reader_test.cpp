#include "../../../src/io/http_reader.h"

#include <gtest/gtest.h>

#include "leither/base/bytes.h"

#include "support/shared_data.h"

namespace leither::io {
namespace {

constexpr RequestReader::Limits kLimits = {.header_bytes_max = 8192, .body_bytes_max = 1 << 20};

struct Reading {
    std::size_t complete = 0;
    std::size_t unfinished = 0;  // bytes of a request that did not end
    std::optional<Denial> denial;
    std::string last_body;
};

// Reads every request in `bytes`, given in pieces of `step` bytes.
Reading read_all(const std::string& bytes, std::size_t step) {
    Reading reading;
    RequestReader reader(kLimits);
    std::string unread;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        unread += bytes.substr(at, step);
        std::string_view view = unread;
        for (;;) {
            const auto progress = reader.feed(view);
            if (!progress) {
                reading.denial = progress.error();
                return reading;
            }
            if (*progress == RequestReader::Progress::needs_more) break;
            if (*progress == RequestReader::Progress::head) continue;
            ++reading.complete;
            reading.last_body = reader.take_body();
            reader = RequestReader(kLimits);
            if (view.empty()) break;
        }
        unread.erase(0, unread.size() - view.size());
    }
    reading.unfinished = unread.size();
    return reading;
}

TEST(HttpReader, PiecesOfAnySizeReadTheSame) {
    const std::string two =
        "POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nfirst"
        "POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nsec\r\n3\r\nond\r\n0\r\n\r\n";
    for (const std::size_t step : {1u, 2u, 7u, 1000u}) {
        const auto reading = read_all(two, step);
        EXPECT_EQ(reading.complete, 2u) << step;
        EXPECT_EQ(reading.last_body, "second") << step;
        EXPECT_FALSE(reading.denial) << step;
    }
}

TEST(HttpReader, WhatTwoReadersCouldReadDifferentlyIsRefused) {
    const std::string head = "POST /rpc HTTP/1.1\r\nHost: localhost\r\n";
    for (const std::string fields :
         {"Host: localhost\r\n", "Content-Length: 3\r\nContent-Length: 3\r\n",
          "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n",
          "Transfer-Encoding: chunked, gzip\r\n", "Transfer-Encoding: gzip, chunked\r\n",
          "Content-Length: +3\r\n", "Content-Length: -3\r\n", "Content-Length: 3 3\r\n",
          "X Y: 1\r\n", "X_Y: 1\r\n", "X: \x01\r\n", "X: \xff\r\n", "Host : localhost\r\n",
          "X: a\r\n b\r\n", "Content-Length: 3, 3\r\n"}) {
        EXPECT_TRUE(read_all(head + fields + "\r\nabc", 1000).denial) << fields;
    }
    for (const std::string target : {"*", "rpc", "http://localhost/rpc", "/rpc#x", "/\xc3\xa9"}) {
        EXPECT_TRUE(read_all("GET " + target + " HTTP/1.1\r\n\r\n", 1000).denial) << target;
    }
    EXPECT_TRUE(
        read_all(head + "Transfer-Encoding: chunked\r\n\r\n0\r\nHost: evil\r\n\r\n", 1000).denial);
    EXPECT_TRUE(read_all("POST /rpc HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 1000).denial);
    EXPECT_EQ(read_all("GET / HTTP/2.0\r\n\r\n", 1000).denial->status, 505u);
}

TEST(HttpReader, LimitsHoldAtTheByte) {
    const auto with_body = [](std::size_t size) {
        return "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(size) +
               "\r\n\r\n" + std::string(size, 'x');
    };
    EXPECT_EQ(read_all(with_body(kLimits.body_bytes_max), 4096).complete, 1u);
    EXPECT_EQ(read_all(with_body(kLimits.body_bytes_max + 1), 4096).denial->status, 413u);
    const auto with_head = [](std::size_t size) {
        const std::string lines = "GET / HTTP/1.1\r\nY: y\r\nX: \r\n\r\n";
        return std::string(lines).insert(lines.size() - 4, size - lines.size(), 'x');
    };
    for (const std::size_t step : {1u, 64u, 10'000u}) {
        EXPECT_EQ(read_all(with_head(kLimits.header_bytes_max), step).complete, 1u) << step;
        EXPECT_EQ(read_all(with_head(kLimits.header_bytes_max + 1), step).denial->status, 431u);
    }
    EXPECT_TRUE(read_all("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'x'), 64).denial);
    EXPECT_TRUE(read_all("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
                             std::string(100'000, 'x'),
                         64)
                    .denial);
}

// A request that the source refuses must not pass: it may be refused, or be waited for until it
// times out. Cases for which the source turns options on say nothing about a server without them.
void check_vectors(const std::string& file) {
    std::size_t judged = 0;
    const auto document = testing::load_json(file);
    for (const auto& vector : document["vectors"]) {
        const auto bytes = from_hex(vector["request"].get<std::string>()).value();
        const std::string request(as_text(bytes));
        const auto whole = read_all(request, request.size() + 1);
        for (const std::size_t step : {1u, 3u}) {
            EXPECT_EQ(read_all(request, step).complete, whole.complete) << request;
        }
        if (vector["valid"].get<bool>() || vector.contains("gunicorn_settings")) continue;
        const bool passed = whole.complete > 0 && whole.unfinished == 0 && !whole.denial;
        EXPECT_FALSE(passed) << vector["source"] << "\n" << request;
        ++judged;
    }
    EXPECT_GT(judged, 20u);
}

TEST(HttpReader, RequestsThatGunicornRefusesDoNotPass) {
    REQUIRE_SHARED_DATA();
    check_vectors("vectors/http/gunicorn_requests.json");
}

TEST(HttpReader, RequestsThatLlhttpRefusesDoNotPass) {
    REQUIRE_SHARED_DATA();
    check_vectors("vectors/http/llhttp_requests.json");
}

}  // namespace
}  // namespace leither::io
