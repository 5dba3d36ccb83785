// Pictures as a rater sees them: on a grey surround, one sample of the picture on one pixel of the
// screen (load surface.js first). One canvas holds everything, so nothing is resampled or moves by
// part of a pixel, and between two pictures there is only grey.
//
//   const stage = srqaStage.create(element, {background: "#777777", onChange: (what) => {}});
//   const picture = await srqaStage.decode(blob);       // ahead of time; picture.close() frees it
//   const shown = await stage.show({view: "side", pictures: [{...picture, label: "A"}, ...]});
//   shown                                               // performance.now() of the first frame
//   stage.set({zoom: 2, u: 0.5, v: 0.5, view: "flick", front: 1, split: 0.5});
//   stage.state                                         // a copy: view, zoom, u, v, front, split
//   stage.used                                          // {zoom, zooms, pans, toggles} since show
//   stage.proof()                                       // {exact, faults, whole, ratio, viewport}
//   stage.blank(); stage.destroy();
//
// Views: "single" (one picture), "side" (two beside each other, or above where that fits better),
// "flick" (two in one place, one at a time), "split" (two in one place, parted by a handle). Zoom z
// draws z x z pixels of the screen for one of the picture, not smoothed; all panes move together.
"use strict";
globalThis.srqaStage = (() => {
  const ZOOMS = [1, 2, 4];
  const VIEWS = ["single", "side", "flick", "split"];
  const GAP = 32; // CSS pixels between two panes
  const LABEL = 34; // CSS pixels kept free for names above pictures
  const STEP = 0.08;
  const FAR = 4; // CSS pixels: what tells a drag from a tap

  const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

  function make(tag, name, text = "") {
    const node = document.createElement(tag);
    node.className = name;
    node.textContent = text;
    return node;
  }

  /** A picture of a blob, with its samples to compare with what the canvas holds later. */
  async function decode(blob) {
    const bitmap = await createImageBitmap(blob, {colorSpaceConversion: "none", premultiplyAlpha: "none"});
    const {width, height} = bitmap;
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d", srqaSurface.READABLE);
    context.drawImage(bitmap, 0, 0);
    const samples = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
    return {bitmap, samples, width, height, close: () => bitmap.close()};
  }

  /** Where a picture of `size` starts in a cell, in whole device pixels; `lean` 0 to 1 if it fits. */
  function start(cell, size, at, lean = 0.5) {
    if (size <= cell) return Math.floor((cell - size) * lean);
    return -Math.round(clamp(at * size - cell / 2, 0, size - cell));
  }

  class Stage {
    constructor(root, options) {
      this.root = root;
      this.options = options;
      this.background = options.background || "#777777";
      this.pictures = [];
      this.frame = 0;
      this.fingers = new Map();
      this.abort = new AbortController();
      this._state = {view: "single", zoom: 1, u: 0.5, v: 0.5, front: 0, split: 0.5};
      this.#build();
      this.surface = srqaSurface.create(this.canvas, {readable: true, onResize: () => this.#draw()});
      this.fit = new ResizeObserver(() => this.#fit());
      this.fit.observe(root);
      this.#reset();
    }

    get state() {
      return {...this._state};
    }

    /** Whether a picture is larger than its cell, so that it can be moved. */
    get movable() {
      return this.pictures.some((p, i) => {
        const cell = this.#cells()[i];
        return p.width * this._state.zoom > cell.width || p.height * this._state.zoom > cell.height;
      });
    }

    set(change) {
      const before = this._state;
      const next = {...before, ...change};
      next.u = clamp(next.u, 0, 1);
      next.v = clamp(next.v, 0, 1);
      next.split = clamp(next.split, 0, 1);
      this._state = next;
      this.#count(before, next);
      this.#later();
      this.options.onChange?.(this.state);
    }

    /** Draw pictures in the next frame; resolves with the time at which that frame was shown. */
    show({view = "single", pictures, front = 0}) {
      this.pictures = pictures;
      this._state = {view, zoom: 1, u: 0.5, v: 0.5, front, split: 0.5};
      this.#reset();
      this.options.onChange?.(this.state);
      return new Promise((done) => {
        requestAnimationFrame(() => {
          this.#draw();
          requestAnimationFrame(() => done(performance.now()));
        });
      });
    }

    /** Nothing but grey, from the next frame on. */
    blank() {
      this.pictures = [];
      this.#later();
    }

    zoom(step = 1) {
      const at = ZOOMS.indexOf(this._state.zoom) + step;
      this.set({zoom: ZOOMS[step > 0 ? at % ZOOMS.length : Math.max(0, at)]});
    }

    /** Show the other picture in the same place. */
    toggle() {
      if (this.pictures.length < 2) return;
      const {view, front} = this._state;
      this.set(view === "flick" ? {front: 1 - front} : {view: "flick", front: 0});
    }

    pan(across, down) {
      const {u, v, zoom} = this._state;
      this.set({u: u + (across * STEP) / zoom, v: v + (down * STEP) / zoom});
    }

    /**
     * Whether every sample of the pictures on show is one pixel of the screen: the canvas lies on
     * the screen's grid, the pictures are not zoomed, and the canvas holds their very samples.
     */
    proof() {
      const faults = this.surface.faults();
      const boxes = this.#boxes();
      if (this._state.zoom !== 1) faults.push("zoom");
      else if (!boxes.every((box) => this.#holds(box))) faults.push("samples");
      const whole = boxes.every(({picture, cell}) =>
        picture.width <= cell.width && picture.height <= cell.height);
      return {
        exact: boxes.length > 0 && !faults.length, faults, whole, ratio: srqaSurface.ratio(),
        viewport: [innerWidth, innerHeight], surface: [this.surface.width, this.surface.height],
      };
    }

    /** Where each picture on show lies in the canvas, in device pixels. */
    places() {
      return this.#boxes().map(({picture, x, y}) => ({
        id: picture.id, x, y, width: picture.width * this._state.zoom,
        height: picture.height * this._state.zoom,
      }));
    }

    destroy() {
      this.abort.abort();
      this.surface.destroy();
      this.fit.disconnect();
      cancelAnimationFrame(this.frame);
      this.root.replaceChildren();
    }

    #build() {
      const {root} = this;
      root.classList.add("stage");
      root.style.setProperty("--surround", this.background);
      this.canvas = make("canvas", "");
      this.canvas.setAttribute("role", "img");
      this.names = [make("span", "name"), make("span", "name")];
      this.handle = make("div", "handle");
      this.handle.tabIndex = 0;
      this.handle.setAttribute("role", "slider");
      this.handle.setAttribute("aria-valuemin", "0");
      this.handle.setAttribute("aria-valuemax", "100");
      root.replaceChildren(this.canvas, ...this.names, this.handle);
      const {signal} = this.abort;
      const on = (node, name, run, more = {}) => node.addEventListener(name, run, {signal, ...more});
      on(this.canvas, "pointerdown", (event) => this.#down(event));
      on(this.canvas, "pointermove", (event) => this.#move(event));
      for (const name of ["pointerup", "pointercancel"]) {
        on(this.canvas, name, (event) => this.#up(event));
      }
      on(this.canvas, "wheel", (event) => this.#wheel(event), {passive: false});
      on(this.handle, "pointerdown", (event) => this.handle.setPointerCapture(event.pointerId));
      on(this.handle, "pointermove", (event) => this.#slide(event));
      on(this.handle, "keydown", (event) => this.#handleKey(event));
    }

    /** Whole CSS pixels: browsers agree on how these are painted. */
    #fit() {
      const {width, height} = this.root.getBoundingClientRect();
      this.canvas.style.width = `${Math.floor(width)}px`;
      this.canvas.style.height = `${Math.floor(height)}px`;
    }

    #reset() {
      this.used = {zoom: 1, zooms: 0, pans: 0, toggles: 0};
    }

    #count(before, next) {
      const {used} = this;
      used.zoom = Math.max(used.zoom, next.zoom);
      if (before.zoom !== next.zoom) used.zooms++;
      if (before.u !== next.u || before.v !== next.v) used.pans++;
      if (before.front !== next.front || before.view !== next.view || before.split !== next.split) {
        used.toggles++;
      }
    }

    /** The parts of the canvas that hold a picture each, in device pixels. */
    #cells() {
      const {width, height} = this.surface;
      const scale = srqaSurface.ratio();
      const top = this.pictures.some((p) => p.label) ? Math.round(LABEL * scale) : 0;
      const whole = {left: 0, top, width, height: height - top};
      if (this._state.view !== "side" || this.pictures.length < 2) return [whole, whole];
      const gap = Math.round(GAP * scale);
      const [a, b] = this.pictures;
      const beside = Math.floor((width - gap) / 2);
      const above = Math.floor((height - 2 * top - gap) / 2);
      const seen = (w, h) => Math.min(w, Math.max(a.width, b.width)) * Math.min(h, Math.max(a.height, b.height));
      if (seen(beside, whole.height) >= seen(width, above)) {
        return [
          {...whole, width: beside, leanX: 1},
          {...whole, left: width - beside, width: beside, leanX: 0},
        ];
      }
      return [
        {...whole, height: above, leanY: 1},
        {...whole, top: top + above + gap + top, height: above, leanY: 0},
      ];
    }

    /** Pictures on show with their cell and the place of their first sample. */
    #boxes() {
      const {view, zoom, u, v, front} = this._state;
      const cells = this.#cells();
      const put = (picture, cell, part) => ({
        picture, cell, part: part || cell,
        x: cell.left + start(cell.width, picture.width * zoom, u, cell.leanX),
        y: cell.top + start(cell.height, picture.height * zoom, v, cell.leanY),
      });
      const {pictures} = this;
      if (pictures.length < 2) return pictures.map((p) => put(p, cells[0]));
      if (view === "side") return pictures.map((p, i) => put(p, cells[i]));
      if (view !== "split") return [put(pictures[front], cells[0])];
      const [cell] = cells;
      const first = put(pictures[0], cell);
      const left = Math.max(cell.left, first.x);
      const right = Math.min(cell.left + cell.width, first.x + pictures[0].width * zoom);
      const cut = Math.round(left + (right - left) * this._state.split);
      return [
        put(pictures[0], cell, {...cell, width: cut - cell.left}),
        put(pictures[1], cell, {...cell, left: cut, width: cell.left + cell.width - cut}),
      ];
    }

    #holds({picture, part, x, y}) {
      const left = Math.max(part.left, x);
      const top = Math.max(part.top, y);
      const width = Math.min(part.left + part.width, x + picture.width) - left;
      const height = Math.min(part.top + part.height, y + picture.height) - top;
      if (width <= 0 || height <= 0) return true;
      const data = this.surface.context.getImageData(left, top, width, height).data;
      const held = new Uint32Array(data.buffer);
      for (let row = 0; row < height; row++) {
        const from = (top - y + row) * picture.width + (left - x);
        for (let column = 0; column < width; column++) {
          if (held[row * width + column] !== picture.samples[from + column]) return false;
        }
      }
      return true;
    }

    #later() {
      if (this.frame) return;
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.#draw();
      });
    }

    #draw() {
      const {context, width, height} = this.surface;
      const {zoom, view} = this._state;
      if (!width || !height || this.abort.signal.aborted) return;
      context.fillStyle = this.background;
      context.fillRect(0, 0, width, height);
      context.imageSmoothingEnabled = false;
      const boxes = this.#boxes();
      for (const {picture, part, x, y} of boxes) {
        context.save();
        context.beginPath();
        context.rect(part.left, part.top, part.width, part.height);
        context.clip();
        context.drawImage(picture.bitmap, x, y, picture.width * zoom, picture.height * zoom);
        context.restore();
      }
      this.canvas.classList.toggle("movable", boxes.length > 0 && this.movable);
      this.root.dataset.view = view;
      this.#drawNames(boxes);
      this.#drawHandle(boxes);
    }

    #drawNames(boxes) {
      const scale = srqaSurface.ratio();
      const said = [];
      this.names.forEach((name, i) => {
        const box = boxes[i];
        const text = box?.picture.label || "";
        name.textContent = text;
        name.hidden = !text;
        if (!text) return;
        said.push(text);
        const {cell, picture} = box;
        const top = Math.max(cell.top, box.y) / scale;
        name.style.top = `${top - LABEL + 4}px`;
        const left = Math.max(cell.left, box.x);
        const right = Math.min(cell.left + cell.width, box.x + picture.width * this._state.zoom);
        let middle = (left + right) / 2;
        if (this._state.view === "split") middle += ((i ? 1 : -1) * (right - left)) / 4;
        name.style.left = `${middle / scale}px`;
      });
      const what = said.join(", ") || (boxes.length ? this.options.picture || "picture" : "");
      this.canvas.setAttribute("aria-label", what || "grey");
    }

    #drawHandle(boxes) {
      const on = this._state.view === "split" && boxes.length === 2;
      this.handle.hidden = !on;
      if (!on) return;
      const scale = srqaSurface.ratio();
      const [first, second] = boxes;
      const top = Math.max(first.cell.top, first.y);
      const bottom = Math.min(first.cell.top + first.cell.height,
        first.y + first.picture.height * this._state.zoom);
      this.handle.style.left = `${second.part.left / scale}px`;
      this.handle.style.top = `${top / scale}px`;
      this.handle.style.height = `${(bottom - top) / scale}px`;
      this.handle.setAttribute("aria-valuenow", String(Math.round(100 * this._state.split)));
      this.handle.setAttribute("aria-label", this.options.handle || "Divider");
    }

    #slide(event) {
      if (!this.handle.hasPointerCapture(event.pointerId)) return;
      const scale = srqaSurface.ratio();
      const [{cell, picture, x}] = this.#boxes();
      const left = Math.max(cell.left, x);
      const right = Math.min(cell.left + cell.width, x + picture.width * this._state.zoom);
      const at = (event.clientX - this.canvas.getBoundingClientRect().left) * scale;
      this.set({split: (at - left) / (right - left)});
    }

    #handleKey(event) {
      const step = {ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1}[event.key];
      if (!step || event.shiftKey) return;
      event.preventDefault();
      event.stopPropagation();
      this.set({split: this._state.split + step});
    }

    #down(event) {
      if (event.button !== 0) return;
      this.canvas.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, {x: event.clientX, y: event.clientY});
      this.pinch = this.fingers.size === 2 ? this.#spread() : 0;
      this.drag = {x: event.clientX, y: event.clientY, far: 0};
    }

    #move(event) {
      const before = this.fingers.get(event.pointerId);
      if (!before) return;
      this.fingers.set(event.pointerId, {x: event.clientX, y: event.clientY});
      if (this.fingers.size === 2 && this.pinch) {
        const grown = this.#spread() / this.pinch;
        if (grown < 0.67 || grown > 1.5) {
          const at = ZOOMS.indexOf(this._state.zoom) + (grown > 1 ? 1 : -1);
          this.pinch = this.#spread();
          if (ZOOMS[at]) this.set({zoom: ZOOMS[at]});
        }
        return;
      }
      const [dx, dy] = [event.clientX - before.x, event.clientY - before.y];
      this.drag.far += Math.abs(dx) + Math.abs(dy);
      if (this.drag.far < FAR || !this.pictures.length || !this.movable) return;
      const {u, v, zoom} = this._state;
      const scale = srqaSurface.ratio();
      const [{width, height}] = this.pictures;
      this.set({u: u - (dx * scale) / (width * zoom), v: v - (dy * scale) / (height * zoom)});
    }

    #spread() {
      const [a, b] = [...this.fingers.values()];
      return Math.hypot(a.x - b.x, a.y - b.y);
    }

    #up(event) {
      this.fingers.delete(event.pointerId);
      if (this.fingers.size < 2) this.pinch = 0;
    }

    /** The wheel with Ctrl would zoom the page and spoil every sample; here it zooms the picture. */
    #wheel(event) {
      if (!event.cancelable) return;
      event.preventDefault();
      if (event.ctrlKey) {
        const at = ZOOMS.indexOf(this._state.zoom) + (event.deltaY < 0 ? 1 : -1);
        if (ZOOMS[at]) this.set({zoom: ZOOMS[at]});
      } else if (this.movable) {
        this.pan(Math.sign(event.deltaX), Math.sign(event.deltaY));
      }
    }
  }

  return {create: (root, options = {}) => new Stage(root, options), decode, ZOOMS, VIEWS};
})();
