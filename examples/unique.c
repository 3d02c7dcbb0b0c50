/*
 * unique.c
 *		A slug that no page has yet: "a-page" is "a-page-3" where there are two.
 *
 * doc/guests/c.md says how it is built and called.
 */
#include "host.h"

/* Writes the decimal digits of a number and returns how many they are. */
static unsigned long
write_digits(unsigned char *to, long long number)
{
	unsigned long length = number < 10 ? 0 : write_digits(to, number / 10);

	to[length] = '0' + number % 10;
	return length + 1;
}

/* text -> text */
EXPORT("unique_slug") String *
unique_slug(unsigned char *slug, unsigned long length)
{
	String	   *result = allocate(sizeof(String), sizeof(void *));
	Value		wanted = {VALUE_TEXT, {.string = {slug, length}}};
	Rows		rows;
	long long	taken;

	host_query(LITERAL("SELECT count(*) FROM page WHERE slug = $1 OR slug LIKE $1 || '-_%'"), &wanted, 1, &rows);
	taken = rows.rows[0].values[0].of.integer;

	/* "-" and the digits of a bigint */
	result->data = allocate(length + 20, 1);
	result->length = length;
	__builtin_memcpy(result->data, slug, length);
	if (taken > 0)
	{
		result->data[result->length++] = '-';
		result->length += write_digits(result->data + result->length, taken + 1);
	}
	return result;
}

EXPORT("cabi_post_unique_slug") void
post_unique_slug(String *result)
{
	free_all();
}
