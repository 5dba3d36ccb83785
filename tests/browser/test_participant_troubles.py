"""What goes wrong on a participant's way: lost lines, closed tabs, two tabs, forged requests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pages import until
from raters import (
    CODE,
    METHODS,
    NOW,
    Participant,
    Served,
    answer,
    answered,
    expect,
    finish,
    served,
    words_of,
)

from srqa.study import flow, vision
from srqa.study import tables as t

pytestmark = pytest.mark.browser
ANSWER = "**/srqa/answer"
UNSENT = "Object.keys(localStorage).filter((k) => k.startsWith('srqa-answers')).length"


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Iterator[Served]:
    session = {"trials": 6, "break_every": 10, "min_gap_same_content": 0}
    with served(tmp_path_factory.mktemp("acr"), "acr", session=session) as one:
        yield one


@pytest.fixture
def started(study, person):
    """Somebody at their first trial."""

    def go(name: str, **options) -> tuple[Participant, dict[str, str]]:
        one = person(study, f"?PID={name}&lang=en", **options)
        words = words_of(one.study, "en")
        one.begin(words)
        one.asked()
        return one, words

    return go


def give(one: Participant, how: str = "key", choice: int = 3) -> None:
    one.asked()
    before = one.done()
    answer(one, "acr", how, choice)
    answered(one, before)


def kept(study: Served, one: Participant) -> list:
    """Answers in the database of whom the page belongs to."""
    return list(study.study().store.rows(t.response, who(one)))


def who(one: Participant) -> str:
    from srqa.study import tokens

    token = one.page.evaluate("new URLSearchParams(location.search).get('t')")
    return str(one.study.store.participant(token_hash=tokens.hashed(token))["id"])


def expect_whole(study: Served, one: Participant, number: int = 6) -> None:
    rows = kept(study, one)
    assert len(rows) == number
    assert len({row["assignment"] for row in rows}) == number


def test_answers_that_the_line_loses_are_sent_again(study, started) -> None:
    one, words = started("lossy")
    lost = []
    one.page.route(
        ANSWER, lambda r: (lost.append(1), r.abort()) if len(lost) < 3 else r.continue_()
    )
    give(one)
    expect(one.rater.locator(".state")).to_contain_text("are kept")
    give(one)
    finish(one, words)
    assert len(lost) == 3
    expect_whole(study, one)
    expect(one.rater.locator(".code")).to_have_text(CODE)


def test_an_acknowledgement_that_is_lost_does_no_harm(study, started) -> None:
    one, words = started("deaf")
    heard = []

    def deafen(route) -> None:
        if len(heard) < 2:
            heard.append(route.fetch().json()["kept"])
            route.abort()
        else:
            heard.append("")
            route.continue_()

    one.page.route(ANSWER, deafen)
    finish(one, words)
    assert heard[0] == "new"
    expect_whole(study, one)


def test_a_tab_that_is_closed_goes_on_where_it_was(study, started) -> None:
    one, words = started("closer")
    give(one)
    give(one)
    until(one.page, f"{NOW} === 'trials'")
    address, context = one.page.url, one.page.context
    one.page.close()
    again = Participant(context.new_page(), one.study)
    again.page.goto(address)
    again.asked()
    assert again.done() == "2 of 6"
    finish(again, words)
    expect_whole(study, again)


def test_an_answer_outlives_the_tab_that_could_not_send_it(study, started) -> None:
    one, words = started("crasher")
    one.page.context.route(ANSWER, lambda route: route.abort())
    give(one, choice=1)
    until(one.page, f"{UNSENT} === 1")
    address, context = one.page.url, one.page.context
    assert kept(study, one) == []
    one.page.close(run_before_unload=False)
    context.unroute(ANSWER)
    again = Participant(context.new_page(), one.study)
    again.page.goto(address)
    again.asked()
    assert again.done() == "1 of 6"  # it is not asked a second time
    until(again.page, f"{UNSENT} === 0")
    (row,) = kept(study, again)
    assert row["value"] == 2
    finish(again, words)
    expect_whole(study, again)


class Line:
    """A page's socket, which can be cut and stays so until it is mended."""

    def __init__(self) -> None:
        self.sockets, self.broken, self.refused = [], False, 0

    def take(self, socket) -> None:
        if self.broken:
            self.refused += 1
            socket.close(code=1011)
            return
        self.sockets.append(socket)
        socket.connect_to_server()

    def cut(self) -> None:
        self.broken = True
        self.sockets[-1].close(code=1011)


