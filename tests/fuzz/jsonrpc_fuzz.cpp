// Arbitrary bytes to the dispatcher before a node that keeps no ledger: each text is answered
// exactly once, with valid JSON or nothing.
#include <cstdlib>
#include <string>

#include <nlohmann/json.hpp>

#include "leither/base/check.h"
#include "leither/node/node.h"
#include "leither/rpc/dispatcher.h"
#include "leither/store/memory_store.h"

namespace {

using namespace leither;

class FuzzHost final : public rpc::Host {
 public:
    node::Queries queries() const override { return node_.queries(); }
    const PublicKey& node_key() const override { return node_.node_key(); }
    Instant now() const override { return {}; }
    void enqueue(node::Input&& input) override { inputs_.push_back(std::move(input)); }
    void set_pulse_events(rpc::PulseEvents) override {}
    void stop() override {}
    rpc::ProcessStats process_stats() const override { return {}; }

    // Steps what was asked for, hands the replies to the dispatcher and forgets what it founded.
    void settle(rpc::Dispatcher& dispatcher) {
        for (auto& input : std::exchange(inputs_, {})) {
            if (std::holds_alternative<node::Found>(input)) continue;
            for (auto& reply : node_.step(std::move(input), now()).replies) {
                dispatcher.on_reply(std::move(reply));
            }
        }
        dispatcher.stop();
    }

 private:
    store::MemoryStore store_;
    node::Node node_ = node::Node::open({}, store_, crypto::KeyPair::from_seed({}), Log()).value();
    std::vector<node::Input> inputs_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    crypto::initialise();
    FuzzHost host;
    rpc::Metrics metrics;
    rpc::Dispatcher dispatcher({}, host, metrics);
    const auto connection = dispatcher.connect([](std::string) {});
    int answers = 0;
    dispatcher.handle(as_text({data, size}), connection, [&answers](std::string reply) {
        ++answers;
        CHECK(reply.empty() || nlohmann::json::accept(reply), reply);
    });
    host.settle(dispatcher);
    CHECK(answers == 1);
    return 0;
}
