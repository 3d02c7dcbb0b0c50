/*
 * layout.c
 *		Where the code of a guest is in a compiled module.
 *
 * An artifact is an ELF file.  Its symbols name what the engine has compiled:
 * "wasm[0]::function[7]..." are the guest's functions, "wasmtime_builtin_..."
 * the stubs by which they call the engine; the trampolines by which guests are
 * entered have other names.
 */
#include "engine/layout.h"

#include <elf.h>
#include <string.h>

static const Elf64_Shdr *
sections_of(const char *elf)
{
	return (const Elf64_Shdr *) (elf + ((const Elf64_Ehdr *) elf)->e_shoff);
}

static const Elf64_Shdr *
find_section(const char *elf, const char *name)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *) elf;
	const Elf64_Shdr *sections = sections_of(elf);
	const char *names = elf + sections[header->e_shstrndx].sh_offset;

	for (int i = 0; i < header->e_shnum; i++)
	{
		if (strcmp(names + sections[i].sh_name, name) == 0)
			return &sections[i];
	}
	return NULL;
}

/* A kind of code, by the names of its symbols. */
typedef bool (*IsOfKind) (const char *name);

static bool
is_function(const char *name)
{
	return strncmp(name, "wasm[", 5) == 0 && strstr(name, "]::function[") != NULL;
}

static bool
is_builtin(const char *name)
{
	return strncmp(name, "wasmtime_builtin_", 17) == 0;
}

static const IsOfKind kinds[PGW_SPANS] = {is_function, is_builtin};

/* Returns false when code of another kind is within the span. */
static bool
find_span(const char *elf, IsOfKind is_of_kind, PgwSpan *span)
{
	const Elf64_Shdr *text = find_section(elf, ".text");
	const Elf64_Shdr *table = find_section(elf, ".symtab");
	const Elf64_Sym *symbols = (const Elf64_Sym *) (elf + table->sh_offset);
	const Elf64_Sym *symbols_end = symbols + table->sh_size / sizeof(Elf64_Sym);
	const char *names = elf + sections_of(elf)[table->sh_link].sh_offset;
	uint64_t	start = UINT64_MAX;
	uint64_t	end = 0;

	for (const Elf64_Sym *symbol = symbols; symbol < symbols_end; symbol++)
	{
		uint64_t	symbol_end = symbol->st_value + symbol->st_size;

		if (!is_of_kind(names + symbol->st_name))
			continue;
		start = symbol->st_value < start ? symbol->st_value : start;
		end = symbol_end > end ? symbol_end : end;
	}
	for (const Elf64_Sym *symbol = symbols; symbol < symbols_end; symbol++)
	{
		if (symbol->st_size > 0 && !is_of_kind(names + symbol->st_name) &&
			symbol->st_value < end && symbol->st_value + symbol->st_size > start)
			return false;
	}
	span->start = start < end ? text->sh_offset + start : 0;
	span->end = start < end ? text->sh_offset + end : 0;
	return true;
}

bool
pgw_layout_find(const char *artifact, PgwLayout *layout)
{
	if (find_section(artifact, ".text") == NULL || find_section(artifact, ".symtab") == NULL)
		return false;
	for (int i = 0; i < PGW_SPANS; i++)
	{
		if (!find_span(artifact, kinds[i], &layout->spans[i]))
			return false;
	}
	return true;
}

bool
pgw_layout_fits(const PgwLayout *layout, uint64_t length)
{
	for (int i = 0; i < PGW_SPANS; i++)
	{
		if (layout->spans[i].start > layout->spans[i].end || layout->spans[i].end > length)
			return false;
	}
	return true;
}
