// Work on several threads, each with scratch memory of its own.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#if defined(_WIN32)
#include <malloc.h>
#define STYLEWIDGETS_EXPORT __declspec(dllexport)
#else
#include <pthread.h>
#define STYLEWIDGETS_EXPORT
#endif

namespace {

typedef std::int64_t i64;

#if defined(_WIN32)
void* allocate_aligned(std::size_t step, std::size_t bytes) { return _aligned_malloc(bytes, step); }
void free_aligned(void* p) { _aligned_free(p); }
#else
void* allocate_aligned(std::size_t step, std::size_t bytes) { return std::aligned_alloc(step, bytes); }
void free_aligned(void* p) { std::free(p); }
#endif

// Scratch memory is kept between calls: fresh pages cost more than the arithmetic on them.

struct Scratch {
    std::mutex guard;
    std::vector<std::pair<float*, std::size_t>> free_blocks;

    float* take(std::size_t& floats) {
        {
            std::lock_guard<std::mutex> hold(guard);
            for (std::size_t i = 0; i < free_blocks.size(); ++i) {
                if (free_blocks[i].second >= floats) {
                    float* p = free_blocks[i].first;
                    floats = free_blocks[i].second;
                    free_blocks.erase(free_blocks.begin() + static_cast<std::ptrdiff_t>(i));
                    return p;
                }
            }
            if (!free_blocks.empty()) {  // all too small: let the first one go
                free_aligned(free_blocks.front().first);
                free_blocks.erase(free_blocks.begin());
            }
        }
        floats = (floats + 1023) / 1024 * 1024;
        float* p = static_cast<float*>(allocate_aligned(4096, floats * sizeof(float)));
        if (p) std::memset(p, 0, floats * sizeof(float));
        return p;
    }

    void give(float* p, std::size_t floats) {
        std::lock_guard<std::mutex> hold(guard);
        free_blocks.emplace_back(p, floats);
    }
};

Scratch scratch;

#ifndef _WIN32
// A child that was forked while another thread was in here would find the guard shut for ever: it starts with nothing kept.
const int renewed_in_children = pthread_atfork(nullptr, nullptr, [] { new (&scratch) Scratch; });
#endif

struct Block {
    std::size_t floats;
    float* data;
    explicit Block(std::size_t n) : floats(n), data(scratch.take(floats)) {}
    ~Block() { if (data) scratch.give(data, floats); }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
};

// OpenMP's own call, of the library that torch uses. Its threads stay awake for some milliseconds after each piece of torch's
// work: threads of ours beside them would wait for a processor.
typedef void (*Fork)(void (*)(void*), void*, unsigned, unsigned);
Fork fork_of_torch = nullptr;

template <class Work>
void run_on_threads(i64 jobs, int threads, Work& work) {
    // All of them even for few jobs: OpenMP ends the threads that a smaller team does not need, and has to start them anew.
    if (jobs > 1 && threads > 1 && fork_of_torch)
        return fork_of_torch([](void* given) { (*static_cast<Work*>(given))(); }, &work, static_cast<unsigned>(threads), 0);
    const i64 wanted = std::min<i64>(threads, jobs);
    std::vector<std::thread> others;
    for (i64 i = 1; i < wanted; ++i) {
        try {
            others.emplace_back(work);
        } catch (...) {  // the system gives no more threads: those that run do it all
            break;
        }
    }
    work();
    for (auto& thread : others) thread.join();
}

// Run task(job, memory) for every job; false when there is no memory.
template <class Task>
bool spread(i64 jobs, int threads, std::size_t floats_each, const Task& task) {
    std::atomic<i64> next{0};
    std::atomic<bool> good{true};
    auto work = [&]() {
        i64 job = next++;
        if (job >= jobs) return;
        Block block(floats_each);
        if (!block.data) {
            good = false;
            return;
        }
        for (; job < jobs; job = next++) task(job, block.data);
    };
    run_on_threads(jobs, threads, work);
    return good;
}

}  // namespace

extern "C" STYLEWIDGETS_EXPORT void stylewidgets_fork(void* given) { fork_of_torch = reinterpret_cast<Fork>(given); }
