// The gradient of the leaky ReLU of StyleGAN3 between its filters, for float32 on the CPU and separable filters. Features are
// channels-last.
//
// With y the upsampled features, the gradient is A'(slope(y) · B'g): g goes up through the adjoint of the downsampling filter,
// is multiplied by the slope at y, which is computed once more, and comes down through the adjoint of the upsampling one. Vectors
// run along the channels; an item of work is 16 channels of a picture, gone through row by upsampled row, so that the upsampled
// features never exist as a whole.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <vector>

#include "_parallel.h"
#include "_vector.h"

namespace {

STYLEWIDGETS_VECTOR(v8, 8)

inline v8 get(const float* p) { return read_v8(p); }
inline void put(float* p, v8 v) { write_v8(p, v); }

constexpr int WIDE = 16;  // channels at a time: one cache line

// n samples and the m that they become when a filter with `taps` and a step goes over them: wide[u] = Σ x[j]·taps[u − j·step + offset].
struct Expansion {
    i64 n, m, step, offset;
    int count;                 // samples that reach one of the m
    std::vector<float> line;   // the taps
    std::vector<i64> first;    // of the count samples
    std::vector<float> taps;   // [m][count]
    i64 left, right;           // zeros that the samples need on both sides
    i64 before, behind;        // zeros that the m need for the way back

    Expansion(i64 n, i64 m, const float* given, int length, i64 step, i64 offset, float gain)
        : n(n), m(m), step(step), offset(offset), count(static_cast<int>((length + step - 1) / step)),
          line(given, given + length), first(static_cast<std::size_t>(m)), taps(static_cast<std::size_t>(m * count), 0.0f) {
        for (float& t : line) t *= gain;
        i64 lowest = 0, highest = n;
        for (i64 u = 0; u < m; ++u) {
            const i64 reach = u + offset - length + 1;
            const i64 j = reach > 0 ? (reach + step - 1) / step : -((-reach) / step);
            first[static_cast<std::size_t>(u)] = j;
            lowest = std::min(lowest, j), highest = std::max(highest, j + count);
            for (int k = 0; k < count; ++k) {
                const i64 at = u - (j + k) * step + offset;
                if (at >= 0 && at < length) taps[static_cast<std::size_t>(u * count + k)] = line[static_cast<std::size_t>(at)];
            }
        }
        left = -lowest, right = highest - n;
        before = std::max<i64>(0, offset), behind = std::max<i64>(0, (n - 1) * step - offset + length - m);
    }
    i64 padded() const { return left + n + right; }
    i64 wide() const { return before + m + behind; }
};

// out[i] = Σ rows[k][i]·taps[k], n·16 floats; a missing row is zero.
template <int COUNT>
void blend(const float* const* rows, const float* taps, int count, i64 n, float* out) {
    const int used = COUNT ? COUNT : count;
    for (i64 i = 0; i < n * WIDE; i += 16) {
        v8 a = {}, b = {};
#pragma GCC unroll 6
        for (int k = 0; k < used; ++k) {
            a += get(rows[k] + i) * taps[k];
            b += get(rows[k] + i + 8) * taps[k];
        }
        put(out + i, a);
        put(out + i + 8, b);
    }
}

template <int COUNT>
inline void gather(const float* row, const float* taps, int count, v8& a, v8& b) {
    const int used = COUNT ? COUNT : count;
    a = v8{}, b = v8{};
#pragma GCC unroll 12
    for (int k = 0; k < used; ++k) {
        a += get(row + k * WIDE) * taps[k];
        b += get(row + k * WIDE + 8) * taps[k];
    }
}

struct Rule {
    float slope, clamp;
};

inline v8 passed(v8 y, v8 g, const Rule& rule) {
    const v8 zero = {};
    const v8 low = y * rule.slope, part = g * rule.slope;
    const v8 value = choose(y > zero, y, low), top = zero + rule.clamp;
    const v8 kept = choose(y > zero, g, part);
    const v8 inside = choose(value <= top, kept, zero);
    return choose(value >= -top, inside, zero);
}

// One row of upsampled samples: the gradient that reaches them, times the slope there.
template <int A, int B>
void middle(const float* x, const float* g, const Expansion& up, const Expansion& down, const Rule& rule, float* out) {
    for (i64 u = 0; u < up.m; ++u) {
        const std::size_t at = static_cast<std::size_t>(u);
        v8 y0, y1, g0, g1;
        gather<A>(x + (up.first[at] + up.left) * WIDE, up.taps.data() + u * up.count, up.count, y0, y1);
        gather<B>(g + (down.first[at] + down.left) * WIDE, down.taps.data() + u * down.count, down.count, g0, g1);
        put(out + u * WIDE, passed(y0, g0, rule));
        put(out + u * WIDE + 8, passed(y1, g1, rule));
    }
}

template <int LENGTH>
void contract(const float* wide, const Expansion& e, float* out) {
    for (i64 j = 0; j < e.n; ++j) {
        v8 a, b;
        gather<LENGTH>(wide + (j * e.step - e.offset + e.before) * WIDE, e.line.data(), static_cast<int>(e.line.size()), a, b);
        put(out + j * WIDE, a);
        put(out + j * WIDE + 8, b);
    }
}

// 16 channels (or fewer, the rest zero) of a channels-last picture between zeros.
void read(const float* from, i64 height, const Expansion& e, i64 pixel, i64 channels, float* to) {
    std::memset(to, 0, static_cast<std::size_t>(height * e.padded() * WIDE) * sizeof(float));
    for (i64 y = 0; y < height; ++y) {
        float* row = to + (y * e.padded() + e.left) * WIDE;
        for (i64 x = 0; x < e.n; ++x, from += pixel, row += WIDE) {
            std::memcpy(row, from, static_cast<std::size_t>(channels) * sizeof(float));
        }
    }
}

// A row of upsampled samples of one axis from the rows that reach it.
void along(const float* picture, i64 width, const Expansion& e, i64 u, const float* zeros, float* out) {
    const i64 j = e.first[static_cast<std::size_t>(u)];
    std::vector<const float*> rows(static_cast<std::size_t>(e.count));
    for (int k = 0; k < e.count; ++k) {
        const i64 at = j + k;
        rows[static_cast<std::size_t>(k)] = at >= 0 && at < e.n ? picture + at * width * WIDE : zeros;
    }
    const float* taps = e.taps.data() + u * e.count;
    if (e.count == 6) blend<6>(rows.data(), taps, 6, width, out);
    else blend<0>(rows.data(), taps, e.count, width, out);
}

struct Way {
    Expansion across, along;
};

struct Sizes {
    i64 x, g, zeros, wide, result;
    Sizes(const Way& up, const Way& down)
        : x(up.along.n * up.across.padded() * WIDE), g(down.along.n * down.across.padded() * WIDE),
          zeros(std::max(up.across.padded(), down.across.padded()) * WIDE), wide(up.across.wide() * WIDE),
          result(up.along.n * up.across.n * WIDE) {}
    std::size_t all() const { return static_cast<std::size_t>(x + g + 3 * zeros + wide + zeros + result); }
};

void one_picture(const float* x, const float* g, float* out, i64 pixel, i64 channels, const Way& up, const Way& down,
                 const Rule& rule, float* memory) {
    const Sizes size(up, down);
    float *xs = memory, *gs = xs + size.x, *zeros = gs + size.g, *x_row = zeros + size.zeros, *g_row = x_row + size.zeros;
    float *wide = g_row + size.zeros, *narrow = wide + size.wide, *result = narrow + size.zeros;
    read(x, up.along.n, up.across, pixel, channels, xs);
    read(g, down.along.n, down.across, pixel, channels, gs);
    std::memset(zeros, 0, static_cast<std::size_t>(size.zeros) * sizeof(float));
    std::memset(wide, 0, static_cast<std::size_t>(size.wide) * sizeof(float));
    std::memset(result, 0, static_cast<std::size_t>(size.result) * sizeof(float));
    const i64 columns = up.across.n;
    for (i64 u = 0; u < up.along.m; ++u) {
        along(xs, up.across.padded(), up.along, u, zeros, x_row);
        along(gs, down.across.padded(), down.along, u, zeros, g_row);
        float* inner = wide + up.across.before * WIDE;
        if (up.across.count == 6 && down.across.count == 6) middle<6, 6>(x_row, g_row, up.across, down.across, rule, inner);
        else middle<0, 0>(x_row, g_row, up.across, down.across, rule, inner);
        if (up.across.line.size() == 12) contract<12>(wide, up.across, narrow);
        else contract<0>(wide, up.across, narrow);
        for (int k = 0; k < up.along.count; ++k) {
            const i64 j = up.along.first[static_cast<std::size_t>(u)] + k;
            const float tap = up.along.taps[static_cast<std::size_t>(u * up.along.count + k)];
            if (j < 0 || j >= up.along.n || tap == 0.0f) continue;
            float* sum = result + j * columns * WIDE;
            for (i64 i = 0; i < columns * WIDE; i += 8) put(sum + i, get(sum + i) + get(narrow + i) * tap);
        }
    }
    for (i64 i = 0; i < up.along.n * columns; ++i) {
        std::memcpy(out + i * pixel, result + i * WIDE, static_cast<std::size_t>(channels) * sizeof(float));
    }
}

}  // namespace

