/*
 * function.h
 *		What a session knows of a function in LANGUAGE wasm: its export, its
 *		plan and the instance that it calls.
 */
#ifndef PGW_FUNCTION_H
#define PGW_FUNCTION_H

#include "postgres.h"

#include "catalog/body.h"
#include "catalog/instance.h"
#include "catalog/proc.h"
#include "fmgr.h"
#include "lib/ilist.h"
#include "stat/stat.h"
#include "values/value.h"

/* What a guest exports so that the host can hand it lists, and take them. */
typedef struct PgwAbi
{
	PgwMemory	memory;
	PgwEntry	realloc;
	PgwEntry	post;			/* frees what a result takes, ... */
	bool		has_post;		/* ... if there is something to be freed */
} PgwAbi;

/*
 * A function bound to an export; shared by all call sites of the session.
 * When its row, its module or the type of its result changes, it stops being
 * current and usable, and the next call loads it anew; it is freed when the last
 * call site has left it.
 */
typedef struct PgwFunction
{
	Oid			oid;			/* with metered the hash key while current */
	bool		usable;			/* current, and metered or not as is wanted */
	bool		plain;			/* usable, and nothing but its plain plan to follow */
	bool		current;		/* nothing that it depends on has changed */
	bool		metered;		/* its calls consume fuel */
	bool		is_module;		/* returns its own bytes; has no plan */
	bool		returns_set;	/* of the elements of a list, or one row */
	bool		is_command;		/* of WASI: each call has a new instance */
	bool		may_query;		/* its module imports what runs queries */
	bool		read_only;		/* not VOLATILE: these may not change the database */
	int			sites;
	dlist_node	node;
	MemoryContext context;
	char	   *name;			/* for messages */
	uint32		hash;			/* of the row in invalidation messages */
	uint32		module_hash;	/* of the module's row */
	Oid			row_relation;	/* of a composite result, else InvalidOid */
	Oid			module;
	PgwLimits	limits;			/* of the module */
	PgwCode    *code;			/* held */
	const PgwExtern *export;
	PgwPlan		plan;
	PgwInstance *instance;		/* used; NULL before the first call */
	PgwEntry	entry;			/* of that instance, or ... */
	PgwHandle	handle;			/* ... of a component */
	PgwAbi		abi;			/* of that instance, where a core module's plan
								 * has a crossing */
	PgwStat    *stat;			/* attached; NULL for a module */
} PgwFunction;

/* fn_extra of a call site; in its fn_mcxt. */
typedef struct PgwCallSite
{
	PgwFunction *function;
	MemoryContextCallback callback;
} PgwCallSite;

extern void pgw_function_init(void);

/* The call site of a FmgrInfo, with its function loaded.  May throw. */
extern PgwCallSite *pgw_function_site(FmgrInfo *flinfo);

/* Gives the function an instance that is ready, and returns it.  May throw. */
extern PgwInstance *pgw_function_instantiate(PgwFunction *function) pg_attribute_cold;

/* Reads the signature of an ordinary function; palloc'd. */
extern void pgw_function_signature(const PgwProc *proc, PgwSignature *signature);

/*
 * The export that a function with this row and body calls in this code; throws
 * when there is none.
 */
extern const PgwExtern *pgw_function_export(const PgwProc *proc, const PgwBody *body,
											const PgwCode *code, const PgwProc *module);

/*
 * Makes the plan in the current memory context; throws, showing both
 * signatures, when they do not fit.
 */
extern void pgw_function_plan(const PgwProc *proc, const PgwCode *code, const PgwExtern *export,
							  PgwPlan *plan);

#endif							/* PGW_FUNCTION_H */
