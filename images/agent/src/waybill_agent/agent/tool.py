"""What the model may call: a function with a schema. What goes wrong with it is told to the model."""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

MAX_RESULT_CHARACTERS = 64 * 1024
MAX_NAME = 64
"""OpenAI's limit for a function's name, and its alphabet below."""


PEER = "peer"
"""The source of tools that are other agents."""


class ToolFailure(Exception):
    """The call went wrong; the model is told why and goes on."""


@dataclass(frozen=True)
class Tool:
    name: str
    source: str
    """The MCP server's name, or PEER; tells tools of the same name apart."""
    subject: str
    """What it is about: the peer's name, or the tool's as its server knows it."""
    description: str
    parameters: dict[str, Any]
    call: Callable[[dict[str, Any]], Awaitable[str]]
    """Takes arguments, gives text; raises ToolFailure."""

    def schema(self, name: str) -> dict[str, Any]:
        function = {"name": name, "description": self.description, "parameters": self.parameters}
        return {"type": "function", "function": function}


def by_name(tools: Iterable[Tool]) -> dict[str, Tool]:
    """Under names a model may use, each for one tool: its own where that is free, else with its source before it."""
    named: dict[str, Tool] = {}
    for tool in tools:
        for candidate in (tool.name, f"{tool.source}_{tool.name}"):
            name = usable(candidate)
            if name not in named:
                named[name] = tool
                break
    return named


def usable(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:MAX_NAME]


def cut(text: str) -> str:
    if len(text) <= MAX_RESULT_CHARACTERS:
        return text
    return f"{text[:MAX_RESULT_CHARACTERS]}… [cut: {len(text) - MAX_RESULT_CHARACTERS} characters more]"
