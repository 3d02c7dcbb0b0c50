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
 * A function that guests may import.  run gets the arguments in slots and
 * returns the result, an i32, which counts where the type has one.  It may throw:
 * the guest is unwound, and its call ends with that error.
 */
typedef struct PgwHostFunction
{
	const char *name;
	const char *type;			/* of each parameter 'i' for i32 or 'I' for i64,
								 * then "" or ":i", the result */
	uint32		(*run) (PgwGuest *guest, const PgwSlot *slots);
} PgwHostFunction;

/* Functions that are imported from the same module; ended by one without a name. */
typedef struct PgwHostModule
{
	const char *name;
	const PgwHostFunction *functions;
} PgwHostModule;

/* Throws, naming it, when the module imports something that nobody provides. */
extern void pgw_host_check(const PgwCode *code);

/* What an instance of that code is to be given; as long as the code is held. */
extern PgwImports pgw_host_imports(const PgwCode *code);

/*
 * Bytes in the memory that the guest exports as "memory"; NULL when they are not
 * all in it.  They stay in their place until the guest goes on.
 */
extern void *pgw_guest_bytes(PgwGuest *guest, uint32 address, uint64 length);

/* Lets the guest's call end, without an error and without a result, when run returns. */
extern void pgw_guest_exit(PgwGuest *guest);

#endif							/* PGW_HOST_H */
