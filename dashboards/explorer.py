"""The results explorer, run by `srqa explore`; srqa.report.explorer computes what it shows."""

import math

import altair as alt
import pandas as pd
import streamlit as st

from srqa import assets, viewer
from srqa.errors import SrqaError
from srqa.report.correlation import words
from srqa.report.explorer import serving, trainings
from srqa.report.explorer.table import Table
from srqa.report.facts import describe
from srqa.report.numbers import format_value, with_unit

PAGES = ["Leaderboard", "Pictures", "Plane", "Distributions"]
SECONDS_BETWEEN_LOOKS = 5
ARROWS = {1: "↑", -1: "↓", 0: ""}
MOST_CONTENTS = 5000
COLOURS = ["#0072b2", "#c75000", "#00805c", "#a8478a", "#856a00", "#50545c", "#2b86bd", "#a02c2c"]

explored = serving.current()
st.set_page_config(page_title="srqa explorer", layout="wide")
st.html("<style>.block-container { padding-top: 2.5rem; }</style>")
if explored.ratings is not None:
    PAGES.append("People")
if len(explored.runs) > 1:
    PAGES.append("Compare")
if not explored.runs:
    PAGES.clear()
if explored.trainings:
    PAGES.append("Training")


@st.cache_resource
def component_parts() -> tuple[str, str]:
    folder = assets.path("dashboards/explore")
    script = viewer.module([folder / "component.js"], "pixels", "surface", "viewer")
    style = (folder / "component.css").read_text(encoding="utf-8") + viewer.styles("viewer")
    return script, style


def choice(label: str, options: list, key: str, **more):
    """A select box whose value is part of the address."""
    return st.selectbox(label, options, key=key, bind="query-params", **more)


def open_picture(content: str) -> None:
    """Show a content on the page of pictures."""
    st.session_state["content"] = content
    st.session_state["page"] = "Pictures"


def filters(table: Table):
    """The pictures that are looked at."""
    with st.sidebar:
        wanted = {}
        for key in ("dataset", "scale", "method"):
            known = table.known(key)
            if len(known) > 1:
                names = {f"x{v:g}" if key == "scale" else str(v): v for v in known}
                picked = st.multiselect(key.capitalize(), list(names), key=key, bind="query-params")
                wanted[key] = [names[p] for p in picked]
        mask = table.where(**wanted)
        st.caption(f"{int(mask.sum()):,} of {len(table):,} pictures")
    return mask


def name_of(table: Table, metric: str) -> str:
    return f"{metric} {ARROWS[table.signs[table.place(metric)]]}".strip()


def leaderboard(table: Table, mask) -> None:
    board = table.leaderboard(mask)
    metrics = [m for m in table.metrics if board[m].notna().any()]
    if not len(board) or not metrics:
        st.info("No picture is left by the filters.")
        return
    lead = choice("Ordered by", metrics, "by")
    rising = table.signs[table.place(lead)] < 0
    board = board.sort_values(lead, ascending=rising, kind="stable")
    shown = pd.DataFrame({"method": board["method"], "pictures": board["pictures"]})
    for metric in metrics:
        shown[name_of(table, metric)] = [
            format_value(metric, mean)
            + ("" if math.isnan(half) else f" ± {format_value(metric, half)}")
            for mean, half in zip(board[metric], board[f"{metric} ±"], strict=True)
        ]
    st.dataframe(shown, hide_index=True, width="stretch")
    st.caption("Means over pictures with half their 95 % intervals (Student's t). Whether two "
               "methods differ is asked by `srqa compare`, picture by picture.")  # fmt: skip


def pictures(table: Table, mask, run: int) -> None:
    contents = sorted({str(c) for c in table.keys("content", mask) if c})
    if not contents:
        st.info("No picture is left by the filters.")
        return
    if len(contents) > MOST_CONTENTS:
        part = st.text_input("Contents with", key="find", bind="query-params")
        contents = [c for c in contents if part in c][:MOST_CONTENTS] or contents[:1]
    content = choice("Content", contents, "content")
    rows = [i for i in table.rows_of(content) if mask[i]]
    if not rows:
        st.info("No picture is left by the filters.")
        return
    maps = choice("Map", ["error (in the viewer)", *serving.MAPS], "map")
    reference = table.keys("reference", rows)[0]
    listed = []
    if reference:
        listed.append({"id": "reference", "label": "Reference", "reference": True, "lines": [],
                       "url": serving.url(run, "reference", reference)})  # fmt: skip
    painted = []
    for i in rows:
        method, image = table.keys("method", [i])[0], table.keys("image", [i])[0]
        lines = [[m, with_unit(m, format_value(m, float(v)))]
                 for m, v in zip(table.metrics, table.values[i], strict=True)]  # fmt: skip
        listed.append({"id": f"p{i}", "label": method or image, "reference": False, "lines": lines,
                       "url": serving.url(run, "output", image)})  # fmt: skip
        if reference and maps in serving.MAPS:
            address = serving.map_url(run, maps, image, reference)
            painted.append({"id": f"m{i}", "label": method or image, "reference": False,
                            "lines": [], "url": address})  # fmt: skip
    script, style = component_parts()
    shown = st.components.v2.component(
        "srqa_explore", html='<div class="explore"></div>', css=style, js=script
    )
    shown(key="viewer", data={"pictures": listed, "content": content})
    if painted:
        st.subheader(f"Where they differ, by {maps}")
        shown(key="maps", data={"pictures": painted, "content": content})


