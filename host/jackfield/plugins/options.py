"""Reading the options that choose among plugins, wherever they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jackfield.errors import ConfigurationError

__all__ = ["allow_list", "parse_names", "parse_prefer"]


def allow_list(option: str | None, environment: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the plugins that ``--plugins``, or else ``JACKFIELD_PLUGINS``, allows.

    An empty variable is not an absent one: it allows no plugin, where click would take it for not set.

    Returns:
        The names; None if neither is given, which allows all.
    """
    return parse_names(environment.get("JACKFIELD_PLUGINS") if option is None else option)


def parse_names(text: str | None) -> tuple[str, ...] | None:
    """Read a list of plugins, separated by commas or spaces.

    Returns:
        The names; an empty tuple for an empty text, which names no plugin; None for None, which says nothing.
    """
    return None if text is None else tuple(text.replace(",", " ").split())


def parse_prefer(items: Iterable[str]) -> dict[str, str]:
    """Read ``--prefer``: each item one ``TYPE=PLUGIN``, or several with commas.

    Returns:
        Plugin names by component type in lower case.

    Raises:
        ConfigurationError: an item is of another form, or names a type a second time with another plugin.
    """
    prefer: dict[str, str] = {}
    for item in ",".join(items).split(","):
        type_name, equals, plugin = (part.strip() for part in item.partition("="))
        if not item.strip():
            continue
        if not (type_name and equals and plugin):
            raise ConfigurationError(
                f"--prefer: {item.strip()!r} is not of the form TYPE=PLUGIN, such as conversation.openai=openai"
            )
        if prefer.setdefault(type_name.lower(), plugin) != plugin:
            raise ConfigurationError(f"--prefer: {type_name} is given to two plugins; name one")
    return prefer
