// The layout of a data directory, shared by the daemon that fills it and the clients that find it.
#pragma once

#include <filesystem>

namespace leither::app {

class DataDir {
 public:
    explicit DataDir(std::filesystem::path root) : root_(std::move(root)) {}

    const std::filesystem::path& root() const { return root_; }
    std::filesystem::path node_key() const { return root_ / "node.key"; }
    std::filesystem::path vote_keys() const { return root_ / "vote.keys"; }  // never in a backup
    std::filesystem::path cookie() const { return root_ / "cookie"; }        // new at each start
    std::filesystem::path address() const { return root_ / "address"; }      // the URL of /rpc
    std::filesystem::path ledger() const { return root_ / "ledger"; }
    std::filesystem::path network() const { return root_ / "network"; }  // records, messages, chat
    std::filesystem::path traffic() const { return root_ / "traffic"; }  // of this month
    std::filesystem::path wallet() const {
        return root_ / "wallet";
    }  // unless wallet.dir names another

    // Further organizations, each with a data directory of its own, of that name.
    std::filesystem::path organizations() const { return root_ / "organizations"; }
    std::filesystem::path ports() const { return root_ / "ports"; }    // a further one's, to keep
    std::filesystem::path closed() const { return root_ / "closed"; }  // is there: it is not served

 private:
    std::filesystem::path root_;
};

// $STATE_DIRECTORY (set by systemd), else $XDG_DATA_HOME/leither, else ~/.local/share/leither.
std::filesystem::path default_data_dir();

}  // namespace leither::app
