"""Other agents, each a function that the model calls with a task. KAOS's contract, so its agents do as peers too."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import httpx2
from pydantic import BaseModel, ValidationError

from waybill_agent.agent.chat import DELEGATED
from waybill_agent.agent.model_answer import Completion
from waybill_agent.agent.tool import PEER, Tool, ToolFailure, cut
from waybill_agent.failure import Failure
from waybill_agent.web.client import beginning, whole_body

CARD = "/.well-known/agent"
CARD_SECONDS = 5.0
CARD_LIFE_SECONDS = 60.0

PARAMETERS = {
    "type": "object",
    "properties": {"task": {"type": "string", "description": "All that the other agent needs to know"}},
    "required": ["task"],
}


class Card(BaseModel):
    name: str
    description: str = ""


@dataclass(frozen=True)
class Delegation:
    """What goes along with a task: what was said before it, and headers."""

    context: list[dict[str, Any]]
    headers: dict[str, str]


class Peer:
    def __init__(self, name: str, url: str, http: httpx2.AsyncClient, seconds: float) -> None:
        self.name = name
        self._url = url.removesuffix(CARD)
        self._http = http
        self._seconds = seconds
        self._card: Card | None = None
        self._read_at = 0.0

    async def card(self) -> Card | None:
        """None while the peer is away."""
        if self._card is not None and time.monotonic() - self._read_at < CARD_LIFE_SECONDS:
            return self._card
        try:
            async with asyncio.timeout(CARD_SECONDS):
                response = await self._http.get(self._url + CARD)
            self._card = Card.model_validate_json(response.raise_for_status().content)
            self._read_at = time.monotonic()
        except (httpx2.HTTPError, ValidationError, TimeoutError):
            self._card = None
        return self._card

    async def ask(self, task: str, delegation: Delegation) -> str:
        """:raises ToolFailure: with the peer's own words where it has some"""
        messages = [*delegation.context, {"role": DELEGATED, "content": task}]
        body = {"model": self.name, "messages": messages, "stream": False}
        try:
            async with asyncio.timeout(self._seconds):
                return await self._answer(body, delegation.headers)
        except TimeoutError:
            raise ToolFailure(f"agent {self.name} did not answer in {self._seconds:g} s") from None
        except (httpx2.HTTPError, ValidationError, Failure) as error:
            self._card = None
            raise ToolFailure(f"agent {self.name} can't be asked: {type(error).__name__}") from error

    async def _answer(self, body: dict[str, Any], headers: dict[str, str]) -> str:
        url = f"{self._url}/v1/chat/completions"
        async with self._http.stream("POST", url, json=body, headers=headers) as response:
            if response.status_code != 200:
                raise ToolFailure(f"agent {self.name} answered {response.status_code}: {await beginning(response)}")
            completion = Completion.model_validate_json(await whole_body(response))
        return cut(completion.choices[0].message.content or "")

    def tool(self, card: Card, delegation: Delegation, refusal: str | None) -> Tool:
        async def call(arguments: dict[str, Any]) -> str:
            task = arguments.get("task")
            if not isinstance(task, str) or not task.strip():
                raise ToolFailure("task is missing: a string that says what to do")
            if refusal is not None:
                raise ToolFailure(refusal)
            return await self.ask(task, delegation)

        description = f"Hands a task to the agent {card.name} and gives its answer. {card.description}".strip()
        return Tool(f"delegate_to_{self.name}", PEER, self.name, description, PARAMETERS, call)
