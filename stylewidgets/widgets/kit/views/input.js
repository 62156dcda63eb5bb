// Pointer, wheel and keys on the live picture, as messages.
//
// Events are merged per animation frame. Moves and wheel turns also wait while the kernel has not answered the last
// two, so that a slow model never gets a queue; presses and releases are always sent, in order.

const ANSWER_LIMIT_MS = 400;
const MAX_UNANSWERED = 2;

function createInput(model, view, listen) {
  const { canvas } = view;
  const queue = [];
  let scheduled = false;
  let unanswered = 0;

  function send(message) {
    unanswered += 1;
    let open = true;
    const answered = () => {
      if (!open) return;
      open = false;
      unanswered -= 1;
      if (queue.length) schedule();
    };
    setTimeout(answered, ANSWER_LIMIT_MS); // hosts that do not report the kernel's status
    const status = (reply) => reply.content.execution_state === "idle" && answered();
    model.send(message, { iopub: { status } });
  }

  function flush() {
    scheduled = false;
    while (queue.length) {
      const mergeable = queue[0].event === "move" || queue[0].event === "wheel";
      if (mergeable && unanswered >= MAX_UNANSWERED) return;
      send(queue.shift());
    }
  }

  function schedule() {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(flush);
  }

  function push(message) {
    const last = queue[queue.length - 1];
    const same = last && last.event === message.event && last.id === message.id && last.buttons === message.buttons;
    if (same && message.event === "move") queue[queue.length - 1] = message;
    else if (same && message.event === "wheel") {
      queue[queue.length - 1] = { ...message, dx: last.dx + message.dx, dy: last.dy + message.dy };
    } else queue.push(message);
    schedule();
  }

  function pointer(name, event, more = {}) {
    if (!model.get("interactive")) return;
    const box = canvas.getBoundingClientRect();
    const place = (value) => Math.round(value * 1e4) / 1e4;
    const x = place((event.clientX - box.left) / box.width);
    const y = place((event.clientY - box.top) / box.height);
    const keys = ["shift", "ctrl", "alt", "meta"].filter((key) => event[`${key}Key`]);
    push({ type: "pointer", event: name, x, y, buttons: event.buttons, id: event.pointerId ?? 0, keys, ...more });
  }

  listen(canvas, "pointerdown", (event) => {
    if (!model.get("interactive")) return;
    canvas.setPointerCapture(event.pointerId);
    pointer("down", event);
  });
  listen(canvas, "pointermove", (event) => pointer("move", event));
  listen(canvas, "pointerup", (event) => pointer("up", event));
  listen(canvas, "pointercancel", (event) => pointer("cancel", event));
  listen(canvas, "pointerleave", (event) => pointer("leave", event));
  // The page keeps scrolling over a picture that was not clicked.
  const onWheel = (event) => {
    if (!model.get("interactive") || canvas.getRootNode().activeElement !== canvas) return;
    event.preventDefault();
    pointer("wheel", event, { dx: event.deltaX, dy: event.deltaY });
  };
  listen(canvas, "wheel", onWheel, { passive: false });

  return {
    key(name, repeat) {
      if (repeat && unanswered > 0) return; // a held key goes as fast as the kernel, not faster
      send({ type: "key", key: name });
    },
  };
}
