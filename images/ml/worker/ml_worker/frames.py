"""Messages on a stream: two big-endian u32 (bytes of JSON, bytes of payload), the JSON, the payload. src/worker/frames.ts is the other end."""

import json
import struct
from typing import Any, BinaryIO

_HEADER = struct.Struct(">II")

Message = dict[str, Any]


def read_frame(stream: BinaryIO) -> tuple[Message, bytes] | None:
    """The next message and its payload; None at the end of the stream, in the middle of a frame too: then the other end has died."""
    header = _read(stream, _HEADER.size)
    if header is None:
        return None
    json_length, payload_length = _HEADER.unpack(header)
    text = _read(stream, json_length)
    payload = _read(stream, payload_length)
    if text is None or payload is None:
        return None
    return json.loads(text), payload


def write_frame(stream: BinaryIO, message: Message, payload: bytes = b"") -> None:
    text = json.dumps(message, separators=(",", ":")).encode()
    stream.write(_HEADER.pack(len(text), len(payload)))
    stream.write(text)
    stream.write(payload)
    stream.flush()


def _read(stream: BinaryIO, length: int) -> bytes | None:
    data = stream.read(length)
    return data if len(data) == length else None
