// Self-made vision checks: Landolt rings, plates of coloured dots, shapes near black and near white.
// What is drawn comes from srqa/study/vision.py, which also scores the answers.
const vision = (() => {
  const {h, card, keyName} = page;
  const ARROWS = ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"];
  const GUESS = 96 / 25.4;

  /** Asks item after item; resolves with the answers. */
  function run(root, {say, payload, progress, done}, test, draw, answersOf) {
    const {items} = payload;
    const answers = [];
    const canvas = h("canvas", {role: "img", "aria-label": say(`${test}.picture`)});
    const place = h("div", {class: `plate ${test}`}, canvas);
    const count = h("p", {class: "soft", role: "status"});
    const below = h("div", {class: "answers"});
    const abort = new AbortController();
    card(root, {title: say(`${test}.title`), progress}, payload.attempt > 1 ? h("p", {class: "lede"}, say("vision.again")) : null,
      h("p", {}, say(`${test}.intro`)), place,
      h("p", {class: "question"}, say(`${test}.question`)), below, count);

    const keys = new Map();
    function ask() {
      const item = items[answers.length];
      count.textContent = say("vision.progress", {done: answers.length + 1, of: items.length});
      draw(canvas, item, payload);
      keys.clear();
      below.replaceChildren(answersOf(item, keys, (answer) => {
        answers.push(answer);
        if (answers.length < items.length) ask();
        else {
          abort.abort();
          done({answers});
        }
      }));
    }
    addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      const chosen = keys.get(event.key);
      if (!chosen) return;
      event.preventDefault();
      event.stopPropagation();
      chosen();
    }, {signal: abort.signal, capture: true});
    ask();
    return () => abort.abort();
  }

  /** A canvas of so many CSS pixels, drawn in device pixels. */
  function sized(canvas, side, height = side) {
    const ratio = devicePixelRatio || 1;
    canvas.style.width = `${side}px`;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(side * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d", {alpha: false});
    return {context, ratio, width: canvas.width, height: canvas.height};
  }

  const option = (text, key, run_) => h("button", {type: "button", class: "option", onclick: run_,
    "aria-keyshortcuts": key}, h("span", {class: "label"}, text));

  function acuity(root, given) {
    const scale = given.payload.px_per_mm || GUESS;
    const draw = (canvas, item) => {
      const {context, ratio, width} = sized(canvas, 220);
      context.fillStyle = "#fff";
      context.fillRect(0, 0, width, width);
      const outer = (item.diameter_mm * scale * ratio) / 2;
      context.translate(width / 2, width / 2);
      context.rotate((item.turn * Math.PI) / 2);
      context.fillStyle = "#000";
      context.beginPath();
      context.arc(0, 0, outer, 0, 2 * Math.PI);
      context.arc(0, 0, outer * 0.6, 0, 2 * Math.PI, true);
      context.fill();
      context.fillStyle = "#fff";
      context.fillRect(0, -outer / 5, outer * 1.1, (2 * outer) / 5);
    };
    return run(root, given, "acuity", draw, (item, keys, answer) => {
      const names = given.say("acuity.directions");
      const buttons = [3, 2, 0, 1].map((turn) => {
        keys.set(ARROWS[turn], () => answer(turn));
        return option(`${keyName(ARROWS[turn])} ${names[turn]}`, ARROWS[turn], () => answer(turn));
      });
      const unsure = option(given.say("vision.unsure"), null, () => answer(null));
      return h("div", {class: "options"}, ...buttons, unsure);
    });
  }

  function colour(root, given) {
    const draw = (canvas, item) => {
      const {context, width} = sized(canvas, 320);
      context.fillStyle = item.paper;
      context.fillRect(0, 0, width, width);
      const unit = width / item.side;
      item.dots.forEach(([x, y, radius, ink]) => {
        context.fillStyle = item.inks[ink];
        context.beginPath();
        context.arc(x * unit, y * unit, radius * unit, 0, 2 * Math.PI);
        context.fill();
      });
    };
    return run(root, given, "colour", draw, (item, keys, answer) => {
      const digits = item.choices.map((digit) => {
        keys.set(String(digit), () => answer(digit));
        return option(String(digit), String(digit), () => answer(digit));
      });
      return h("div", {class: "options"}, ...digits,
        option(given.say("colour.none"), null, () => answer(null)));
    });
  }

  const SHAPES = {
    circle: (c, r) => c.arc(0, 0, r, 0, 2 * Math.PI),
    square: (c, r) => c.rect(-r * 0.85, -r * 0.85, r * 1.7, r * 1.7),
    triangle: (c, r) => polygon(c, r, 3),
    diamond: (c, r) => polygon(c, r, 4),
    hexagon: (c, r) => polygon(c, r, 6),
  };

  function polygon(context, radius, corners) {
    for (let i = 0; i < corners; i++) {
      const angle = (2 * Math.PI * i) / corners - Math.PI / 2;
      context[i ? "lineTo" : "moveTo"](radius * Math.cos(angle), radius * Math.sin(angle));
    }
    context.closePath();
  }

  function brightness(root, given) {
    const draw = (canvas, item) => {
      const wide = Math.min(560, root.clientWidth - 48);
      const {context, width, height} = sized(canvas, wide, Math.round(wide / 3.6));
      const grey = (level) => `rgb(${level} ${level} ${level})`;
      context.fillStyle = grey(item.ground);
      context.fillRect(0, 0, width, height);
      item.shapes.forEach(({shape, level}, i) => {
        context.save();
        context.translate((width * (i + 0.5)) / item.places, height / 2);
        context.fillStyle = grey(level);
        context.beginPath();
        SHAPES[shape](context, Math.min(width / item.places, height) * 0.34);
        context.fill();
        context.restore();
      });
    };
    return run(root, given, "brightness", draw, (item, keys, answer) => {
      const counts = Array.from({length: item.places + 1}, (_, n) => {
        keys.set(String(n), () => answer(n));
        return option(String(n), String(n), () => answer(n));
      });
      return h("div", {class: "options"}, ...counts);
    });
  }

  return {acuity, colour, brightness};
})();
