/*
 * nbody.c
 *		Bodies that attract each other, moved by small steps of time.  Returns
 *		their energy.
 */
#include "kernels.h"

#define BODIES_MAX 64
#define TIME_STEP 0.001

typedef struct Body
{
	double		x;
	double		y;
	double		z;
	double		vx;
	double		vy;
	double		vz;
	double		mass;
} Body;

static Body bodies[BODIES_MAX];

static void
advance(int32_t n)
{
	for (int32_t i = 0; i < n; i++)
	{
		Body	   *a = &bodies[i];

		for (int32_t j = i + 1; j < n; j++)
		{
			Body	   *b = &bodies[j];
			double		dx = a->x - b->x;
			double		dy = a->y - b->y;
			double		dz = a->z - b->z;
			double		square = dx * dx + dy * dy + dz * dz + 0.01;
			double		magnitude = TIME_STEP / (square * __builtin_sqrt(square));

			a->vx -= dx * b->mass * magnitude;
			a->vy -= dy * b->mass * magnitude;
			a->vz -= dz * b->mass * magnitude;
			b->vx += dx * a->mass * magnitude;
			b->vy += dy * a->mass * magnitude;
			b->vz += dz * a->mass * magnitude;
		}
	}
	for (int32_t i = 0; i < n; i++)
	{
		bodies[i].x += TIME_STEP * bodies[i].vx;
		bodies[i].y += TIME_STEP * bodies[i].vy;
		bodies[i].z += TIME_STEP * bodies[i].vz;
	}
}

static double
energy(int32_t n)
{
	double		sum = 0;

	for (int32_t i = 0; i < n; i++)
	{
		Body	   *a = &bodies[i];

		sum += 0.5 * a->mass * (a->vx * a->vx + a->vy * a->vy + a->vz * a->vz);
		for (int32_t j = i + 1; j < n; j++)
		{
			Body	   *b = &bodies[j];
			double		dx = a->x - b->x;
			double		dy = a->y - b->y;
			double		dz = a->z - b->z;

			sum -= a->mass * b->mass / __builtin_sqrt(dx * dx + dy * dy + dz * dz + 0.01);
		}
	}
	return sum;
}

KERNEL(double, nbody)
{
	uint32_t	seed = 3;

	if (size > BODIES_MAX)
		return -1;
	for (int32_t i = 0; i < size; i++)
	{
		bodies[i].x = next_random(&seed) / 1048576.0 - 8;
		bodies[i].y = next_random(&seed) / 1048576.0 - 8;
		bodies[i].z = next_random(&seed) / 1048576.0 - 8;
		bodies[i].vx = 0;
		bodies[i].vy = 0;
		bodies[i].vz = 0;
		bodies[i].mass = 1 + next_random(&seed) / 16777216.0;
	}
	for (int32_t i = 0; i < repetitions; i++)
		advance(size);
	return energy(size);
}
