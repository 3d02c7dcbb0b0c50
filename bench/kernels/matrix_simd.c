/*
 * matrix_simd.c
 *		The product of two square matrices of floats, by vectors of four.
 */
#include "kernels.h"

#define ROWS_MAX 512
#define LANES 4

typedef float Vector __attribute__((vector_size(LANES * sizeof(float))));

static float a[ROWS_MAX * ROWS_MAX];
static Vector b[ROWS_MAX * ROWS_MAX / LANES];
static Vector c[ROWS_MAX * ROWS_MAX / LANES];

/* Two vectors of a row at a time */
static void
multiply(int32_t n)
{
	int32_t		width = n / LANES;

	for (int32_t i = 0; i < n; i++)
		for (int32_t j = 0; j < width; j += 2)
		{
			Vector		left = {0};
			Vector		right = {0};

			for (int32_t k = 0; k < n; k++)
			{
				left += a[i * n + k] * b[k * width + j];
				right += a[i * n + k] * b[k * width + j + 1];
			}
			c[i * width + j] = left;
			c[i * width + j + 1] = right;
		}
}

/* Sizes are multiples of two vectors. */
KERNEL(double, matrix_simd)
{
	uint32_t	seed = 2;
	double		sum = 0;

	if (size > ROWS_MAX || size % (2 * LANES) != 0)
		return -1;
	for (int32_t i = 0; i < size * size; i++)
	{
		a[i] = next_random(&seed) / 16777216.0f;
		b[i / LANES][i % LANES] = next_random(&seed) / 16777216.0f;
	}
	for (int32_t i = 0; i < repetitions; i++)
	{
		multiply(size);
		a[i % size] = c[i % size / LANES][0] / size;
	}
	for (int32_t i = 0; i < size * size; i++)
		sum += c[i / LANES][i % LANES];
	return sum;
}
