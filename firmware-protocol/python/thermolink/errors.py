"""The one error class of the package."""

from typing import Any, Dict, Optional


class ThermolinkError(Exception):
    """An error, for people and programs.

    `code` is stable, and the same as in the TypeScript library. docs/reference/errors.md lists the causes and
    remedies of each code. `hint` says what to do. `retryable` is true if the same call may succeed later.
    `data` has the numbers of the message. `__cause__` is the error that caused this one."""

    def __init__(
        self,
        code: str,
        message: str,
        hint: Optional[str] = None,
        retryable: bool = False,
        data: Optional[Dict[str, Any]] = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.retryable = retryable
        self.data = data or {}

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" + (f" {self.hint}" if self.hint else "")


def bad_argument(name: str, value: object, wanted: str, hint: Optional[str] = None) -> ThermolinkError:
    """The error BAD_ARGUMENT: "`name` is `value`; it must be `wanted`."."""
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
    return ThermolinkError(
        "BAD_ARGUMENT", f"{name} is {shown}; it must be {wanted}.", hint, data={"argument": name}
    )
