"""The table of sources: where the texts behind the label layers come from (``corpora.toml``)."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stance.errors import InputError
from stance.files import open_input
from stance.rows import Row
from texts import FORMS


@dataclass(frozen=True)
class Source:
    """A repository at a commit, and the files in it that hold texts of a corpus; see the table."""

    name: str
    repository: str
    commit: str
    licence: str
    files: list[str]
    form: str
    archive: bool = False
    sha256: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The repository's folder below the downloads."""
        return self.repository.replace("/", "+")


@dataclass(frozen=True)
class Table:
    """The table of sources.

    Attributes:
        file_address: address of one file, with {repository}, {commit} and {path}.
        archive_address: address of a repository's archive, with {repository} and {commit}.
        sources: what can be rebuilt.
        unavailable: what cannot: name -> why.
    """

    file_address: str
    archive_address: str
    sources: list[Source]
    unavailable: dict[str, str]


def read_table(path: Path) -> Table:
    """Read the table of sources.

    Raises:
        InputError: it is not TOML of that form.
    """
    with open_input(path) as stream:
        try:
            content = tomllib.load(stream)
            sources = [Source(**entry) for entry in content.pop("sources")]
            wrong = [source.form for source in sources if source.form not in FORMS]
            if wrong:
                raise ValueError(f"no such form: {', '.join(wrong)}")
            return Table(sources=sources, **content)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                str(path),
                expected="a table of sources like train/corpora.toml",
                found=str(error),
                remedy="Mend the table, or take that of the repository.",
            ) from None


def name_source(row: Row) -> str:
    """Return the name of the source that the row's text comes from."""
    corpus = str(row.fields["corpus"])
    return f"{corpus}/{row.fields['row'].split('/')[0]}" if corpus == "recent" else corpus


def list_paths(source: Source, rows: Iterable[Row]) -> list[str]:
    """Return the source's paths, with {name} filled in from the row ids."""
    names = {row.fields["row"].split("/")[-1].replace("#", ":").split(":")[0] for row in rows}
    paths = (path.replace("{name}", name) for path in source.files for name in sorted(names))
    return list(dict.fromkeys(paths))
