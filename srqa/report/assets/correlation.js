// The page of metrics against people: ranking, scatter plots that point at each other, steps of size.
(() => {
  const {data, html, svg, mark, format, withUnit, ticks, debounced, showTip, say} = report;
  const root = document.documentElement;
  const find = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const {points} = data;
  const known = (x) => x !== null && Number.isFinite(x);
  const plain = (x, places = 3) => (known(x) ? x.toFixed(places).replace("-", "−") : "–");
  const FIGURES = [["srocc", "SROCC, ranks"], ["plcc", "PLCC, after the curve"], ["krcc", "KRCC"],
    ["within", "SROCC within contents"], ["plcc_raw", "PLCC, raw values"], ["plcc_cv", "PLCC, held-out contents"]];
  let figure = "srocc";

  function picker(label, entries, now, changed) {
    const select = html("select", {}, ...entries.map(([value, text]) => html("option", {value}, text)));
    select.value = now;
    select.addEventListener("change", () => changed(select.value));
    return html("label", {class: "pick"}, `${label} `, select);
  }

  // -- ranking ------------------------------------------------------------------------------------

  function forest(host) {
    const entries = data.metrics.map((m, i) => ({m, i, f: data.figures[figure][i]}))
      .filter(({f}) => known(f[0])).sort((a, b) => b.f[0] - a.f[0]);
    const width = Math.max(300, host.clientWidth);
    const longest = Math.max(...entries.map(({m}) => [...m.name].length));
    const tiered = figure === "srocc";
    const left = Math.round(Math.min(26 + longest * 7.6 + (tiered ? 34 : 0), width * 0.42));
    const right = width > 560 ? 150 : 20;
    const row = 30;
    const height = 14 + entries.length * row + 40;
    const values = entries.flatMap(({f}) => f).filter(known);
    const top = known(data.ceiling) ? Math.max(data.ceiling, ...values) : Math.max(...values);
    const low = Math.min(...values, top - 0.2);
    const pad = (top - low) * 0.04;
    const ends = [Math.max(-1, low - pad), Math.min(1, top + pad)];
    const x = (v) => left + ((v - ends[0]) / (ends[1] - ends[0])) * (width - left - right);
    const words = entries.map(({m, f}) => `${m.name} ${plain(f[0])}`).join(", ");
    const plot = svg("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words});
    for (const {value, text} of ticks(...ends, (width - left - right) / 80)) {
      plot.append(svg("line", {class: "axisline", x1: x(value), x2: x(value), y1: 8, y2: height - 34}),
        svg("text", {class: "tick", x: x(value), y: height - 16, "text-anchor": "middle"}, text));
    }
    if (known(data.ceiling) && figure !== "within") {
      const at = x(data.ceiling);
      plot.append(svg("line", {class: "ceiling", x1: at, x2: at, y1: 4, y2: height - 34}),
        svg("text", {class: "ceiling-name", x: Math.min(at, width - 4), y: height - 2, "text-anchor": "end"},
          `noise ceiling ${plain(data.ceiling)}`));
    }
    entries.forEach(({m, f}, k) => {
      const y = 14 + (k + 0.5) * row;
      const line = svg("g", {class: "row"},
        svg("rect", {class: "band", x: 0, y: y - row / 2, width, height: row}),
        svg("text", {class: "label", x: left - (tiered ? 46 : 14), y: y + 4.5, "text-anchor": "end"}, m.name));
      if (tiered) line.append(svg("text", {class: "tick", x: left - 14, y: y + 4.5, "text-anchor": "end"}, m.tier));
      if (known(f[1])) line.append(svg("line", {class: "whisker", x1: x(f[1]), x2: x(f[2]), y1: y, y2: y}));
      line.append(svg("circle", {class: "dot", cx: x(f[0]), cy: y, r: 5.5}));
      if (right > 100) {
        line.append(svg("text", {class: "value", x: width, y: y + 4.5, "text-anchor": "end"},
          known(f[1]) ? `${plain(f[0])} [${plain(f[1], 2)}, ${plain(f[2], 2)}]` : plain(f[0])));
      }
      const lines = [m.name, ...FIGURES.filter(([name]) => known(data.figures[name][data.metrics.indexOf(m)][0]))
        .map(([name, text]) => {
          const [v, a, b] = data.figures[name][data.metrics.indexOf(m)];
          return `${text}: ${plain(v)}${known(a) ? ` [${plain(a)}, ${plain(b)}]` : ""}`;
        })];
      line.addEventListener("pointermove", (e) => showTip(lines, e.clientX, e.clientY));
      line.addEventListener("pointerleave", () => showTip(null));
      plot.append(line);
    });
    host.replaceChildren(plot);
  }

  function startRanking() {
    find("#ranking").hidden = false;
    const host = find("#ranking .forest");
    const draw = () => forest(host);
    const entries = FIGURES.filter(([name]) => data.figures[name].some(([v]) => known(v)));
    find("#ranking .picks").append(picker("By", entries, figure, (name) => {
      figure = name;
      draw();
    }));
    draw();
    return draw;
  }

  // -- scatter plots ------------------------------------------------------------------------------

  let cards = [];
  let held = null;

  class Scatter {
    constructor(metric, host) {
      Object.assign(this, {metric, host});
      const {name, unit} = data.metrics[metric];
      const [srocc] = data.figures.srocc[metric];
      const [plcc] = data.figures.plcc[metric];
      this.node = html("figure", {class: "card"}, html("figcaption", {}, html("strong", {}, name), ` ${unit}`,
        html("span", {class: "facts"}, `SROCC ${plain(srocc)}   PLCC ${plain(plcc)}`)));
      host.append(this.node);
      this.draw();
    }

    draw() {
      const width = Math.max(260, this.node.clientWidth);
      const height = Math.round(width * 0.72);
      const box = {left: 44, right: 10, top: 10, bottom: 34};
      const values = points.values[this.metric];
      const spanOf = (list) => {
        const clean = list.filter(known);
        const [low, high] = [Math.min(...clean), Math.max(...clean)];
        const pad = (high - low || Math.abs(high) || 1) * 0.04;
        return [low - pad, high + pad];
      };
      const curve = data.metrics[this.metric].curve;
      const across = spanOf(values);
      const up = spanOf(points.score);
      this.x = (v) => box.left + ((v - across[0]) / (across[1] - across[0])) * (width - box.left - box.right);
      this.y = (v) => height - box.bottom - ((v - up[0]) / (up[1] - up[0])) * (height - box.top - box.bottom);
      const {name, sign, unit} = data.metrics[this.metric];
      const plot = svg("svg", {viewBox: `0 0 ${width} ${height}`, role: "img", tabindex: 0,
        "aria-label": `${name} against ${data.unit} of ${points.of} pictures. Arrow keys go through them.`});
      for (const {value, text} of ticks(...across, width / 90)) {
        plot.append(svg("line", {class: "grid", x1: this.x(value), x2: this.x(value), y1: box.top,
          y2: height - box.bottom}), svg("text", {class: "tick", x: this.x(value), y: height - box.bottom + 15,
          "text-anchor": "middle"}, text));
      }
      for (const {value, text} of ticks(...up, height / 55)) {
        plot.append(svg("line", {class: "grid", y1: this.y(value), y2: this.y(value), x1: box.left,
          x2: width - box.right}), svg("text", {class: "tick", x: box.left - 6, y: this.y(value) + 4,
          "text-anchor": "end"}, text));
      }
      const better = {1: "better →", "-1": "← better", 0: ""}[sign];
      plot.append(svg("text", {class: "axis", x: width - box.right, y: height - 3, "text-anchor": "end"},
        `${name}${unit ? ` (${unit})` : ""}  ${better}`),
      svg("text", {class: "axis", x: 0, y: 0, "text-anchor": "end",
        transform: `translate(12 ${box.top}) rotate(-90)`}, `${data.unit}  better →`));
      const size = points.score.length > 400 ? 0.55 : points.score.length > 120 ? 0.8 : 1;
      const byMethod = new Map();
      values.forEach((v, i) => {
        if (!known(v)) return;
        const m = points.method[i];
        if (!byMethod.has(m)) byMethod.set(m, []);
        byMethod.get(m).push(i);
      });
      for (const [m, rows] of byMethod) {
        const group = svg("g", {class: `m${data.colours[m]}`});
        for (const i of rows) {
          group.append(svg("path", {class: "pt", d: data.shapes[m],
            transform: `translate(${this.x(values[i]).toFixed(1)} ${this.y(points.score[i]).toFixed(1)}) scale(${size})`}));
        }
        plot.append(group);
      }
      if (curve.length) {
        const inside = curve[0].map((v, k) => [v, curve[1][k]]).filter(([, b]) => known(b) && b >= up[0] && b <= up[1]);
        const d = inside.map(([a, b], k) => `${k ? "L" : "M"}${this.x(a).toFixed(1)} ${this.y(b).toFixed(1)}`).join("");
        plot.append(svg("path", {class: "fit", d}));
      }
      this.pins = svg("g");
      plot.append(this.pins);
      plot.addEventListener("pointermove", (e) => this.#hover(e));
      plot.addEventListener("pointerleave", () => this.#leave());
      plot.addEventListener("click", (e) => this.#click(e));
      plot.addEventListener("keydown", (e) => this.#key(e));
      plot.addEventListener("blur", () => this.#leave());
      this.plot?.remove();
      this.plot = plot;
      this.node.append(plot);
      this.order = values.map((_, i) => i).filter((i) => known(values[i])).sort((a, b) => values[a] - values[b]);
    }

    #nearest(event) {
      const box = this.plot.getBoundingClientRect();
      const scale = this.plot.viewBox.baseVal.width / box.width;
      const [x, y] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
      let [found, least] = [null, 18 ** 2];
      points.values[this.metric].forEach((v, i) => {
        if (!known(v)) return;
        const far = (this.x(v) - x) ** 2 + (this.y(points.score[i]) - y) ** 2;
        if (far < least) [least, found] = [far, i];
      });
      return found;
    }

    #hover(event) {
      const i = this.#nearest(event);
      this.plot.classList.toggle("hot", i !== null);
      point(i);
      if (i === null) showTip(null);
      else tell(i, this.metric, event.clientX, event.clientY);
    }

    #leave() {
      point(null);
      showTip(null);
    }

    #click(event) {
      const i = this.#nearest(event);
      const content = i === null ? null : points.content[i];
      held = content === held || i === null ? null : content;
      if (held !== null && data.contents[held]) say(`Holding on to ${data.contents[held]}. Click again to let go.`);
      point(i);
    }

    #key(event) {
      const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
      if (event.key === "Escape") held = null;
      if (!step) return;
      event.preventDefault();
      this.at = Math.min(Math.max((this.at ?? (step > 0 ? -1 : this.order.length)) + step, 0), this.order.length - 1);
      const i = this.order[this.at];
      point(i);
      const box = this.plot.getBoundingClientRect();
      const scale = box.width / this.plot.viewBox.baseVal.width;
      tell(i, this.metric, box.left + this.x(points.values[this.metric][i]) * scale,
        box.top + this.y(points.score[i]) * scale);
    }

    /** Ring pictures; the one pointed at shows the interval of its score. */
    pin(rows, main) {
      this.pins.replaceChildren(...rows.flatMap((i) => {
        const v = points.values[this.metric][i];
        if (!known(v)) return [];
        const [x, y] = [this.x(v), this.y(points.score[i])];
        const half = points.half[i];
        const ring = svg("circle", {class: "pin", cx: x, cy: y, r: i === main ? 7 : 5});
        if (i !== main || !known(half)) return [ring];
        return [svg("line", {class: "pinbar", x1: x, x2: x, y1: this.y(points.score[i] - half),
          y2: this.y(points.score[i] + half)}), ring];
      }));
    }
  }

  function point(i) {
    const rows = held === null ? [] : points.content.flatMap((c, k) => (c === held ? [k] : []));
    if (i !== null && !rows.includes(i)) rows.push(i);
    for (const card of cards) card.pin(rows, i);
  }

  function tell(i, metric, x, y) {
    const half = points.half[i];
    const content = data.contents[points.content[i]];
    const method = data.methods[points.method[i]];
    const score = `${data.unit} ${plain(points.score[i], 2)}${known(half) ? ` ± ${plain(half, 2)}` : ""}`;
    const lines = [content || points.name[i], method === "all pictures" ? points.name[i] : method, score,
      `${data.metrics[metric].name} ${withUnit(metric, points.values[metric][i])}`];
    showTip(lines, x, y);
    const uri = points.thumbs[i];
    if (!uri) return;
    const tip = find(".tip");
    tip.prepend(html("img", {src: uri, alt: ""}));
    const {height} = tip.getBoundingClientRect();
    tip.style.top = `${Math.max(8, y - Math.max(height, 130) - 12)}px`;
  }

  function startScatters() {
    const host = find("#scatter .cards");
    host.classList.toggle("many", points.score.length > 400);
    const key = find("#scatter .methods-key");
    if (data.methods.length > 1) {
      key.append(...data.methods.map((name, m) => html("span", {}, mark(m), name)));
    }
    if (points.of > points.score.length) {
      key.append(html("span", {}, `${points.score.length.toLocaleString("en")} of ${points.of.toLocaleString("en")} pictures are drawn.`));
    }
    cards = data.metrics.map((_, metric) => new Scatter(metric, host));
  }

  // -- what a difference means ---------------------------------------------------------------------

  function steps(host) {
    host.replaceChildren();
    data.steps.forEach(({classes, threshold}, metric) => {
      const {name, unit} = data.metrics[metric];
      const node = html("figure", {class: "card"}, html("figcaption", {}, html("strong", {}, name),
        ` difference${unit ? ` in ${unit}` : ""}`));
      host.append(node);
      const width = Math.max(260, node.clientWidth);
      const height = 190;
      const box = {left: 34, right: 8, top: 8, bottom: 34};
      const each = (width - box.left - box.right) / classes.length;
      const y = (share) => box.top + (1 - share) * (height - box.top - box.bottom);
      const edges = [classes[0][0], ...classes.map((c) => c[1])];
      const plot = svg("svg", {viewBox: `0 0 ${width} ${height}`, role: "img",
        "aria-label": classes.map(([low, high, , agree, , disagree]) => `${format(metric, low)} to `
          + `${format(metric, high)}: ${Math.round(agree * 100)} % agree, ${Math.round(disagree * 100)} % disagree`).join("; ")});
      for (const share of [0, 0.5, 1]) {
        plot.append(svg("text", {class: "tick", x: box.left - 6, y: y(share) + 4, "text-anchor": "end"},
          `${share * 100}%`));
      }
      classes.forEach(([low, high, pairs, agree, undecided, disagree], k) => {
        const x = box.left + k * each;
        const group = svg("g", {class: "step"});
        let base = 0;
        for (const [kind, share] of [["disagree", disagree], ["undecided", undecided], ["agree", agree]]) {
          group.append(svg("rect", {class: kind, x: x + 1, width: each - 2, y: y(base + share),
            height: Math.max(0, y(base) - y(base + share))}));
          base += share;
        }
        const percent = (v) => `${Math.round(v * 100)} %`;
        group.addEventListener("pointermove", (e) => showTip([
          `${name} differs by ${brief(low)} to ${withUnit(metric, high)}`, `${percent(agree)}: people side with it`,
          `${percent(undecided)}: people see no difference`, `${percent(disagree)}: people say the opposite`,
          `${pairs.toLocaleString("en")} pairs`], e.clientX, e.clientY));
        group.addEventListener("pointerleave", () => showTip(null));
        plot.append(group);
      });
      edges.forEach((edge, k) => {
        if (width / classes.length < 46 && k % 2) return;
        plot.append(svg("text", {class: "tick", x: box.left + k * each, y: height - box.bottom + 15,
          "text-anchor": k === classes.length ? "end" : "middle"}, brief(edge)));
      });
      const [value, low, high] = threshold;
      const place = (v) => {
        const k = edges.findIndex((edge, j) => j && v <= edge);
        if (k < 1) return box.left + (v <= edges[0] ? 0 : classes.length * each);
        const share = (v - edges[k - 1]) / (edges[k] - edges[k - 1] || 1);
        return box.left + (k - 1 + share) * each;
      };
      if (known(value)) {
        if (known(low)) {
          plot.append(svg("rect", {class: "threshold-band", x: place(low), width: Math.max(1, place(high) - place(low)),
            y: box.top, height: height - box.top - box.bottom}));
        }
        plot.append(svg("line", {class: "threshold", x1: place(value), x2: place(value), y1: box.top - 4,
          y2: height - box.bottom}),
        svg("text", {class: "axis", x: width - box.right, y: height - 3, "text-anchor": "end"},
          `95 % threshold ${withUnit(metric, value)}`));
      }
      node.append(plot);
    });
  }

  function brief(value) {
    if (!value) return "0";
    const magnitude = Math.floor(Math.log10(Math.abs(value)));
    return magnitude < -4 ? value.toExponential(1) : value.toFixed(Math.max(0, 1 - magnitude));
  }

  function startSteps() {
    const host = find("#noticed .steps");
    if (!host || !data.steps.length) return () => {};
    host.before(html("p", {class: "legend methods-key"},
      ...[["m0", "people side with the metric"], ["line", "people see no difference"], ["m1", "people say the opposite"]]
        .map(([kind, text]) => html("span", {}, svg("svg", {class: "mark", viewBox: "0 0 12 12", "aria-hidden": "true"},
          svg("rect", {width: 12, height: 12, rx: 2, fill: `var(--${kind})`})), text))));
    const draw = () => steps(host);
    draw();
    return draw;
  }

  // -- start ---------------------------------------------------------------------------------------

  function startCopying() {
    const button = find("button.copy");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = all(".prose > p").map((p) => p.textContent).join("\n\n");
      let done = false;
      try {
        await navigator.clipboard.writeText(text);
        done = true;
      } catch {
        getSelection().selectAllChildren(find(".prose"));
        done = document.execCommand("copy");
      }
      button.textContent = done ? button.dataset.done : "Selected";
      setTimeout(() => { button.textContent = "Copy"; }, 1600);
    });
  }

  root.classList.add("js");
  theme.start();
  for (const id of ["noticed", "disagreements", "parts"]) {
    const section = find(`#${id}`);
    if (section.querySelector("table, article")) continue;
    section.hidden = true;
    all(`a[href="#${id}"]`).forEach((link) => { link.hidden = true; });
  }
  all("table.sortable").forEach(tables.sortable);
  const redrawRanking = startRanking();
  startScatters();
  const redrawSteps = startSteps();
  startCopying();
  globalThis.srqaCorrelation = {data, cards: () => cards, get held() { return held; }};
  let width = innerWidth;
  addEventListener("resize", debounced(() => {
    if (innerWidth === width) return;
    width = innerWidth;
    redrawRanking();
    redrawSteps();
    for (const card of cards) card.draw();
  }));
  addEventListener("scroll", () => showTip(null), {passive: true});
})();
