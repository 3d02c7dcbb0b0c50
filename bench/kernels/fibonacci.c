/*
 * fibonacci.c
 *		The n-th Fibonacci number, in 64 bits and modulo a prime.
 *
 * No kernels as kernels.h defines them: one call computes one number.
 */
#include "kernels.h"

#define MODULUS 1000000007

/* Wraps around from n = 94 on. */
EXPORT(int64_t, fibonacci) (int32_t n)
{
	uint64_t	a = 0,
				b = 1;

	while (n-- > 0)
	{
		uint64_t	next = a + b;

		a = b;
		b = next;
	}
	return (int64_t) a;
}

EXPORT(int64_t, fibonacci_modulo) (int32_t n)
{
	int64_t		a = 0,
				b = 1;

	while (n-- > 0)
	{
		int64_t		next = (a + b) % MODULUS;

		a = b;
		b = next;
	}
	return a;
}
