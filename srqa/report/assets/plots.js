// Distributions of images and the plane of perception and distortion, as SVG.
const plots = (() => {
  const {data, html, svg, format, withUnit, ticks, showTip} = report;
  const ROW = 36;
  const TOP = 8;
  const BOTTOM = 30;
  const MOST_DOTS = 800;
  const SPREAD = 10;
  let cards = [];
  let marked = null;

  function quantile(sorted, q) {
    const at = (sorted.length - 1) * q;
    const k = Math.floor(at);
    const next = sorted[Math.min(k + 1, sorted.length - 1)];
    return sorted[k] + (at - k) * (next - sorted[k]);
  }

  function clip(text, length) {
    return [...text].length > length ? `${[...text].slice(0, length - 1).join("")}…` : text;
  }

  /** A place across the strip that is the same for an image in every row. */
  function jitter(content) {
    const x = Math.sin((content + 1) * 12.9898) * 43758.5453;
    return (x - Math.floor(x) - 0.5) * 2;
  }

  function strips(group, metric) {
    const column = data.values[metric];
    const byMethod = new Map();
    data.rows.forEach(([g, , method], i) => {
      if (g !== group || Number.isNaN(column[i])) return;
      if (!byMethod.has(method)) byMethod.set(method, []);
      byMethod.get(method).push(i);
    });
    return [...byMethod].map(([method, rows]) => {
      const finite = rows.filter((i) => Number.isFinite(column[i]));
      finite.sort((a, b) => column[a] - column[b]);
      const summary = data.summary.find(
        (s) => s.group === group && s.metric === metric && s.method === method);
      return {method, rows: finite, infinite: rows.length - finite.length, summary,
        values: finite.map((i) => column[i])};
    });
  }

  function order(group) {
    const {sign} = data.metrics[data.primary];
    const place = new Map();
    data.summary.filter((s) => s.group === group && s.metric === data.primary)
      .sort((a, b) => (b.mean - a.mean) * (sign || 1)).forEach((s, i) => place.set(s.method, i));
    return (a, b) => (place.get(a.method) ?? 1e6) - (place.get(b.method) ?? 1e6);
  }

  class Card {
    constructor(group, metric, host, select) {
      Object.assign(this, {group, metric, host, select});
      this.strips = strips(group, metric).sort(order(group));
      const {name, sign, unit} = data.metrics[metric];
      const better = {1: "higher is better →", "-1": "← lower is better", 0: ""}[sign];
      this.node = html("figure", {class: "card"},
        html("figcaption", {}, html("strong", {}, name), ` ${unit}`,
          html("span", {class: "soft better"}, better)));
      host.append(this.node);
      this.ends = this.#ends();
      this.draw();
    }

    #ends() {
      let low = Infinity;
      let high = -Infinity;
      for (const {values, summary} of this.strips) {
        for (const x of [values[0], values.at(-1), summary?.low, summary?.high]) {
          if (Number.isFinite(x)) {
            low = Math.min(low, x);
            high = Math.max(high, x);
          }
        }
      }
      if (low > high) return [0, 1];
      const pad = (high - low || Math.abs(high) || 1) * 0.04;
      return [low - pad, high + pad];
    }

    draw() {
      const width = Math.max(260, this.node.clientWidth);
      const longest = Math.max(...this.strips.map((s) => [...data.methods[s.method]].length));
      const left = Math.round(Math.min(42 + longest * 7.2, width * 0.32));
      const right = this.strips.some((s) => s.infinite) ? 58 : 14;
      const height = TOP + this.strips.length * ROW + BOTTOM;
      const [low, high] = this.ends;
      this.x = (v) => left + ((v - low) / (high - low)) * (width - left - right);
      this.y = (i) => TOP + (i + 0.5) * ROW;
      const plot = svg("svg", {viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: "img",
        "aria-label": this.#words()});
      for (const tick of ticks(low, high, (width - left) / 80)) {
        const x = this.x(tick.value);
        plot.append(svg("line", {class: "grid", x1: x, x2: x, y1: TOP, y2: height - BOTTOM + 4}));
        const label = svg("text", {class: "tick", x, y: height - 8, "text-anchor": "middle"});
        label.textContent = tick.text;
        plot.append(label);
      }
      this.strips.forEach((strip, i) => this.#strip(plot, strip, i, left, width));
      this.ring = svg("g", {class: "ring"});
      plot.append(this.ring);
      plot.addEventListener("pointermove", (event) => this.#hover(event));
      plot.addEventListener("pointerleave", () => highlight(null));
      plot.addEventListener("click", (event) => this.#click(event));
      plot.addEventListener("keydown", (event) => this.#key(event));
      plot.addEventListener("blur", () => highlight(null));
      this.plot?.remove();
      this.plot = plot;
      this.node.append(plot);
    }

    #words() {
      const {name} = data.metrics[this.metric];
      const parts = this.strips.map(({method, summary}) =>
        `${data.methods[method]} ${summary ? withUnit(this.metric, summary.mean) : ""}`);
      return `Distribution of ${name} over images. Means: ${parts.join(", ")}. `
        + "Arrow keys go through the images, Enter shows one.";
    }

    #strip(plot, strip, i, left, width) {
      const y = this.y(i);
      const {method, values, summary} = strip;
      const label = svg("text", {class: "label", x: 17, y: y + 4.5});
      label.textContent = clip(data.methods[method], Math.floor((left - 30) / 7));
      label.append(svg("title", {}, data.methods[method]));
      const shape = svg("path", {class: "shape", d: data.shapes[method],
        transform: `translate(6 ${y})`});
      const group = svg("g", {class: `strip m${data.colours[method]}`}, shape, label);
      plot.append(group);
      if (values.length > 4) {
        const [a, b, c] = [0.25, 0.5, 0.75].map((q) => this.x(quantile(values, q)));
        group.append(svg("rect", {class: "box", x: a, width: Math.max(1, c - a), y: y - 12, height: 24,
          rx: 2}), svg("line", {class: "median", x1: b, x2: b, y1: y - 12, y2: y + 12}));
      }
      const step = Math.max(1, Math.ceil(values.length / MOST_DOTS));
      strip.drawn = step;
      const dots = strip.rows.filter((_, k) => k % step === 0 || k === strip.rows.length - 1)
        .map((row) => {
          const at = this.#at(strip, i, row);
          return `M${at.x.toFixed(1)} ${at.y.toFixed(1)}h0`;
        });
      const size = values.length > 300 ? 3 : values.length > 60 ? 4.5 : 6.5;
      group.append(svg("path", {class: "dots", d: dots.join(""), "stroke-width": size,
        opacity: values.length > 300 ? 0.35 : 0.6}));
      if (summary && Number.isFinite(summary.mean)) {
        const x = this.x(summary.mean);
        if (Number.isFinite(summary.low)) {
          group.append(svg("line", {class: "whisker", x1: this.x(summary.low),
            x2: this.x(summary.high), y1: y, y2: y}));
        }
        group.append(svg("path", {class: "diamond", d: `M${x} ${y - 6.5}l5.5 6.5l-5.5 6.5l-5.5 -6.5Z`}));
      }
      if (strip.infinite) {
        const text = svg("text", {class: "tick", x: width - 6, y: y + 4, "text-anchor": "end"});
        text.textContent = `∞ × ${strip.infinite}`;
        group.append(text);
      }
    }

    #at(strip, i, row) {
      const few = strip.rows.length < 30 ? 0.7 : 1;
      return {x: this.x(data.values[this.metric][row]),
        y: this.y(i) + jitter(data.rows[row][1]) * SPREAD * few};
    }

    #nearest(event) {
      const box = this.plot.getBoundingClientRect();
      const scale = this.plot.viewBox.baseVal.width / box.width;
      const x = (event.clientX - box.left) * scale;
      const y = (event.clientY - box.top) * scale;
      const i = Math.floor((y - TOP) / ROW);
      const strip = this.strips[i];
      if (!strip) return null;
      let found = null;
      let least = 16 ** 2;
      for (const row of strip.rows) {
        const at = this.#at(strip, i, row);
        const far = (at.x - x) ** 2 + ((at.y - y) * 0.8) ** 2;
        if (far < least) [least, found] = [far, row];
      }
      return found;
    }

    #hover(event) {
      const row = this.#nearest(event);
      this.plot.classList.toggle("hot", row !== null);
      highlight(row);
      if (row !== null) showTip(this.#lines(row), event.clientX, event.clientY);
    }

    #lines(row) {
      const [, content, method] = data.rows[row];
      const value = data.values[this.metric][row];
      const all = this.strips.map((s) => data.rowOf.get(`${this.group}/${content}/${s.method}`))
        .filter((r) => r !== undefined).map((r) => data.values[this.metric][r])
        .filter((v) => !Number.isNaN(v));
      const {name, sign} = data.metrics[this.metric];
      const place = 1 + all.filter((v) => sign * v > sign * value).length;
      const rank = sign && all.length > 1 ? `, ${place} of ${all.length}` : "";
      return [data.contents[content], data.methods[method],
        `${name} ${withUnit(this.metric, value)}${rank}`];
    }

    #click(event) {
      const row = this.#nearest(event);
      if (row !== null) this.select(this.group, data.contents[data.rows[row][1]]);
    }

    #key(event) {
      const moves = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]};
      if (event.key === "Enter" && this.at) {
        const row = this.strips[this.at[0]].rows[this.at[1]];
        this.select(this.group, data.contents[data.rows[row][1]]);
        return;
      }
      if (!moves[event.key] || !this.strips.length) return;
      event.preventDefault();
      const [i, k] = this.at || [0, -1];
      const [down, along] = moves[event.key];
      const line = Math.min(Math.max(i + down, 0), this.strips.length - 1);
      const {rows} = this.strips[line];
      if (!rows.length) return;
      this.at = [line, Math.min(Math.max(k + along, 0), rows.length - 1)];
      const row = rows[this.at[1]];
      highlight(row);
      const at = this.#at(this.strips[line], line, row);
      const box = this.plot.getBoundingClientRect();
      const scale = box.width / this.plot.viewBox.baseVal.width;
      showTip(this.#lines(row), box.left + at.x * scale, box.top + at.y * scale);
    }

    /** Ring the same image in every row, and join the rings. */
    mark(group, content) {
      this.ring.replaceChildren();
      if (group !== this.group) return;
      const points = [];
      this.strips.forEach((strip, i) => {
        const row = data.rowOf.get(`${group}/${content}/${strip.method}`);
        if (row === undefined || !Number.isFinite(data.values[this.metric][row])) return;
        points.push(this.#at(strip, i, row));
      });
      const line = points.map(({x, y}, i) => `${i ? "L" : "M"}${x} ${y}`).join("");
      this.ring.append(svg("path", {class: "thread", d: line}),
        ...points.map(({x, y}) => svg("circle", {cx: x, cy: y, r: 5.5})));
    }
  }

  function highlight(row) {
    const now = row === null ? null : `${data.rows[row][0]}/${data.rows[row][1]}`;
    if (now === marked) return;
    marked = now;
    if (row === null) showTip(null);
    const [group, content] = row === null ? [-1, -1] : data.rows[row];
    for (const card of cards) card.mark(group, content);
  }

  function distributions(host, group, select) {
    host.replaceChildren();
    marked = null;
    cards = data.metrics.map((_, metric) => metric)
      .filter((metric) => strips(group, metric).some((s) => s.rows.length || s.infinite))
      .map((metric) => new Card(group, metric, host, select));
    return cards.length;
  }

  /** Methods by a metric of fidelity (across) and one of perceived quality (up). */
  function plane(host, group, across, up) {
    const find = (method, metric) => data.summary.find((s) =>
      s.group === group && s.method === method && s.metric === metric && Number.isFinite(s.mean));
    const points = data.methods.map((_, m) => ({m, a: find(m, across), b: find(m, up)}))
      .filter(({a, b}) => a && b);
    const lines = ({m, a, b}) => [data.methods[m], ...[[across, a], [up, b]].map(spoken)];
    scatter(host, points, {
      across: (from, to) => scale(points.map((p) => p.a), across, from, to),
      up: (from, to) => scale(points.map((p) => p.b), up, from, to),
      names: [axis(across, "better →"), axis(up, "better →")],
      title: `${data.metrics[across].name} against ${data.metrics[up].name}`,
      lines,
    });
  }

  /** Methods by what they cost (across, logarithmic) and by a metric (up). */
  function cost(host, group, kind, metric) {
    const {name, field} = data.cost_names[kind];
    const points = data.costs.filter((row) => row[0] === group && row[2 + kind])
      .map((row) => ({m: row[1], a: {mean: row[2 + kind]}, b: data.summary.find((s) =>
        s.group === group && s.method === row[1] && s.metric === metric && Number.isFinite(s.mean))}))
      .filter(({b}) => b);
    if (!points.length) {
      host.replaceChildren(html("p", {class: "soft"}, "No method has both."));
      return;
    }
    scatter(host, points, {
      across: (from, to) => decades(points.map((p) => p.a.mean), field, from, to),
      up: (from, to) => scale(points.map((p) => p.b), metric, from, to),
      names: [`← cheaper   ${name}`, axis(metric, "better →")],
      title: `${name} against ${data.metrics[metric].name}`,
      lines: ({m, a, b}) => [data.methods[m], `${name} ${short(field, a.mean)}`, spoken([metric, b])],
    });
  }

  function spoken([metric, s]) {
    return `${data.metrics[metric].name} ${withUnit(metric, s.mean)}`
      + (Number.isFinite(s.low) ? ` [${format(metric, s.low)}, ${format(metric, s.high)}]` : "");
  }

  /** A cost with its prefix, as in the table. */
  function short(field, value) {
    if (field === "seconds_a_megapixel") return `${Number(value.toPrecision(3))}`;
    const power = Math.max(0, Math.min(4, Math.floor(Math.log10(value) / 3 + 1e-9)));
    const unit = `${["", "K", "M", "G", "T"][power]}${field === "memory" ? "B" : ""}`;
    return `${Number((value / 1000 ** power).toPrecision(3))} ${unit}`.trim();
  }

  /** Points in a plane of two axes, each of which turns values into places and gives its ticks. */
  function scatter(host, points, {across, up, names, title, lines}) {
    const width = Math.max(300, host.clientWidth);
    const height = Math.round(Math.min(520, Math.max(320, width * 0.5)));
    const box = {left: 66, right: 26, top: 18, bottom: 56};
    const horizontal = across(box.left, width - box.right);
    const vertical = up(height - box.bottom, box.top);
    const words = points.map((p) => lines(p).join(", ")).join("; ");
    const plot = svg("svg", {viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": `${title}: ${words}`});
    for (const {value, text} of horizontal.ticks(width / 110)) {
      const x = horizontal.at(value);
      plot.append(svg("line", {class: "grid", x1: x, x2: x, y1: box.top, y2: height - box.bottom}),
        svg("text", {class: "tick", x, y: height - box.bottom + 18, "text-anchor": "middle"}, text));
    }
    for (const {value, text} of vertical.ticks(height / 70)) {
      const y = vertical.at(value);
      plot.append(svg("line", {class: "grid", y1: y, y2: y, x1: box.left, x2: width - box.right}),
        svg("text", {class: "tick", x: box.left - 8, y: y + 4, "text-anchor": "end"}, text));
    }
    plot.append(
      svg("text", {class: "axis", x: width - box.right, y: height - 12, "text-anchor": "end"},
        names[0]),
      svg("text", {class: "axis", x: 0, y: 0, "text-anchor": "end",
        transform: `translate(16 ${box.top}) rotate(-90)`}, names[1]));
    plot.append(...spots(points, horizontal, vertical, width));
    host.replaceChildren(plot);
    host.querySelectorAll(".spot").forEach((spot) => {
      const told = lines(points.find((p) => p.m === Number(spot.dataset.method)));
      spot.addEventListener("pointermove", (e) => showTip(told, e.clientX, e.clientY));
      spot.addEventListener("pointerleave", () => showTip(null));
    });
  }

  function axis(metric, better) {
    const {name, sign, unit} = data.metrics[metric];
    const reversed = sign < 0 ? ", axis reversed" : "";
    return `${name}${unit ? ` (${unit})` : ""}${reversed}${sign ? `   ${better}` : ""}`;
  }

  /** Values to places; better values always lie towards `to`. */
  function scale(entries, metric, from, to) {
    const known = entries.flatMap((s) => [s.mean, s.low, s.high]).filter(Number.isFinite);
    let low = Math.min(...known);
    let high = Math.max(...known);
    const pad = (high - low || Math.abs(high) || 1) * 0.08;
    [low, high] = [low - pad, high + pad];
    const turned = data.metrics[metric].sign < 0;
    const at = (v) => {
      const share = (v - low) / (high - low);
      return from + (turned ? 1 - share : share) * (to - from);
    };
    return {at, ticks: (count) => ticks(low, high, count)};
  }

  /** The same for costs, on a logarithmic axis. */
  function decades(values, field, from, to) {
    const low = Math.log10(Math.min(...values));
    const high = Math.log10(Math.max(...values));
    const pad = Math.max((high - low) * 0.08, 0.12);
    const at = (v) => from + ((Math.log10(v) - low + pad) / (high - low + 2 * pad)) * (to - from);
    const round = (count) => {
      const found = [];
      for (let power = Math.floor(low - pad); power <= high + pad; power++) {
        for (const step of high - low > count - 2 ? [1] : high - low > 1 ? [1, 3] : [1, 2, 5]) {
          const value = step * 10 ** power;
          const place = Math.log10(value);
          if (place >= low - pad && place <= high + pad) found.push({value, text: short(field, value)});
        }
      }
      return found;
    };
    return {at, ticks: round};
  }

  /** Marks with their intervals, then names where they cover neither marks nor each other. */
  function spots(points, horizontal, vertical, width) {
    const placed = points.map((p) => ({...p, x: horizontal.at(p.a.mean), y: vertical.at(p.b.mean)}));
    const taken = placed.map(({x, y}) => [x - 9, y - 9, x + 9, y + 9]);
    const whiskers = svg("g");
    const marks = svg("g");
    const names = svg("g");
    for (const {m, a, b, x, y} of placed) {
      const colour = `m${data.colours[m]}`;
      if (Number.isFinite(a.low)) {
        whiskers.append(svg("line", {class: `whisker ${colour}`, x1: horizontal.at(a.low),
          x2: horizontal.at(a.high), y1: y, y2: y}));
      }
      if (Number.isFinite(b.low)) {
        whiskers.append(svg("line", {class: `whisker ${colour}`, x1: x, x2: x,
          y1: vertical.at(b.low), y2: vertical.at(b.high)}));
      }
      marks.append(svg("path", {class: `spot ${colour}`, "data-method": m, d: data.shapes[m],
        transform: `translate(${x} ${y}) scale(1.6)`}));
      names.append(...named({m, x, y}, taken, width));
    }
    return [whiskers, names, marks];
  }

  function named({m, x, y}, taken, width) {
    const text = clip(data.methods[m], 26);
    const wide = [...text].length * 7.6;
    const sides = x + 14 + wide > width ? [-1] : x - 14 - wide < 60 ? [1] : [1, -1];
    const steps = [-8, 18, -24, 34, -40, 50, -56, 66, -72, 82];
    const spots = steps.flatMap((dy) => sides.map((side) => ({side, dy})));
    const box = ({side, dy}) => {
      const left = side > 0 ? x + 12 : x - 12 - wide;
      return [left, y + dy - 12, left + wide, y + dy + 4];
    };
    const free = (b) => taken.every((t) => b[2] < t[0] || b[0] > t[2] || b[3] < t[1] || b[1] > t[3]);
    const best = spots.find((spot) => free(box(spot))) || spots[0];
    taken.push(box(best));
    const at = x + 12 * best.side;
    const label = svg("text", {class: "name", x: at, y: y + best.dy,
      "text-anchor": best.side > 0 ? "start" : "end"}, text);
    const far = Math.abs(best.dy) > 20;
    const thread = svg("line", {class: "leader", x1: x, y1: y, x2: at, y2: y + best.dy - 4});
    return far ? [thread, label] : [label];
  }

  return {distributions, plane, cost, redraw: () => cards.forEach((card) => card.draw())};
})();
