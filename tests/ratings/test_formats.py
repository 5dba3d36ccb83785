"""Others' formats: examples as their owners publish them, and there and back again."""

import numpy as np
import pandas as pd
import pytest

from srqa.errors import InputError, UsageError
from srqa.ratings.answers import Stimulus, from_matrix
from srqa.ratings.formats import FORMATS, guess, read, sureal, write
from srqa.ratings.scores import mos
from srqa.ratings.tables import from_frame, to_frame

# Rows in the form of each project's own examples.
SUREAL = """# comment
dataset_name = 'test_repetitions'
yuv_fmt = 'yuv420p'
width = 1920
ref_score = 5.0
folder = '/data'
ref_videos = [
    {'content_id': 0, 'content_name': 'foo', 'path': folder + '/foo.png'},
    {'content_id': 1, 'content_name': 'bar', 'path': folder + '/bar.png'}]
dis_videos = [
    {'asset_id': 0, 'content_id': 0, 'os': {'Tom': [3, 2], 'Jerry': 4, 'Pinokio': 1},
     'path': 'baz1.png'},
    {'asset_id': 1, 'content_id': 1, 'os': {'Tom': [2, 2], 'Jerry': 1, 'Pinokio': [3, 3, 1]},
     'path': 'baz2.png'},
    {'asset_id': 2, 'content_id': 0, 'os': {'Tom': 4, 'Jerry': float('nan'), 'Pinokio': 3},
     'path': folder + '/foo.png'}]
"""
SUREAL_LIST = """
ref_videos = [{'content_id': 0, 'path': 'foo.png'}]
dis_videos = [
    {'asset_id': 0, 'content_id': 0, 'os': [[3, 2], 4, 1], 'path': 'baz1.png'},
    {'asset_id': 1, 'content_id': 0, 'os': [[2, 2], 1, [3, 3, 1]], 'path': 'baz2.png'}]
"""
SUREAL_CHOICES = """
ref_videos = [{'content_id': 0, 'content_name': 'Caps', 'path': 'Caps1.png'}]
dis_videos = [
    {'asset_id': 0, 'content_id': 0, 'path': 'Caps1.png',
     'os': {('David R.', 1): 1, ('Jana', 1): 0.5}},
    {'asset_id': 1, 'content_id': 0, 'path': 'Caps2.png',
     'os': {('David R.', 0): 0, ('Jana', 0): 0.5, ('Fritol', 0): 1}}]
"""
AVT = """video_name,user1,user2,user10
BennuProRes4444.mov_crf_03,4,3,3
BennuProRes4444.mov_crf_06,4,,2
"""
PWCMP = """observer,session_id,scene,condition_B,condition_A,is_A_selected,criterion
M01,1,window,tmo_camera,ferwerda96,0,perceptual
M01,1,exhibition,ronan12,irawan05,1,perceptual
M02,3,window,tmo_camera,ferwerda96,1,perceptual
M02,3,window,tmo_camera,ferwerda96,0,perceptual
"""
PWCMP_README = """Observer,Session,Scene,Condition_1,Condition_2,Selection
1,1,Window,TMO_Camera,Ferwerda96,1
1,1,Exhibition,Ronan12,Irawan05,2
"""
KONIQ = """image_name,c1,c2,c3,c4,c5,c_total,MOS,SD,MOS_zscore
10004473376.jpg,0,0,25,73,7,105,3.828571,0.527278,77.38
10007357496.jpg,0,3,45,47,1,96,3.479167,0.578000,69.97
"""
JPEG_AIC = """assignment,worker,method,task,question_id,img_num,codec_left,codec_pivot,codec_right,\
dlevel_left,dlevel_pivot,dlevel_right,img_left,img_pivot,img_right,is_same,is_cross,is_bias,\
is_trap,question_order,response,submission_time,response_time,reload_count,resolution
A1,7,BTC,1,11,2,3,0,3,4,0,6,i2_c3_d4.png,i2.png,i2_c3_d6.png,1,0,0,0,1,right,2024-01-04,2.5,0,1
A1,7,BTC,1,12,2,3,0,3,6,0,6,i2_c3_d6.png,i2.png,i2_c3_d6.png,1,0,1,0,2,not sure,2024-01-04,4,0,1
A1,8,BTC,1,13,2,0,0,3,0,0,10,i2.png,i2.png,i2_c3_d10.png,0,0,0,1,1,left,2024-01-04,3,0,1
"""


