// A modulated 3x3 convolution of StyleGAN2, with what comes before it (x2 upsampling) and after it (demodulation, noise,
// bias, leaky ReLU, gain, clamp), for float32 on the CPU. Features are channels-last.
//
// Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016):
// 4x4 outputs from a 6x6 tile of the input with 36 products where the definition has 144. The input of an up-convolution
// is the linearly interpolated picture; its 6x6 tile is made from a 4x4 tile of the small one while it is transformed.
//
// Work is split into items: so many tiles of one picture times a range of output channels. Everything between reading the
// input and writing the output of an item stays in buffers that fit the caches.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#if defined(__AVX512F__)
constexpr int LANES = 16, ROWS = 12;
#elif defined(__AVX__)
constexpr int LANES = 8, ROWS = 6;
#else
constexpr int LANES = 4, ROWS = 6;
#endif
constexpr int PANEL = 2 * LANES;  // output channels that are computed together
constexpr int POINTS = 36;
constexpr int SKEW = 16;          // floats between rows of buffers, so that they do not fall on the same cache lines

typedef float Vec __attribute__((vector_size(LANES * 4)));
typedef float Loose __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

static inline Vec load(const float* p) { return *reinterpret_cast<const Loose*>(p); }
static inline void store(float* p, Vec v) { *reinterpret_cast<Loose*>(p) = v; }

static inline Vec load_some(const float* p, int count) {
    if (count >= LANES) return load(p);
    float few[LANES] = {};
    std::memcpy(few, p, count * sizeof(float));
    return load(few);
}

static inline void store_some(float* p, Vec v, int count) {
    if (count >= LANES) return store(p, v);
    float few[LANES];
    store(few, v);
    std::memcpy(p, few, count * sizeof(float));
}

struct Convolution {
    const float* x;        // [n, height, width, inputs]
    const float* weight;   // packed: [panels, inputs, 9, PANEL]
    const float* style;    // [n, inputs]
    const float* scale;    // [n, outputs]: demodulation times gain
    const float* bias;     // [outputs], times gain
    const float* noise;    // [n or 1, out_height, out_width] or null
    float* y;              // [n, out_height, out_width, outputs]
    int64_t n, height, width, inputs, outputs;
    int64_t noise_step;    // from one sample's noise to the next, 0 when shared
    int64_t up;            // 1 or 2
    int64_t padding;       // zeros around the input; 1 with up 2
    float noise_gain, slope, clamp;
    int64_t threads;
};

struct Shape {
    int64_t out_h, out_w, tiles_x, tiles_y, tiles, inputs, panels;
};

struct Buffers {
    std::vector<float> input, weight, product;
    static float* room(std::vector<float>& v, size_t size) {
        if (v.size() < size) v.resize(size);
        return v.data();
    }
};

// The points are 0, +-1/sqrt(2), +-sqrt(2) and infinity: they round half as much as the usual 0, +-1, +-2.
constexpr float NEAR = 0.70710678118654752f, FAR = 1.41421356237309505f;

// d -> B^T d, six values
static inline void transform_six(const Vec* d, Vec* out) {
    const Vec a = d[4] - 2 * d[2], b = NEAR * (d[3] - 2 * d[1]), c = d[4] - 0.5f * d[2], e = FAR * (d[3] - 0.5f * d[1]);
    out[0] = d[0] - 2.5f * d[2] + d[4];
    out[1] = a + b;
    out[2] = a - b;
    out[3] = c + e;
    out[4] = c - e;
    out[5] = d[1] - 2.5f * d[3] + d[5];
}

static inline void interpolate(const Vec* x, Vec* out) {
    for (int i = 0; i < 3; ++i) {
        out[2 * i] = 0.75f * x[i] + 0.25f * x[i + 1];
        out[2 * i + 1] = 0.25f * x[i] + 0.75f * x[i + 1];
    }
}

template <bool UP>
static inline void transform_line(const Vec* d, Vec* out) {
    if (UP) {
        Vec wide[6];
        interpolate(d, wide);
        transform_six(wide, out);
    } else {
        transform_six(d, out);
    }
}

