"""What make reproducible calls different."""

from pathlib import Path

from tools.dist import reproducible


def test_it_names_each_file_that_is_not_the_same(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for place in (one, other):
        place.mkdir()
        (place / "same").write_text("same")
    assert reproducible.differences(one, other) == []
    (one / "changed").write_text("a")
    (other / "changed").write_text("b")
    (one / "left").write_text("")
    (other / "right").write_text("")
    assert reproducible.differences(one, other) == [
        "changed differs",
        f"left is missing in {other}",
        f"right is missing in {one}",
    ]
