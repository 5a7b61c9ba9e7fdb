"""Tools of MCP servers over streamable HTTP: a session a conversation, opened when needed, and again when lost."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, TextContent
from mcp_types import Tool as McpTool

from waybill_agent.agent.tool import Tool, ToolFailure, cut
from waybill_agent.log import fields, log

OPEN_SECONDS = 10.0
"""For connecting, the handshake and the list of tools: a server that is away must not hold the conversation up."""

CLOSE_SECONDS = 1.0
MAX_PAGES = 50


class Lost(Exception):
    """The session is gone, or was never there."""


class Session:
    """
    One MCP session, in a task of its own.

    The SDK's client is a tree of tasks that belongs to whoever opened it and takes it along when the connection breaks.
    Here that is this task and not the conversation, which gets a ``Lost`` instead.
    """

    def __init__(self, url: str, http: httpx2.AsyncClient, read_seconds: float) -> None:
        self._client = Client(streamable_http_client(url, http_client=http), read_timeout_seconds=read_seconds)
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._closing = asyncio.Event()
        self._task = asyncio.create_task(self._hold())

    async def _hold(self) -> None:
        try:
            async with self._client:
                self._opened.set_result(None)
                await self._closing.wait()
        except Exception as error:
            log.debug("an MCP session broke", **fields(error=repr(error)))
        finally:
            self._opened.cancel()

    @property
    def ended(self) -> bool:
        return self._task.done()

    async def open(self) -> None:
        """Waits until it is open. :raises Lost: when the server can't be reached, or speaks no MCP"""
        await asyncio.wait({self._opened}, timeout=OPEN_SECONDS)
        if self._opened.cancelled() or not self._opened.done():
            raise Lost

    async def do[T](self, request: Coroutine[Any, Any, T], seconds: float) -> T:
        """:param request: a coroutine of the client :raises Lost: :raises TimeoutError: :raises MCPError:"""
        task = asyncio.ensure_future(request)
        try:
            await asyncio.wait({task, self._task}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            if self._task.done():
                raise Lost
            raise TimeoutError
        finally:
            task.cancel()

    async def list_tools(self) -> list[McpTool]:
        tools: list[McpTool] = []
        cursor = None
        for _ in range(MAX_PAGES):
            page = await self.do(self._client.list_tools(cursor=cursor), OPEN_SECONDS)
            tools += page.tools
            cursor = page.next_cursor
            if not cursor:
                break
        return tools

    async def call(self, name: str, arguments: dict[str, Any], seconds: float) -> CallToolResult:
        return await self.do(self._client.call_tool(name, arguments), seconds)

    async def close(self) -> None:
        self._closing.set()
        done, _ = await asyncio.wait({self._task}, timeout=CLOSE_SECONDS)
        if not done:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=CLOSE_SECONDS)


class McpServer:
    """A server as one conversation sees it."""

    def __init__(self, name: str, url: str, http: httpx2.AsyncClient, call_seconds: float) -> None:
        self.name = name
        self._url = url if url.endswith("/mcp") else f"{url}/mcp"
        self._http = http
        self._seconds = call_seconds
        self._session: Session | None = None
        self._lock = asyncio.Lock()

    async def tools(self) -> list[Tool]:
        """:raises ToolFailure: when the server is away"""
        try:
            session = await self._open()
            return [self._tool(tool) for tool in await session.list_tools()]
        except Exception as error:
            await self.close()
            raise ToolFailure(f"MCP server {self.name} can't be reached") from error

    def _tool(self, tool: McpTool) -> Tool:
        async def call(arguments: dict[str, Any]) -> str:
            return await self._call(tool.name, arguments)

        return Tool(tool.name, self.name, tool.name, tool.description or "", tool.input_schema, call)

    async def _call(self, name: str, arguments: dict[str, Any]) -> str:
        try:
            session = await self._open()
            result = await session.call(name, arguments, self._seconds)
        except TimeoutError:
            raise ToolFailure(f"{name} did not finish in {self._seconds:g} s") from None
        except MCPError as error:
            await self.close()
            raise ToolFailure(f"{name}: {error.error.message}") from error
        except Exception as error:
            await self.close()
            raise ToolFailure(f"MCP server {self.name} went away during {name}") from error
        if result.is_error:
            raise ToolFailure(text_of(result) or f"{name} failed")
        return text_of(result)

    async def _open(self) -> Session:
        async with self._lock:
            if self._session is None or self._session.ended:
                self._session = Session(self._url, self._http, self._seconds)
            await self._session.open()
            return self._session

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def text_of(result: CallToolResult) -> str:
    """What a model can read of a result."""
    texts = [part.text if isinstance(part, TextContent) else f"[{part.type} left out]" for part in result.content]
    if not texts and result.structured_content is not None:
        return cut(json.dumps(result.structured_content, ensure_ascii=False))
    return cut("\n".join(texts))
