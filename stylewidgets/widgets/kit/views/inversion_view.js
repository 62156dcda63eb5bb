// Target and result: beside each other, swiped, blinking or subtracted; all of it in the page. See inversion_view.py.

const MODES = [
  ["side", "side by side", "target and result beside each other (1)"],
  ["swipe", "swipe", "drag across the picture: the target on the left, the result on the right (2)"],
  ["blink", "blink", "target and result in turn, twice a second (3)"],
  ["difference", "difference", "where they differ: black is equal, white is far apart (4)"],
];
const LARGEST = 8 * 2 ** 20; // a notebook server closes the connection over a message of more than 10 MB
const BLINK_MS = 500;
const DIFFERENCE = 4; // how many times brighter than it is; as in the style sheet

function picture(name) {
  const canvas = element("canvas", `stylewidgets-pair-canvas stylewidgets-pair-${name}`, { role: "img", width: 1, height: 1 });
  const words = element("figcaption", "stylewidgets-status");
  return { canvas, words, figure: element("figure", "stylewidgets-pair-figure", {}, canvas, words), wanted: 0, painted: 0 };
}

async function paint(part, data) {
  const number = ++part.wanted;
  if (!data || !data.byteLength) {
    part.canvas.width = part.canvas.height = 1;
    part.painted = number;
    part.canvas.dataset.painted = "0";
    return;
  }
  try {
    const bitmap = await createImageBitmap(new Blob([data]));
    if (number < part.painted) return; // a newer one was quicker
    part.painted = number;
    if (part.canvas.width !== bitmap.width || part.canvas.height !== bitmap.height) {
      part.canvas.width = bitmap.width;
      part.canvas.height = bitmap.height;
    }
    part.canvas.getContext("2d").drawImage(bitmap, 0, 0);
    part.canvas.dataset.painted = String(data.byteLength);
    bitmap.close();
  } catch (error) {
    console.warn("stylewidgets: a picture could not be decoded", error);
  }
}

