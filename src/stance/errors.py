"""One family of exceptions: where it happened, what was expected, what was found, what to do."""


class StanceError(Exception):
    """Base of every error this package raises on purpose.

    Args:
        where: file, line, field or call that is at fault.
        expected: what would have been right.
        found: what was there instead.
        remedy: one sentence that says what to do.
    """

    exit_code = 1

    def __init__(self, where: str, *, expected: str, found: str, remedy: str) -> None:
        self.where, self.expected, self.found, self.remedy = where, expected, found, remedy
        super().__init__(f"{where}: expected {expected}, found {found}. {remedy}")


class InputError(StanceError):
    """The input or the call is wrong (exit code 2)."""

    exit_code = 2


class MissingExtraError(InputError):
    """A feature needs packages that the base install leaves out (exit code 2)."""

    def __init__(self, feature: str, extra: str, package: str) -> None:
        super().__init__(
            feature,
            expected=f"the packages of the extra '{extra}'",
            found=f"no module '{package}'",
            remedy=f"Install them: pip install 'negotiation-stance[{extra}]'.",
        )
