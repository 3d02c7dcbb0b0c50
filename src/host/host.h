/*
 * host.h
 *		What guests may import: functions of the host.
 */
#ifndef PGW_HOST_H
#define PGW_HOST_H

#include "postgres.h"

#include <wasmtime.h>

#include "engine/code.h"
#include "engine/engine.h"

/* The guest that calls a function of the host, for as long as the call lasts */
typedef struct PgwGuest PgwGuest;

/*
 * A function that guests may import.  run, or run64 where the result is an i64,
 * gets the arguments in slots and returns the result, which counts where the type
 * has one.  It may throw: the guest is unwound, and its call ends with that error.
 */
typedef struct PgwHostFunction
{
	const char *name;
	const char *type;			/* of each parameter 'i' for i32 or 'I' for i64,
								 * then "", ":i" or ":I", the result */
	uint32		(*run) (PgwGuest *guest, const PgwSlot *slots);
	uint64		(*run64) (PgwGuest *guest, const PgwSlot *slots);
} PgwHostFunction;

/* Functions that are imported from the same module; ended by one without a name. */
typedef struct PgwHostModule
{
	const char *name;
	const PgwHostFunction *functions;
} PgwHostModule;

/*
 * Throws, naming it, when the module imports something that nobody provides.  To be
 * called before an instance is made: links a component.
 */
extern void pgw_host_check(PgwCode *code);

/* Does the module import what runs queries, so that volatility matters? */
extern bool pgw_host_may_query(const PgwCode *code);

/* What an instance of that code is to be given; as long as the code is held. */
extern PgwImports pgw_host_imports(const PgwCode *code);

/*
 * Bytes in the memory that the guest exports as "memory"; NULL when they are not
 * all in it.  They stay in their place until the guest goes on.
 */
extern void *pgw_guest_bytes(PgwGuest *guest, uint32 address, uint64 length);

/*
 * Memory that the guest allocates, by its cabi_realloc: the guest runs, and bytes
 * are no longer where they were.  The address is aligned, and all of the block in
 * the guest's memory.  Throws what ends the guest, and 38000 when it has no
 * cabi_realloc or gives a wrong address.
 */
extern uint32 pgw_guest_alloc(PgwGuest *guest, uint32 alignment, uint32 size);

/* The store that it runs in, for its limits and what functions of the host keep. */
extern PgwStore *pgw_guest_store(PgwGuest *guest);

/* Lets the guest's call end, without an error and without a result, when run returns. */
extern void pgw_guest_exit(PgwGuest *guest);

#endif							/* PGW_HOST_H */
