"""The simulation's tests: `python3 tests/simulate/tests.py`. They take seconds."""

import math
import pathlib
import random
import re
import statistics
import unittest
from dataclasses import replace

import page
from assumptions import DAY, FULL, HOUR, MINUTE, PEAK, Fleet, People, Rules
from costs import ASSUMED, COSTS, DESIGN, KIB, MEASURED
from day import ENDED, OLD, STATES, Event, Outcome, Simulation
from formulas import (
    OF_NODES,
    busiest,
    capacity,
    demand,
    fleet_for,
    new_tokens,
    profile_misses,
    refreshes_per_visit,
    simple_refreshes,
    steady,
)
from gate import gate
from report import report

ROOT = pathlib.Path(__file__).parents[2]
RULES = Rules()
PLENTY = Fleet(nodes=10_000, database=10_000)


class Even(People):
    """People who come at night as by day."""

    def activity(self, time: float) -> float:
        return 1


EVEN = Even(daily=1e6, peak=1, burst=1)


class TheAssumptions(unittest.TestCase):
    """Are what they say."""

    def test_a_day_is_as_busy_in_the_mean_as_the_mean(self) -> None:
        people = People()
        activities = [people.activity(second) for second in range(0, DAY, 60)]
        self.assertAlmostEqual(statistics.mean(activities), 1, places=6)
        self.assertAlmostEqual(max(activities), people.activity(PEAK))
        self.assertAlmostEqual(people.activity(PEAK), people.peak)
        self.assertAlmostEqual(min(activities), people.night, places=6)

    def test_the_rules_are_those_of_the_code(self) -> None:
        settings = (ROOT / "src/config/default.toml").read_text()
        seconds = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": DAY, "millis": 0.001, "secs": 1, "mins": 60}

        def setting(section: str, key: str) -> float:
            of_section = settings.split(f"\n[{section}]\n")[1].split("\n[")[0]
            found = re.search(rf'^{key} = (?:"(\d+)(ms|s|m|h|d)"|(\d+))$', of_section, re.MULTILINE)
            assert found, key
            return float(found[3]) if found[3] else float(found[1]) * seconds[found[2]]

        def constant(file: str, name: str) -> float:
            text = (ROOT / "src" / file).read_text()
            found = re.search(rf"const {name}: \w+ = (?:Duration::from_(\w+)\((\d+)\)|([\d_]+));", text)
            assert found, name
            return float(found[3].replace("_", "")) if found[3] else float(found[2]) * seconds[found[1]]

        self.assertEqual(RULES.access_lifetime, setting("tokens", "access_lifetime"))
        self.assertEqual(RULES.stale_after, setting("revocation", "stale_after"))
        self.assertEqual(RULES.grace, setting("sessions", "grace"))
        self.assertEqual(RULES.hash_queue, setting("passwords", "queue"))
        self.assertEqual(RULES.hash_wait, setting("passwords", "max_wait"))
        self.assertEqual(setting("passwords", "threads"), 0, "one fewer than there are processors")
        self.assertEqual(COSTS["hash_memory"].value, setting("passwords", "memory_kib") * KIB)
        self.assertEqual(RULES.connections, setting("database", "max_connections"))
        self.assertEqual(RULES.acquire, setting("database", "acquire_timeout"))
        self.assertEqual(RULES.leeway, constant("crypto/access_tokens.rs", "LEEWAY"))
        self.assertEqual(RULES.pull_every, constant("server/chores.rs", "PULL_EVERY"))
        self.assertEqual(RULES.pace, constant("server/chores.rs", "PACE"))
        self.assertEqual(RULES.heartbeat, constant("app/watch.rs", "HEARTBEAT"))
        self.assertEqual(RULES.fresh_for, constant("app/who_am_i.rs", "FRESH_FOR"))
        self.assertEqual(RULES.profiles, constant("app/profiles.rs", "CAPACITY"))
        self.assertEqual(RULES.tokens, constant("crypto/verified_tokens.rs", "REMEMBERED"))
        self.assertEqual(RULES.retry, constant("grpc/status.rs", "RETRY_UNAVAILABLE"))
        longest = constant("domain/access_token.rs", "LONGEST_ACCESS_LIFETIME")
        self.assertIn("LONGEST_ACCESS_LIFETIME.saturating_add(Duration::from_mins(2))", (ROOT / "src/domain/feed.rs").read_text())
        self.assertEqual(RULES.stays_revoked, longest + 2 * MINUTE)
        self.assertIn(f"lifetime.mul_f64({RULES.jitter} *", (ROOT / "src/app/signed_in.rs").read_text())

    def test_every_cost_says_where_it_comes_from(self) -> None:
        for name, each in COSTS.items():
            self.assertIn(each.kind, (MEASURED, DESIGN, ASSUMED), name)
            self.assertTrue(each.value > 0 and each.what and each.source, name)
            for source in re.findall(r"measurements/\S+\.md", each.source):
                self.assertTrue((ROOT / "docs" / source).exists(), source)


