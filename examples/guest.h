/*
 * guest.h
 *		What a guest in C without a library needs for strings and bytes: memory
 *		that the host and the guest take from, and that is free after the call.
 *
 * To be included by one source file.
 */
#ifndef GUEST_H
#define GUEST_H

#define EXPORT(name) __attribute__((export_name(name)))

#define PAGE 65536UL

/* text, bytea and the like, as an argument and as a result */
typedef struct String
{
	unsigned char *data;
	unsigned long length;
} String;

/* Where the linker ends the guest's own data */
extern unsigned char __heap_base;

static unsigned long used = 0;

static void *
allocate(unsigned long size, unsigned long alignment)
{
	unsigned long start = ((unsigned long) &__heap_base + used + alignment - 1) & -alignment;
	unsigned long end = start + size;
	unsigned long pages = (end + PAGE - 1) / PAGE;

	if (end < start ||
		(pages > __builtin_wasm_memory_size(0) &&
		 __builtin_wasm_memory_grow(0, pages - __builtin_wasm_memory_size(0)) == -1UL))
		__builtin_trap();
	used = end - (unsigned long) &__heap_base;
	return (void *) start;
}

/* Everything that was allocated is free again. */
static void
free_all(void)
{
	used = 0;
}

/* The host allocates an argument; it never asks to change one. */
EXPORT("cabi_realloc") void *
cabi_realloc(void *old, unsigned long old_size, unsigned long alignment, unsigned long size)
{
	return allocate(size, alignment);
}

#endif							/* GUEST_H */