// One tile of all input channels into 36 rows of `out`, `step` floats apart.
template <bool UP>
static void transform_tile(const Convolution& c, const float* x, int64_t tile_y, int64_t tile_x, float* out, size_t step) {
    constexpr int SIDE = UP ? 4 : 6;
    const int64_t top = tile_y * (UP ? 2 : 4) - c.padding, left = tile_x * (UP ? 2 : 4) - c.padding;
    for (int64_t k = 0; k < c.inputs; k += LANES) {
        const int count = static_cast<int>(std::min<int64_t>(LANES, c.inputs - k));
        Vec half[6][SIDE];
        for (int j = 0; j < SIDE; ++j) {
            Vec column[SIDE];
            const int64_t col = left + j;
            const bool inside = col >= 0 && col < c.width;
            for (int i = 0; i < SIDE; ++i) {
                const int64_t row = top + i;
                column[i] = inside && row >= 0 && row < c.height
                    ? load_some(x + (row * c.width + col) * c.inputs + k, count) : Vec{};
            }
            Vec made[6];
            transform_line<UP>(column, made);
            for (int i = 0; i < 6; ++i) half[i][j] = made[i];
        }
        for (int i = 0; i < 6; ++i) {
            Vec made[6];
            transform_line<UP>(half[i], made);
            for (int j = 0; j < 6; ++j) store(out + (6 * i + j) * step + k, made[j]);
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

// R rows of a (stride `row`) times b [depth][PANEL] into c [R][PANEL].
template <int R>
static inline void multiply(const float* a, size_t row, const float* b, int64_t depth, float* c) {
    Vec sum[R][2] = {};
    for (int64_t k = 0; k < depth; ++k) {
        const Vec left = load(b + k * PANEL), right = load(b + k * PANEL + LANES);
#pragma GCC unroll 12
        for (int r = 0; r < R; ++r) {
            const float value = a[r * row + k];
            sum[r][0] += value * left;
            sum[r][1] += value * right;
        }
    }
    for (int r = 0; r < R; ++r) {
        store(c + r * PANEL, sum[r][0]);
        store(c + r * PANEL + LANES, sum[r][1]);
    }
}

template <int R>
static void multiply_rest(int64_t rows, const float* a, size_t row, const float* b, int64_t depth, float* c) {
    if (rows == R) return multiply<R>(a, row, b, depth, c);
    if constexpr (R > 1) multiply_rest<R - 1>(rows, a, row, b, depth, c);
}

static void product(const float* a, size_t row, const float* b, int64_t depth, int64_t rows, float* c) {
    int64_t r = 0;
    for (; r + ROWS <= rows; r += ROWS) multiply<ROWS>(a + r * row, row, b, depth, c + r * PANEL);
    if (r < rows) multiply_rest<ROWS - 1>(rows - r, a + r * row, row, b, depth, c + r * PANEL);
}

// m -> A^T m, four values
static inline void output_line(const Vec* m, Vec* out) {
    const Vec a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
    out[0] = m[0] + a + c;
    out[1] = NEAR * b + FAR * d;
    out[2] = 0.5f * a + 2 * c;
    out[3] = (0.5f * NEAR) * b + (2 * FAR) * d + m[5];
}

static inline Vec activate(Vec v, float slope, float clamp) {
    v = v > 0 ? v : v * slope;
    const Vec high = Vec{} + clamp;
    v = v > high ? high : v;
    return v < -high ? -high : v;
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
    for (int i = 0; i < 4 && top + i < s.out_h; ++i) {
        Vec made[4];
        output_line(half[i], made);
        for (int j = 0; j < 4 && left + j < s.out_w; ++j) {
            const int64_t pixel = (top + i) * s.out_w + left + j;
            Vec v = made[j] + bias;
            if (noise) v += noise[pixel] * c.noise_gain;
            store_some(y + pixel * c.outputs + channel, activate(v, c.slope, c.clamp), count);
        }
    }
}

template <bool UP>
static void run_item(const Convolution& c, const Shape& s, int64_t sample, int64_t first, int64_t tiles, int64_t panel,
                     int64_t last_panel, Buffers& buffers) {
    const size_t row = (c.inputs + LANES - 1) / LANES * LANES;
    const size_t step_v = tiles * row + SKEW, step_u = c.inputs * PANEL + SKEW, step_m = tiles * PANEL + SKEW;
    float* v = Buffers::room(buffers.input, POINTS * step_v);
    float* u = Buffers::room(buffers.weight, POINTS * step_u);
    float* m = Buffers::room(buffers.product, POINTS * step_m);
    const float* x = c.x + sample * c.height * c.width * c.inputs;
    const float* noise = c.noise ? c.noise + sample * c.noise_step : nullptr;
    float* y = c.y + sample * s.out_h * s.out_w * c.outputs;
    for (int64_t t = 0; t < tiles; ++t)
        transform_tile<UP>(c, x, (first + t) / s.tiles_x, (first + t) % s.tiles_x, v + t * row, step_v);
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

static int64_t tiles_at_once(const Shape& s, int64_t threads) {
    const int64_t fit = (int64_t{1536} << 10) / (POINTS * 4 * s.inputs);
    const int64_t even = (s.tiles + threads - 1) / threads;
    int64_t tiles = std::min<int64_t>(std::min<int64_t>(std::max<int64_t>(fit, 48), 192), std::max<int64_t>(even, 48));
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

static std::mutex pool_lock;
static std::vector<Buffers> pool;  // kept from call to call: fresh memory costs a page fault for every 4 kB

extern "C" {

int64_t stylewidgets_panel() { return PANEL; }

int stylewidgets_convolution(const Convolution* given) {
    const Convolution& c = *given;
    Shape s;
    s.out_h = c.height * c.up + 2 * (c.padding - 1);
    s.out_w = c.width * c.up + 2 * (c.padding - 1);
    s.tiles_y = (s.out_h + 3) / 4;
    s.tiles_x = (s.out_w + 3) / 4;
    s.tiles = s.tiles_x * s.tiles_y;
    s.inputs = c.inputs;
    s.panels = (c.outputs + PANEL - 1) / PANEL;
    in_large_pages(c.y, static_cast<size_t>(c.n * s.out_h * s.out_w * c.outputs) * sizeof(float));
    const int64_t threads = std::max<int64_t>(1, c.threads);
    const int64_t part = tiles_at_once(s, threads), parts = (s.tiles + part - 1) / part;
    // Few parts: split the channels too. The input is transformed once for each group, which costs little of so many channels.
    const int64_t groups = parts * c.n >= 2 * threads ? 1 : std::min<int64_t>(s.panels, threads);
    const int64_t items = c.n * parts * groups;
    std::atomic<int64_t> next{0};
    std::unique_lock<std::mutex> lock(pool_lock, std::try_to_lock);
    std::vector<Buffers> own;
    std::vector<Buffers>& buffers = lock.owns_lock() ? pool : own;
    if (static_cast<int64_t>(buffers.size()) < threads) buffers.resize(threads);
    auto work = [&](Buffers& mine) {
        for (int64_t item; (item = next.fetch_add(1)) < items;) {
            const int64_t group = item % groups, strip = item / groups % parts, sample = item / groups / parts;
            const int64_t first = strip * part, tiles = std::min(part, s.tiles - first);
            const int64_t panel = s.panels * group / groups, end = s.panels * (group + 1) / groups;
            if (c.up == 2) run_item<true>(c, s, sample, first, tiles, panel, end, mine);
            else run_item<false>(c, s, sample, first, tiles, panel, end, mine);
        }
    };
    std::vector<std::thread> helpers;
    for (int64_t i = 1; i < std::min(threads, items); ++i) helpers.emplace_back(work, std::ref(buffers[i]));
    work(buffers[0]);
    for (auto& helper : helpers) helper.join();
    return 0;
}

}
