/*
 * lists.c
 *		Calls whose values are in the guest's memory.
 *
 * By the canonical ABI of the component model (CanonicalABI.md in its
 * repository), as modules export it before they become components: an argument
 * is copied to where the guest's cabi_realloc says, and passed as address and
 * length; a result is the address of such a pair, and is given back by
 * cabi_post_<name> where the guest exports that.
 *
 * The host trusts no address: it is looked at again after each entry into the
 * guest, which may have moved its memory.
 */
#include "postgres.h"

#include "language/lists.h"

#include "port/pg_bswap.h"

/* A list in the guest's memory, or one that the guest says is there */
typedef struct GuestList
{
	uint32		address;
	uint32		length;
} GuestList;

/* The guest broke the ABI: whatever it is now, it is not called again. */
static void pg_attribute_noreturn() pg_attribute_cold
refuse(PgwFunction *function, const char *what, GuestList list, const char *fault)
{
	pgw_instance_discard(function->instance);
	ereport(ERROR,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("WebAssembly function %s gave an address that %s", function->name, fault),
			 errdetail("The %s is at address %u, with a length of %u.", what, list.address, list.length)));
}

/* The list of elements of that size, aligned. */
static uint8_t *
elements_of(PgwFunction *function, const char *what, GuestList list, uint32 element_size)
{
	size_t		size;
	uint8_t    *memory = pgw_memory_bytes(&function->instance->store, &function->abi.memory, &size);

	if (list.address + (uint64) list.length * element_size > size)
		refuse(function, what, list, "is outside of its memory");
	if (list.address % element_size != 0)
		refuse(function, what, list, "is not aligned");
	return memory + list.address;
}

/* Calls a function that serves the others. */
static void
enter(PgwFunction *function, const PgwEntry *entry, PgwSlot *slots, size_t nslots)
{
	if (!pgw_instance_call(function->instance, entry, slots, nslots, function->stat))
		ereport(ERROR,
				(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
				 errmsg("WebAssembly function %s exited while it was given or gave back memory", function->name)));
}

/* Copies a list into memory that the guest allocates. */
static GuestList
give(PgwFunction *function, const PgwElements *list, uint32 element_size)
{
	GuestList	given = {0, list->length};
	size_t		size = list->length * element_size;
	/* old address, old size, alignment, size; then the address */
	PgwSlot		slots[4] = {{.i32 = 0}, {.i32 = 0}, {.i32 = element_size}, {.i32 = size}};

	enter(function, &function->abi.realloc, slots, lengthof(slots));
	given.address = slots[0].i32;
	memcpy(elements_of(function, "argument", given, element_size), list->elements, size);
	return given;
}

static void
give_all(PgwFunction *function, const PgwElements *lists, PgwSlot *slots)
{
	for (int i = 0; i < function->plan.nargs; i++)
	{
		GuestList	given;

		if (function->plan.lists[i] == NULL)
			continue;
		given = give(function, &lists[i], function->plan.lists[i]->element_size);
		slots[lists[i].slot].i32 = given.address;
		slots[lists[i].slot + 1].i32 = given.length;
	}
}

/* Copies the list whose address and length are there, and gives it back. */
static Datum
take(PgwFunction *function, int32 address)
{
	PgwList    *plan = function->plan.result_list;
	GuestList	pair = {address, 2};
	GuestList	list;
	struct varlena *copy;

	memcpy(&list, elements_of(function, "result", pair, sizeof(uint32)), sizeof(list));
#ifdef WORDS_BIGENDIAN
	list = (GuestList) {pg_bswap32(list.address), pg_bswap32(list.length)};
#endif
	copy = pgw_list_copy(plan, elements_of(function, "result", list, plan->element_size), list.length);
	if (function->abi.has_post)
		enter(function, &function->abi.post, &(PgwSlot) {.i32 = address}, 1);
	return pgw_list_lift(plan, copy);
}

Datum
pgw_lists_call(PgwFunction *function, FunctionCallInfo fcinfo)
{
	PgwPlan    *plan = &function->plan;
	PgwSlot    *slots = palloc(plan->nslots * sizeof(PgwSlot));
	PgwElements *lists = palloc(Max(plan->nargs, 1) * sizeof(PgwElements));

	pgw_plan_lists(plan, fcinfo, slots, lists);
	/* an output function may have called this one, which then failed */
	if (!pgw_instance_ready(function->instance))
		pgw_function_instantiate(function);
	give_all(function, lists, slots);
	if (!pgw_instance_call(function->instance, &function->entry, slots, plan->nslots, function->stat))
	{
		fcinfo->isnull = true;
		return (Datum) 0;
	}
	return plan->result_list != NULL ? take(function, slots[0].i32) : pgw_plan_result(plan, slots);
}
