"""The researcher's pages of a study: `srqa study admin` runs them.

What they show and do is computed and decided in `srqa.study.admin`; frames there are made anew only
after new answers. Nothing is shown before the passphrase (or an OIDC login, where Streamlit's
secrets have an `[auth]` section and a list `admins` of addresses).
"""

import tempfile
from importlib.util import find_spec
from pathlib import Path

import altair as alt
import pandas as pd
import streamlit as st

from srqa.errors import SrqaError
from srqa.study import admin, exporting, passphrase, privacy
from srqa.study.serving import current
from srqa.study.values import compute_metrics

SOFT, ACCENT, DONE, BAD = "#80858e", "#2b86bd", "#00805c", "#c75000"
COLOURS = ["#0072b2", "#c75000", "#00805c", "#a8478a", "#856a00", "#50545c", "#2b86bd", "#a02c2c"]
FORMS = {
    "csv": "CSV, every answer",
    "parquet": "Parquet, every answer",
    "wide": "CSV, a row a stimulus",
    "sureal": "sureal (a Python dataset)",
    "avt": "AVT matrix",
    "pwcmp": "pwcmp (pairs)",
}
PAGES = ("Progress", "Scores", "Metrics", "People", "Export")
MOST_ROWS = 60
"""Stimuli that a chart shows; tables hold all."""


def enter() -> None:
    """Stop here until the researcher has shown who they are."""
    if "auth" in secrets():
        _by_login()
    elif not st.session_state.get("inside"):
        _by_passphrase()


def secrets() -> dict:
    try:
        return st.secrets.to_dict()
    except FileNotFoundError:
        return {}


def _by_login() -> None:
    if not st.user.is_logged_in:
        st.title(title)
        ready = find_spec("authlib") is not None
        st.button("Log in", on_click=st.login, type="primary", disabled=not ready)
        if not ready:
            st.error("Logging in needs a package: pip install 'srqa[oidc]'")
        st.stop()
    if st.user.get("email") not in secrets().get("admins", []):
        st.error(f"{st.user.get('email')} is not in the list `admins` of Streamlit's secrets.")
        st.button("Log out", on_click=st.logout)
        st.stop()


def _by_passphrase() -> None:
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        st.title(title)
        if not passphrase.is_set(study):
            st.error("No passphrase is set. Stop this server and start `srqa study admin` again.")
            st.stop()
        with st.form("enter"):
            given = st.text_input("Passphrase", type="password", autocomplete="current-password")
            if st.form_submit_button("Enter", type="primary") and given:
                if passphrase.check(study, given):
                    st.session_state["inside"] = True
                    st.rerun()
                st.error("That is not it. After five wrong tries only one in ten seconds counts.")
    st.stop()


def attempt(run, *args) -> bool:
    """Do something that may be refused, and say why where it is."""
    try:
        run(*args)
    except SrqaError as error:
        st.error(f"{error} {error.hint}".strip())
        return False
    return True


def heading() -> None:
    now = study.store.row()
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    left.title(title)
    if now["state"] == "open":
        with right.popover("Pause", width="stretch"):
            reason = st.text_input("Why? Participants do not see it.", key="pause")
            if st.button("Pause the study", disabled=not reason.strip()):
                admin.pause(study, reason.strip())
                st.rerun()
    else:
        if right.button("Resume", type="primary", width="stretch"):
            admin.resume(study)
            st.rerun()
        st.warning(f"The study is paused: {now['reason']}")


def figure(value: float, places: int = 2) -> str:
    return "–" if pd.isna(value) else f"{value:.{places}f}"


def lag() -> None:
    """Say so where the scores are not of the newest answers."""
    if lacking := admin.behind(study):
        st.caption(f"{lacking:+,} answers since the scores were computed; new ones are on the way.")


