"""A steady number of requests a second over connections that are kept alive, and when which of them failed."""

import asyncio
import collections
import threading
import time

Failure = collections.namedtuple("Failure", "at path reason")


class Load:
    """While it is entered, sends GETs in turn; each connection sends the next one when its time has come."""

    def __init__(self, host, port, paths, token, rate=500, connections=50):
        self.address, self.paths, self.rate, self.connections = (host, port), paths, rate, connections
        self.head = f"host: {host}:{port}\r\nauthorization: Bearer {token}\r\n\r\n"
        self.sent, self.failures, self.reconnected, self.times = 0, [], 0, []
        self.stopping = False

    def __enter__(self):
        self.began = time.monotonic()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join()

    def failed_between(self, begin, end):
        return [failure for failure in self.failures if begin <= failure.at < end]

    async def _run(self):
        await asyncio.gather(*(self._connection(n) for n in range(self.connections)))

    async def _connection(self, number):
        pause, stream, turn = self.connections / self.rate, None, number
        due = self.began + pause * number / self.connections
        while not self.stopping:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = max(due + pause, time.monotonic() - 1)
            path, began = self.paths[turn % len(self.paths)], time.monotonic()
            turn, self.sent = turn + 1, self.sent + 1
            try:
                status, stream = await asyncio.wait_for(self._ask(stream, path), 10)
                if status != 200:
                    self.failures.append(Failure(began, path, str(status)))
            except Exception as error:
                self.failures.append(Failure(began, path, repr(error)))
                stream = None
            self.times.append((began, time.monotonic() - began))

    async def _ask(self, stream, path):
        """The status, and the connection when it may be used again. A kept connection that was closed before the answer began is
        replaced once, as every HTTP client does (RFC 9110, 9.2.2)."""
        reused = stream is not None
        try:
            return await self._exchange(stream or await asyncio.open_connection(*self.address), path)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            if not reused or getattr(error, "partial", b""):
                raise
        self.reconnected += 1
        return await self._exchange(await asyncio.open_connection(*self.address), path)

    async def _exchange(self, stream, path):
        reader, writer = stream
        writer.write(f"GET {path} HTTP/1.1\r\n{self.head}".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next(int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:"))
        await reader.readexactly(length)
        if "connection: close" in head:
            writer.close()
            stream = None
        return int(head.split()[1]), stream
