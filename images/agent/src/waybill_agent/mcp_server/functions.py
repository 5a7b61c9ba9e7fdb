"""Turns Python source into tools: each public function that the source itself defines."""

import linecache
import sys
import traceback
from pathlib import Path
from types import FunctionType, ModuleType

from waybill_agent.failure import SettingsError

MODULE = "waybill_tools"


def from_text(source: str) -> list[FunctionType]:
    """:raises SettingsError: when it can't be read or run, or defines no tool"""
    return functions(source, "MCP_TOOLS_STRING")


def from_file(path: str) -> list[FunctionType]:
    """:raises SettingsError: as above, or when there is no such file"""
    try:
        source = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path} can't be read: {error}"]) from None
    return functions(source, path)


def functions(source: str, name: str) -> list[FunctionType]:
    module = ModuleType(MODULE)
    module.__file__ = name
    # Tracebacks and `inspect` find the lines of what never was a file; dataclasses and pydantic find the module.
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    sys.modules[MODULE] = module
    try:
        exec(compile(source, name, "exec"), module.__dict__)  # noqa: S102
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        raise SettingsError([f"{name}{line}: {error.msg}"]) from None
    except (Exception, SystemExit) as error:
        raise SettingsError([f"{name}{line_in(name, error)}: {type(error).__name__}: {error}"]) from None
    found = [value for key, value in vars(module).items() if not key.startswith("_") and is_own(value)]
    if not found:
        raise SettingsError([f"{name} defines no tool: each function is one, unless its name begins with _"])
    return found


def is_own(value: object) -> bool:
    """Defined here, not imported."""
    return isinstance(value, FunctionType) and value.__module__ == MODULE


def line_in(name: str, error: BaseException) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == name]
    return f", line {lines[-1]}" if lines else ""
