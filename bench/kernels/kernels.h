/*
 * kernels.h
 *		What the kernels share.
 *
 * A kernel is one function of a size and a number of repetitions.  It makes its
 * own input from a fixed seed and returns a checksum of its work, which is the
 * same whatever it was compiled for.  It uses no library, so that the same
 * source is a function of a shared object and a WebAssembly module.
 */
#ifndef KERNELS_H
#define KERNELS_H

#include <stdint.h>

#ifdef __wasm__
#define EXPORT(type, name) __attribute__((export_name(#name))) type name
#else
#define EXPORT(type, name) type name
#endif
#define KERNEL(type, name) EXPORT(type, name) (int32_t size, int32_t repetitions)

/* 24 pseudo-random bits */
static inline uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

KERNEL(int64_t, sieve);
KERNEL(int64_t, crc32);
KERNEL(double, matrix);
KERNEL(double, matrix_simd);
KERNEL(double, nbody);
KERNEL(int64_t, edit_distance);
KERNEL(int64_t, sha256);
KERNEL(int64_t, tokenizer);
KERNEL(int64_t, base64);
KERNEL(int64_t, quicksort);
KERNEL(int64_t, mandelbrot);

EXPORT(int64_t, fibonacci) (int32_t n);
EXPORT(int64_t, fibonacci_modulo) (int32_t n);

#endif							/* KERNELS_H */
