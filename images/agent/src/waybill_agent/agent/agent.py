"""The agent: who it is, what it can call, and how it takes up a conversation."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import httpx2

from waybill_agent.agent import peers
from waybill_agent.agent.chain import Chain
from waybill_agent.agent.chat import ChatRequest
from waybill_agent.agent.conversation import Answer, Conversation
from waybill_agent.agent.journal import Journal
from waybill_agent.agent.memory import Memory
from waybill_agent.agent.model import Model, Say
from waybill_agent.agent.tool import Tool, ToolFailure
from waybill_agent.failure import Failure
from waybill_agent.log import fields, log
from waybill_agent.settings import AgentSettings
from waybill_agent.web.client import http_client

if TYPE_CHECKING:
    from waybill_agent.agent.mcp_tools import McpServer


SKILLS_SECONDS = 3.0
"""For the card, which peers wait for 5 s."""


@dataclass(frozen=True)
class Caller:
    """What comes along with a request."""

    session: str
    chain: Chain
    trace: dict[str, str]
    """W3C trace context, passed on to the model and to peers."""


@dataclass(frozen=True)
class Tools:
    offered: list[Tool]
    away: list[str]
    """What could not be reached, in words for the model."""


class Agent:
    def __init__(self, settings: AgentSettings) -> None:
        self.settings = settings
        self.name = settings.agent_name
        self.memory = Memory(settings)
        self._model = Model(settings)
        self._closing = AsyncExitStack()
        self._mcp_http: httpx2.AsyncClient | None = None
        self._peers: list[peers.Peer] = []

    async def __aenter__(self) -> Self:
        self._closing.push_async_callback(self._model.close)
        settings = self.settings
        if settings.mcp_servers:
            # A second of imports, now and not in the first conversation; an agent without tools is spared it.
            importlib.import_module("waybill_agent.agent.mcp_tools")
            self._mcp_http = await self._opened(settings.tool_timeout_seconds)
        if settings.peer_agents:
            seconds = settings.peer_timeout_seconds
            client = await self._opened(seconds)
            self._peers = [peers.Peer(name, url, client, seconds) for name, url in settings.peer_agents.items()]
        return self

    async def _opened(self, seconds: float) -> httpx2.AsyncClient:
        return await self._closing.enter_async_context(http_client(seconds))

    async def __aexit__(self, *_: object) -> None:
        await self._closing.aclose()

    async def answer(self, request: ChatRequest, caller: Caller, say: Say | None) -> Answer:
        """:raises Failure: noted in the session's memory too"""
        journal = Journal(self.memory, caller.session)
        journal.asked(request.conversation())
        said = [message.for_model() for message in request.conversation()]
        try:
            async with self._mcp_servers() as servers:
                tools = await self._tools(servers, said, caller)
                system = {"role": "system", "content": self._system(request.system(), tools.away)}
                conversation = Conversation(
                    model=self._model,
                    tools=tools.offered,
                    journal=journal,
                    options=request.options(),
                    trace=caller.trace,
                    max_steps=self.settings.agentic_loop_max_steps,
                )
                return await conversation.run([system, *said], say)
        except Failure as failure:
            journal.note("error", failure.message)
            raise

    @asynccontextmanager
    async def _mcp_servers(self) -> AsyncIterator[list["McpServer"]]:
        if self._mcp_http is None:
            yield []
            return
        from waybill_agent.agent.mcp_tools import McpServer  # noqa: PLC0415

        seconds = self.settings.tool_timeout_seconds
        servers = [McpServer(name, url, self._mcp_http, seconds) for name, url in self.settings.mcp_servers.items()]
        try:
            yield servers
        finally:
            await asyncio.gather(*(server.close() for server in servers))

    async def _tools(self, servers: list["McpServer"], said: list[dict[str, Any]], caller: Caller) -> Tools:
        limit = self.settings.memory_context_limit
        headers = caller.chain.header_of(self.name) | caller.trace
        delegation = peers.Delegation(context=said[-limit:] if limit else [], headers=headers)
        of_servers, cards = await asyncio.gather(
            asyncio.gather(*(tools_of(server) for server in servers)),
            asyncio.gather(*(peer.card() for peer in self._peers)),
        )
        tools = [tool for found in of_servers for tool in found or []]
        away = [
            f"the tools of {server.name}" for server, found in zip(servers, of_servers, strict=True) if found is None
        ]
        for peer, card in zip(self._peers, cards, strict=True):
            if card is None:
                away.append(f"the agent {peer.name}")
            else:
                tools.append(peer.tool(card, delegation, caller.chain.refusal(self.name, peer.name)))
        return Tools(tools, away)

    def _system(self, of_caller: str, away: list[str]) -> str:
        notes = f"Not available at the moment: {', '.join(away)}." if away else ""
        return "\n\n".join(filter(None, (self.settings.agent_instructions, of_caller, notes)))

    async def card(self, url: str) -> dict[str, Any]:
        """KAOS's agent card, with the tools of the MCP servers that can be reached now as skills."""
        async with self._mcp_servers() as servers:
            found = await asyncio.gather(*(tools_of(server, SKILLS_SECONDS) for server in servers))
        skills = [
            {"name": tool.name, "description": tool.description, "inputSchema": tool.parameters}
            for tools in found
            for tool in tools or []
        ]
        capabilities = ["message_processing", "task_execution"]
        capabilities += ["tool_execution"] if self.settings.mcp_servers else []
        capabilities += ["task_delegation"] if self._peers else []
        description = self.settings.agent_description
        return {
            "name": self.name,
            "description": description,
            "url": url,
            "skills": skills,
            "capabilities": capabilities,
        }


async def tools_of(server: "McpServer", seconds: float | None = None) -> list[Tool] | None:
    """None where the server is away, or has not said in time."""
    try:
        async with asyncio.timeout(seconds):
            return await server.tools()
    except (ToolFailure, TimeoutError) as error:
        log.warning("an MCP server is away", **fields(server=server.name, error=str(error) or "no answer in time"))
        return None