def test_a_dropped_socket_disturbs_no_trial(study, person) -> None:
    line = Line()
    one = person(study, "?PID=dropped&lang=en", sockets=line.take)
    words = words_of(one.study, "en")
    one.begin(words)
    give(one)
    one.asked()
    before = one.done()
    assert len(line.sockets) == 1
    line.sockets[0].close(code=1011)
    answer(one, "acr", "key", 2)
    answered(one, before)
    until(one.page, f"{NOW} === 'trials'")
    finish(one, words)
    assert len(line.sockets) >= 2
    expect_whole(study, one)
    expect(one.rater.locator(".code")).to_have_text(CODE)


def test_a_block_that_ends_without_a_socket_goes_on_with_it(study, person) -> None:
    line = Line()
    one = person(study, "?PID=cut&lang=en", sockets=line.take)
    one.begin(words_of(one.study, "en"))
    give(one)
    one.asked()
    line.cut()
    for _ in range(5):
        give(one)
    until(one.page, f"rater().classList.contains('waiting') && {UNSENT} === 0")
    seen = line.refused
    while line.refused < seen + 2:
        one.page.wait_for_timeout(50)
    assert one.at("trials") == "trials"
    expect_whole(study, one)
    line.broken = False
    one.at("done")
    expect_whole(study, one)
    expect(one.rater.locator(".code")).to_have_text(CODE)


QUESTIONS = [{"id": "said", "text": "Anything to say?", "kind": "text"}]


def test_words_outlive_a_server_that_is_killed(tmp_path_factory, person) -> None:
    session = {"trials": 2, "break_every": 10, "min_gap_same_content": 0}
    folder = tmp_path_factory.mktemp("words")
    with served(folder, "acr", session=session, questions=QUESTIONS) as study:
        one = person(study, "?PID=writer&lang=en", noisy=True)
        words = words_of(one.study, "en")
        one.begin(words)
        give(one)
        give(one)
        one.at("questions")
        one.rater.get_by_role("textbox").fill("All of them were blurred.")
        study.kill()
        one.press(words["finish"])
        until(one.page, "rater().classList.contains('waiting')")
        study.start()
        one.at("done")
        (row,) = study.study().store.rows(t.reply)
        assert row["answer"] == "All of them were blurred."


def test_a_server_that_is_killed_loses_no_answer(study, started) -> None:
    one, words = started("survivor", noisy=True)  # Streamlit tells its console of the server
    give(one)
    until(one.page, f"{UNSENT} === 0")
    study.kill()
    give(one)
    expect(one.rater.locator(".state")).to_contain_text("are kept")
    study.start()
    finish(one, words)
    expect_whole(study, one)
    expect(one.rater.locator(".code")).to_have_text(CODE)


def test_two_tabs_give_one_answer_each(study, started) -> None:
    one, words = started("double")
    other = Participant(one.page.context.new_page(), one.study)
    other.page.goto(one.page.url)
    other.asked()
    give(one, choice=0)
    give(other, choice=4)  # the same trial: the first answer stands
    other.page.close()
    finish(one, words)
    rows = kept(study, one)
    expect_whole(study, one)
    assert rows[0]["value"] == 1


