// What all screens share: building nodes, words, and the card that a screen is.
const page = (() => {
  /** h("button", {type: "button", onclick: run, class: "big"}, "text", node, ...) */
  function h(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === undefined || value === null || value === false) continue;
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  /** Sentences of the participant's language; {name} stands for a value. */
  const speaker = (texts) => (key, values = {}) => {
    const text = texts[key];
    if (text === undefined) throw new Error(`no words for ${key}`);
    if (typeof text !== "string") return text;
    return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
  };

  /** A keyboard key as it is named to people. */
  function keyName(key) {
    const arrows = {ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", " ": "␣"};
    return arrows[key] || key.toUpperCase();
  }

  /** Markdown as far as a consent form needs it: headings, lists, paragraphs, bold, links. */
  function markdown(text) {
    const out = document.createDocumentFragment();
    for (const block of text.trim().split(/\n\s*\n/)) {
      const lines = block.split("\n").map((line) => line.trim());
      if (lines.every((line) => /^[-*]\s/.test(line))) {
        out.append(h("ul", {}, ...lines.map((line) => h("li", {}, ...inline(line.slice(2))))));
      } else if (/^#{1,3}\s/.test(lines[0]) && lines.length === 1) {
        out.append(h("h2", {}, ...inline(lines[0].replace(/^#+\s/, ""))));
      } else out.append(h("p", {}, ...inline(lines.join(" "))));
    }
    return out;
  }

  function inline(text) {
    const nodes = [];
    const pattern = /\*\*(.+?)\*\*|\[([^\]]+)\]\(((?:https?:|mailto:)[^)\s]+)\)/g;
    let from = 0;
    for (const found of text.matchAll(pattern)) {
      nodes.push(text.slice(from, found.index));
      nodes.push(found[1] !== undefined
        ? h("strong", {}, found[1])
        : h("a", {href: found[3], target: "_blank", rel: "noopener noreferrer"}, found[2]));
      from = found.index + found[0].length;
    }
    nodes.push(text.slice(from));
    return nodes;
  }

  /** A calm page with a heading; its first words get the focus, so that they are read out. */
  function card(root, {title, progress, wide = false}, ...children) {
    const heading = h("h1", {tabindex: "-1"}, title);
    const inside = h("main", {class: wide ? "card wide" : "card"}, heading, ...children.filter(Boolean));
    const line = progress ? bar(progress.step, progress.steps) : null;
    root.replaceChildren(h("div", {class: "paper"}, ...[line, inside].filter(Boolean)));
    heading.focus({preventScroll: true});
    return inside;
  }

  function bar(step, steps) {
    const fill = h("i");
    fill.style.width = `${(100 * Math.min(step, steps)) / Math.max(1, steps)}%`;
    return h("div", {class: "steps", "aria-hidden": "true"}, fill);
  }

  const button = (text, run, more = {}) =>
    h("button", {type: "button", class: "main", onclick: run, ...more}, text);

  const quiet = (text, run, more = {}) =>
    h("button", {type: "button", class: "quiet", onclick: run, ...more}, text);

  const row = (...children) => h("div", {class: "row"}, ...children);

  return {h, speaker, keyName, markdown, card, button, quiet, row};
})();
