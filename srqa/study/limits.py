"""How often somebody may ask: buckets of tokens that fill again with time."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

MOST = 10_000
"""Names that are remembered."""


class Limiter:
    """Allows `burst` requests at once, and `per_second` in the long run, for each name.

    Example:
        >>> limiter = Limiter(burst=2, per_second=0.1, clock=lambda: 0.0)
        >>> [limiter.take("ann") for _ in range(3)]
        [True, True, False]
    """

    def __init__(
        self, burst: float, per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.burst, self.per_second, self._clock = burst, per_second, clock
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = Lock()

    def take(self, name: str) -> bool:
        """Whether one more request of this name is allowed."""
        now = self._clock()
        with self._lock:
            left, since = self._left.pop(name, (self.burst, now))
            left = min(self.burst, left + (now - since) * self.per_second)
            allowed = left >= 1
            self._left[name] = (left - 1 if allowed else left, now)
            while len(self._left) > MOST:
                self._left.pop(next(iter(self._left)))
        return allowed

    def give_back(self, name: str) -> None:
        """Let the last request not count."""
        with self._lock:
            if name in self._left:
                left, since = self._left[name]
                self._left[name] = (min(self.burst, left + 1), since)

    @property
    def wait(self) -> int:
        """Seconds after which to ask again."""
        return max(1, round(1 / self.per_second))
