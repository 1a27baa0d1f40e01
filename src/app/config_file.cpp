#include "app/config_file.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "leither/base/check.h"
#include "leither/protocol/checkpoint.h"

#include "app/network_config.h"

namespace leither::app {

namespace {

using nlohmann::json;

constexpr std::size_t kFaultsMax = 20;
constexpr std::size_t kDepthMax = 8;
constexpr std::size_t kFileSizeMax = 1 << 20;

// Walks the text and counts lines for the parser, which does not tell where a key stands.
class LineCountingIterator {
 public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    LineCountingIterator(const char* at, std::size_t* line) : at_(at), line_(line) {}
    reference operator*() const { return *at_; }
    LineCountingIterator& operator++() {
        if (*at_ == '\n') ++*line_;
        ++at_;
        return *this;
    }
    LineCountingIterator operator++(int) {
        LineCountingIterator before = *this;
        ++*this;
        return before;
    }
    bool operator==(const LineCountingIterator& other) const { return at_ == other.at_; }
    bool operator!=(const LineCountingIterator& other) const { return at_ != other.at_; }

 private:
    const char* at_;
    std::size_t* line_;
};

struct Entry {
    std::string path;
    json value;  // an empty array or object stands for any
    std::size_t line = 0;
};

// Flattens nested objects into paths with the line of each key. Duplicates and structural faults
// are noted here; what a path means is not its concern.
class Flattener final : public nlohmann::json_sax<json> {
 public:
    explicit Flattener(const std::size_t& line) : line_(line) {}

    std::vector<Entry> entries;
    struct Fault {
        std::size_t line;
        std::string text;
    };
    std::vector<Fault> faults;

    bool null() override { return leaf(nullptr); }
    bool boolean(bool value) override { return leaf(value); }
    bool number_integer(number_integer_t value) override { return leaf(value); }
    bool number_unsigned(number_unsigned_t value) override { return leaf(value); }
    bool number_float(number_float_t value, const string_t&) override { return leaf(value); }
    bool string(string_t& value) override { return leaf(std::move(value)); }
    bool binary(binary_t&) override { return leaf(nullptr); }

    bool start_object(std::size_t) override {
        if (in_array_ > 0) return true;
        if (started_ && keys_.size() >= kDepthMax) return stop("the file is nested too deeply");
        if (started_) sections_.push_back({keys_.back().line, entries.size()});
        started_ = true;
        keys_.push_back({});
        return true;
    }
    bool key(string_t& name) override {
        if (in_array_ > 0) return true;
        keys_.back() = {name, line_};
        note_duplicate();
        return true;
    }
    bool end_object() override {
        if (in_array_ > 0) return true;
        keys_.pop_back();
        if (sections_.empty()) return true;
        const Section section = sections_.back();
        sections_.pop_back();
        // An empty section would otherwise pass whatever it is called.
        if (section.entries_before == entries.size()) {
            entries.push_back({path(), json::object(), section.line});
        }
        return true;
    }
    bool start_array(std::size_t) override {
        if (!leaf(json::array())) return false;
        ++in_array_;
        return true;
    }
    bool end_array() override {
        --in_array_;
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const json::exception& error) override {
        const std::string_view text = error.what();
        const auto detail = text.find("syntax error");
        return stop(std::string(detail == text.npos ? text : text.substr(detail)));
    }

 private:
    struct Key {
        std::string name;
        std::size_t line = 0;
    };
    struct Section {
        std::size_t line;
        std::size_t entries_before;
    };

    template <class T>
    bool leaf(T&& value) {
        if (!started_) return stop("the file must be one object: { ... }");
        if (in_array_ > 0) return true;
        entries.push_back({path(), std::forward<T>(value), keys_.back().line});
        return true;
    }

    bool stop(std::string text) {
        faults.push_back({line_, std::move(text)});
        return false;
    }
    std::string path() const {
        std::string out;
        for (const Key& key : keys_) out += (out.empty() ? "" : ".") + key.name;
        return out;
    }
    void note_duplicate() {
        const auto [first, fresh] = lines_.try_emplace(path(), line_);
        if (fresh) return;
        faults.push_back({line_, fmt::format("duplicate key \"{}\", first given on line {}; remove "
                                             "one of them",
                                             path(), first->second)});
    }

    const std::size_t& line_;
    bool started_ = false;
    std::size_t in_array_ = 0;
    std::vector<Key> keys_;
    std::vector<Section> sections_;
    std::map<std::string, std::size_t> lines_;
};

std::string source_text(const ConfigSource& source, const std::string& file) {
    switch (source.kind) {
        case ConfigSource::Kind::built_in: return "default";
        case ConfigSource::Kind::file: return fmt::format("{}:{}", file, source.line);
        case ConfigSource::Kind::command_line: return "--set";
    }
    UNREACHABLE();
}

class Loader {
 public:
    explicit Loader(const ConfigInput& input) : input_(input) {
        loaded_.file = input.text ? input.name : "";
        loaded_.sources.resize(config_keys().size());
    }

