/*
 * matrix.c
 *		The product of two square matrices of doubles, as it is defined.
 */
#include "kernels.h"

#define ROWS_MAX 512

static double a[ROWS_MAX * ROWS_MAX];
static double b[ROWS_MAX * ROWS_MAX];
static double c[ROWS_MAX * ROWS_MAX];

static void
multiply(int32_t n)
{
	for (int32_t i = 0; i < n; i++)
		for (int32_t j = 0; j < n; j++)
		{
			double		sum = 0;

			for (int32_t k = 0; k < n; k++)
				sum += a[i * n + k] * b[k * n + j];
			c[i * n + j] = sum;
		}
}

KERNEL(double, matrix)
{
	uint32_t	seed = 2;
	double		sum = 0;

	if (size > ROWS_MAX)
		return -1;
	for (int32_t i = 0; i < size * size; i++)
	{
		a[i] = next_random(&seed) / 16777216.0;
		b[i] = next_random(&seed) / 16777216.0;
	}
	for (int32_t i = 0; i < repetitions; i++)
	{
		multiply(size);
		a[i % size] = c[i % size] / size;
	}
	for (int32_t i = 0; i < size * size; i++)
		sum += c[i];
	return sum;
}
