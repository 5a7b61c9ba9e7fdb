"""What several tests need: settings of an agent, and a scripted server that speaks HTTP."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from waybill_agent.settings import AgentSettings, agent_settings

NEEDED = {"AGENT_NAME": "tested", "MODEL_API_URL": "http://127.0.0.1:1", "MODEL_NAME": "scripted"}


def settings(**more: str) -> AgentSettings:
    return agent_settings(NEEDED | more)


@dataclass
class Scripted:
    """Answers in turn with these: status, headers, body. The last one is repeated."""

    url: str = ""
    turns: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    script = Scripted()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            script.asked.append(self.rfile.read(int(self.headers["content-length"])))
            status, headers, body = script.turns.pop(0) if len(script.turns) > 1 else script.turns[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        script.url = f"http://127.0.0.1:{server.server_port}"
        yield script
        server.shutdown()
        thread.join()
