// Pixels of pictures in the browser: loading them, their differences, and error maps.
//
//   const canvas = await srqaPixels.load(imgOrUrlOrCanvas);
//   const sums = srqaPixels.difference(a, b);         // |dR| + |dG| + |dB| of each pixel
//   const map = srqaPixels.paint(sums, width, height, gain);
//   srqaPixels.palette                                // 256 x 3, dark to light
"use strict";
globalThis.srqaPixels = (() => {
  // Dark to light through hues that colour-blind eyes keep in order.
  const STOPS = [
    [0, 0, 4], [31, 12, 72], [85, 15, 109], [136, 34, 106], [186, 54, 85],
    [227, 89, 51], [249, 140, 10], [249, 201, 50], [252, 255, 164],
  ];
  const PALETTE = build();

  function build() {
    const table = new Uint8ClampedArray(256 * 3);
    for (let i = 0; i < 256; i++) {
      const at = (i / 255) * (STOPS.length - 1);
      const k = Math.min(Math.floor(at), STOPS.length - 2);
      for (let c = 0; c < 3; c++) {
        table[3 * i + c] = STOPS[k][c] + (at - k) * (STOPS[k + 1][c] - STOPS[k][c]);
      }
    }
    return table;
  }

  async function load(source) {
    let image = source;
    if (typeof source === "string") {
      image = new Image();
      image.src = source;
    }
    if (image.decode) await image.decode();
    const width = image.naturalWidth || image.width;
    const height = image.naturalHeight || image.height;
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d", {willReadFrequently: true}).drawImage(image, 0, 0);
    return canvas;
  }

  function pixels(canvas) {
    return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  }

  /** Sum over R, G and B of the absolute difference of two canvases of one size. */
  function difference(a, b) {
    const p = pixels(a);
    const q = pixels(b);
    const sums = new Uint16Array(p.length / 4);
    for (let i = 0, j = 0; j < p.length; i++, j += 4) {
      sums[i] =
        Math.abs(p[j] - q[j]) + Math.abs(p[j + 1] - q[j + 1]) + Math.abs(p[j + 2] - q[j + 2]);
    }
    return sums;
  }

  /** Errors as a picture: the mean level of a pixel's channels times the gain, by the palette. */
  function paint(errors, width, height, gain) {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    const image = context.createImageData(width, height);
    const out = image.data;
    for (let i = 0, j = 0; i < errors.length; i++, j += 4) {
      const k = 3 * Math.min(255, Math.round((errors[i] * gain) / 3));
      out[j] = PALETTE[k];
      out[j + 1] = PALETTE[k + 1];
      out[j + 2] = PALETTE[k + 2];
      out[j + 3] = 255;
    }
    context.putImageData(image, 0, 0);
    return canvas;
  }

  return {palette: PALETTE, load, difference, paint};
})();
