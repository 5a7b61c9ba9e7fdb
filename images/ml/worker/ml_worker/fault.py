"""What a person can mend, told apart from bugs."""


class Fault(Exception):
    """The message says what, where and the mend. Starting again would not help."""
