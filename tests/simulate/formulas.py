"""The closed forms: what a load takes of each resource, what a fleet has of it, and the fleet that a number of people needs."""

import math
from dataclasses import dataclass

from assumptions import FULL, RECOVER, Fleet, People, Rules
from costs import cost

# The resources that another node adds to.
OF_NODES = ("threads that hash", "nodes' processors", "nodes' memory", "nodes' network", "database's connections")


@dataclass(frozen=True)
class Load:
    """What happens a second, on all nodes together, and how much is there."""

    in_visit: float  # devices
    visits: float  # that begin, /s
    calls: float  # to your services, /s
    refreshes: float  # /s
    hashes: float  # passwords, right and wrong, /s
    sign_ins: float  # with the right one, /s
    revocations: float  # /s
    entries: float  # revocations in memory


def refreshes_per_visit(people: People, rules: Rules) -> float:
    """One when it begins, and one for each token that the visit outlives, and the call after it."""
    outlives = sum(math.exp(-life / people.visit) for life in rules.lives) / len(rules.lives)
    calls_again = people.visit / (people.visit + people.call_gap)
    return 1 / (1 - outlives * calls_again)


def steady(people: People, rules: Rules, activity: float, burst: float | None = None) -> Load:
    """The load while a day is so busy, by Little's law. `burst` is what signing in and out is busy by, where that differs."""
    burst = activity if burst is None else burst
    visits = people.rate(people.devices * people.visits) * activity
    sign_ins, revocations = people.rate(people.sign_ins) * burst, people.rate(people.sign_outs) * burst
    return Load(
        in_visit=visits * people.visit,
        visits=visits,
        calls=people.rate(people.calls) * activity,
        refreshes=visits * refreshes_per_visit(people, rules),
        hashes=sign_ins * people.tries,
        sign_ins=sign_ins,
        revocations=revocations,
        entries=revocations * rules.stays_revoked,
    )


def pulls(revocations: float, rules: Rules) -> float:
    """How often a second a node looks at the feed: after each hint and a pause, and at intervals."""
    return 1 / (1 / (revocations + 1 / rules.pull_every) + rules.pace)


def news(revocations: float, rules: Rules) -> float:
    """How often a second it finds something."""
    return revocations / (1 + revocations * rules.pace)


def told(revocations: float, rules: Rules) -> float:
    """Messages a second to one listener: for each news one that says it; and heartbeats, or in their place where that ends."""
    return news(revocations, rules) + 1 / rules.heartbeat


def line(revocations: float, rules: Rules) -> float:
    """Bytes a second to one listener."""
    places = min(news(revocations, rules), 1 / rules.heartbeat) * cost("wire_place")
    return told(revocations, rules) * cost("wire_frame") + revocations * cost("wire_entry") + places


def room(places: int, wanted: float) -> float:
    """The share that finds a place."""
    return min(1.0, places / wanted) if wanted else 1.0


def profile_misses(people: People, rules: Rules, load: Load, nodes: int) -> float:
    """The share of WhoAmI whose profile is not in memory, where each call may come to any node: a device's calls of one node
    are so far apart that hardly any finds the profile of the one before."""
    while_fresh = people.pages / people.call_gap / nodes * rules.fresh_for
    found = while_fresh / (1 + while_fresh)
    return 1 - found * room(rules.profiles, load.in_visit * found)


def new_tokens(people: People, rules: Rules, load: Load, nodes: int) -> float:
    """The share of tokens whose signature a node has not seen, or not for long: on each node the first call of each token."""
    life = sum(rules.lives) / len(rules.lives)
    calls = life / people.call_gap * (people.asked + people.pages) / nodes
    seen = -math.expm1(-calls)  # the chance that a node has seen a token at its end
    return 1 - (1 - seen / calls) * room(rules.tokens, load.in_visit * seen)


def images(people: People, load: Load, checkpoint: float) -> float:
    """Pages a second of the table of sessions whose image goes into the WAL: those that were hit at least once between two
    checkpoints, of rows that lie anywhere."""
    pages = people.sessions * cost("session_heap") / 8192
    rows = load.in_visit + load.visits * checkpoint
    return pages * -math.expm1(-rows / pages) / checkpoint


