/*
 * quicksort.c
 *		Sorts integers: quicksort, with insertion sort for what is short.
 */
#include "kernels.h"

#define COUNT_MAX (1024 * 1024)
#define SHORT 12

static int32_t numbers[COUNT_MAX];

static void
insertion_sort(int32_t *array, int32_t n)
{
	for (int32_t i = 1; i < n; i++)
	{
		int32_t		value = array[i];
		int32_t		j = i;

		for (; j > 0 && array[j - 1] > value; j--)
			array[j] = array[j - 1];
		array[j] = value;
	}
}

static int32_t
median_of_three(int32_t a, int32_t b, int32_t c)
{
	if (a < b)
		return b < c ? b : a < c ? c : a;
	return a < c ? a : b < c ? c : b;
}

static void
sort(int32_t *array, int32_t n)
{
	int32_t		i = 0;
	int32_t		j = n - 1;
	int32_t		pivot;

	if (n <= SHORT)
	{
		insertion_sort(array, n);
		return;
	}
	pivot = median_of_three(array[0], array[n / 2], array[n - 1]);
	while (i <= j)
	{
		while (array[i] < pivot)
			i++;
		while (array[j] > pivot)
			j--;
		if (i <= j)
		{
			int32_t		swap = array[i];

			array[i++] = array[j];
			array[j--] = swap;
		}
	}
	sort(array, j + 1);
	sort(array + i, n - i);
}

KERNEL(int64_t, quicksort)
{
	uint32_t	seed = 8;
	int64_t		sum = 0;

	if (size > COUNT_MAX)
		return -1;
	for (int32_t i = 0; i < repetitions; i++)
	{
		for (int32_t j = 0; j < size; j++)
			numbers[j] = next_random(&seed);
		sort(numbers, size);
		for (int32_t j = 0; j < size; j += 100)
			sum = sum * 31 + numbers[j];
		sum &= 0xFFFFFFFF;
	}
	return sum;
}
