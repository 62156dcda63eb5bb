// A film as a line of its pictures, with a mark that can be dragged. See timeline.py.

const SEEK_MS = 40; // a drag sends at most one place in this time, and the last one always

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const play = element("button", "sw-button sw-icon", { type: "button" });
  const first = element("button", "sw-button sw-icon sw-icon-first", {
    type: "button", title: "back to the beginning", "aria-label": "back to the beginning",
  });
  const time = element("span", "sw-film-time");
  const pictures = element("div", "sw-film-pictures", { "aria-hidden": "true" });
  const mark = element("div", "sw-film-mark", {
    role: "slider", tabindex: "0", "aria-label": "where in the film the picture is", "aria-valuemin": "0",
  });
  const track = element("div", "sw-film-track", {}, pictures, mark);
  const root = element("div", "stylewidgets-view sw-film", {}, element("div", "sw-film-bar", {}, play, first, time), track);
  let urls = [];
  let held = null; // where a hand holds the mark, in seconds
  let timer = 0;
  el.append(root);

  function build() {
    const old = urls;
    urls = model.get("pictures").map((data) => (data && data.byteLength ? URL.createObjectURL(new Blob([data])) : ""));
    setTimeout(() => old.forEach((url) => url && URL.revokeObjectURL(url)), 2000);
    pictures.replaceChildren(
      ...urls.map((url, k) => {
        const image = element("img", "", { alt: "", title: model.get("cards")[k] || "" });
        if (url) image.src = url;
        return image;
      }),
    );
    place();
  }

  function place() {
    const length = model.get("length") || 1;
    const count = model.get("pictures").length;
    const at = held ?? model.get("at");
    // Pictures have their middle at their time; the line reaches from the first to the last.
    const inset = count ? 50 / count : 0;
    mark.style.left = `${inset + (100 - 2 * inset) * Math.min(1, at / length)}%`;
    mark.setAttribute("aria-valuenow", at.toFixed(1));
    mark.setAttribute("aria-valuemax", length.toFixed(1));
    mark.setAttribute("aria-valuetext", `${at.toFixed(1)} of ${length.toFixed(1)} seconds`);
    time.textContent = `${at.toFixed(1)} / ${length.toFixed(1)} s`;
    const playing = model.get("playing");
    play.classList.toggle("sw-icon-pause", playing);
    play.classList.toggle("sw-icon-play", !playing);
    play.title = playing ? "pause" : "play";
    play.setAttribute("aria-label", play.title);
  }

  function seek(seconds, now) {
    held = Math.max(0, Math.min(model.get("length"), seconds));
    place();
    if (now) {
      clearTimeout(timer);
      timer = 0;
      model.send({ type: "seek", seconds: held });
    } else if (!timer) {
      timer = setTimeout(() => {
        timer = 0;
        if (held !== null) model.send({ type: "seek", seconds: held });
      }, SEEK_MS);
    }
  }

  function under(event) {
    const box = pictures.getBoundingClientRect();
    const inset = box.width / 2 / Math.max(1, urls.length);
    return (model.get("length") * (event.clientX - box.left - inset)) / Math.max(1, box.width - 2 * inset);
  }
  track.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    track.setPointerCapture(event.pointerId);
    mark.focus();
    seek(under(event));
  }, options);
  track.addEventListener("pointermove", (event) => {
    if (held !== null && track.hasPointerCapture(event.pointerId)) seek(under(event));
  }, options);
  const release = () => {
    if (held === null) return;
    seek(held, true);
    model.set("at", held); // until the kernel says the same
    held = null;
  };
  track.addEventListener("pointerup", release, options);
  track.addEventListener("pointercancel", release, options);
  mark.addEventListener("keydown", (event) => {
    const [at, length] = [model.get("at"), model.get("length")];
    const to = { ArrowRight: at + 0.1, ArrowLeft: at - 0.1, PageUp: at + 1, PageDown: at - 1, Home: 0, End: length }[event.key];
    if (event.key === " ") model.send({ type: "play" });
    else if (to === undefined) return;
    else {
      seek(to, true);
      model.set("at", held);
      held = null;
      place();
    }
    event.preventDefault();
    event.stopPropagation();
  }, options);
  play.addEventListener("click", () => model.send({ type: "play" }), options);
  first.addEventListener("click", () => model.send({ type: "first" }), options);

  model.on("change:pictures change:cards", build);
  model.on("change:at change:length change:playing", place);
  build();
  return () => {
    abort.abort();
    clearTimeout(timer);
    model.off("change:pictures change:cards", build);
    model.off("change:at change:length change:playing", place);
    for (const url of urls) if (url) URL.revokeObjectURL(url);
    root.remove();
  };
}

export default { render };
