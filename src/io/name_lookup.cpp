#include "leither/io/name_lookup.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include <netdb.h>
#include <pthread.h>

#include "asio.h"
#include "socket_address.h"

namespace leither::io {
namespace {

// Resolvers load modules of the system; more than the workers' stack is theirs.
constexpr std::size_t kStackBytes = std::size_t{1} << 20;

// What the thread of the resolver and the lookup share: whichever ends first.
struct Meeting {
    std::mutex mutex;
    Reactor* reactor = nullptr;  // null: nobody waits any more
    std::function<void(std::vector<std::vector<IpAddress>>)> on_answer;
};

struct Question {
    std::shared_ptr<Meeting> meeting;
    NameLookup::Resolve resolve;
    std::vector<std::string> hosts;
};

void* answer(void* held) {
    const std::unique_ptr<Question> question(static_cast<Question*>(held));
    std::vector<std::vector<IpAddress>> found;
    for (const std::string& host : question->hosts) found.push_back(question->resolve(host));
    const std::lock_guard lock(question->meeting->mutex);
    if (question->meeting->reactor == nullptr) return nullptr;
    question->meeting->reactor->post(
        [on_answer = question->meeting->on_answer, found = std::move(found)]() mutable {
            on_answer(std::move(found));
        });
    return nullptr;
}

// False if the system has no thread for it.
bool ask(std::unique_ptr<Question> question) {
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return false;
    pthread_attr_setstacksize(&attributes, kStackBytes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread{};
    const bool has_begun = pthread_create(&thread, &attributes, answer, question.get()) == 0;
    if (has_begun) (void)question.release();
    pthread_attr_destroy(&attributes);
    return has_begun;
}

}  // namespace

std::vector<IpAddress> NameLookup::ask_system(const std::string& host) {
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_DGRAM;
    addrinfo* list = nullptr;
    if (getaddrinfo(host.c_str(), nullptr, &wanted, &list) != 0) return {};
    std::vector<IpAddress> found;
    for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
        SocketAddress address{.v6 = {}};
        if (one->ai_addrlen > sizeof(address)) continue;
        std::memcpy(&address, one->ai_addr, one->ai_addrlen);
        found.push_back(read_address(address).address);
    }
    freeaddrinfo(list);
    return found;
}

struct NameLookup::Impl : std::enable_shared_from_this<NameLookup::Impl> {
    Impl(NameLookup::Options given, Reactor& its_reactor, OnFound callback, Log its_log)
        : options(std::move(given)),
          reactor(its_reactor),
          on_found(std::move(callback)),
          log(std::move(its_log)),
          timer(reactor.context()) {}

    void look_up();
    void on_answer(const std::vector<std::vector<IpAddress>>& found);
    void wait(Duration duration);
    void stop();

    NameLookup::Options options;
    Reactor& reactor;
    OnFound on_found;
    Log log;
    asio::steady_timer timer;
    std::shared_ptr<Meeting> meeting;  // while a lookup is under way
    bool is_asked_again = false;
    Duration retry{};
};

void NameLookup::Impl::look_up() {
    timer.cancel();
    is_asked_again = false;
    auto question = std::make_unique<Question>();
    question->resolve = options.resolve;
    for (const HostName& name : options.names) question->hosts.push_back(name.host);
    meeting = std::make_shared<Meeting>();
    meeting->reactor = &reactor;
    meeting->on_answer = [weak = weak_from_this()](auto found) {
        if (const auto self = weak.lock()) self->on_answer(found);
    };
    question->meeting = meeting;
    if (ask(std::move(question))) return;
    on_answer(std::vector<std::vector<IpAddress>>(options.names.size()));
}

void NameLookup::Impl::on_answer(const std::vector<std::vector<IpAddress>>& found) {
    meeting.reset();
    std::vector<Endpoint> endpoints;
    std::string missing;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const HostName& name = options.names[i];
        const std::size_t count = std::min(found[i].size(), options.addresses_max);
        for (std::size_t n = 0; n < count; ++n) endpoints.push_back({found[i][n], name.port});
        if (count == 0) missing += (missing.empty() ? "" : ", ") + name.host;
    }
    if (missing.empty()) {
        retry = {};
    } else {
        // One line an outage.
        if (retry == Duration{}) {
            log.warn("name_not_found", "names=\"{}\" detail=\"going on trying\"", missing);
        }
        retry = std::clamp(2 * retry, options.retry_min, options.retry_max);
    }
    wait(missing.empty() ? options.renew : retry);
    if (!endpoints.empty()) on_found(endpoints);
    if (is_asked_again) look_up();
}

void NameLookup::Impl::wait(Duration duration) {
    timer.expires_after(duration);
    timer.async_wait([weak = weak_from_this()](const ErrorCode& cancelled) {
        const auto self = weak.lock();
        if (!cancelled && self && !self->meeting) self->look_up();
    });
}

void NameLookup::Impl::stop() {
    timer.cancel();
    if (!meeting) return;
    const std::lock_guard lock(meeting->mutex);
    meeting->reactor = nullptr;
}

NameLookup::NameLookup(Options options, Reactor& reactor, OnFound on_found, Log log)
    : impl_(std::make_shared<Impl>(std::move(options), reactor, std::move(on_found),
                                   std::move(log))) {}

NameLookup::~NameLookup() {
    impl_->stop();
}

void NameLookup::refresh() {
    if (impl_->meeting) {
        impl_->is_asked_again = true;
    } else {
        impl_->look_up();
    }
}

}  // namespace leither::io
