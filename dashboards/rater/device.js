// The device check, with help to mend what is wrong, and the calibration by a bank card.
const device = (() => {
  const {h, card, button, quiet, row} = page;

  function browser() {
    const brands = navigator.userAgentData?.brands?.filter((b) => !/not.?a.?brand/i.test(b.brand)) || [];
    const named = brands.find((b) => b.brand !== "Chromium") || brands[0];
    if (named) return `${named.brand} ${named.version}`.slice(0, 60);
    const found = navigator.userAgent.match(/(Firefox|Edg|OPR|Chrome|Version)\/(\d+)/);
    return found ? `${found[1] === "Version" ? "Safari" : found[1]} ${found[2]}` : "unknown";
  }

  function system() {
    const told = navigator.userAgentData?.platform;
    const found = navigator.userAgent.match(/Windows|Mac OS X|Android|iPhone|iPad|CrOS|Linux/);
    return told || found?.[0] || "unknown";
  }

  function mobile() {
    if (navigator.userAgentData?.mobile) return true;
    if (/Android|iPhone|iPad|Mobile/.test(navigator.userAgent)) return true;
    return matchMedia("(pointer: coarse)").matches && !matchMedia("(any-pointer: fine)").matches;
  }

  /** How much the browser zooms the page, where that can be told from the window's own size. */
  function pageZoom() {
    const zoom = outerWidth / innerWidth;
    return outerWidth && zoom > 0.2 && zoom < 6 && Math.abs(zoom - 1) > 0.06 ? zoom : 1;
  }

  /** One line of the check: what was found, and how to mend it. */
  function line(name) {
    const mark = h("span", {class: "mark", "aria-hidden": "true"});
    const figure = h("span", {class: "figure"});
    const help = h("p", {class: "help"});
    const said = h("span", {class: "said"});
    const node = h("li", {class: "check"}, mark, h("span", {class: "what"}, name, said), figure, help);
    return {
      node,
      set(state, text, mend, word) {
        node.dataset.state = state;
        mark.textContent = {good: "✓", bad: "✕", soft: "–"}[state] || "…";
        said.textContent = ` (${word})`;
        figure.textContent = text;
        help.textContent = state === "good" ? "" : mend || "";
      },
    };
  }

  function check(root, {say, payload, progress, done}) {
    if (payload.mobile !== "allow" && mobile()) return computerPlease(root, say, progress);
    const lines = {
      window: line(say("device.window")), scale: line(say("device.scale")), pixels: line(say("device.pixels")),
    };
    const full = quiet(say("device.fullscreen"), () => document.documentElement.requestFullscreen?.());
    full.hidden = !document.fullscreenEnabled;
    const go = button(say("device.go"), () => done(found()), {disabled: true});
    const behind = h("div", {class: "probe", "aria-hidden": "true"});
    card(root, {title: say("device.title"), progress}, h("p", {}, say("device.intro")),
      h("ul", {class: "checks"}, ...Object.values(lines).map(({node}) => node)),
      h("p", {class: "soft"}, say("device.room")), row(go, full));
    root.append(behind);
    const stage = srqaStage.create(behind, {background: payload.background});
    let proof = null;
    let live = true;
    const [least, tall] = payload.min_viewport || [0, 0];
    const must = payload.exact_pixels === "require";

    function found() {
      return {
        pixel_ratio: devicePixelRatio, viewport: [innerWidth, innerHeight],
        screen: [screen.width, screen.height], touch: navigator.maxTouchPoints > 0, mobile: mobile(),
        pixel_exact: proof ? proof.exact : null, browser: browser(), system: system(),
      };
    }

    function look() {
      if (!live) return;
      const large = innerWidth >= least && innerHeight >= tall;
      lines.window.set(large ? "good" : "bad", `${innerWidth} × ${innerHeight}`,
        say("device.window_mend", {width: least, height: tall}), say(large ? "device.good" : "device.bad"));
      const zoom = pageZoom();
      const straight = zoom === 1;
      lines.scale.set(straight ? "good" : "soft", `${Math.round(100 * devicePixelRatio)} %`,
        say("device.scale_mend"), say(straight ? "device.good" : "device.note"));
      proof = payload.probe && stage.pictures.length ? stage.proof() : null;
      const exact = Boolean(proof?.exact);
      const state = !payload.probe || exact ? "good" : !proof ? "wait" : must ? "bad" : "soft";
      const mend = proof?.faults.includes("pinch") ? say("device.pinch_mend") : say("device.pixels_mend");
      lines.pixels.set(state, exact ? say("device.exact") : "", state === "wait" ? "" : mend,
        say(exact ? "device.good" : state === "bad" ? "device.bad" : "device.note"));
      go.disabled = !large || state === "bad" || state === "wait";
    }

    const later = () => requestAnimationFrame(() => requestAnimationFrame(look));
    const abort = new AbortController();
    for (const name of ["resize", "fullscreenchange"]) {
      addEventListener(name, later, {signal: abort.signal});
    }
    visualViewport?.addEventListener("resize", later, {signal: abort.signal});
    const loader = loaders.create();
    if (payload.probe) {
      loader.get(payload.probe.url).then(async (picture) => {
        if (!live) return;
        await stage.show({pictures: [picture]});
        look();
      }, () => {});
    }
    look();
    return () => {
      live = false;
      abort.abort();
      stage.destroy();
      loader.want([]);
    };
  }

  function computerPlease(root, say, progress) {
    const address = h("input", {class: "address", readonly: true, value: location.href,
      "aria-label": say("device.address")});
    const copy = quiet(say("done.copy"), async () => {
      address.select();
      try {
        await navigator.clipboard.writeText(address.value);
      } catch {
        document.execCommand("copy");
      }
      copy.textContent = say("done.copied");
    });
    card(root, {title: say("device.mobile_title"), progress}, h("p", {}, say("device.mobile")), address,
      row(copy));
    return () => {};
  }

  /** A rectangle that the participant makes as large as a bank card: CSS pixels a millimetre. */
  function calibration(root, {say, payload, progress, done}) {
    const [wide, high] = payload.card_mm;
    const guess = 96 / 25.4;
    const most = () => Math.min(9, (root.clientWidth - 40) / wide);
    const drawn = h("div", {class: "bankcard", "aria-hidden": "true"}, h("i", {class: "chip"}), h("i", {class: "band"}));
    const range = h("input", {type: "range", min: 1.5, max: 9, step: 0.005, value: guess,
      "aria-label": say("calibration.size")});
    let moved = false;
    const draw = () => {
      const scale = Number(range.value);
      drawn.style.width = `${wide * scale}px`;
      drawn.style.height = `${high * scale}px`;
      drawn.style.borderRadius = `${3.18 * scale}px`;
      range.setAttribute("aria-valuetext", say("calibration.width", {pixels: Math.round(wide * scale)}));
    };
    const set = (value) => {
      range.value = String(Math.min(most(), value));
      moved = true;
      go.disabled = false;
      draw();
    };
    range.addEventListener("input", () => set(Number(range.value)));
    drawn.addEventListener("pointerdown", (event) => {
      drawn.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    drawn.addEventListener("pointermove", (event) => {
      if (drawn.hasPointerCapture(event.pointerId)) set(Number(range.value) + event.movementX / wide);
    });
    const step = (by) => () => set(Number(range.value) + by);
    const go = button(say("calibration.go"), () => done({px_per_mm: Number(range.value)}), {disabled: !moved});
    card(root, {title: say("calibration.title"), progress}, h("p", {}, say("calibration.intro")),
      h("div", {class: "bench"}, drawn),
      h("div", {class: "row fine"}, quiet("−", step(-0.01), {"aria-label": say("calibration.smaller")}), range,
        quiet("+", step(0.01), {"aria-label": say("calibration.larger")})),
      row(go, payload.optional ? quiet(say("calibration.skip"), () => done({skipped: true})) : null));
    draw();
    return () => {};
  }

  return {check, calibration};
})();
