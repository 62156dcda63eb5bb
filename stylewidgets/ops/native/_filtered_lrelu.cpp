// The leaky ReLU of StyleGAN3 between an upsampling and a downsampling filter, for float32 on the CPU. Features are
// channels-last.
//
// Vectors run along the channels, so that filters need no shuffles and strides cost nothing. An item of work is 16 channels
// of a strip of columns, gone through from top to bottom: of the upsampled features only a few rows exist at any time, and
// those stay in the cache.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "_parallel.h"
#include "_vector.h"

namespace {

STYLEWIDGETS_VECTOR(v8, 8)

inline v8 get(const float* p) { return read_v8(p); }
inline void put(float* p, v8 v) { write_v8(p, v); }

struct Plane {
    i64 height, width, row, pixel;  // strides in floats; channels are next to each other
};

constexpr int WIDE = 16;  // channels at a time: one cache line

struct Filters {
    int up, up_taps, phase_taps, down, down_taps;
    bool flat, folded;         // a filter of two axes; one whose rows mirror each other
    i64 before;
    std::vector<float> across, along;  // [up][phase_taps]: taps of each phase, for the horizontal and the vertical axis
    std::vector<float> low;    // [down_taps] or [down_taps][down_taps], as correlation
    float slope, clamp;
};

inline i64 first_input(i64 u, const Filters& f) {  // of those that reach upsampled sample u: ceil((u − before) / up)
    const i64 b = u - f.before;
    return b > 0 ? (b + f.up - 1) / f.up : -((-b) / f.up);
}
inline const float* phase(const std::vector<float>& taps, i64 u, const Filters& f) {
    return taps.data() + (first_input(u, f) * f.up - (u - f.before)) * f.phase_taps;
}

inline v8 activate(v8 v, float slope, float clamp) {  // written so that what is not a number stays so
    const v8 low = v * slope;
    v = choose(v > 0.0f, v, low);
    const v8 top = v8{} + clamp;
    v = choose(v > top, top, v);
    return choose(v < -top, -top, v);
}

// Weighted sum of `count` rows, each of n·16 floats.
template <int COUNT, class Finish>
inline void add_rows(const float* const* rows, const float* taps, int count, i64 n, float* out, const Finish& finish) {
    if (COUNT) {  // copies, so that the compiler knows that the results do not change them
        const float* own[COUNT ? COUNT : 1];
        float weights[COUNT ? COUNT : 1];
        for (int k = 0; k < COUNT; ++k) own[k] = rows[k], weights[k] = taps[k];
        for (i64 i = 0; i < n * WIDE; i += 16) {
            v8 a = get(own[0] + i) * weights[0], b = get(own[0] + i + 8) * weights[0];
#pragma GCC unroll 12
            for (int k = 1; k < COUNT; ++k) {
                a += get(own[k] + i) * weights[k];
                b += get(own[k] + i + 8) * weights[k];
            }
            put(out + i, finish(a));
            put(out + i + 8, finish(b));
        }
        return;
    }
    for (i64 i = 0; i < n * WIDE; i += 8) {
        v8 sum = {};
        for (int k = 0; k < count; ++k) sum += get(rows[k] + i) * taps[k];
        put(out + i, finish(sum));
    }
}

template <class Finish>
inline void weigh(const float* const* rows, const float* taps, int count, i64 n, float* out, const Finish& finish) {
    if (count == 6) return add_rows<6>(rows, taps, count, n, out, finish);
    if (count == 12) return add_rows<12>(rows, taps, count, n, out, finish);
    return add_rows<0>(rows, taps, count, n, out, finish);
}

// Six outputs at once of a correlation along a row with steps of two: sums += Σ taps[k]·y[2i + k].
template <int TAPS>
inline void six(const float* y, const float* taps, v8 sum[6][2]) {
#pragma GCC unroll 32
    for (int at = 0; at < 10 + TAPS; ++at) {
        const v8 a = get(y + at * WIDE), b = get(y + at * WIDE + 8);
#pragma GCC unroll 6
        for (int i = 0; i < 6; ++i) {
            const int k = at - 2 * i;
            if (k >= 0 && k < TAPS) {
                sum[i][0] += a * taps[k];
                sum[i][1] += b * taps[k];
            }
        }
    }
}

// rows of upsampled samples → n kept ones: `count` rows, each with its own taps.
void keep(const float* const* rows, int count, const Filters& f, i64 n, float* out) {
    if (f.down == 2 && f.down_taps == 12) {
        for (i64 x = 0; x < n; x += 6) {  // the buffers are long enough for the last six
            v8 sum[6][2] = {};
            for (int r = 0; r < count; ++r) six<12>(rows[r] + 2 * x * WIDE, f.low.data() + r * 12, sum);
            for (int i = 0; i < 6; ++i) {
                put(out + (x + i) * WIDE, sum[i][0]);
                put(out + (x + i) * WIDE + 8, sum[i][1]);
            }
        }
        return;
    }
    for (i64 x = 0; x < n; ++x) {
        v8 a = {}, b = {};
        for (int r = 0; r < count; ++r) {
            for (int k = 0; k < f.down_taps; ++k) {
                const float* y = rows[r] + (x * f.down + k) * WIDE;
                const float tap = f.low[static_cast<std::size_t>(r * f.down_taps + k)];
                a += get(y) * tap;
                b += get(y + 8) * tap;
            }
        }
        put(out + x * WIDE, a);
        put(out + x * WIDE + 8, b);
    }
}

struct Tile {
    i64 x0, n;              // kept columns
    i64 u0, wide;           // upsampled columns
    i64 j0, inputs;         // input columns
};

struct Job {
    const float* x;
    float* out;
    Plane from, to;
    i64 channels;
    const float *scale, *bias;  // of the first channel
};

// One input row of a tile, scaled and with its bias, zero outside of the picture.
void read_row(const Job& job, const Tile& tile, i64 row, float* to) {
    if (row < 0 || row >= job.from.height) {
        std::memset(to, 0, static_cast<std::size_t>(tile.inputs * WIDE) * sizeof(float));
        return;
    }
    float factor[WIDE] = {}, shift[WIDE] = {};
    for (i64 c = 0; c < job.channels; ++c) {
        factor[c] = job.scale ? job.scale[c] : 1.0f;
        shift[c] = job.bias[c];
    }
    const v8 f0 = get(factor), f1 = get(factor + 8), s0 = get(shift), s1 = get(shift + 8);
    for (i64 j = 0; j < tile.inputs; ++j, to += WIDE) {
        const i64 at = tile.j0 + j;
        if (at < 0 || at >= job.from.width) {
            put(to, v8{});
            put(to + 8, v8{});
            continue;
        }
        const float* source = job.x + row * job.from.row + at * job.from.pixel;
        float part[WIDE];
        if (job.channels < WIDE) {
            std::memset(part, 0, sizeof part);
            std::memcpy(part, source, static_cast<std::size_t>(job.channels) * sizeof(float));
            source = part;
        }
        put(to, get(source) * f0 + s0);
        put(to + 8, get(source + 8) * f1 + s1);
    }
}

template <int COUNT>
void widen_row(const float* x, const Tile& tile, const Filters& f, float* out) {
    const int used = COUNT ? COUNT : f.phase_taps;
    const float* taps = phase(f.across, tile.u0, f);
    const float* const first = f.across.data();
    const i64 back = (f.up - 1) * f.phase_taps;
    for (i64 u = 0; u < tile.wide; ++u) {
        v8 a = {}, b = {};
#pragma GCC unroll 6
        for (int k = 0; k < used; ++k) {
            a += get(x + k * WIDE) * taps[k];
            b += get(x + k * WIDE + 8) * taps[k];
        }
        put(out + u * WIDE, a);
        put(out + u * WIDE + 8, b);
        if (taps == first) x += WIDE, taps = first + back;  // the sample after one that lies on an input
        else taps -= f.phase_taps;
    }
}

void write_row(const Job& job, const Tile& tile, i64 row, const float* from) {
    float* to = job.out + row * job.to.row + tile.x0 * job.to.pixel;
    const std::size_t bytes = static_cast<std::size_t>(job.channels) * sizeof(float);
    for (i64 x = 0; x < tile.n; ++x, to += job.to.pixel, from += WIDE) {
        if (job.channels == WIDE) {
            put(to, get(from));
            put(to + 8, get(from + 8));
        } else {
            std::memcpy(to, from, bytes);
        }
    }
}

constexpr i64 COLUMNS = 66;  // kept ones in a tile, a multiple of six

Tile tile_at(i64 x0, i64 width, const Filters& f) {
    Tile tile;
    tile.x0 = x0;
    tile.n = std::min(COLUMNS, width - x0);
    tile.u0 = x0 * f.down;
    tile.wide = (tile.n - 1) * f.down + f.down_taps;
    tile.j0 = first_input(tile.u0, f);
    tile.inputs = first_input(tile.u0 + tile.wide - 1, f) + f.phase_taps - tile.j0;
    return tile;
}

struct Sizes {
    i64 inputs, wide, kept;  // floats of a row
    explicit Sizes(const Filters& f) {
        const i64 most = (COLUMNS - 1) * f.down + f.down_taps + 6 * f.down;
        wide = most * WIDE;
        inputs = (most / f.up + f.phase_taps + 2) * WIDE;
        kept = (COLUMNS + 6) * WIDE;
    }
    std::size_t all(const Filters& f) const {
        return static_cast<std::size_t>(inputs + (f.phase_taps + 1) * wide + f.down_taps * (f.flat ? 2 * wide : kept) + kept);
    }
};

// From top to bottom: rings of widened input rows and of upsampled (or already narrowed) rows.
void filter_tile(const Job& job, const Tile& tile, const Filters& f, float* memory) {
    const Sizes size(f);
    float* input = memory;
    float* widened = input + size.inputs;
    float* line = widened + f.phase_taps * size.wide;
    float* ring = line + size.wide;
    const i64 ring_row = f.flat ? size.wide : size.kept;
    float* sums = ring + f.down_taps * ring_row;  // of mirrored rows
    float* result = sums + (f.flat ? f.down_taps * size.wide : 0);
    std::vector<const float*> rows(static_cast<std::size_t>(std::max(f.phase_taps, f.down_taps)));
    i64 next_input = INT64_MIN / 2, next_wide = 0;
    const auto finish = [&f](v8 v) { return activate(v, f.slope, f.clamp); };
    const auto same = [](v8 v) { return v; };
    for (i64 r = 0; r < job.to.height; ++r) {
        for (next_wide = std::max(next_wide, r * f.down); next_wide < r * f.down + f.down_taps; ++next_wide) {
            const i64 j = first_input(next_wide, f);
            const auto slot = [&](i64 row) { return widened + (((row % f.phase_taps) + f.phase_taps) % f.phase_taps) * size.wide; };
            for (next_input = std::max(next_input, j); next_input < j + f.phase_taps; ++next_input) {
                read_row(job, tile, next_input, input);
                if (f.phase_taps == 6) widen_row<6>(input, tile, f, slot(next_input));
                else widen_row<0>(input, tile, f, slot(next_input));
            }
            for (int k = 0; k < f.phase_taps; ++k) rows[static_cast<std::size_t>(k)] = slot(j + k);
            float* place = ring + (next_wide % f.down_taps) * ring_row;
            weigh(rows.data(), phase(f.along, next_wide, f), f.phase_taps, tile.wide, f.flat ? place : line, finish);
            if (!f.flat) {
                const float* one = line;
                keep(&one, 1, f, tile.n, place);
            }
        }
        for (int k = 0; k < f.down_taps; ++k) {
            rows[static_cast<std::size_t>(k)] = ring + ((r * f.down + k) % f.down_taps) * ring_row;
        }
        if (!f.flat) {
            weigh(rows.data(), f.low.data(), f.down_taps, tile.n, result, same);
        } else if (f.folded) {
            const int half = f.down_taps / 2;
            for (int k = 0; k < half; ++k) {
                const float *a = rows[static_cast<std::size_t>(k)], *b = rows[static_cast<std::size_t>(f.down_taps - 1 - k)];
                float* sum = sums + k * size.wide;
                for (i64 i = 0; i < tile.wide * WIDE; i += 8) put(sum + i, get(a + i) + get(b + i));
            }
            for (int k = 0; k < half; ++k) rows[static_cast<std::size_t>(k)] = sums + k * size.wide;
            keep(rows.data(), half, f, tile.n, result);
        } else {
            keep(rows.data(), f.down_taps, f, tile.n, result);
        }
        write_row(job, tile, r, result);
    }
}

Filters make_filters(const float* up_filter, int up_taps, int up, const float* down_filter, int down_taps, int flat, int down,
                     i64 before, float gain, float slope, float clamp) {
    Filters f;
    f.up = up, f.up_taps = up_taps, f.phase_taps = (up_taps + up - 1) / up, f.down = down, f.down_taps = down_taps;
    f.flat = flat != 0, f.before = before, f.slope = slope, f.clamp = clamp;
    const std::size_t all = static_cast<std::size_t>(up * f.phase_taps);
    f.across.assign(all, 0.0f), f.along.assign(all, 0.0f);
    for (int p = 0; p < up; ++p) {
        for (int m = 0; m < f.phase_taps; ++m) {
            const int t = up_taps - 1 - p - m * up;
            if (t < 0) continue;
            f.across[static_cast<std::size_t>(p * f.phase_taps + m)] = up_filter[t] * static_cast<float>(up);
            f.along[static_cast<std::size_t>(p * f.phase_taps + m)] = up_filter[t] * (static_cast<float>(up) * gain);
        }
    }
    const int lows = flat ? down_taps * down_taps : down_taps;
    f.low.resize(static_cast<std::size_t>(lows));
    for (int k = 0; k < lows; ++k) f.low[static_cast<std::size_t>(k)] = down_filter[lows - 1 - k];
    f.folded = f.flat && down_taps % 2 == 0;
    for (int i = 0; f.folded && i < down_taps / 2; ++i) {
        for (int k = 0; k < down_taps; ++k) {
            f.folded = f.folded && f.low[static_cast<std::size_t>(i * down_taps + k)] ==
                                       f.low[static_cast<std::size_t>((down_taps - 1 - i) * down_taps + k)];
        }
    }
    return f;
}

}  // namespace

