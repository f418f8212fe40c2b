"""What files of labels and models say at their top level, in YAML: texts and numbered lists.

Values stay the text that stands there: a class called ``no`` or ``1e3`` is no truth value and
no number. Only nodes are composed, so a file can make no objects.
"""

from __future__ import annotations

import yaml

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser where PyYAML has it


class YamlUnreadable(ValueError):
    """A text is no YAML, or holds something else than is read of it; begins with the line."""


def yaml_table(text: str) -> dict[str, yaml.Node]:
    """Nodes by the keys of a file's table; empty for an empty file.

    Raises:
        YamlUnreadable: it is no YAML, no table, or has a key twice.
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise YamlUnreadable(f"line {line}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:  # a character that YAML does not allow
        raise YamlUnreadable(f"line 1: {error}") from error
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise _unreadable(root, "not a table of keys and values")
    table: dict[str, yaml.Node] = {}
    for key, value in root.value:
        name = plain_text(key)
        if name in table:
            raise _unreadable(key, f"{name} stands there twice")
        table[name] = value
    return table


def plain_text(node: yaml.Node) -> str:
    """What one value says, without quotation marks.

    Raises:
        YamlUnreadable: it is a list or a table.
    """
    if not isinstance(node, yaml.ScalarNode):
        raise _unreadable(node, "one value is expected")
    return node.value


def one_or_more_texts(node: yaml.Node) -> list[str]:
    """The texts of a list, or the one value that stands in its place.

    Raises:
        YamlUnreadable: as `texts_by_index`.
    """
    return [node.value] if isinstance(node, yaml.ScalarNode) else texts_by_index(node)


def texts_by_index(node: yaml.Node) -> list[str]:
    """The texts of a list, or of a table whose keys number them from 0, in any order.

    Raises:
        YamlUnreadable: it is neither, or a number is missing or there twice.
    """
    if isinstance(node, yaml.SequenceNode):
        return [plain_text(item) for item in node.value]
    if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null":
        return []
    if not isinstance(node, yaml.MappingNode):
        raise _unreadable(node, "a list, or a table by number, is expected")
    texts: dict[int, str] = {}
    for key, value in node.value:
        index = _index(key)
        if index in texts:
            raise _unreadable(key, f"{index} stands there twice")
        texts[index] = plain_text(value)
    missing = sorted(set(range(len(texts))) - set(texts))
    if missing:
        raise _unreadable(node, f"number {missing[0]} is missing of {len(texts)} from 0")
    return [texts[index] for index in range(len(texts))]


def _index(key: yaml.Node) -> int:
    text = plain_text(key)
    if not text.isdecimal():
        raise _unreadable(key, f"{text!r} is no number of a class")
    return int(text)


def _unreadable(node: yaml.Node, reason: str) -> YamlUnreadable:
    return YamlUnreadable(f"line {node.start_mark.line + 1}: {reason}")
