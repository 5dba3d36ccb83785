// The picture viewer of srqa (load pixels.js and surface.js first): one position and one zoom for any number of
// panes, error maps in the browser, flicker against the reference. No build step; works from file://.
//
//   const viewer = srqaViewer.create(element, {onChange: (state) => {}});
//   await viewer.setPictures([
//     {id: "hr", source: imgOrUrlOrCanvas, label: "Reference", reference: true, caption: node},
//     {id: "rcan", source: "data:image/png;base64,...", label: "rcan", caption: node},
//   ]);
//   // origin: {x, y} of a picture says where it was cut from the whole one, for the read-out
//   viewer.set({zoom: 4, mode: "error", gain: 16, u: 0.5, v: 0.5, held: true, flick: false});
//   viewer.state          // a copy: zoom, mode, gain, u, v, active, held, flick
//   viewer.show(["rcan"]) // which panes stand besides the reference
//   viewer.errors("rcan") // Uint16Array: |dR| + |dG| + |dB| of each pixel, three times its level
//   viewer.view("rcan")   // {left, top, width, height}: the part of the picture on show, in pixels
//   viewer.destroy()
//
// Zoom z draws z x z CSS pixels for one of the picture, not smoothed. While zoomed, the pixel under
// the pointer is the one that lies there in the whole picture: u and v are that place, 0 to 1.
"use strict";
globalThis.srqaViewer = (() => {
  const ZOOMS = [1, 2, 4, 8];
  const GAINS = [1, 4, 16];
  const {palette: PALETTE, load, difference, paint} = srqaPixels;
  const FIRST_PANES = 6;
  const STEP = 0.02;
  const PANE = 230;

  function make(tag, name = "", text = "") {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text) node.textContent = text;
    return node;
  }

  const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

  function segments(label, entries, choose) {
    const group = make("div", "segments");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", label);
    const buttons = entries.map(([value, text, title]) => {
      const button = make("button", "", text);
      button.type = "button";
      button.title = title || "";
      button.addEventListener("click", () => choose(value));
      group.append(button);
      return [value, button];
    });
    return {
      node: group,
      press: (now) => buttons.forEach(([v, b]) => b.setAttribute("aria-pressed", String(v === now))),
    };
  }

  class Viewer {
    constructor(root, options) {
      this.root = root;
      this.options = options;
      this._state = {
        zoom: options.zoom || 4, mode: options.mode || "output", gain: options.gain || 4,
        u: 0.5, v: 0.5, active: false, held: false, flick: false,
      };
      this.panes = [];
      this.turn = 0;
      this.frame = 0;
      this.abort = new AbortController();
      this.#build();
      this.resize = new ResizeObserver(() => this.#later());
      this.resize.observe(this.grid);
    }

    get state() {
      return {...this._state};
    }

    set(change) {
      Object.assign(this._state, change);
      this._state.u = clamp(this._state.u, 0, 1);
      this._state.v = clamp(this._state.v, 0, 1);
      if (this._state.held) this._state.active = true;
      this.#later();
      if (this.options.onChange) this.options.onChange(this.state);
    }

    /** Replace the pictures; the newest call wins if several are under way. */
    async setPictures(list) {
      const turn = ++this.turn;
      const loaded = await Promise.all(list.map((picture) => load(picture.source)));
      if (turn !== this.turn) return;
      this.#release();
      this.panes = list.map((picture, i) => ({...picture, bitmap: loaded[i], maps: new Map()}));
      this.reference = this.panes.find((pane) => pane.reference) || null;
      const others = this.panes.filter((pane) => !pane.reference);
      others.forEach((pane, i) => { pane.shown = i < FIRST_PANES; });
      if (this.reference) this.reference.shown = true;
      this._state.active = this._state.held = this._state.flick = false;
      this.grid.replaceChildren(...this.panes.map((pane) => this.#pane(pane)));
      this.#buildPicks(others);
      this.#layout();
      this.set({});
    }

    show(ids) {
      for (const pane of this.panes) pane.shown = pane.reference || ids.includes(pane.id);
      this.#layout();
      this.#later();
    }

    errors(id) {
      const pane = this.panes.find((one) => one.id === id);
      if (!pane || !this.reference || pane.reference) return null;
      pane.errors = pane.errors || difference(this.reference.bitmap, pane.bitmap);
      return pane.errors;
    }

    view(id) {
      const pane = this.panes.find((one) => one.id === id);
      return pane ? this.#part(pane, pane.canvas.clientWidth) : null;
    }

    destroy() {
      this.abort.abort();
      this.#release();
      this.resize.disconnect();
      cancelAnimationFrame(this.frame);
      this.root.replaceChildren();
    }

    #release() {
      for (const pane of this.panes) for (const surface of [pane.picture, pane.map]) surface?.destroy();
    }

    #build() {
      const {root} = this;
      root.classList.add("viewer");
      root.tabIndex = 0;
      root.setAttribute("role", "group");
      root.setAttribute("aria-label", "Picture viewer");
      const zooms = ZOOMS.map((z) => [z, `${z}×`, `${z} screen pixels for one of the picture`]);
      this.zooms = segments("Zoom", zooms, (zoom) => this.#zoomTo(zoom));
      const modes = [["output", "Output"], ["error", "Error"], ["both", "Both"]];
      this.modes = segments("Show", modes, (mode) => this.set({mode}));
      this.gains = segments("Gain of the error map",
        GAINS.map((g) => [g, `gain ${g}`, `errors times ${g}`]), (gain) => this.set({gain}));
      this.flick = make("button", "flick", "Flick to reference");
      this.flick.type = "button";
      this.flick.addEventListener("click", () => this.set({flick: !this._state.flick}));
      this.release = make("button", "release", "Whole picture");
      this.release.type = "button";
      this.release.addEventListener("click", () => this.set({active: false, held: false}));
      this.scale = make("div", "scale");
      this.scaleBar = make("canvas");
      this.scaleBar.width = 256;
      this.scaleBar.height = 1;
      this.scaleEnd = make("span", "num");
      this.scale.append(make("span", "num", "0"), this.scaleBar, this.scaleEnd);
      this.scale.title = "mean of |ΔR|, |ΔG| and |ΔB| in levels of 8 bits";
      this.map = make("canvas", "map");
      this.bar = make("div", "tools");
      this.bar.append(this.zooms.node, this.modes.node, this.gains.node, this.scale, this.flick,
        this.release, this.map);
      this.picks = make("div", "chips");
      this.grid = make("div", "panes");
      this.help = make("p", "help");
      this.help.append(
        "Point at a picture and every pane zooms there; click or tap to hold the place, then drag, "
        + "scroll or use the arrow keys. ",
        ...[["Space", "reference"], ["E", "error map"], ["+ −", "zoom"], ["Esc", "whole picture"]]
          .flatMap(([key, does]) => [make("kbd", "", key), ` ${does}  `]),
      );
      root.replaceChildren(this.bar, this.picks, this.grid, this.help);
      this.#drawScale();
      const {signal} = this.abort;
      root.addEventListener("keydown", (event) => this.#keyDown(event), {signal});
      root.addEventListener("keyup", (event) => this.#keyUp(event), {signal});
      root.addEventListener("blur", () => this.set({flick: false}), {signal});
    }

    #buildPicks(others) {
      this.picks.hidden = others.length < 3;
      this.picks.replaceChildren(...others.map((pane) => {
        const button = make("button", "chip", pane.label);
        button.type = "button";
        button.setAttribute("aria-pressed", String(pane.shown));
        button.addEventListener("click", () => {
          pane.shown = !pane.shown;
          button.setAttribute("aria-pressed", String(pane.shown));
          this.#layout();
          this.#later();
        });
        return button;
      }));
    }

    #pane(pane) {
      const figure = make("figure", pane.reference ? "pane is-reference" : "pane");
      figure.dataset.id = pane.id;
      pane.figure = figure;
      pane.picture = this.#surface(pane, "picture", `${pane.label}, picture`);
      pane.canvas = pane.picture.canvas;
      figure.append(pane.canvas);
      if (!pane.reference && this.reference) {
        pane.map = this.#surface(pane, "error", `${pane.label}, error map`);
        figure.append(pane.map.canvas);
      }
      const caption = make("figcaption");
      caption.append(pane.caption || pane.label);
      pane.readout = make("p", "readout num");
      caption.append(pane.readout);
      figure.append(caption);
      return figure;
    }

    #surface(pane, name, label) {
      const canvas = make("canvas", name);
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", label);
      // Through CSSOM: a page's content policy may forbid style attributes.
      canvas.style.aspectRatio = `${pane.bitmap.width} / ${pane.bitmap.height}`;
      canvas.addEventListener("pointermove", (event) => this.#move(event, pane));
      canvas.addEventListener("pointerdown", (event) => this.#down(event));
      canvas.addEventListener("pointerup", (event) => this.#up(event, pane));
      canvas.addEventListener("pointercancel", () => { this.drag = null; });
      canvas.addEventListener("pointerleave", (event) => {
        if (event.pointerType !== "touch" && !this._state.held) this.set({active: false});
      });
      canvas.addEventListener("wheel", (event) => this.#wheel(event), {passive: false});
      return srqaSurface.create(canvas, {onResize: () => this.#drawPane(pane)});
    }

    #layout() {
      const shown = this.panes.filter((pane) => pane.shown);
      for (const pane of this.panes) pane.figure.hidden = !pane.shown;
      const width = this.grid.clientWidth || 1200;
      const most = clamp(Math.floor(width / PANE), Math.min(2, shown.length), 6);
      const rows = Math.ceil(shown.length / most);
      const columns = Math.max(1, Math.ceil(shown.length / Math.max(1, rows)));
      this.grid.style.setProperty("--columns", columns);
    }

    #place(event) {
      const box = event.currentTarget.getBoundingClientRect();
      return {u: (event.clientX - box.left) / box.width, v: (event.clientY - box.top) / box.height};
    }

    #move(event, pane) {
      const state = this._state;
      if (this.drag) {
        const part = this.#part(pane, event.currentTarget.clientWidth);
        const across = pane.bitmap.width - part.width;
        const down = pane.bitmap.height - part.height;
        const dx = (event.clientX - this.drag.x) / state.zoom;
        const dy = (event.clientY - this.drag.y) / state.zoom;
        this.drag = {...this.drag, x: event.clientX, y: event.clientY, far: true};
        this.set({u: across > 0 ? state.u - dx / across : 0.5,
          v: down > 0 ? state.v - dy / down : 0.5});
      } else if (event.pointerType === "touch") {
        if (!state.held) this.set({active: true, ...this.#place(event)});
      } else if (!state.held) {
        this.pointed = pane;
        this.set({active: true, ...this.#place(event)});
      }
    }

    #down(event) {
      if (event.button !== 0) return;
      this.root.focus({preventScroll: true});
      this.start = {x: event.clientX, y: event.clientY};
      if (this._state.held) {
        event.currentTarget.setPointerCapture(event.pointerId);
        this.drag = {x: event.clientX, y: event.clientY, far: false};
      }
    }

    #up(event) {
      const dragged = this.drag && this.start
        && Math.hypot(event.clientX - this.start.x, event.clientY - this.start.y) > 4;
      const held = this._state.held;
      this.drag = null;
      if (dragged || event.button !== 0) return;
      if (held) this.set({held: false, active: event.pointerType !== "touch", ...this.#place(event)});
      else this.set({held: true, ...this.#place(event)});
    }

    #wheel(event) {
      if (!event.cancelable || (!this._state.held && !event.ctrlKey)) return;
      event.preventDefault();
      this.#zoomBy(event.deltaY < 0 ? 1 : -1);
    }

    #zoomTo(zoom) {
      this.set(this._state.active ? {zoom} : {zoom, held: true});
    }

    #zoomBy(step) {
      const next = ZOOMS[clamp(ZOOMS.indexOf(this._state.zoom) + step, 0, ZOOMS.length - 1)];
      this.#zoomTo(next);
    }

    #keyDown(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const onButton = event.target.closest("button") !== null;
      const arrows = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
      const state = this._state;
      if (event.key === " " && !onButton) this.set({flick: true});
      else if (event.key === "e" || event.key === "E") {
        this.set({mode: state.mode === "error" ? "output" : "error"});
      } else if (event.key === "+" || event.key === "=") this.#zoomBy(1);
      else if (event.key === "-") this.#zoomBy(-1);
      else if (event.key === "Escape") this.set({active: false, held: false, flick: false});
      else if (arrows[event.key]) {
        const [x, y] = arrows[event.key];
        this.set({held: true, u: state.u + x * STEP, v: state.v + y * STEP});
      } else return;
      event.preventDefault();
    }

    #keyUp(event) {
      if (event.key === " " && !event.target.closest("button")) this.set({flick: false});
    }

    #later() {
      if (this.frame) return;
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.#draw();
      });
    }

    /** The part of a picture that a pane of `width` CSS pixels shows. */
    #part(pane, width) {
      const {width: w, height: h} = pane.bitmap;
      const {active, zoom, u, v} = this._state;
      const full = {left: 0, top: 0, width: w, height: h};
      const across = width / zoom;
      if (!active || !width || across >= w) return full;
      const down = (across * h) / w;
      return {left: u * (w - across), top: v * (h - down), width: across, height: down};
    }

    #draw() {
      const state = this._state;
      const hasErrors = this.reference && this.panes.length > 1;
      this.root.dataset.mode = hasErrors ? state.mode : "output";
      this.root.dataset.held = state.held;
      this.zooms.press(state.zoom);
      this.modes.press(state.mode);
      this.gains.press(state.gain);
      this.flick.setAttribute("aria-pressed", String(state.flick));
      this.release.disabled = !state.active;
      for (const node of [this.modes.node, this.flick]) node.hidden = !hasErrors;
      for (const node of [this.gains.node, this.scale]) {
        node.hidden = !hasErrors || state.mode === "output";
      }
      this.scaleEnd.textContent = `${Math.round(255 / state.gain)} levels`;
      this.#layout();
      this.panes.forEach((pane) => this.#drawPane(pane));
      this.#drawMap();
    }

    #drawPane(pane) {
      const {mode, flick} = this._state;
      if (!pane.shown) return;
      const flicked = flick && this.reference && !pane.reference;
      pane.figure.classList.toggle("flicked", Boolean(flicked));
      if (pane.reference || mode !== "error") {
        this.#blit(pane, pane.picture, flicked ? this.reference.bitmap : pane.bitmap);
      }
      if (pane.map && mode !== "output") this.#blit(pane, pane.map, this.#errorMap(pane));
      this.#readout(pane);
    }

    #errorMap(pane) {
      const {gain} = this._state;
      if (!pane.maps.has(gain)) {
        pane.maps.clear();
        const {width, height} = pane.bitmap;
        pane.maps.set(gain, paint(this.errors(pane.id), width, height, gain));
      }
      return pane.maps.get(gain);
    }

    #blit(pane, surface, bitmap) {
      const {canvas, context} = surface;
      const size = [surface.width, surface.height];
      if (!size[0] || !size[1]) return;
      const part = this.#part(pane, canvas.clientWidth);
      const zoomed = part.width < bitmap.width;
      context.imageSmoothingEnabled = !zoomed;
      context.imageSmoothingQuality = "high";
      context.drawImage(bitmap, part.left, part.top, part.width, part.height, 0, 0, ...size);
      canvas.dataset.left = part.left.toFixed(2);
      canvas.dataset.top = part.top.toFixed(2);
      if (zoomed) this.#cross(context, size, srqaSurface.ratio());
    }

    #cross(context, size, ratio) {
      const x = this._state.u * size[0];
      const y = this._state.v * size[1];
      const [inner, outer] = [4 * ratio, 11 * ratio];
      for (const [colour, thick] of [["rgba(0,0,0,.7)", 3], ["rgba(255,255,255,.95)", 1.2]]) {
        context.strokeStyle = colour;
        context.lineWidth = thick * ratio;
        context.beginPath();
        for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
          context.moveTo(x + dx * inner, y + dy * inner);
          context.lineTo(x + dx * outer, y + dy * outer);
        }
        context.stroke();
      }
    }

    #readout(pane) {
      const {active, u, v} = this._state;
      const {width, height} = pane.bitmap;
      const x = Math.min(width - 1, Math.floor(u * width));
      const y = Math.min(height - 1, Math.floor(v * height));
      let text = "";
      const {x: left, y: top} = pane.origin || {x: 0, y: 0};
      if (active && pane.reference) text = `x ${left + x}  y ${top + y}`;
      else if (active && this.reference) {
        text = `error ${(this.errors(pane.id)[y * width + x] / 3).toFixed(1)}`;
      }
      pane.readout.textContent = text || "\u00a0";
    }

    #drawScale() {
      const context = this.scaleBar.getContext("2d");
      const image = context.createImageData(256, 1);
      for (let i = 0; i < 256; i++) {
        image.data.set([PALETTE[3 * i], PALETTE[3 * i + 1], PALETTE[3 * i + 2], 255], 4 * i);
      }
      context.putImageData(image, 0, 0);
    }

    #drawMap() {
      const pane = this.reference || this.panes[0];
      this.map.hidden = !pane;
      if (!pane) return;
      const {width, height} = pane.bitmap;
      const scale = Math.min(96 / width, 64 / height);
      this.map.width = Math.round(width * scale * 2);
      this.map.height = Math.round(height * scale * 2);
      this.map.style.width = `${this.map.width / 2}px`;
      const context = this.map.getContext("2d");
      context.drawImage(pane.bitmap, 0, 0, this.map.width, this.map.height);
      const part = this.#part(pane, pane.canvas.clientWidth);
      if (part.width >= width) return;
      const box = [part.left, part.top, part.width, part.height].map((x) => x * scale * 2);
      for (const [colour, thick] of [["rgba(0,0,0,.7)", 5], ["#fff", 2]]) {
        context.strokeStyle = colour;
        context.lineWidth = thick;
        context.strokeRect(...box);
      }
    }
  }

  return {
    create: (root, options = {}) => new Viewer(root, options),
    ZOOMS, GAINS,
  };
})();
