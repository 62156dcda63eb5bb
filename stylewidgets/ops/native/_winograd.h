// What the compiled convolutions share: vectors, the task, the product of matrices, and the transform of six input values.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "_vector.h"

#if defined(__AVX512F__)
constexpr int LANES = 16, ROWS = 12;
#elif defined(__AVX__)
constexpr int LANES = 8, ROWS = 6;
#else
constexpr int LANES = 4, ROWS = 6;
#endif
constexpr int PANEL = 2 * LANES;  // output channels that are computed together
constexpr int SKEW = 16;          // floats between rows of buffers, so that they do not fall on the same cache lines

STYLEWIDGETS_VECTOR(Vec, LANES)

static inline Vec load(const float* p) { return read_Vec(p); }
static inline void store(float* p, Vec v) { write_Vec(p, v); }

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

// Rows of input channels are rounded up to whole vectors.
static inline size_t padded(int64_t channels) { return static_cast<size_t>((channels + LANES - 1) / LANES * LANES); }

struct Convolution {
    const float* x;        // [n, height, width, inputs]
    const float* weight;   // packed: [panels, inputs, 9, PANEL]
    const float* style;    // [n, inputs]
    const float* scale;    // [n, outputs]: demodulation times gain
    const float* bias;     // [outputs], times gain
    const float* noise;    // [n or 1, out_height, out_width] or null
    float* y;              // [n, rows, out_width, outputs]
    int64_t n, height, width, inputs, outputs;
    int64_t noise_step;    // from one sample's noise to the next, 0 when shared
    int64_t up;            // 1 or 2
    int64_t padding;       // zeros around the input; 1 with up 2
    int64_t first, rows;   // of the output that are wanted: all of them with up 2, else first a multiple of 4
    float noise_gain, slope, clamp;
    int64_t threads;
};

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

static inline Vec activate(Vec v, float slope, float clamp) {
    v = choose(v > 0.0f, v, v * slope);
    const Vec high = Vec{} + clamp;
    v = choose(v > high, high, v);
    return choose(v < -high, -high, v);
}
