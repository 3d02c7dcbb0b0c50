/*
 * roads.c
 *		Shortest routes: the functions of roads.wit.
 *
 * doc/guests/c.md says how it is built and called.  Types, and functions that begin
 * with atlas_, host_ or exports_, are in atlas.h, which wit-bindgen writes.
 */
#include <stdlib.h>
#include <string.h>

#include "atlas.h"

typedef atlas_string_t String;
typedef exports_roads_road_t Road;
typedef exports_roads_route_t Route;

typedef struct Place
{
	String		name;
	uint64_t	km;				/* from the start */
	size_t		before;			/* the place from which it is reached */
} Place;

#define UNREACHED UINT64_MAX

#define TEXT(literal) ((String) {(uint8_t *) literal, sizeof(literal) - 1})

static void *
allocate(size_t count, size_t size)
{
	void	   *memory = calloc(count, size);

	if (memory == NULL && count > 0)
		abort();
	return memory;
}

/* One text after the other, in memory of its own */
static String
join(size_t count, const String *texts)
{
	String		joined = {NULL, 0};
	size_t		length = 0;

	for (size_t i = 0; i < count; i++)
		length += texts[i].len;
	joined.ptr = allocate(length, 1);
	for (size_t i = 0; i < count; i++)
	{
		memcpy(joined.ptr + joined.len, texts[i].ptr, texts[i].len);
		joined.len += texts[i].len;
	}
	return joined;
}

/* The index of the place with a name, which is added if it is not there */
static size_t
place(Place *places, size_t *nplaces, String name)
{
	size_t		i;

	for (i = 0; i < *nplaces; i++)
		if (places[i].name.len == name.len && memcmp(places[i].name.ptr, name.ptr, name.len) == 0)
			return i;
	places[i] = (Place) {name, UNREACHED, 0};
	(*nplaces)++;
	return i;
}

static bool
shorten(Place *places, size_t from, size_t to, uint32_t km)
{
	if (places[from].km == UNREACHED || places[from].km + km >= places[to].km)
		return false;
	places[to].km = places[from].km + km;
	places[to].before = from;
	return true;
}

/* Makes a route of places in memory of its own. */
static void
make_route(const Place *places, size_t start, size_t goal, Route *route)
{
	size_t		count = 1;

	for (size_t i = goal; i != start; i = places[i].before)
		count++;
	route->km = places[goal].km;
	route->stops.len = count;
	route->stops.ptr = allocate(count, sizeof(String));
	for (size_t i = goal; count-- > 0; i = places[i].before)
		atlas_string_dup_n(&route->stops.ptr[count], (const char *) places[i].name.ptr, places[i].name.len);
}

static bool
find_route(const Road *roads, size_t nroads, String start_name, String goal_name, Route *route)
{
	Place	   *places = allocate(2 * nroads + 2, sizeof(Place));
	size_t		(*ends)[2] = allocate(nroads, sizeof(*ends));
	size_t		nplaces = 0;
	size_t		start = place(places, &nplaces, start_name);
	size_t		goal = place(places, &nplaces, goal_name);
	bool		found;

	for (size_t i = 0; i < nroads; i++)
	{
		ends[i][0] = place(places, &nplaces, roads[i].a);
		ends[i][1] = place(places, &nplaces, roads[i].b);
	}
	places[start].km = 0;
	for (bool changed = true; changed;)
	{
		changed = false;
		for (size_t i = 0; i < nroads; i++)
		{
			changed |= shorten(places, ends[i][0], ends[i][1], roads[i].km);
			changed |= shorten(places, ends[i][1], ends[i][0], roads[i].km);
		}
	}
	found = places[goal].km != UNREACHED;
	if (found)
		make_route(places, start, goal, route);
	free(places);
	free(ends);
	return found;
}

/* An option is a result by address, and whether there is one. */
bool
exports_roads_shortest_route(exports_roads_list_road_t *roads, String *start, String *goal, Route *route)
{
	bool		found = find_route(roads->ptr, roads->len, *start, *goal, route);

	/* arguments are ours */
	exports_roads_list_road_free(roads);
	atlas_string_free(start);
	atlas_string_free(goal);
	return found;
}

/* Finds a route on the roads of the table, with the rights of whoever calls. */
static bool
find_in_table(String start, String goal, const String *closed, Route *route)
{
	String		sql;
	host_value_t parameter = {.tag = HOST_VALUE_NULL};
	host_list_value_t parameters = {&parameter, 1};
	host_list_list_value_t rows;
	Road	   *roads;
	bool		found;

	atlas_string_set(&sql, "SELECT a, b, km FROM roads WHERE a IS DISTINCT FROM $1 AND b IS DISTINCT FROM $1");
	if (closed)
		parameter = (host_value_t) {.tag = HOST_VALUE_TEXT, .val.text = *closed};
	host_query(&sql, &parameters, &rows);

	roads = allocate(rows.len, sizeof(Road));
	for (size_t i = 0; i < rows.len; i++)
	{
		const host_value_t *row = rows.ptr[i].ptr;

		roads[i] = (Road) {row[0].val.text, row[1].val.text, (uint32_t) row[2].val.int_};
	}
	found = find_route(roads, rows.len, start, goal, route);
	free(roads);
	host_list_list_value_free(&rows);
	return found;
}

/* A result has two addresses: one for what is right, and one for the error. */
bool
exports_roads_plan_route(String *start, String *goal, String *closed, Route *route, exports_roads_problem_t *problem)
{
	bool		found = find_in_table(*start, *goal, closed, route);

	if (!found)
	{
		atlas_string_dup(&problem->sqlstate, "P0002");
		problem->message = join(4, (String[]) {TEXT("no route from "), *start, TEXT(" to "), *goal});
		problem->hint.is_some = closed != NULL;
		if (closed)
			problem->hint.val = join(2, (String[]) {*closed, TEXT(" is closed.")});
	}
	atlas_string_free(start);
	atlas_string_free(goal);
	if (closed)
		atlas_string_free(closed);
	return found;
}
