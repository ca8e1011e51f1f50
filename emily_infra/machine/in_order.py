"""A guard against a race in paramiko: nothing of a channel is sent after its end."""

import threading
from typing import cast

from paramiko import Channel, Message, Transport
from paramiko.common import cMSG_CHANNEL_CLOSE


def in_order(channel: Channel) -> Channel:
    """CHANNEL, open, whose messages cannot overtake one another from now on.

    paramiko decides under a lock what to send, and sends it without: a thread that feeds a command
    which ends meanwhile could then send after the channel's CLOSE (RFC 4254, 5.3). The server hangs
    up on that, with every other command of the connection; or, where the number has been given away
    already, one command's input reaches another.
    """
    assert channel.transport
    channel.transport = cast(Transport, _InOrder(channel.transport))
    return channel


class _InOrder:
    """The connection as one channel sees it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._sending = threading.Lock()
        self._over = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._transport, name)

    def _send_user_message(self, message: Message) -> None:
        with self._sending:
            if not self._over:
                self._over = message.asbytes()[:1] == cMSG_CHANNEL_CLOSE
                self._transport._send_user_message(message)  # type: ignore[attr-defined]
