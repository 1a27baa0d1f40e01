// A ledger without accounts: what is signed with a new nonce is in order, and the root is a hash of
// all before it. What the agreement asks of a law and little else, so that committees can be
// simulated by the thousand.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "leither/consensus/application.h"
#include "leither/protocol/sync_messages.h"

namespace leither::sim {

class StubLaw final : public consensus::Law {
 public:
    struct Options {
        ChainId chain;
        std::uint64_t time_ms = 0;  // of pulse 0
        std::uint32_t pulse_ms = 1000;
        Amount supply;  // the root's sum for ever
    };

    StubLaw(const Options& options, consensus::Term term);
    // What a disk holds before the first block.
    static store::WriteBatch birth(const Options& options);
    // Stands on what the disk holds; nothing waits. The store outlives the law.
    Result<void, store::Fault> open(const store::Reader& store);

    // Takes it into what waits. Whether it is new, and can still be committed.
    bool add(const protocol::Transaction& transaction, Instant now);
    // Decided blocks behind `from`, as far as they are there.
    Result<std::vector<protocol::DecidedBlock>, store::Fault> blocks(Sequence from,
                                                                     std::size_t count) const;

    // ---- consensus::Law
    Pulse pulse(Instant now) const override;
    Result<consensus::Value, store::Fault> build(const consensus::Stamp& stamp) override;
    Result<consensus::Validity, store::Fault> check(const Hash& block,
                                                    const consensus::Value& value) override;
    Result<bool, store::Fault> omits(const consensus::Value& value, Pulse at) override;
    std::optional<Pulse> opens_at() const override { return opens_at_; }
    Result<bool, store::Fault> has_work(Pulse at) override;
    Result<store::WriteBatch, store::Fault> seal(const Hash& block, consensus::Value&& value,
                                                 const protocol::Certificate& decided) override;
    Result<void, store::Fault> commit(Instant now) override;
    const consensus::Term& term() const override { return term_; }
    const ledger::Seal& head() const override { return head_; }
    Result<std::optional<protocol::Transactions>, store::Fault> head_transactions() override;
    Result<std::optional<consensus::DecidedHeight>, store::Fault> decided(Sequence height) override;

 private:
    struct Waiting {
        protocol::Transaction transaction;
        Pulse since;  // the first that could hold it
    };
    using Spent = std::pair<Id, protocol::Nonce>;

    static Spent spent_by(const protocol::Transaction& transaction) {
        return {transaction.body.signer, transaction.body.nonce};
    }
    Hash root_after(const Hash& transactions) const;
    bool are_in_order(const protocol::BlockHeader& header,
                      const protocol::Transactions& transactions) const;

    Options options_;
    consensus::Term term_;
    const store::Reader* store_ = nullptr;
    ledger::Seal head_;
    Hash head_hash_;  // as a parent
    std::set<Spent> spent_;
    std::map<Hash, Waiting> waiting_;  // by transaction id
    std::optional<Pulse> opens_at_;
    struct Sealed {
        ledger::Seal seal;
        protocol::Transactions transactions;
    };
    std::optional<Sealed> sealed_;
};

}  // namespace leither::sim
