// A block of trials, which runs by itself: grey, picture, answer, grey. Each answer is posted when it
// is given; the page hears of the block only when all are acknowledged.
const trials = (() => {
  const {h, keyName, card, button, row} = page;
  const AHEAD = 3;
  const EVENT_LIMIT = 60; // events of a block that are told: a broken sensor shall not flood a server

  const wait = (ms) => new Promise((done) => setTimeout(done, ms));

  /** One view of the pictures of a trial. */
  function viewOf(trial) {
    if (trial.images.length < 2) return "single";
    return trial.show === "sequence" ? "flick" : "side";
  }

  class Desk {
    constructor(root, say, options) {
      this.root = root;
      this.say = say;
      this.viewer = options.viewer || {};
      this.onAnswer = () => {};
      this.onUse = options.onUse || (() => {});
      this.abort = new AbortController();
      this.host = h("div", {class: "host"});
      this.question = h("p", {class: "question", id: "question"});
      this.answers = h("div", {class: "answers"});
      this.tools = h("div", {class: "tools"});
      this.state = h("p", {class: "state", role: "status"});
      this.progress = h("p", {class: "progress"});
      this.desk = h("section", {class: "desk", "aria-labelledby": "question", tabindex: "-1"},
        this.question, this.answers, h("div", {class: "under"}, this.tools, this.state, this.progress));
      const box = h("div", {class: options.inline ? "trial inline" : "trial"}, this.host, this.desk);
      box.style.setProperty("--surround", this.viewer.background || "#777777");
      root.replaceChildren(box);
      this.box = box;
      this.stage = srqaStage.create(this.host, {
        background: this.viewer.background, picture: say("trials.picture"), handle: say("trials.handle"),
        onChange: () => this.#press(),
      });
      this.#tools();
      const {signal} = this.abort;
      const keys = options.inline ? box : globalThis;
      keys.addEventListener("keydown", (event) => this.#key(event), {signal, capture: true});
    }

    /** Wait for the answer to a trial whose pictures are decoded. */
    async ask(trial, pictures, {front = true} = {}) {
      const {say} = this;
      this.trial = trial;
      this.question.textContent = trial.instruct || say(questionOf(trial));
      const names = namesOf(trial, say);
      const shown = pictures.map((picture, i) => ({...picture, id: i, label: names[i]}));
      this.views = viewsOf(trial, this.viewer);
      this.#press();
      let ready;
      const answer = new Promise((done) => { ready = done; });
      this.open = false;
      this.control = controls.create(trial.scale, say, (value) => {
        if (!this.open) return;
        this.open = false;
        ready({value, at: performance.now()});
      });
      this.control.enable(false);
      this.answers.replaceChildren(this.control.node);
      if (front) this.desk.focus({preventScroll: true});
      const from = await this.#present(trial, shown);
      const proof = this.stage.proof();
      const seen = watch();
      this.control.enable(true);
      this.open = true;
      const hide = trial.timing.show_ms ? setTimeout(() => this.stage.blank(), trial.timing.show_ms) : 0;
      const {value, at} = await answer;
      clearTimeout(hide);
      const hidden = seen.stop();
      const faults = [...proof.faults, ...this.stage.surface.faults()];
      const {used} = this.stage;
      this.stage.blank();
      this.control.enable(false);
      const ms = at - from;
      const shownFor = Math.min(ms, trial.timing.show_ms || Infinity);
      return {
        value, response_ms: round(ms), shown_ms: round(Math.max(0, shownFor - hidden)),
        zoom: used.zoom, pan: used.pans, toggles: used.toggles,
        pixel_exact: proof.exact && !faults.length, pixel_ratio: proof.ratio, viewport: proof.viewport,
      };
    }

    async #present(trial, shown) {
      if (trial.show !== "sequence" || shown.length < 2) {
        return this.stage.show({view: viewOf(trial), pictures: shown});
      }
      const {show_ms: ms, pause_ms: pause} = trial.timing;
      await this.stage.show({view: "single", pictures: [shown[0]]});
      await wait(ms || 2500);
      this.stage.blank();
      await wait(pause ?? 500);
      return this.stage.show({view: "flick", pictures: shown, front: 1});
    }

    #tools() {
      const {say, viewer} = this;
      const tool = (key, text, run) => h("button", {type: "button", class: "tool", onclick: run,
        "aria-keyshortcuts": key}, h("span", {}, text), h("kbd", {"aria-hidden": "true"}, keyName(key)));
      this.zoomTool = tool("z", say("trials.zoom", {times: 1}), () => this.stage.zoom());
      this.flickTool = tool(" ", say("trials.flick"), () => this.#toggle());
      this.splitTool = tool("s", say("trials.split"), () => this.#split());
      this.zoomTool.hidden = viewer.zoom === false;
      this.tools.replaceChildren(this.zoomTool, this.flickTool, this.splitTool);
    }

    #press() {
      if (!this.stage || !this.views) return;
      const {zoom, view} = this.stage.state;
      this.zoomTool.firstChild.textContent = this.say("trials.zoom", {times: zoom});
      this.flickTool.hidden = !this.views.includes("flick");
      this.splitTool.hidden = !this.views.includes("split");
      this.flickTool.setAttribute("aria-pressed", String(view === "flick"));
      this.splitTool.setAttribute("aria-pressed", String(view === "split"));
      if (this.open) this.onUse(this.stage.state);
    }

    #toggle() {
      if (this.open && this.views.includes("flick")) this.stage.toggle();
    }

    #split() {
      if (!this.open || !this.views.includes("split")) return;
      this.stage.set({view: this.stage.state.view === "split" ? this.views[0] : "split"});
    }

    #key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      if (event.repeat && !event.key.startsWith("Arrow")) return;
      const target = event.composedPath()[0];
      const onButton = target.tagName === "BUTTON";
      const pans = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
      if (!this.open) return;
      if (event.shiftKey && pans[event.key]) {
        if (this.stage.movable) this.stage.pan(...pans[event.key]);
      } else if (target.getAttribute?.("role") === "slider" && pans[event.key]) return;
      else if ((event.key === "z" || event.key === "Z") && this.viewer.zoom !== false) this.stage.zoom();
      else if (event.key === " " && !onButton) this.#toggle();
      else if (event.key === "s" || event.key === "S") this.#split();
      else if (event.shiftKey && event.key.length > 1) return;
      else if (event.key === "Enter" && onButton) return;
      else if (!this.control.key({key: event.key, target})) return;
      event.preventDefault();
      event.stopPropagation();
    }

    destroy() {
      this.abort.abort();
      this.stage.destroy();
    }
  }

  /** The answers that are praised, in words: one, two, or from one to another. */
  function span(expect, name, scale, say) {
    const [low, high] = [expect[0], expect[expect.length - 1]];
    if (low === high) return name(low);
    const near = scale.type === "categories" && high - low === 1;
    return `${name(low)}${say(near ? "training.or" : "training.to")}${name(high)}`;
  }

  const round = (ms) => Math.round(10 * ms) / 10;

  /** How long the page is out of sight. */
  function watch() {
    let hidden = 0;
    let since = document.hidden ? performance.now() : null;
    const turn = () => {
      if (document.hidden) since = performance.now();
      else if (since !== null) {
        hidden += performance.now() - since;
        since = null;
      }
    };
    document.addEventListener("visibilitychange", turn);
    return {
      stop() {
        document.removeEventListener("visibilitychange", turn);
        return hidden + (since === null ? 0 : performance.now() - since);
      },
    };
  }

  /** Pictures beside each other are left and right, one after the other first and second. */
  function questionOf({method, images}) {
    return method === "ccr" && images[0].role === "left" ? "question.ccr_beside" : `question.${method}`;
  }

  function namesOf(trial, say) {
    if (trial.images.length < 2) return [""];
    return trial.images.map(({role}) => say(`role.${role}`));
  }

  function viewsOf(trial, viewer) {
    if (trial.images.length < 2) return ["single"];
    const views = [viewOf(trial)];
    if (viewer.flicker !== false && !views.includes("flick")) views.push("flick");
    if (viewer.split !== false) views.push("split");
    return views;
  }

  /** Runs a block; resolves when every answer of it is acknowledged or the server wants a new page. */
  class Block {
    constructor(root, say, payload, {training}) {
      Object.assign(this, {root, say, payload, training});
      this.outbox = outboxes.open(payload.answer_url);
      this.loader = loaders.create();
      this.events = 0;
      this.abort = new AbortController();
    }

    async run() {
      const {say, payload} = this;
      this.desk = new Desk(this.root, say, {viewer: payload.viewer});
      this.outbox.onChange = () => this.#state();
      this.#listen();
      // Answers that an earlier page gave and could not deliver: these trials are not asked again.
      const late = new Set(this.outbox.jobs.keys());
      if (late.size) {
        this.desk.question.textContent = say("connection.saving_earlier");
        await this.outbox.empty();
      }
      const list = payload.trials.filter((trial) => !late.has(trial.id));
      this.#ahead(list, 0);
      let answered = (payload.done || 0) + payload.trials.length - list.length;
      const of = payload.of || answered + list.length;
      for (const [i, trial] of list.entries()) {
        this.current = trial;
        this.#progress(answered, of);
        const pictures = await this.#pictures(trial);
        if (this.stopped) return "stopped";
        this.#ahead(list, i);
        const answer = await this.desk.ask(trial, pictures);
        if (this.stopped) return "stopped";
        answered++;
        const sent = this.outbox.send({assignment: trial.id, token: trial.token, ...answer});
        if (this.training) {
          const reply = await sent;
          if (reply.status !== 200) return "stale";
          await this.#feedback(trial, answer, reply.body.feedback);
        } else sent.then((reply) => { if (reply.status !== 200) this.stale = true; });
        if (this.stale) break;
      }
      this.#progress(answered, of);
      await this.outbox.empty();
      return this.stale ? "stale" : "done";
    }

    /** At least the pause between trials, and until the pictures are there. */
    async #pictures(trial) {
      const {say, desk} = this;
      const pause = wait(trial.timing.gap_ms ?? 500);
      const slow = setTimeout(() => { desk.question.textContent = say("connection.loading"); }, 1500);
      try {
        const all = trial.images.map(({url}) => this.loader.get(url));
        const pictures = await Promise.all(all);
        clearTimeout(slow);
        await pause;
        return pictures;
      } catch {
        clearTimeout(slow);
        this.#tell("error", {what: "stimulus"});
        desk.question.textContent = say("connection.missing");
        return new Promise(() => {});
      }
    }

    #ahead(list, at) {
      this.loader.want(list.slice(at, at + 1 + AHEAD).flatMap((t) => t.images.map(({url}) => url)));
    }

    async #feedback(trial, answer, told) {
      if (!told) return;
      const {say, desk} = this;
      const {values, labels = [], type} = trial.scale;
      const name = (value) => (type === "categories" && labels.length === values.length
        ? labels[values.indexOf(value)]
        : type === "choice" ? labels[values.indexOf(value)] : String(value));
      const expected = span(told.expect || [answer.value], name, trial.scale, say);
      desk.question.textContent = told.right ? say("training.right") : say("training.wrong");
      await new Promise((done) => {
        const next = button(say("training.next"), done);
        desk.answers.replaceChildren(h("div", {class: told.right ? "told right" : "told wrong"},
          h("p", {}, say("training.expected", {answer: name(answer.value), expected})),
          row(next)));
        next.focus({preventScroll: true});
      });
    }

    #progress(answered, of) {
      this.desk.progress.textContent = this.training
        ? this.say("training.progress", {done: answered, of})
        : this.say("trials.progress", {done: answered, of});
    }

    #state() {
      const {outbox, desk, say} = this;
      const spoilt = desk.stage.surface.faults();
      let text = "";
      if (outbox.troubled) text = say("connection.trouble", {n: outbox.waiting});
      else if (spoilt.includes("pinch")) text = say("device.pinch_mend");
      else if (spoilt.length) text = say("device.pixels_mend");
      desk.state.textContent = text;
      desk.state.classList.toggle("trouble", Boolean(text));
    }

    #listen() {
      const {signal} = this.abort;
      const on = (target, name, run) => target.addEventListener(name, run, {signal});
      on(document, "visibilitychange", () => this.#tell(document.hidden ? "hidden" : "shown", {}));
      on(document, "fullscreenchange", () =>
        this.#tell("fullscreen", {on: Boolean(document.fullscreenElement)}));
      let ratio = devicePixelRatio;
      let timer = 0;
      if (globalThis.visualViewport) on(visualViewport, "resize", () => this.#state());
      on(globalThis, "resize", () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          this.#tell(devicePixelRatio === ratio ? "resized" : "zoomed",
            {width: innerWidth, height: innerHeight, ratio: devicePixelRatio});
          ratio = devicePixelRatio;
          this.#state();
        }, 300);
      });
    }

    #tell(what, detail) {
      const {event_url: url} = this.payload;
      const trial = this.current || this.payload.trials[0];
      if (!url || !trial || ++this.events > EVENT_LIMIT) return;
      fetch(url, {method: "POST", keepalive: true, credentials: "same-origin",
        headers: {"Content-Type": "application/json"},
        body: JSON.stringify({token: trial.token, assignment: trial.id, what, detail})}).catch(() => {});
    }

    destroy() {
      this.stopped = true;
      this.abort.abort();
      this.outbox.onChange = () => {};
      this.loader.want([]);
      this.desk?.destroy();
    }
  }

  /** The method on a live example: as in a trial, but nothing is kept. */
  function instructions(root, {say, payload, progress, done}) {
    const {method, examples = [], scale, viewer} = payload;
    const keys = (scale?.keys || []).map(keyName);
    const list = h("ul", {class: "plain"},
      keys.length ? h("li", {}, say("instructions.keys", {keys: keys.join(" ")})) : null,
      viewer?.zoom === false ? null : h("li", {}, say("instructions.zoom")),
      /pair|dcr|ccr/.test(method) && viewer?.flicker !== false ? h("li", {}, say("instructions.flick")) : null,
      h("li", {}, say("instructions.spontaneous")),
      payload.break_every < payload.trials ? h("li", {}, say("instructions.breaks")) : null);
    const place = h("div", {class: "example"});
    const go = button(say("instructions.go"), () => done({}));
    card(root, {title: say("instructions.title"), progress, wide: true},
      h("p", {class: "lede"}, say(`instructions.${method}`)), list,
      examples.length ? h("p", {class: "soft"}, say("instructions.try")) : null, place, row(go));
    if (!examples.length) return () => {};
    const loader = loaders.create();
    const desk = new Desk(place, say, {viewer, inline: true});
    let live = true;
    (async () => {
      for (let i = 0; live; i = (i + 1) % examples.length) {
        const trial = {timing: {}, ...examples[i]};
        let pictures;
        try {
          pictures = await Promise.all(trial.images.map(({url}) => loader.get(url)));
        } catch {
          return;
        }
        if (!live) return;
        const answer = await desk.ask(trial, pictures, {front: false});
        desk.state.textContent = say("instructions.answered", {value: String(answer.value)});
        await wait(500);
      }
    })();
    return () => {
      live = false;
      desk.destroy();
      loader.want([]);
    };
  }

  return {Block, instructions};
})();
