// The screens between trials: language, consent, break, questions, the end.
const screens = (() => {
  const {h, markdown, card, button, quiet, row} = page;

  function language(root, {say, payload, progress, done}) {
    const choices = payload.languages.map(({code, name}) =>
      h("button", {type: "button", class: code === payload.suggested ? "main" : "quiet", lang: code,
        onclick: () => done({locale: code})}, name));
    card(root, {title: say("language_screen.title"), progress}, row(...choices));
  }

  function consent(root, {say, payload, progress, done}) {
    const {title, minutes, trials: count, text, version, contact} = payload;
    const facts = [];
    if (minutes) facts.push([say("consent.takes"), say("consent.minutes", {n: Math.round(minutes)})]);
    if (count) facts.push([say("consent.shows"), say("consent.trials", {n: count})]);
    const list = h("dl", {class: "facts"}, ...facts.flatMap(([name, value]) =>
      [h("div", {}, h("dt", {}, name), h("dd", {}, value))]));
    const foot = [version ? say("consent.version", {version}) : "", contact ? say("consent.questions", {contact}) : ""];
    card(root, {title: title || say("consent.title"), progress}, list,
      h("div", {class: "prose"}, markdown(text || "")),
      row(button(say("consent.agree"), () => done({agree: true})),
        quiet(say("consent.decline"), () => done({agree: false}))),
      h("p", {class: "soft small"}, foot.filter(Boolean).join(" ")));
  }

  function pause(root, {say, payload, progress, done}) {
    const {done: answered, of, seconds} = payload;
    const share = Math.round((100 * answered) / Math.max(1, of));
    const meter = h("div", {class: "meter", role: "img", "aria-label": say("trials.progress", {done: answered, of})});
    const fill = h("i");
    fill.style.width = `${share}%`;
    meter.append(fill);
    const go = button(say("break.go"), () => done({}));
    const left = h("p", {class: "soft", "aria-live": "off"});
    card(root, {title: say("break.title"), progress}, meter,
      h("p", {class: "lede"}, say("break.progress", {done: answered, of})),
      h("p", {}, say("break.rest")), left, row(go));
    const end = performance.now() + 1000 * (seconds || 0);
    const tick = () => {
      const rest = Math.ceil((end - performance.now()) / 1000);
      left.textContent = rest > 0 ? say("break.seconds", {n: rest}) : say("break.ready");
      if (rest <= 0) clearInterval(timer);
    };
    const timer = setInterval(tick, 250);
    tick();
    return () => clearInterval(timer);
  }

  const FIVE = [1, 2, 3, 4, 5];

  function field(question, say) {
    const {id, text, kind, optional} = question;
    const options = question.options?.length ? question.options : FIVE;
    const legend = optional ? `${text} ${say("questions.optional")}` : text;
    if (kind === "text") {
      const area = h("textarea", {rows: 3, maxlength: 2000, id: `q-${id}`});
      return {node: h("div", {class: "ask"}, h("label", {for: `q-${id}`}, legend), area),
        value: () => area.value.trim() || null};
    }
    const entries = options.map((option) =>
      (typeof option === "object" && option !== null ? [option.value ?? option.id, option.label ?? option.text] : [option, String(option)]));
    const inputs = entries.map(([, ], i) => h("input", {type: "radio", name: `q-${id}`, id: `q-${id}-${i}`}));
    const labels = entries.map(([, name], i) => h("label", {for: `q-${id}-${i}`}, inputs[i], h("span", {}, name)));
    return {
      node: h("fieldset", {class: `ask ${kind}`}, h("legend", {}, legend), h("div", {class: "radios"}, ...labels)),
      value: () => {
        const at = inputs.findIndex((input) => input.checked);
        return at < 0 ? null : entries[at][0];
      },
    };
  }

  function questions(root, {say, payload, progress, done}) {
    const fields = payload.questions.map((question) => ({...question, ...field(question, say)}));
    const wrong = h("p", {class: "wrong", role: "alert"});
    const send = (event) => {
      event.preventDefault();
      const missing = fields.find((one) => !one.optional && one.value() === null);
      if (missing) {
        wrong.textContent = say("questions.missing");
        missing.node.querySelector("input, textarea").focus();
        return;
      }
      done({answers: Object.fromEntries(fields.map((one) => [one.id, one.value()]).filter(([, v]) => v !== null))});
    };
    const form = h("form", {onsubmit: send}, ...fields.map(({node}) => node), wrong,
      row(h("button", {type: "submit", class: "main"}, say("questions.go"))));
    card(root, {title: say("questions.title"), progress}, form);
  }

  function ending(say, code, redirect) {
    const nodes = [];
    if (code) {
      const shown = h("output", {class: "code", tabindex: "0"}, code);
      const copy = quiet(say("done.copy"), async () => {
        const range = document.createRange();
        range.selectNodeContents(shown);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        try {
          await navigator.clipboard.writeText(code);
        } catch {
          document.execCommand("copy");
        }
        copy.textContent = say("done.copied");
      });
      nodes.push(h("p", {}, say("done.code")), h("div", {class: "coded"}, shown, copy));
    }
    if (redirect && /^https?:\/\//.test(redirect)) {
      nodes.push(row(h("a", {class: "main", href: redirect, rel: "noreferrer"}, say("done.back"))));
    }
    return nodes;
  }

  function finished(root, {say, payload, progress}) {
    const {code, redirect} = payload;
    card(root, {title: say("done.title"), progress}, h("p", {class: "lede"}, say("done.thanks")),
      ...ending(say, code, redirect),
      code || redirect ? null : h("p", {}, say("done.close")));
  }

  const AGAIN = new Set(["paused", "full", "busy"]);

  function ended(root, {say, payload, done}) {
    const {reason, code, redirect} = payload;
    card(root, {title: say(`ended.${reason}_title`)}, h("p", {class: "lede"}, say(`ended.${reason}`)),
      ...ending(say, code, redirect),
      AGAIN.has(reason) ? row(quiet(say("ended.again"), () => done({}))) : null);
  }

  return {language, consent, break: pause, questions, done: finished, ended};
})();
