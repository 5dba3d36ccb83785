// Answers on their way: kept in the browser's storage until the server has acknowledged them, sent
// again with growing pauses, also after a reload or a crash.
//
//   const outbox = outboxes.open("/srqa/answer");
//   const reply = await outbox.send(body)     // {status, body}: acknowledged, or refused for good
//   await outbox.empty()                      // resolves when nothing waits
//   outbox.waiting                            // how many wait
const outboxes = (() => {
  const KEY = "srqa-answers ";
  const PAUSES = [400, 1000, 2000, 4000, 8000, 15000];
  const TIMEOUT = 15_000;

  function stored(url) {
    try {
      const list = JSON.parse(localStorage.getItem(KEY + url) || "[]");
      return Array.isArray(list) ? list : [];
    } catch {
      return [];
    }
  }

  /** Another tab may have changed the list: change only what is ours. */
  function change(url, run) {
    try {
      const list = run(stored(url));
      if (list.length) localStorage.setItem(KEY + url, JSON.stringify(list));
      else localStorage.removeItem(KEY + url);
    } catch { /* no storage: answers then last as long as the page */ }
  }

  class Outbox {
    constructor(url) {
      this.url = url;
      this.jobs = new Map();
      this.idle = [];
      this.onChange = () => {};
      addEventListener("online", () => this.#hurry());
      addEventListener("beforeunload", (event) => {
        if (this.waiting) event.preventDefault();
      });
      for (const body of stored(url)) this.#start(body);
    }

    get waiting() {
      return this.jobs.size;
    }

    /** Whether sending has failed at least once and is being tried again. */
    get troubled() {
      return [...this.jobs.values()].some((job) => job.tries > 1);
    }

    send(body) {
      const under = this.jobs.get(body.assignment);
      if (under) return under.done;
      change(this.url, (list) => [...list.filter((b) => b.assignment !== body.assignment), body]);
      return this.#start(body);
    }

    empty() {
      if (!this.waiting) return Promise.resolve();
      return new Promise((done) => this.idle.push(done));
    }

    #start(body) {
      const job = {body, tries: 0, wake: null};
      this.jobs.set(body.assignment, job);
      job.done = this.#deliver(job).then((reply) => {
        change(this.url, (list) => list.filter((b) => b.assignment !== body.assignment));
        this.jobs.delete(body.assignment);
        this.onChange();
        if (!this.waiting) this.idle.splice(0).forEach((done) => done());
        return reply;
      });
      this.onChange();
      return job.done;
    }

    async #deliver(job) {
      for (;;) {
        job.tries++;
        const reply = await this.#post(job.body);
        if (reply && reply.status < 500 && reply.status !== 429 && reply.status !== 408) return reply;
        this.onChange();
        const asked = 1000 * Number(reply?.retryAfter || 0);
        const pause = Math.max(asked, PAUSES[Math.min(job.tries, PAUSES.length) - 1]);
        await new Promise((next) => {
          const timer = setTimeout(next, pause * (0.8 + 0.4 * Math.random()));
          job.wake = () => {
            clearTimeout(timer);
            next();
          };
        });
      }
    }

    async #post(body) {
      const stop = new AbortController();
      const timer = setTimeout(() => stop.abort(), TIMEOUT);
      try {
        const answer = await fetch(this.url, {
          method: "POST", keepalive: true, credentials: "same-origin", signal: stop.signal,
          headers: {"Content-Type": "application/json"}, body: JSON.stringify(body),
        });
        const text = await answer.text();
        let told = {};
        try {
          told = JSON.parse(text);
        } catch { /* a proxy's page: the status says enough */ }
        return {status: answer.status, body: told, retryAfter: answer.headers.get("Retry-After")};
      } catch {
        return null;
      } finally {
        clearTimeout(timer);
      }
    }

    #hurry() {
      for (const job of this.jobs.values()) job.wake?.();
    }
  }

  const opened = new Map();
  function open(url) {
    if (!opened.has(url)) opened.set(url, new Outbox(url));
    return opened.get(url);
  }

  return {open};
})();
