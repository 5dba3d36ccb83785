// Sortable summary tables, and the table of every image, which draws only the rows in sight.
const tables = (() => {
  const {data, html, mark, format, debounced} = report;
  const ROW = 30;
  const MARGIN = 12;
  const BODY = 560;
  /** Metrics that have a value for each image. */
  const shown = () => data.metrics.map((_, k) => k)
    .filter((k) => data.metrics[k].level === "image");

  function press(head, heads, sign) {
    const before = head.getAttribute("aria-sort");
    const first = sign > 0 ? "descending" : "ascending";
    const now = before === first ? (first === "ascending" ? "descending" : "ascending") : first;
    for (const other of heads) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", now);
    return now === "ascending" ? 1 : -1;
  }

  /** Compare so that what is missing comes last whichever way the column is sorted. */
  function compare(a, b, way) {
    const [x, y] = [a, b].map((v) => (typeof v === "number" && Number.isNaN(v) ? null : v));
    if (x === null || y === null) return (x === null) - (y === null);
    if (typeof x === "string") return way * x.localeCompare(y, undefined, {numeric: true});
    return x === y ? 0 : way * (x < y ? -1 : 1);
  }

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.querySelector("button").addEventListener("click", () => {
        const way = press(head, heads, Number(head.dataset.sign || 0));
        const key = (row) => {
          const cell = row.cells[column];
          if (!column) return cell.textContent.trim();
          return cell.dataset.value === undefined ? NaN : readNumber(cell.dataset.value);
        };
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => compare(key(a), key(b), way));
        table.tBodies[0].append(...rows);
      });
    });
  }

  const readNumber = (text) => (text === "inf" ? Infinity : text === "-inf" ? -Infinity : Number(text));

  class EveryImage {
    constructor(host, select) {
      Object.assign(this, {host, select});
      this.order = data.rows.map((_, i) => i);
      this.problems = new Map(data.problems.map(([row, metric, text]) => [`${row}/${metric}`, text]));
      this.grouped = data.groups.length > 1;
      this.texts = data.rows.map(([group, content, method, image]) =>
        [data.contents[content], data.methods[method], image, data.groups[group].title]
          .join(" ").toLocaleLowerCase());
      this.#build();
      this.#apply();
    }

    #columns() {
      const text = [["image", (i) => data.contents[data.rows[i][1]]],
        ["method", (i) => data.methods[data.rows[i][2]]]];
      if (this.grouped) text.splice(1, 0, ["set", (i) => data.groups[data.rows[i][0]].title]);
      const values = shown().map((k) =>
        [data.metrics[k].name, (i) => data.values[k][i], data.metrics[k].sign, k]);
      return [...text, ...values];
    }

    #build() {
      const filter = html("input", {type: "search", placeholder: "Filter by image, method or set",
        "aria-label": "Filter rows", spellcheck: "false", autocomplete: "off"});
      filter.addEventListener("input", debounced(() => {
        this.wanted = filter.value.trim().toLocaleLowerCase();
        this.#apply();
      }, 80));
      this.count = html("span", {class: "soft num", role: "status"});
      this.columns = this.#columns();
      const row = html("tr");
      this.columns.forEach(([name, , sign, metric], c) => {
        const button = html("button", {type: "button"}, name);
        if (sign) button.append(html("span", {class: "dir"}, sign > 0 ? "↑" : "↓"));
        const head = html("th", {scope: "col", "aria-sort": "none",
          class: metric === undefined ? "" : "num"}, button);
        button.addEventListener("click", () => {
          this.sorted = [c, press(head, row.cells, sign || 0)];
          this.#apply();
        });
        row.append(head);
      });
      this.body = html("tbody");
      const table = html("table", {class: "images", "aria-rowcount": data.rows.length + 1},
        html("thead", {}, row), this.body);
      this.window = html("div", {class: "scroll tall", role: "region", tabindex: 0,
        "aria-label": "Every image"}, table);
      this.window.style.maxHeight = `${BODY}px`;
      this.window.addEventListener("scroll", () => {
        if (!this.frame) {
          this.frame = requestAnimationFrame(() => {
            this.frame = 0;
            this.#draw();
          });
        }
      });
      this.host.replaceChildren(html("div", {class: "filter"}, filter, this.count), this.window);
    }

    #apply() {
      const {wanted} = this;
      this.order = data.rows.map((_, i) => i).filter((i) => !wanted || this.texts[i].includes(wanted));
      if (this.sorted) {
        const [c, way] = this.sorted;
        const key = this.columns[c][1];
        this.order.sort((a, b) => compare(key(a), key(b), way) || a - b);
      }
      const all = data.rows.length.toLocaleString("en");
      this.count.textContent = wanted ? `${this.order.length.toLocaleString("en")} of ${all} rows`
        : `${all} rows`;
      this.window.scrollTop = 0;
      this.#draw();
    }

    #draw() {
      const first = Math.max(0, Math.floor(this.window.scrollTop / ROW) - MARGIN);
      const last = Math.min(this.order.length, first + Math.ceil(BODY / ROW) + 2 * MARGIN);
      const space = (count) => {
        const cell = html("td", {colspan: this.columns.length, class: "space"});
        cell.style.height = `${count * ROW}px`;
        return html("tr", {"aria-hidden": "true"}, cell);
      };
      this.body.replaceChildren(
        ...(first ? [space(first)] : []),
        ...this.order.slice(first, last).map((i, k) => this.#row(i, first + k)),
        ...(last < this.order.length ? [space(this.order.length - last)] : []),
      );
    }

    #row(i, place) {
      const [group, content, method, image] = data.rows[i];
      const open = html("button", {type: "button", title: image}, data.contents[content]);
      open.addEventListener("click", () => this.select(group, data.contents[content]));
      const row = html("tr", {"aria-rowindex": place + 2}, html("th", {scope: "row"}, open));
      if (this.grouped) row.append(html("td", {}, data.groups[group].title));
      row.append(html("td", {}, mark(method), data.methods[method]));
      shown().forEach((metric) => {
        const problem = this.problems.get(`${i}/${metric}`);
        const cell = html("td", {class: problem ? "num none" : "num"},
          format(metric, data.values[metric][i]));
        if (problem) cell.title = problem;
        row.append(cell);
      });
      return row;
    }
  }

  return {sortable, everyImage: (host, select) => new EveryImage(host, select)};
})();