    Result<LoadedConfig, ConfigFaults> load() {
        if (input_.text) read_file(*input_.text);
        for (const std::string& text : input_.overrides) read_override(text);
        check_listen();
        check_network_texts();
        check_checkpoint();
        if (!faults_.empty()) return fail(std::move(faults_));
        return std::move(loaded_);
    }

 private:
    void read_file(const std::string& text) {
        std::size_t line = 1;
        Flattener flat(line);
        const char* begin = text.data();
        json::sax_parse(LineCountingIterator(begin, &line),
                        LineCountingIterator(begin + text.size(), &line), &flat,
                        nlohmann::detail::input_format_t::json, /*strict=*/true,
                        /*ignore_comments=*/true);
        for (const auto& fault : flat.faults) add_fault(at_line(fault.line), fault.text);
        for (const Entry& entry : flat.entries) read_entry(entry);
    }

    void read_entry(const Entry& entry) {
        const ConfigKey* key = known(entry.path, at_line(entry.line));
        if (key == nullptr) return;
        if (auto taken = assign(loaded_.config, *key, entry.value); !taken) {
            add_fault(at_line(entry.line), taken.error());
            return;
        }
        source_of(*key) = {ConfigSource::Kind::file, entry.line};
    }

    void read_override(const std::string& text) {
        const std::string place = "--set " + text;
        const auto equals = text.find('=');
        if (equals == std::string::npos) {
            add_fault(place, "no value; write --set key.path=value");
            return;
        }
        const ConfigKey* key = known(text.substr(0, equals), place);
        if (key == nullptr) return;
        if (auto taken = assign_text(loaded_.config, *key, text.substr(equals + 1)); !taken) {
            add_fault(place, taken.error());
            return;
        }
        source_of(*key) = {ConfigSource::Kind::command_line, 0};
    }

    void check_listen() {
        if (parse_listen_address(loaded_.config.rpc_listen)) return;
        const ConfigSource& source = source_of(*find_config_key("rpc.listen"));
        add_fault(source_text(source, input_.name),
                  fmt::format("\"rpc.listen\" must be a loopback address and port, not \"{}\"; "
                              "write for example \"127.0.0.1:7171\" or \"[::1]:0\"",
                              loaded_.config.rpc_listen));
    }

    void check_network_texts() {
        for (const NetworkFault& fault : check_network(loaded_.config)) {
            const ConfigSource& source = source_of(*find_config_key(fault.key));
            add_fault(source_text(source, input_.name), fault.text);
        }
    }

    void check_checkpoint() {
        const std::string& text = loaded_.config.history_checkpoint;
        if (text.empty() || protocol::parse_block_name(text)) return;
        const ConfigSource& source = source_of(*find_config_key("history.checkpoint"));
        add_fault(
            source_text(source, input_.name),
            fmt::format("\"history.checkpoint\" must be SEQUENCE:HASH, as a member's `leither "
                        "checkpoint show` prints it, not \"{}\"",
                        text));
    }

    const ConfigKey* known(const std::string& path, const std::string& place) {
        const ConfigKey* key = find_config_key(path);
        if (key == nullptr) {
            add_fault(place, fmt::format("unknown key \"{}\"; the nearest is \"{}\"", path,
                                         nearest_config_key(path)));
        }
        return key;
    }

    ConfigSource& source_of(const ConfigKey& key) {
        return loaded_.sources[static_cast<std::size_t>(&key - config_keys().data())];
    }
    std::string at_line(std::size_t line) const { return fmt::format("{}:{}", input_.name, line); }
    void add_fault(const std::string& place, const std::string& text) {
        if (faults_.size() < kFaultsMax) faults_.push_back(place + ": " + text);
    }

    const ConfigInput& input_;
    LoadedConfig loaded_;
    ConfigFaults faults_;
};

std::vector<std::string> split(std::string_view path) {
    std::vector<std::string> parts;
    for (auto dot = path.find('.'); dot != path.npos; dot = path.find('.')) {
        parts.emplace_back(path.substr(0, dot));
        path.remove_prefix(dot + 1);
    }
    parts.emplace_back(path);
    return parts;
}

// `text` as comment lines of at most 96 columns.
std::string comment(std::string_view text, const std::string& indent) {
    std::string out;
    std::string line = indent + "//";
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find(' ', begin), text.size());
        if (line.size() + 1 + end - begin > 96) {
            out += line + "\n";
            line = indent + "//";
        }
        line += ' ';
        line += text.substr(begin, end - begin);
        begin = end + 1;
    }
    return out + line + "\n";
}