class TheFormulas(unittest.TestCase):
    """Give what can be had in another way."""

    def test_they_give_the_numbers_that_the_service_was_designed_for(self) -> None:
        people = People()
        for lifetime, refreshes in ((300, 3_125), (600, 2_083), (900, 1_736)):
            self.assertEqual(round(simple_refreshes(people, Rules(access_lifetime=lifetime))), refreshes)
        load = busiest(people, RULES)
        self.assertEqual(round(load.calls), 69_444)
        self.assertAlmostEqual(load.sign_ins, 28.94, places=2)
        self.assertEqual(round(load.revocations), 122)
        self.assertLess(load.refreshes, people.peak * simple_refreshes(people, RULES))

    def test_a_visit_refreshes_as_often_as_one_that_is_played_through(self) -> None:
        people, chance, rounds, refreshes = People(), random.Random(1), 100_000, 0
        for _ in range(rounds):
            left = chance.expovariate(1 / people.visit)
            while left > 0:
                refreshes += 1
                left -= chance.choice(RULES.lives) + chance.expovariate(1 / people.call_gap)
        self.assertAlmostEqual(refreshes / rounds, refreshes_per_visit(people, RULES), delta=0.02)

    def test_a_profile_is_found_as_often_as_in_a_cache_that_is_played_through(self) -> None:
        people, chance, now, until, misses, calls = People(pages=1), random.Random(2), 0.0, 0.0, 0, 100_000
        for _ in range(calls):
            now += chance.expovariate(1 / people.call_gap)
            if now >= until:
                misses, until = misses + 1, now + RULES.fresh_for
        load = steady(replace(people, daily=10_000), RULES, 1)
        self.assertAlmostEqual(misses / calls, profile_misses(people, RULES, load, nodes=1), delta=0.01)

    def test_a_token_is_new_to_a_node_as_often_as_one_that_is_played_through(self) -> None:
        people, chance, nodes, new, calls = People(), random.Random(3), 3, 0, 0
        for _ in range(5_000):
            left, seen = float(chance.choice(RULES.lives)), set[int]()
            while (left := left - chance.expovariate((people.asked + people.pages) / people.call_gap)) > 0:
                seen.add(chance.randrange(nodes))
                calls += 1
            new += len(seen)
        load = steady(replace(people, daily=10_000), RULES, 1)
        self.assertAlmostEqual(new / calls, new_tokens(people, RULES, load, nodes), delta=0.01)

    def test_of_too_many_profiles_only_so_many_are_found(self) -> None:
        people = People(pages=1)
        few, many = (profile_misses(people, RULES, steady(replace(people, daily=daily), RULES, 1), 1) for daily in (1e4, 1e8))
        self.assertLess(few, 0.5)
        self.assertGreater(many, 0.99)

    def test_the_fleet_is_the_least_that_holds_without_one_of_its_nodes(self) -> None:
        before = 0
        for daily in (1e3, 1e5, 3e6, 1e7, 3e7):
            people = People(daily=daily)
            nodes = fleet_for(people, RULES).nodes
            self.assertGreaterEqual(nodes, max(2, before))
            self.assertTrue(holds(people, nodes - 1))
            self.assertFalse(nodes > 2 and holds(people, nodes - 2))
            before = nodes


def holds(people: People, nodes: int) -> bool:
    fleet = Fleet(nodes, database=1)
    takes, has = demand(people, RULES, busiest(people, RULES), fleet), capacity(RULES, fleet)
    return all(takes[name] <= FULL * has[name] for name in OF_NODES)


def run(people: People, fleet: Fleet, event: Event, length: float) -> tuple[Simulation, Outcome]:
    simulation = Simulation(people, RULES, fleet, event)
    return simulation, simulation.run(length)


