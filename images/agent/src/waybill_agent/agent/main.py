"""Mode ``agent``."""

from waybill_agent import log
from waybill_agent.failure import SettingsError
from waybill_agent.settings import agent_settings


def run(arguments: list[str]) -> int:
    if arguments:
        raise SettingsError([f'agent takes no arguments, and not "{arguments[0]}": it is set by its environment'])
    settings = agent_settings()
    log.start(settings.agent_log_level)

    from waybill_agent.agent.app import AgentApp  # noqa: PLC0415
    from waybill_agent.web.serve import Listener, leave, serve  # noqa: PLC0415

    app = AgentApp(settings)
    listener = Listener(settings.agent_host, settings.agent_port, settings.agent_access_log, settings.shutdown_seconds)
    code = serve(app.asgi, listener, app.start, app.stop)
    leave(code)
    return code
