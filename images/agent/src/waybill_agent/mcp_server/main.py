"""Mode ``mcp-server``: Python functions as MCP tools, over streamable HTTP at /mcp, or over stdin and stdout."""

import sys
from types import FunctionType

from waybill_agent import log
from waybill_agent.failure import SettingsError
from waybill_agent.mcp_server.functions import from_file, from_text
from waybill_agent.settings import McpServerSettings, mcp_server_settings


def run(arguments: list[str]) -> int:
    settings = mcp_server_settings()
    stdio, path = read(arguments, settings)
    # In stdio mode stdout is the protocol's; logs must not get between.
    log.start(settings.mcp_log_level, sys.stderr if stdio else sys.stdout)
    functions = functions_of(settings, path)

    from waybill_agent.mcp_server.server import serve_http, serve_stdio, server_of  # noqa: PLC0415

    server = server_of(settings, functions)
    return serve_stdio(server) if stdio else serve_http(server, settings)


def read(arguments: list[str], settings: McpServerSettings) -> tuple[bool, str]:
    """``[--stdio] [file]``; :raises SettingsError: for anything else"""
    paths = [argument for argument in arguments if argument != "--stdio"]
    if len(paths) > 1 or any(path.startswith("-") for path in paths):
        raise SettingsError([f"mcp-server takes [--stdio] [file], and not {' '.join(arguments)}"])
    stdio = settings.mcp_transport == "stdio" or "--stdio" in arguments
    return stdio, paths[0] if paths else settings.mcp_tools_file


def functions_of(settings: McpServerSettings, path: str) -> list[FunctionType]:
    if path and settings.mcp_tools_string:
        raise SettingsError([f"tools come from {path} or from MCP_TOOLS_STRING, not from both"])
    if path:
        return from_file(path)
    if settings.mcp_tools_string:
        return from_text(settings.mcp_tools_string)
    raise SettingsError(["no tools: set MCP_TOOLS_STRING to Python source, or MCP_TOOLS_FILE to a file of it"])
