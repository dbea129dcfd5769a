"""Prints results as text tables, Markdown tables and a bar chart."""

import statistics
from dataclasses import dataclass
from typing import Callable, Dict, List, Optional, Sequence, Tuple
from xml.sax.saxutils import escape

from contenders import Contender, Setting
from measure import BUSY, DISTURBED, SERVER_CORE, Run, cores_of

@dataclass(frozen=True)
class Result:
    contender: Contender
    setting: Setting
    runs: Sequence[Run]

    def median(self, figure: Callable[[Run], float]) -> float:
        return statistics.median(figure(run) for run in self.runs)

    @property
    def rate(self) -> float:
        return self.median(lambda run: run.megabytes_per_second)

    @property
    def cost(self) -> float:
        return self.median(lambda run: run.client_seconds_per_gigabyte)

    @property
    def spread(self) -> str:
        """How far the repeats are apart."""
        if len(self.runs) < 2:
            return ""
        costs = [run.client_seconds_per_gigabyte for run in self.runs]
        return f"{(max(costs) - min(costs)) / self.cost:.0%}"

    @property
    def limited_by_server(self) -> bool:
        cores = self.setting.client_cores * self.setting.core_share
        return any(run.server_busy > BUSY and run.client_busy <= BUSY * cores for run in self.runs)

    @property
    def others_busy(self) -> float:
        return self.median(lambda run: run.others_busy)

    @property
    def note(self) -> str:
        notes = ["limited by the server"] if self.limited_by_server else []
        if SERVER_CORE in cores_of(self.setting) and self.setting.core_share == 1:
            notes.append("shares a core with the server")
        if self.others_busy > DISTURBED:
            notes.append(f"disturbed: other processes used {self.others_busy:.0%} of the cores")
        return "; ".join(notes)


def times(value: float, base: Optional[float]) -> str:
    if not base:
        return ""
    ratio = value / base
    return f"{ratio:.2f}×" if ratio < 10 else f"{ratio:.0f}×"


def significant(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


@dataclass(frozen=True)
class Table:
    columns: Sequence[Tuple[str, str]]  # two header lines each; a text column if the first is empty
    rows: Sequence[Sequence[str]]

    def is_text(self, column: int) -> bool:
        return self.columns[column][0] == ""

    def as_text(self) -> str:
        lines = [*map(list, zip(*self.columns)), *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.columns))]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if self.is_text(i) else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths))
            ).rstrip()
            for line in lines
        )

    def as_markdown(self) -> str:
        head = [" ".join(part for part in column if part) for column in self.columns]
        rule = ["---" if self.is_text(i) else "---:" for i in range(len(self.columns))]
        return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *self.rows])


COLORS: Dict[str, str] = {"everyitem": "#d9480f", "peer": "#4c6ef5", "floor": "#adb5bd"}
WIDTH, LABEL, BAR, STEP, GAP = 760, 160, 16, 22, 44


def svg(results: Sequence[Result], subtitle: str) -> str:
    """Horizontal bars of MB/s, one group per setting, all on one linear scale."""
    if any(result.others_busy > DISTURBED for result in results):
        subtitle += "; disturbed by other processes"
    longest = max(result.rate for result in results)
    scale = (WIDTH - LABEL - 80) / longest
    parts: List[str] = []
    y = 60
    for setting in dict.fromkeys(result.setting for result in results):
        y += 12
        title = f"items of {setting.item_bytes} bytes, {setting.transport.upper()}"
        parts.append(f'<text x="12" y="{y}" font-weight="bold">{title}</text>')
        y += 10
        group = [result for result in results if result.setting == setting]
        for result in sorted(group, key=lambda one: -one.rate):
            middle = y + BAR - 4
            length = max(result.rate * scale, 1)
            color = COLORS[result.contender.kind]
            mark = " (limited by the server)" if result.limited_by_server else ""
            parts.append(
                f'<text x="{LABEL - 8}" y="{middle}" text-anchor="end">'
                f"{escape(result.contender.name)}</text>"
                f'<rect x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{color}"/>'
            )
            value = f"{significant(result.rate)}{mark}"
            if length > WIDTH / 2:
                parts.append(
                    f'<text x="{LABEL + length - 6:.1f}" y="{middle}" text-anchor="end">{value}</text>'
                )
            else:
                parts.append(f'<text x="{LABEL + length + 6:.1f}" y="{middle}">{value}</text>')
            y += STEP
        y += GAP - STEP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" '
        f'height="{y}" font-family="sans-serif" font-size="12" fill="#212529">\n'
        f'<rect width="{WIDTH}" height="{y}" fill="#ffffff"/>\n'
        '<text x="12" y="24" font-size="16" font-weight="bold">Megabytes of items per second, '
        "one core</text>\n"
        f'<text x="12" y="44" fill="#495057">{escape(subtitle)}</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )
