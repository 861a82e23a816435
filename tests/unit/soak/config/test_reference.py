"""The documentation of the server's settings is what they declare."""

from pathlib import Path

import pytest

from asr_server.settings import ServerOptions, settings_of
from soak.config import ServerConfig
from soak.config.reference import server_settings_page

PAGE = Path(__file__).parents[4] / "docs" / "server-settings.md"


def test_the_page_is_made_from_the_declaration() -> None:
    assert PAGE.read_text(encoding="utf-8") == server_settings_page(), (
        "python -m soak.config.reference > docs/server-settings.md"
    )


@pytest.mark.parametrize("kind", [ServerOptions, ServerConfig])
def test_every_setting_of_the_server_says_what_it_is_for(kind: type) -> None:
    page = server_settings_page()
    for setting in settings_of(kind):
        (row,) = (row for row in page.splitlines() if row.startswith(f"| `{setting.name}` |"))
        assert len(row.split("|")[2].strip()) > 10
