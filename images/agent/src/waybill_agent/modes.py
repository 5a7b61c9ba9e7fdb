"""What the image can be. A mode imports what it needs only: a health check must not wait for the agent's imports."""

import os
from collections.abc import Callable

from waybill_agent.failure import SettingsError

Mode = Callable[[list[str]], int]
"""Takes the arguments after the mode's name, gives the exit code."""

DEFAULT = "agent"


def agent(arguments: list[str]) -> int:
    from waybill_agent.agent import main  # noqa: PLC0415

    return main.run(arguments)


def mcp_server(arguments: list[str]) -> int:
    from waybill_agent.mcp_server import main  # noqa: PLC0415

    return main.run(arguments)


def healthcheck(arguments: list[str]) -> int:
    from waybill_agent import healthcheck  # noqa: PLC0415

    return healthcheck.run(arguments)


MODES: dict[str, Mode] = {"agent": agent, "mcp-server": mcp_server, "healthcheck": healthcheck}


def choose(arguments: list[str]) -> tuple[Mode, list[str]]:
    """
    The mode and the arguments that are left for it.

    :raises SettingsError: no mode has that name
    """
    name = arguments[0] if arguments else os.environ.get("WAYBILL_MODE") or DEFAULT
    if name not in MODES:
        raise SettingsError([f'unknown mode "{name}": use one of {", ".join(MODES)}'])
    return MODES[name], arguments[1:]
