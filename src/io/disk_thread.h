// The one thread that writes the store. Work is done in the order it was given.
#pragma once

#include <functional>

#include "leither/io/reactor.h"
#include "leither/io/secret_file.h"
#include "leither/ledger/block_store.h"
#include "leither/node/vote_keys.h"
#include "leither/store/kv.h"

#include "workers.h"

namespace leither::io {

class DiskThread {
 public:
    // Called on the reactor's thread.
    using Done = std::function<void(Result<void, store::Fault>)>;

    // Both outlive it.
    DiskThread(store::Store& store, Reactor& reactor)
        : store_(store), reactor_(reactor), worker_(1, "leither-disk") {}

    // Writes and syncs the batch.
    void write(store::WriteBatch batch, Done done) {
        run([this, batch = std::move(batch)] { return store_.write(batch); }, std::move(done));
    }
    // Replaces the file first. A batch of nothing is not written.
    void write(const std::string& path, node::SecretFile keys, store::WriteBatch batch, Done done) {
        run(
            [this, path, keys = std::move(keys), batch = std::move(batch)] {
                auto replaced = replace_secret_file(path, keys.view());
                return replaced && !batch.empty() ? store_.write(batch) : replaced;
            },
            std::move(done));
    }
    void prune(const ledger::Pruning& pruning, Done done) {
        run([this, pruning] { return ledger::prune(store_, pruning); }, std::move(done));
    }

 private:
    template <class Work>
    void run(Work work, Done done) {
        worker_.submit([this, work = std::move(work), done = std::move(done)] {
            reactor_.post([done, result = work()]() mutable { done(std::move(result)); });
        });
    }

    store::Store& store_;
    Reactor& reactor_;
    Workers worker_;  // last: joined before the rest goes
};

}  // namespace leither::io
