#include "http_reader.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "http_upgrade.h"

namespace leither::io {
namespace {

namespace http = boost::beast::http;
using Fields = http::fields;

constexpr std::ptrdiff_t kFieldsMax = 64;
constexpr std::size_t kTargetMax = 2048;
// The longest line of a chunked body (sizes and extensions) that we wait for.
constexpr std::size_t kChunkLineMax = 1024;

std::string text_of(boost::beast::string_view view) {
    return {view.data(), view.size()};
}

std::optional<std::string> value_of(const Fields& fields, http::field name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::nullopt : std::optional(text_of(found->value()));
}

Denial denial_of(const boost::beast::error_code& error) {
    if (error == http::error::body_limit) return {413, "the body is too long"};
    if (error == http::error::header_limit) return {431, "the header is too long"};
    if (error == http::error::bad_version) return {505, "HTTP/1.0 and HTTP/1.1 are served"};
    return {400, "no well-formed HTTP/1.1 request"};
}

// A second one makes two readers of the same request see different things.
bool has_ambiguous_fields(const Fields& fields) {
    constexpr http::field kSingle[] = {http::field::host,
                                       http::field::origin,
                                       http::field::authorization,
                                       http::field::content_length,
                                       http::field::transfer_encoding,
                                       http::field::cookie,
                                       http::field::content_type,
                                       http::field::sec_websocket_protocol};
    return std::any_of(std::begin(kSingle), std::end(kSingle),
                       [&fields](http::field name) { return fields.count(name) > 1; });
}

bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

// Plain ASCII without control characters; Beast lets more through in values (RFC 9110 §5.5 calls it
// obsolete).
bool is_plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\t'; });
}

bool is_number(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A header value continued on the next line (obsolete); readers disagree about what it means.
bool has_folded_line(std::string_view head) {
    return head.find("\r\n ") != std::string_view::npos ||
           head.find("\r\n\t") != std::string_view::npos;
}

std::ptrdiff_t count_fields(const Fields& fields) {
    return std::distance(fields.begin(), fields.end());
}

std::optional<Denial> vet_framing(const http::request_header<>& header) {
    if (header.version() != 10 && header.version() != 11) {
        return Denial{505, "HTTP/1.0 and HTTP/1.1 are served"};
    }
    if (has_ambiguous_fields(header)) return Denial{400, "a header is repeated"};
    const auto length = value_of(header, http::field::content_length);
    if (length && !is_number(*length)) return Denial{400, "Content-Length must be one number"};
    const auto coding = value_of(header, http::field::transfer_encoding);
    if (coding && !boost::beast::iequals(*coding, "chunked")) {
        return Denial{501, "the only transfer coding served is chunked"};
    }
    if (coding && (header.version() == 10 || length)) {
        return Denial{400, "Transfer-Encoding contradicts the rest of the head"};
    }
    return std::nullopt;
}

std::optional<Denial> vet_fields(const http::request_header<>& header) {
    if (count_fields(header) > kFieldsMax) return Denial{431, "too many headers"};
    if (header.target().size() > kTargetMax) return Denial{431, "the target is too long"};
    for (const auto& field : header) {
        const auto name = text_of(field.name_string());
        if (!std::all_of(name.begin(), name.end(), is_name_char)) {
            return Denial{400, "a header name has odd characters"};
        }
        if (!is_plain(text_of(field.value()))) {
            return Denial{400, "a header value has odd characters"};
        }
    }
    const auto target = text_of(header.target());
    if (!target.starts_with('/') || !is_plain(target) || target.find('#') != std::string::npos) {
        return Denial{400, "the target must be a path of plain characters"};
    }
    return std::nullopt;
}

RequestHead head_of(const http::request_header<>& header) {
    return {.method = text_of(header.method_string()),
            .target = text_of(header.target()),
            .version = header.version(),
            .host = value_of(header, http::field::host),
            .origin = value_of(header, http::field::origin),
            .authorization = value_of(header, http::field::authorization),
            .cookie = value_of(header, http::field::cookie),
            .content_type = value_of(header, http::field::content_type),
            .if_none_match = value_of(header, http::field::if_none_match),
            .protocols = value_of(header, http::field::sec_websocket_protocol)};
}

}  // namespace

struct RequestReader::Impl {
    explicit Impl(Limits given) : limits(given) {
        // Beast counts anew with each piece of a dripping head: we keep the limit, it only a net.
        parser.header_limit(static_cast<std::uint32_t>(2 * limits.header_bytes_max));
        parser.body_limit(limits.body_bytes_max);
    }

