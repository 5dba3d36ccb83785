// Stimuli, fetched and decoded ahead of the trial that shows them.
//
//   const loader = loaders.create();
//   loader.want(urls)              // start with these; what is not wanted any more is freed
//   const picture = await loader.get(url)
const loaders = (() => {
  const PAUSES = [500, 1500, 3000, 6000, 12000];

  async function fetched(url, alive) {
    for (let tries = 0; ; tries++) {
      try {
        const answer = await fetch(url, {credentials: "same-origin"});
        if (answer.ok) return await srqaStage.decode(await answer.blob());
        if (answer.status === 404 && tries >= 2) throw new Error("missing");
      } catch (problem) {
        if (problem.message === "missing") throw problem;
      }
      if (!alive()) throw new Error("not wanted");
      await new Promise((next) => setTimeout(next, PAUSES[Math.min(tries, PAUSES.length - 1)]));
    }
  }

  class Loader {
    constructor() {
      this.pictures = new Map();
    }

    want(urls) {
      const wanted = new Set(urls);
      for (const [url, picture] of this.pictures) {
        if (wanted.has(url)) continue;
        this.pictures.delete(url);
        picture.then((one) => one.close(), () => {});
      }
      urls.forEach((url) => this.#start(url));
    }

    get(url) {
      return this.#start(url);
    }

    #start(url) {
      if (!this.pictures.has(url)) {
        const picture = fetched(url, () => this.pictures.has(url));
        picture.catch(() => {});
        this.pictures.set(url, picture);
      }
      return this.pictures.get(url);
    }
  }

  return {create: () => new Loader()};
})();
