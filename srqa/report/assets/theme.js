// The theme: by the system, or as the reader chose, which the browser remembers.
const theme = (() => {
  const root = document.documentElement;
  const buttons = () => [...document.querySelectorAll("[data-theme-to]")];

  function remembered(key, value) {
    // Some browsers refuse storage to pages opened from a file.
    try {
      if (value === undefined) return localStorage.getItem(key) || "";
      localStorage.setItem(key, value);
    } catch { /* the choice then lasts as long as the page */ }
    return value || "";
  }

  function set(name) {
    if (name) root.dataset.theme = name;
    else delete root.dataset.theme;
    for (const button of buttons()) {
      button.setAttribute("aria-pressed", String(button.dataset.themeTo === name));
    }
  }

  function start() {
    document.querySelector(".theme").hidden = false;
    for (const button of buttons()) {
      button.addEventListener("click", () => {
        set(button.dataset.themeTo);
        remembered("srqa-theme", button.dataset.themeTo);
      });
    }
    set(remembered("srqa-theme"));
  }

  return {start};
})();
