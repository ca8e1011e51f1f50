"""Whose turn it is: two instances share one listening socket, and one of them accepts on it."""

import asyncio
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

from emily_runtime.messages import Refused
from emily_runtime.service.doors import DoorConfig
from emily_runtime.service.standing import Colour, Standing


@dataclass
class Turn:
    """The shared sockets, and whether this instance accepts on them."""

    standing: Standing
    way: DoorConfig
    sockets: tuple[socket.socket, ...]
    record: Path
    """The file that names the colour whose turn it is."""
    _servers: list[asyncio.Server] = field(default_factory=list)

    @property
    def is_mine(self) -> bool:
        """Whether a start takes at once: alone always, blue where nobody was ever chosen."""
        if self.standing.colour == "alone":
            return True
        return self._chosen() == self.standing.colour

    async def take(self) -> None:
        """Accept from now on, and remember it for the next start; twice is as good as once."""
        if self.standing.is_taking:
            return
        self._remember()
        self.way.door.reopen()
        loop = asyncio.get_running_loop()
        for shared in self.sockets:
            # A copy, because ending a server closes what it accepts on.
            copy = shared.dup()
            backlog = 4 * self.way.door.limits.connections
            self._servers.append(
                await loop.create_server(self.way.protocol, sock=copy, backlog=backlog)
            )
        self.standing.is_taking = True
        self.standing.tally.restart()

    def leave(self) -> None:
        """Accept nobody new; whoever is inside gets one more reply, and then the door is closed."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        self.standing.is_taking = False
        self.way.door.close()

    def _chosen(self) -> str:
        """Blue also where the record names no colour: somebody has to take."""
        try:
            found = self.record.read_text(encoding="ascii").strip()
        except (FileNotFoundError, UnicodeDecodeError):
            return "blue"
        return found if found == "green" else "blue"

    def _remember(self) -> None:
        colour: Colour = self.standing.colour
        if colour == "alone":
            return
        fresh = self.record.with_name(f".{self.record.name}.{colour}")
        try:
            with fresh.open("w", encoding="ascii") as file:
                file.write(f"{colour}\n")
                file.flush()
                os.fsync(file.fileno())  # else a power cut may leave an empty file of this name
            os.replace(fresh, self.record)
        except OSError as error:
            raise Refused("EMY-3005", file=self.record, reason=error.strerror) from None
