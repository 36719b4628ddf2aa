"""Has the server been told to end? Then it takes leave of its clients before it closes anything."""

from __future__ import annotations

from collections.abc import Callable


class Draining:
    """One per app. `delay`: seconds for which the server still accepts connections after it was told to end.

    In these seconds /health/ready says no, so that load balancers send nothing new, and every answer says
    `Connection: close`, so that clients open no further request on their connections.
    """

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.begun = False
        self.listeners: list[Callable[[], None]] = []  # called once, when it begins

    def begin(self) -> None:
        self.begun = True
        for listener in self.listeners:
            listener()
