"""Connections that have to get on: a request arrives in time, or its connection is closed."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 15.0  # seconds for the head of a request, and for what a refused one still sends


class Impatient(H11Protocol):
    """HTTP/1.1 by uvicorn, which waits for ever for a head that is sent letter by letter.

    A few hundred such connections would keep everybody else out. Bodies that are wanted have a
    limit of their own, where they are read.
    """

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - as uvicorn's own
        """Begin to wait."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(PATIENCE, transport.close)

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request; wait on if it is not all, but not anew for each piece."""
        super().data_received(data)
        us, them = self.conn.our_state, self.conn.their_state
        is_refused = us is h11.DONE and them is h11.SEND_BODY
        if not (them is h11.IDLE or is_refused):
            self._stop_waiting()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(PATIENCE, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