// Writes keys as nested sections; consecutive keys share theirs.
class SampleWriter {
 public:
    std::string write() {
        for (const ConfigKey& key : config_keys()) add(key);
        leave_to(0);
        return "// Every key of leitherd with its default. Generated from the table in\n"
               "// src/app/config_table.cpp; explained in docs/configuration.md.\n{" +
               out_ + "\n}\n";
    }

 private:
    void add(const ConfigKey& key) {
        std::vector<std::string> parts = split(key.path);
        const std::string name = parts.back();
        parts.pop_back();
        std::size_t shared = 0;
        while (shared < std::min(parts.size(), open_.size()) && parts[shared] == open_[shared]) {
            ++shared;
        }
        leave_to(shared);
        for (std::size_t i = shared; i < parts.size(); ++i) enter(parts[i]);
        next_line();
        const char* reload = key.applies == Applies::at_once ? " (SIGHUP reloads it.)" : "";
        out_ += comment(std::string(key.doc) + reload, indent());
        out_ += fmt::format("{}\"{}\": {}", indent(), name, value_text(Config{}, key));
    }
    void enter(const std::string& section) {
        next_line();
        out_ += fmt::format("{}\"{}\": {{", indent(), section);
        open_.push_back(section);
        first_ = true;
    }
    void leave_to(std::size_t depth) {
        while (open_.size() > depth) {
            open_.pop_back();
            out_ += "\n" + indent() + "}";
        }
    }
    void next_line() {
        out_ += first_ ? "\n" : ",\n";
        first_ = false;
    }
    std::string indent() const { return std::string(4 * (open_.size() + 1), ' '); }

    std::string out_;
    std::vector<std::string> open_;
    bool first_ = true;
};

}  // namespace

Result<LoadedConfig, ConfigFaults> load_config(const ConfigInput& input) {
    return Loader(input).load();
}

Result<LoadedConfig, ConfigFaults> load_config_file(const std::string& path,
                                                    const std::vector<std::string>& overrides) {
    ConfigInput input{path, std::nullopt, overrides};
    if (path.empty()) return load_config(input);
    std::ifstream file(path, std::ios::binary);
    std::string text(kFileSizeMax + 1, '\0');
    if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file && !file.eof()) {
        return fail(ConfigFaults{
            fmt::format("{}: cannot be read ({}); check --config", path, std::strerror(errno))});
    }
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > kFileSizeMax) {
        return fail(ConfigFaults{path + ": larger than 1MiB; this is no configuration file"});
    }
    input.text = std::move(text);
    return load_config(input);
}

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view port_text = text.substr(colon + 1);
    ListenAddress listen;
    const auto [end, error] =
        std::from_chars(port_text.data(), port_text.data() + port_text.size(), listen.port);
    if (port_text.empty() || error != std::errc{} || end != port_text.data() + port_text.size()) {
        return std::nullopt;
    }
    const std::string_view host = text.substr(0, colon);
    if (host == "[::1]") {
        listen.address = "::1";
        return listen;
    }
    listen.address = host == "localhost" ? "127.0.0.1" : std::string(host);
    in_addr address{};
    if (::inet_pton(AF_INET, listen.address.c_str(), &address) != 1) return std::nullopt;
    if (!listen.address.starts_with("127.")) return std::nullopt;
    return listen;
}

std::string describe(const LoadedConfig& loaded) {
    std::string out;
    const auto keys = config_keys();
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const std::string setting =
            fmt::format("{} = {}", keys[i].path, value_text(loaded.config, keys[i]));
        out += fmt::format("{:<44} # {}\n", setting, source_text(loaded.sources[i], loaded.file));
    }
    return out;
}

std::string sample_config() {
    return SampleWriter().write();
}

std::string config_reference() {
    std::string out =
        "| key | default | allowed | takes effect | meaning |\n|---|---|---|---|---|\n";
    for (const ConfigKey& key : config_keys()) {
        const char* applies = key.applies == Applies::at_once ? "SIGHUP" : "restart";
        out += fmt::format("| `{}` | `{}` | {} | {} | {} |\n", key.path, value_text(Config{}, key),
                           allowed_text(key), applies, key.doc);
    }
    return out;
}

std::vector<std::string> differences(const Config& from, const Config& to, Applies applies) {
    std::vector<std::string> out;
    for (const ConfigKey& key : config_keys()) {
        if (key.applies != applies || same_value(from, to, key)) continue;
        out.push_back(
            fmt::format("{}: {} -> {}", key.path, value_text(from, key), value_text(to, key)));
    }
    return out;
}

}  // namespace leither::app
