"""Writes what happens in one session to the memory, under KAOS's names for it."""

from dataclasses import dataclass
from typing import Any

from waybill_agent.agent.chat import DELEGATED, Message
from waybill_agent.agent.memory import Memory
from waybill_agent.agent.tool import PEER, Tool


@dataclass(frozen=True)
class Journal:
    memory: Memory
    session: str

    def note(self, event_type: str, content: Any) -> None:
        self.memory.add(self.session, event_type, content)

    def asked(self, messages: list[Message]) -> None:
        for message in messages:
            if message.role == DELEGATED:
                self.note("task_delegation_received", message.text())
            elif message.role == "user":
                self.note("user_message", message.text())

    def calls(self, tool: Tool, arguments: dict[str, Any]) -> None:
        if tool.source == PEER:
            self.note("delegation_request", {"agent": tool.subject, "task": arguments.get("task")})
        else:
            self.note("tool_call", {"tool": tool.subject, "arguments": arguments})

    def result(self, tool: Tool, text: str) -> None:
        if tool.source == PEER:
            self.note("delegation_response", {"agent": tool.subject, "response": text})
        else:
            self.note("tool_result", {"tool": tool.subject, "result": text})

    def failed(self, tool: Tool | None, name: str, error: str) -> None:
        if tool is not None and tool.source == PEER:
            self.note("delegation_error", {"agent": tool.subject, "error": error})
        else:
            self.note("tool_error", {"tool": tool.subject if tool else name, "error": error})
