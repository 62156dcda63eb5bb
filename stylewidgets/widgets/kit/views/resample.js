// Enlarging small pictures. Browsers interpolate with two to four neighbours, which shows the pixel grid of a 64 px
// picture at 384 px as steps along every slanted edge; Lanczos with six does not. It runs on the small picture to a
// whole multiple (few, constant weights: some 2 ms), the browser does the rest, which no longer shows.

const LANCZOS_SOURCE_LIMIT = 128; // px: larger pictures look well as the browser draws them
const LANCZOS_RESULT_LIMIT = 256; // px: bounds the time

function lanczosWeights(factor) {
  const lobe = (x) => {
    if (Math.abs(x) < 1e-6) return 1;
    const angle = Math.PI * x;
    return Math.abs(x) < 3 ? (3 * Math.sin(angle) * Math.sin(angle / 3)) / (angle * angle) : 0;
  };
  return Array.from({ length: factor }, (_, phase) => {
    const place = (phase + 0.5) / factor - 0.5; // of the new pixel, in old pixels from the old pixel's centre
    const first = Math.floor(place) - 2;
    const raw = [0, 1, 2, 3, 4, 5].map((tap) => lobe(place - first - tap));
    const sum = raw.reduce((total, value) => total + value);
    return { first, taps: raw.map((value) => value / sum) };
  });
}

// Enlarges `count` lines of `length` pixels (RGBA) along the line. The result lies transposed, so that two calls enlarge
// both axes and leave the picture upright.
function enlargeLines(source, target, length, count, weights) {
  const factor = weights.length;
  const padded = new Float32Array(3 * (length + 6)); // the line with its ends repeated: no limits in the inner loop
  for (let line = 0; line < count; line++) {
    for (let place = -3; place < length + 3; place++) {
      const from = 4 * (line * length + Math.min(length - 1, Math.max(0, place)));
      const to = 3 * (place + 3);
      padded[to] = source[from];
      padded[to + 1] = source[from + 1];
      padded[to + 2] = source[from + 2];
    }
    for (let phase = 0; phase < factor; phase++) {
      const { first, taps } = weights[phase];
      const [a, b, c, d, e, f] = taps;
      for (let pixel = 0; pixel < length; pixel++) {
        const from = 3 * (pixel + first + 3);
        const to = 4 * ((pixel * factor + phase) * count + line);
        for (let channel = 0; channel < 3; channel++) {
          const at = from + channel;
          target[to + channel] =
            a * padded[at] + b * padded[at + 3] + c * padded[at + 6] +
            d * padded[at + 9] + e * padded[at + 12] + f * padded[at + 15];
        }
        target[to + 3] = 255;
      }
    }
  }
}

function createResampler() {
  const small = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const large = document.createElement("canvas").getContext("2d");
  let weights = [];
  let between = new Float32Array(0);
  let lastSource = null;
  let lastFactor = 0;

  function enlarged(source, factor) {
    if (source === lastSource && factor === lastFactor) return large.canvas; // only the place has changed
    const { width, height } = source;
    small.canvas.width = width;
    small.canvas.height = height;
    small.drawImage(source, 0, 0);
    const pixels = small.getImageData(0, 0, width, height).data;
    if (weights.length !== factor) weights = lanczosWeights(factor);
    if (between.length !== 4 * width * height * factor) between = new Float32Array(4 * width * height * factor);
    const result = new ImageData(width * factor, height * factor);
    enlargeLines(pixels, between, width, height, weights);
    enlargeLines(between, result.data, height, width * factor, weights);
    large.canvas.width = result.width;
    large.canvas.height = result.height;
    large.putImageData(result, 0, 0);
    lastSource = source;
    lastFactor = factor;
    return large.canvas;
  }

  // `fine`: take the time for Lanczos, on a picture at rest.
  return function draw(context, source, width, height, smoothing, fine = true) {
    const side = Math.max(source.width, source.height);
    const wanted = Math.ceil(Math.max(width / source.width, height / source.height));
    const factor = Math.min(wanted, Math.floor(LANCZOS_RESULT_LIMIT / side));
    const lanczos = fine && smoothing !== "pixels" && side <= LANCZOS_SOURCE_LIMIT && factor > 1;
    context.imageSmoothingEnabled = smoothing !== "pixels";
    context.imageSmoothingQuality = lanczos || !fine ? "low" : "high";
    context.drawImage(lanczos ? enlarged(source, factor) : source, 0, 0, width, height);
  };
}