extern "C" {

// x [n, height, width, channels] (scaled, with its bias) and g [n, out_height, out_width, channels], both dense → out like x.
// Filters as in filtered_lrelu, of one axis. clamp may be infinite. 0 when done.
STYLEWIDGETS_EXPORT int stylewidgets_filtered_lrelu_grad(const float* x, const float* g, i64 n, i64 height, i64 width, i64 channels, i64 out_height,
                                     i64 out_width, const float* up_filter, int up_taps, int up, const float* down_filter,
                                     int down_taps, int down, i64 before, i64 behind, float gain, float slope, float clamp,
                                     float* out, int threads) {
    const i64 high = height * up + before + behind - up_taps + 1, wide = width * up + before + behind - up_taps + 1;
    const i64 offset = up_taps - 1 - before;
    const std::vector<float> low(std::reverse_iterator<const float*>(down_filter + down_taps),
                                 std::reverse_iterator<const float*>(down_filter));
    const float across = static_cast<float>(up), along = static_cast<float>(up) * gain;
    const Way rise{Expansion(width, wide, up_filter, up_taps, up, offset, across),
                   Expansion(height, high, up_filter, up_taps, up, offset, along)};
    const Way fall{Expansion(out_width, wide, low.data(), down_taps, down, 0, 1.0f),
                   Expansion(out_height, high, low.data(), down_taps, down, 0, 1.0f)};
    const Rule rule{slope, clamp};
    const i64 groups = (channels + WIDE - 1) / WIDE;
    const bool good = spread(n * groups, threads, Sizes(rise, fall).all(), [&](i64 job, float* memory) {
        const i64 sample = job / groups, first = job % groups * WIDE;
        one_picture(x + sample * height * width * channels + first, g + sample * out_height * out_width * channels + first,
                    out + sample * height * width * channels + first, channels, std::min<i64>(WIDE, channels - first), rise, fall,
                    rule, memory);
    });
    return good ? 0 : 1;
}

}  // extern "C"
