#pragma once

#include "leither/rpc/host.h"

namespace leither::io {

// Of this process; a figure the system does not give is 0.
rpc::ProcessStats read_process_stats(Duration uptime);

}  // namespace leither::io
