/*
 * crc32.c
 *		CRC-32 of IEEE 802.3, a byte at a time by a table.
 */
#include "kernels.h"

#define DATA_MAX (4 * 1024 * 1024)

static uint32_t table[256];
static uint8_t data[DATA_MAX];

static void
make_table(void)
{
	for (uint32_t i = 0; i < 256; i++)
	{
		uint32_t	crc = i;

		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
		table[i] = crc;
	}
}

static uint32_t
checksum(const uint8_t *bytes, int32_t length)
{
	uint32_t	crc = 0xFFFFFFFF;

	for (int32_t i = 0; i < length; i++)
		crc = table[(crc ^ bytes[i]) & 0xFF] ^ crc >> 8;
	return ~crc;
}

KERNEL(int64_t, crc32)
{
	uint32_t	seed = 1;
	uint32_t	crc = 0;

	if (size > DATA_MAX)
		return -1;
	make_table();
	for (int32_t i = 0; i < size; i++)
		data[i] = next_random(&seed);
	for (int32_t i = 0; i < repetitions; i++)
	{
		data[0] = crc;
		crc = checksum(data, size);
	}
	return crc;
}