    bool is_head_too_long(std::size_t unread) const {
        return raw_head.size() + unread > limits.header_bytes_max;
    }
    Result<void, Denial> put(std::string_view& bytes);
    Result<Progress, Denial> accept_head();
    Result<Progress, Denial> accept_body() const;

    Limits limits;
    http::request_parser<http::string_body> parser;
    bool head_seen = false;
    std::string raw_head;  // until it is complete
    std::ptrdiff_t head_fields = 0;
    RequestHead head;
};

// Gives the parser bytes until it takes no more.
Result<void, Denial> RequestReader::Impl::put(std::string_view& bytes) {
    while (!bytes.empty() && !parser.is_done() && (head_seen || !parser.is_header_done())) {
        boost::beast::error_code error;
        const auto taken = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
        if (!head_seen) raw_head += bytes.substr(0, taken);
        bytes.remove_prefix(taken);
        if (error && error != http::error::need_more) return fail(denial_of(error));
        if (error || taken == 0) break;
    }
    return {};
}

Result<RequestReader::Progress, Denial> RequestReader::Impl::accept_head() {
    head_seen = true;
    if (is_head_too_long(0)) return fail(Denial{431, "the header is too long"});
    if (has_folded_line(std::exchange(raw_head, {}))) return fail(Denial{400, "a folded header"});
    if (const auto denial = vet_framing(parser.get())) return fail(*denial);
    if (const auto denial = vet_fields(parser.get())) return fail(*denial);
    head = head_of(parser.get());
    head_fields = count_fields(parser.get());
    return Progress::head;
}

// Beast adds the fields of a chunked body's trailer to those of the head, which we have judged.
Result<RequestReader::Progress, Denial> RequestReader::Impl::accept_body() const {
    if (count_fields(parser.get()) != head_fields) return fail(Denial{400, "no trailers here"});
    return Progress::complete;
}

RequestReader::RequestReader(Limits limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestReader::RequestReader(RequestReader&&) noexcept = default;
RequestReader& RequestReader::operator=(RequestReader&&) noexcept = default;
RequestReader::~RequestReader() = default;

Result<RequestReader::Progress, Denial> RequestReader::feed(std::string_view& bytes) {
    auto& parser = impl_->parser;
    TRY(impl_->put(bytes));
    if (parser.is_header_done() && !impl_->head_seen) return impl_->accept_head();
    if (parser.is_done()) return impl_->accept_body();
    // What the parser leaves is an unfinished line.
    const bool too_long =
        impl_->head_seen ? bytes.size() > kChunkLineMax : impl_->is_head_too_long(bytes.size());
    if (too_long) return fail(Denial{431, "the header is too long"});
    return Progress::needs_more;
}

const RequestHead& RequestReader::head() const {
    return impl_->head;
}
bool RequestReader::keep_alive() const {
    return impl_->parser.get().keep_alive();
}

bool RequestReader::is_websocket_upgrade() const {
    return boost::beast::websocket::is_upgrade(impl_->parser.get());
}

bool RequestReader::expects_continue() const {
    const auto expect = value_of(impl_->parser.get(), http::field::expect);
    return expect && boost::beast::iequals(*expect, "100-continue");
}

std::string RequestReader::take_body() {
    return std::move(impl_->parser.get().body());
}

std::shared_ptr<UpgradeRequest> RequestReader::take_upgrade() {
    return std::make_shared<UpgradeRequest>(UpgradeRequest{impl_->parser.release()});
}

}  // namespace leither::io
