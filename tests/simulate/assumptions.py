"""What the model takes for granted: people, the service's own rules, machines. Each with its unit; times are in seconds."""

import math
from dataclasses import dataclass
from functools import cached_property

MINUTE, HOUR, DAY = 60, 3_600, 86_400


@dataclass(frozen=True)
class People:
    """Who comes, and what they do. None of this is measured: put your own numbers here."""

    daily: float = 10e6  # people on a day
    known: float = 10  # accounts for each of them
    monthly: float = 4  # people in a month for each of them
    devices: float = 1.5  # of each
    visits: float = 6  # of a device on a day
    visit: float = 10 * MINUTE  # mean length, with an exponential spread
    calls: float = 200  # of a person on a day, to your services
    asked: float = 1  # VerifyToken for each of those: a gateway asks, and what is behind it verifies offline
    pages: float = 0.1  # WhoAmI for each of those
    sign_ins: float = 0.05  # of a person on a day
    tries: float = 1.2  # passwords typed for a sign-in
    typing: float = 30  # mean time until a person who has to sign in has typed a password, and until they try again
    sign_outs: float = 0.21  # of a person on a day, everywhere or here
    peak: float = 3  # the busiest moment of the day over its mean
    night: float = 0.2  # the quietest
    burst: float = 5  # sign-ins and sign-outs in the busiest hour, over the day's mean
    impatience: float = 3  # how much sooner a person tries again what failed
    per_listener: float = 1_000  # daily people for each process that follows the feed

    @property
    def listeners(self) -> float:
        """Processes that follow the feed."""
        return self.daily / self.per_listener

    @property
    def active_devices(self) -> float:
        """Devices that are used on a day."""
        return self.daily * self.devices

    @property
    def sessions(self) -> float:
        """Rows in the table of sessions: the month's devices, and what ended within its thirty days."""
        return self.daily * (self.monthly * self.devices + 30 * self.sign_ins)

    @property
    def call_gap(self) -> float:
        """Mean time between two calls of a device during a visit, in seconds."""
        return self.devices * self.visits * self.visit / self.calls

    def rate(self, a_day: float) -> float:
        """How often a second all do together what each does so often a day, in the mean."""
        return self.daily * a_day / DAY

    @cached_property
    def _sharpness(self) -> float:
        """The power of a cosine under which the day's mean is 1."""
        wanted = (1 - self.night) / (self.peak - self.night)
        low, high = 0.01, 1_000.0
        while high - low > 1e-12 * high:
            middle = (low + high) / 2
            mean = math.exp(math.lgamma(middle + 0.5) - math.lgamma(middle + 1)) / math.sqrt(math.pi)
            low, high = (middle, high) if mean > wanted else (low, middle)
        return low

    def activity(self, time: float) -> float:
        """How busy a time of day (in seconds) is; 1 in the mean, most at `PEAK`."""
        wave = (1 + math.cos(math.tau * (time - PEAK) / DAY)) / 2
        return self.night + (self.peak - self.night) * math.pow(wave, self._sharpness)


PEAK = 20 * HOUR  # the busiest time of day


@dataclass(frozen=True)
class Rules:
    """What the service does by itself. `tests.py` holds these against the code."""

    access_lifetime: float = 300  # tokens.access_lifetime
    jitter: float = 0.05  # of it, at most, by which a token lives shorter
    leeway: float = 30  # for which an expired token still passes
    grace: float = 10  # sessions.grace
    stays_revoked: float = 17 * MINUTE  # for which a revocation is kept in memory
    heartbeat: float = 1  # between two to a listener
    pull_every: float = 0.25  # between two looks at the feed without a hint
    pace: float = 0.01  # between two with one, at least
    fresh_for: float = 30  # for which a profile in memory counts
    profiles: int = 50_000  # of a node, in memory
    tokens: int = 10_000  # whose signature a node remembers
    hash_queue: int = 32  # passwords.queue
    hash_wait: float = 1  # passwords.max_wait, and what RetryInfo says then
    retry: float = 1  # what RetryInfo says when the database is away
    stale_after: float = 5  # revocation.stale_after
    connections: int = 10  # database.max_connections
    acquire: float = 2  # database.acquire_timeout

    @property
    def lives(self) -> list[int]:
        """The seconds for which a token passes, each as likely as the others."""
        longest = round(self.access_lifetime + self.leeway)
        return [longest - less for less in range(max(1, round(self.access_lifetime * self.jitter)))]


@dataclass(frozen=True)
class Fleet:
    """The machines."""

    nodes: int
    database: int  # processors of the primary
    processors: int = 4  # of a node
    memory: float = 2 * 1024**3  # of a node, in bytes
    log: float = 100e6  # bytes a second of WAL that the disk and the replicas take
    line: float = 125e6  # bytes a second of a node's network: 1 Gbit/s
    checkpoint: float = 15 * MINUTE  # between two of the database

    @property
    def threads(self) -> int:
        """That hash on a node, with `passwords.threads = 0`: one fewer than there are processors."""
        return max(1, self.processors - 1)


FULL = 0.6  # of a resource that may be used at the busiest moment: the rest is for what nobody foresaw
RECOVER = 60  # seconds within which the database should be able to serve everybody who is in a visit
