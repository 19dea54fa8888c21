"""What is known of plugins before any of their code runs."""

from __future__ import annotations

import sys

import pytest
from plugin_site import Site

from jackfield.plugins import PluginRecord, load_plugins


def only(site: Site, **options: object) -> PluginRecord:
    """Load the plugins of a site that has one, and return its record."""
    (record,) = load_plugins(installed=site.installed, **options).records  # type: ignore[arg-type]
    return record


def test_records_are_sorted_whatever_order_they_are_installed_in(site: Site) -> None:
    """The order of plugins is that of their names, never that of the directory listing."""
    for name in ("mid", "zed", "abc"):
        site.install(name)
    for installed in (site.installed, site.installed[::-1]):
        plugins = load_plugins(installed=installed)
        assert [record.name for record in plugins.records] == ["abc", "mid", "zed"]
        assert plugins.component_types().names == ("conversation.abc", "conversation.mid", "conversation.zed")


@pytest.mark.parametrize(
    ("options", "loaded", "reason"),
    [
        pytest.param({}, {"one", "two"}, "", id="no lists"),
        pytest.param({"allow": ("one",)}, {"one"}, "not allowed by --plugins (JACKFIELD_PLUGINS)", id="allow"),
        pytest.param({"allow": ()}, set(), "not allowed by --plugins (JACKFIELD_PLUGINS)", id="empty allow"),
        pytest.param({"allow": ("Jackfield_One",)}, {"one"}, "not allowed by --plugins (JACKFIELD_PLUGINS)", id="dist"),
        pytest.param({"deny": ("two",)}, {"one"}, "denied by --deny-plugins (JACKFIELD_DENY_PLUGINS)", id="deny"),
        pytest.param(
            {"allow": ("one", "two"), "deny": ("jackfield-two",)},
            {"one"},
            "denied by --deny-plugins (JACKFIELD_DENY_PLUGINS)",
            id="deny is stronger",
        ),
    ],
)
def test_a_blocked_plugin_is_never_imported(
    site: Site, options: dict[str, tuple[str, ...]], loaded: set[str], reason: str
) -> None:
    """The allow and deny lists take effect before a plugin's module is imported."""
    modules = {name: site.install(name) for name in ("one", "two")}
    plugins = load_plugins(installed=site.installed, **options)  # type: ignore[arg-type]
    for record in plugins.records:
        assert (record.state, record.reason) == (("loaded", "") if record.name in loaded else ("blocked", reason))
        assert (modules[record.name] in sys.modules) == (record.name in loaded)
    assert plugins.notices == ()


def test_a_listed_name_that_no_plugin_has_is_noticed(site: Site) -> None:
    """A misspelt name in a list is told, with the plugin that was probably meant, as it would block nothing."""
    site.install("openai")
    plugins = load_plugins(installed=site.installed, allow=("opnai",), deny=("xyz",))
    assert plugins.notices == (
        "--plugins names 'opnai', and no installed plugin is called that; did you mean 'openai'?",
        "--deny-plugins names 'xyz', and no installed plugin is called that",
    )


def test_of_two_plugins_with_one_name_neither_is_loaded(site: Site) -> None:
    """A name clash fails both plugins, each record names both distributions, and others load."""
    modules = [site.install("same", distribution=f"jackfield-{owner}", version="2.1") for owner in ("b", "a")]
    site.install("other")
    other, *clashing = load_plugins(installed=site.installed).records
    assert other.state == "loaded"
    assert [record.distribution for record in clashing] == ["jackfield-a", "jackfield-b"]
    for record in clashing:
        assert record.state == "failed"
        assert record.reason == (
            "jackfield-a 2.1 and jackfield-b 2.1 both bring a plugin called 'same'; "
            "uninstall one, or name one in --deny-plugins"
        )
    assert not set(modules) & set(sys.modules)


def test_denying_one_distribution_settles_a_clash(site: Site) -> None:
    """The deny list comes before the clash, so that the fix in the clash's own text works."""
    site.install("same", distribution="jackfield-a")
    site.install("same", distribution="jackfield-b")
    records = load_plugins(installed=site.installed, deny=("jackfield-b",)).records
    assert [(record.distribution, record.state) for record in records] == [
        ("jackfield-a", "loaded"),
        ("jackfield-b", "blocked"),
    ]


