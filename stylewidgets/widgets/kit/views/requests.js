// Wishes of the page on their way to the kernel: of each row only the newest waits, and at most two are out.
//
// The kernel draws before it is idle again, so its "idle" after a request says that the picture of it is here.

const MAX_OUT = 2;
const SILENT_MS = 400; // after which a host that never reports the kernel's status is taken to have answered
const LOST_MS = 10000; // the same where it does report: the connection broke meanwhile
const BUSY_MS = 2500; // after which the page says that it waits

// `send(wish, number, callbacks)` sends; `onQuiet()` is called when nothing waits or is out, `onBusy(whether)` when the
// kernel does not answer, and when it does again.
// Pictures know of them (live.js) and do not take a pause of the kernel for rest.
function createRequests({ send, onQuiet = () => {}, onBusy = () => {} }) {
  const waiting = new Map(); // by row
  const numbers = new Map(); // by row, of the newest that was sent
  let number = 0;
  let out = 0;
  let reports = false; // whether this host tells the kernel's status
  let busyTimer = 0;
  let busy = false;

  function ask(key, value, rest) {
    waiting.delete(key); // the row that moves now comes last
    waiting.set(key, { key, value, rest });
    flush();
  }

  function flush() {
    while (out < MAX_OUT && waiting.size) {
      const [key, wish] = waiting.entries().next().value;
      waiting.delete(key);
      dispatch(wish);
    }
  }

  function dispatch(wish) {
    number += 1;
    out += 1;
    numbers.set(wish.key, number);
    let open = true;
    let timer = 0;
    function answered() {
      if (!open) return;
      open = false;
      clearTimeout(timer);
      out -= 1;
      watch();
      flush();
      if (!out && !waiting.size) onQuiet();
    }
    function status(reply) {
      if (reply.content.execution_state !== "idle") return;
      reports = true;
      answered();
    }
    timer = setTimeout(answered, reports ? LOST_MS : SILENT_MS);
    watch();
    send(wish, number, { iopub: { status } });
  }

  // Begins to count anew with every request and every answer.
  function watch() {
    clearTimeout(busyTimer);
    busyTimer = 0;
    if (busy) onBusy((busy = false));
    if (out && reports) busyTimer = setTimeout(() => onBusy((busy = true)), BUSY_MS);
  }

  const requests = {
    ask,
    // Whether the kernel has not seen the newest wish for this row yet; `seen` is the highest number that it has seen.
    pending: (key, seen) => waiting.has(key) || (numbers.get(key) ?? 0) > seen,
    quiet: () => !out && !waiting.size,
    close() {
      clearTimeout(busyTimer);
      LIVE.requests.delete(requests);
    },
  };
  LIVE.requests.add(requests);
  return requests;
}
