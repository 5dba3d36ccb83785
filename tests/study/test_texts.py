"""Languages: the same keys, the right number of words, own files beside."""

import string

import pytest

from srqa.errors import InputError, UsageError
from srqa.study.methods import METHODS
from srqa.study.texts import languages, load_texts


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_all_languages_have_the_same_keys_and_places_to_fill():
    english = load_texts("en")
    assert {"en", "zh"} <= set(languages())
    for locale in languages():
        other = load_texts(locale)
        assert set(other.table) == set(english.table)
        for key, text in english.table.items():
            mine = other.table[key]
            assert isinstance(mine, type(text)), key
            assert len(mine) > 0, key
            if isinstance(text, str):
                assert fields(mine) == fields(text), (locale, key)
            else:
                assert len(mine) == len(text), (locale, key)


@pytest.mark.parametrize("locale", ["en", "zh"])
@pytest.mark.parametrize("method", METHODS)
def test_each_method_has_words(locale, method):
    how = METHODS[method]
    for points in (5, 7, 9, 11) if method == "acr" else (5,):
        values = how.values(points)
        labels = load_texts(locale).labels(how.labels, len(values))
        assert len(labels) == (2 if how.kind == "slider" else len(values))
        assert labels[0]
        assert labels[-1]


def test_the_words_of_the_itu():
    texts = load_texts("en")
    assert texts.labels("acr", 5) == ["Bad", "Poor", "Fair", "Good", "Excellent"]
    assert texts.labels("dcr", 5)[-1] == "Imperceptible"
    assert texts.labels("ccr", 7)[0] == "Much worse"
    assert load_texts("zh-CN").name == "中文"


def test_a_study_brings_its_own_words(tmp_path):
    (tmp_path / "en.toml").write_text('[choice]\nleft = "This one"\n')
    assert load_texts("en", tmp_path)("choice.left") == "This one"
    assert load_texts("en", tmp_path)("choice.right") == "Right"
    (tmp_path / "de.toml").write_text('[choice]\nleft = "Links"\n')
    assert "de" in languages(tmp_path)
    with pytest.raises(InputError, match=r"de\.toml lacks"):
        load_texts("de", tmp_path)
    with pytest.raises(UsageError, match="no texts in the language 'fr'"):
        load_texts("fr")
