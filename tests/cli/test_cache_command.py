"""`srqa cache info|clear`."""

import pytest
from support import assert_one_sentence

from srqa.engine.cache import default_path


def test_info_and_clear(command, evaluate):
    assert "0 scores of 0 pictures" in command("cache", "info").out
    evaluate()
    told = command("cache", "info")
    assert told.code == 0
    assert str(default_path()) in told.out
    assert "12 scores of 9 pictures" in told.out
    assert command("cache", "clear").out == "12 scores forgotten.\n"
    assert "0 scores of 0 pictures" in command("cache", "info").out
    assert evaluate().code == 0


@pytest.mark.parametrize("subcommand", ["info", "clear"])
def test_a_cache_that_is_none(command, subcommand):
    default_path().parent.mkdir(parents=True)
    default_path().write_bytes(b"no database at all, not even nearly" * 99)
    outcome = command("cache", subcommand)
    assert outcome.code == 3
    assert_one_sentence(outcome.err, "is not used", "SRQA_CACHE")


@pytest.mark.parametrize("subcommand", ["info", "clear"])
def test_a_cache_that_is_damaged(command, evaluate, subcommand):
    evaluate()
    data = bytearray(default_path().read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    default_path().write_bytes(data)
    outcome = command("cache", subcommand)
    assert outcome.code == 3
    assert_one_sentence(outcome.err, str(default_path()))


def test_warning_of_an_unusable_cache(evaluate):
    default_path().parent.mkdir(parents=True)
    default_path().write_bytes(b"no database at all, not even nearly" * 99)
    outcome = evaluate()
    assert outcome.code == 0
    assert_one_sentence(outcome.err, "note: The cache", "is not used")
