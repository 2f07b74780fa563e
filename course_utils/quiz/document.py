"""YAML files whose values know their line, so that a message can say where a fault is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from .errors import BankError

Location = tuple[str | int, ...]
Fault = tuple[Location, str]


class Document:
    """A parsed YAML file, with the line of each value.

    Args:
        path: the file.
        text: the content, if it isn't to be read from the file.

    Raises:
        BankError: the file can't be read, is empty, is not YAML, or gives a name twice.
    """

    def __init__(self, path: Path, text: str | None = None) -> None:
        self.path = path
        try:
            self.text = path.read_text(encoding="utf-8") if text is None else text
            root = yaml.compose(self.text, Loader=yaml.SafeLoader)
        except (OSError, UnicodeDecodeError) as error:
            raise BankError(f"{path}: can't be read: {error}") from None
        except yaml.MarkedYAMLError as error:
            raise self._broken(error) from None
        except yaml.YAMLError as error:
            raise BankError(f"{path}: is not YAML: {error}") from None
        if root is None:
            raise BankError(f"{path}:1: the file is empty: it needs 'questions:'")
        self.root = root
        if faults := list(_doubled(root, ())):
            raise self.refusal(faults)

    def plain(self) -> Any:
        """Give the values as dicts, lists, strings and numbers.

        Raises:
            BankError: a value is not valid YAML.
        """
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_document(self.root)
        except yaml.MarkedYAMLError as error:
            raise self._broken(error) from None
        finally:
            loader.dispose()

    def lines(self, location: Location) -> str:
        """Give the lines of a block as they are in the file, but without their indentation."""
        node = self.node(location)
        start, end = node.start_mark, node.end_mark
        block = self.text.splitlines()[start.line : end.line + (end.column > start.column)]
        return "\n".join(line[start.column :] for line in block).rstrip() + "\n"

    def node(self, location: Location) -> yaml.Node:
        """Find the node at a location. If there is none, find its nearest parent."""
        node = self.root
        for part in location:
            children: dict[str | int, yaml.Node] = {}
            if isinstance(node, yaml.SequenceNode):
                children = dict(enumerate(node.value))
            elif isinstance(node, yaml.MappingNode):
                children = {name.value: value for name, value in node.value}
            node = children.get(part, children.get(str(part), node))
        return node

    def refusal(self, faults: list[Fault]) -> BankError:
        """Make an error that lists each fault with its file, line and field."""
        return BankError(
            "\n".join(
                f"{self.path}:{self.node(location).start_mark.line + 1}: "
                f"{_field(location)}: {message}"
                for location, message in faults
            )
        )

    def _broken(self, error: yaml.MarkedYAMLError) -> BankError:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return BankError(f"{self.path}:{line}: is not YAML: {error.problem}")


def _doubled(node: yaml.Node, location: Location) -> Iterator[Fault]:
    # PyYAML would silently keep the last value of a name that is given twice.
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _doubled(item, (*location, index))
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            if name.value in seen:
                yield (*location, name.value), "is given twice: keep one"
            seen.add(str(name.value))
            yield from _doubled(value, (*location, str(name.value)))


def _field(location: Location) -> str:
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return name.lstrip(".") or "the file"
