// The pictures: a strip of contents above one viewer, fed by the figures that stand in the page.
const gallery = (() => {
  const {data, html, say} = report;
  const THUMB = 144;
  const PRINTED = 320;

  function pictures(article, origin) {
    return [...article.querySelectorAll("figure")].map((figure) => {
      const method = Number(figure.dataset.method);
      const caption = document.createDocumentFragment();
      caption.append(...figure.querySelector("figcaption").cloneNode(true).childNodes);
      return {id: String(method), reference: method < 0, source: figure.querySelector("img"), caption, origin,
        label: method < 0 ? "Reference" : data.methods[method]};
    });
  }

  /** A canvas that keeps its place from the start and is filled when the picture is decoded. */
  function thumbnail(image) {
    const canvas = html("canvas", {"aria-hidden": "true", width: THUMB, height: THUMB});
    image.decode().then(() => fill(canvas, image), () => {});
    return canvas;
  }

  function fill(canvas, image) {
    const {width, height} = image;
    const side = Math.min(width, height);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, (width - side) / 2, (height - side) / 2, side, side, 0, 0, THUMB, THUMB);
    canvas.dataset.filled = "true";
  }

  function start(host) {
    const articles = [...document.querySelectorAll(".exhibit")];
    const shown = articles.filter((article) => article.querySelector("figure img"));
    if (!shown.length) return () => say("No pictures are in this file.");
    const strip = html("div", {class: "filmstrip", role: "group", "aria-label": "Contents"});
    const about = html("div", {class: "about"});
    const stage = html("div");
    host.replaceChildren(strip, about, stage);
    host.hidden = false;
    const viewer = srqaViewer.create(stage, {zoom: 4});
    globalThis.srqaReport = {viewer};
    const buttons = articles.map((article, i) => {
      const {content, group} = data.exhibits[i];
      const label = html("span", {}, content || "picture");
      const button = html("button", {type: "button", "aria-pressed": "false"}, label);
      if (data.groups.length > 1) button.append(html("span", {class: "soft"}, data.groups[group].title));
      button.addEventListener("click", () => choose(i));
      strip.append(button);
      const image = article.querySelector("figure img");
      if (image) button.prepend(thumbnail(image));
      return button;
    });

    async function choose(index) {
      buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(i === index)));
      about.replaceChildren(articles[index].querySelector("header").cloneNode(true));
      const list = pictures(articles[index], {x: data.exhibits[index].x, y: data.exhibits[index].y});
      stage.hidden = !list.length;
      if (list.length) await viewer.setPictures(list);
      stage.dataset.content = index;
    }

    choose(articles.indexOf(shown[0]));
    const idle = globalThis.requestIdleCallback || ((run) => setTimeout(run, 200));
    idle(() => printable(shown));
    return (group, content) => {
      const index = data.exhibits.findIndex((e) => e.group === group && e.content === content);
      if (index < 0) {
        say(`${content || "This picture"} is not among the ${shown.length} contents in this file.`);
        return;
      }
      choose(index);
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      document.getElementById("pictures").scrollIntoView({behavior: calm ? "auto" : "smooth"});
    };
  }

  /** Put a small error map under each output's figure, for print. */
  async function printable(articles) {
    for (const article of articles) {
      const base = article.querySelector('figure[data-method="-1"] img');
      if (!base) continue;
      const reference = await srqaPixels.load(base);
      for (const figure of article.querySelectorAll('figure:not([data-method="-1"])')) {
        const output = await srqaPixels.load(figure.querySelector("img"));
        const {width, height} = output;
        const errors = srqaPixels.difference(reference, output);
        const full = srqaPixels.paint(errors, width, height, 4);
        const small = html("canvas", {class: "printed", role: "img", "aria-label": "error map, gain 4"});
        const scale = Math.min(1, PRINTED / width);
        small.width = Math.round(width * scale);
        small.height = Math.round(height * scale);
        small.getContext("2d").drawImage(full, 0, 0, small.width, small.height);
        figure.querySelector("img").after(small);
        await new Promise((next) => setTimeout(next, 0));
      }
    }
    document.documentElement.dataset.printable = "true";
  }

  return {start};
})();
