// Starts everything: theme, toggles, plots, pictures, the table of images.
(() => {
  const {data, html} = report;
  const root = document.documentElement;
  const find = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  function cells(name) {
    root.dataset.cells = name;
    all("[data-cells-to]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.cellsTo === name));
    });
  }

  function reveal(id) {
    find(`#${id}`).hidden = false;
    all(`[data-needs="${id}"]`).forEach((link) => { link.hidden = false; });
  }

  function picker(label, entries, now, changed) {
    const select = html("select", {}, ...entries.map(([value, text]) => html("option", {value}, text)));
    select.value = now;
    select.addEventListener("change", () => changed(Number(select.value)));
    return html("label", {class: "pick"}, `${label} `, select);
  }

  function startDistributions(select) {
    if (!data.rows.length) return;
    reveal("distributions");
    const host = find("#distributions .cards");
    const draw = (group) => plots.distributions(host, group, select);
    if (data.groups.length > 1) {
      const pick = find("[data-group-pick]");
      const entries = data.groups.map((g, i) => [i, g.title || `set ${i + 1}`]);
      pick.replaceWith(picker("Set", entries, 0, draw));
    }
    draw(0);
  }

  function startPlane() {
    const filled = new Set(data.summary.filter((s) => Number.isFinite(s.mean)).map((s) => s.metric));
    const of = (family) => data.metrics.map((m, i) => [i, m]).filter(([i, m]) =>
      m.family === family && filled.has(i)).map(([i, m]) => [i, m.name]);
    const [fidelity, perception] = [of("fidelity"), of("perception")];
    if (!fidelity.length || !perception.length) return null;
    reveal("plane");
    const state = {group: 0, across: fidelity[0][0], up: perception[0][0]};
    const host = find("#plane .plot");
    const draw = () => plots.plane(host, state.group, state.across, state.up);
    const choose = (key) => (value) => {
      state[key] = value;
      draw();
    };
    const picks = find("#plane .picks");
    if (data.groups.length > 1) {
      picks.append(picker("Set", data.groups.map((g, i) => [i, g.title]), 0, choose("group")));
    }
    if (fidelity.length > 1) picks.append(picker("Across", fidelity, state.across, choose("across")));
    if (perception.length > 1) picks.append(picker("Up", perception, state.up, choose("up")));
    draw();
    return draw;
  }

  function startCosts() {
    if (!find("#costs")) return null;
    reveal("costs");
    const metrics = data.metrics.map((m, i) => [i, m]).filter(([i, m]) => m.sign
      && data.summary.some((s) => s.metric === i && Number.isFinite(s.mean)));
    const kinds = data.cost_names.map((c, i) => [i, c.name])
      .filter(([i]) => new Set(data.costs.filter((row) => row[2 + i]).map((row) => row[1])).size > 1);
    const groups = data.groups.map((g, i) => [i, g.title])
      .filter(([i]) => data.costs.some((row) => row[0] === i));
    if (!metrics.length || !kinds.length) return null;
    const measured = kinds.find(([i]) => data.cost_names[i].field === "seconds_a_megapixel");
    const state = {group: groups[0][0], cost: (measured || kinds[0])[0], metric: metrics[0][0]};
    const host = find("#costs .plot");
    const draw = () => plots.cost(host, state.group, state.cost, state.metric);
    const choose = (key) => (value) => {
      state[key] = value;
      draw();
    };
    const picks = find("#costs .picks");
    if (groups.length > 1) picks.append(picker("Set", groups, state.group, choose("group")));
    if (kinds.length > 1) picks.append(picker("Across", kinds, state.cost, choose("cost")));
    if (metrics.length > 1) {
      picks.append(picker("Up", metrics.map(([i, m]) => [i, m.name]), state.metric, choose("metric")));
    }
    draw();
    return draw;
  }

  function startImages(select) {
    if (!data.rows.length) return;
    reveal("images");
    const details = find("details.every");
    const count = data.rows.length;
    const metrics = data.metrics.filter((metric) => metric.level === "image").length;
    find("summary span", details).textContent =
      `${count.toLocaleString("en")} rows, ${metrics} metrics`;
    details.addEventListener("toggle", () => {
      const body = find(".body", details);
      if (details.open && !body.childNodes.length) tables.everyImage(body, select);
    });
  }

  function startCopying() {
    all("button.copy").forEach((button) => {
      button.addEventListener("click", async () => {
        const code = find("code", button.parentNode);
        const selection = getSelection();
        selection.selectAllChildren(code);
        let done = false;
        try {
          await navigator.clipboard.writeText(code.textContent);
          done = true;
        } catch {
          done = document.execCommand("copy");
        }
        button.textContent = done ? button.dataset.done : "Selected";
        setTimeout(() => { button.textContent = "Copy"; }, 1600);
      });
    });
  }

  root.classList.add("js");
  theme.start();
  find("[data-cells]").hidden = !find("table.summary");
  all("[data-cells-to]").forEach((b) => b.addEventListener("click", () => cells(b.dataset.cellsTo)));
  cells("ci");
  all("table.sortable").forEach(tables.sortable);
  const select = gallery.start(find("#pictures .live"));
  startDistributions(select);
  const redrawPlane = startPlane();
  const redrawCosts = startCosts();
  startImages(select);
  startCopying();
  let width = innerWidth;
  addEventListener("resize", report.debounced(() => {
    if (innerWidth === width) return;
    width = innerWidth;
    plots.redraw();
    redrawPlane?.();
    redrawCosts?.();
  }));
  addEventListener("scroll", () => report.showTip(null), {passive: true});
})();
