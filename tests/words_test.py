"""Phrases and names that must not come back, searched for in every text of the project.

The left column of PHRASES and NAMES is a regular expression, the right one what to write instead.
Phrases are also found if they are wrapped over several lines of comments or strings.
Run by pytest, or alone to list everything that is found: python3 tests/words_test.py [FOLDER...]
"""

import re
import sys
from collections import Counter
from pathlib import Path
from typing import Iterator, List, NamedTuple, Pattern, Sequence, Tuple

ROOT = Path(__file__).resolve().parent.parent

SUFFIXES = {".cc", ".h", ".md", ".py", ".sh", ".js", ".mjs", ".go", ".yml", ".yaml", ".cmake", ".txt", ".proto", ""}
SKIPPED = {"build", "dist", "node_modules", "testdata", "corpus", "__pycache__", "words_test.py"}

# What can be counted "a second" or "a page" in the wrong way.
COUNTED = r"(?:one|many|several|items|units|records|pages|requests|bytes|[KMG]i?B|B|times|calls|percent|\d+|N)"
UNIT = r"(?:second|minute|hour|core|line|page|segment|record|request|shard|batch|thread|worker|loop|process|item|folder)"

PHRASES: Sequence[Tuple[str, str]] = (
    (r"anew|afresh", "again, from the start"),
    (r"(go|goes|going|went|gone) on(?! a\b)", "continue, resume"),
    (r"so many|so-manieth", "N, this many, every N-th"),
    (r"so long(?! as)", "this long, for as long as"),
    (rf"{COUNTED} an? {UNIT}", "per second, per page"),
    (r"(once|twice) an? (page|batch|record|request|item|segment|turn)(?! (is|was|has))", "once per page"),
    (r"(?<![Tt]here\s)(is|are|was|were) no (?!longer|more|less|such|one|need|way)\w+", "is not a"),
    (r"of no (known )?kind", "of an unknown kind"),
    (r"(would|must|could|should|might) else", "otherwise"),
    (r"(is|are|was|were|been|be) told(?! to)", "is reported"),
    (r"too fast", "throttled"),
    (r"(got|get|gets|gotten) over", "is recovered from"),
    (r"for ever", "forever"),
    (r"beside", "next to, besides, alongside"),
    (r"in mid-\w+", "in the middle of"),
    (r"likewise", "the same"),
    (r"dearest|dearer", "most expensive"),
    (r"aloud", "say it"),
    (r"as [\w./`]+ has (it|them)", "as described in, as specified by"),
    (r"(stand|stands|stood) still", "stall"),
    (r"stands? (there|beside|before|behind|under|once|in(?! for| line))", "is in, is written"),
    (r"behind (it|them|these|that|those)", "after it"),
    (r"(held|holds|hold) (\w+ ){0,4}against", "compare with"),
    (r"(pass|passes|passed) over", "skip"),
    (r"(is|are) to be", "must be, will be"),
    (r"mend(s|ed|ing)?", "fix"),
    (r"bury|buries|buried", "write to the dead letters"),
    (r"taken for", "treated as"),
    (r"any further", "any more, the rest"),
    (r"tells? its", "reports its"),
    (r"[Ww]here there (is|are) (no|none)", "if there is no"),
    (r"though \w+ \w+ be", "even if it is"),
    (r"some \d[\d,.]*", "about N"),
    (r"time is nearly up", "deadline near"),
    (r"this process's", "owned by this process"),
    (r"reads no more(?! (from|than))", "stops reading"),
    (r"to be had", "available"),
    (r"of what kind", "which kind of"),
    (r"no whole", "not a complete"),
    (r"(go|goes|went) by (itself|themselves|others)", "expires"),
    (r"cannot be (worked out|gone on with)", "needs, cannot be resumed"),
    (r"(held|hold|holds) dearer", "is more important"),
    (r"ended? unasked", "on its own"),
    (r"(let|lets) (everybody|everyone) through", "accepts"),
    (r"is of no (more )?use", "cannot be used"),
    (r"nothing more is read", "stops reading"),
    (r"words? (the|of the) service", "the service's message"),
    (r"(is|are) the (caller|user)'s to \w+", "the user must"),
    (r"makes? (it|them|itself|the run) anew", "re-creates"),
    (r"what is (told|said) of", "what is reported about"),
    (r"the likes? of it", "such"),
    (r"(sooner|later) or later told", "reported"),
    (r"as far as can be", "as far as possible"),
    (r"in (its|their) midst", "in the middle"),
    (r"by way of", "through"),
    (r"(gives?|gave) (\w+ )?(of itself|away by itself)", "releases"),
)

