// A button that opens the browser's camera, shows what it sees and takes one picture of it. See camera.py.

const LONGEST_SIDE = 1024; // more than any generator here draws

function reason(error) {
  if (error.name === "NotAllowedError") return "the camera was not allowed; the browser's address bar can allow it";
  if (error.name === "NotFoundError") return "no camera was found";
  return `the camera did not open: ${error.message || error.name}`;
}

function render({ model, el }) {
  let stream = null;
  let closed = false;
  const title = "a picture from this computer's camera";
  const open = element("button", "stylewidgets-button", { type: "button", title }, "camera …");
  const take = element("button", "stylewidgets-button", { type: "button" }, "take the picture");
  const cancel = element("button", "stylewidgets-button", { type: "button", "aria-label": "close the camera" }, "×");
  const video = element("video", "stylewidgets-camera-video", { "aria-label": "what the camera sees" });
  video.muted = video.playsInline = true;
  const bar = element("div", "stylewidgets-camera-bar", {}, take, cancel);
  const panel = element("div", "stylewidgets-camera-panel", {}, video, bar);
  const words = element("span", "stylewidgets-status", { role: "status" });
  el.append(element("div", "stylewidgets-view stylewidgets-camera", {}, open, words, panel));
  panel.hidden = true;

  function stop() {
    for (const track of stream ? stream.getTracks() : []) track.stop();
    stream = video.srcObject = null;
    panel.hidden = true;
    open.hidden = false;
  }

  async function start() {
    words.textContent = "";
    if (!navigator.mediaDevices) {
      words.textContent = "the browser gives a camera only to pages from https or from this computer";
      return;
    }
    open.disabled = true;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: LONGEST_SIDE } } });
      if (closed) return stop(); // the cell went away while the browser was asking
      video.srcObject = stream;
      await video.play();
      panel.hidden = false;
      open.hidden = true;
    } catch (error) {
      stop();
      words.textContent = reason(error);
    } finally {
      open.disabled = false;
    }
  }

  async function shoot() {
    const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
    const [width, height] = [video.videoWidth, video.videoHeight].map((side) => Math.round(side * scale));
    const canvas = element("canvas", "", { width, height });
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    stop();
    model.send({ type: "picture" }, undefined, [await blob.arrayBuffer()]);
  }

  open.addEventListener("click", start);
  take.addEventListener("click", shoot);
  cancel.addEventListener("click", stop);
  return () => {
    closed = true;
    stop();
  };
}

export default { render };
