"""One message of the front door, and what it gets for it."""

import traceback

from ml_worker.frames import Message
from ml_worker.model import Model


def answer(model: Model, message: Message) -> tuple[Message, bytes]:
    """`{id, texts}` or `{id, queries, pairs: [[index of a query, document]]}` -> `{id, tokens}` with the values as little-endian
    float32. A failure is that batch's alone: `{id, error}`."""
    try:
        if "texts" in message:
            result = model.embed(message["texts"])
        else:
            queries = message["queries"]
            result = model.score([(queries[query], document) for query, document in message["pairs"]])
    except Exception as error:  # whatever it is, the next batch may be fine
        traceback.print_exc()
        return {"id": message["id"], "error": f"{type(error).__name__}: {error}"}, b""
    return {"id": message["id"], "tokens": result.tokens}, result.values.astype("<f4").tobytes()
