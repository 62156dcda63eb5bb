// From features to the picture, for float32 on the CPU: the modulated 1x1 convolution of a toRGB layer, and the picture of the
// block before, twice as large, below it. Both read what they need once, which is what they cost.

#include <algorithm>
#include <cstdint>

#include "_parallel.h"
#include "_winograd.h"

struct Colours {
    const float* x;        // [n, pixels, inputs]
    const float* weight;   // [n, outputs, inputs], modulated
    const float* bias;     // [outputs]
    float* y;              // [n, outputs, pixels]
    int64_t n, pixels, inputs, outputs;
    float clamp;
    int64_t threads;
};

struct Doubling {
    const float* small;    // [planes, height, width]
    const float* more;     // [planes, 2 height, 2 width]
    float* y;              // like `more`
    int64_t planes, height, width, threads;
};

constexpr int64_t PART = 4096;  // pixels of an item of work
constexpr int MOST = 4;         // colours whose sums fit the registers

static inline float total(Vec v) {
    float each[LANES];
    store(each, v);
    for (int step = LANES / 2; step; step /= 2)
        for (int i = 0; i < step; ++i) each[i] += each[i + step];
    return each[0];
}

template <int N>
static void sum(const Colours& c, const float* x, const float* weight, const float* bias, float* y, int64_t pixels) {
    const int64_t whole = c.inputs / LANES * LANES;
    const int rest = static_cast<int>(c.inputs - whole);
    for (int64_t p = 0; p < pixels; ++p, x += c.inputs) {
        Vec sums[N] = {};
        for (int64_t k = 0; k < whole; k += LANES) {
            const Vec value = load(x + k);
            for (int j = 0; j < N; ++j) sums[j] += value * load(weight + j * c.inputs + k);
        }
        if (rest) {
            const Vec value = load_some(x + whole, rest);
            for (int j = 0; j < N; ++j) sums[j] += value * load_some(weight + j * c.inputs + whole, rest);
        }
        for (int j = 0; j < N; ++j) y[j * c.pixels + p] = std::max(-c.clamp, std::min(c.clamp, total(sums[j]) + bias[j]));
    }
}

static void some(const Colours& c, int64_t sample, int64_t first, int64_t pixels, int64_t colour) {
    const float *x = c.x + (sample * c.pixels + first) * c.inputs, *bias = c.bias + colour;
    const float* weight = c.weight + (sample * c.outputs + colour) * c.inputs;
    float* y = c.y + (sample * c.outputs + colour) * c.pixels + first;
    switch (std::min<int64_t>(MOST, c.outputs - colour)) {
        case 1: return sum<1>(c, x, weight, bias, y, pixels);
        case 2: return sum<2>(c, x, weight, bias, y, pixels);
        case 3: return sum<3>(c, x, weight, bias, y, pixels);
        default: return sum<MOST>(c, x, weight, bias, y, pixels);
    }
}

static bool run(const Colours& c) {
    const int64_t parts = (c.pixels + PART - 1) / PART;
    return spread(c.n * parts, static_cast<int>(c.threads), LANES, [&](int64_t item, float*) {
        const int64_t first = item % parts * PART;
        for (int64_t colour = 0; colour < c.outputs; colour += MOST)
            some(c, item / parts, first, std::min(PART, c.pixels - first), colour);
    });
}

// A row between two rows of the small picture (null: outside, zero), three quarters of the near one and one of the far one.
static void double_row(const float* near, const float* far, const float* more, float* y, int64_t width, float* line) {
    line[0] = line[width + 1] = 0;
    for (int64_t i = 0; i < width; ++i) line[i + 1] = 0.75f * near[i] + (far ? 0.25f * far[i] : 0.0f);
    for (int64_t i = 0; i < width; ++i) {
        const float own = 0.75f * line[i + 1];
        y[2 * i] = own + 0.25f * line[i] + more[2 * i];
        y[2 * i + 1] = own + 0.25f * line[i + 2] + more[2 * i + 1];
    }
}

static bool run(const Doubling& d) {
    return spread(d.planes * d.height, static_cast<int>(d.threads), d.width + 2, [&](int64_t item, float* line) {
        const int64_t row = item % d.height, to = item * 4 * d.width;
        const float* near = d.small + item * d.width;
        const float *above = row ? near - d.width : nullptr, *below = row + 1 < d.height ? near + d.width : nullptr;
        double_row(near, above, d.more + to, d.y + to, d.width, line);
        double_row(near, below, d.more + to + 2 * d.width, d.y + to + 2 * d.width, d.width, line);
    });
}

extern "C" {

STYLEWIDGETS_EXPORT int stylewidgets_colours(const Colours* task) { return run(*task) ? 0 : 1; }

STYLEWIDGETS_EXPORT int stylewidgets_add_doubled(const Doubling* task) { return run(*task) ? 0 : 1; }

}
