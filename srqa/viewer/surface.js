// A canvas with one sample for each pixel of the screen (load nothing first).
//
//   const surface = srqaSurface.create(canvas, {onResize: () => draw(), readable: true});
//   surface.width, surface.height   // device pixels; 0 until the browser has laid it out
//   surface.context                 // opaque, sRGB; kept in memory where readable
//   surface.faults()                // why a sample is not a pixel of the screen, [] where it is
//   surface.destroy()
//
// The size of the box in device pixels is the browser's own word (ResizeObserver). Where it says
// nothing, or speaks of another screen than devicePixelRatio does (an emulated one), the edges of the
// box are rounded as browsers round them when they paint.
"use strict";
globalThis.srqaSurface = (() => {
  const CONTEXT = {alpha: false, colorSpace: "srgb"};
  const READABLE = {...CONTEXT, willReadFrequently: true};
  const CLOSE = 0.02; // of a device pixel: what the arithmetic of layout leaves

  const whole = (x) => Math.abs(x - Math.round(x)) <= CLOSE;
  const near = (a, b) => Math.abs(a - b) <= 1;
  const ratio = () => globalThis.devicePixelRatio || 1;

  function edges(canvas) {
    const box = canvas.getBoundingClientRect();
    const [left, top, right, bottom] = [box.left, box.top, box.right, box.bottom]
      .map((edge) => Math.round(edge * ratio()));
    return [right - left, bottom - top];
  }

  class Surface {
    constructor(canvas, options) {
      this.canvas = canvas;
      this.context = canvas.getContext("2d", options.readable ? READABLE : CONTEXT);
      this.width = this.height = 0;
      this.onResize = options.onResize || (() => {});
      this.observer = new ResizeObserver(([entry]) => this.#measured(entry));
      try {
        this.observer.observe(canvas, {box: "device-pixel-content-box"});
      } catch {
        this.observer.observe(canvas);
      }
    }

    #measured(entry) {
      const told = entry.devicePixelContentBoxSize?.[0];
      let size = edges(this.canvas);
      this.told = told && near(told.inlineSize, size[0]) && near(told.blockSize, size[1]);
      if (this.told) size = [told.inlineSize, told.blockSize];
      if (size[0] === this.width && size[1] === this.height) return;
      [this.width, this.height] = size;
      [this.canvas.width, this.canvas.height] = size;
      if (this.width && this.height) this.onResize();
    }

    /**
     * Why what is drawn does not reach the screen sample by sample: "pinch" (the page is magnified
     * by two fingers), "scale" (something stretches the canvas), "origin" (it starts between two
     * pixels of the screen), "size" (it has not been laid out).
     */
    faults() {
      const found = [];
      const box = this.canvas.getBoundingClientRect();
      if (!this.width || this.canvas.width !== this.width || this.canvas.height !== this.height) {
        found.push("size");
      }
      const view = globalThis.visualViewport;
      if (view && Math.abs(view.scale - 1) > 1e-3) found.push("pinch");
      const stretch = [box.width * ratio() - this.width, box.height * ratio() - this.height];
      // Without the browser's word only a box of whole CSS pixels is sure to be painted as computed.
      const unsure = !this.told && ![box.width, box.height].every(whole);
      if (unsure || stretch.some((off) => Math.abs(off) >= 1)) found.push("scale");
      if (![box.left * ratio(), box.top * ratio()].every(whole)) found.push("origin");
      return found;
    }

    destroy() {
      this.observer.disconnect();
    }
  }

  return {create: (canvas, options = {}) => new Surface(canvas, options), READABLE, ratio};
})();
