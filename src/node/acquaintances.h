// Whom this node knows, as kept in the network's store over a restart: contacts of the DHT,
// addresses of peers, bans.
#pragma once

#include <vector>

#include "leither/dht/node_id.h"
#include "leither/org/shelf.h"
#include "leither/peer/hub.h"
#include "leither/peer/peer_table.h"
#include "leither/store/kv.h"

namespace leither::node {

void put_contacts(store::GatheredWrites& writes, const std::vector<dht::Contact>& contacts);
void put_addresses(store::GatheredWrites& writes, const std::vector<peer::PeerAddress>& addresses);
void put_bans(store::GatheredWrites& writes, const std::vector<peer::BanStatus>& bans);

// What is not there or does not decode is as good as nothing: the network has it again.
Result<std::vector<dht::Contact>, store::Fault> read_contacts(const store::Reader& store);
Result<std::vector<peer::PeerAddress>, store::Fault> read_addresses(const store::Reader& store);
Result<std::vector<peer::BanStatus>, store::Fault> read_bans(const store::Reader& store);

}  // namespace leither::node
