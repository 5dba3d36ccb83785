// The page of maps: one position and one zoom for all pictures of a content, and values under the
// pointer, which are read back from the colours.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const ZOOMS = [1, 2, 4, 8, 16];
  const STEP = 0.02;
  const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
  const LEVEL = new Map();
  for (let i = 0; i < 255; i++) LEVEL.set(rgb(data.palette, 3 * i), i);

  function rgb(bytes, at) {
    return (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
  }

  function brief(value) {
    if (value === 0) return "0";
    const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
    return value.toFixed(Math.min(places, 6));
  }

  /** The samples of a map, drawn once when somebody asks. */
  function samples(image) {
    if (!image.complete || !image.naturalWidth) return null;
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    const context = canvas.getContext("2d", {willReadFrequently: true});
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  }

  class Atlas {
    constructor(table) {
      this.table = table;
      this.state = {x: 0.5, y: 0.5, zoom: 1, px: null, py: null};
      this.pixels = new Map();
      this.maps = all("[data-map]", table).map((cell) => ({
        ...data.maps[Number(cell.dataset.map)], image: cell.querySelector("img"), here: cell.querySelector(".here"),
      }));
      for (const shot of all(".shot", table)) this.#listen(shot);
      table.tabIndex = 0;
      table.addEventListener("keydown", (event) => this.#key(event));
    }

    /** Change position, zoom or the pointed place, all as fractions of the picture. */
    set(change) {
      Object.assign(this.state, change);
      const {state} = this;
      state.x = clamp(state.x, 0, 1);
      state.y = clamp(state.y, 0, 1);
      if (!this.frame) {
        this.frame = requestAnimationFrame(() => {
          this.frame = 0;
          this.#draw();
        });
      }
    }

    #listen(shot) {
      shot.addEventListener("pointermove", (event) => this.#move(event));
      shot.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        this.start = this.last = {x: event.clientX, y: event.clientY};
        if (this.state.zoom > 1) shot.setPointerCapture(event.pointerId);
      });
      shot.addEventListener("pointerup", (event) => this.#up(event));
      shot.addEventListener("pointercancel", () => { this.start = null; });
      shot.addEventListener("pointerleave", () => { if (!this.start) this.set({px: null}); });
      shot.addEventListener("wheel", (event) => {
        if (this.state.zoom === 1 && !event.ctrlKey) return;
        event.preventDefault();
        this.#zoom(event.deltaY < 0 ? 1 : -1, this.#place(event));
      }, {passive: false});
    }

    /** Where an event lies in the picture, and in the cell. */
    #place(event) {
      const box = event.currentTarget.getBoundingClientRect();
      const [u, v] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      const {x, y, zoom} = this.state;
      return {u, v, px: x + (u - x) / zoom, py: y + (v - y) / zoom};
    }

    #move(event) {
      const {zoom, x, y} = this.state;
      if (this.start && zoom > 1) {
        const box = event.currentTarget.getBoundingClientRect();
        const across = (event.clientX - this.last.x) / box.width / (zoom - 1);
        const down = (event.clientY - this.last.y) / box.height / (zoom - 1);
        this.last = {x: event.clientX, y: event.clientY};
        this.set({x: x - across, y: y - down});
      }
      const {px, py} = this.#place(event);
      this.set({px, py});
    }

    #up(event) {
      const far = this.start && Math.hypot(event.clientX - this.start.x, event.clientY - this.start.y) > 4;
      const pressed = this.start;
      this.start = null;
      if (!pressed || far || event.button !== 0) return;
      const {px, py} = this.#place(event);
      this.table.focus({preventScroll: true});
      this.set(this.state.zoom > 1 ? {zoom: 1, px, py} : {zoom: 4, x: px, y: py, px, py});
    }

    #zoom(step, at) {
      const zoom = ZOOMS[clamp(ZOOMS.indexOf(this.state.zoom) + step, 0, ZOOMS.length - 1)];
      if (at && zoom > 1) {
        // The pixel at `at` stays where it is in the cell.
        const fixed = (p, u) => (p - u / zoom) / (1 - 1 / zoom);
        this.set({zoom, x: fixed(at.px, at.u), y: fixed(at.py, at.v)});
      } else this.set({zoom});
    }

    #key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.table) return;
      const arrows = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
      const {state} = this;
      if (event.key === "+" || event.key === "=") this.#zoom(1);
      else if (event.key === "-") this.#zoom(-1);
      else if (event.key === "Escape") this.set({zoom: 1, px: null});
      else if (arrows[event.key] && state.zoom > 1) {
        const [across, down] = arrows[event.key];
        this.set({x: state.x + across * STEP, y: state.y + down * STEP});
      } else return;
      event.preventDefault();
    }

    #draw() {
      const {table, state} = this;
      const pointed = state.px !== null && state.px >= 0 && state.px < 1 && state.py >= 0 && state.py < 1;
      table.classList.toggle("zoomed", state.zoom > 1);
      table.classList.toggle("pointed", pointed);
      const cell = (p, x) => x + (p - x) * state.zoom;
      const set = (name, value) => table.style.setProperty(name, value);
      set("--x", state.x);
      set("--y", state.y);
      set("--zoom", state.zoom);
      if (pointed) {
        set("--px", cell(state.px, state.x));
        set("--py", cell(state.py, state.y));
      }
      for (const map of this.maps) {
        if (map.here) map.here.textContent = pointed ? this.#value(map) : "";
      }
    }

    #value(map) {
      if (!this.pixels.get(map.image)) this.pixels.set(map.image, samples(map.image));
      const image = this.pixels.get(map.image);
      if (!image) return "";
      const x = Math.floor(this.state.px * image.width);
      const y = Math.floor(this.state.py * image.height);
      const at = 4 * (y * image.width + x);
      if (!image.data[at + 3]) return "no value";
      const level = LEVEL.get(rgb(image.data, at));
      if (level === undefined) return "";
      const text = brief((level / 254) * map.peak);
      return level === 254 ? `≥ ${text}` : text;
    }
  }

  root.classList.add("js");
  theme.start();
  globalThis.srqaMaps = all(".atlas").map((table) => new Atlas(table));
})();
