"""The discrete simulation: a stretch of a day, second by second.

Devices are counted, not followed: so many are away, so many are in a visit with a token that expires then and then, so many
have one that passes no more, so many have to sign in. Sessions are alive or ended, and whose session has ended learns it at the
next refresh. What happens to one of many is taken in the mean; chance matters in front of the threads that hash alone, and
`gate.py` has it there.
"""

import math
from collections import deque
from dataclasses import dataclass, field, replace

from assumptions import DAY, HOUR, PEAK, Fleet, People, Rules
from costs import cost
from formulas import Load, capacity, demand

STATES = OLD, ENDED, NEW = 0, 1, 2  # of a session: NEW since the event
REFRESH = {"nodes' processors": "refresh", "database's processors": "db_refresh", "database's connections": "held_refresh"}
ONE = 1  # fewer than one device is none
STAGE = 60  # seconds whose share of staged endings is ended at once, here as in life
SECONDS_OF_LEAD = HOUR  # from the start, when nobody is in a visit, to the event


@dataclass(frozen=True)
class Event:
    """What goes wrong, and when, in seconds of the day."""

    at: float = PEAK
    key_revoked: bool = False  # every access token is refused as expired, but for those of another key
    sessions_ended: bool = False  # all sessions are ended in the database, and no token is revoked
    staged: float = 0  # or they are ended person by person, tokens too, evenly over so many seconds
    outage: float = 0  # seconds for which the database does not answer
    nodes_lost: int = 0


@dataclass
class Outcome:
    """What came of it. What is the most is that of a second, and since the event."""

    most: dict[str, float] = field(default_factory=dict)  # demand, by resource
    has: dict[str, float] = field(default_factory=dict)  # capacity, by resource
    refreshes: float = 0  # asked for, /s
    passwords: float = 0  # typed, /s
    tokenless: float = 0  # devices in a visit whose token does not pass, at a time
    signing_in: float = 0  # devices in a visit that have to sign in, at a time
    in_flight: float = 0  # calls that wait for the database
    over: float = 0  # seconds from the event until nobody is refused any more
    echo: float = 0  # refreshes/s asked for after that: tokens that were issued together expire together
    sums: dict[str, float] = field(default_factory=dict)  # of what became of everything
    limited: dict[str, float] = field(default_factory=dict)  # refusals, by the resource that there was too little of

    @property
    def bottleneck(self) -> str:
        """The resource for whose sake most were refused; where nobody was, the one that is fullest."""
        return max(self.limited, key=lambda name: self.limited[name]) if self.limited else max(self.most, key=self.full)

    def full(self, name: str) -> float:
        """The most of a resource that was asked for, over what there is."""
        return self.most[name] / self.has[name]


class Devices:
    """All that are used on this day, by what they are doing and, where there are three, by the state of their session."""

    def __init__(self, people: People, rules: Rules) -> None:
        self.people, self.lives = people, rules.lives
        self.stays = math.exp(-1 / people.visit)  # the chance that a visit goes on for another second
        self.away = [people.active_devices, 0.0, 0.0]
        self.good = [0.0, 0.0, 0.0]  # in a visit, with a token that passes
        self.expiring = [[0.0] * (max(rules.lives) + 1) for _ in STATES]  # of those, by the second
        self.idle = [0.0, 0.0, 0.0]  # with one that does not, until their next call
        self.asking = [0.0, 0.0, 0.0]  # for another one, until the database has a moment for them
        self.paused = [0.0, 0.0, 0.0]  # told to come back
        self.signing_in = 0.0  # they know that they have to

    @property
    def tokenless(self) -> float:
        """Those in a visit whose token does not pass."""
        return sum(self.idle) + sum(self.asking) + sum(self.paused)

    @property
    def in_visit(self) -> float:
        """Those in a visit."""
        return sum(self.good) + self.tokenless + self.signing_in

    def leave(self) -> None:
        """Visits end."""
        for pool in (self.good, self.idle, self.asking, self.paused):
            for state in STATES:
                self.away[state] += pool[state] * (1 - self.stays)
                pool[state] *= self.stays
        self.away[ENDED] += self.signing_in * (1 - self.stays)
        self.signing_in *= self.stays

    def come(self, visits: float, signed_out: float) -> float:
        """Visits begin, with a call and a token of long ago, but a share of them without a session. Gives the calls."""
        everyone = sum(self.away)
        for state in STATES:
            some = visits * self.away[state] / everyone
            self.away[state] -= some
            self.asking[state] += some * (1 - signed_out)
        self.signing_in += visits * signed_out
        return visits * (1 - signed_out)

    def expire(self, second: int) -> None:
        """Tokens stop passing."""
        for state in STATES:
            slots = self.expiring[state]
            some, slots[second % len(slots)] = slots[second % len(slots)], 0.0
            self.good[state] -= some
            self.idle[state] += some

    def ask(self, chance: float) -> float:
        """Those without a token make a call, with this chance each, and so ask for one. Gives the calls."""
        calls = 0.0
        for state in STATES:
            some = self.idle[state] * chance
            calls += some
            self.asking[state] += some
            self.idle[state] += self.paused[state] - some
            self.paused[state] = 0.0
        return calls

    def issue(self, some: float, state: int, second: int) -> None:
        """New tokens."""
        slots, share = self.expiring[state], some / len(self.lives)
        self.good[state] += some
        for life in self.lives:
            # As many as will be in their visit still.
            slots[(second + life) % len(slots)] += share * self.stays**life

    def refuse_tokens(self) -> None:
        """No token that is there passes any more."""
        for state in STATES:
            self.idle[state] += self.good[state]
            self.good[state] = 0.0
            self.expiring[state] = [0.0] * len(self.expiring[state])

    def end_sessions(self, share: float, tokens_too: bool) -> None:
        """A share of the old sessions end. Their tokens pass until they expire, unless they are revoked too."""
        for pool in (self.away, self.idle, self.asking, self.paused):
            pool[ENDED] += share * pool[OLD]
            pool[OLD] *= 1 - share
        (self.idle if tokens_too else self.good)[ENDED] += share * self.good[OLD]
        self.good[OLD] *= 1 - share
        old, ended, _ = self.expiring
        for slot, some in enumerate(old):
            old[slot] = some * (1 - share)
            ended[slot] += 0.0 if tokens_too else some * share


