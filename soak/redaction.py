"""What a record must not tell: credentials in addresses, values of secret names, other people's variables.

Everything that goes into a record passes through here, once, where it is written. The rules look at names and
forms; a value that was found by its name is then hidden wherever else it turns up, as in a server's error.
"""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "***"
TOLD_VARIABLES = re.compile(r"MALLOC_|GLIBC_TUNABLES|LD_PRELOAD|MIMALLOC_|JEMALLOC_|OMP_|ORT_|PYTHONMALLOC")
"""Variables that steer allocators and thread pools: a reader needs their values, and none is a secret."""
SHORTEST_KNOWN_CHARACTERS = 6
"""A shorter secret may be part of an ordinary word: it is hidden where its name is, and nowhere else."""

_SECRET_WORDS = re.compile(
    r"passw(or)?d|passphrase|passcode|pwd|pass|secrets?|token|apikey|accesskey|key|auth|authorization"
    r"|authentication|cred(ential)?s?|bearer|cookie|signature|sig|jwt|otp",
    re.IGNORECASE,
)
_ORDINARY = frozenset({"second_pass", "first_pass"})
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_VALUE = r"""(?:(?:Bearer|Basic|Digest|Token)\s+)?(?:"[^"]*"|'[^']*'|[^\s,;&"'{}\[\]()<>|]+)"""
_USER_INFO = re.compile(r"""([A-Za-z][A-Za-z0-9+.-]*://)([^/?#\s"'<>]+)@""")
_QUERY = re.compile(r"""([?&][^=&#\s"'<>?]{1,100}=)([^&#\s"'<>]+)""")
_NAMED = re.compile(rf"""([\w.-]+)(["']?\s*[=:]\s*)({_VALUE})""", re.IGNORECASE)
_OPTION = re.compile(rf"""(?<!\S)(--?[A-Za-z][\w-]*)(\s+)(?!-)({_VALUE})""", re.IGNORECASE)
_ENVIRONMENT_SETTING = re.compile(r"(server\.environment[\w.]*\s*=)(.*)", re.DOTALL)
_ASSIGNED = re.compile(r"""([\w.-]+)(["']?\s*=\s*)("[^"]*"|'[^']*'|[^\s,{}]+)""")
_TOKEN_SHAPES = re.compile(
    r"\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bsk-[\w-]{16,}|\bAKIA[0-9A-Z]{16}\b|\bxox[abprs]-[\w-]{10,}"
    r"|\beyJ[\w-]{10,}\.[\w-]{5,}\.[\w-]*|(?<=Bearer )[\w.~+/=-]{8,}"
)


def looks_secret(name: str) -> bool:
    """Tell whether a variable, option or key of this name holds a secret: ``--api-key``, ``dbPassword``."""
    bare = name.strip("-").rsplit(".", 1)[-1]
    if bare.lower() in _ORDINARY:
        return False
    return any(_SECRET_WORDS.fullmatch(word) for word in _WORDS.findall(bare))


class Redaction:
    """Hides secrets in what is written, and remembers those it has found."""

    def __init__(self) -> None:
        """Know no secret yet."""
        self._known: set[str] = set()

    def of(self, value: Any) -> Any:
        """Return JSON-ready `value` with every secret in it replaced by ``***``."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(str(key)): self._of_item(str(key), item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return self._of_items(value)
        return value

    def text(self, text: str) -> str:
        """Return `text` without the secrets that its form, or what was found before, tells."""
        text = _USER_INFO.sub(self._without_user, text)
        text = _ENVIRONMENT_SETTING.sub(self._without_variables, text)
        text = _NAMED.sub(self._without_value, text)
        text = _OPTION.sub(self._without_value, text)
        text = _QUERY.sub(rf"\1{HIDDEN}", text)
        text = _TOKEN_SHAPES.sub(HIDDEN, text)
        for known in sorted(self._known, key=len, reverse=True):
            text = text.replace(known, HIDDEN)
        return text

    def _of_item(self, key: str, item: Any) -> Any:
        if key == "environment" and isinstance(item, dict):
            return {name: self._of_variable(name, value) for name, value in item.items()}
        if looks_secret(key) and not isinstance(item, bool | None):
            return self._hidden(item)
        return self.of(item)

    def _of_variable(self, name: str, value: Any) -> Any:
        if TOLD_VARIABLES.match(name):
            return self.of(value)
        return self._hidden(value) if looks_secret(name) else HIDDEN

    def _of_items(self, items: list[Any] | tuple[Any, ...]) -> list[Any]:
        """Words of a command line hide what follows ``--token``."""
        found: list[Any] = []
        for before, item in zip((None, *items), items, strict=False):
            named = isinstance(before, str) and re.fullmatch(r"--?[A-Za-z][\w-]*", before) is not None
            if named and isinstance(item, str) and looks_secret(str(before)) and not item.startswith("--"):
                found.append(self._hidden(item))
            else:
                found.append(self.of(item))
        return found

    def _hidden(self, value: Any) -> Any:
        """Remember a secret that was found by its name."""
        if isinstance(value, dict):
            return {key: self._hidden(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._hidden(item) for item in value]
        self._remember(str(value))
        return HIDDEN

    def _remember(self, secret: str) -> None:
        secret = re.sub(r"^(?:Bearer|Basic|Digest|Token)\s+", "", secret.strip(), flags=re.IGNORECASE)
        secret = secret.strip("\"'")
        if len(secret) >= SHORTEST_KNOWN_CHARACTERS and HIDDEN not in secret:
            self._known.add(secret)

    def _without_user(self, found: re.Match[str]) -> str:
        _, _, password = found[2].partition(":")
        self._remember(password)
        return f"{found[1]}{HIDDEN}@"

    def _without_value(self, found: re.Match[str]) -> str:
        name, between, value = found.groups()
        if not looks_secret(name):
            return found[0]
        self._remember(value)
        return f"{name}{between}{HIDDEN}"

    def _without_variables(self, found: re.Match[str]) -> str:
        def hidden(each: re.Match[str]) -> str:
            return each[0] if TOLD_VARIABLES.match(each[1]) else f"{each[1]}{each[2]}{HIDDEN}"

        said = found[2]
        if not _ASSIGNED.search(said):  # server.environment.NAME=value, or what nobody can read
            return f"{found[1]}{HIDDEN}"
        return f"{found[1]}{_ASSIGNED.sub(hidden, said)}"


def redacted(value: Any) -> Any:
    """Return JSON-ready `value` without its secrets, for a document that stands alone."""
    return Redaction().of(value)


def redacted_text(text: str) -> str:
    """Return `text` without its secrets, for a text that stands alone."""
    return Redaction().text(text)
