// The picture viewer as a Streamlit component: pictures come as addresses, captions as lines.
const instances = new WeakMap();

function caption(label, lines) {
  const whole = document.createDocumentFragment();
  const who = document.createElement("p");
  who.className = "who";
  who.textContent = label;
  const list = document.createElement("dl");
  for (const [name, value] of lines) {
    const row = document.createElement("div");
    const [term, text] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    text.textContent = value;
    row.append(term, text);
    list.append(row);
  }
  whole.append(who, list);
  return whole;
}

async function loaded(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

export default function explore({parentElement, data}) {
  const host = parentElement.querySelector(".explore");
  let one = instances.get(host);
  if (!one) {
    one = {viewer: srqaViewer.create(host, {zoom: 4}), key: ""};
    instances.set(host, one);
    globalThis.srqaExplorer = one;
  }
  const key = JSON.stringify(data.pictures);
  if (key !== one.key) {
    one.key = key;
    Promise.all(data.pictures.map(async (p) => ({id: p.id, label: p.label, reference: p.reference,
      source: await loaded(p.url), caption: caption(p.label, p.lines)}))).then((pictures) => {
      if (one.key === key) return one.viewer.setPictures(pictures).then(() => { host.dataset.ready = data.content; });
      return null;
    }, () => { host.dataset.ready = "failed"; });
  }
  return () => {};
}
