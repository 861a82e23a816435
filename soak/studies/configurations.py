"""One server under several configurations, and what differs between the runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from soak.private_file import explained, make_folder
from soak.report.comparison_files import write_comparison
from soak.studies.conduct import MadeRun, PlannedRun, Study, started

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from soak.config import SoakConfig
    from soak.report.model.comparison import Comparison
    from soak.studies.conduct import NotStarted
    from soak.targets import Target


class Configurations(Study[MadeRun]):
    """A run of each configuration; a server that does not come up ends it."""

    def __init__(self, configs: Sequence[SoakConfig], target: Target) -> None:
        """Run `configs` in order, against `target`."""
        self.configs = tuple(configs)
        self.target = target

    def next_run(self, done: Sequence[MadeRun]) -> PlannedRun | None:
        """Return the run of the next configuration."""
        if len(done) == len(self.configs):
            return None
        config = self.configs[len(done)]
        to_follow = len(self.configs) - len(done) - 1
        return PlannedRun(config, self._in_words(config), to_follow=to_follow, target=self.target)

    def outcome_of(self, done: Sequence[MadeRun], planned: PlannedRun, made: MadeRun | NotStarted) -> MadeRun:
        """Keep the whole run: they are few, and all are shown beside each other."""
        del done, planned
        return started(made)

    def _in_words(self, config: SoakConfig) -> str:
        if not self.target.is_reference:
            return "a server of your own"
        server = config.server
        threads = f"{server.decoder_thread_num}/{server.io_thread_num}/{server.model_thread_num}"
        return f"model {server.model}, decoder/io/model threads {threads}"


def write_side_by_side(compared: Comparison, out: Path) -> Path:
    """Write the comparison of the runs into a folder under `out` that is named after the last of them.

    Returns the page's path; raises `SoakError` when it cannot be written.
    """
    folder = out / f"{compared.rows[-1].path.name}-comparison"
    with explained(folder):
        make_folder(folder)
        page, _ = write_comparison(compared, folder)
    return page
