"""A byte-level faulty network between a client and one server, from a seed.

For each connection and direction the plan says after how many bytes what happens: the bytes come in
small pieces, late, not at all any more while the connection stays open (stall), the direction ends
(half-close), or the connection breaks (cut). What a client has given up is not delivered later.
"""

import asyncio
import contextlib
import random
import socket
import struct
import threading

FAULTS = [None, None, None, "split", "delay", "cut", "half-close", "stall"]
WEIGHTS = [6, 6, 6, 3, 3, 3, 2, 1]
PIECE_MAX = 7
SPLIT_BYTES = 300  # so many come in pieces
DELAYS_S = (0.005, 0.05)
CHUNK = 65536


class Plan:
    """What happens to one direction of one connection."""

    def __init__(self, draw):
        self.fault = draw.choices(FAULTS, WEIGHTS)[0]
        self.after = draw.choice([draw.randrange(40, 400), draw.randrange(40, 6000)])
        self.piece = draw.randint(1, PIECE_MAX)
        self.delay = draw.uniform(*DELAYS_S)


class Proxy:
    """Listens on one port for one server."""

    def __init__(self, server_port, port=0):
        self.server_port = server_port
        self.draw = random.Random(0)
        self.counts = {}
        self.tasks = set()
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]

    def begin(self, seed):
        """From now on the connections of this seed."""
        self.draw = random.Random(seed)

    async def serve(self):
        server = await asyncio.start_server(self.met, sock=self.listener)
        async with server:
            await server.serve_forever()

    def met(self, *streams):
        # A task that nobody refers to may be collected.
        task = asyncio.ensure_future(self.meet(*streams))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def meet(self, client_reader, client_writer):
        plans = Plan(self.draw), Plan(self.draw)
        for plan in plans:
            self.counts[plan.fault] = self.counts.get(plan.fault, 0) + 1
        try:
            server_reader, server_writer = await asyncio.open_connection(
                "127.0.0.1", self.server_port
            )
        except OSError:
            client_writer.close()
            return
        writers = (client_writer, server_writer)
        ways = [
            asyncio.ensure_future(self.carry(client_reader, server_writer, plans[0], writers)),
            asyncio.ensure_future(self.carry(server_reader, client_writer, plans[1], writers)),
        ]
        # A client that is gone is gone for the server, too, whatever was still to be delivered.
        await asyncio.wait(ways, return_when=asyncio.ALL_COMPLETED)
        for writer in writers:
            writer.close()

    async def carry(self, reader, writer, plan, writers):
        carried = 0
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                faulty = plan.fault and carried + len(data) > plan.after
                if not faulty:
                    writer.write(data)
                    await writer.drain()
                elif plan.fault in ("split", "delay"):
                    await self.slowly(data, reader, writer, plan)
                else:
                    writer.write(data[: max(0, plan.after - carried)])
                    await writer.drain()
                    if not await self.broken(reader, writer, plan, writers):
                        return
                carried += len(data)
            writer.write_eof()
            return
        for each in writers:
            each.close()

    async def slowly(self, data, reader, writer, plan):
        if plan.fault == "delay":
            await asyncio.sleep(plan.delay)
            if not reader.at_eof():
                writer.write(data)
        else:
            for start in range(0, min(len(data), SPLIT_BYTES), plan.piece):
                writer.write(data[start : min(start + plan.piece, SPLIT_BYTES)])
                await writer.drain()
                await asyncio.sleep(0)
            writer.write(data[SPLIT_BYTES:])
        await writer.drain()

    async def broken(self, reader, writer, plan, writers):
        """Does what breaks the connection. False: this direction is over."""
        if plan.fault == "half-close":
            writer.write_eof()
        elif plan.fault == "cut":
            for each in writers:
                abort(each)
            return False
        while await reader.read(CHUNK):  # what comes now is lost
            continue
        for each in writers:
            each.close()
        return False


def abort(writer):
    """Ends a connection by RST, as a machine does that has forgotten it."""
    with contextlib.suppress(OSError):
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


class Network:
    """Proxies that run in a thread of their own."""

    def __init__(self, proxies):
        self.proxies = proxies
        self.port = proxies[0].port
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        asyncio.run(self.serve())

    async def serve(self):
        await asyncio.gather(*(proxy.serve() for proxy in self.proxies))

    def begin(self, seed):
        for index, proxy in enumerate(self.proxies):
            proxy.begin(f"{seed} {index}")

    def counts(self):
        """Fault -> directions of connections that had it planned."""
        total = {}
        for proxy in self.proxies:
            for fault, count in proxy.counts.items():
                total[fault or "none"] = total.get(fault or "none", 0) + count
        return total
