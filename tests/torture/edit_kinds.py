"""The kinds of edits that a lane draws from: what is done to files of manifests, in every way that people do it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

from edit_lane import Document, Lane
from edit_ledger import GONE
from edit_manifests import LAYOUTS
from edit_writing import WAYS, WHOLE

__all__ = ["KINDS", "Files", "Kind"]

Kind: TypeAlias = Callable[[Lane], Awaitable[None]]


async def write(lane: Lane) -> None:
    """Change versions, in one of the ways to write a file."""
    await lane.change(lane.draw.choice(lane.paths), way=lane.draw.choice(list(WAYS)), all_of_it=False)


async def lay_out(lane: Lane) -> None:
    """Change versions and layout at once."""
    layout = lane.draw.choice(list(LAYOUTS))
    await lane.change(lane.draw.choice(lane.paths), what=layout, layout=layout, way=lane.draw.choice(list(WAYS)))


async def several(lane: Lane) -> None:
    """Write a file several times in a row: any version on the way may show, in order, and the last one must."""
    path = lane.draw.choice(lane.paths)
    names = [one.name for one in lane.files[path]]
    edit, places = lane.begun(
        "several times in a row", path.name, {name: lane.field.ledger.version(name) for name in names}
    )
    since = 0.0
    for _ in range(lane.draw.randint(2, 6)):
        changed = {name: lane.version() for name in names}
        lane.files[path] = [replace(one, version=changed[one.name]) for one in lane.files[path]]
        places = lane.field.ledger.begin(edit, changed)
        await lane.put(path, lane.render(path))
        since = perf_counter()
        await asyncio.sleep(lane.draw.choice((0.0, 0.0, 0.02, 0.06)))
    await lane.field.live(edit, places, lane.probes, lane.delays, since=since)


async def many(lane: Lane) -> None:
    """Change all files at once."""
    changed = {one.name: lane.version() for path in lane.files for one in lane.files[path]}
    for path, documents in lane.files.items():
        lane.files[path] = [replace(one, version=changed[one.name]) for one in documents]

    async def write_all() -> None:
        for path, documents in lane.files.items():
            if documents:
                await lane.put(path, lane.render(path))

    await lane.apply("many files at once", "all files", changed, write_all)


async def retype(lane: Lane) -> None:
    """Change a component's type, and how its manifest writes the type's version."""
    path = lane.draw.choice(lane.paths)
    first, *rest = lane.files[path]
    kind = {"versioned": "other", "other": "versioned"}[first.kind]
    lane.files[path] = [replace(first, kind=kind, of_type=lane.draw.choice(("v1", "v0", "V1"))), *rest]
    await lane.change(path, what="another type")


async def rename_component(lane: Lane) -> None:
    """Give a component another name: the old one is gone, the new one serves."""
    path = lane.draw.choice(lane.paths)
    old, *rest = lane.files[path]
    name = old.name.removesuffix("-too") if old.name.endswith("-too") else f"{old.name}-too"
    new = replace(old, name=name, version=lane.version())
    lane.files[path] = [new, *rest]
    data = lane.render(path)
    changes = {old.name: GONE, name: new.version}
    await lane.apply("a component renamed", path.name, changes, lambda: lane.put(path, data))


async def delete_and_create(lane: Lane) -> None:
    """Delete a file; create it again, with other versions."""
    path = lane.draw.choice(lane.paths)
    documents = await lane.remove(path)
    lane.files[path] = documents
    await lane.change(path, what="a file created", way=lane.draw.choice(list(WAYS)))


async def drop_document(lane: Lane) -> None:
    """Take a document out of a file that has others, or scope it to another app; then put it back."""
    path = lane.draw.choice(lane.paths)
    documents = lane.files[path]
    if len(documents) < 2 or lane.draw.random() < 0.5:
        await _scope(lane, documents, path)
    else:
        lane.files[path] = documents[1:]
        data = lane.render(path)
        await lane.apply("a document taken out", path.name, {documents[0].name: GONE}, lambda: lane.put(path, data))
    lane.files[path] = documents
    await lane.change(path, what="a document put back")


async def _scope(lane: Lane, documents: list[Document], path: Path) -> None:
    """Scope a file's components to another app: they are none of this one's."""
    text = "---\n".join(f"{one.text}scopes:\n- somebody-else\n" for one in documents)
    gone = dict.fromkeys((one.name for one in documents), GONE)
    await lane.apply("scopes of another app", path.name, gone, lambda: lane.put(path, text.encode()))


async def rename_file(lane: Lane) -> None:
    """Rename a file: its components stay, and nothing is built."""
    path = lane.draw.choice(lane.paths)
    other = path.with_name(f"{path.stem.removesuffix('x')}{'' if path.stem.endswith('x') else 'x'}.yaml")

    async def rename() -> None:
        path.rename(other)
        lane.files[other] = lane.files.pop(path)

    await lane.unchanged("a file renamed", f"{path.name} to {other.name}", rename)


async def move_document(lane: Lane) -> None:
    """Move a document to another file, written there before or after it is taken out here."""
    source, *_ = sorted(lane.paths, key=lambda path: -len(lane.files[path]))
    target = next(path for path in lane.paths if path != source)
    order = lane.draw.choice(("put in first", "taken out first"))

    async def move() -> None:
        moved = lane.draw.choice(lane.files[source])
        lane.files[source] = [one for one in lane.files[source] if one is not moved]
        lane.files[target] = [*lane.files[target], moved]
        # Both are written beside and put in place together, so that the pause between them is short.
        paths = (target, source) if order == "put in first" else (source, target)
        for path in paths:
            path.with_name(f".{path.name}").write_bytes(lane.render(path))
        began = perf_counter()
        for path in paths:
            path.with_name(f".{path.name}").replace(path)
        if order == "taken out first":
            lane.paused(perf_counter() - began, [moved.name])

    await lane.unchanged(f"a document moved, {order}", f"{source.name} to {target.name}", move)


async def nothing(lane: Lane) -> None:
    """Do what means nothing: touch, chmod, another layout, other files, the same text once more."""
    path = lane.draw.choice(lane.paths)
    data = lane.render(path)
    layout = lane.draw.choice(list(LAYOUTS))
    way = lane.draw.choice(list(WAYS))

    async def touch() -> None:
        lane.touched(path)

    async def chmod() -> None:
        path.chmod(lane.draw.choice((0o600, 0o640, 0o644)))

    async def beside() -> None:
        for name in (f".{path.name}.swp", f"{path.name}~", f"#{path.name}#", "4913", f"{path.name}.bak"):
            beside = path.with_name(name)
            beside.write_bytes(data.replace(b"twin", b"twinn"))
            beside.unlink()

    async def of_another_kind() -> None:
        text = "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata:\n  name: other\nspec:\n  features: []\n"
        await lane.put(path, data + b"---\n" + text.encode())

    what, act = lane.draw.choice(
        [
            ("touched", touch),
            ("chmod", chmod),
            ("editors' files beside", beside),
            ("a Configuration beside", of_another_kind),
            (f"the same, {way}", lambda: lane.put(path, data, way)),
            (f"the same with {layout}", lambda: lane.put(path, lane.render(path, layout))),
        ]
    )
    await lane.unchanged(what, path.name, act)


async def spoil(lane: Lane) -> None:
    """Make bad edits, one or two in a row; then mend the file, as it was or with other versions."""
    path = lane.draw.choice(lane.paths)
    for _ in range(lane.draw.choice((1, 1, 2))):
        await lane.bad(path, lane.drawn_bad(), way=lane.draw.choice(WHOLE))
    if lane.draw.random() < 0.3:
        data = lane.render(path)
        await lane.unchanged("mended as it was", path.name, lambda: lane.put(path, data))
    await lane.change(path, what="mended")


async def duplicate(lane: Lane) -> None:
    """Write a second component of a name, in another file; then take it out again."""
    path = lane.draw.choice(lane.paths)
    victim = lane.draw.choice(lane.files[path])
    copy = path.with_name(f"{lane.name}-copy.yaml")
    edit, _ = lane.begun("bad: a name twice", copy.name, {victim.name: victim.version})
    await lane.put(copy, replace(victim, version=lane.version()).text.encode())
    await lane.refused(edit, [victim.name], copy.name, "defined 2 times")

    async def unlink() -> None:
        copy.unlink()

    await lane.unchanged("the second of a name deleted", copy.name, unlink)


async def half_bad(lane: Lane) -> None:
    """Spoil one document and change its neighbour: the neighbour goes live, the other one keeps what it had."""
    path = next((path for path in lane.paths if len(lane.files[path]) > 1), None)
    if path is None:
        return await write(lane)
    victim, neighbour, *rest = lane.files[path]
    bad = lane.drawn_bad()
    while bad.whole:
        bad = lane.drawn_bad()
    version = lane.version()
    lane.files[path] = [victim, replace(neighbour, version=version), *rest]
    texts = [bad.write(victim.name, lane.version()), *(one.text.encode() for one in lane.files[path][1:])]
    what = f"bad beside good: {bad.what}"
    await lane.apply(what, path.name, {neighbour.name: version}, lambda: lane.put(path, b"\n---\n".join(texts)))
    await lane.refused(f"edit {lane.number} of lane {lane.name} ({what})", [victim.name], path.name, bad.reason)
    await lane.change(path, what="mended")
    return None


KINDS: dict[Kind, int] = {
    write: 8,
    lay_out: 3,
    several: 2,
    many: 2,
    retype: 1,
    rename_component: 1,
    delete_and_create: 2,
    drop_document: 1,
    rename_file: 1,
    move_document: 2,
    nothing: 3,
    spoil: 6,
    duplicate: 1,
    half_bad: 2,
}
"""What a lane does, and how often beside the others."""


class Files(Lane):
    """Components in a few files of a folder, which go through every kind of edit."""

    async def step(self) -> None:
        """Make the next edit."""
        (kind,) = self.draw.choices(list(KINDS), list(KINDS.values()))
        await kind(self)
