"""everyitem on a terminal, as a person runs it."""

import os
import pty
import select
import termios
import time
from typing import Any, List, Sequence

from running import BINARY, Everyitem, hear_signals


class Terminal:
    """One run on its own terminal."""

    def __init__(self, everyitem: Everyitem, *arguments: Any, within: Sequence[str] = ()) -> None:
        """`within`: a command that starts it."""
        self.text = ""
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            hear_signals()
            words: List[str] = [*within, str(BINARY), *map(str, arguments)]
            os.execvpe(words[0], words, {**everyitem.env, "TERM": "xterm"})

    def read_until(self, what: str, seconds: float = 30) -> None:
        """Reads until the text appears, or to the end if the text is empty."""
        deadline = time.monotonic() + seconds
        while not (what and what in self.text):
            assert time.monotonic() < deadline, f"no {what!r} in {self.text!r}"
            if not select.select([self._terminal], [], [], 0.1)[0]:
                continue
            try:
                read = os.read(self._terminal, 65536)
            except OSError:  # this is how Linux reports that the other side has closed
                read = b""
            if not read:
                assert not what, f"no {what!r} in {self.text!r}"
                return
            self.text += read.decode(errors="replace")

    def wait_until_hidden(self, seconds: float = 30) -> None:
        """Until what is typed is not shown."""
        deadline = time.monotonic() + seconds
        while termios.tcgetattr(self._terminal)[3] & termios.ECHO:
            assert time.monotonic() < deadline, f"still shown after {self.text!r}"
            time.sleep(0.01)

    def press(self, keys: bytes) -> None:
        os.write(self._terminal, keys)

    def finish(self) -> int:
        self.read_until("")
        code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        os.close(self._terminal)
        return code