function render({ model, el }) {
  const abort = new AbortController();
  const options = { signal: abort.signal };
  const target = picture("target");
  const result = picture("result");
  const stage = element("div", "stylewidgets-pair", {}, target.figure, result.figure);
  const file = element("input", "", { type: "file", accept: "image/*", "aria-label": "a picture from your disk" });
  file.hidden = true;
  const open = element("button", "sw-button stylewidgets-pair-open", {
    type: "button", title: "a picture from your disk; one can also be dropped on the target",
  }, "choose a picture …");
  const drop = element("div", "stylewidgets-pair-drop", { "aria-hidden": "true" }, "drop it here");
  target.figure.append(drop);
  const ends = element("span", "stylewidgets-scale-ends", {}, element("span", "", {}, "equal"),
    element("span", "", {}, `${Math.round(255 / DIFFERENCE)} of 255 levels apart, or more`));
  const scale = element("div", "stylewidgets-scale", { role: "img",
    "aria-label": `scale of the difference: black is equal, white is ${Math.round(255 / DIFFERENCE)} of 255 levels apart or more`,
  }, element("span", "stylewidgets-scale-strip"), ends);
  const swipe = element("input", "stylewidgets-pair-swipe", {
    type: "range", min: 0, max: 100, step: 1, value: 50, "aria-label": "how much of the target is seen, percent",
  });
  const buttons = MODES.map(([mode, text, title]) =>
    element("button", "sw-button", { type: "button", title, "data-mode": mode }, text),
  );
  const bar = element("div", "stylewidgets-pair-bar", { role: "group", "aria-label": "comparison" }, ...buttons,
    element("span", "stylewidgets-pair-gap"), open, file);
  const errorText = element("span", "stylewidgets-error-text");
  const dismiss = element("button", "stylewidgets-button", { type: "button", "aria-label": "take this message away" }, "×");
  const error = element("div", "stylewidgets-pair-error", { role: "alert" }, errorText, dismiss);
  const status = element("div", "stylewidgets-status stylewidgets-pair-status");
  const root = element("div", "stylewidgets-view stylewidgets-pair-root", { tabindex: 0, role: "group" },
    bar, stage, swipe, scale, status, error);
  el.append(root);
  let clock = 0;

  function showMode() {
    const mode = model.get("mode");
    root.dataset.mode = mode;
    for (const node of buttons) node.setAttribute("aria-pressed", String(node.dataset.mode === mode));
    swipe.hidden = mode !== "swipe";
    scale.hidden = mode !== "difference";
    clearInterval(clock);
    delete root.dataset.blink;
    if (mode === "blink") {
      clock = setInterval(() => {
        root.dataset.blink = root.dataset.blink === "target" ? "result" : "target";
      }, BLINK_MS);
      root.dataset.blink = "target";
    }
    showSwipe();
  }

  function showSwipe() {
    root.style.setProperty("--stylewidgets-swipe", `${swipe.value}%`);
  }

  function choose(mode) {
    if (mode === model.get("mode")) return;
    model.set("mode", mode);
    model.save_changes();
    showMode();
  }

  function showWords() {
    const [left, right] = model.get("names");
    target.words.textContent = left || "target";
    result.words.textContent = right || "result";
    target.canvas.setAttribute("aria-label", `target: ${left}`);
    result.canvas.setAttribute("aria-label", `result: ${right}`);
    status.textContent = model.get("status");
    errorText.textContent = model.get("error");
    error.hidden = !model.get("error");
    root.setAttribute("aria-label", `${model.get("label")}; keys 1 to 4 choose the comparison, space pauses and goes on`);
    root.style.setProperty("--stylewidgets-size", `${model.get("size")}px`);
  }

  const paintTarget = () => paint(target, model.get("target"));
  const paintResult = () => paint(result, model.get("result"));
  buttons.forEach((node) => node.addEventListener("click", () => choose(node.dataset.mode), options));
  swipe.addEventListener("input", showSwipe, options);
  dismiss.addEventListener("click", () => {
    model.set("error", "");
    model.save_changes();
  }, options);
  async function take(files) {
    const chosen = [...(files || [])].find((each) => each.type.startsWith("image/")) || files?.[0];
    if (!chosen) return; // what is no picture the kernel names
    if (chosen.size > LARGEST) {
      const mb = (bytes) => (bytes / 2 ** 20).toFixed(1);
      model.set("error", `${chosen.name} has ${mb(chosen.size)} MB; ${mb(LARGEST)} MB go through the notebook's connection. `
        + "Put it beside the notebook and give its path, or make it smaller.");
      model.save_changes();
      return;
    }
    model.send({ type: "file", name: chosen.name }, undefined, [await chosen.arrayBuffer()]);
  }
  open.addEventListener("click", () => file.click(), options);
  file.addEventListener("change", () => {
    take(file.files);
    file.value = "";
  }, options);
  // The whole stage takes it: a hand that lets go a little beside the target means the target, too.
  const brings = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  for (const name of ["dragenter", "dragover"])
    stage.addEventListener(name, (event) => {
      if (!brings(event)) return;
      event.preventDefault();
      event.stopPropagation();
      root.classList.add("stylewidgets-pair-dropping");
    }, options);
  stage.addEventListener("dragleave", (event) => {
    if (!stage.contains(event.relatedTarget)) root.classList.remove("stylewidgets-pair-dropping");
  }, options);
  stage.addEventListener("drop", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    event.stopPropagation();
    root.classList.remove("stylewidgets-pair-dropping");
    take(event.dataTransfer.files);
  }, options);

  function follow(event) {
    if (root.dataset.mode !== "swipe" || !(event.buttons & 1)) return;
    const box = result.canvas.getBoundingClientRect();
    swipe.value = Math.max(0, Math.min(100, (100 * (event.clientX - box.left)) / box.width));
    showSwipe();
  }
  stage.addEventListener("pointerdown", (event) => {
    if (root.dataset.mode === "swipe") stage.setPointerCapture(event.pointerId); // the drag may leave the picture
    follow(event);
  }, options);
  stage.addEventListener("pointermove", follow, options);
  root.addEventListener("keydown", (event) => {
    if (event.target !== root || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = "1234".indexOf(event.key);
    if (place >= 0) choose(MODES[place][0]);
    else if (event.key === " ") model.send({ type: "key", key: " " });
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      swipe.value = Number(swipe.value) + (event.key === "ArrowRight" ? 5 : -5);
      showSwipe();
    } else return;
    event.preventDefault(); // and not the notebook's shortcuts
    event.stopPropagation();
  }, options);

  const listeners = [
    ["change:target", paintTarget], ["change:result", paintResult], ["change:mode", showMode],
    ["change:names", showWords], ["change:status", showWords], ["change:error", showWords], ["change:size", showWords],
  ];
  for (const [name, handler] of listeners) model.on(name, handler);
  showWords();
  showMode();
  paintTarget();
  paintResult();
  model.send({ type: "hello" });
  return () => {
    clearInterval(clock);
    abort.abort();
    for (const [name, handler] of listeners) model.off(name, handler);
  };
}

export default { render };