def plane(table: Table, mask) -> None:
    left, right = st.columns(2)
    known = list(table.metrics)
    family = [describe(m).family for m in known]
    first = family.index("fidelity") if "fidelity" in family else 0
    second = family.index("perception") if "perception" in family else len(known) - 1
    with left:
        across = choice("Across", known, "x", index=first)
    with right:
        up = choice("Up", known, "y", index=second)
    cloud = table.cloud(across, up, mask)
    means = table.leaderboard(mask)
    if not len(cloud):
        st.info("No picture has both.")
        return
    scales = [alt.Scale(zero=False, reverse=table.signs[table.place(m)] < 0) for m in (across, up)]
    colour = alt.Color("method:N", scale=alt.Scale(range=COLOURS))
    pick = alt.selection_point(
        name="picked", fields=["content"], on="click", nearest=True, clear=False
    )
    dots = (
        alt.Chart(cloud)
        .mark_circle(size=38, opacity=0.45)
        .encode(
            x=alt.X("x:Q", scale=scales[0], title=name_of(table, across)),
            y=alt.Y("y:Q", scale=scales[1], title=name_of(table, up)), color=colour,
            tooltip=["content", "method", alt.Tooltip("x:Q", title=across),
                     alt.Tooltip("y:Q", title=up)],
        )
        .add_params(pick)
    )  # fmt: skip
    middle = means.rename(columns={across: "mx", up: "my"}) if across != up else means.assign(
        mx=means[across], my=means[across])  # fmt: skip
    marks = (
        alt.Chart(middle[["method", "mx", "my"]])
        .mark_point(filled=True, size=190, stroke="white", strokeWidth=1.5, shape="diamond")
        .encode(x=alt.X("mx:Q", scale=scales[0]), y=alt.Y("my:Q", scale=scales[1]), color=colour,
                tooltip=["method", "mx", "my"])
    )  # fmt: skip

    def clicked() -> None:
        found = st.session_state["plane"].selection.get("picked") or []
        if found:
            open_picture(found[0]["content"])

    st.altair_chart((dots + marks).properties(height=520), width="stretch", key="plane",
                    on_select=clicked, selection_mode="picked")  # fmt: skip
    st.caption("A dot is a picture, a diamond a method's mean; axes run towards better. A click "
               "opens the pictures of the nearest dot.")  # fmt: skip


def distributions(table: Table, mask) -> None:
    metric = choice("Metric", list(table.metrics), "metric")
    found = table.histogram(metric, mask)
    if not len(found):
        st.info("No picture has a finite value.")
        return
    chart = (
        alt.Chart(found)
        .mark_bar(opacity=0.85)
        .encode(
            x=alt.X("low:Q", bin="binned", title=name_of(table, metric)), x2="high:Q",
            y=alt.Y("share:Q", axis=alt.Axis(format="%"), title="pictures"),
            color=alt.Color("method:N", scale=alt.Scale(range=COLOURS), legend=None),
            row=alt.Row("method:N", title=None, header=alt.Header(labelAngle=0, labelAlign="left")),
            tooltip=["method", "low", "high", "pictures"],
        )
        .properties(height=70)
        .configure_facet(spacing=6)
    )  # fmt: skip
    st.altair_chart(chart, width="stretch")


def people(run: int) -> None:
    try:
        with st.spinner("Comparing metrics with people"):
            found = explored.correlation(run)
    except SrqaError as error:
        st.warning(f"{error} {error.hint}".strip())
        return
    for sentence in words.findings(found):
        st.markdown(sentence.replace("[", r"\["))
    table = found.table
    columns = {"metric": table["metric"], "tier": table["tier"]}
    for name, head in (("srocc", "SROCC"), ("plcc", "PLCC"), ("within", "within content")):
        columns[head] = [words.figure(row, name) for row in table.to_dict("records")]
    st.dataframe(pd.DataFrame(columns), hide_index=True, width="stretch")
    metric = choice("Metric", table["metric"].tolist(), "against")
    frame = found.data.frame
    cloud = pd.DataFrame({"content": frame["content"], "method": frame["method"],
                          "x": frame[metric], "y": frame["score"]})  # fmt: skip
    pick = alt.selection_point(
        name="picked", fields=["content"], on="click", nearest=True, clear=False
    )
    chart = (
        alt.Chart(cloud.head(3000))
        .mark_circle(size=45, opacity=0.6)
        .encode(x=alt.X("x:Q", scale=alt.Scale(zero=False), title=metric),
                y=alt.Y("y:Q", scale=alt.Scale(zero=False), title=found.humans.unit),
                color=alt.Color("method:N", scale=alt.Scale(range=COLOURS)),
                tooltip=["content", "method", "x", "y"])
        .add_params(pick)
        .properties(height=420)
    )  # fmt: skip

    def clicked() -> None:
        hit = st.session_state["humans"].selection.get("picked") or []
        if hit:
            open_picture(hit[0]["content"])

    st.altair_chart(
        chart, width="stretch", key="humans", on_select=clicked, selection_mode="picked"
    )
    for note in found.notes:
        st.caption(note)


