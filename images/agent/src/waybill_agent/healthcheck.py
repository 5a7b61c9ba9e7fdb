"""Asks the program in this container whether it is well: for HEALTHCHECK, which has no curl here."""

import http.client
import os

from waybill_agent.failure import SettingsError

TIMEOUT_SECONDS = 2.0


def run(arguments: list[str]) -> int:
    """0 when /health answers 200 on the agent's or the MCP server's port; only one of them runs in a container."""
    if arguments:
        raise SettingsError(["healthcheck takes no arguments"])
    ports = {os.environ.get(name) or "8000" for name in ("AGENT_PORT", "MCP_PORT")}
    return 0 if any(is_well(port) for port in ports) else 1


def is_well(port: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", int(port) if port.isdigit() else 8000, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
