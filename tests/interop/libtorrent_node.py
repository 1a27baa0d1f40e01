"""A libtorrent session as a DHT node on loopback, with its alerts turned into answers."""

import hashlib
import time

import libtorrent as lt

from harness.dht_node import bracketed

ANSWER_SECONDS = 20

# Loopback is a network like any other, there is nobody outside, and limits meant for the Internet are off.
SETTINGS = {
    "enable_dht": True, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
    "enable_incoming_utp": False, "enable_outgoing_utp": False, "enable_incoming_tcp": False, "enable_outgoing_tcp": False,
    "dht_bootstrap_nodes": "", "dht_restrict_routing_ips": False, "dht_restrict_search_ips": False,
    "dht_ignore_dark_internet": False, "dht_prefer_verified_node_ids": False, "dht_enforce_node_id": False,
    "dht_upload_rate_limit": 100_000_000, "dht_block_ratelimit": 1_000_000, "alert_queue_size": 100_000,
    "alert_mask": int(lt.alert.category_t.dht_notification | lt.alert.category_t.dht_operation_notification |
                      lt.alert.category_t.error_notification),
    "user_agent": "leither-interop",
}


def secret_of(key):
    """libtorrent's form of a secret key: the hashed and clamped seed."""
    digest = bytearray(hashlib.sha512(key.seed).digest())
    digest[0] &= 248
    digest[31] = digest[31] & 63 | 64
    return bytes(digest)


class LibtorrentNode:
    def __init__(self, address, port, **settings):
        self.endpoint = (address, port)
        self.session = lt.session(dict(SETTINGS, listen_interfaces=f"{bracketed(address)}:{port}", **settings))

    def add(self, endpoints):
        for endpoint in endpoints:
            self.session.add_dht_node(endpoint)

    def nodes(self):
        """How many are in its routing table."""
        return self.session.status().dht_nodes

    def wait_for_nodes(self, count, seconds=60):
        deadline = time.monotonic() + seconds
        while self.nodes() < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"libtorrent knows {self.nodes()} nodes, not {count}")
            time.sleep(0.05)

    def alert(self, kind, fits=lambda alert: True, seconds=ANSWER_SECONDS):
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.session.wait_for_alert(int(left * 1000) + 1)
            for alert in self.session.pop_alerts():
                if isinstance(alert, kind) and fits(alert):
                    return alert
        raise TimeoutError(f"no {kind.__name__} from libtorrent")

    # ---- Items -------------------------------------------------------------------------------------------

    def put_value(self, value):
        """(target, copies stored)"""
        target = self.session.dht_put_immutable_item(value)
        alert = self.alert(lt.dht_put_alert, lambda alert: alert.target == target)
        return target.to_bytes(), alert.num_success

    def get_value(self, target):
        """The value, or None. Byte strings only: the binding can show no other kind, nor tell it from nothing."""
        wanted = lt.sha1_hash(target)
        self.session.dht_get_immutable_item(wanted)
        alert = self.alert(lt.dht_immutable_item_alert, lambda alert: alert.target == wanted)
        try:
            return alert.item["value"]
        except RuntimeError:
            return None

    def put_mutable(self, key, value, salt=b""):
        """(sequence, copies stored); libtorrent looks up the sequence itself and adds one."""
        self.session.dht_put_mutable_item(secret_of(key), key.public, value, salt)
        alert = self.alert(lt.dht_put_alert)
        return alert.seq, alert.num_success

    def get_mutable(self, public, salt=b""):
        """(value, sequence): what is authoritative after all nodes were asked; value None if nothing is."""
        self.session.dht_get_mutable_item(public, salt)
        alert = self.alert(lt.dht_mutable_item_alert, lambda alert: alert.authoritative)
        return alert.item["value"], alert.seq

    # ---- Peers -------------------------------------------------------------------------------------------

    def announce(self, info_hash, folder):
        """As a download without trackers does, since session.dht_announce takes a flag that no binding makes.
        The port announced is that of the session."""
        torrent = lt.add_torrent_params()
        torrent.info_hashes = lt.info_hash_t(lt.sha1_hash(info_hash))
        torrent.save_path = folder
        torrent.flags = lt.torrent_flags.update_subscribe
        self.session.add_torrent(torrent).force_dht_announce()

    def peers(self, info_hash, seconds=ANSWER_SECONDS):
        """The first peers that are found."""
        wanted = lt.sha1_hash(info_hash)
        self.session.dht_get_peers(wanted)
        alert = self.alert(lt.dht_get_peers_reply_alert, lambda alert: alert.info_hash == wanted and alert.peers(), seconds)
        return alert.peers()
