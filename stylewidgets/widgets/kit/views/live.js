// What the views of one page know of each other: each has a module of its own, so they meet at the page.
//
// A picture leaves its acknowledgement here, and the next message that any of our views sends takes it along; only where
// none comes does the picture send one itself.

const LIVE = (globalThis[Symbol.for("stylewidgets.live")] ??= { pictures: new Map(), requests: new Set() });

// The number of the newest frame that came, by the key of its picture; {} where nothing is owed.
function takeAcks() {
  const acks = {};
  for (const [key, picture] of LIVE.pictures) {
    const number = picture.takeAck();
    if (number !== null) acks[key] = number;
  }
  return acks;
}

// Whether a wish is still on its way, whose picture will come.
function awaiting() {
  return [...LIVE.requests].some((requests) => !requests.quiet());
}

// A hand has let go and nothing more is to come: the keys of the pictures here, which the kernel is to draw in full at once.
function tellRest() {
  for (const picture of LIVE.pictures.values()) picture.rest();
  return [...LIVE.pictures.keys()];
}