class Simulation:
    """A fleet and its people, and what happens to them."""

    def __init__(self, people: People, rules: Rules, fleet: Fleet, event: Event) -> None:
        self.people, self.rules, self.event = people, rules, event
        self.fleets = fleet, replace(fleet, nodes=fleet.nodes - event.nodes_lost)  # before the event, and since
        self.has = [capacity(rules, each) for each in self.fleets]
        self.devices, self.outcome = Devices(people, rules), Outcome()
        self.second = round(event.at - SECONDS_OF_LEAD)
        usual = people.rate(people.sign_outs) * people.activity(self.second)
        self.revoked = deque([usual] * round(rules.stays_revoked))  # a second, for as long as they are remembered
        self.entries = sum(self.revoked)
        self.hashing = 0.0  # passwords that wait for a thread
        self.failing = False  # whether refreshes were refused a moment ago
        self.counting = ("visits", "refreshes", "refreshed", "refused", "typed", "hashed", "turned away", "unverified")
        self.sums = dict.fromkeys(self.counting, 0.0)

    def run(self, length: float) -> Outcome:
        """Goes on until so many seconds after the event."""
        while self.second < self.event.at + length:
            self.step()
            self.second += 1
        self.outcome.sums = self.sums
        return self.outcome

    def step(self) -> None:
        """One second."""
        people, rules, devices, since = self.people, self.rules, self.devices, self.second - self.event.at
        if since == 0:
            self.strike()
        fleet, has = self.fleets[since >= 0], self.has[since >= 0]
        is_away = 0 <= since < self.event.outage
        activity = people.activity(self.second)
        from_peak = abs((self.second - PEAK + DAY / 2) % DAY - DAY / 2)
        burst = people.burst / people.peak if from_peak <= HOUR / 2 else 1.0
        ended = 0.0
        if 0 <= since < self.event.staged:
            ended = people.daily / self.event.staged
            if since % STAGE == 0:
                devices.end_sessions(STAGE / (self.event.staged - since), tokens_too=True)

        devices.leave()
        visits = people.rate(people.devices * people.visits) * activity
        refreshes = devices.come(visits, people.sign_ins / (people.devices * people.visits) * burst)
        devices.expire(self.second)
        sooner = people.impatience if self.failing else 1
        refreshes += devices.ask(-math.expm1(-sooner / people.call_gap))
        typed = devices.signing_in * -math.expm1(-1 / people.typing)
        revocations = people.rate(people.sign_outs) * activity * burst + ended
        self.entries += revocations - self.revoked.popleft()
        self.revoked.append(revocations)

        calls = devices.in_visit / people.call_gap
        load = Load(devices.in_visit, visits, calls, refreshes, typed, typed / people.tries, revocations, self.entries)
        takes = demand(people, rules, load, fleet)
        hashers, threads = self.threads(takes, fleet)
        hashed, turned_away = self.hash(typed, 0.0 if is_away else threads, fleet)
        limit, room = self.room(takes, has, refreshes, typed - hashed)
        refreshed, refused, waiting = self.refresh(0.0 if is_away else room)
        takes["nodes' memory"] += waiting / fleet.nodes * cost("call")
        stale = is_away and since >= rules.stale_after
        seen = (visits, refreshes, refreshed, refused, typed, hashed, turned_away, calls * (people.asked + people.pages) * stale)
        if since >= 0:
            self.outcome.in_flight = max(self.outcome.in_flight, waiting)
            self.note(since, takes, has, seen, {} if is_away else {limit: refused, hashers: turned_away})

    def strike(self) -> None:
        """It happens."""
        if self.event.key_revoked:
            self.devices.refuse_tokens()
        if self.event.sessions_ended:
            self.devices.end_sessions(1, tokens_too=False)

    def threads(self, takes: dict[str, float], fleet: Fleet) -> tuple[str, float]:
        """How many threads hash, and what limits them: those that there are, but where all else takes the processors too, the
        share that the system gives them."""
        threads, processors = fleet.nodes * fleet.threads, fleet.nodes * fleet.processors
        fair = processors * fleet.threads / (fleet.threads + fleet.processors)
        given = max(fair, processors - takes["nodes' processors"] + takes["threads that hash"])
        return ("threads that hash", threads) if threads <= given else ("nodes' processors", given)

    def hash(self, typed: float, threads: float, fleet: Fleet) -> tuple[float, float]:
        """Passwords are hashed, as many as the threads can; so many wait, and the others are turned away: both numbers."""
        there = self.hashing + typed
        hashed = min(there, threads / cost("hash"))
        self.hashing = min(there - hashed, fleet.nodes * self.rules.hash_queue)
        right = min(hashed / self.people.tries, self.devices.signing_in)
        self.devices.signing_in -= right
        self.devices.issue(right, NEW, self.second)
        return hashed, there - hashed - self.hashing

    def room(self, takes: dict[str, float], has: dict[str, float], refreshes: float, unhashed: float) -> tuple[str, float]:
        """For how many refreshes there is room beside everything else, and what limits them."""
        costs = {name: cost(of) for name, of in REFRESH.items()}
        left = {name: has[name] - takes[name] + refreshes * costs[name] for name in costs}
        # What is not hashed takes no processor; what is refused takes some.
        left["nodes' processors"] += unhashed * cost("hash") - refreshes * cost("refused")
        costs["nodes' processors"] -= cost("refused")
        rooms = {name: max(0.0, left[name] / costs[name]) for name in costs}
        limit = min(rooms, key=lambda name: rooms[name])
        return limit, rooms[limit]

    def refresh(self, room: float) -> tuple[float, float, float]:
        """So many are refreshed; others wait for as long as a connection is waited for, and the rest are refused: those two
        numbers, and how many calls wait. Whose session has ended learns it now, which costs less than it is charged here."""
        devices = self.devices
        asking = sum(devices.asking)
        refreshed = min(asking, room)
        refused = max(0.0, asking - refreshed - room * self.rules.acquire)
        for state in STATES:
            of_these = devices.asking[state] / asking if asking else 0.0
            devices.asking[state] -= of_these * (refreshed + refused)
            devices.paused[state] += of_these * refused
            if state == ENDED:
                devices.signing_in += of_these * refreshed
            else:
                devices.issue(of_these * refreshed, state, self.second)
        self.failing = refused > 0
        return refreshed, refused, sum(devices.asking) + refused * self.rules.acquire

    def note(
        self, since: float, takes: dict[str, float], has: dict[str, float], seen: tuple[float, ...], limited: dict[str, float]
    ) -> None:
        """Remembers what matters of this second."""
        outcome, devices = self.outcome, self.devices
        for name, value in zip(self.counting, seen, strict=True):
            self.sums[name] += value
        for name, value in limited.items():
            if value > ONE:
                outcome.limited[name] = outcome.limited.get(name, 0.0) + value
        _, refreshes, _, refused, typed, _, turned_away, _ = seen
        outcome.has = has
        outcome.most = {name: max(value, outcome.most.get(name, 0.0)) for name, value in takes.items()}
        outcome.refreshes = max(outcome.refreshes, refreshes)
        outcome.passwords = max(outcome.passwords, typed)
        outcome.tokenless = max(outcome.tokenless, devices.tokenless)
        outcome.signing_in = max(outcome.signing_in, devices.signing_in)
        if refused + turned_away > ONE:
            outcome.over, outcome.echo = since + 1, 0.0
        else:
            outcome.echo = max(outcome.echo, refreshes)