def test_back_and_forward_lead_nowhere_else(study, started) -> None:
    one, words = started("backer")
    give(one)
    one.page.evaluate("addEventListener('popstate', () => { window.wentBack = true; })")
    one.page.evaluate("history.back()")
    until(one.page, "window.wentBack === true")  # the page may have mended its address by now
    one.page.evaluate("history.forward()")
    until(one.page, "location.search.includes('t=')")
    one.page.reload()
    one.asked()
    assert one.done() == "1 of 6"
    finish(one, words)
    expect_whole(study, one)
    one.page.reload()
    one.at("done")
    expect(one.rater.locator(".code")).to_have_text(CODE)


def test_the_platforms_link_leads_back_to_the_same_place(study, started, person) -> None:
    one, _ = started("returner")
    give(one)
    until(one.page, f"{UNSENT} === 0")
    again = person(study, "?PID=returner&lang=en")
    again.asked()
    assert again.done() == "1 of 6"
    assert "PID" not in again.page.url


def test_replayed_and_forged_requests(study, started) -> None:
    one, _ = started("forger")
    with one.page.expect_request(ANSWER) as sent:
        give(one, choice=3)
    body = sent.value.post_data_json
    until(one.page, f"{UNSENT} === 0")
    other, _ = started("victim")
    with other.page.expect_request(ANSWER) as theirs:
        give(other)
    url = f"{study.url}srqa/answer"
    send = one.page.request.post
    replayed = send(url, data=body | {"value": 1})
    assert (replayed.status, replayed.json()["kept"]) == (200, "earlier")
    head, dot, tail = body["token"].rpartition(".")
    forged = body | {"token": f"{head}{dot}{'A' if tail[0] != 'A' else 'B'}{tail[1:]}"}
    assert send(url, data=forged).status == 401
    stolen = body | {"assignment": theirs.value.post_data_json["assignment"]}
    assert send(url, data=stolen).status == 401
    assert send(url, data=body | {"value": 9}).status == 400
    assert send(url, data=body | {"more": 1}).status == 400
    assert send(url, data="x" * 5000, headers={"Content-Type": "application/json"}).status == 413
    (row,) = kept(study, one)
    assert row["value"] == 4


def test_nothing_tells_the_method(study, person) -> None:
    """Not addresses, not what the server sends, not the page: no name of a method or a file."""
    frames, bodies = [], []
    one = person(study, "?PID=curious&lang=en", load=False)
    page = one.page
    page.on("websocket", lambda w: w.on("framereceived", lambda data: frames.append(data)))
    page.on("response", lambda r: bodies.append(r))
    page.goto(f"{study.url}?PID=curious&lang=en")
    words = words_of(one.study, "en")
    one.begin(words)
    for _ in range(3):
        give(one)
    sent = b"".join(f if isinstance(f, bytes) else f.encode() for f in frames)
    assert b"srqa_rater" in sent  # frames are read as they come
    texts = [page.content(), page.evaluate("rater().outerHTML"), *one.requested]
    for response in bodies:
        if "/srqa/" in response.url:
            texts += [str(response.all_headers())]
            if "stimulus" in response.url:
                data = page.request.get(response.url).body()
                assert not any(name.encode() in data for name in (*METHODS, "scene"))
    for name in (*METHODS, "scene0", "scene1"):
        assert name.encode() not in sent
        assert not any(name in text for text in texts)
    assert str(study.folder).encode() not in sent


def test_phones_are_sent_to_a_computer(study, person) -> None:
    phone = {
        "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148",
        "has_touch": True, "is_mobile": True, "device_scale_factor": 3,
    }  # fmt: skip
    one = person(study, "?PID=phone&lang=en", 390, 844, **phone)
    one.at("consent")
    one.press("I agree")
    one.at("device")
    expect(one.rater.get_by_role("heading", level=1)).to_have_text("Please use a computer")
    expect(one.button("Continue")).to_have_count(0)
    address = one.rater.locator("input.address").input_value()
    assert "t=" in address
    desk = person(study, address.partition("/?")[2] and "?" + address.partition("/?")[2])
    assert desk.at("device") == "device"
    expect(desk.button("Continue")).to_be_enabled()


