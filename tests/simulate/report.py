"""What `make simulate` prints, as Markdown."""

from collections.abc import Callable, Iterable

from assumptions import FULL, HOUR, PEAK, RECOVER, Fleet, People, Rules
from costs import COSTS, KIB, MIB, cost
from day import Event, Outcome, Simulation
from formulas import busiest, capacity, demand, fleet_for, processors, simple_refreshes
from gate import gate

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
SEED = 7

SCENARIOS: dict[str, tuple[Event, float]] = {
    "an ordinary evening": (Event(), 2 * HOUR),
    "one node is lost": (Event(nodes_lost=1), HOUR),
    "a signing key is revoked": (Event(key_revoked=True), HOUR),
    "the database is away for 5 minutes": (Event(outage=300), HOUR),
    "all sessions ended at once, at the peak": (Event(sessions_ended=True), 4 * HOUR),
    "the same at 4 in the morning": (Event(at=PEAK + 8 * HOUR, sessions_ended=True), 4 * HOUR),
    "the same over 12 hours, from 9 to 21": (Event(at=9 * HOUR, staged=12 * HOUR), 12.5 * HOUR),
}


def number(value: float) -> str:
    """To three digits."""
    if value >= 1_000:
        digits = len(str(int(value))) - 3
        return f"{round(value / 10**digits) * 10**digits:,}"
    return f"{value:.3g}"


def duration(seconds: float) -> str:
    """In the unit that suits it."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def percent(share: float) -> str:
    """Without decimals."""
    return f"{share:.0%}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """In Markdown."""
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def sizes(rules: Rules) -> str:
    """The fleet for so many people."""
    rows = []
    for daily in SIZES:
        people = People(daily=daily)
        fleet, load = fleet_for(people, rules), busiest(people, rules)
        takes = demand(people, rules, load, fleet)
        rows.append(
            [
                f"{daily:,}",
                f"{fleet.nodes} × {fleet.processors}",
                f"{fleet.database}",
                number(takes["nodes' memory"] / MIB),
                number(load.refreshes),
                number(load.calls),
                number(load.sign_ins),
                number(load.revocations),
                number(takes["write-ahead log"] / 1e6),
                number(people.sessions * cost("session_disk") / 1e9),
            ]
        )
    head = ("people a day", "nodes × processors", "database's processors", "MiB of a node", "refreshes/s", "VerifyToken/s")
    return table((*head, "sign-ins/s", "revocations/s", "WAL, MB/s", "sessions, GB"), rows)


UNITS: dict[str, tuple[str, float]] = {
    "threads that hash": ("threads", 1),
    "nodes' processors": ("processors", 1),
    "nodes' memory": ("MiB each", MIB),
    "nodes' network": ("MB/s each", 1e6),
    "database's processors": ("processors", 1),
    "database's connections": ("connections", 1),
    "feed's counters": ("transactions/s", 1),
    "write-ahead log": ("MB/s", 1e6),
}


def evening(people: People, rules: Rules, fleet: Fleet, simulated: Outcome) -> str:
    """The busiest moment, by the formulas and by the simulation."""
    takes, has = demand(people, rules, busiest(people, rules), fleet), capacity(rules, fleet)
    rows = []
    for name, (unit, scale) in UNITS.items():
        numbers = [number(value / scale) for value in (takes[name], simulated.most[name], has[name])]
        rows.append([name, unit, *numbers, percent(simulated.full(name))])
    return table(("resource", "", "by the formulas", "simulated", "there is", "full"), rows)


def outcomes(all_of_them: dict[str, Outcome]) -> str:
    """What came of each."""
    columns: dict[str, Callable[[Outcome], str]] = {
        "refreshes/s": lambda it: number(it.refreshes),
        "passwords/s": lambda it: number(it.passwords),
        "without a token": lambda it: number(it.tokenless),
        "at the sign-in form": lambda it: number(it.signing_in),
        "refreshes refused": lambda it: number(it.sums["refused"]),
        "sign-ins refused": lambda it: number(it.sums["turned away"]),
        "nobody refused after": lambda it: duration(it.over) if it.over else "–",
        "then refreshes/s": lambda it: number(it.echo),
        "bottleneck": lambda it: it.bottleneck,
    }
    return table(("", *columns), ([name, *(show(it) for show in columns.values())] for name, it in all_of_them.items()))


def fullness(all_of_them: dict[str, Outcome]) -> str:
    """How full each resource was."""
    return table(("", *UNITS), ([name, *(percent(it.full(of)) for of in UNITS)] for name, it in all_of_them.items()))


def waits(rules: Rules) -> str:
    """One node's gate at several loads."""
    threads, hashing, rows = Fleet(1, 1).threads, cost("hash"), []
    for load in (0.5, 0.8, 0.95, 1.2, 3):
        rate = load * threads / hashing
        seen = gate(rate, threads, hashing, rules.hash_queue, rules.hash_wait, length=20_000 / rate, seed=SEED)
        shown = [f"{1000 * seen.wait(share):.0f} ms" for share in (0.5, 0.99)]
        rows.append([percent(load), number(rate), *shown, f"{seen.refused_share:.1%}"])
    return table(("load of the threads", "passwords/s", "half wait less than", "99 % wait less than", "refused at once"), rows)


