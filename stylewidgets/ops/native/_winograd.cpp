// A modulated 3x3 convolution of StyleGAN2, with what comes before it (x2 upsampling) and after it (demodulation, noise,
// bias, leaky ReLU, gain, clamp), for float32 on the CPU. Features are channels-last.
//
// Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016):
// 4x4 outputs from a 6x6 tile of the input with 36 products where the definition has 144. Up-convolutions are in _upconv.h.
//
// Work is split into items: so many tiles of one picture times a range of output channels. Everything between reading the
// input and writing the output of an item stays in buffers that fit the caches.

#include <algorithm>
#include <cstdint>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "_parallel.h"
#include "_pointwise.h"
#include "_upconv.h"
#include "_winograd.h"

constexpr int POINTS = 36;

struct Shape {
    int64_t end, out_w, tiles_x, first, tiles, inputs, panels;  // end: row after the last one that is wanted
};

// One tile of all input channels into 36 rows of `out`, `step` floats apart.
static void transform_tile(const Convolution& c, const float* x, int64_t tile_y, int64_t tile_x, float* out, size_t step) {
    constexpr int SIDE = 6;
    const int64_t top = tile_y * 4 - c.padding, left = tile_x * 4 - c.padding;
    for (int64_t k = 0; k < c.inputs; k += LANES) {
        const int count = static_cast<int>(std::min<int64_t>(LANES, c.inputs - k));
        Vec half[SIDE][SIDE];
        for (int j = 0; j < SIDE; ++j) {
            Vec column[SIDE];
            const int64_t col = left + j;
            const bool inside = col >= 0 && col < c.width;
            for (int i = 0; i < SIDE; ++i) {
                const int64_t row = top + i;
                column[i] = inside && row >= 0 && row < c.height
                    ? load_some(x + (row * c.width + col) * c.inputs + k, count) : Vec{};
            }
            Vec made[SIDE];
            transform_six(column, made);
            for (int i = 0; i < SIDE; ++i) half[i][j] = made[i];
        }
        for (int i = 0; i < SIDE; ++i) {
            Vec made[SIDE];
            transform_six(half[i], made);
            for (int j = 0; j < SIDE; ++j) store(out + (SIDE * i + j) * step + k, made[j]);
        }
    }
}

static inline void weight_line(const Vec* g, Vec* out) {
    const Vec even = g[0] * (-2.0f / 3) - g[2] * (1.0f / 3), odd = g[1] * (-2.0f / 3 * NEAR);
    const Vec far = g[0] * (1.0f / 6) + g[2] * (1.0f / 3), side = g[1] * (1.0f / 6 * FAR);
    out[0] = g[0];
    out[1] = even + odd;
    out[2] = even - odd;
    out[3] = far + side;
    out[4] = far - side;
    out[5] = g[2];
}

// One panel of the weights, modulated and demodulated, into [36][inputs][PANEL].
static void transform_weight(const float* weight, const float* style, const float* scale, int64_t outputs, int64_t inputs,
                             float* out, size_t step) {
    const Vec factor[2] = {load_some(scale, static_cast<int>(std::min<int64_t>(LANES, outputs))),
                           outputs > LANES ? load_some(scale + LANES, static_cast<int>(std::min<int64_t>(LANES, outputs - LANES)))
                                           : Vec{}};
    for (int64_t k = 0; k < inputs; ++k) {
        for (int part = 0; part < 2; ++part) {
            const float* w = weight + k * 9 * PANEL + part * LANES;
            float* to = out + k * PANEL + part * LANES;
            const Vec own = factor[part] * style[k];
            Vec half[6][3];
            for (int j = 0; j < 3; ++j) {
                const Vec column[3] = {load(w + j * PANEL) * own, load(w + (3 + j) * PANEL) * own, load(w + (6 + j) * PANEL) * own};
                Vec made[6];
                weight_line(column, made);
                for (int i = 0; i < 6; ++i) half[i][j] = made[i];
            }
            for (int i = 0; i < 6; ++i) {
                Vec made[6];
                weight_line(half[i], made);
                for (int j = 0; j < 6; ++j) store(to + (6 * i + j) * step, made[j]);
            }
        }
    }
}

// m -> A^T m, four values
static inline void output_line(const Vec* m, Vec* out) {
    const Vec a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
    out[0] = m[0] + a + c;
    out[1] = NEAR * b + FAR * d;
    out[2] = 0.5f * a + 2 * c;
    out[3] = (0.5f * NEAR) * b + (2 * FAR) * d + m[5];
}

// LANES channels of one tile: from 36 products to 4x4 pixels.
static void finish_tile(const Convolution& c, const Shape& s, const float* m, size_t step, int64_t tile, const float* noise,
                        float* y, int64_t channel) {
    const int count = static_cast<int>(std::min<int64_t>(LANES, c.outputs - channel));
    if (count <= 0) return;
    Vec half[4][6];
    for (int j = 0; j < 6; ++j) {
        Vec column[6], made[4];
        for (int i = 0; i < 6; ++i) column[i] = load(m + (6 * i + j) * step);
        output_line(column, made);
        for (int i = 0; i < 4; ++i) half[i][j] = made[i];
    }
    const Vec bias = load_some(c.bias + channel, count);
    const int64_t top = tile / s.tiles_x * 4, left = tile % s.tiles_x * 4;
    for (int i = 0; i < 4 && top + i < s.end; ++i) {
        Vec made[4];
        output_line(half[i], made);
        for (int j = 0; j < 4 && left + j < s.out_w; ++j) {
            const int64_t pixel = (top + i) * s.out_w + left + j;
            Vec v = made[j] + bias;
            if (noise) v += noise[pixel] * c.noise_gain;
            store_some(y + (pixel - c.first * s.out_w) * c.outputs + channel, activate(v, c.slope, c.clamp), count);
        }
    }
}

