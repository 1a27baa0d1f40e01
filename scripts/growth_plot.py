"""Draws how the cost of changing an account grows with the ledger, as an SVG for docs/performance.md."""

import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 320, 60, 20, 44, 44
LINES = (("CPU", "#b5461f", "cpu"), ("tree nodes hashed", "#2a6f97", "nodes"))
STYLE = ("text{font:12px sans-serif;fill:#555}.title{font-weight:bold}line{stroke:#ccc}"
         "path{fill:none;stroke-width:2}")


def growth(rows):
    """[(accounts, CPU us per changed account, nodes hashed per changed account)], rising."""
    points = []
    for row in rows:
        if row["name"].startswith("tree/batch_apply/") and "updates_per_cpu_s" in row:
            cpu = 1e6 / row["updates_per_cpu_s"]
            points.append((int(row["name"].split("/")[2]), cpu, cpu / row["cpu_us_per_node"]))
    return sorted(points)


def draw(points):
    """Both relative to the smallest ledger: cost that grows with the hash count keeps the lines together."""
    first = points[0]
    series = {"cpu": [cpu / first[1] for _, cpu, _ in points], "nodes": [nodes / first[2] for _, _, nodes in points]}
    top = math.ceil(max(max(values) for values in series.values()))
    low, high = math.log10(points[0][0]), math.log10(points[-1][0])

    def x(accounts):
        return LEFT + (math.log10(accounts) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(value):
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">',
           f"<style>{STYLE}</style>", f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
           f'<text class="title" x="{LEFT}" y="20">Cost of a changed account, 1 = with {points[0][0]:,} accounts</text>']
    for value in range(top + 1):
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value}</text>')
    for accounts, _, _ in points:
        out.append(f'<text x="{x(accounts):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{accounts:,}</text>')
    out.append(f'<text x="{WIDTH / 2:.0f}" y="{HEIGHT - 6}" text-anchor="middle">accounts</text>')
    for number, (label, colour, key) in enumerate(LINES):
        steps = [f"{x(point[0]):.1f},{y(value):.1f}" for point, value in zip(points, series[key])]
        out.append(f'<path stroke="{colour}" d="M{" L".join(steps)}"/>')
        out += [f'<circle cx="{step.split(",")[0]}" cy="{step.split(",")[1]}" r="3" fill="{colour}"/>' for step in steps]
        out.append(f'<text x="{LEFT + 12 + 170 * number}" y="36" style="fill:{colour}">{label} per changed account</text>')
    return "\n".join(out + ["</svg>", ""])
