/*
 * mandelbrot.c
 *		The sum of the steps that the points of a square take to leave
 *		Mandelbrot's set.
 */
#include "kernels.h"

#define STEPS_MAX 50

static int32_t
steps(double cx, double cy)
{
	double		x = 0;
	double		y = 0;
	int32_t		n = 0;

	while (n < STEPS_MAX && x * x + y * y <= 4)
	{
		double		next = x * x - y * y + cx;

		y = 2 * x * y + cy;
		x = next;
		n++;
	}
	return n;
}

KERNEL(int64_t, mandelbrot)
{
	int64_t		sum = 0;

	for (int32_t i = 0; i < repetitions; i++)
		for (int32_t row = 0; row < size; row++)
			for (int32_t column = 0; column < size; column++)
				sum += steps(3.0 * column / size - 2, 3.0 * row / size - 1.5 + i * 0.001);
	return sum;
}
