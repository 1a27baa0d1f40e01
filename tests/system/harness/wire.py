"""What passes the loopback interface, counted from outside the daemons: headers and acknowledgements included."""

import os
import socket
import struct
import threading

ALL_PROTOCOLS = 3
TCP, UDP = 6, 17
SO_RCVBUFFORCE = 33  # of asm-generic/socket.h


def can_count():
    return os.geteuid() == 0


class WireCount:
    """Bytes of IPv4 packets from and to the addresses of some daemons, by protocol, from now on. `endpoints` are
    (address, port); root only."""

    def __init__(self, *endpoints):
        self._ours = {(socket.inet_aton(address), port) for address, port in endpoints}
        self.bytes = {TCP: 0, UDP: 0}
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL_PROTOCOLS))
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
        self._socket.bind(("lo", 0))
        self._socket.settimeout(0.2)
        self._ends = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def end(self):
        self._ends = True
        self._thread.join()
        self._socket.close()
        return self.bytes

    def _run(self):
        while not self._ends:
            try:
                packet, source = self._socket.recvfrom(65_536)
            except TimeoutError:
                continue
            # Loopback shows each packet twice, as it goes out and as it comes in.
            if source[2] == socket.PACKET_OUTGOING or packet[0] >> 4 != 4:
                continue
            header = (packet[0] & 15) * 4
            ports = struct.unpack(">HH", packet[header:header + 4])
            ends = zip((packet[12:16], packet[16:20]), ports)
            if packet[9] in self.bytes and any(end in self._ours for end in ends):
                self.bytes[packet[9]] += struct.unpack(">H", packet[2:4])[0]
