// Vectors of floats: those of GCC and clang; for other compilers, such as MSVC, a struct whose loops they turn into the same
// instructions as well as they can. -DSTYLEWIDGETS_PLAIN_VECTORS takes the latter everywhere, for tests.

#pragma once

#include <cstring>

#if defined(__GNUC__) && !defined(STYLEWIDGETS_PLAIN_VECTORS)

#define STYLEWIDGETS_VECTOR(name, n)                                                                   \
    typedef float name __attribute__((vector_size((n) * 4)));                                          \
    typedef float name##_anywhere __attribute__((vector_size((n) * 4), aligned(4), may_alias));        \
    static inline name read_##name(const float* p) { return *reinterpret_cast<const name##_anywhere*>(p); } \
    static inline void write_##name(float* p, name v) { *reinterpret_cast<name##_anywhere*>(p) = v; }

template <class Mask, class Vector>
static inline Vector choose(Mask mask, Vector yes, Vector no) { return mask ? yes : no; }

#else

template <int N>
struct Lanes {
    float lane[N];
};

template <int N>
struct Mask {
    bool lane[N];
};

#define STYLEWIDGETS_LANES(name, result, left, right, a, b, operation)                   \
    template <int N>                                                                     \
    static inline result<N> name(left x, right y) {                                      \
        result<N> out;                                                                   \
        for (int i = 0; i < N; ++i) out.lane[i] = (a) operation (b);                     \
        return out;                                                                      \
    }
#define STYLEWIDGETS_OPERATOR(operation, result)                                                                    \
    STYLEWIDGETS_LANES(operator operation, result, Lanes<N>, Lanes<N>, x.lane[i], y.lane[i], operation)             \
    STYLEWIDGETS_LANES(operator operation, result, Lanes<N>, float, x.lane[i], y, operation)                        \
    STYLEWIDGETS_LANES(operator operation, result, float, Lanes<N>, x, y.lane[i], operation)

STYLEWIDGETS_OPERATOR(+, Lanes)
STYLEWIDGETS_OPERATOR(-, Lanes)
STYLEWIDGETS_OPERATOR(*, Lanes)
STYLEWIDGETS_OPERATOR(<, Mask)
STYLEWIDGETS_OPERATOR(>, Mask)
STYLEWIDGETS_OPERATOR(<=, Mask)
STYLEWIDGETS_OPERATOR(>=, Mask)

template <int N>
static inline Lanes<N> operator-(Lanes<N> x) { return 0.0f - x; }
template <int N, class Other>
static inline Lanes<N>& operator+=(Lanes<N>& x, Other y) { return x = x + y; }
template <int N, class Other>
static inline Lanes<N>& operator-=(Lanes<N>& x, Other y) { return x = x - y; }
template <int N, class Other>
static inline Lanes<N>& operator*=(Lanes<N>& x, Other y) { return x = x * y; }

template <int N>
static inline Lanes<N> choose(Mask<N> mask, Lanes<N> yes, Lanes<N> no) {
    for (int i = 0; i < N; ++i) no.lane[i] = mask.lane[i] ? yes.lane[i] : no.lane[i];
    return no;
}

#define STYLEWIDGETS_VECTOR(name, n)                                                             \
    typedef Lanes<n> name;                                                                       \
    static inline name read_##name(const float* p) {                                             \
        name v;                                                                                  \
        std::memcpy(&v, p, sizeof v);                                                            \
        return v;                                                                                \
    }                                                                                            \
    static inline void write_##name(float* p, name v) { std::memcpy(p, &v, sizeof v); }

#endif
