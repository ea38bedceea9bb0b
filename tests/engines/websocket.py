"""The client side of a WebSocket (RFC 6455), text messages only, on loopback.

Enough for WebDriver BiDi and nothing more: no extensions, no TLS. It refuses frames it does not
know. A library would be one more pinned package for sixty lines.
"""

from __future__ import annotations

import base64
import os
import socket
import struct


class WebSocket:
    def __init__(self, host: str, port: int, path: str) -> None:
        self._socket = socket.create_connection((host, port), timeout=60)
        key = base64.b64encode(os.urandom(16)).decode()
        # No Origin: Firefox refuses pages, and takes us for none.
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = self._socket.recv(1)
            if not byte:
                raise ConnectionError(head.decode("latin-1"))
            head += byte
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            raise ConnectionError(head.decode("latin-1"))

    def send(self, text: str) -> None:
        octets = text.encode()
        mask = os.urandom(4)
        size = len(octets)
        if size < 126:
            head = struct.pack("!BB", 0x81, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", 0x81, 0xFE, size)
        else:
            head = struct.pack("!BBQ", 0x81, 0xFF, size)
        masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(octets))
        self._socket.sendall(head + mask + masked)

    def receive(self) -> str:
        """The next whole message."""
        message = b""
        while True:
            first, second = self._exactly(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", self._exactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", self._exactly(8))
            payload = self._exactly(size)
            match first & 0x0F:
                case 0 | 1:
                    message += payload
                    if first & 0x80:
                        return message.decode()
                case 8:
                    raise ConnectionError("closed")
                case 9 | 10:
                    continue
                case other:
                    raise ConnectionError(f"frame of kind {other}")

    def close(self) -> None:
        self._socket.close()

    def _exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            part = self._socket.recv(count - len(found))
            if not part:
                raise ConnectionError("gone")
            found += part
        return found
