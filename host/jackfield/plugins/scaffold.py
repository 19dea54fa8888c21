"""A new plugin: a distribution of its own that runs at once."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from string import Template

from packaging.utils import canonicalize_name
from packaging.version import Version

from jackfield.errors import ConfigurationError
from jackfield.version import __version__

__all__ = ["check_name", "write_plugin"]


def check_name(name: str, taken: Collection[str]) -> str:
    """Return a new plugin's name in lower case and without the prefix ``jackfield-``.

    Args:
        name: what was asked for.
        taken: names of plugins that are installed.

    Raises:
        ConfigurationError: it is no name, or another plugin's.
    """
    plain = name.lower().removeprefix("jackfield-")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", plain):
        raise ConfigurationError(
            f"{name!r} can't be a plugin's name; write letters, digits and single dashes, a letter first, as my-model"
        )
    if plain in {canonicalize_name(other) for other in taken}:
        raise ConfigurationError(f"a plugin called {plain!r} is installed already; take another name")
    return plain


def write_plugin(name: str, folder: Path, *, version: str = __version__) -> list[Path]:
    """Write a plugin's distribution into the new folder ``jackfield-NAME``.

    Args:
        name: the plugin's name, as ``check_name`` returns it.
        folder: where to make its folder; made too if it doesn't exist.
        version: the host's version that the plugin asks for.

    Returns:
        The files, in the order in which to read them.

    Raises:
        ConfigurationError: the folder exists already, or can't be written.
    """
    target = folder / f"jackfield-{name}"
    host = Version(version)
    least = f"{host.major}.{host.minor}" if not host.is_prerelease else host.public
    facts = {
        "name": name,
        "module": f"jackfield_{name.replace('-', '_')}",
        "word": name.replace("-", "_"),
        "cls": "".join(word.capitalize() for word in name.split("-")),
        "range": f">={least},<{host.major}.{host.minor + 1}",
    }
    try:
        target.mkdir(parents=True)
        written = []
        for path, template in _FILES.items():
            file = target / Template(path).substitute(facts)
            file.parent.mkdir(exist_ok=True)
            file.write_text(Template(template).substitute(facts), "utf-8")
            written.append(file)
    except FileExistsError:
        raise ConfigurationError(f"{target} exists already; take another name, or another folder with --to") from None
    except OSError as error:
        raise ConfigurationError(f"{target} can't be written: {error.strerror}; choose a folder with --to") from None
    return written


_MODULE = '''\
"""The component type conversation.$name."""

from __future__ import annotations

from jackfield import Conversation, ConversationRequest, RegisterComponents, Result, Settings, hookimpl


class ${cls}Settings(Settings):
    greeting: str = "You said"


class ${cls}Provider(Conversation[${cls}Settings]):
    Settings = ${cls}Settings

    async def converse(self, request: ConversationRequest) -> Result:
        said = " ".join(message.text for message in request.messages)
        return Result.of_text(f"{self.settings.greeting}: {said}")


@hookimpl
def register_components(register: RegisterComponents) -> None:
    register.conversation("conversation.$name", ${cls}Provider)
'''

_PROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "jackfield-$name"
version = "0.1.0"
description = "Jackfield plugin: the component type conversation.$name"
readme = "README.md"
requires-python = ">=3.11"
keywords = ["jackfield-plugin"]
dependencies = ["jackfield$range"]

[project.entry-points.jackfield]
$name = "$module"
"""

_README = """\
# jackfield-$name

The component type `conversation.$name` for Jackfield.

```
jackfield install --editable .
jackfield plugins
```

```yaml
# manifests/$name.yaml
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: $name
spec:
  type: conversation.$name
  version: v1
  metadata:
    - name: greeting
      value: I heard
```

With `jackfield serve` running, `jackfield converse $name "hello there"` answers through it. The host takes up changes
of the manifest at once, and changes of the code when it starts again. The tests run with `pytest`.
"""

_TEST = '''\
"""The component type conversation.$name."""

from __future__ import annotations

import asyncio

from jackfield import Build, ConversationRequest, Message, TextPart

from $module import ${cls}Provider, ${cls}Settings


def test_it_answers_with_its_greeting() -> None:
    """The reply is the manifest's greeting and what was said."""
    build = Build(name="mine", type_name="conversation.$name", settings=${cls}Settings(greeting="I heard"))
    request = ConversationRequest(component="mine", messages=(Message(role="user", parts=(TextPart("hello"),)),))
    result = asyncio.run(${cls}Provider(build).converse(request))
    assert result.choices[0].text == "I heard: hello"
'''

_FILES = {
    "$module.py": _MODULE,
    "pyproject.toml": _PROJECT,
    "README.md": _README,
    "tests/test_$word.py": _TEST,
}
