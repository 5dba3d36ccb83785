"""The participant's page of a study: `srqa study serve` runs it.

All that is decided is decided in `srqa.study.flow`; all that is shown is drawn by one component,
made of the scripts in `rater/` on the viewer of `srqa/viewer/`. This script carries screens one way
and what participants hand in the other.
"""

import streamlit as st

from srqa import assets, viewer
from srqa.study import flow
from srqa.study.serving import current

SCRIPTS = (
    "page", "outbox", "loader", "controls", "trials", "device", "vision", "screens", "component",
)  # fmt: skip
BARE = """<style>
header, footer, [data-testid="stToolbar"], [data-testid="stStatusWidget"] {
  display: none !important; }
[data-stale="true"] { opacity: 1 !important; transition: none !important; }
</style>"""


@st.cache_resource
def component_parts() -> tuple[str, str]:
    folder = assets.path("dashboards/rater")
    script = viewer.module([folder / f"{name}.js" for name in SCRIPTS], "surface", "stage")
    style = viewer.styles("stage") + (folder / "rater.css").read_text(encoding="utf-8")
    return script, style


def handed_in() -> None:
    """A screen has been answered: `flow` takes it once, whatever page it comes from."""
    found = st.session_state["rater"].submit
    token = st.session_state.get("token")
    if found and token:
        flow.submit(study, token, found["screen"], found["data"], base, found["tries"])
        st.session_state["handed"] = found["id"]


study = current()
prefix = (st.get_option("server.baseUrlPath") or "").strip("/")
base = f"/{prefix}" if prefix else ""
st.html(BARE)

given = st.query_params.to_dict()
# Only arrivals are counted: a room full of people behind one address goes on undisturbed.
entry = flow.enter(study, given, None if "t" in given else st.context.ip_address)
st.session_state["token"] = entry.token
if entry.token:
    if given != {"t": entry.token}:
        st.query_params.from_dict({"t": entry.token})
    screen = flow.next(study, entry.token, base)
else:
    screen = flow.Screen("ended", {"reason": entry.ended})

st.set_page_config(page_title=study.title(screen.locale), layout="wide")
script, style = component_parts()
rater = st.components.v2.component(
    "srqa_rater", html='<div class="rater"></div>', css=style, js=script
)
rater(
    key="rater",
    data={
        "handed": st.session_state.get("handed", ""),
        "locale": screen.locale,
        "words": dict(study.text(screen.locale).table),
        "screen": {
            "name": screen.name,
            "payload": screen.payload,
            "step": screen.step,
            "steps": screen.steps,
            "tries": screen.tries,
            "problem": screen.problem,
        },
    },
    on_submit_change=handed_in,
)