SCALES = {"s": (("ms", 1e-3), ("µs", 1e-6)), "B": (("MiB", MIB), ("KiB", KIB), ("B", 1)), "/s": (("/s", 1),)}


def costs() -> str:
    """The unit costs."""
    rows = []
    for each in COSTS.values():
        unit, scale = next((unit, scale) for unit, scale in SCALES[each.unit] if each.value >= scale)
        rows.append([each.what, f"{number(each.value / scale)} {unit}", each.kind, each.source])
    return table(("what", "costs", "which is", "from"), rows)


def report(people: People, rules: Rules) -> str:
    """All of it."""
    fleet, load = fleet_for(people, rules), busiest(people, rules)
    all_of_them = {name: Simulation(people, rules, fleet, event).run(length) for name, (event, length) in SCENARIOS.items()}
    outage = all_of_them["the database is away for 5 minutes"]
    spent = processors(people, rules, load, fleet.nodes)
    seen = {
        "full": percent(FULL),
        "recover": RECOVER,
        "daily": number(people.daily),
        "nodes": f"{fleet.nodes} nodes of {fleet.processors} processors, a database of {fleet.database}",
        "listeners": number(people.listeners),
        "in_visit": number(load.in_visit),
        "spent": ", ".join(f"{name} {number(value)}" for name, value in spent.items()),
        "committed": number(cost("refreshes")),
        "refreshes": number(load.refreshes),
        "simple": number(people.peak * simple_refreshes(people, rules)),
        "in_flight": number(outage.in_flight / fleet.nodes),
        "stale": f"{rules.stale_after:.0f}",
        "unverified": number(outage.sums["unverified"]),
        "cut": number(load.refreshes * cost("held_refresh")),
        "threads": fleet.threads,
        "queue": rules.hash_queue,
        "hash": number(1000 * cost("hash")),
        "seed": SEED,
        "sizes": sizes(rules),
        "evening": evening(people, rules, fleet, all_of_them["an ordinary evening"]),
        "outcomes": outcomes(all_of_them),
        "fullness": fullness(all_of_them),
        "waits": waits(rules),
        "costs": costs(),
    }
    return TEXT.format_map(seen)


TEXT = """### How much for how many

At the busiest moment of a day, none fuller than {full} while one node is away, and a database that can serve everybody who is
there within {recover} s:

{sizes}
### An ordinary evening of {daily} people

{nodes}, {listeners} processes that listen; {in_visit} devices in a visit.

{evening}
What takes the nodes' processors: {spent}.
The database of our measurements, on two busy processors, committed {committed} refreshes/s; the evening has {refreshes}.
If a visit's last token were renewed too, as simpler formulas have it, there would be {simple}.

### When something goes wrong

The most of a second, counted in devices, where it says nothing else:

{outcomes}
How full the resources were asked to be:

{fullness}
While the database is away, up to {in_flight} calls wait on each node at a time. With `revocation.on_stale = "deny"` {unverified}
VerifyToken and WhoAmI are refused, all from {stale} s on; with `allow_until_exp` only those whose token has expired.
About {cut} refreshes are cut off between their commit and their answer; tried again after `sessions.grace`, they end the session.

### The threads that hash

One node with {threads} threads, {queue} places in the queue, {hash} ms a hash; seed {seed}:

{waits}
### Unit costs

{costs}"""
