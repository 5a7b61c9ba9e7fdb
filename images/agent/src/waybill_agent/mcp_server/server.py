"""The MCP server itself, by the official SDK. Stateless, so any replica answers any request."""

import asyncio
import signal
import time
from types import FunctionType

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import InvalidSignature
from pydantic.errors import PydanticUserError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from waybill_agent import VERSION
from waybill_agent.failure import SettingsError
from waybill_agent.log import fields, log
from waybill_agent.settings import McpServerSettings
from waybill_agent.web.serve import Listener, leave, serve


def server_of(settings: McpServerSettings, functions: list[FunctionType]) -> MCPServer:
    """:raises SettingsError: when a function's arguments have no JSON Schema"""
    server: MCPServer = MCPServer(settings.mcp_server_name, version=VERSION, log_level=settings.mcp_log_level)
    problems: list[str] = []
    for function in functions:
        try:
            server.add_tool(function)
        except (InvalidSignature, PydanticUserError, NameError, TypeError, ValueError) as error:
            problems.append(f"tool {function.__name__}: {str(error).splitlines()[0]}")
    if problems:
        raise SettingsError(problems)
    return server


def serve_stdio(server: MCPServer) -> int:
    """Until stdin ends."""
    # Nothing in Python ends while a thread waits for stdin.
    signal.signal(signal.SIGTERM, lambda *_: leave(0))
    asyncio.run(server.run_stdio_async())
    return 0


def serve_http(server: MCPServer, settings: McpServerSettings) -> int:
    stopping = False

    async def health(_: Request) -> Response:
        return state("healthy")

    async def ready(_: Request) -> Response:
        return state("stopping", 503) if stopping else state("ready")

    def state(status: str, code: int = 200) -> Response:
        return JSONResponse({"status": status, "name": settings.mcp_server_name, "timestamp": int(time.time())}, code)

    def stop() -> None:
        nonlocal stopping
        stopping = True

    server.custom_route("/health", ["GET"])(health)
    server.custom_route("/ready", ["GET"])(ready)
    # Answers as JSON and not as event streams, which the SDK's HTTP library cuts at SIGTERM: calls in flight finish.
    app = server.streamable_http_app(host=settings.mcp_host, json_response=True, stateless_http=True)
    listener = Listener(settings.mcp_host, settings.mcp_port, settings.mcp_access_log, settings.shutdown_seconds)
    known = fields(server=settings.mcp_server_name, port=settings.mcp_port)
    code = serve(app, listener, lambda: log.info("ready", **known), stop)
    leave(code)
    return code
