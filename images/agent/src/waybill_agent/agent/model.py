"""The model behind an OpenAI-compatible API: asked whole or as a stream, and asked again where that may help."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
from pydantic import ValidationError

from waybill_agent.agent.model_answer import Completion, Gathered, Piece, Reply, whole
from waybill_agent.failure import Failure
from waybill_agent.log import fields, log
from waybill_agent.settings import AgentSettings
from waybill_agent.web.client import beginning, events, http_client, whole_body, without_credentials

ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
QUOTED_CHARACTERS = 500
"""How much of another server's error text our own may quote."""

Say = Callable[[str], Awaitable[None]]


class Model:
    def __init__(self, settings: AgentSettings) -> None:
        self.name = settings.model_name
        self._key = settings.model_api_key.get_secret_value() if settings.model_api_key else ""
        self._url = settings.model_api_url.removesuffix("/v1") + "/v1/chat/completions"
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        self._client = http_client(settings.model_timeout_seconds, headers)

    async def ask(
        self,
        messages: list[dict[str, Any]],
        tools: list[dict[str, Any]],
        options: dict[str, Any],
        say: Say | None,
        trace: dict[str, str],
    ) -> Reply:
        """
        One call of the model.

        :param tools: OpenAI's function schemas
        :param say: gets the text as it comes; with it the model streams
        :param trace: headers to pass on
        :raises Failure: 429, 502 or 504; 400 where the model refuses what the caller said
        """
        body: dict[str, Any] = {"model": self.name, "messages": messages, **options, "stream": say is not None}
        if tools:
            body["tools"] = tools
        if say is not None:
            body["stream_options"] = {"include_usage": True}
        attempt = 0
        while True:
            attempt += 1
            said = Said(say)
            try:
                return await self._attempt(body, said, trace)
            except Failure as failure:
                if attempt == ATTEMPTS or said.anything or not failure.passing:
                    raise
                pause, code = pause_before(attempt, failure.retry_after), failure.code
            log.warning("asking the model again", **fields(code=code, attempt=attempt, pause_seconds=round(pause, 2)))
            await asyncio.sleep(pause)

    async def _attempt(self, body: dict[str, Any], said: "Said", trace: dict[str, str]) -> Reply:
        try:
            async with self._client.stream("POST", self._url, json=body, headers=trace) as response:
                if response.status_code != 200:
                    raise self._refusal(response, await beginning(response))
                if response.headers.get("content-type", "").startswith("text/event-stream"):
                    return await self._streamed(response, said)
                # Some servers answer whole where a stream was asked for.
                reply = whole(Completion.model_validate_json(await whole_body(response)))
                await said(reply.text)
                return reply
        except httpx2.TimeoutException:
            raise Failure(504, "model_timeout", "the model did not answer in time") from None
        except httpx2.ConnectError:
            message = f"no model answers at {without_credentials(self._url)}"
            raise Failure(502, "model_unreachable", message, passing=True) from None
        except httpx2.HTTPError as error:
            message = f"the model broke off its answer ({type(error).__name__})"
            raise Failure(502, "model_disconnected", message, passing=True) from None
        except ValidationError as error:
            raise Failure(
                502, "model_invalid_answer", f"the model's answer is not a chat completion: {first(error)}"
            ) from None

    async def _streamed(self, response: httpx2.Response, said: "Said") -> Reply:
        gathered = Gathered()
        async for data in events(response):
            if data == "[DONE]":
                return gathered.reply()
            piece = Piece.model_validate_json(data)
            if piece.error is not None:
                raise Failure(502, "model_error", f"the model failed: {self._quote(str(piece.error))}", passing=True)
            await said(gathered.add(piece))
        # Some servers leave [DONE] out; one that was cut off has left out the reason to finish too.
        if not gathered.finished:
            raise Failure(502, "model_disconnected", "the model broke off its answer", passing=True)
        return gathered.reply()

    def _refusal(self, response: httpx2.Response, body: str) -> Failure:
        status, said = response.status_code, self._quote(body)
        retry_after = response.headers.get("retry-after")
        if status == 429:
            message = f"the model takes no more for now: {said}"
            return Failure(429, "model_rate_limited", message, passing=True, retry_after=retry_after)
        if status in (400, 413, 422):
            return Failure(400, "model_refused_request", f"the model refused the request: {said}")
        if status in (401, 403):
            return Failure(502, "model_refused_credentials", f"the model refused the agent's credentials ({status})")
        message = f"the model answered {status}: {said}"
        return Failure(502, "model_error", message, passing=status >= 500, retry_after=retry_after)

    def _quote(self, text: str) -> str:
        """A bounded piece of another server's text, without our key, which some servers repeat."""
        clean = text.replace(self._key, "***") if self._key else text
        return " ".join(clean.split())[:QUOTED_CHARACTERS]

    async def close(self) -> None:
        await self._client.aclose()


class Said:
    """Passes text on, and remembers that it did: an answer that has begun can't be asked for again."""

    def __init__(self, say: Say | None) -> None:
        self._say = say
        self.anything = False

    async def __call__(self, text: str) -> None:
        if text and self._say is not None:
            self.anything = True
            await self._say(text)


def pause_before(attempt: int, retry_after: str | None) -> float:
    """Seconds: twice as many each time, with jitter; what the server asks for, as far as a caller can wait."""
    if retry_after is not None and retry_after.isdigit():
        return min(float(retry_after), LONGEST_PAUSE_SECONDS)
    return FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1) * random.uniform(0.5, 1)  # noqa: S311


def first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, problem["loc"]))
    return f"{where or 'body'}: {problem['msg']}"