class TheSimulation(unittest.TestCase):
    """Loses nobody, and settles where the formulas say."""

    def test_it_settles_at_the_formulas(self) -> None:
        simulation, outcome = run(EVEN, PLENTY, Event(), HOUR)
        load = steady(EVEN, RULES, 1)
        for what, is_so, should in (
            ("visits", outcome.sums["visits"] / HOUR, load.visits),
            ("in_visit", simulation.devices.in_visit, load.in_visit),
            ("refreshes", outcome.sums["refreshes"] / HOUR, load.refreshes),
            ("sign-ins", outcome.sums["hashed"] / HOUR, load.hashes),
            ("entries", simulation.entries, load.entries),
        ):
            # A password takes time to type, in which some visits end.
            self.assertAlmostEqual(is_so / should, 1, delta=0.06 if what == "sign-ins" else 0.01, msg=what)

    def test_nobody_is_lost_and_nothing_is_less_than_none(self) -> None:
        small = Fleet(nodes=1, database=1, processors=2)
        for event in (
            Event(),
            Event(key_revoked=True),
            Event(sessions_ended=True),
            Event(outage=300),
            Event(staged=600),
            Event(nodes_lost=0, outage=60, key_revoked=True, sessions_ended=True),
        ):
            simulation = Simulation(EVEN, RULES, small, event)
            devices = simulation.devices
            while simulation.second < event.at + 15 * MINUTE:
                simulation.step()
                simulation.second += 1
                if simulation.second % 7:
                    continue
                pools = [devices.away, devices.good, devices.idle, devices.asking, devices.paused, [devices.signing_in]]
                self.assertAlmostEqual(sum(map(sum, pools)), EVEN.active_devices, delta=0.01)
                self.assertGreaterEqual(min(map(min, pools)), -0.01, f"{event}, second {simulation.second}")
            # Whose token passes is whose token expires, or leaves before.
            for state in STATES:
                now, slots = simulation.second - 1, devices.expiring[state]
                later = sum(some / devices.stays ** ((slot - now - 1) % len(slots) + 1) for slot, some in enumerate(slots))
                self.assertAlmostEqual(devices.good[state], later, delta=0.01)

    def test_every_refresh_is_answered(self) -> None:
        for fleet in (PLENTY, Fleet(nodes=100, database=5)):
            simulation, outcome = run(replace(EVEN, daily=2e7), fleet, Event(key_revoked=True), HOUR / 4)
            sums = outcome.sums
            answered = sums["refreshed"] + sums["refused"] + sum(simulation.devices.asking)
            # Some leave while they wait.
            self.assertAlmostEqual(answered / sums["refreshes"], 1, delta=0.01)
            self.assertEqual(sums["refused"] > 0, fleet is not PLENTY)

    def test_where_there_is_plenty_nobody_is_refused(self) -> None:
        for event in (Event(), Event(key_revoked=True), Event(sessions_ended=True), Event(nodes_lost=1)):
            _, outcome = run(EVEN, PLENTY, event, HOUR / 4)
            self.assertEqual(outcome.sums["refused"] + outcome.sums["turned away"] + outcome.over, 0)

    def test_while_the_database_is_away_nobody_is_refreshed(self) -> None:
        _, outcome = run(EVEN, PLENTY, Event(outage=HOUR), HOUR)
        self.assertEqual(outcome.sums["refreshed"] + outcome.sums["hashed"], 0)
        self.assertAlmostEqual((outcome.tokenless + outcome.signing_in) / steady(EVEN, RULES, 1).in_visit, 1, delta=0.01)

    def test_nobody_is_verified_once_the_nodes_have_heard_nothing_for_too_long(self) -> None:
        for outage in (RULES.stale_after, 4 * RULES.stale_after):
            _, outcome = run(EVEN, PLENTY, Event(outage=outage), HOUR / 4)
            calls = steady(EVEN, RULES, 1).calls * (EVEN.asked + EVEN.pages) * (outage - RULES.stale_after)
            self.assertAlmostEqual(outcome.sums["unverified"], calls, delta=0.01 * calls)

    def test_a_revocation_is_remembered_as_long_as_it_matters(self) -> None:
        usual = steady(EVEN, RULES, 1).entries
        staged = Event(staged=5 * MINUTE)
        for length, more in ((5 * MINUTE, EVEN.daily), (RULES.stays_revoked, EVEN.daily), (RULES.stays_revoked + 5 * MINUTE, 0)):
            simulation, _ = run(EVEN, PLENTY, staged, length)
            self.assertAlmostEqual(simulation.entries, usual + more, delta=1)

    def test_a_revoked_key_has_everybody_refresh_at_their_next_call(self) -> None:
        _, outcome = run(EVEN, PLENTY, Event(key_revoked=True), 2 * EVEN.call_gap)
        load = steady(EVEN, RULES, 1)
        # All but those who had no token anyway, and then it decays by the gap between calls.
        self.assertAlmostEqual(outcome.refreshes / (load.in_visit / EVEN.call_gap + load.visits), 1, delta=0.03)
        again = outcome.sums["refreshes"] - load.visits * 2 * EVEN.call_gap
        self.assertAlmostEqual(again / (load.in_visit * -math.expm1(-2)), 1, delta=0.1)

    def test_whose_session_was_ended_signs_in_once(self) -> None:
        for event in (Event(sessions_ended=True), Event(staged=2 * HOUR)):
            simulation, outcome = run(EVEN, PLENTY, event, 4 * HOUR)
            usual = steady(EVEN, RULES, 1).sign_ins * 4 * HOUR
            left = simulation.devices.away[ENDED] + simulation.devices.away[OLD]
            signed_in = outcome.sums["hashed"] / EVEN.tries
            self.assertAlmostEqual((signed_in + left) / (EVEN.active_devices + usual), 1, delta=0.02)

    def test_the_more_the_database_has_the_sooner_it_is_over(self) -> None:
        before = math.inf
        people = replace(EVEN, daily=4e7)
        for processors in (8, 12, 16):
            _, outcome = run(people, Fleet(nodes=400, database=processors), Event(key_revoked=True), HOUR / 4)
            self.assertEqual(outcome.bottleneck, "database's processors")
            self.assertLess(outcome.over, before)
            before = outcome.over
        self.assertGreater(outcome.echo, 2 * steady(people, RULES, 1).refreshes)