def put(tmp_path, text, name="a.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def same(a, b):
    """Equal as tables, whatever the order of rows and columns of names."""
    frames = [to_frame(x).drop(columns=["study", "order"]) for x in (a, b)]
    keys = ["observer", "stimulus", "left", "right", "repetition"]
    sorted_frames = [f.sort_values(keys).reset_index(drop=True) for f in frames]
    pd.testing.assert_frame_equal(*sorted_frames)


def test_wide_with_and_without_names(tmp_path, nflx, reference):
    answers = read(reference / "ratings/nflx_public_79x26.csv", "wide")
    np.testing.assert_array_equal(mos(answers).mos, nflx.mean(axis=1))
    named = put(tmp_path, "stimulus,ann,bob\na.png,4,nan\nb.png,3,5\n")
    answers = read(named)
    assert (answers.observers, answers.names) == (("ann", "bob"), ("a.png", "b.png"))
    assert len(answers) == 3


def test_wide_missing_votes(demo, reference):
    answers = read(reference / "ratings/p910_demo_79x26.csv", "wide")
    assert len(answers) == np.isfinite(demo).sum() == 79 * 26 - 1


def test_wide_there_and_back_with_repetitions(tmp_path):
    cube = np.full((3, 2, 2), np.nan)
    cube[:, :, 0] = [[1, 2], [3, 4], [5, np.nan]]
    cube[1, 0, 1] = 2.5
    answers = from_matrix(cube, ["a", "b", "c"], ["ann", "bob"])
    path = write(answers, tmp_path / "w.csv", "wide")
    assert path.read_text().splitlines()[0] == "stimulus,ann,ann#2,bob"
    same(read(path, "wide"), answers)


def test_avt(tmp_path, reference):
    answers = read(put(tmp_path, AVT))
    assert answers.observers == ("user1", "user2", "user10")
    assert len(answers) == 5
    path = write(answers, tmp_path / "b.csv", "avt")
    assert path.read_text() == AVT
    published = read(reference / "ratings/ic_test_371x21.csv")
    assert (len(published.stimuli), len(published.observers)) == (371, 21)
    with pytest.raises(InputError, match="its first column is 'stimulus'"):
        read(put(tmp_path, AVT.replace("video_name", "stimulus")), "avt")
    with pytest.raises(InputError, match="lie outside the scale 1 to 5"):
        read(put(tmp_path, AVT.replace("4,3,3", "4,3,7")), "avt")


def test_sureal_with_repetitions(tmp_path):
    answers = read(put(tmp_path, SUREAL, "set.py"))
    assert answers.study == "test_repetitions"
    assert answers.observers == ("Tom", "Jerry", "Pinokio")
    assert len(answers) == 12
    assert answers.stimuli[0] == Stimulus("baz1.png", content="foo", reference="/data/foo.png")
    assert answers.stimuli[2] == Stimulus("/data/foo.png", content="foo")
    assert answers.repetition.max() == 2
    listed = read(put(tmp_path, SUREAL_LIST, "list.py"))
    assert listed.observers == ("1", "2", "3")
    assert len(listed) == 10


def test_sureal_choices(tmp_path):
    answers = read(put(tmp_path, SUREAL_CHOICES, "pc.py"))
    frame = to_frame(answers)
    told = set(zip(frame["observer"], frame["left"], frame["choice"], strict=True))
    assert told == {
        ("David R.", "Caps1.png", "left"),
        ("Jana", "Caps1.png", "tie"),
        ("Fritol", "Caps2.png", "left"),
    }
    assert len(answers) == 3


def test_sureal_there_and_back_and_read_by_sureal(tmp_path):
    answers = read(put(tmp_path, SUREAL, "set.py"))
    path = write(answers, tmp_path / "out.py", "sureal")
    same(read(path), answers)
    pytest.importorskip("sureal", reason="pip install sureal")
    from sureal.dataset_reader import RawDatasetReader
    from sureal.tools.misc import import_python_file

    cube = RawDatasetReader(import_python_file(str(path))).opinion_score_3darray
    np.testing.assert_allclose(np.nanmean(cube, axis=(1, 2)), mos(answers).mos)


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "ref_videos = open('x').read()",
        "ref_videos = [c for c in ()]",
        "x = __import__('os').system('true')",
        "x = ().__class__",
        "x.y = 1",
        "x = f'{1}'",
        "x = unknown + 'a'",
        "x = 10 ** 10 ** 10",
    ],
)
def test_sureal_sets_are_never_executed(tmp_path, line):
    path = put(tmp_path, f"width = 3\n{line}\n", "evil.py")
    with pytest.raises(InputError, match=r"(?i)line 2.*more than"):
        sureal.literals(path)


