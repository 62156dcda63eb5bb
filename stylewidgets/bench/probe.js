// Runs in the page. Samples the picture once per animation frame and notes when its pixels change, and the time
// stamps of trusted input events, on the page's one clock.
([selector]) => {
  const small = document.createElement("canvas");
  const side = (small.width = small.height = 32);
  const context = small.getContext("2d", { willReadFrequently: true });
  let report = null;
  let last = null;

  const reset = () => {
    report = { events: [], changes: [], samples: 0, blank: 0, begin: performance.now() };
  };

  const visible = (node) => node.getBoundingClientRect().width > 8;

  // A hash of the picture shrunk to 32 x 32, or null where there is no picture or only one colour.
  function read() {
    const node = [...document.querySelectorAll(selector)].filter(visible).pop();
    if (!node) return null;
    const image = node.tagName === "IMG";
    if (image ? !node.complete || !node.naturalWidth : !node.width) return null;
    context.drawImage(node, 0, 0, side, side);
    const data = context.getImageData(0, 0, side, side).data;
    let hash = 2166136261;
    let flat = true;
    for (let i = 0; i < data.length; i++) {
      hash = Math.imul(hash ^ data[i], 16777619);
      if (data[i] !== data[i % 4]) flat = false;
    }
    return flat ? null : hash >>> 0;
  }

  // Reads after all animation callbacks of the frame have run (a view that paints later in the same frame counts for
  // this frame) and dates what it reads by the frame.
  function tick() {
    requestAnimationFrame(tick);
    const now = performance.now();
    setTimeout(() => sample(now), 0);
  }

  function sample(now) {
    report.samples += 1;
    const hash = read();
    if (hash === null) report.blank += 1;
    else if (hash !== last) {
      if (last !== null) report.changes.push(now);
      last = hash;
    }
  }

  reset();
  for (const name of ["keydown", "mousedown", "pointermove", "pointerup"]) {
    const note = (event) => event.isTrusted && report.events.push([name, event.timeStamp]);
    window.addEventListener(name, note, { capture: true }); // before a widget that keeps an event to itself
  }
  requestAnimationFrame(tick);
  window.stylewidgetsProbe = {
    reset,
    report: () => ({ ...report, elapsed: performance.now() - report.begin }),
    picture: read,
  };
}
