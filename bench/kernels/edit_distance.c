/*
 * edit_distance.c
 *		Levenshtein's distance between two strings, with one row of the table.
 */
#include "kernels.h"

#define LENGTH_MAX 8192

static char left[LENGTH_MAX];
static char right[LENGTH_MAX];
static int32_t row[LENGTH_MAX + 1];

static int32_t
smallest(int32_t a, int32_t b, int32_t c)
{
	int32_t		least = a < b ? a : b;

	return least < c ? least : c;
}

static int32_t
distance(int32_t length)
{
	for (int32_t j = 0; j <= length; j++)
		row[j] = j;
	for (int32_t i = 0; i < length; i++)
	{
		int32_t		diagonal = row[0];

		row[0] = i + 1;
		for (int32_t j = 0; j < length; j++)
		{
			int32_t		above = row[j + 1];

			row[j + 1] = smallest(row[j] + 1, above + 1, diagonal + (left[i] != right[j]));
			diagonal = above;
		}
	}
	return row[length];
}

KERNEL(int64_t, edit_distance)
{
	uint32_t	seed = 4;
	int64_t		sum = 0;

	if (size > LENGTH_MAX)
		return -1;
	for (int32_t i = 0; i < size; i++)
	{
		left[i] = 'a' + next_random(&seed) % 8;
		right[i] = 'a' + next_random(&seed) % 8;
	}
	for (int32_t i = 0; i < repetitions; i++)
	{
		left[i % size] = 'a' + i % 8;
		sum += distance(size);
	}
	return sum;
}
