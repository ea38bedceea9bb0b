"""What the server refuses before the application sees it, and what its log makes of an address.

tests/web/hostile.py leaves these requests out: gunicorn answers them. A real process, raw bytes.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest


@pytest.fixture
def server(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TROSKEL_")}
    command = "from pwa.commands.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "serve", "--port", "0", "--data", str(data_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**clean, "PYTHONPATH": os.getcwd()},
    )
    yield process
    process.terminate()
    process.communicate(timeout=30)


def port_of(server: subprocess.Popen[str]) -> int:
    assert server.stdout is not None
    found = re.search(r":(\d+)$", server.stdout.readline().strip())
    assert found
    return int(found[1])


def ask(port: int, request: bytes) -> list[int]:
    """The statuses of all answers to these bytes, until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        # Where it has closed with bytes unread, the answer itself may be lost on the way.
        with suppress(ConnectionResetError):
            while octets := connection.recv(65536):
                answer += octets
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


HOST = b"Host: 127.0.0.1\r\n"
SMUGGLED = b"GET /session HTTP/1.1\r\n" + HOST + b"\r\n"


def test_a_message_with_two_lengths_or_with_raw_bytes_is_refused(
    server: subprocess.Popen[str],
) -> None:
    port = port_of(server)
    chunked = b"Transfer-Encoding: chunked\r\n"
    heads = [
        b"POST /sign-in HTTP/1.1\r\n" + HOST + chunked + b"Content-Length: 5\r\n\r\n0\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-A: a\x00b\r\n\r\n",
        b"GET /healthz?\xdd HTTP/1.1\r\n" + HOST + b"\r\n",
        b"get /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    ]
    for head in heads:
        statuses = ask(port, head + SMUGGLED)
        # At most one answer, a refusal: what came behind it is no request of its own.
        assert len(statuses) <= 1, head
        assert all(400 <= status < 600 for status in statuses), head
    close = b"Connection: close\r\n\r\n"
    assert ask(port, b"GET /healthz HTTP/1.1\r\n" + HOST + close) == [200]


def test_an_address_writes_no_line_of_its_own_into_the_log(server: subprocess.Popen[str]) -> None:
    port = port_of(server)
    path = b"/nowhere%0A[01/Dec/2026:00:00:00%20+0000]%20GET%20/forged%20200"
    assert ask(port, b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n") == [
        404
    ]
    server.terminate()
    out, err = server.communicate(timeout=30)
    forged = [line for line in (out + err).splitlines() if "/forged" in line]
    assert len(forged) == 1
    assert "GET /nowhere" in forged[0]