class TheGate(unittest.TestCase):
    """Is the queue that its rules make."""

    def test_one_thread_waits_as_long_as_the_textbook_says(self) -> None:
        for load in (0.3, 0.6, 0.8):
            seen = gate(load, 1, 1, math.inf, math.inf, 200_000, seed=1)
            self.assertAlmostEqual(statistics.mean(seen.waits) / (load / (2 * (1 - load))), 1, delta=0.05)

    def test_several_do_too(self) -> None:
        for threads, load in ((3, 0.7), (7, 0.8)):
            offered = threads * load
            some = sum(offered**k / math.factorial(k) for k in range(threads))
            all_busy = offered**threads / math.factorial(threads) / (1 - load)
            exponential = all_busy / (some + all_busy) / (threads * (1 - load))
            # G. P. Cosmetatos, "Approximate explicit formulae for the average queueing time in the processes (M/D/r) and …"
            spread = 1 + (1 - load) * (threads - 1) * (math.sqrt(4 + 5 * threads) - 2) / (16 * load * threads)
            seen = gate(offered, threads, 1, math.inf, math.inf, 40_000, seed=2)
            self.assertAlmostEqual(statistics.mean(seen.waits) / (exponential * spread / 2), 1, delta=0.06)

    def test_of_too_many_as_many_are_hashed_as_can_be(self) -> None:
        seen = gate(900, 3, 0.01, 32, 1, 60, seed=3)
        self.assertAlmostEqual(len(seen.waits) / 60 / 300, 1, delta=0.01)
        self.assertAlmostEqual(seen.refused_share, 2 / 3, delta=0.01)
        self.assertLessEqual(max(seen.waits), 32 / 3 * 0.01 + 0.01)

    def test_nobody_waits_longer_than_the_patience(self) -> None:
        seen = gate(100, 1, 0.1, 32, 1, 60, seed=4)
        self.assertLessEqual(max(seen.waits), 1)
        self.assertGreater(max(seen.waits), 0.8)

    def test_of_few_none_waits(self) -> None:
        seen = gate(0.01, 3, 0.01, 32, 1, 10_000, seed=5)
        self.assertEqual((seen.refused, max(seen.waits)), (0, 0))


class ThePage(unittest.TestCase):
    """Says what the program prints."""

    def test_it_does(self) -> None:
        self.assertEqual(page.read(), report(People(), RULES), "python3 tests/simulate --write")


if __name__ == "__main__":
    unittest.main()
