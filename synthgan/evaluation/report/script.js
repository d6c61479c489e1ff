(() => {
  "use strict";
  const find = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  all(".needs-script").forEach((element) => { element.hidden = false; });

  // Light or dark: what was chosen here before, else what the system says.
  const root = document.documentElement;
  const button = find("#theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const remembered = (value) => {
    try {
      if (value) localStorage.setItem("synthgan-theme", value);
      return localStorage.getItem("synthgan-theme");
    } catch { return null; }
  };
  const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const name = () => { button.textContent = isDark() ? "Light" : "Dark"; button.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`); };
  const before = remembered();
  if (before === "dark" || before === "light") root.dataset.theme = before;
  button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; remembered(root.dataset.theme); name(); });
  system.addEventListener("change", name);
  name();

  // In a notebook's frame a link to a section would load the notebook into the frame.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (!link || location.protocol !== "about:") return;
    event.preventDefault();
    const target = document.getElementById(link.hash.slice(1));
    if (target) { target.scrollIntoView(); target.tabIndex = -1; target.focus({ preventScroll: true }); }
  });

  // The section being read.
  const links = new Map(all(".contents a").map((link) => [link.hash.slice(1), link]));
  const seen = new Set();
  const watcher = new IntersectionObserver((entries) => {
    entries.forEach((entry) => seen[entry.isIntersecting ? "add" : "delete"](entry.target.id));
    const current = [...links.keys()].find((id) => seen.has(id));
    links.forEach((link, id) => {
      if (id === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  }, { rootMargin: "-15% 0px -75% 0px" });
  links.forEach((_, id) => { const section = document.getElementById(id); if (section) watcher.observe(section); });

  // However many spaces of whatever kind stand between two words.
  const plain = (text) => text.replace(/\s+/g, " ").trim().toLowerCase();
  const counted = (amount, what) => `${amount} ${what}${amount === 1 ? "" : "s"}`;

  // Columns: found by name, put in order.
  const list = find("#cards");
  if (list) {
    const cards = all(".card", list);
    const count = find("#count-columns");
    const search = find("#find-column");
    const order = find("#sort-columns");
    const show = () => {
      const wanted = plain(search.value);
      cards.forEach((card) => { card.hidden = !plain(card.dataset.name).includes(wanted); });
      const left = cards.filter((card) => !card.hidden).length;
      count.textContent = left === cards.length ? counted(left, "column") : `${left} of ${counted(cards.length, "column")}`;
      find("#no-columns").hidden = left > 0;
    };
    const sort = () => {
      const key = order.value.replace("-", "");
      const sign = order.value.startsWith("-") ? -1 : 1;
      const by = key === "name"
        ? (a, b) => a.dataset.name.localeCompare(b.dataset.name, undefined, { numeric: true })
        : (a, b) => sign * (a.dataset[key] - b.dataset[key]);
      list.append(...cards.sort(by));
    };
    search.addEventListener("input", show);
    order.addEventListener("change", sort);
  }

  // Tables: rows found by their text, sorted by a click on a heading.
  all("input[data-filter]").forEach((input) => {
    const [table, count, none, frame] = ["", "-count", "-none", "-rows"].map((end) => document.getElementById(input.dataset.filter + end));
    const rows = all("tbody tr", table);
    const before = count.textContent;
    const names = (row) => all("bdi", row).map((name) => name.textContent).join(" ");
    input.addEventListener("input", () => {
      const wanted = plain(input.value);
      rows.forEach((row) => { row.hidden = !plain(names(row)).includes(wanted); });
      const left = rows.filter((row) => !row.hidden).length;
      count.textContent = left === rows.length ? before : `${left} of ${counted(rows.length, "pair")}${before.startsWith("Among") ? " with the largest error" : ""}`;
      none.hidden = left > 0;
      frame.hidden = left === 0;
    });
  });
  const cell = (row, place) => row.cells[place].dataset.value ?? row.cells[place].textContent;
  const compare = (a, b) => (isNaN(a) || isNaN(b) ? a.localeCompare(b, undefined, { numeric: true }) : a - b);
  all("table.sortable thead th").forEach((heading) => {
    if (heading.classList.contains("bar-cell")) return;
    const sorter = document.createElement("button");
    sorter.type = "button";
    sorter.append(...heading.childNodes);
    heading.append(sorter);
    sorter.addEventListener("click", () => {
      const body = heading.closest("table").tBodies[0];
      const first = heading.classList.contains("number") ? "descending" : "ascending";
      const other = first === "descending" ? "ascending" : "descending";
      const now = heading.getAttribute("aria-sort") === first ? other : first;
      all("th[aria-sort]", heading.parentElement).forEach((th) => th.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", now);
      const sign = now === "ascending" ? 1 : -1;
      const place = heading.cellIndex;
      body.append(...[...body.rows].sort((a, b) => sign * compare(cell(a, place), cell(b, place))));
    });
  });

  // Heat maps: the cell under the pointer, or where the arrow keys went, in words.
  const data = find("#heat-data");
  if (data) {
    const { names, real, synthetic } = JSON.parse(data.textContent);
    const read = find("#heat-read");
    const maps = all("#heats .heat > svg");
    const place = [0, 0];
    const show = (x, y) => {
      [place[0], place[1]] = [x, y];
      maps.forEach((map) => {
        const cursor = find(".heat-cursor", map);
        cursor.setAttribute("x", x);
        cursor.setAttribute("y", y);
        cursor.setAttribute("visibility", "visible");
      });
      const apart = synthetic[y][x] - real[y][x];
      // Isolated, so that a name written from right to left leaves the rest alone.
      read.textContent = `\u2068${names[y]}\u2069 and \u2068${names[x]}\u2069: real ${real[y][x].toFixed(3)}, synthetic ${synthetic[y][x].toFixed(3)}, difference ${apart < 0 ? "−" : "+"}${Math.abs(apart).toFixed(3)}`;
    };
    const inside = (value) => Math.min(Math.max(value, 0), names.length - 1);
    maps.forEach((map) => {
      // A picture, but with a role that lets the arrow keys through to it.
      map.setAttribute("role", "application");
      map.setAttribute("aria-roledescription", "map of cells, read with the arrow keys");
      map.setAttribute("aria-describedby", "heat-read");
      map.tabIndex = 0;
      const point = (event) => {
        const box = map.getBoundingClientRect();
        const scale = map.viewBox.baseVal.width / box.width;
        const size = map.dataset.inner / names.length;
        const x = Math.floor(((event.clientX - box.left) * scale - map.dataset.left) / size);
        const y = Math.floor(((event.clientY - box.top) * scale) / size);
        if (x === inside(x) && y === inside(y)) show(x, y);
      };
      map.addEventListener("pointermove", point);
      map.addEventListener("pointerdown", point);
      map.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        if (!step) return;
        event.preventDefault();
        show(inside(place[0] + step[0]), inside(place[1] + step[1]));
      });
    });
  }
})();
