/*
 * crossing.c
 *		Arguments and result of a function that cross by the canonical ABI of the
 *		component model.
 */
#include "postgres.h"

#include "values/crossing.h"

#include "catalog/pg_type.h"
#include "nodes/pg_list.h"
#include "values/value.h"

/* --- making --- */

PgwCrossing *
pgw_crossing_new(int nargs)
{
	PgwCrossing *crossing = palloc0(sizeof(PgwCrossing));

	crossing->args = palloc0(Max(nargs, 1) * sizeof(PgwNode *));
	crossing->slots = palloc(Max(nargs, 1) * sizeof(int));
	for (int i = 0; i < nargs; i++)
		crossing->slots[i] = i;
	return crossing;
}

static void
set_result(PgwCrossing *crossing, const PgwWit *wit)
{
	crossing->result_wit = wit;
	crossing->result_in_memory = wit->nflat > 1;
	crossing->lifts = crossing->result_in_memory;
}

/* The elements of the list that is the result, or the value of a result that is ok */
static const PgwWit *
list_of(const PgwWit *wit)
{
	if (wit->kind == PGW_WIT_RESULT)
		wit = wit->members[0].type;
	return wit != NULL && wit->kind == PGW_WIT_LIST ? wit : NULL;
}

/* A set of what a list has; each element is a row where the function returns rows. */
static bool
make_set(PgwCrossing *crossing, const PgwSignature *sql, const PgwWit *wit)
{
	const PgwWit *list = list_of(wit);

	if (list == NULL)
		return false;
	crossing->is_set = true;
	crossing->result = pgw_node_make_result(sql->rettype, sql->row, list->members[0].type, &crossing->relations);
	return crossing->result != NULL;
}

static bool
make_result(PgwCrossing *crossing, const PgwSignature *sql, const PgwWit *wit)
{
	if (wit == NULL)
		return sql->rettype == VOIDOID;
	set_result(crossing, wit);
	if (sql->is_set && make_set(crossing, sql, wit))
		return true;
	crossing->is_set = false;
	crossing->result = pgw_node_make_result(sql->rettype, sql->row, wit, &crossing->relations);
	return crossing->result != NULL;
}

PgwCrossing *
pgw_crossing_make(const PgwSignature *sql, const PgwWitFunc *func)
{
	const PgwWit *params = func->params;
	PgwCrossing *crossing = pgw_crossing_new(sql->nargs);

	if (func->is_async || sql->nargs != params->nmembers)
		return NULL;
	crossing->params = params;
	crossing->spilled = params->nflat > PGW_FLAT_MAX;
	crossing->lowers = crossing->spilled || pgw_wit_has_pointers(params);
	for (int i = 0; i < sql->nargs; i++)
	{
		crossing->args[i] = pgw_node_make(sql->argtypes[i], -1, params->members[i].type, &crossing->relations);
		crossing->slots[i] = params->members[i].flat;
		if (crossing->args[i] == NULL)
			return NULL;
	}
	return make_result(crossing, sql, func->result) ? crossing : NULL;
}

static bool
is_flat_type(PgwValType wasm, char flat)
{
	switch (wasm)
	{
		case PGW_I32:
			return flat == 'i';
		case PGW_I64:
			return flat == 'I';
		case PGW_F32:
			return flat == 'f';
		case PGW_F64:
			return flat == 'F';
		default:
			return false;
	}
}

bool
pgw_crossing_add(PgwCrossing *crossing, int arg, Oid type, const PgwFuncType *wasm, int *slot)
{
	const PgwWit *wit = pgw_node_wit(type);

	if (wit == NULL || wit->nflat > wasm->nparams - *slot)
		return false;
	crossing->slots[arg] = *slot;
	for (int i = 0; i < wit->nflat; i++)
	{
		if (!is_flat_type(wasm->params[(*slot)++], wit->flat[i]))
			return false;
	}
	crossing->lowers |= pgw_wit_has_pointers(wit);
	crossing->args[arg] = pgw_node_make(type, -1, wit, &crossing->relations);
	return crossing->args[arg] != NULL;
}

