// A call's parameters, checked against its method's row.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "leither/base/bytes.h"
#include "leither/base/check.h"
#include "leither/base/endpoint.h"
#include "leither/base/fixed_bytes.h"
#include "leither/rpc/json.h"
#include "leither/rpc/methods.h"

#include "json_text.h"

namespace leither::rpc {

class Args {
 public:
    static constexpr std::size_t kParamsMax = 8;

    // `params` as sent, nothing if absent. The error names the field and what to send instead.
    static Result<Args, std::string> read(const MethodInfo& method,
                                          const std::optional<JsonValue>& params);

    bool has(std::string_view name) const { return slot(name).index() != 0; }
    // REQUIRES: the method's row has `name` with the type T stands for, and the call has sent it.
    template <class T>
    T& get(std::string_view name) {
        T* held = std::get_if<T>(&slot(name));
        CHECK(held != nullptr, name);
        return *held;
    }
    // What was sent, as JSON again, for whoever takes it whole.
    Json to_json() const;
    template <class T>
    std::optional<T> find(std::string_view name) {
        if (!has(name)) return std::nullopt;
        return get<T>(name);
    }

 private:
    // In the order of ParamType behind the empty one; `text` is one of the row's words.
    using Value = std::variant<std::monostate, Id, Hash, std::uint64_t, std::string_view, Bytes,
                               std::vector<Bytes>, Endpoint, std::string, JsonValue>;

    explicit Args(std::span<const ParamInfo> params) : params_(params) {}
    static Result<Value, std::string> convert(const ParamInfo& param, const JsonValue& value);

    // The parameter's index; the number of parameters if there is none of that name.
    std::size_t position(std::string_view name) const;
    // REQUIRES: the method's row has `name`.
    const Value& slot(std::string_view name) const {
        const std::size_t at = position(name);
        CHECK(at < params_.size(), name);
        return values_[at];
    }
    Value& slot(std::string_view name) {
        return const_cast<Value&>(static_cast<const Args*>(this)->slot(name));
    }

    std::span<const ParamInfo> params_;
    std::array<Value, kParamsMax> values_;
};

}  // namespace leither::rpc
