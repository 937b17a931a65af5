"""The library's client, which also says how many lines were lost, and loses none to an Agent that was only restarted.

The library itself counts what it drops with its telemetry alone, and in packets.
"""

from __future__ import annotations

from socket import SO_ERROR, SOL_SOCKET

from datadog.dogstatsd.base import DogStatsd


class Dog(DogStatsd):
    """For one thread. `lost`: lines that nobody took, since `take_lost`.

    Over a unix socket these are all that were lost on the way. Over UDP the kernel tells at once where nobody listens
    on this very host; what a network loses nobody hears of.
    """

    lost = 0

    def take_lost(self) -> int:
        lost, self.lost = self.lost, 0
        return lost

    # The library's own method, not a public one: the tests of an absent Agent fail where it is no longer called.
    def _xmit_packet(self, packet: str, is_telemetry: bool, queue_mode: bool = False) -> bool | None:
        connected = self.socket is not None
        sent = super()._xmit_packet(packet, is_telemetry, queue_mode)
        if not sent and connected and self.socket is None:
            # Closed for an error, not for a wait that was too long: perhaps the Agent's socket was made anew.
            sent = super()._xmit_packet(packet, is_telemetry, queue_mode)
        sent = sent and not self._was_refused()
        if not sent and not is_telemetry:
            self.lost += packet.count("\n")
        return sent

    def _was_refused(self) -> bool:
        return self.socket_path is None and bool(self.get_socket().getsockopt(SOL_SOCKET, SO_ERROR))