extern "C" {

// x [n, height, width, channels] with strides; scale [n, channels] or null; bias [channels]; filters as in filtered_lrelu;
// out [n, out_height, out_width, channels] dense. clamp may be infinite. 0 when done.
STYLEWIDGETS_EXPORT int stylewidgets_filtered_lrelu(const float* x, i64 n, i64 height, i64 width, i64 channels, i64 x_sample, i64 x_row, i64 x_pixel,
                      const float* scale, const float* bias, const float* up_filter, int up_taps, int up,
                      const float* down_filter, int down_taps, int flat, int down, i64 before, float gain, float slope,
                      float clamp, float* out, i64 out_height, i64 out_width, int threads) {
    const Filters f = make_filters(up_filter, up_taps, up, down_filter, down_taps, flat, down, before, gain, slope, clamp);
    const i64 groups = (channels + WIDE - 1) / WIDE, across = (out_width + COLUMNS - 1) / COLUMNS;
    const bool good = spread(n * groups * across, threads, Sizes(f).all(f), [&](i64 job, float* memory) {
        const i64 sample = job / (groups * across), column = job / groups % across, first = job % groups * WIDE;
        const Job one{x + sample * x_sample + first, out + sample * out_height * out_width * channels + first,
                      {height, width, x_row, x_pixel}, {out_height, out_width, out_width * channels, channels},
                      std::min<i64>(WIDE, channels - first), scale ? scale + sample * channels + first : nullptr, bias + first};
        filter_tile(one, tile_at(column * COLUMNS, out_width, f), f, memory);
    });
    return good ? 0 : 1;
}

}  // extern "C"