def test_touch_where_the_study_allows_it(tmp_path_factory, person) -> None:
    display = {"mobile": "allow", "min_viewport": [300, 400]}
    with served(tmp_path_factory.mktemp("touch"), "pair", display=display) as study:
        one = person(
            study, "?PID=tablet&lang=zh", 412, 780,
            has_touch=True, is_mobile=True, device_scale_factor=2,
        )  # fmt: skip
        words = words_of(one.study, "zh")
        one.begin(words)
        while one.asked() in ("trials", "break"):
            if one.at("trials", "break") == "break":
                one.button(words["go"]).tap()
                one.at("trials")
                continue
            before = one.done()
            assert len(one.shown()) == 2
            one.rater.locator(".answers button.option").last.tap()
            answered(one, before)
        one.at("done")
        rows = kept(study, one)
        assert len(rows) == 4
        assert all(row["choice"] == "right" and row["pixel_exact"] for row in rows)


def test_the_device_check_helps_to_mend(study, person) -> None:
    one = person(study, "?PID=small&lang=en", 380, 700)
    one.at("consent")
    one.press("I agree")
    one.at("device")
    line = one.rater.locator(".check")
    go = one.button("Continue")
    expect(line.nth(0)).to_contain_text("must be at least 400 × 400")
    expect(go).to_be_disabled()
    one.page.set_viewport_size({"width": 900, "height": 700})
    expect(line.nth(0)).not_to_contain_text("must be")
    expect(go).to_be_enabled()
    one.page.evaluate(
        "document.body.style.transform = 'scale(0.97)'; dispatchEvent(new Event('resize'))"
    )
    expect(line.nth(2)).to_contain_text("stretched")
    expect(go).to_be_disabled()
    one.page.evaluate("document.body.style.transform = ''; dispatchEvent(new Event('resize'))")
    expect(line.nth(2)).to_contain_text("exact")
    expect(go).to_be_enabled()


def test_declining_keeps_nothing(study, person) -> None:
    one = person(study, "?PID=decliner&lang=en")
    one.at("consent")
    one.press("No, thank you")
    one.at("ended")
    expect(one.rater).to_contain_text("You decided not to take part")
    one.page.reload()
    one.at("ended")


def seen(test: str, items: list[dict]) -> list[tuple[str, int | None]]:
    """What a good eye answers, as the name of a button."""
    if test == "acuity":
        return [("→ right", "↓ below", "← left", "↑ above")[item["turn"]] for item in items]
    return [str(len(item["shapes"])) for item in items]


def test_calibration_vision_checks_and_questions(tmp_path_factory, person) -> None:
    questions = [
        {"id": "age", "text": {"en": "Age?", "zh": "年龄？"}, "options": ["18–49", "50 and more"]},
        {"id": "tired", "text": "How tired are you?", "kind": "scale"},
        {"id": "said", "text": "Anything else?", "kind": "text", "optional": True},
    ]
    changes = {
        "display": {"calibrate": "card"},
        "screening": {"acuity": "landolt", "colour": "plates", "brightness": "shapes"},
        "questions": questions,
    }
    with served(tmp_path_factory.mktemp("vision"), "slider", **changes) as study:
        one = person(study, "?PID=eyes&lang=en")
        words = words_of(one.study, "en")
        one.at("consent")
        one.press(words["agree"])
        one.at("device")
        one.press(words["continue"])
        one.at("calibration")
        expect(one.button("It fits")).to_be_disabled()
        size = one.rater.get_by_role("slider")
        size.focus()
        for _ in range(5):
            one.page.keyboard.press("ArrowRight")
        card = one.rater.locator(".bankcard").bounding_box()
        one.press("It fits")
        one.at("acuity")
        token = one.page.evaluate("new URLSearchParams(location.search).get('t')")
        for test in ("acuity", "colour", "brightness"):
            one.at(test)
            items = flow.next(study.study(), token).payload["items"]
            for number, name in enumerate(_right(test, items), 1):
                expect(one.rater.get_by_role("status")).to_have_text(f"{number} of {len(items)}")
                one.rater.get_by_role("button", name=name, exact=True).click()
        one.at("instructions")
        one.press(words["ready"])
        one.at("trials")
        assert finish(one, words, ("click", "key")) == 4
        one.at("questions")
        one.press(words["finish"])
        expect(one.rater.get_by_role("alert")).to_contain_text("still open")
        one.rater.get_by_text("50 and more").click()
        one.rater.locator("fieldset.scale label").nth(1).click()
        one.rater.get_by_role("textbox").fill("Fine. 很好 <b>&amp;</b>")
        one.press(words["finish"])
        one.at("done")
        tests = {row["test"]: row for row in study.study().store.rows(t.screening)}
        assert all(tests[name]["passed"] for name in ("acuity", "colour", "brightness"))
        measured = tests["calibration"]["figures"]["px_per_mm"]
        assert card["width"] == pytest.approx(85.6 * measured, abs=0.5)


