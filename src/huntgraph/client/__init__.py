"""The client of a game server: moves in, updates and receipts out, over QUIC.

::

    identity = Identity("game-server.pem", "game-server.key", "authority.pem")
    async with connect("huntgraph://127.0.0.1:4433", identity=identity) as link:
        updates = await link.send(moves)            # dtype MOVE in, dtype UPDATE out
        await link.durable(int(updates["position"].max()))
        receipts = link.receipts()                  # final: hand out the rewards

A link outlives its connections: when one is lost, or the actor is restarted, it connects again,
sends again what is not known to be durable, and goes on. Each move is applied once and answered
once. A native thread does this; the event loop only sees batches.
"""

from huntgraph.client.address import Identity
from huntgraph.client.connect import connect
from huntgraph.client.link import Link, Revision
from huntgraph.client.links import Links, connect_all
from huntgraph.client.seats import Seats

__all__ = ["Identity", "Link", "Links", "Revision", "Seats", "connect", "connect_all"]
