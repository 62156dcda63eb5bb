// A modulated 1x1 convolution with what comes after it: a product of matrices, in chunks of pixels that stay in the cache from
// panel to panel.

#pragma once

#include "_parallel.h"
#include "_winograd.h"

namespace pointwise {

constexpr int64_t MOST = 16 * ROWS;  // pixels of a chunk

// One panel of the weights, modulated and demodulated.
static void modulate(const Convolution& c, int64_t sample, int64_t channel, float* out) {
    const float *weight = c.weight + channel * c.inputs, *scale = c.scale + sample * c.outputs + channel;
    for (int part = 0; part < 2; ++part) {
        const int count = static_cast<int>(std::min<int64_t>(LANES, c.outputs - channel - part * LANES));
        const Vec factor = count > 0 ? load_some(scale + part * LANES, count) : Vec{};
        for (int64_t k = 0; k < c.inputs; ++k) {
            const int64_t at = k * PANEL + part * LANES;
            store(out + at, load(weight + at) * (factor * c.style[sample * c.inputs + k]));
        }
    }
}

static void finish(const Convolution& c, const float* sums, int64_t pixels, int64_t channel, float* y) {
    for (int part = 0; part < 2; ++part, channel += LANES, sums += LANES) {
        const int count = static_cast<int>(std::min<int64_t>(LANES, c.outputs - channel));
        if (count <= 0) return;
        const Vec bias = load_some(c.bias + channel, count);
        for (int64_t p = 0; p < pixels; ++p)
            store_some(y + p * c.outputs + channel, activate(load(sums + p * PANEL) + bias, c.slope, c.clamp), count);
    }
}

// False when there is no memory.
inline bool run(const Convolution& c, int64_t threads) {
    const int64_t pixels = c.height * c.width, panels = (c.outputs + PANEL - 1) / PANEL;
    const int64_t rounds = (pixels + MOST * threads - 1) / (MOST * threads);  // as much for each thread
    const int64_t chunk = ((pixels + rounds * threads - 1) / (rounds * threads) + ROWS - 1) / ROWS * ROWS;
    const int64_t parts = (pixels + chunk - 1) / chunk;
    const int64_t groups = parts * c.n >= 2 * threads ? 1 : std::min(panels, threads);
    const size_t memory = (c.inputs + chunk) * PANEL;
    return spread(c.n * parts * groups, static_cast<int>(threads), memory, [&](int64_t item, float* own) {
        const int64_t group = item % groups, sample = item / groups / parts, first = item / groups % parts * chunk;
        const int64_t count = std::min(chunk, pixels - first), start = sample * pixels + first;
        float* sums = own + c.inputs * PANEL;
        for (int64_t panel = panels * group / groups; panel < panels * (group + 1) / groups; ++panel) {
            modulate(c, sample, panel * PANEL, own);
            product(c.x + start * c.inputs, c.inputs, own, c.inputs, count, sums);
            finish(c, sums, count, panel * PANEL, c.y + start * c.outputs);
        }
    });
}

}  // namespace pointwise
