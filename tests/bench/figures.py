"""One figure beside its peer or limit and its goal: how the end-to-end benchmarks report."""

import json
import os
from dataclasses import asdict, dataclass


@dataclass
class Figure:
    name: str
    value: float
    unit: str
    peer: str = ""            # what it is measured against, in the same run
    peer_value: float = 0
    ratio: float = 0          # as the goal wants it
    goal: str = ""            # e.g. "<= 1.3 x"
    met: object = None        # True, False, or None without a goal

    def line(self):
        against = f"; {self.peer}: {number(self.peer_value)} {self.unit}; ratio {self.ratio:.2f}" if self.peer else ""
        goal = f" (goal {self.goal}: {'met' if self.met else 'NOT met'})" if self.goal else ""
        return f"{self.name}: {number(self.value)} {self.unit}{against}{goal}"


def number(value):
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


class Report:
    """Prints each figure as it comes; the file named by LEITHER_FIGURES collects them for scripts/bench."""

    def __init__(self, command):
        self.command = command
        self.missed = 0

    def add(self, figure):
        print("  " + figure.line(), flush=True)
        self.missed += figure.met is False
        path = os.environ.get("LEITHER_FIGURES")
        if path:
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps(dict(asdict(figure), command=self.command)) + "\n")

    def at_most(self, name, value, unit, limit):
        self.add(Figure(name, value, unit, goal=f"<= {number(limit)} {unit}", met=value <= limit))

    def at_least(self, name, value, unit, limit):
        self.add(Figure(name, value, unit, goal=f">= {number(limit)} {unit}", met=value >= limit))

    def plain(self, name, value, unit):
        self.add(Figure(name, value, unit))

    def ratio_at_most(self, name, value, unit, peer, peer_value, limit):
        ratio = value / peer_value
        self.add(Figure(name, value, unit, peer, peer_value, ratio, f"<= {limit} x", ratio <= limit))

    def ratio_at_least(self, name, value, unit, peer, peer_value, limit):
        ratio = value / peer_value
        self.add(Figure(name, value, unit, peer, peer_value, ratio, f">= {limit} x", ratio >= limit))
