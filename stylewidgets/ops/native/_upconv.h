// The x2 up-convolution of StyleGAN2: a transposed 3x3 convolution of stride 2, then the filter (1, 3, 3, 1) on both axes, and
// what comes after a convolution.
//
// Of the transposed convolution's outputs along an axis the even ones have two taps, t[2i] = x[i] w[0] + x[i - 1] w[2], and
// the odd ones one, t[2i + 1] = x[i] w[1]. Minimal filtering F(3, 2) takes four products for three even ones (Winograd, "Arithmetic
// Complexity of Computations", 1980), so a tile of 3x3 inputs makes 6x6 outputs with 49 products: 1.4 for each output, where the
// definition has 2.25. Larger tiles need fewer, but more memory than the caches have. The filter goes over rows as they come, from the top of a range of rows to its bottom; between ranges
// three rows of the transposed convolution are computed twice.

#pragma once

#include "_parallel.h"
#include "_winograd.h"

namespace upconv {

constexpr int SPAN = 3, OUT = 2 * SPAN;  // inputs and outputs of a tile, along an axis
constexpr int POINTS = SPAN + 1, SIDE = POINTS + SPAN;  // products of a tile, along an axis: for the even outputs, then the odd ones
constexpr int KINDS = POINTS + 1, GROUPS = KINDS * KINDS, PLANES = SIDE * SIDE;
constexpr int KEPT = 3;          // rows of the transposed convolution that the next strip needs
constexpr int64_t TILES = 48;    // at least so many at a time, as transforming the weights is work for each time
constexpr int64_t CHUNK = 8 * ROWS;  // lines of inputs that stay in the cache from panel to panel

// Products that share a weight lie behind each other, as one matrix of `row` floats a line.
struct Layout {
    size_t row, tiles;

    static int plane(int a, int b) {
        constexpr int EDGE = POINTS * SPAN, EVEN = POINTS * POINTS;
        if (a < POINTS) return b < POINTS ? a * POINTS + b : EVEN + a * SPAN + b - POINTS;
        return b < POINTS ? EVEN + EDGE + b * SPAN + a - POINTS : EVEN + 2 * EDGE + (a - POINTS) * SPAN + b - POINTS;
    }
    static int group(int a, int b) {
        if (a < POINTS) return b < POINTS ? a * POINTS + b : POINTS * POINTS + a;
        return b < POINTS ? POINTS * (POINTS + 1) + b : GROUPS - 1;
    }
    size_t at(int a, int b) const { return plane(a, b) * tiles * row + group(a, b) * SKEW; }
    size_t size() const { return PLANES * tiles * row + GROUPS * SKEW; }
};

struct Range {  // what one item of work makes
    int64_t sample, first, last, panel, last_panel;  // rows of tiles, and panels of output channels
};

struct Shape {
    int64_t tiles_x, tiles_y, panels, rows, columns;  // rows: of tiles in a strip; columns: of a line of outputs, with a border
    int64_t together;  // panels whose products are computed side by side, so that the inputs come from far away once
    explicit Shape(const Convolution& c)
        : tiles_x(c.width / SPAN + 1), tiles_y(c.height / SPAN + 1), panels((c.outputs + PANEL - 1) / PANEL),
          rows(std::max<int64_t>(1, (TILES + tiles_x / 2) / tiles_x)), columns(1 + OUT * tiles_x),
          together(std::max<int64_t>(1, std::min<int64_t>(4, (int64_t{2} << 20) / (GROUPS * PANEL * 4 * c.inputs)))) {}
    size_t line() const { return columns * PANEL; }
    static size_t weights(int64_t inputs) { return GROUPS * (inputs * PANEL + SKEW); }  // of a panel
};

struct Memory {
    float *inputs, *weights, *products, *lines, *kept;
    size_t size;