def test_sureal_sets_that_are_none(tmp_path):
    with pytest.raises(InputError, match="no sureal dataset"):
        read(put(tmp_path, "a = 1", "a.py"))
    with pytest.raises(InputError, match="cannot be read as a Python dataset"):
        read(put(tmp_path, "a = (", "b.py"))
    with pytest.raises(InputError, match="not as sureal keeps it"):
        read(put(tmp_path, "ref_videos = []\ndis_videos = [{'os': [1]}]", "c.py"))


def test_pwcmp(tmp_path):
    answers = read(put(tmp_path, PWCMP))
    assert answers.stimuli[0].method in ("ferwerda96", "tmo_camera")
    assert {s.content for s in answers.stimuli} == {"window", "exhibition"}
    frame = to_frame(answers)
    assert frame["choice"].tolist() == ["right", "left", "left", "right"]
    assert frame["left"][0] == "window/ferwerda96"
    assert frame["repetition"].tolist() == [0, 0, 0, 1]
    path = write(answers, tmp_path / "b.csv", "pwcmp")
    kept = [line.rpartition(",")[0] for line in PWCMP.splitlines()]
    assert path.read_text().splitlines() == kept
    same(read(path), answers)
    other = to_frame(read(put(tmp_path, PWCMP_README)))
    assert other["left"].tolist() == ["Window/TMO_Camera", "Exhibition/Ronan12"]
    assert other["choice"].tolist() == ["left", "right"]


def test_pwcmp_refuses(tmp_path):
    with pytest.raises(InputError, match="'3' in row 3"):
        read(put(tmp_path, PWCMP_README.replace("Irawan05,2", "Irawan05,3")))
    with pytest.raises(InputError, match="not those of a pwcmp table"):
        read(put(tmp_path, "a,b\n1,2\n"), "pwcmp")
    tie = from_frame(pd.DataFrame({"observer": ["a"], "left": "x", "right": "y", "choice": "tie"}))
    with pytest.raises(InputError, match="no ties; there are 1"):
        write(tie, tmp_path / "t.csv", "pwcmp")
    with pytest.raises(InputError, match="there are none"):
        write(from_matrix(np.array([[3.0, 4]])), tmp_path / "t.csv", "pwcmp")


def test_koniq(tmp_path):
    answers = read(put(tmp_path, KONIQ))
    assert len(answers) == len(answers.observers) == 201
    found = mos(answers)
    np.testing.assert_allclose(found.mos, [3.828571, 3.479167], atol=1e-6)
    assert found.sd[0] == pytest.approx(0.527278, abs=1e-2)
    path = write(answers, tmp_path / "b.csv", "koniq")
    assert path.read_text().splitlines()[1].startswith("10004473376.jpg,0,0,25,73,7,105,3.828571")
    same(read(path), answers)
    from srqa.ratings.recovery import recover

    with pytest.raises(InputError, match="less than two each"):
        recover(answers)


