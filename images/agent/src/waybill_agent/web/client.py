"""HTTP to other servers: a client of many connections, and answers read no further than is sensible."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import httpx2

from waybill_agent.failure import Failure

MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_ERROR_BYTES = 8 * 1024
CONNECT_SECONDS = 5.0


def http_client(read_seconds: float, headers: dict[str, str] | None = None) -> httpx2.AsyncClient:
    """:param read_seconds: how long nothing may come from a server that is answering"""
    timeout = httpx2.Timeout(read_seconds, connect=CONNECT_SECONDS, pool=None)
    return httpx2.AsyncClient(headers=headers, timeout=timeout, limits=httpx2.Limits(max_connections=None))


async def whole_body(response: httpx2.Response) -> bytes:
    """:raises Failure: 502, when it is larger than any model's answer"""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Failure(502, "answer_too_large", f"{response.url.host} answers more than {MAX_BODY_BYTES} bytes")
    return bytes(body)


async def beginning(response: httpx2.Response) -> str:
    """Of an error's text."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) >= MAX_ERROR_BYTES:
            break
    return bytes(body[:MAX_ERROR_BYTES]).decode(errors="replace")


async def events(response: httpx2.Response) -> AsyncIterator[str]:
    """The data of server-sent events; events without data, comments among them, are left out."""
    data: list[str] = []
    size = 0
    async for line in response.aiter_lines():
        size += len(line)
        if size > MAX_BODY_BYTES:
            raise Failure(502, "answer_too_large", f"{response.url.host} answers more than {MAX_BODY_BYTES} bytes")
        if line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))
        elif line == "" and data:
            yield "\n".join(data)
            data = []
    if data:
        yield "\n".join(data)


def without_credentials(url: str) -> str:
    """A URL may have a password in it; a log line or an error may not."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
