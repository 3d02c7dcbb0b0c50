/*
 * redirect.c
 *		Stops a guest at the instruction where a signal has interrupted it.
 *
 * A signal handler sees the program counter of what it interrupted, and may
 * change it.  Inside a function of a guest, the engine is in the same state as
 * at any instruction that may trap: so the program counter is set to a
 * trapping instruction of a small module of ours, and when the handler returns,
 * the engine unwinds the guest as for every other trap.
 *
 * Only inside the functions themselves: in the trampolines by which guests are
 * entered and left, the engine's record of that is not complete.  And no code
 * with tail calls: there the frame moves while arguments are placed.
 */
#include "postgres.h"

#include "engine/redirect.h"

#include "guc.h"

#ifdef PGW_CAN_REDIRECT

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "engine/error.h"
#include "engine/layout.h"
#include "utils/memutils.h"

#if defined(__x86_64__)
#define PROGRAM_COUNTER(context) ((context)->uc_mcontext.gregs[REG_RIP])
/* ud2 */
static const unsigned char trap_instruction[] = {0x0f, 0x0b};
#else
#define PROGRAM_COUNTER(context) ((context)->uc_mcontext.pc)
/* udf #0xc11f, which the code generator uses */
static const unsigned char trap_instruction[] = {0x1f, 0xc1, 0x00, 0x00};
#endif

/* (module (func unreachable)), compiled for mode 0 */
static const uint8_t trap_artifact[] = {
#include "build/trap-artifact.h"
};

/* A free entry has no end. */
typedef struct CodeRange
{
	const char *volatile start;
	const char *volatile end;
} CodeRange;

/* Signal handlers read this at any instruction: each store leaves it in order. */
typedef struct CodeRanges
{
	int			room;
	CodeRange	list[FLEXIBLE_ARRAY_MEMBER];
} CodeRanges;

static CodeRanges *volatile ranges = NULL;

static const char *trap_address = NULL;

static CodeRange *
free_range(void)
{
	for (int i = 0; ranges != NULL && i < ranges->room; i++)
	{
		if (ranges->list[i].end == NULL)
			return &ranges->list[i];
	}
	return NULL;
}

void
pgw_redirect_reserve(void)
{
	CodeRanges *old = ranges;
	CodeRanges *larger;
	int			room = old == NULL ? 16 : 2 * old->room;

	if (free_range() != NULL)
		return;
	larger = MemoryContextAllocZero(TopMemoryContext,
									offsetof(CodeRanges, list) + room * sizeof(CodeRange));
	larger->room = room;
	for (int i = 0; old != NULL && i < old->room; i++)
		larger->list[i] = old->list[i];
	ranges = larger;
	if (old != NULL)
		pfree(old);
}

void
pgw_redirect_learn(const char *code, size_t length)
{
	CodeRange  *range = free_range();

	Assert(range != NULL);
	if (length == 0)
		return;
	range->start = code;
	range->end = code + length;
}

void
pgw_redirect_forget(const char *code)
{
	for (int i = 0; ranges != NULL && i < ranges->room; i++)
	{
		if (ranges->list[i].end != NULL && ranges->list[i].start == code)
			ranges->list[i].end = NULL;
	}
}

bool
pgw_redirect_in_guest(const void *context)
{
	const char *pc = (const char *) PROGRAM_COUNTER((const ucontext_t *) context);
	const CodeRanges *known = ranges;

	for (int i = 0; known != NULL && i < known->room; i++)
	{
		if (pc >= known->list[i].start && pc < known->list[i].end)
			return true;
	}
	return false;
}

/* The pages of all code that is known.  Returns false when that failed. */
static bool
protect(int protection)
{
	const CodeRanges *known = ranges;
	uintptr_t	page = sysconf(_SC_PAGESIZE);
	bool		done = true;

	for (int i = 0; known != NULL && i < known->room; i++)
	{
		uintptr_t	start = (uintptr_t) known->list[i].start & ~(page - 1);
		uintptr_t	end = ((uintptr_t) known->list[i].end + page - 1) & ~(page - 1);

		if (end != 0 && mprotect((void *) start, end - start, protection) != 0)
			done = false;
	}
	return done;
}

static bool
in_pages(const char *address)
{
	const CodeRanges *known = ranges;
	uintptr_t	page = sysconf(_SC_PAGESIZE);

	for (int i = 0; known != NULL && i < known->room; i++)
	{
		if (known->list[i].end != NULL &&
			(uintptr_t) address >= ((uintptr_t) known->list[i].start & ~(page - 1)) &&
			(uintptr_t) address < (((uintptr_t) known->list[i].end + page - 1) & ~(page - 1)))
			return true;
	}
	return false;
}

void
pgw_redirect_hold(void)
{
	(void) protect(PROT_READ);
}

bool
pgw_redirect_held(const siginfo_t *info, const void *context)
{
	const char *pc = (const char *) PROGRAM_COUNTER((const ucontext_t *) context);

	return info->si_addr == pc && in_pages(pc) && protect(PROT_READ | PROT_EXEC);
}

/* The module lives as long as the backend. */
static const char *
find_trap(wasm_engine_t *engine)
{
	wasmtime_module_t *module;
	wasmtime_error_t *error = wasmtime_module_deserialize(engine, trap_artifact, sizeof(trap_artifact), &module);
	PgwLayout	layout;
	void	   *start;
	void	   *end;

	if (error != NULL)
		pgw_error_throw_load(error);
	wasmtime_module_image_range(module, &start, &end);
	if (!pgw_layout_find(start, &layout))
		return NULL;
	return memmem((const char *) start + layout.bodies_start, layout.bodies_end - layout.bodies_start,
				  trap_instruction, sizeof(trap_instruction));
}

void
pgw_redirect_try(wasm_engine_t *engine)
{
	wasmtime_module_t *module;
	wasmtime_error_t *error = wasmtime_module_deserialize(engine, trap_artifact, sizeof(trap_artifact), &module);

	/* refused, where the engine is of another configuration */
	if (error != NULL)
		wasmtime_error_delete(error);
	else
		wasmtime_module_delete(module);
}

void
pgw_redirect_init(wasm_engine_t *engine)
{
	trap_address = find_trap(engine);
	if (trap_address == NULL)
		elog(ERROR, "could not find the trap to redirect guests to");
}

void
pgw_redirect(void *context)
{
	PROGRAM_COUNTER((ucontext_t *) context) = (uintptr_t) trap_address;
}

#else

void
pgw_redirect_try(wasm_engine_t *engine)
{
}

void
pgw_redirect_reserve(void)
{
}

void
pgw_redirect_learn(const char *code, size_t length)
{
}

void
pgw_redirect_forget(const char *code)
{
}

bool
pgw_redirect_in_guest(const void *context)
{
	return false;
}

void
pgw_redirect_hold(void)
{
}

bool
pgw_redirect_held(const siginfo_t *info, const void *context)
{
	return false;
}

void
pgw_redirect_init(wasm_engine_t *engine)
{
}

void
pgw_redirect(void *context)
{
}

#endif							/* PGW_CAN_REDIRECT */
