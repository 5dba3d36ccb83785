// The ways to answer: categories, a slider, a choice. One answer a trial, by key, click or touch.
//
//   const control = controls.create(trial.scale, say, (value) => {});
//   control.node; control.key(event) -> whether the key was one of its; control.enable(on)
const controls = (() => {
  const {h, keyName, button} = page;

  /** Where words are missing, categories are numbers; a scale may have words at its ends only. */
  function categories(scale, answer) {
    const {values, labels, keys} = scale;
    const last = values.length - 1;
    const numbered = labels.some((label) => !label);
    const ends = numbered && labels.slice(1, last).every((label) => !label);
    const buttons = values.map((value, i) => {
      const key = keys?.[i];
      const word = ends ? "" : labels[i];
      const node = h("button", {type: "button", class: "option", onclick: () => answer(value),
        "aria-keyshortcuts": key, "data-value": String(value)},
      numbered ? h("span", {class: "label"}, String(value)) : null,
      word || !numbered ? h("span", {class: "label"}, word) : null,
      key && !numbered ? h("kbd", {"aria-hidden": "true"}, keyName(key)) : null);
      if (ends && labels[i]) node.setAttribute("aria-label", `${value}, ${labels[i]}`);
      return node;
    });
    const group = h("div", {class: `options n${values.length}`, role: "group"}, ...buttons);
    const node = ends
      ? h("div", {class: "ended"}, h("span", {class: "end"}, labels[0]), group,
        h("span", {class: "end"}, labels[last]))
      : group;
    return {node, buttons, keys: keys || [], values};
  }

  function pressed(made, answer) {
    return (event) => {
      const at = made.keys.findIndex((key) => key.toLowerCase() === event.key.toLowerCase());
      if (at >= 0) {
        answer(made.values[at]);
        return true;
      }
      const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
      if (!step) return false;
      const {buttons} = made;
      const now = buttons.indexOf(event.target.closest?.("button.option"));
      const next = now < 0 ? (step > 0 ? 0 : buttons.length - 1) : now + step;
      buttons[Math.min(buttons.length - 1, Math.max(0, next))].focus();
      return true;
    };
  }

  function listed(scale, answer) {
    const made = categories(scale, answer);
    return {node: made.node, key: pressed(made, answer),
      enable: (on) => made.buttons.forEach((b) => { b.disabled = !on; })};
  }

  function slider(scale, say, answer) {
    const {low, high, step, ends} = scale;
    const middle = (low + high) / 2;
    const input = h("input", {type: "range", min: low, max: high, step, value: middle,
      class: "unset", "aria-label": say("trials.slider")});
    const value = h("output", {}, "–");
    const next = button(say("trials.next"), () => answer(Number(input.value)), {disabled: true});
    input.setAttribute("aria-valuetext", say("trials.unset"));
    let on = true;
    const set = () => {
      input.classList.remove("unset");
      input.removeAttribute("aria-valuetext");
      value.textContent = input.value;
      next.disabled = !on;
    };
    for (const name of ["input", "pointerup"]) input.addEventListener(name, set);
    const move = (by) => {
      input.value = String(Number(input.value) + by);
      input.focus({preventScroll: true});
      set();
    };
    const node = h("div", {class: "slider"},
      h("div", {class: "track"}, h("span", {class: "end"}, ends[0]), input,
        h("span", {class: "end"}, ends[ends.length - 1])),
      h("div", {class: "row"}, value, next));
    return {
      node,
      key(event) {
        const by = {ArrowLeft: -step, ArrowRight: step, PageDown: -10 * step, PageUp: 10 * step}[event.key];
        if (by) move(by);
        else if (event.key === "Enter" && !next.disabled) answer(Number(input.value));
        else return false;
        return true;
      },
      enable(now) {
        on = now;
        input.disabled = !on;
        next.disabled = !on || input.classList.contains("unset");
      },
    };
  }

  function create(scale, say, answer) {
    if (scale.type === "slider") return slider(scale, say, answer);
    return listed(scale, answer);
  }

  return {create};
})();
