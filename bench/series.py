"""What bench/run measures: each series is one table of contenders and settings."""

from dataclasses import dataclass, replace
from typing import Callable, List, Optional, Sequence, Tuple

from contenders import CONTENDERS, FLOOR_OF_500, FLOOR_OF_PAGES, SEGMENTS, Contender, Setting
from processor_share import parent_group
from report import Result, Table, significant, times

Member = Tuple[Contender, Setting]

PAGE_BYTES = 1 << 20  # of items; the server ends a page once it has this many
SCAN_MS, PUT_MS = 15, 25
SLOW_CORE = 0.2
# A stream of 256 MB/s in Kinesis' terms. It determines how much everyitem keeps in flight.
SHARDS_WITH_LATENCY = 256

EVERYITEM = next(one for one in CONTENDERS if one.kind == "everyitem")
FLOOR = next(one for one in CONTENDERS if one.name == FLOOR_OF_500)
FLOOR_OF_A_PAGE = next(one for one in CONTENDERS if one.name == FLOOR_OF_PAGES)


@dataclass(frozen=True)
class Series:
    title: str
    about: str
    # The members of a group are measured alternately.
    groups: Callable[[Sequence[int], Sequence[str]], List[List[Member]]]
    table: Callable[[Sequence[Result]], Table]


def over(results: Sequence[Result]) -> str:
    """For example "Over HTTP and TLS."."""
    transports = dict.fromkeys(one.setting.transport.upper() for one in results)
    return f"Over {' and '.join(transports)}."


def of_setting(results: Sequence[Result], who: Contender, setting: Setting) -> Optional[Result]:
    found = (one for one in results if one.contender == who and one.setting == setting)
    return next(found, None)


def ratio(result: Result, base: Optional[Result], figure: Callable[[Result], float]) -> str:
    return times(figure(result), figure(base) if base else None)


# What the tables have in common.
FIGURES = (
    ("MB/s", ""),
    ("client CPU", "s/GB"),
    ("spread", "of CPU"),
    ("peak", "MB"),
    ("client", "busy"),
    ("server", "busy"),
)
NOTE = ("", "")


def figures(result: Result) -> List[str]:
    return [
        significant(result.rate),
        significant(result.cost),
        result.spread,
        f"{result.median(lambda run: run.peak_megabytes):.0f}",
        f"{result.median(lambda run: run.client_busy):.0%}",
        f"{result.median(lambda run: run.server_busy):.0%}",
    ]


# Contenders


def all_contenders(sizes: Sequence[int], transports: Sequence[str]) -> List[List[Member]]:
    settings = [Setting(size, transport) for size in sizes for transport in transports]
    return [[(contender, setting) for contender in CONTENDERS] for setting in settings]


def contenders_table(results: Sequence[Result]) -> Table:
    rows = []
    for result in results:
        same_setting = [other for other in results if other.setting == result.setting]
        peers = [other.rate for other in same_setting if other.contender.kind == "peer"]
        floors = [of_setting(results, one, result.setting) for one in (FLOOR, FLOOR_OF_A_PAGE)]
        rows.append(
            [
                str(result.setting.item_bytes),
                result.setting.transport.upper(),
                result.contender.name,
                f"{result.median(lambda run: run.items_per_second):,.0f}",
                *figures(result),
                times(result.rate, max(peers, default=None)),
                *(ratio(result, floor, lambda one: one.cost) for floor in floors),
                result.note,
            ]
        )
    columns = (
        *(("item", "bytes"), ("", ""), ("", ""), ("items/s", "")),
        *FIGURES,
        *(("MB/s vs", "fastest peer"), ("CPU vs", "floor of 500")),
        *(("CPU vs", "floor per page"), NOTE),
    )
    return Table(columns, rows)


# Segments


def few_and_many_segments(_: Sequence[int], transports: Sequence[str]) -> List[List[Member]]:
    setting = Setting(transport=transports[0])
    counts = (1, SEGMENTS, 64)
    return [
        [
            *((EVERYITEM, replace(setting, segments=count)) for count in (*counts, 1000)),
            *((FLOOR, replace(setting, segments=count)) for count in counts),
        ]
    ]


def compared(setting: str, result: Result, base: Optional[Result]) -> List[str]:
    """A row of a series: setting, contender, figures, and their ratio to those of `base`."""
    return [
        setting,
        result.contender.name,
        *figures(result),
        ratio(result, base, lambda one: one.rate),
        ratio(result, base, lambda one: one.cost),
        result.note,
    ]


