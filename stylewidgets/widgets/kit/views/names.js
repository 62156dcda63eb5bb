// What the controls of ipywidgets lack inside a widget of ours: names for those who listen, and arrow keys in Notebook 7.
//
// The text beside a slider says nothing to its handle, Play's buttons are pictures, and a field may have a tooltip alone.

const PLAY = { "fa-play": "play", "fa-pause": "pause", "fa-stop": "stop", "fa-retweet": "repeat" };
const MOVES = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]);

function nameControls(root) {
  const set = (node, name) => {
    if (name && node.getAttribute("aria-label") !== name) node.setAttribute("aria-label", name);
  };
  const words = (node) => {
    const control = node.closest(".jupyter-widgets");
    return control?.querySelector(".widget-label")?.textContent.trim() || control?.closest("[title]")?.title || "";
  };
  for (const base of root.querySelectorAll(".noUi-base")) {
    const handles = base.querySelectorAll(".noUi-handle");
    const ends = handles.length > 1 ? [", from", ", to"] : [""];
    for (const [k, handle] of handles.entries()) set(handle, words(handle) + ends[k]);
  }
  for (const icon of root.querySelectorAll(".widget-play button i")) {
    const kind = Object.keys(PLAY).find((name) => icon.classList.contains(name));
    set(icon.closest("button"), PLAY[kind]);
  }
  for (const field of root.querySelectorAll(":is(input, textarea, select):not([aria-label])")) {
    const label = field.labels?.[0]?.textContent.trim();
    if (!label) set(field, field.title || words(field) || field.placeholder);
  }
  for (const image of root.querySelectorAll("img:not([alt])")) image.alt = image.closest("[title]")?.title ?? "";
}

// Names the controls that are in the widget around `node` and those that come; returns what ends it.
function keepNames(node) {
  const root = node.closest(".sw-explorer");
  if (!root) return null; // not in the page yet
  let due = false;
  const look = () => {
    due = false;
    nameControls(root);
  };
  const observer = new MutationObserver((changes) => {
    // A value that is written while a thing is dragged adds texts only.
    const adds = ({ type, addedNodes }) => type === "attributes" || [...addedNodes].some((one) => one.nodeType === 1);
    if (due || !changes.some(adds)) return;
    due = true;
    requestAnimationFrame(look);
  });
  // Jupyter reads the keys of a notebook in command mode on the document, before a control inside an output gets them:
  // for the while that this key takes, the control says that it has a use for it.
  const free = ({ key, target, ctrlKey, metaKey, altKey }) => {
    if (!MOVES.has(key) || ctrlKey || metaKey || altKey || !root.contains(target)) return;
    target.setAttribute("data-lm-suppress-shortcuts", "true");
    setTimeout(() => target.removeAttribute("data-lm-suppress-shortcuts"));
  };
  observer.observe(root, { childList: true, subtree: true, attributeFilter: ["title"] });
  window.addEventListener("keydown", free, true);
  look();
  return () => {
    observer.disconnect();
    window.removeEventListener("keydown", free, true);
  };
}
