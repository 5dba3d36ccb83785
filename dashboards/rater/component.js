// The participant's page as a Streamlit component: one screen at a time, as the server says. A screen
// hands in what it found and waits for the next one; a block of trials runs by itself.
const SCREENS = {
  ...screens,
  device: device.check,
  calibration: device.calibration,
  acuity: vision.acuity,
  colour: vision.colour,
  brightness: vision.brightness,
  instructions: trials.instructions,
};
const PATIENCE = 5000; // ms until what was handed in is handed in again
const SOON = 300; // ms, where it is known that nobody has heard of it
const LONG = 20_000; // ms until reloading is offered

/** Whether Streamlit's line to the server is open: what is handed in without it is lost. */
function connected() {
  const app = document.querySelector("[data-test-connection-state]");
  return !app || app.dataset.testConnectionState === "CONNECTED";
}

class Rater {
  constructor(root) {
    this.root = root;
    this.waiting = null;
    this.leave = () => {};
  }

  update(data, submit) {
    this.submit = submit;
    if (this.data && this.#goesOn(data)) return;
    this.data = data;
    clearTimeout(this.again);
    clearTimeout(this.tired);
    this.waiting = null;
    this.root.lang = document.documentElement.lang = data.locale;
    this.root.classList.remove("waiting");
    this.#leave();
    this.#show(data);
  }

  /** Whether what is on show goes on: a run that has nothing to do with what was handed in. */
  #goesOn({handed, screen, locale}) {
    const before = this.data;
    const same = screen.name === before.screen.name && locale === before.locale;
    if (!this.waiting) return same || handed === before.handed;
    if (handed === this.waiting.id || !same || screen.tries !== before.screen.tries) return false;
    this.#push(SOON); // the server has forgotten this page, or never heard of it
    return true;
  }

  #show({screen, words}) {
    const say = page.speaker(words);
    this.say = say;
    const {name, payload} = screen;
    const progress = screen.steps ? {step: screen.step, steps: screen.steps} : null;
    this.root.dataset.screen = name;
    if (name === "trials" || name === "training") {
      const block = new trials.Block(this.root, say, payload, {training: name === "training"});
      this.leave = () => block.destroy();
      block.run().then((how) => { if (how !== "stopped") this.#hand(name, {}); });
      return;
    }
    const done = (found) => this.#hand(name, found);
    this.leave = SCREENS[name](this.root, {say, payload, progress, done}) || (() => {});
  }

  #leave() {
    this.leave();
    this.leave = () => {};
  }

  /** Hand in, again and again until the next screen comes: the server takes it once. */
  #hand(name, data) {
    if (this.waiting) return;
    const id = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    this.waiting = {id, screen: name, tries: this.data.screen.tries, data};
    this.root.classList.add("waiting");
    this.#push();
    this.tired = setTimeout(() => this.#offerReload(), LONG);
  }

  #push(after = 0) {
    clearTimeout(this.again);
    this.again = setTimeout(() => {
      const heard = connected();
      if (heard) this.submit(this.waiting);
      this.#push(heard ? PATIENCE : SOON);
    }, after);
  }

  #offerReload() {
    const {h, quiet} = page;
    this.root.append(h("div", {class: "offer", role: "alert"}, h("p", {}, this.say("connection.slow")),
      quiet(this.say("connection.reload"), () => location.reload())));
  }
}

const raters = new WeakMap();

export default function (component) {
  const {data, parentElement, setTriggerValue} = component;
  const root = parentElement.querySelector(".rater");
  if (!raters.has(root)) raters.set(root, new Rater(root));
  const rater = raters.get(root);
  rater.update(data, (value) => setTriggerValue("submit", value));
  // Called when the page goes, and also for a run that a later one has overtaken: only the first counts.
  return () => setTimeout(() => { if (!root.isConnected) rater.leave(); });
}
