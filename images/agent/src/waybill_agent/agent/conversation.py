"""The agentic loop: ask the model, do what it calls for, say what came of it; until it answers or steps run out."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from waybill_agent.agent.journal import Journal
from waybill_agent.agent.model import Model, Say
from waybill_agent.agent.model_answer import Reply, ToolCall, Usage
from waybill_agent.agent.tool import Tool, ToolFailure, by_name
from waybill_agent.log import fields, log

FINISHED = ("stop", "length", "content_filter")
"""The reasons of OpenAI's that an answer without tool calls can have."""


@dataclass(frozen=True)
class Answer:
    text: str
    finish_reason: str
    usage: Usage
    steps: int


@dataclass(frozen=True)
class Conversation:
    model: Model
    tools: list[Tool]
    journal: Journal
    options: dict[str, Any]
    trace: dict[str, str]
    max_steps: int

    async def run(self, messages: list[dict[str, Any]], say: Say | None) -> Answer:
        """:raises Failure: the model's"""
        tools = by_name(self.tools)
        schemas = [tool.schema(name) for name, tool in tools.items()]
        usage = Usage()
        for step in range(1, self.max_steps + 1):
            reply = await self.model.ask(messages, schemas, self.options, say, self.trace)
            usage += reply.usage
            if not reply.tool_calls:
                return self._answer(reply.text, reply.finish_reason, usage, step)
            if step < self.max_steps:
                if reply.text and say is not None:
                    await say("\n\n")
                messages = [*messages, reply.message(), *await self._results(reply, tools)]
        # What the model called for last is not done: nobody would look at what came of it.
        text = f"Reached maximum reasoning steps ({self.max_steps})"
        if say is not None:
            await say(f"\n\n{text}" if reply.text else text)
        return self._answer(text, "length", usage, self.max_steps)

    def _answer(self, text: str, finish_reason: str, usage: Usage, steps: int) -> Answer:
        self.journal.note("agent_response", text)
        return Answer(text, finish_reason if finish_reason in FINISHED else "stop", usage, steps)

    async def _results(self, reply: Reply, tools: dict[str, Tool]) -> list[dict[str, Any]]:
        """Of all calls of a step, done at the same time, in the order they were called for."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._result(call, tools)) for call in reply.tool_calls]
        return [task.result() for task in tasks]

    async def _result(self, call: ToolCall, tools: dict[str, Tool]) -> dict[str, Any]:
        started = time.monotonic()
        name = call.function.name
        try:
            tool = chosen(name, tools)
            arguments = parsed(call.function.arguments)
            self.journal.calls(tool, arguments)
            text = await tool.call(arguments)
            self.journal.result(tool, text)
            went = "well"
        except ToolFailure as failure:
            text = f"Error: {failure}"
            self.journal.failed(tools.get(name), name, str(failure))
            went = "wrong"
        log.info("tool called", **fields(tool=name, went=went, seconds=round(time.monotonic() - started, 3)))
        return {"role": "tool", "tool_call_id": call.id, "content": text}


def chosen(name: str, tools: dict[str, Tool]) -> Tool:
    """:raises ToolFailure: when the model made the name up"""
    if name not in tools:
        raise ToolFailure(f'there is no tool "{name}"; there are: {", ".join(tools) or "none"}')
    return tools[name]


def parsed(arguments: str) -> dict[str, Any]:
    """:raises ToolFailure: when the model wrote something else than a JSON object"""
    try:
        value = json.loads(arguments or "{}")
    except ValueError as error:
        raise ToolFailure(f"the arguments are not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ToolFailure("the arguments are not a JSON object")
    return value
