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

static uint8_t *
bytes_of(PgwFunction *function, const char *what, GuestList list)
{
	size_t		size;
	uint8_t    *memory = pgw_memory_bytes(&function->instance->store, &function->abi.memory, &size);

	if ((uint64) list.address + list.length > size)
		refuse(function, what, list, "is outside of its memory");
	return memory + list.address;
}

static void
enter(PgwFunction *function, const PgwEntry *entry, PgwSlot *slots, size_t nslots)
{
	pgw_instance_call(function->instance, entry, slots, nslots, function->stat);
}

/* Copies bytes into memory that the guest allocates. */
static GuestList
give(PgwFunction *function, const PgwBytes *bytes)
{
	GuestList	list = {0, bytes->length};
	/* old address, old size, alignment, size; then the address */
	PgwSlot		slots[4] = {{.i32 = 0}, {.i32 = 0}, {.i32 = 1}, {.i32 = list.length}};

	enter(function, &function->abi.realloc, slots, lengthof(slots));
	list.address = slots[0].i32;
	memcpy(bytes_of(function, "argument", list), bytes->bytes, bytes->length);
	return list;
}

static void
give_all(PgwFunction *function, const PgwBytes *bytes, PgwSlot *slots)
{
	for (int i = 0; i < function->plan.nargs; i++)
	{
		GuestList	list;

		if (function->plan.lists[i] == NULL)
			continue;
		list = give(function, &bytes[i]);
		slots[bytes[i].slot].i32 = list.address;
		slots[bytes[i].slot + 1].i32 = list.length;
	}
}

/* Copies the list that the pair at this address denotes, and gives it back. */
static Datum
take(PgwFunction *function, int32 address)
{
	GuestList	pair = {address, sizeof(GuestList)};
	GuestList	list;
	bytea	   *copy;

	if (pair.address % sizeof(uint32) != 0)
		refuse(function, "result", pair, "is not aligned");
	memcpy(&list, bytes_of(function, "result", pair), sizeof(list));
#ifdef WORDS_BIGENDIAN
	list = (GuestList) {pg_bswap32(list.address), pg_bswap32(list.length)};
#endif
	copy = pgw_list_copy(bytes_of(function, "result", list), list.length);
	if (function->abi.has_post)
		enter(function, &function->abi.post, &(PgwSlot) {.i32 = address}, 1);
	return pgw_list_lift(function->plan.result_list, copy);
}

Datum
pgw_lists_call(PgwFunction *function, FunctionCallInfo fcinfo)
{
	PgwPlan    *plan = &function->plan;
	PgwSlot    *slots = palloc(plan->nslots * sizeof(PgwSlot));
	PgwBytes   *bytes = palloc(Max(plan->nargs, 1) * sizeof(PgwBytes));

	pgw_plan_lists(plan, fcinfo, slots, bytes);
	/* an output function may have called this one, which then failed */
	if (!pgw_instance_ready(function->instance))
		pgw_function_instantiate(function);
	give_all(function, bytes, slots);
	enter(function, &function->entry, slots, plan->nslots);
	return plan->result_list != NULL ? take(function, slots[0].i32) : pgw_plan_result(plan, slots);
}