NAMES: Sequence[Tuple[str, str]] = (
    (r"\w*Surroundings|surroundings", "Context"),
    (r"k?(Most|Least)[A-Z]\w*|(most|least)_\w+|(MOST|LEAST)_\w+", "max, min"),
    (r"take_moved|may_be_done|strange_cbor|took_some|speaks_for_all|kNothing", "see english names in the ADRs"),
)


def compiled(phrase: str) -> Pattern[str]:
    words = phrase.replace(" ", r"\s+")
    return re.compile(rf"\b(?:{words})(?!\w)")


# The markers inside a sentence that is wrapped over several lines of comments or strings.
MARKERS = re.compile(r"""["'][ \t]*\n[ \t]*f?["']|\n[ \t]*(?://[/!]?<?|#+|\*|>)[ \t]?""")


def unwrapped(text: str) -> str:
    """The text with these markers blanked out. Every character keeps its position."""
    return MARKERS.sub(lambda marker: re.sub(r"[^\n]", " ", marker[0]), text)


class Finding(NamedTuple):
    path: str
    line: int
    found: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: \"{self.found}\": write \"{self.instead}\""


# A test's name says its case; what the case is for is said by its code.
MAX_WORDS_OF_TEST_NAME = 4
TEST_NAME = re.compile(
    r"^[ \t]*(?:(?:TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P)\(\s*\w+\s*,\s*|(?:async )?def test_)(\w+)", re.M
)
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+|\d+")

RULES = [(compiled(phrase), instead) for phrase, instead in (*PHRASES, *NAMES)]


def find(path: str, text: str) -> List[Finding]:
    found = []
    text = unwrapped(text)
    for rule, instead in RULES:
        for match in rule.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Finding(path, line, " ".join(match[0].split()), instead))
    for name in TEST_NAME.finditer(text):
        if len(WORD.findall(name[1])) > MAX_WORDS_OF_TEST_NAME:
            line = text.count("\n", 0, name.start(1)) + 1
            found.append(Finding(path, line, name[1], f"at most {MAX_WORDS_OF_TEST_NAME} words"))
    return sorted(found, key=lambda one: one.line)


def is_below(path: str, names: Sequence[str]) -> bool:
    return any(path == name or path.startswith(f"{name}/") for name in names)


def texts(start: Path = ROOT) -> Iterator[Tuple[str, str]]:
    """Paths of the project's texts, and what they say."""
    for path in sorted(start.iterdir()):
        if path.name[0] == "." or path.name in SKIPPED:
            continue
        if path.is_dir():
            yield from texts(path)
        elif path.suffix in SUFFIXES:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def test_texts_are_clean() -> None:
    found = [one for path, text in texts() for one in find(path, text)]
    assert not found, "\n" + "\n".join(map(str, found))


def test_phrases_are_found() -> None:
    for text, count in (
        ("the run begins anew", 1),
        ("goes on from there", 1),
        ("// what was left goes\n  // on", 1),
        ('"one a"\n      " line"', 1),
        ("one a line", 1),
        ("goes one step", 0),
        ("it is no longer there", 0),
        ("there is no item", 0),
        ("struct LaneSurroundings;", 1),
        ("kMostWorkers + most_bytes", 2),
        ("almost_all", 0),
        ("at most two", 0),
        ("TEST_F(ClientTest, StalledAnswerIsRetried) {", 0),
        ("def test_stalled_answer_is_retried() -> None:", 0),
        ("    def test_a_stalled_answer_is_retried(self) -> None:", 1),
        ("TEST_F(ClientTest,\n       AStalledAnswerIsAskedForOnceAgain) {", 1),
    ):
        assert len(find("x", text)) == count, text


def main(names: Sequence[str]) -> int:
    found = [one for path, text in texts() if not names or is_below(path, names) for one in find(path, text)]
    print("\n".join(map(str, found)))
    folders = Counter("/".join(one.path.split("/")[:2]) for one in found)
    print("\n".join(f"{count:6} {folder}" for folder, count in folders.items()) or "nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