bool
pgw_crossing_spill(PgwCrossing *crossing, const PgwSignature *sql, const PgwFuncType *wasm)
{
	PgwWitMember *members = palloc0(Max(sql->nargs, 1) * sizeof(PgwWitMember));

	if (wasm->nparams != 1 || wasm->params[0] != PGW_I32)
		return false;
	for (int i = 0; i < sql->nargs; i++)
	{
		members[i].type = pgw_node_wit(sql->argtypes[i]);
		if (members[i].type == NULL)
			return false;
		crossing->args[i] = pgw_node_make(sql->argtypes[i], -1, members[i].type, &crossing->relations);
	}
	crossing->params = pgw_wit_make(PGW_WIT_TUPLE, NULL, sql->nargs, members);
	crossing->spilled = crossing->lowers = true;
	return crossing->params->nflat > PGW_FLAT_MAX;
}

bool
pgw_crossing_add_result(PgwCrossing *crossing, const PgwSignature *sql, const PgwFuncType *wasm)
{
	const PgwWit *wit;

	if (wasm->nresults != 1 || wasm->results[0] != PGW_I32)
		return false;
	wit = sql->row != NULL ? pgw_node_wit_of_row(sql->row) : pgw_node_wit(sql->rettype);
	if (wit == NULL || wit->nflat < 2)
		return false;
	set_result(crossing, wit);
	crossing->result = pgw_node_make_result(sql->rettype, sql->row, wit, &crossing->relations);
	return crossing->result != NULL;
}

/* --- calls --- */

static PgwPlace
place_of(const PgwCrossing *crossing, int arg, PgwSlot *slots, uint32 address)
{
	if (crossing->spilled)
		return (PgwPlace) {NULL, address + crossing->params->members[arg].offset};
	return (PgwPlace) {slots + crossing->slots[arg], 0};
}

void
pgw_crossing_lower(PgwCrossing *crossing, int nargs, const NullableDatum *args, PgwCanon *canon, PgwSlot *slots)
{
	uint32		address = 0;

	if (crossing->spilled)
		address = canon->alloc(canon, crossing->params->alignment, crossing->params->size);
	for (int i = 0; i < nargs; i++)
	{
		PgwNode    *node = crossing->args[i];

		if (node == NULL)
			continue;
		if (args[i].isnull && !pgw_node_takes_null(node))
			pgw_plan_refuse_null(i);
		pgw_lower(node, args[i].value, args[i].isnull, canon, place_of(crossing, i, slots, address));
	}
	if (crossing->spilled)
		slots[0].i64 = address;
}

/* The error of a result instead of the set, or an empty set */
static Datum
lift_set(PgwCrossing *crossing, PgwCanon *canon, PgwPlace place, bool *isnull)
{
	const PgwWit *wit = crossing->result_wit;

	*isnull = false;
	if (wit->kind == PGW_WIT_RESULT)
	{
		if (pgw_lift_error(wit, canon, place))
			return (Datum) 0;
		place = pgw_place_of_payload(place, wit);
	}
	return PointerGetDatum(pgw_lift_set(crossing->result, list_of(wit), canon, place));
}

Datum
pgw_crossing_lift(PgwCrossing *crossing, PgwCanon *canon, PgwSlot *slot, bool *isnull)
{
	PgwPlace	place = {slot, 0};

	if (crossing->result_in_memory)
	{
		place = (PgwPlace) {NULL, slot->i32};
		(void) pgw_canon_bytes(canon, place.address, 1, crossing->result_wit->size, crossing->result_wit->alignment);
	}
	if (crossing->is_set)
		return lift_set(crossing, canon, place, isnull);
	return pgw_lift(crossing->result, canon, place, isnull);
}
