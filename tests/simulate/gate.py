"""The gate before password hashing of one node, call by call: `src/crypto/passwords/mod.rs` as a queue."""

import heapq
import random
from dataclasses import dataclass, field


@dataclass
class Seen:
    """What became of the calls."""

    waits: list[float] = field(default_factory=list)  # of those that were hashed, in seconds
    refused: int = 0

    @property
    def refused_share(self) -> float:
        """Of all calls."""
        return self.refused / max(1, self.refused + len(self.waits))

    def wait(self, share: float) -> float:
        """The wait, in seconds, that this share of the hashed calls does not exceed."""
        return sorted(self.waits)[min(len(self.waits) - 1, int(share * len(self.waits)))]


def gate(rate: float, threads: int, hashing: float, queue: float, patience: float, length: float, seed: int) -> Seen:
    """Lets calls come at random, so many a second, for so many seconds. Each takes a thread for `hashing` seconds, the first
    that comes first; it is refused at once if `threads + queue` are there before it, and after `patience` seconds if it still
    waits then."""
    chance = random.Random(seed)
    free = [0.0] * threads  # when each thread is
    leaving: list[float] = []  # when each of those that are there goes
    seen, now = Seen(), 0.0
    while (now := now + chance.expovariate(rate)) < length:
        while leaving and leaving[0] <= now:
            heapq.heappop(leaving)
        if len(leaving) >= threads + queue:
            seen.refused += 1
            continue
        begins = max(now, free[0])
        if begins - now > patience:
            seen.refused += 1
            heapq.heappush(leaving, now + patience)
            continue
        heapq.heapreplace(free, begins + hashing)
        heapq.heappush(leaving, begins + hashing)
        seen.waits.append(begins - now)
    return seen
