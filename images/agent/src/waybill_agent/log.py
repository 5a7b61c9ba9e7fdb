"""Logs: a JSON object a line. What people said and what models answered is not logged, nor are headers and keys."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

log = logging.getLogger("waybill")


class Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        if record.name != log.name:
            line["logger"] = record.name
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def start(level: str, stream: TextIO | None = None) -> None:
    """Every logger's lines go to one stream (default: stdout); libraries only from warnings up, unless at DEBUG."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(Line())
    logging.root.handlers = [handler]
    logging.root.setLevel("DEBUG" if level == "DEBUG" else "WARNING")
    log.setLevel(level)
    # These print requests with all their headers, keys among them.
    for name in ("httpcore2", "httpx2", "mcp.client.streamable_http", "sse_starlette"):
        logging.getLogger(name).setLevel("WARNING")


def fields(**values: Any) -> dict[str, Any]:
    """For ``log.info(message, **fields(…))``: members of the line beside the message."""
    return {"extra": {"fields": values}}
