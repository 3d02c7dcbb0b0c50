/*
 * base64.c
 *		Encodes bytes to base 64 and decodes them again.
 */
#include "kernels.h"

#define DATA_MAX (1024 * 1024)
#define SAMPLE 61

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static uint8_t values[256];
static uint8_t data[DATA_MAX];
static char encoded[(DATA_MAX + 2) / 3 * 4];
static uint8_t decoded[DATA_MAX + 2];

static int32_t
encode(const uint8_t *from, int32_t length, char *to)
{
	char	   *start = to;
	int32_t		i;

	for (i = 0; i + 2 < length; i += 3)
	{
		uint32_t	word = from[i] << 16 | from[i + 1] << 8 | from[i + 2];

		*to++ = alphabet[word >> 18];
		*to++ = alphabet[word >> 12 & 63];
		*to++ = alphabet[word >> 6 & 63];
		*to++ = alphabet[word & 63];
	}
	if (i < length)
	{
		uint32_t	word = from[i] << 16 | (i + 1 < length ? from[i + 1] << 8 : 0);

		*to++ = alphabet[word >> 18];
		*to++ = alphabet[word >> 12 & 63];
		*to++ = i + 1 < length ? alphabet[word >> 6 & 63] : '=';
		*to++ = '=';
	}
	return to - start;
}

/* Returns the length, or -1 where a character is none of the alphabet. */
static int32_t
decode(const char *from, int32_t length, uint8_t *to)
{
	uint8_t    *start = to;
	uint32_t	word = 0;
	int			bits = 0;

	for (int32_t i = 0; i < length && from[i] != '='; i++)
	{
		uint8_t		value = values[(uint8_t) from[i]];

		if (value == 255)
			return -1;
		word = word << 6 | value;
		bits += 6;
		if (bits >= 8)
		{
			bits -= 8;
			*to++ = word >> bits;
		}
	}
	return to - start;
}

/* Of some of them */
static uint32_t
checksum(const char *characters, int32_t length)
{
	uint32_t	sum = 0;

	for (int32_t i = 0; i < length; i += SAMPLE)
		sum = sum * 31 + characters[i];
	return sum;
}

KERNEL(int64_t, base64)
{
	uint32_t	seed = 7;
	uint32_t	sum = 0;

	if (size > DATA_MAX)
		return -1;
	for (int32_t i = 0; i < 256; i++)
		values[i] = 255;
	for (int32_t i = 0; i < 64; i++)
		values[(uint8_t) alphabet[i]] = i;
	for (int32_t i = 0; i < size; i++)
		data[i] = next_random(&seed);
	for (int32_t i = 0; i < repetitions; i++)
	{
		int32_t		length = encode(data, size, encoded);

		sum += checksum(encoded, length);
		length = decode(encoded, length, decoded);
		if (length != size)
			return -1;
		data[0] = decoded[length - 1];
	}
	return sum + decoded[size / 2];
}