    Memory(const Convolution& c, const Shape& s, int64_t panels, float* start) {
        const size_t tiles = s.rows * s.tiles_x;
        inputs = start;
        weights = inputs + Layout{padded(c.inputs) + SKEW, tiles}.size();
        products = weights + s.together * Shape::weights(c.inputs);
        lines = products + s.together * Layout{PANEL, tiles}.size();
        kept = lines + (KEPT + OUT * s.rows) * s.line();
        size = kept + panels * KEPT * s.line() - start;
    }
};

static inline void spread_line(const Vec* d, Vec* out) {
    out[0] = d[0] - d[2];
    out[1] = d[1] + d[2];
    out[2] = d[2] - d[1];
    out[3] = d[3] - d[1];
    for (int i = 0; i < SPAN; ++i) out[POINTS + i] = d[1 + i];
}

// One tile of all input channels.
static void transform_tile(const Convolution& c, const float* x, int64_t tile_y, int64_t tile_x, const Layout& v, float* out) {
    const int64_t top = tile_y * SPAN - 1, left = tile_x * SPAN - 1;
    for (int64_t k = 0; k < c.inputs; k += LANES) {
        const int count = static_cast<int>(std::min<int64_t>(LANES, c.inputs - k));
        Vec half[SIDE][POINTS];
        for (int j = 0; j < POINTS; ++j) {
            Vec column[POINTS], made[SIDE];
            const int64_t col = left + j;
            const bool inside = col >= 0 && col < c.width;
            for (int i = 0; i < POINTS; ++i) {
                const int64_t at = top + i;
                column[i] = inside && at >= 0 && at < c.height ? load_some(x + (at * c.width + col) * c.inputs + k, count) : Vec{};
            }
            spread_line(column, made);
            for (int i = 0; i < SIDE; ++i) half[i][j] = made[i];
        }
        for (int i = 0; i < SIDE; ++i) {
            Vec made[SIDE];
            spread_line(half[i], made);
            for (int j = 0; j < SIDE; ++j) store(out + v.at(i, j) + k, made[j]);
        }
    }
}

// The three taps of an axis, mirrored as they are stored: four values for the even outputs and one for the odd ones.
static inline void weight_line(const Vec* g, Vec* out) {
    out[0] = g[0];
    out[1] = 0.5f * (g[0] + g[2]);
    out[2] = 0.5f * (g[0] - g[2]);
    out[3] = g[2];
    out[4] = g[1];
}

// One panel of the weights, modulated and demodulated, with the factors of the filter, into [GROUPS][inputs][PANEL].
static void transform_weight(const Convolution& c, int64_t sample, int64_t panel, float* out) {
    const int64_t channel = panel * PANEL;
    const float *weight = c.weight + channel * 9 * c.inputs, *scale = c.scale + sample * c.outputs + channel;
    const size_t step = c.inputs * PANEL + SKEW;
    Vec factor[2];
    for (int part = 0; part < 2; ++part) {
        const int count = static_cast<int>(std::min<int64_t>(LANES, c.outputs - channel - part * LANES));
        factor[part] = count > 0 ? load_some(scale + part * LANES, count) * (1.0f / 16) : Vec{};
    }
    for (int64_t k = 0; k < c.inputs; ++k) {
        for (int part = 0; part < 2; ++part) {
            const float* w = weight + k * 9 * PANEL + part * LANES;
            float* to = out + k * PANEL + part * LANES;
            const Vec own = factor[part] * c.style[sample * c.inputs + k];
            Vec half[KINDS][3];
            for (int j = 0; j < 3; ++j) {
                const Vec column[3] = {load(w + j * PANEL) * own, load(w + (3 + j) * PANEL) * own, load(w + (6 + j) * PANEL) * own};
                Vec made[KINDS];
                weight_line(column, made);
                for (int i = 0; i < KINDS; ++i) half[i][j] = made[i];
            }
            for (int i = 0; i < KINDS; ++i) {
                Vec made[KINDS];
                weight_line(half[i], made);
                for (int j = 0; j < KINDS; ++j) store(to + Layout::group(i, j) * step, made[j]);
            }
        }
    }
}

// All products of a strip with some panels. A part of the inputs that fits the cache is used for each of them.
static void multiply_all(const Layout& v, const float* inputs, const float* weights, int64_t depth, int64_t panels,
                         const Layout& m, float* out) {
    for (int a = 0; a < KINDS; ++a) {
        for (int b = 0; b < KINDS; ++b) {
            const int64_t lines = v.tiles * (a < POINTS ? 1 : SPAN) * (b < POINTS ? 1 : SPAN);
            const float *x = inputs + v.at(a, b), *w = weights + Layout::group(a, b) * (depth * PANEL + SKEW);
            float* to = out + m.at(a, b);
            for (int64_t first = 0; first < lines; first += CHUNK)
                for (int64_t panel = 0; panel < panels; ++panel)
                    product(x + first * v.row, v.row, w + panel * Shape::weights(depth), depth, std::min(CHUNK, lines - first),
                            to + panel * m.size() + first * PANEL);
        }
    }
}

static inline void even_line(const Vec* m, Vec* out) {
    const Vec both = m[1] + m[2];
    out[0] = m[0] + both;
    out[1] = m[1] - m[2];
    out[2] = both + m[3];
}

// LANES channels of one tile: from 49 products to 6x6 values of the transposed convolution.
static void finish_tile(const Layout& m, const float* products, float* out, size_t line) {
    Vec half[OUT][SIDE];
    for (int j = 0; j < SIDE; ++j) {
        Vec column[POINTS], made[SPAN];
        for (int i = 0; i < POINTS; ++i) column[i] = load(products + m.at(i, j));
        even_line(column, made);
        for (int i = 0; i < SPAN; ++i) {
            half[2 * i][j] = made[i];
            half[2 * i + 1][j] = load(products + m.at(POINTS + i, j));
        }
    }
    for (int i = 0; i < OUT; ++i) {
        Vec made[SPAN];
        even_line(half[i], made);
        for (int j = 0; j < SPAN; ++j) {
            store(out + i * line + 2 * j * PANEL, made[j]);
            store(out + i * line + (2 * j + 1) * PANEL, half[i][POINTS + j]);
        }
    }
}

static inline Vec binomial(const float* p, size_t step) {
    return load(p) + load(p + 3 * step) + 3 * (load(p + step) + load(p + 2 * step));
}

// One row of the picture from four rows of the transposed convolution.
template <bool FULL>
static void filter_row(const Convolution& c, const Shape& s, const float* lines, int64_t sample, int64_t row, int64_t channel) {
    const int64_t width = 2 * c.width, pixel = (sample * 2 * c.height + row) * width;
    const float* noise = c.noise ? c.noise + sample * c.noise_step + row * width : nullptr;
    float* y = c.y + pixel * c.outputs + channel;
    int count[2];
    Vec bias[2], v[2][4];  // four columns, filtered from top to bottom
    for (int part = 0; part < 2; ++part) {
        const int64_t left = c.outputs - channel - part * LANES;
        count[part] = FULL ? LANES : static_cast<int>(std::max<int64_t>(0, std::min<int64_t>(LANES, left)));
        bias[part] = count[part] ? load_some(c.bias + channel + part * LANES, count[part]) : Vec{};
        for (int i = 0; i < 3; ++i) v[part][i] = binomial(lines + i * PANEL + part * LANES, s.line());
    }
    for (int64_t x = 0; x < width; ++x) {
        const float more = noise ? noise[x] * c.noise_gain : 0.0f;
        for (int part = 0; part < 2; ++part) {
            Vec* w = v[part];
            w[3] = binomial(lines + (x + 3) * PANEL + part * LANES, s.line());
            const Vec made = activate(w[0] + w[3] + 3 * (w[1] + w[2]) + bias[part] + more, c.slope, c.clamp);
            float* to = y + x * c.outputs + part * LANES;
            if (FULL) store(to, made);
            else if (count[part]) store_some(to, made, count[part]);
            w[0] = w[1], w[1] = w[2], w[2] = w[3];
        }
    }
}

struct Rows {  // of one panel of one picture: from which row of tiles its products come, and what becomes of them
    int64_t sample, tiles, first, last, panel;
};

static void finish(const Convolution& c, const Shape& s, const Rows& rows, const Layout& m, const float* products,
                   const Memory& own, float* kept) {
    const size_t line = s.line(), bytes = KEPT * line * sizeof(float);
    std::memcpy(own.lines, kept, bytes);
    for (size_t t = 0; t < m.tiles; ++t) {
        float* to = own.lines + (KEPT + t / s.tiles_x * OUT) * line + (1 + t % s.tiles_x * OUT) * PANEL;
        for (int part = 0; part < 2; ++part) finish_tile(m, products + t * PANEL + part * LANES, to + part * LANES, line);
    }
    const bool full = (rows.panel + 1) * PANEL <= c.outputs;
    for (int64_t row = rows.first; row < rows.last; ++row) {
        const float* from = own.lines + (row - 1 - OUT * rows.tiles + KEPT) * line;
        if (full) filter_row<true>(c, s, from, rows.sample, row, rows.panel * PANEL);
        else filter_row<false>(c, s, from, rows.sample, row, rows.panel * PANEL);
    }
    std::memcpy(kept, own.lines + OUT * (m.tiles / s.tiles_x) * line, bytes);
}

static void run_range(const Convolution& c, const Shape& s, const Range& range, float* memory) {
    const Memory own(c, s, range.last_panel - range.panel, memory);
    const size_t line = s.line(), kept = KEPT * line;
    const bool to_the_end = range.last == s.tiles_y;
    const int64_t stop = to_the_end ? range.last : range.last + 1;
    const int64_t end = to_the_end ? 2 * c.height : OUT * range.last + 1;
    int64_t next = range.first ? OUT * range.first + 1 : 0;  // row of the picture
    std::memset(own.kept, 0, (range.last_panel - range.panel) * kept * sizeof(float));
    std::memset(own.lines, 0, (KEPT + OUT * s.rows) * line * sizeof(float));  // the column before the first stays zero
    for (int64_t first = range.first; first < stop; first += s.rows) {
        const int64_t rows = std::min(s.rows, stop - first), tiles = rows * s.tiles_x;
        const Layout v{padded(c.inputs) + SKEW, static_cast<size_t>(tiles)}, m{PANEL, static_cast<size_t>(tiles)};
        for (int64_t t = 0; t < tiles; ++t)
            transform_tile(c, c.x + range.sample * c.height * c.width * c.inputs, first + t / s.tiles_x, t % s.tiles_x, v,
                           own.inputs + t * v.row);
        const int64_t ready = std::min(end, OUT * (first + rows) - 2);
        for (int64_t panel = range.panel; panel < range.last_panel; panel += s.together) {
            const int64_t panels = std::min(s.together, range.last_panel - panel);
            for (int64_t j = 0; j < panels; ++j)
                transform_weight(c, range.sample, panel + j, own.weights + j * Shape::weights(c.inputs));
            multiply_all(v, own.inputs, own.weights, c.inputs, panels, m, own.products);
            for (int64_t j = 0; j < panels; ++j)
                finish(c, s, {range.sample, first, next, ready, panel + j}, m, own.products + j * m.size(), own,
                       own.kept + (panel + j - range.panel) * kept);
        }
        next = std::max(next, ready);
    }
}

// False when there is no memory.
inline bool run(const Convolution& c, int64_t threads) {
    const Shape s(c);
    // Each range but the last computes a row of tiles that the next one computes, too: where rows are few, split the channels.
    const int64_t most = threads * std::max<int64_t>(1, s.tiles_y / (20 * threads));
    const int64_t ranges = threads == 1 ? 1 : std::min(std::max<int64_t>(1, s.tiles_y / 5), most);
    const int64_t groups = std::min(s.panels, (threads + ranges * c.n - 1) / (ranges * c.n));
    const size_t memory = Memory(c, s, (s.panels + groups - 1) / groups, nullptr).size;
    return spread(c.n * ranges * groups, static_cast<int>(threads), memory, [&](int64_t item, float* mine) {
        const int64_t group = item % groups, range = item / groups % ranges;
        run_range(c, s, {item / groups / ranges, s.tiles_y * range / ranges, s.tiles_y * (range + 1) / ranges,
                         s.panels * group / groups, s.panels * (group + 1) / groups}, mine);
    });
}

}  // namespace upconv
