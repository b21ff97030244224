"""Archives return their content unchanged, are reproducible, and refuse anything else by name."""

import hashlib
import json
import stat
import zipfile

import pytest

from minde.study.bundle import archive
from minde.study.bundle.archive import MANIFEST, SEAL, ArchiveError

MEMBERS = {"tables/one.csv": b"a,b\n1,2\n", "estimates.parquet": b"\x00PAR1" * 100, "σ.json": b"{}", "empty": b""}


@pytest.fixture
def path(tmp_path):
    archive.write(tmp_path / "bundle.zip", MEMBERS, {"holds": "estimates"})
    return tmp_path / "bundle.zip"


def check(path):
    """Every check there is."""
    with archive.opened(path) as opened:
        archive.verify(opened)


def rewrite(path, change):
    """Rewrite the archive with the list of (ZipInfo, content) that `change` returns."""
    with zipfile.ZipFile(path) as file:
        members = [(info, file.read(info)) for info in file.infolist()]
    with zipfile.ZipFile(path, "w") as file:
        for info, content in change(members):
            file.writestr(info, content, info.compress_type)


def plain(name, kind=stat.S_IFREG, compress_type=zipfile.ZIP_STORED):
    info = zipfile.ZipInfo(name)
    info.external_attr, info.compress_type = (kind | 0o644) << 16, compress_type
    return info


def reseal(path, **changes):
    """Change the manifest like a forger, with a matching seal."""

    def change(members):
        for info, content in members:
            if info.filename == MANIFEST:
                text = json.dumps(json.loads(content) | changes).encode()
                yield info, text
            elif info.filename == SEAL:
                yield info, f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n".encode()
            else:
                yield info, content

    rewrite(path, change)


def test_what_was_put_in_comes_out(path, tmp_path):
    with archive.opened(path) as opened:
        archive.verify(opened)
        assert {name: archive.read(opened, name) for name in MEMBERS} == MEMBERS
        assert opened.manifest["holds"] == "estimates"
        assert opened.manifest["files"]["empty"] == {"sha256": hashlib.sha256(b"").hexdigest(), "bytes": 0}
        archive.extract(opened, "tables/one.csv", tmp_path / "out" / "one.csv")
    assert (tmp_path / "out" / "one.csv").read_bytes() == MEMBERS["tables/one.csv"]


def test_the_same_content_is_the_same_bytes_whatever_its_order_and_source(path, tmp_path):
    (tmp_path / "file").write_bytes(MEMBERS["estimates.parquet"])
    (tmp_path / "file").chmod(0o600)
    again = dict(reversed(MEMBERS.items())) | {"estimates.parquet": tmp_path / "file"}
    archive.write(tmp_path / "again.zip", again, {"holds": "estimates"})
    assert (tmp_path / "again.zip").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", [*MEMBERS, MANIFEST, SEAL])
def test_a_changed_file_is_named(path, name):
    def change(members):
        for info, content in members:
            yield info, content + b" " if info.filename == name else content

    rewrite(path, change)
    with pytest.raises(ArchiveError, match=rf"bundle\.zip is refused:\n  - .*'{name}'"):
        check(path)


@pytest.mark.parametrize("name", MEMBERS)
def test_a_file_of_the_same_size_with_other_content_is_named(path, name):
    if not MEMBERS[name]:
        return
    rewrite(path, lambda members: ((i, c[:-1] + b"?" if i.filename == name else c) for i, c in members))
    with pytest.raises(ArchiveError, match=rf"'{name}' is changed: SHA-256 \w+ where the manifest says"):
        check(path)


def test_any_damaged_byte_of_content_is_found(path):
    whole = path.read_bytes()
    for content in MEMBERS.values():
        if content:
            place = whole.index(content)
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(ArchiveError, match=r"damaged|changed"):
                check(path)


@pytest.mark.parametrize("length", [0, 10, 300, -1])
def test_a_truncated_archive_is_named(path, length):
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ArchiveError, match=r"bundle\.zip is not a ZIP archive, or is truncated"):
        check(path)


def test_a_missing_archive_is_named(tmp_path):
    with pytest.raises(ArchiveError, match=r"nowhere\.zip cannot be read: No such file"):
        check(tmp_path / "nowhere.zip")


