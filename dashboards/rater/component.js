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
const LONG = 20_000; // ms until reloading is offered

class Rater {
  constructor(root) {
    this.root = root;
    this.waiting = null;
    this.leave = () => {};
  }

  update(data, submit) {
    this.submit = submit;
    const same = this.data && this.data.turn === data.turn;
    const busy = this.data && !this.waiting && this.data.screen.name === data.screen.name
      && this.data.locale === data.locale;
    if (same || busy) return; // a rerun of somebody else's: what is on show goes on
    this.data = data;
    clearTimeout(this.again);
    clearTimeout(this.tired);
    this.waiting = null;
    this.root.lang = document.documentElement.lang = data.locale;
    this.root.classList.remove("waiting");
    this.#leave();
    this.#show(data);
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
    this.waiting = {screen: name, data};
    this.root.classList.add("waiting");
    const push = () => {
      this.submit({...this.waiting, turn: this.data.turn});
      this.again = setTimeout(push, PATIENCE);
    };
    push();
    this.tired = setTimeout(() => this.#offerReload(), LONG);
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
