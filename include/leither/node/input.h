// Everything that can happen to a node. Closed: a new kind of event is a new alternative here.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "leither/base/bytes.h"
#include "leither/base/result.h"
#include "leither/node/network.h"
#include "leither/protocol/endorsement.h"
#include "leither/protocol/transaction.h"
#include "leither/store/kv.h"

namespace leither::node {

struct Tick {};
// Found the organization of this genesis (BCS of protocol::Genesis) on this node.
struct Found {
    Token token = 0;
    Bytes genesis;
};
// Transactions to commit, in order (each BCS of protocol::Transaction). One Reply with one verdict
// each, in the same order, as soon as all verdicts are known.
struct Submit {
    Token token = 0;
    std::vector<Bytes> transactions;
};
// The host has checked the job's signatures: true where one holds, in the job's order.
struct SignaturesChecked {
    std::uint64_t job = 0;
    std::vector<bool> holds;
};
// The batch handed out last is durable, or could not be written.
struct Persisted {
    Result<void, store::Fault> result;
};

// Something a caller wants of the network. One NetworkReply.
struct NetworkCall {
    Token token = 0;
    NetworkRequest request;
};

// Keep the receipts of this account from now on, or no longer. One NetworkReply.
struct KeepReceipts {
    Token token = 0;
    Id account;
    enum class Wish : std::uint8_t { keep, stop } wish = Wish::keep;
};

// Gather what the committee in office has to say of the owner's account. One NetworkReply with the
// endorsed receipt, some seconds later at most.
struct Endorse {
    Token token = 0;
    protocol::AskEndorsement ask;
};

// Sign, as a candidate's node, that the head is the last block of a silent committee: for a
// hand-over to these seats, or without any for a recovery. From then on this node votes for no
// other block of that term. One NetworkReply with the signature.
struct SignTakeover {
    Token token = 0;
    Bounded<protocol::Seat, protocol::kTinyCommitteeMax> seats;
};
// A takeover that is complete: to be told to others, and decided if this node is seated. One
// NetworkReply with its id.
struct TakeOver {
    Token token = 0;
    protocol::Transaction act;
};

using Input = std::variant<Tick, Found, Submit, SignaturesChecked, Persisted, NetworkCall,
                           KeepReceipts, Endorse, SignTakeover, TakeOver>;

}  // namespace leither::node
