/*
 * sieve.c
 *		The number of primes below a limit, by the sieve of Eratosthenes.
 */
#include "kernels.h"

#define LIMIT_MAX 8000000

static uint8_t composite[LIMIT_MAX];

static int32_t
count_primes(int32_t limit)
{
	int32_t		count = 0;

	for (int32_t i = 0; i < limit; i++)
		composite[i] = 0;
	for (int32_t i = 2; i * i < limit; i++)
		if (!composite[i])
			for (int32_t j = i * i; j < limit; j += i)
				composite[j] = 1;
	for (int32_t i = 2; i < limit; i++)
		if (!composite[i])
			count++;
	return count;
}

KERNEL(int64_t, sieve)
{
	int64_t		sum = 0;

	if (size > LIMIT_MAX)
		return -1;
	for (int32_t i = 0; i < repetitions; i++)
		sum += count_primes(size - i);
	return sum;
}
