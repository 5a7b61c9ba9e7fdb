"""What goes wrong and isn't a bug: settings, for an operator to mend, and requests that can't be answered."""

from typing import Any


class SettingsError(Exception):
    """The environment or the arguments don't do. One line a problem, all of them at once; exit code 2."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


class Failure(Exception):
    """
    A request that can't be answered, in OpenAI's terms.

    :param status: of the HTTP answer
    :param code: what programs look at, such as ``model_timeout``
    :param message: what people read; never holds a secret
    :param passing: the same request may well be answered soon
    :param retry_after: when, as the header says it
    """

    def __init__(  # noqa: PLR0913
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        passing: bool = False,
        retry_after: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.passing = passing
        self.retry_after = retry_after

    @property
    def kind(self) -> str:
        """OpenAI's ``error.type``."""
        if self.status == 429:
            return "rate_limit_error"
        return "server_error" if self.status >= 500 else "invalid_request_error"

    def body(self) -> dict[str, Any]:
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}