def processors(people: People, rules: Rules, load: Load, nodes: int) -> dict[str, float]:
    """How many processors of all nodes a load takes, by what for."""
    asked, pages = load.calls * people.asked, load.calls * people.pages
    missed = pages * profile_misses(people, rules, load, nodes)
    signatures = (asked + pages) * new_tokens(people, rules, load, nodes)
    return {
        "telling listeners": people.listeners * told(load.revocations, rules) * cost("told"),
        "VerifyToken": asked * cost("verify_token"),
        "signatures": signatures * cost("signature"),
        "WhoAmI": pages * cost("who_am_i") + missed * cost("profile"),
        "refreshes": load.refreshes * cost("refresh"),
        "signing in and out": load.hashes * (cost("hash") + cost("sign_in")) + load.revocations * cost("revoke"),
    }


def demand(people: People, rules: Rules, load: Load, fleet: Fleet) -> dict[str, float]:
    """What a load takes, by resource; `capacity` has the units."""
    listeners = people.listeners / fleet.nodes
    missed = load.calls * people.pages * profile_misses(people, rules, load, fleet.nodes)
    looks, hints = fleet.nodes * pulls(load.revocations, rules), min(load.revocations, fleet.nodes / rules.pace)
    database = (
        missed * cost("db_read")
        + load.refreshes * cost("db_refresh")
        + (load.hashes - load.sign_ins) * cost("db_read")
        + load.sign_ins * cost("db_sign_in")
        + load.revocations * cost("db_revoke")
        + looks * cost("db_pull")
        + hints * cost("db_hint")
    )
    held = (
        missed * cost("held_read")
        + load.refreshes * cost("held_refresh")
        + load.sign_ins * cost("held_sign_in")
        + load.revocations * cost("held_revoke")
    )
    log = (
        load.refreshes * cost("wal_refresh")
        + load.sign_ins * cost("wal_sign_in")
        + load.revocations * cost("wal_revoke")
        + images(people, load, fleet.checkpoint) * cost("wal_image")
    )
    memory = (
        cost("node")
        + fleet.threads * cost("hash_memory")
        + listeners * cost("listener")
        + load.entries * cost("entry")
        + rules.profiles * cost("known_profile")
        + rules.tokens * cost("known_token")
    )
    return {
        "threads that hash": load.hashes * cost("hash"),
        "nodes' processors": sum(processors(people, rules, load, fleet.nodes).values()),
        "nodes' memory": memory,
        "nodes' network": listeners * line(load.revocations, rules),
        "database's processors": database,
        "database's connections": held,
        "feed's counters": load.revocations,
        "write-ahead log": log,
    }


def capacity(rules: Rules, fleet: Fleet) -> dict[str, float]:
    """What a fleet has, by resource: threads, processors, bytes, bytes a second, …"""
    return {
        "threads that hash": fleet.nodes * fleet.threads,
        "nodes' processors": fleet.nodes * fleet.processors,
        "nodes' memory": fleet.memory,
        "nodes' network": fleet.line,
        "database's processors": fleet.database,
        "database's connections": fleet.nodes * rules.connections,
        "feed's counters": cost("revocations"),
        "write-ahead log": fleet.log,
    }


def busiest(people: People, rules: Rules) -> Load:
    """The load of the busiest moment of an ordinary day."""
    return steady(people, rules, people.peak, people.burst)


def fleet_for(people: People, rules: Rules) -> Fleet:
    """The least fleet that is not fuller than `FULL` at the busiest moment, while one of its nodes is away, and whose database
    gives everybody in a visit another token within `RECOVER`."""
    load, nodes = busiest(people, rules), 1
    while True:
        fleet = Fleet(nodes, database=1)
        takes, has = demand(people, rules, load, fleet), capacity(rules, fleet)
        if all(takes[name] <= FULL * has[name] for name in OF_NODES):
            break
        nodes += 1
    usual = demand(people, rules, load, Fleet(nodes + 1, database=1))["database's processors"]
    again = usual + load.in_visit * cost("db_refresh") / RECOVER
    return Fleet(nodes + 1, database=math.ceil(max(2, usual / FULL, again)))


def simple_refreshes(people: People, rules: Rules) -> float:
    """The mean of refreshes a second if each token in use were renewed when it expires, a visit's last one too."""
    active = people.visits * people.visit
    return people.rate(people.devices * (active / rules.access_lifetime + people.visits))
