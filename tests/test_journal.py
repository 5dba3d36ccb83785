"""The journal that `--resume` goes on from."""

import json
import subprocess
import sys

import pytest

from srqa.errors import OutputError, RunError
from srqa.journal import Journal


def journal_in(folder):
    return Journal(folder / "done.jsonl", folder / ".lock", "Another process has it.")


def test_lines_come_back_and_what_a_kill_cut_off_does_not(tmp_path):
    with journal_in(tmp_path) as journal:
        journal.begin({"settings": {"a": 1}}, [{"picture": "é.png"}])
        journal.append({"picture": "b"})
    with (tmp_path / "done.jsonl").open("a") as file:
        file.write('[1, 2]\n{"picture": "c')
    with journal_in(tmp_path) as journal:
        assert journal.entries() == [{"settings": {"a": 1}}, {"picture": "é.png"}, {"picture": "b"}]
        journal.remove()
        assert journal.entries() == []
    assert list(tmp_path.iterdir()) == []


def test_beginning_anew_keeps_the_old_lines_until_the_new_ones_are_whole(tmp_path):
    with journal_in(tmp_path) as journal:
        journal.begin({"settings": 1}, [{"picture": "a"}])

    def rows():
        yield {"picture": "b"}
        raise KeyboardInterrupt

    with journal_in(tmp_path) as journal, pytest.raises(KeyboardInterrupt):
        journal.begin({"settings": 2}, rows())
    assert [json.loads(line) for line in (tmp_path / "done.jsonl").read_text().splitlines()] == [
        {"settings": 1}, {"picture": "a"}
    ]  # fmt: skip
    assert sorted(p.name for p in tmp_path.iterdir()) == ["done.jsonl"]


def test_only_one_process_holds_it(tmp_path):
    other = (
        "import sys; from pathlib import Path; from srqa.journal import alone\n"
        "with alone(Path(sys.argv[1], '.lock'), 'x'): print('held', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", other, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(RunError, match="Another process has it") as said, journal_in(tmp_path):
            pass
        assert "--out" in said.value.hint
        process.communicate(b"\n")
    with journal_in(tmp_path) as journal:
        journal.begin({}, [])


def test_a_folder_that_cannot_be_and_a_journal_that_is_no_file(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match="a file stands in the way"),
        journal_in(tmp_path / "file"),
    ):
        pass
    (tmp_path / "done.jsonl").mkdir()
    with journal_in(tmp_path) as journal:
        with pytest.raises(RunError, match="cannot be read"):
            journal.entries()
        with pytest.raises(OutputError):
            journal.begin({}, [])
