/*
 * text.h
 *		What form the bytes of a module have, by their beginning.
 *
 * Knows nothing of PostgreSQL, so that wasm-compile can share it.
 */
#ifndef PGW_TEXT_H
#define PGW_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Is it a module in text form: "(" after space and line comments? */
static inline bool
pgw_is_wat(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
	{
		if (bytes[i] == '(')
			return true;
		if (bytes[i] == ';' && i + 1 < length && bytes[i + 1] == ';')
		{
			while (i < length && bytes[i] != '\n')
				i++;
		}
		else if (bytes[i] == '\0' || strchr(" \t\r\n", bytes[i]) == NULL)
			return false;
	}
	return false;
}

/* Is it a component?  Its layer, in bytes 6 and 7, is 1. */
static inline bool
pgw_is_component(const char *bytes, size_t length)
{
	return length >= 8 && memcmp(bytes, "\0asm", 4) == 0 && bytes[6] == 1 && bytes[7] == 0;
}

#endif							/* PGW_TEXT_H */
