"""Circles are found in made-up trees of modules, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.arch.__main__ import TOP, roots
from tests.arch.circles import circles, crate
from tests.arch.source import NotUnderstoodError

Files = dict[str, str]


def arrows(top: Path, files: Files) -> list[str]:
    for name, text in files.items():
        file = top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return [str(arrow) for arrow in crate(top / "lib.rs", top).arrows()]


def rings(top: Path, files: Files) -> list[set[str]]:
    arrows(top, files)
    return [{arrow.importer for arrow in ring} for ring in circles(crate(top / "lib.rs", top).arrows())]


ROOT = "pub mod a;\npub mod b;\n"


@pytest.mark.parametrize(
    ("what", "files"),
    [
        ("an import each", {"a.rs": "use crate::b::B;\npub struct A;", "b.rs": "use super::a::A;\npub struct B;"}),
        ("a path in the code", {"a.rs": "pub struct A(crate::b::B);", "b.rs": "pub struct B(super::a::A);"}),
        (
            "groups",
            {"a.rs": "use crate::{b::{B, C as D}};\nstruct A;", "b.rs": "use crate::a::{self};\nfn f(_: a::A) {}"},
        ),
        (
            "a module by its name",
            {"a.rs": "use crate::b;\nfn f() { b::g() }", "b.rs": "use super::a;\nfn g() { a::f() }"},
        ),
        ("a method of the same name", {"a.rs": "use super::b;\nfn b(self) { b::g() }", "b.rs": "use super::a::A;"}),
        ("globs", {"a.rs": "use crate::b::*;\npub struct A;", "b.rs": "use crate::a::*;\npub struct B;"}),
    ],
)
def test_two_that_import_each_other_are_a_circle(tmp_path: Path, what: str, files: Files) -> None:
    assert rings(tmp_path, {"lib.rs": ROOT, **files}) == [{"a.rs", "b.rs"}], what


def test_a_circle_of_three_is_one_and_names_each_arrow(tmp_path: Path) -> None:
    files = {
        "lib.rs": ROOT + "mod c;\nmod d;",
        "a.rs": "use crate::b::B;\npub struct A;",
        "b.rs": "\n\nuse crate::c::C;\npub struct B;",
        "c.rs": "use crate::a::A;\npub struct C;",
        "d.rs": "use crate::a::A;",
    }
    assert rings(tmp_path, files) == [{"a.rs", "b.rs", "c.rs"}]
    [ring] = circles(crate(tmp_path / "lib.rs", tmp_path).arrows())
    assert [str(arrow) for arrow in ring] == ["a.rs:1 imports b.rs", "b.rs:3 imports c.rs", "c.rs:1 imports a.rs"]


def test_a_re_export_is_followed_and_is_no_arrow(tmp_path: Path) -> None:
    files = {
        "lib.rs": "mod m;",
        "m/mod.rs": "mod a;\nmod b;\npub use self::a::A;\npub use self::b::{B, Other as Name};",
        "m/a.rs": "use super::{B, Name};\npub struct A;",
        "m/b.rs": "pub struct B;\npub struct Other;",
    }
    assert arrows(tmp_path, files) == ["m/a.rs:1 imports m/b.rs"]


def test_a_glob_re_export_is_followed(tmp_path: Path) -> None:
    files = {
        "lib.rs": "mod m;\nmod c;",
        "m/mod.rs": "mod a;\npub use self::a::*;",
        "m/a.rs": "use crate::c::C;\npub struct A;",
        "c.rs": "use crate::m::A;\npub struct C;",
    }
    assert rings(tmp_path, files) == [{"c.rs", "m/a.rs"}]


@pytest.mark.parametrize("child", ["use super::Item;", "fn f(_: super::Item) {}", "use super::*;"])
@pytest.mark.parametrize(
    "parent",
    ["use self::a::f;\nfn g() { f() }", "fn g() { a::f() }", "pub use self::a::f;\nfn g() { f() }"],
)
def test_a_child_that_uses_its_parents_own_items_makes_a_circle(tmp_path: Path, parent: str, child: str) -> None:
    files = {
        "lib.rs": "mod m;",
        "m/mod.rs": f"mod a;\n{parent}\npub struct Item;",
        "m/a.rs": f"{child}\npub fn f() {{}}",
    }
    assert rings(tmp_path, files) == [{"m/mod.rs", "m/a.rs"}]


def test_a_parent_that_uses_its_child_alone_is_none(tmp_path: Path) -> None:
    files = {"lib.rs": "mod m;", "m.rs": "mod a;\nfn g() { a::f() }\npub struct Item;", "m/a.rs": "pub fn f() {}"}
    assert arrows(tmp_path, files) == ["m.rs:2 imports m/a.rs"]


def test_comments_texts_tests_and_other_crates_import_nothing(tmp_path: Path) -> None:
    ignored = """
        //! [`crate::b::B`]
        /* use crate::b::B; */
        use serde::b::B;
        const TEXT: &str = "crate::b::B \\" crate::b::B";
        const RAW: &str = r#"crate::b::B " crate::b::B"#;
        fn f<'a>(_: &'a str) -> [char; 3] { ['"', '\\'', '\\u{22}'] }
        #[cfg(test)]
        mod tests { use crate::b::B; }
        #[cfg(test)]
        mod elsewhere;
        pub struct A;
    """
    assert arrows(tmp_path, {"lib.rs": ROOT, "a.rs": ignored, "b.rs": "use crate::a::A;\npub struct B;"}) == [
        "b.rs:1 imports a.rs"
    ]


def test_a_module_within_a_file_is_of_that_file(tmp_path: Path) -> None:
    inline = "pub struct A;\nmod inline {\n    use super::A;\n    use crate::b::B;\n}"
    assert arrows(tmp_path, {"lib.rs": ROOT, "a.rs": inline, "b.rs": "pub struct B;"}) == ["a.rs:4 imports b.rs"]


def test_a_module_without_a_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotUnderstoodError, match=r"lib\.rs: module gone"):
        arrows(tmp_path, {"lib.rs": "mod gone;"})


def test_every_file_of_the_projects_own_library_is_read() -> None:
    [core] = [root for root in roots(TOP) if "core" in root.parts]
    files = {file.relative_to(TOP).as_posix() for file in core.parent.rglob("*.rs")}
    assert set(crate(core, TOP).files.values()) == files
