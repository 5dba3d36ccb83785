// Data and small helpers that the other scripts share.
const report = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SVG = "http://www.w3.org/2000/svg";

  const number = (x) => (x === "inf" ? Infinity : x === "-inf" ? -Infinity : x === null ? NaN : x);
  data.values = data.values.map((column) => column.map(number));
  data.summary = data.summary.map(([group, method, metric, ...rest]) => {
    const [mean, low, high] = rest.map(number);
    return {group, method, metric, mean, low, high};
  });
  data.rowOf = new Map();
  data.rows.forEach(([group, content, method], i) => {
    data.rowOf.set(`${group}/${content}/${method}`, i);
  });

  function format(metric, value) {
    if (Number.isNaN(value)) return "n/a";
    if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
    const {places} = data.metrics[metric];
    if (places !== null) return value.toFixed(places).replace(/^-(0\.?0*)$/, "$1");
    if (value === 0) return "0";
    const magnitude = Math.floor(Math.log10(Math.abs(value)));
    return magnitude < -4 ? value.toExponential(2) : value.toFixed(Math.max(0, 2 - magnitude));
  }

  function withUnit(metric, value) {
    const {unit} = data.metrics[metric];
    return unit && Number.isFinite(value) ? `${format(metric, value)} ${unit}` : format(metric, value);
  }

  function html(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  function svg(tag, attributes = {}, ...children) {
    const node = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  function mark(method, size = 12) {
    return svg("svg", {class: `mark m${data.colours[method]}`, viewBox: "-6 -6 12 12",
      width: size, height: size, "aria-hidden": "true"}, svg("path", {d: data.shapes[method]}));
  }

  /** Round numbers that cover [low, high]: at most about `count` of them. */
  function ticks(low, high, count) {
    const span = high - low || Math.abs(high) || 1;
    const raw = span / Math.max(3, count);
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].find((s) => s * power >= raw * 0.999) * power;
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) found.push(k * step);
    const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (step / power === 2.5 ? 1 : 0));
    return found.map((value) => ({value, text: value.toFixed(Math.min(places, 12))}));
  }

  function debounced(run, wait = 120) {
    let timer = 0;
    return (...given) => {
      clearTimeout(timer);
      timer = setTimeout(() => run(...given), wait);
    };
  }

  const tip = document.querySelector(".tip");
  /** Show lines beside a point of the window, or hide the box when there are none. */
  function showTip(lines, x = 0, y = 0) {
    tip.hidden = !lines;
    if (!lines) return;
    tip.replaceChildren(...lines.map((line, i) => html(i ? "span" : "strong", {}, line)));
    const {width, height} = tip.getBoundingClientRect();
    const room = document.documentElement.clientWidth - 8;
    tip.style.left = `${Math.max(8, Math.min(x + 14, room - width))}px`;
    tip.style.top = `${Math.max(8, y - height - 12)}px`;
  }

  let hiding = 0;
  /** Say something short at the bottom of the window, and to screen readers. */
  function say(text) {
    showTip([text], 16, globalThis.innerHeight - 16);
    clearTimeout(hiding);
    hiding = setTimeout(() => showTip(null), 4000);
  }

  return {data, format, withUnit, html, svg, mark, ticks, debounced, showTip, say};
})();
