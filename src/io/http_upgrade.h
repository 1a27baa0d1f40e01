// The parsed request as Beast's WebSocket wants it. Includes Beast: only for the two files that
// compile it.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

namespace leither::io {

struct UpgradeRequest {
    boost::beast::http::request<boost::beast::http::string_body> request;
};

}  // namespace leither::io