def compare() -> None:
    first, second = explored.runs
    found = first.differences(second)
    st.markdown(f"**{second.folder.name}** minus **{first.folder.name}**, picture by picture")
    if not len(found):
        st.info("The two Runs have no picture in common.")
        return
    verdict = {True: "better", False: "worse", None: "not told"}
    found["verdict"] = [verdict[b] for b in found["better"]]
    found["difference"] = [
        f"{format_value(m, d)} ± {format_value(m, h)}"
        for m, d, h in zip(found["metric"], found["difference"], found["half"], strict=True)
    ]
    st.dataframe(found[["method", "metric", "pictures", "difference", "verdict"]], hide_index=True,
                 width="stretch")  # fmt: skip
    st.caption("Mean differences with half their 95 % intervals, each judged alone.")


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def training() -> None:
    """Curves of all trainings, read again every few seconds."""
    try:
        found = trainings.curves(explored.trainings)
        far = trainings.progress(explored.trainings)
    except SrqaError as error:
        st.warning(f"{error} {error.hint}".strip())
        return
    losses = found[found["kind"] == "loss"]
    if len(losses):
        names = losses["name"].unique().tolist()
        term = choice("Loss", names, "term", index=names.index("total"))
        rows = losses[losses["name"] == term]
        curve(rows, term, log=bool((rows["value"] > 0).all()))
    looks = found[found["kind"] == "validation"]
    for metric in looks["name"].unique():
        curve(looks[looks["name"] == metric], f"{metric} of validation", log=False)
    far["seconds"] = far["seconds"].map(lambda s: "" if pd.isna(s) else f"{s:,.0f}")
    far["rate"] = far["rate"].map(lambda r: "" if pd.isna(r) else f"{r:.3g}")
    st.dataframe(far, hide_index=True, width="stretch")


def curve(rows: pd.DataFrame, title: str, *, log: bool) -> None:
    """One number over the steps of each training; bicubic interpolation as a dashed line."""
    scale = alt.Scale(type="log", nice=False) if log else alt.Scale(zero=False)
    y = alt.Y("value:Q", scale=scale, title=title)
    colour = alt.Color("training:N", scale=alt.Scale(range=COLOURS))
    tooltip = ["training", "method", "step", alt.Tooltip("value:Q", format=".4g")]
    lines = (
        alt.Chart(rows[rows["method"] == "network"])
        .mark_line(point={"size": 18})
        .encode(x=alt.X("step:Q", title="step"), y=y, color=colour, tooltip=tooltip)
    )
    plain = rows[rows["method"] != "network"]
    if len(plain):
        dashes = alt.Chart(plain).mark_rule(strokeDash=[5, 4], strokeWidth=1.5)
        lines += dashes.encode(y=y, color=colour, tooltip=tooltip)
        title += "; dashed: bicubic"
    st.markdown(f"**{title}**")
    st.altair_chart(lines.properties(height=260), width="stretch")


def show(page: str) -> None:
    """A page of the Run that is chosen at the side."""
    names = [table.folder.name or str(table.folder) for table in explored.runs]
    labels = [n if names.count(n) == 1 else f"{n} ({i + 1})" for i, n in enumerate(names)]
    run = 0
    if len(labels) > 1:
        with st.sidebar:
            run = labels.index(choice("Run", labels, "run"))
    chosen = explored.runs[run]
    looked_at = filters(chosen)
    if page == "Pictures":
        pictures(chosen, looked_at, run)
    elif page == "Plane":
        plane(chosen, looked_at)
    elif page == "Distributions":
        distributions(chosen, looked_at)
    elif page == "People":
        people(run)
    elif page == "Compare":
        compare()
    else:
        leaderboard(chosen, looked_at)


st.markdown("### srqa explorer")
asked = st.segmented_control("Page", PAGES, default=PAGES[0], key="page", bind="query-params",
                             label_visibility="collapsed", required=True)  # fmt: skip
if asked == "Training":
    training()
else:
    show(asked)