def test_koniq_refuses(tmp_path):
    for old, new, words in (
        ("105,", "104,", "c_total 104"),
        ("3.828571", "4.1", "MOS 4.1"),
        ("0,0,25", "0,0.5,25", "whole numbers"),
        ("0,0,25", "0,x,25", "not a number"),
        ("10007357496", "10004473376", "stands twice"),
        ("image_name", "name", "lacks one of the columns"),
        ("0,3,45,47,1,96,3.479167", "0,0,0,0,0,0,0", "has no votes"),
    ):
        with pytest.raises(InputError, match=words):
            read(put(tmp_path, KONIQ.replace(old, new)), "koniq")
    with pytest.raises(InputError, match="whole ratings"):
        write(from_matrix(np.array([[3.5, 4]])), tmp_path / "t.csv", "koniq")


def test_jpeg_aic_turns_the_side_round(tmp_path):
    """`right` differs more from the source, so the left one is better."""
    answers = read(put(tmp_path, JPEG_AIC))
    frame = to_frame(answers)
    assert frame["choice"].tolist() == ["left", "tie", "right"]
    assert frame["flags"].tolist() == ["", "bias", "trap"]
    assert frame["response_ms"].tolist() == [2500, 4000, 3000]
    facts = {s.name: (s.method, s.reference) for s in answers.stimuli}
    assert facts["i2_c3_d4.png"] == ("3/4", "i2.png")
    assert facts["i2.png"] == ("0/0", "")
    pairs = answers.comparisons()
    assert pairs.identical
    path = write(answers, tmp_path / "b.csv", "jpeg-aic")
    again = to_frame(read(path)).drop(columns=["session"])
    pd.testing.assert_frame_equal(again, frame.drop(columns=["session"]))


def test_jpeg_aic_refuses(tmp_path):
    for old, new, words in (
        (",right,2024", ",both,2024", "response 'both' in row 2"),
        ("3,0,3,4,0,6", "3,0,3,4,2,6", "distortion level 2"),
        ("img_pivot", "pivot", "lacks the columns img_pivot"),
    ):
        with pytest.raises(InputError, match=words):
            read(put(tmp_path, JPEG_AIC.replace(old, new)), "jpeg-aic")
    pair = from_frame(pd.DataFrame({"observer": ["a"], "left": "x", "right": "y", "choice": "tie"}))
    with pytest.raises(InputError, match="no reference in common"):
        write(pair, tmp_path / "t.csv", "jpeg-aic")


def test_formats_are_told_apart(tmp_path):
    texts = {"sureal": SUREAL, "avt": AVT, "pwcmp": PWCMP, "koniq": KONIQ, "jpeg-aic": JPEG_AIC,
             "wide": "a,b\n1,2\n", "tidy": "observer,stimulus,value\na,b,1\n"}  # fmt: skip
    assert set(texts) == set(FORMATS)
    for name, text in texts.items():
        suffix = ".py" if name == "sureal" else ".csv"
        assert guess(put(tmp_path, text, f"x{suffix}")) == name
    assert guess(tmp_path / "x.parquet") == "tidy"


def test_no_such_format_or_file(tmp_path):
    with pytest.raises(UsageError, match="no format 'excel'"):
        read(put(tmp_path, AVT), "excel")
    with pytest.raises(InputError, match="There is no file"):
        read(tmp_path / "none.csv")
    for text, words in (("", "is empty"), ("s,a\nx,1\ny\n", "Row 3 .* has 1 cells"),
                        ("s,a\nx,good\n", "'good' in row 2, column 2"),
                        ("s,a,a\nx,1,2\n", "two columns 'a'"),
                        ("s,a\n", "no stimuli")):  # fmt: skip
        with pytest.raises(InputError, match=words):
            read(put(tmp_path, text), "wide")


@pytest.mark.parametrize("name", ["wide", "avt", "sureal", "koniq"])
def test_formats_of_ratings_refuse_choices(tmp_path, name):
    pair = from_frame(
        pd.DataFrame({"observer": ["a"], "left": "x", "right": "y", "choice": "left"})
    )
    with pytest.raises(InputError, match="no rating"):
        write(pair, tmp_path / "x.csv", name)
