"""The one entrypoint: the first argument picks the mode, else WAYBILL_MODE, else it is the agent."""

import signal
import sys
from typing import NoReturn

from waybill_agent import modes
from waybill_agent.failure import SettingsError


def stop_at_once(_signal: int, _frame: object) -> NoReturn:
    raise SystemExit(0)


def main() -> int:
    # The kernel ignores SIGTERM for a process 1 that has no handler, so there is one before anything slow is imported.
    signal.signal(signal.SIGTERM, stop_at_once)
    try:
        mode, arguments = modes.choose(sys.argv[1:])
        return mode(arguments)
    except SettingsError as error:
        for line in error.lines:
            print(f"waybill-agent: {line}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