@pytest.mark.parametrize(
    ("requires", "version", "shown", "fits"),
    [
        ((), "0.1.0", "", True),
        (("jackfield",), "0.1.0", "", True),
        (("jackfield<0.2,>=0.1",), "0.1.0", ">=0.1,<0.2", True),
        (("Jackfield <0.2, >=0.1",), "0.1.9", ">=0.1,<0.2", True),
        (("jackfield>=0.1", "jackfield<0.2"), "0.2.0", ">=0.1,<0.2", False),
        (("jackfield>=0.2,<0.3",), "0.1.0", ">=0.2,<0.3", False),
        (("jackfield>=0.2,<0.3",), "0.2.0rc1", ">=0.2,<0.3", True),
        (("jackfield>=0.2,<0.3",), "0.2.0.dev7", ">=0.2,<0.3", True),
        (("jackfield>=0.2,<0.3",), "0.3.0a1", ">=0.2,<0.3", False),
        (("jackfield>=0.2,<0.3",), "0.2.1+local.7", ">=0.2,<0.3", True),
        (("jackfield>=9; extra == 'all'",), "0.1.0", "", True),
        (("jackfield>=9; python_version < '3'",), "0.1.0", "", True),
        (("jackfield-echo>=9", "jackfields>=9", "not a requirement!"), "0.1.0", "", True),
    ],
)
def test_a_plugin_made_for_another_host_is_not_imported(
    site: Site, requires: tuple[str, ...], version: str, shown: str, fits: bool
) -> None:
    """The distribution's range is held against the host's version before import; prereleases count by their base."""
    module = site.install("ranged", requires=requires)
    record = only(site, version=version)
    assert record.requires == shown
    assert record.state == ("loaded" if fits else "incompatible")
    assert (module in sys.modules) == fits
    if not fits:
        assert record.reason == (
            f"needs jackfield {shown} and this is {version}; "
            "get a fitting version with: jackfield install --upgrade jackfield-ranged"
        )


@pytest.mark.parametrize(
    ("entry_points", "reason"),
    [
        pytest.param(
            "[jackfield]\nbad = \n", "its entry point '' is not of the form module or module:name", id="empty"
        ),
        pytest.param("[jackfield]\nbad = a-b c\n", "its entry point 'a-b c' is not of the form", id="no module"),
        pytest.param("[jackfield]\nbad\n", "its entry_points.txt can't be read", id="no equals sign"),
        pytest.param("[jackfield]\nbuiltin.env = m\n", "names that start with 'builtin.' are the host's", id="builtin"),
    ],
)
def test_a_malformed_entry_point_fails_its_own_plugin_alone(site: Site, entry_points: str, reason: str) -> None:
    """A distribution whose entry points are malformed fails with a reason, and the others load."""
    site.install("bad", entry_points=entry_points)
    site.install("good")
    states = {record.distribution: record for record in load_plugins(installed=site.installed).records}
    assert states["jackfield-good"].state == "loaded"
    assert states["jackfield-bad"].state == "failed"
    assert reason in states["jackfield-bad"].reason


def test_a_malformed_distribution_that_is_no_plugin_is_passed_over(site: Site) -> None:
    """What an unrelated distribution has in its entry_points.txt is nobody's business, however broken."""
    site.install("other", distribution="unrelated", entry_points="[console_scripts]\nbroken\n")
    site.install("good")
    assert [record.name for record in load_plugins(installed=site.installed).records] == ["good"]


def test_a_distribution_without_metadata_fails_by_itself(site: Site) -> None:
    """A half-removed distribution, whose METADATA is gone, is a failed plugin and not the end of the host."""
    site.install("bare", metadata=False)
    record = only(site)
    assert (record.name, record.state, record.distribution) == ("bare", "failed", "(unknown)")
    assert record.reason == "its METADATA can't be read; reinstall it"


def test_of_two_copies_of_a_distribution_the_first_on_the_path_counts(site: Site) -> None:
    """A distribution that is installed twice is no clash: as for imports, the first one counts."""
    site.install("twice", version="2.0")
    site.install("twice", version="1.0")
    newest_first = sorted(site.installed, key=lambda distribution: distribution.version, reverse=True)
    (record,) = load_plugins(installed=newest_first).records
    assert (record.state, record.version) == ("loaded", "2.0")


def test_the_import_path_is_looked_through_by_default(site: Site) -> None:
    """Without a list of distributions, all that are on the import path are found."""
    site.install("here")
    records = load_plugins(allow=("here",)).records
    assert [record.name for record in records if record.state == "loaded"] == ["here"]