def _right(test: str, items: list[dict]) -> list[str]:
    if test != "colour":
        return seen(test, items)
    found = []
    for item in items:
        inside = {d: [] for d in item["choices"]}
        outside = {d: [] for d in item["choices"]}
        for x, y, _, ink in item["dots"]:
            for digit in item["choices"]:
                (inside if vision._inside(digit, x, y) else outside)[digit].append(ink > 3)
        share = {
            d: sum(inside[d]) / len(inside[d]) - sum(outside[d]) / len(outside[d]) for d in inside
        }
        best = max(share, key=share.get)
        found.append(str(best) if share[best] > 0.9 else "None")
    return found


def test_by_keyboard_alone_with_a_visible_focus(tmp_path_factory, person) -> None:
    display = {"zoom": True, "flicker": True, "split": True}
    with served(tmp_path_factory.mktemp("keys"), "pair_tie", display=display) as study:
        one = person(study, "?PID=keys&lang=en", 1100, 760)
        page = one.page
        words = words_of(one.study, "en")

        def tab_to(name: str) -> None:
            for _ in range(12):
                page.keyboard.press("Tab")
                focused = "rater().getRootNode().activeElement"
                if page.evaluate(f"{focused}?.textContent.trim().startsWith({name!r})"):
                    outline = page.evaluate(f"getComputedStyle({focused}).outlineStyle")
                    assert outline == "solid"
                    return
            raise AssertionError(f"{name} cannot be reached by Tab")

        for screen, name in (
            ("consent", "agree"),
            ("device", "continue"),
            ("instructions", "ready"),
        ):
            one.at(screen)
            until(page, f"{NOW} === {screen!r} && !rater().querySelector('.card .main:disabled')")
            tab_to(words[name])
            page.keyboard.press("Enter")
        one.at("trials")
        one.asked()
        assert len(one.shown()) == 2
        page.keyboard.press("Space")
        until(page, "rater().querySelector('.stage').dataset.view === 'flick'")
        first = one.shown()
        page.keyboard.press("Space")
        expect(one.rater.locator(".stage .name").first).to_have_text("Right")
        second = one.shown()
        assert len(first) == len(second) == 1
        assert first[0][0] != second[0][0]
        assert first[0][1:] == second[0][1:]
        page.keyboard.press("s")
        divider = one.rater.get_by_role("slider")
        divider.press("ArrowLeft")
        expect(divider).to_have_attribute("aria-valuenow", "48")
        page.keyboard.press("s")
        expect(divider).to_be_hidden()
        page.keyboard.press("z")
        expect(one.button("Zoom 2×")).to_be_visible()
        page.keyboard.press("z")
        page.keyboard.press("z")
        expect(one.button("Zoom 1×")).to_be_visible()
        before = one.done()
        page.keyboard.press("ArrowDown")
        answered(one, before)
        finish(one, words)
        first_row = kept(study, one)[0]
        assert (first_row["choice"], first_row["zoom"], first_row["toggles"]) == ("tie", 4, 5)
        assert first_row["pixel_exact"] is True
