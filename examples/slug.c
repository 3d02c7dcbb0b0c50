/*
 * slug.c
 *		A title as a part of an address: "Hello, World!" is "hello-world".
 *
 * doc/guests/c.md says how it is built and called.
 */
#include "guest.h"

static int
is_letter_or_digit(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* text -> text: two numbers for the argument, an address for the result */
EXPORT("slug") String *
slug(const unsigned char *title, unsigned long length)
{
	String	   *result = allocate(sizeof(String), sizeof(void *));

	result->data = allocate(length, 1);
	result->length = 0;
	for (unsigned long i = 0; i < length; i++)
	{
		unsigned char c = title[i] >= 'A' && title[i] <= 'Z' ? title[i] - 'A' + 'a' : title[i];

		if (is_letter_or_digit(c))
			result->data[result->length++] = c;
		else if (result->length > 0 && result->data[result->length - 1] != '-')
			result->data[result->length++] = '-';
	}
	if (result->length > 0 && result->data[result->length - 1] == '-')
		result->length--;
	return result;
}

/* The host calls this when it has copied the result. */
EXPORT("cabi_post_slug") void
post_slug(String *result)
{
	free_all();
}

/* bytea -> integer: without such a result there is nothing to call back for */
EXPORT("ones") int
ones(const unsigned char *bytes, unsigned long length)
{
	int			count = 0;

	for (unsigned long i = 0; i < length; i++)
		count += __builtin_popcount(bytes[i]);
	free_all();
	return count;
}
