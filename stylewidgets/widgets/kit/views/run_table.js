// A table of runs: click a heading to sort, a row to choose. See run_table.py.

function words(value) {
  if (typeof value !== "number") return value ?? "";
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function render({ model, el }) {
  const head = element("thead", "");
  const body = element("tbody", "");
  const table = element("table", "stylewidgets-runs-table", {}, head, body);
  const root = element("div", "stylewidgets-view stylewidgets-runs", {}, table);
  el.append(root);
  let by = null;
  let rising = true;

  function build() {
    const columns = model.get("columns");
    const rows = model.get("rows").map((cells, number) => ({ cells, number }));
    const chosen = model.get("chosen");
    table.setAttribute("aria-label", model.get("label"));
    if (by !== null) {
      const empty = (v) => v === null || v === "";
      rows.sort((a, b) => {
        const [x, y] = [a.cells[by], b.cells[by]];
        if (empty(x) || empty(y)) return empty(x) - empty(y); // what is not known stands last, either way
        const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
        return rising ? order : -order;
      });
    }
    head.replaceChildren(element("tr", "", {}, ...columns.map(([name, title], k) => {
      const arrow = by === k ? (rising ? " ▲" : " ▼") : "";
      const button = element("button", "stylewidgets-runs-sort", { type: "button", title }, name + arrow);
      button.onclick = () => {
        rising = by === k ? !rising : true;
        by = k;
        build();
        head.querySelectorAll("button")[k].focus();
      };
      return element("th", "", { scope: "col", "aria-sort": by === k ? (rising ? "ascending" : "descending") : "none" }, button);
    })));
    body.replaceChildren(...rows.map(({ cells, number }) => {
      const line = element("tr", "", { "aria-selected": String(number === chosen) });
      cells.forEach((value, k) => {
        const cell = element("td", typeof value === "number" ? "stylewidgets-runs-number" : "");
        if (k === 0) {
          const button = element("button", "stylewidgets-button", { type: "button", title: "show this run" }, words(value));
          button.setAttribute("aria-pressed", String(number === chosen));
          cell.append(button);
        } else cell.textContent = words(value);
        line.append(cell);
      });
      line.onclick = () => {
        model.set("chosen", number);
        model.save_changes();
        mark();
      };
      line.dataset.number = number;
      return line;
    }));
    root.hidden = !rows.length;
  }

  function mark() {
    const chosen = String(model.get("chosen"));
    for (const line of body.children) {
      line.setAttribute("aria-selected", String(line.dataset.number === chosen));
      line.querySelector("button").setAttribute("aria-pressed", String(line.dataset.number === chosen));
    }
  }

  // Figures of a run under way change twice a second: new words in the old cells, so that nothing moves under the pointer
  // and a click that lasts a moment still finds its row.
  function update() {
    const rows = model.get("rows");
    if (by !== null || rows.length !== body.children.length) return build();
    for (const line of body.children) {
      rows[line.dataset.number].forEach((value, k) => {
        const cell = line.children[k];
        const holder = k === 0 ? cell.firstChild : cell;
        const text = String(words(value));
        if (holder.textContent !== text) holder.textContent = text;
        cell.className = typeof value === "number" && k > 0 ? "stylewidgets-runs-number" : cell.className;
      });
    }
  }

  model.on("change:rows", update);
  model.on("change:chosen", mark);
  build();
  return () => {
    model.off("change:rows", update);
    model.off("change:chosen", mark);
  };
}

export default { render };