def test_a_missing_file_is_named(path):
    rewrite(path, lambda members: [member for member in members if member[0].filename != "tables/one.csv"])
    with pytest.raises(ArchiveError, match=r"'tables/one\.csv' is missing"):
        check(path)


def test_an_archive_that_is_no_bundle_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as file:
        file.writestr("a", "b")
    with pytest.raises(ArchiveError, match=r"other\.zip is not a bundle: one plain manifest\.json was expected"):
        check(tmp_path / "other.zip")


@pytest.mark.parametrize(
    "name", ["../above", "/etc/passwd", "a/../../b", "a//b", "./a", "C:\\a", "a\\..\\b", "tables/one.csv/"]
)
def test_a_path_that_leaves_the_folder_is_refused_even_where_it_is_listed(path, name):
    with zipfile.ZipFile(path) as file:
        files = json.loads(file.read(MANIFEST))["files"]
    reseal(path, files=files | {name: {"sha256": hashlib.sha256(b"x").hexdigest(), "bytes": 1}})
    rewrite(path, lambda members: [*members, (plain(name), b"x")])
    with pytest.raises(ArchiveError, match="would be written outside the target folder"):
        check(path)


def test_an_extra_file_a_link_and_a_folder_are_named(path):
    rewrite(path, lambda members: [*members, (plain("more"), b""), (plain("link", stat.S_IFLNK), b"/etc/passwd")])
    with pytest.raises(ArchiveError, match=r"'more' is extra(.|\n)*'link' is extra(.|\n)*'link' is not a plain file"):
        check(path)


def test_a_link_in_place_of_a_file_is_refused(path):
    def change(members):
        for info, content in members:
            yield (plain(info.filename, stat.S_IFLNK) if info.filename == "empty" else info), content

    rewrite(path, change)
    with pytest.raises(ArchiveError, match="'empty' is not a plain file"):
        check(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["tables/one.csv", MANIFEST])
def test_a_file_that_is_there_twice_is_named(path, name):
    rewrite(path, lambda members: [*members, (plain(name), b"other")])
    with pytest.raises(ArchiveError, match=rf"'{name}' exists 2 times|one plain {name} was expected, found 2"):
        check(path)


def test_a_compressed_file_which_may_unfold_to_anything_is_refused(path):
    def change(members):
        for info, content in members:
            if info.filename == "estimates.parquet":
                info = plain(info.filename, compress_type=zipfile.ZIP_DEFLATED)
            yield info, content

    rewrite(path, change)
    with pytest.raises(ArchiveError, match=r"'estimates\.parquet' is not a plain file without compression"):
        check(path)


def test_files_that_overlap_are_refused(path):
    """A central directory whose entries share their data: small to send, large to unpack."""
    with zipfile.ZipFile(path, "a") as file:
        entry = file.getinfo("estimates.parquet")
        file.filelist += [entry] * 20
        file._didModify = True
    with pytest.raises(ArchiveError, match="its files overlap"):
        check(path)


def test_another_size_than_listed_is_refused(path):
    with zipfile.ZipFile(path) as file:
        files = json.loads(file.read(MANIFEST))["files"]
    reseal(path, files=files | {"empty": files["empty"] | {"bytes": 5}})
    with pytest.raises(ArchiveError, match="'empty' has 0 bytes where the manifest says 5"):
        check(path)


def test_a_newer_format_is_refused_before_anything_else(path):
    reseal(path, version=archive.VERSION + 1, files="in another way")
    with pytest.raises(ArchiveError, match="its format version is 2, this minde reads up to 1; use a newer minde"):
        check(path)


def test_a_foreign_format_is_refused(path):
    reseal(path, format="bagit")
    with pytest.raises(ArchiveError, match=r"format 'minde-bundle' was expected in manifest\.json, found 'bagit'"):
        check(path)


def test_nothing_is_written_of_a_changed_file(path, tmp_path):
    rewrite(path, lambda members: ((i, b"x" * len(c) if i.filename == "tables/one.csv" else c) for i, c in members))
    with archive.opened(path) as opened, pytest.raises(ArchiveError, match=r"'tables/one\.csv' is changed"):
        archive.extract(opened, "tables/one.csv", tmp_path / "out.csv")
    with archive.opened(path) as opened, pytest.raises(ArchiveError, match="holds no 'other'; it holds"):
        archive.extract(opened, "other", tmp_path / "out.csv")
    assert not list(tmp_path.glob("*out.csv*"))