@st.fragment(run_every="5s")
def progress_page() -> None:
    with st.spinner("Computing scores …", show_time=True):
        now = admin.progress(study)
    people, stop = now.participants, now.stop
    one, two, three, four, five = st.columns(5)
    one.metric("Finished", people.get("finished", 0))
    two.metric("Taking part", people.get("active", 0))
    three.metric("Left", people.get("left", 0))
    share = f" of {now.expected:,}" if now.expected else ""
    four.metric("Opinions", f"{now.answers:,}{share}")
    five.metric("Minutes, median", figure(now.minutes, 1))
    width = f"±{figure(stop.half_width)} {stop.unit}".strip()
    text = (
        f"{stop.quantile:.0%} of the intervals lie within {width} (wanted: ±{stop.target:g}); "
        f"the stimulus with fewest votes has {stop.votes} (wanted: {stop.min_votes})."
    )
    if stop.met:
        st.success(f"There are answers enough. {text}")
    else:
        st.info(text)
    lag()
    frame = admin.stimuli(study)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Intervals")
        if frame["half_width"].notna().any():
            st.altair_chart(widths(frame, stop.target), width="stretch")
            if len(frame) > MOST_ROWS:
                st.caption(f"The {MOST_ROWS} widest of {len(frame)}.")
        else:
            st.caption("They appear once every stimulus has been seen.")
    with right:
        st.subheader("Votes")
        st.altair_chart(votes(frame), width="stretch")
        st.subheader("Way")
        st.altair_chart(funnel(), width="stretch")


def widths(frame: pd.DataFrame, target: float) -> alt.LayerChart:
    shown = frame.dropna(subset=["half_width"]).head(MOST_ROWS)
    base = alt.Chart(shown).encode(
        y=alt.Y(
            "stimulus:N",
            sort=None,
            title=None,
            axis=alt.Axis(labelLimit=220, labelOverlap=False, labelFlush=False),
        ),
        tooltip=["stimulus", "votes", alt.Tooltip("half_width", format=".3f")],
    )
    bars = base.mark_bar(height=9, cornerRadius=2).encode(
        x=alt.X("half_width:Q", title="half width of the interval"),
        color=alt.condition(alt.datum.half_width <= target, alt.value(DONE), alt.value(ACCENT)),
    )
    line = alt.Chart(pd.DataFrame({"target": [target]})).mark_rule(
        color=BAD, strokeWidth=2, strokeDash=[4, 3]
    )
    return (bars + line.encode(x="target:Q")).properties(height=alt.Step(16))


def votes(frame: pd.DataFrame) -> alt.Chart:
    by = frame.groupby(["content", "method"], as_index=False)["votes"].sum()
    if by["content"].nunique() > MOST_ROWS:
        return (
            alt.Chart(by)
            .mark_bar(color=ACCENT)
            .encode(x=alt.X("votes:Q", bin=True), y=alt.Y("count():Q", title="stimuli"))
        )
    gap = alt.Scale(type="band", paddingInner=0.08)
    return (
        alt.Chart(by)
        .mark_rect(cornerRadius=2)
        .encode(
            x=alt.X("method:N", title=None, scale=gap, axis=alt.Axis(labelAngle=-35)),
            y=alt.Y("content:N", title=None, scale=gap, axis=alt.Axis(labelFlush=False)),
            color=alt.Color("votes:Q", scale=alt.Scale(scheme="blues"), legend=None),
            tooltip=["content", "method", "votes"],
        )
    )


def funnel() -> alt.LayerChart:
    steps = pd.DataFrame(admin.funnel(study), columns=["step", "people"])
    base = alt.Chart(steps).encode(y=alt.Y("step:N", sort=None, title=None))
    bars = base.mark_bar(color=ACCENT, height=12, cornerRadius=2).encode(
        x=alt.X("people:Q", title=None, axis=alt.Axis(tickMinStep=1))
    )
    text = base.mark_text(align="left", dx=5, color=SOFT).encode(x="people:Q", text="people:Q")
    return (bars + text).properties(height=alt.Step(22))


@st.fragment(run_every="10s")
def scores_page() -> None:
    found = admin.analysis(study)
    if found is None:
        st.info("There are not answers enough for scores yet.")
        return
    lag()
    standing = admin.methods(study)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(f"Methods, {found.unit}")
        st.altair_chart(ladder(standing, admin.stimuli(study), found.unit), width="stretch")
        st.caption(
            "Ticks are single stimuli, bars 95 % intervals where the analysis gives them. Methods "
            "that share a letter are not told apart."
        )
    with right:
        if found.rated is not None:
            st.subheader("How much people differ")
            sos_plot(found.rated)
        else:
            st.subheader("Stimuli")
            st.altair_chart(widest(admin.stimuli(study), found.unit), width="stretch")
    st.subheader("Every stimulus")
    columns = {
        name: st.column_config.NumberColumn(format="%.2f")
        for name in ("score", "ci_low", "ci_high", "half_width")
    }
    told = admin.stimuli(study).dropna(axis="columns", how="all")
    st.dataframe(told, hide_index=True, column_config=columns)
    for note in found.notes:
        st.caption(note)


