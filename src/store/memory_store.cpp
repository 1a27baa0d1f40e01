#include "leither/store/memory_store.h"

#include "leither/base/check.h"

namespace leither::store {

namespace {

using Map = std::map<Bytes, std::string>;

class MemoryCursor final : public Cursor {
 public:
    explicit MemoryCursor(std::shared_ptr<const Map> version)
        : version_(std::move(version)), at_(version_->end()) {}

    void seek(ByteView key) override { at_ = version_->lower_bound(Bytes(key.begin(), key.end())); }
    void seek_to_last() override {
        at_ = version_->end();
        if (!version_->empty()) --at_;
    }
    void next() override {
        CHECK(valid());
        ++at_;
    }
    void prev() override {
        CHECK(valid());
        at_ = at_ == version_->begin() ? version_->end() : std::prev(at_);
    }
    bool valid() const override { return at_ != version_->end(); }
    ByteView key() const override {
        CHECK(valid());
        return at_->first;
    }
    ByteView value() const override {
        CHECK(valid());
        return as_bytes(at_->second);
    }
    std::optional<Fault> fault() const override { return std::nullopt; }

 private:
    std::shared_ptr<const Map> version_;
    Map::const_iterator at_;
};

void apply(const WriteBatch& batch, Map& map) {
    for (const auto& put : batch.puts()) map[put.key] = std::string(as_text(put.value));
    for (const auto& erase : batch.erases()) map.erase(erase.key);
}

void erase_all(Map& map, const Bytes& from, const Bytes& to) {
    map.erase(map.lower_bound(from), map.lower_bound(to));
}

void erase_every_second(Map& map, const Bytes& from, const Bytes& to) {
    const auto end = map.lower_bound(to);
    for (auto at = map.lower_bound(from); at != end;) {
        at = map.erase(at);
        if (at != end) ++at;
    }
}

Fault refused() {
    return {Fault::Kind::io, "memory store: refused on demand"};
}

}  // namespace

void MemoryStore::fail_at(std::uint64_t operation, Failure failure) {
    fail_at_ = operation;
    failure_ = failure;
}

void MemoryStore::crash() {
    if (after_crash_) live_ = std::move(after_crash_);
    after_crash_ = nullptr;
    failure_ = Failure::none;
}

Result<std::optional<std::string>, Fault> MemoryStore::get(ByteView key) const {
    const auto found = live_->find(Bytes(key.begin(), key.end()));
    if (found == live_->end()) return std::nullopt;
    return found->second;
}

std::unique_ptr<Cursor> MemoryStore::cursor() const {
    return std::make_unique<MemoryCursor>(live_);
}

Result<void, Fault> MemoryStore::write(const WriteBatch& batch) {
    switch (TRY(begin_operation())) {
        case Failure::none:
        case Failure::lose: apply(batch, writable(live_)); return {};
        case Failure::refuse: return fail(refused());
        case Failure::refuse_but_keep:
            after_crash_ = live_;
            apply(batch, writable(after_crash_));
            return fail(refused());
    }
    UNREACHABLE();
}

Result<void, Fault> MemoryStore::erase_range(ByteView from, ByteView to) {
    const Bytes first(from.begin(), from.end());
    const Bytes end(to.begin(), to.end());
    if (first >= end) return {};
    switch (TRY(begin_operation())) {
        case Failure::none:
        case Failure::lose: erase_all(writable(live_), first, end); return {};
        case Failure::refuse: erase_every_second(writable(live_), first, end); break;
        case Failure::refuse_but_keep:
            after_crash_ = live_;
            erase_all(writable(after_crash_), first, end);
            break;
    }
    return fail(refused());
}

Result<MemoryStore::Failure, Fault> MemoryStore::begin_operation() {
    const std::uint64_t number = operations_++;
    if (full_) return fail(Fault{Fault::Kind::full, "memory store: full"});
    if (failure_ == Failure::none || number < fail_at_) return Failure::none;
    if (failure_ == Failure::lose && !after_crash_) after_crash_ = live_;
    if (failure_ != Failure::lose && number > fail_at_) return fail(refused());
    return failure_;
}

MemoryStore::Map& MemoryStore::writable(Version& version) {
    if (version.use_count() > 1) version = std::make_shared<Map>(*version);
    return *version;
}

}  // namespace leither::store