def segments_table(results: Sequence[Result]) -> Table:
    rows = []
    for result in results:
        base = of_setting(results, result.contender, replace(result.setting, segments=SEGMENTS))
        rows.append(compared(str(result.setting.segments), result, base))
    base_name = f"{SEGMENTS} segments"
    columns = (
        *(("segments", ""), ("", "")),
        *FIGURES,
        *(("MB/s vs", base_name), ("CPU vs", base_name), NOTE),
    )
    return Table(columns, rows)


# Latency


def with_and_without_latency(_: Sequence[int], transports: Sequence[str]) -> List[List[Member]]:
    slow = [
        Setting(
            transport=transports[0],
            segments=count,
            shards=SHARDS_WITH_LATENCY,
            scan_ms=SCAN_MS,
            put_ms=PUT_MS,
        )
        for count in (1, 64)
    ]
    return [[(EVERYITEM, one) for setting in slow for one in (setting.without_latency, setting)]]


def latencies_allow(setting: Setting) -> float:
    """MB/s. A segment is read page by page; while one page is delivered, the next is read."""
    slower = max(setting.scan_ms, setting.put_ms) / 1000
    return setting.segments * PAGE_BYTES / 1e6 / slower if slower else float("inf")


def latency_table(results: Sequence[Result]) -> Table:
    rows = []
    for result in results:
        base = of_setting(results, result.contender, result.setting.without_latency)
        if base is None or base is result:
            compared = ["", "", "", ""]
        else:
            allowed = latencies_allow(result.setting)
            compared = [
                f"{allowed:,.0f}",
                f"{result.rate / min(allowed, base.rate):.0%}",
                ratio(result, base, lambda one: one.rate),
                ratio(result, base, lambda one: one.cost),
            ]
        rows.append(
            [
                str(result.setting.segments),
                f"{result.setting.scan_ms} + {result.setting.put_ms}",
                *figures(result),
                *compared,
                result.note,
            ]
        )
    columns = (
        *(("segments", ""), ("latency", "ms")),
        *FIGURES,
        *(("allowed", "MB/s"), ("share of what", "is possible")),
        *(("MB/s vs", "no latency"), ("CPU vs", "no latency"), NOTE),
    )
    return Table(columns, rows)


# Cores


def one_and_two_cores(_: Sequence[int], transports: Sequence[str]) -> List[List[Member]]:
    return [
        [
            (contender, Setting(transport=transports[0], client_cores=cores))
            for contender in (EVERYITEM, FLOOR)
            for cores in (1, 2)
        ],
        *(
            [
                (EVERYITEM, Setting(size, transport, client_cores=cores, core_share=SLOW_CORE))
                for cores in (1, 2)
            ]
            for size in (100, 400)
            for transport in transports
            if parent_group() is not None
        ),
    ]


def cores_table(results: Sequence[Result]) -> Table:
    rows = []
    for result in results:
        base = of_setting(results, result.contender, replace(result.setting, client_cores=1))
        setting = result.setting
        rows.append(
            [
                str(setting.item_bytes),
                setting.transport.upper(),
                f"{setting.core_share:.0%}",
                *compared(str(setting.client_cores), result, base),
            ]
        )
    columns = (
        *(("item", "bytes"), ("", ""), ("share", "of a core"), ("client", "cores"), ("", "")),
        *FIGURES,
        *(("MB/s vs", "1 core"), ("CPU vs", "1 core"), NOTE),
    )
    return Table(columns, rows)


SERIES = {
    "contenders": Series(
        "Contenders",
        f"{SEGMENTS} segments, one item per record unless aggregated, no latency, one core.",
        all_contenders,
        contenders_table,
    ),
    "segments": Series(
        "Segments",
        "Items of 400 bytes, no latency, one core.",
        few_and_many_segments,
        segments_table,
    ),
    "latency": Series(
        "Latency",
        f"Items of 400 bytes; Scan responses after {SCAN_MS} ms, PutRecords responses after {PUT_MS} ms; "
        f"{SHARDS_WITH_LATENCY} shards.",
        with_and_without_latency,
        latency_table,
    ),
    "cores": Series(
        "Cores",
        f"{SEGMENTS} segments, no latency. With {SLOW_CORE:.0%} of each core's time for the client, the "
        "server does not limit a client on two cores.",
        one_and_two_cores,
        cores_table,
    ),
}
