#!/usr/bin/python3
"""Turns what scripts/bench measured into the figures section of docs/performance.md."""

import json
import os
import platform
import subprocess
import sys
import time

from growth_plot import draw, growth

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = os.path.join(ROOT, "docs/performance.md")
PLOT = os.path.join(ROOT, "docs/growth.svg")
BEGIN, END = "<!-- figures: written by scripts/bench -->", "<!-- end of figures -->"

OURS = "signed transfers committed through the API, 1,000,000 accounts"
PEER = "PostgreSQL 15, one call per transfer, 32 clients"
# Fields of a Google Benchmark row that are not counters of ours.
PLAIN_FIELDS = {"name", "family_index", "per_family_instance_index", "run_name", "run_type", "repetitions",
                "repetition_index", "threads", "iterations", "real_time", "cpu_time", "time_unit", "label",
                "error_occurred", "error_message", "aggregate_name", "aggregate_unit"}


def number(value):
    if not isinstance(value, (int, float)):
        return str(value)
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2 ** 30
    return f"{model}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, Linux {platform.release()}"


def commit():
    done = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], check=False, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def read_figures(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def compare_with_peer(figures):
    """Adds our transfers per second beside PostgreSQL's of the same run."""
    values = {figure["name"]: figure["value"] for figure in figures}
    if OURS in values and PEER in values:
        ratio = values[OURS] / values[PEER]
        figures.append({"name": "signed transfers, beside PostgreSQL's unsigned ones", "value": values[OURS],
                        "unit": "transfers/s", "peer": PEER, "peer_value": values[PEER], "ratio": ratio,
                        "goal": ">= 1.0 x", "met": ratio >= 1, "command": "scripts/bench"})


def figure_row(figure):
    peer = f"{figure['peer']}: {number(figure['peer_value'])}" if figure.get("peer") else ""
    ratio = f"{figure['ratio']:.2f}" if figure.get("peer") else ""
    goal = figure.get("goal", "")
    if goal:
        goal += ", met" if figure.get("met") else ", **not met**"
    return f"| {figure['name']} | {number(figure['value'])} {figure['unit']} | {peer} | {ratio} | {goal} |"


def figure_tables(figures):
    lines = []
    for command in dict.fromkeys(figure["command"].strip() for figure in figures):
        lines += [f"`{command}`", "", "| figure | measured | beside it, same run | ratio | goal |", "|---|---|---|---|---|"]
        lines += [figure_row(figure) for figure in figures if figure["command"].strip() == command] + [""]
    return lines


def benchmark_row(row):
    counters = ", ".join(f"{name} {number(value)}" for name, value in row.items() if name not in PLAIN_FIELDS)
    label = row.get("label", "")
    return f"| {row['name']} | {number(row['cpu_time'])} {row['time_unit']} | {'; '.join(filter(None, [counters, label]))} |"


def read_benchmarks(path):
    with open(path, encoding="utf-8") as file:
        rows = json.load(file)["benchmarks"]
    rows = [row for row in rows if not row.get("error_message", "").startswith("set LEITHER_BENCH_LARGE")]
    failed = [row["name"] for row in rows if row.get("error_occurred")]
    if failed:
        sys.exit(f"benchmarks failed: {', '.join(failed)}")
    return rows


def growth_section(rows):
    """The plot's source as a table, for whoever reads the page without pictures."""
    lines = ["![Cost of a changed account against the number of accounts](growth.svg)", "",
             "| accounts | CPU of a changed account | tree nodes hashed for it | CPU of a node |", "|---|---|---|---|"]
    lines += [f"| {accounts:,} | {cpu:.2f} us | {nodes:.2f} | {cpu / nodes:.2f} us |" for accounts, cpu, nodes in growth(rows)]
    return lines + [""]


def benchmark_table(rows):
    return ["`build/release/bin/leither-bench`", "", "| benchmark | CPU | counters |", "|---|---|---|"] + [
        benchmark_row(row) for row in rows] + [""]


def section(folder):
    figures = read_figures(os.path.join(folder, "figures.jsonl"))
    compare_with_peer(figures)
    rows = read_benchmarks(os.path.join(folder, "leither-bench.json"))
    head = [BEGIN, "", f"Machine: {machine()}. Commit {commit()}, {time.strftime('%Y-%m-%d')}, release build.", ""]
    text = "\n".join(head + figure_tables(figures) + growth_section(rows) + benchmark_table(rows) + [END])
    return text, draw(growth(rows))


def main():
    folder, write = sys.argv[1:]
    text, plot = section(folder)
    if write != "yes":
        print(text)
        return
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    before, rest = page.split(BEGIN, 1)
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(before + text + rest.split(END, 1)[1])
    with open(PLOT, "w", encoding="utf-8") as file:
        file.write(plot)
    print(f"written: {os.path.relpath(PAGE, ROOT)}, {os.path.relpath(PLOT, ROOT)}")


if __name__ == "__main__":
    main()
