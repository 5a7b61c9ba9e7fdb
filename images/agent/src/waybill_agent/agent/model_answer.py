"""What a model answers: OpenAI's chat completion, whole or in pieces. Lenient about what servers leave out."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field


def as_text(arguments: Any) -> Any:
    """Some servers (Ollama among them) have sent arguments as an object, where OpenAI has its JSON as text."""
    return arguments if isinstance(arguments, str) else json.dumps(arguments or {})


class Function(BaseModel):
    name: str = ""
    arguments: Annotated[str, BeforeValidator(as_text)] = ""


class ToolCall(BaseModel):
    index: int | None = None
    id: str | None = None
    function: Function = Function()

    def wire(self) -> dict[str, Any]:
        function = {"name": self.function.name, "arguments": self.function.arguments or "{}"}
        return {"id": self.id, "type": "function", "function": function}


class Said(BaseModel):
    """A message, or in a stream what is new of it."""

    content: str | None = None
    tool_calls: list[ToolCall] | None = None


class Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            total_tokens=self.total_tokens + other.total_tokens,
        )


class Choice(BaseModel):
    message: Said
    finish_reason: str | None = None


class Completion(BaseModel):
    choices: list[Choice] = Field(min_length=1)
    usage: Usage | None = None


class PieceChoice(BaseModel):
    delta: Said = Said()
    finish_reason: str | None = None


class Piece(BaseModel):
    choices: list[PieceChoice] = []
    usage: Usage | None = None
    error: Any = None


class Reply(BaseModel):
    """A model's whole answer to one call."""

    text: str = ""
    tool_calls: list[ToolCall] = []
    finish_reason: str = "stop"
    usage: Usage = Usage()

    def message(self) -> dict[str, Any]:
        """As the model is told next time what it said."""
        calls = [call.wire() for call in self.tool_calls]
        return {"role": "assistant", "content": self.text or None} | ({"tool_calls": calls} if calls else {})


class Gathered:
    """Puts a stream's pieces together."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._calls: dict[int, ToolCall] = {}
        self._finish: str | None = None
        self._usage = Usage()

    def add(self, piece: Piece) -> str:
        """Gives the text that is new."""
        self._usage = piece.usage or self._usage
        if not piece.choices:
            return ""
        choice = piece.choices[0]
        self._finish = choice.finish_reason or self._finish
        for call in choice.delta.tool_calls or []:
            self._add_call(call)
        text = choice.delta.content or ""
        self._text.append(text)
        return text

    def _add_call(self, new: ToolCall) -> None:
        # A server that numbers nothing sends calls whole.
        index = new.index if new.index is not None else len(self._calls)
        known = self._calls.setdefault(index, ToolCall())
        known.id = known.id or new.id
        known.function = Function(
            name=known.function.name or new.function.name,
            arguments=known.function.arguments + new.function.arguments,
        )

    @property
    def finished(self) -> bool:
        return self._finish is not None

    def reply(self) -> Reply:
        calls = [self._calls[index] for index in sorted(self._calls)]
        return Reply(
            text="".join(self._text),
            tool_calls=numbered(calls),
            finish_reason=self._finish or "stop",
            usage=self._usage,
        )


def whole(completion: Completion) -> Reply:
    choice = completion.choices[0]
    return Reply(
        text=choice.message.content or "",
        tool_calls=numbered(choice.message.tool_calls or []),
        finish_reason=choice.finish_reason or "stop",
        usage=completion.usage or Usage(),
    )


def numbered(calls: list[ToolCall]) -> list[ToolCall]:
    """Every call has an id, for its result to name."""
    for index, call in enumerate(calls):
        call.id = call.id or f"call_{index}"
    return calls