def ladder(frame: pd.DataFrame, stimuli: pd.DataFrame, unit: str) -> alt.LayerChart:
    told = frame["value"].map("{:.2f} ".format) + frame["tier"]
    frame = frame.assign(told=told)
    name = alt.Y("name:N", sort=frame["name"].tolist(), title=None, axis=alt.Axis(labelLimit=240))
    scale = alt.Scale(zero=False, nice=True)
    base = alt.Chart(frame).encode(y=name)
    single = stimuli.dropna(subset=["score"]).rename(columns={"method": "name"})
    ticks = alt.Chart(single).mark_tick(color=SOFT, opacity=0.7, height=14)
    layers = [
        ticks.encode(
            x=alt.X("score:Q", title=unit, scale=scale),
            y=name,
            tooltip=["stimulus", alt.Tooltip("score:Q", format=".2f")],
        )
    ]
    if frame["ci_low"].notna().any():
        bars = base.mark_rule(strokeWidth=4, color=ACCENT, opacity=0.5)
        layers.append(bars.encode(x="ci_low:Q", x2="ci_high:Q"))
    dots = base.mark_point(filled=True, size=110, color=ACCENT, opacity=1)
    layers.append(dots.encode(x=alt.X("value:Q", scale=scale), tooltip=["name", "told"]))
    layers.append(base.mark_text(dy=-16, color=SOFT).encode(x="value:Q", text="told:N"))
    return alt.layer(*layers).properties(height=alt.Step(48))


def widest(frame: pd.DataFrame, unit: str) -> alt.LayerChart:
    shown = frame.dropna(subset=["score"]).sort_values("score", ascending=False).head(MOST_ROWS)
    base = alt.Chart(shown).encode(
        y=alt.Y(
            "stimulus:N", sort=None, title=None, axis=alt.Axis(labelOverlap=False, labelFlush=False)
        ),
        color=alt.Color("method:N", title=None, scale=alt.Scale(range=COLOURS)),
    )
    axis = alt.Axis(labelFlush=False)
    bars = base.mark_rule(strokeWidth=2, opacity=0.75).encode(
        x=alt.X("ci_low:Q", title=unit, scale=alt.Scale(zero=False), axis=axis), x2="ci_high:Q"
    )
    dots = base.mark_point(filled=True, size=50, opacity=1).encode(
        x="score:Q", tooltip=["stimulus", alt.Tooltip("score:Q", format=".2f")]
    )
    return (bars + dots).properties(height=alt.Step(16))


def sos_plot(rated) -> None:
    frame = rated.scores.to_frame()
    if rated.sos is None or "sd" not in frame:
        st.caption("It is fitted once there are enough votes on a rating scale.")
        return
    low, high = rated.answers.rating_scale.low, rated.answers.rating_scale.high
    frame = frame.assign(variance=frame["sd"] ** 2)[["stimulus", "mos", "variance"]]
    xs = [low + (high - low) * k / 60 for k in range(61)]
    curve = pd.DataFrame(
        {"mos": xs, "variance": [rated.sos.a * (x - low) * (high - x) for x in xs]}
    )
    axis = alt.X("mos:Q", title="MOS", scale=alt.Scale(domain=[low, high]))
    dots = alt.Chart(frame).mark_point(filled=True, color=ACCENT, opacity=0.65, size=45)
    dots = dots.encode(x=axis, y=alt.Y("variance:Q", title="variance"), tooltip=["stimulus"])
    line = alt.Chart(curve).mark_line(color=BAD).encode(x=axis, y="variance:Q")
    st.altair_chart(dots + line, width="stretch")
    st.caption(f"SOS parameter a = {rated.sos.a:.3f}; pictures usually give 0.1 to 0.3.")