static void run_item(const Convolution& c, const Shape& s, int64_t sample, int64_t first, int64_t tiles, int64_t panel,
                     int64_t last_panel, float* memory) {
    const size_t row = padded(c.inputs);
    const size_t step_v = tiles * row + SKEW, step_u = c.inputs * PANEL + SKEW, step_m = tiles * PANEL + SKEW;
    float *v = memory, *u = v + POINTS * step_v, *m = u + POINTS * step_u;
    const float* x = c.x + sample * c.height * c.width * c.inputs;
    const float* noise = c.noise ? c.noise + sample * c.noise_step : nullptr;
    float* y = c.y + sample * c.rows * s.out_w * c.outputs;
    for (int64_t t = 0; t < tiles; ++t)
        transform_tile(c, x, (first + t) / s.tiles_x, (first + t) % s.tiles_x, v + t * row, step_v);
    for (; panel < last_panel; ++panel) {
        const int64_t channel = panel * PANEL;
        transform_weight(c.weight + channel * 9 * c.inputs, c.style + sample * c.inputs, c.scale + sample * c.outputs + channel,
                         c.outputs - channel, c.inputs, u, step_u);
        for (int p = 0; p < POINTS; ++p) product(v + p * step_v, row, u + p * step_u, c.inputs, tiles, m + p * step_m);
        for (int64_t t = 0; t < tiles; ++t)
            for (int part = 0; part < 2; ++part)
                finish_tile(c, s, m + t * PANEL + part * LANES, step_m, first + t, noise, y, channel + part * LANES);
    }
}

static int64_t tiles_at_once(const Shape& s) {
    const int64_t fit = (int64_t{1536} << 10) / (POINTS * 4 * s.inputs), most = std::min<int64_t>(std::max<int64_t>(fit, 64), 192);
    const int64_t parts = (s.tiles + most - 1) / most, tiles = (s.tiles + parts - 1) / parts;
    return (tiles + ROWS - 1) / ROWS * ROWS;
}

// Fresh memory comes in pages of 4 kB, each with a fault that costs as much as the arithmetic on it: ask for large ones.
static void in_large_pages(float* p, size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    const uintptr_t page = 4096, first = (reinterpret_cast<uintptr_t>(p) + page - 1) / page * page;
    const uintptr_t end = (reinterpret_cast<uintptr_t>(p) + bytes) / page * page;
    if (bytes >= (size_t{4} << 20)) madvise(reinterpret_cast<void*>(first), end - first, MADV_HUGEPAGE);  // advice: may fail
#else
    (void)p, (void)bytes;
#endif
}

extern "C" {

STYLEWIDGETS_EXPORT int64_t stylewidgets_panel() { return PANEL; }

STYLEWIDGETS_EXPORT int stylewidgets_pointwise(const Convolution* given) {
    in_large_pages(given->y, static_cast<size_t>(given->n * given->rows * given->width * given->outputs) * sizeof(float));
    return pointwise::run(*given, std::max<int64_t>(1, given->threads)) ? 0 : 1;
}

STYLEWIDGETS_EXPORT int stylewidgets_convolution(const Convolution* given) {
    const Convolution& c = *given;
    Shape s;
    s.end = c.first + c.rows;
    s.out_w = c.width * c.up + 2 * (c.padding - 1);
    s.tiles_x = (s.out_w + 3) / 4;
    s.first = c.first / 4 * s.tiles_x;
    s.tiles = s.tiles_x * ((c.rows + 3) / 4);
    s.inputs = c.inputs;
    s.panels = (c.outputs + PANEL - 1) / PANEL;
    in_large_pages(c.y, static_cast<size_t>(c.n * c.rows * s.out_w * c.outputs) * sizeof(float));
    const int64_t threads = std::max<int64_t>(1, c.threads);
    if (c.up == 2) return upconv::run(c, threads) ? 0 : 1;
    const int64_t part = tiles_at_once(s), parts = (s.tiles + part - 1) / part;
    // Few parts: split the channels too. The input is transformed once for each group, which costs little of so many channels.
    const int64_t groups = parts * c.n >= 2 * threads ? 1 : std::min<int64_t>(s.panels, threads);
    const size_t memory = POINTS * (part * (padded(c.inputs) + PANEL) + c.inputs * PANEL + 3 * SKEW);
    const bool good = spread(c.n * parts * groups, static_cast<int>(threads), memory, [&](int64_t item, float* mine) {
        const int64_t group = item % groups, strip = item / groups % parts, sample = item / groups / parts;
        const int64_t first = s.first + strip * part, tiles = std::min(part, s.tiles - strip * part);
        const int64_t panel = s.panels * group / groups, end = s.panels * (group + 1) / groups;
        run_item(c, s, sample, first, tiles, panel, end, mine);
    });
    return good ? 0 : 1;
}

}