def metrics_page() -> None:
    frame = admin.correlations(study)
    wanted = ", ".join(study.definition.analysis.metrics)
    if st.button(f"Compute what is lacking of {wanted}"):
        bar = st.progress(0.0, "Computing …")
        if attempt(compute_metrics, study, None, lambda n, of: bar.progress(n / max(1, of))):
            st.rerun()
    if frame.empty:
        st.info("They appear when metrics are computed and four stimuli or more have scores.")
        return
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.subheader("Agreement with people")
        base = alt.Chart(frame).encode(y=alt.Y("metric:N", sort=None, title=None))
        scale = alt.Scale(domain=[-1, 1])
        rule = base.mark_rule(strokeWidth=3, color=ACCENT, opacity=0.5).encode(
            x=alt.X("ci_low:Q", title="SROCC", scale=scale), x2="ci_high:Q"
        )
        dots = base.mark_point(filled=True, size=90, color=ACCENT, opacity=1).encode(x="srocc:Q")
        st.altair_chart((rule + dots).properties(height=alt.Step(34)), width="stretch")
        config = {c: st.column_config.NumberColumn(format="%.3f") for c in frame.columns[1:5]}
        st.dataframe(frame, hide_index=True, column_config=config)
    with right:
        name = st.selectbox("Metric", frame["metric"], label_visibility="collapsed")
        shown = admin.scatter(study, name)
        base = alt.Chart(shown).encode(
            x=alt.X("value:Q", title=name, scale=alt.Scale(zero=False)),
            color=alt.Color("method:N", scale=alt.Scale(range=COLOURS), title=None),
        )
        bars = base.mark_rule(opacity=0.4).encode(
            y=alt.Y("ci_low:Q", title="score", scale=alt.Scale(zero=False)), y2="ci_high:Q"
        )
        dots = base.mark_point(filled=True, size=60, opacity=0.9).encode(
            y="score:Q", tooltip=["stimulus", alt.Tooltip("score:Q", format=".2f"), "value:Q"]
        )
        st.altair_chart((bars + dots).properties(height=420), width="stretch")


def people_page() -> None:
    frame = admin.participants(study)
    if frame.empty:
        st.info("Nobody has come yet.")
        return
    st.dataframe(
        frame, hide_index=True,
        column_config={"minutes": st.column_config.NumberColumn(format="%.1f")},
    )  # fmt: skip
    rows = frame.set_index("participant", drop=False)
    who = st.selectbox(
        "Participant", rows.index, index=None, key="who",
        placeholder="Choose one to see what happened, or to leave them out",
    )  # fmt: skip
    if who:
        one_person(rows.loc[who])
    st.subheader("Flags")
    flags = admin.flags(study)
    if flags.empty:
        st.caption("None.")
    else:
        st.dataframe(flags, hide_index=True)


def one_person(row: pd.Series) -> None:
    who, out = row["participant"], row["state"] in ("void", "excluded")
    st.subheader(f"Participant {who[:8]}, {row['state']}")
    left, right, _ = st.columns([1, 1, 2])
    name = "Take back in" if out else "Leave out"
    with left.popover(name, width="stretch", key=f"{name} {who}"):
        reason = st.text_input(f"{name} why? It is kept with the study.", key=f"{name} why {who}")
        act = "Count their answers again" if out else "Leave their answers out"
        if st.button(act, disabled=not reason.strip()):
            run = admin.restore if out else admin.void
            if attempt(run, study, who, reason.strip()):
                st.rerun()
    with right.popover("Erase", width="stretch"):
        st.write("Everything about them is erased for good, in results and exports too.")
        sure = st.text_input("Type ERASE", key=f"erase {who}") == "ERASE"
        if st.button("Erase for good", disabled=not sure) and attempt(privacy.forget, study, who):
            st.rerun()
    st.dataframe(admin.timeline(study, who), hide_index=True)


def export_page() -> None:
    st.write("Participants are numbered in every export; nothing tells who they are.")
    form = st.selectbox("Format", list(FORMS), format_func=FORMS.get)
    decided = study.store.latest().decided  # an older export may hold whom one erased or left out
    if st.button("Prepare"):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / exporting.default_name(study, form)
            st.session_state.pop("export", None)
            if attempt(exporting.export_answers, study, file, form):
                st.session_state["export"] = (file.name, file.read_bytes(), decided)
    made = st.session_state.get("export")
    if made and made[2] == decided:
        st.download_button(f"Download {made[0]}", made[1], file_name=made[0], type="primary")
    st.download_button(
        "Download the definition", study.definition.model_dump_json(indent=2),
        file_name=f"{study.name}.json",
    )  # fmt: skip
    st.caption("Reports and bundles: `srqa study report`, `srqa study bundle`.")


study = current()
title = study.title("en")
st.set_page_config(page_title=f"{title}: admin", layout="wide")
enter()
heading()
page = st.segmented_control(
    "Page", PAGES, default=PAGES[0], required=True, label_visibility="collapsed", key="page"
)
{
    "Progress": progress_page,
    "Scores": scores_page,
    "Metrics": metrics_page,
    "People": people_page,
    "Export": export_page,
}[page]()
