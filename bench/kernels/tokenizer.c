/*
 * tokenizer.c
 *		Splits a text like JSON into tokens.
 */
#include "kernels.h"

#include <stdbool.h>

#define TEXT_MAX (1024 * 1024)
#define DEPTH_MAX 16
#define ELEMENT_MAX 64

typedef enum TokenKind
{
	TOKEN_END,
	TOKEN_ERROR,
	TOKEN_PUNCTUATION,
	TOKEN_STRING,
	TOKEN_NUMBER,
	TOKEN_WORD
} TokenKind;

typedef struct Token
{
	TokenKind	kind;
	const char *start;
	const char *end;
} Token;

static char text[TEXT_MAX + ELEMENT_MAX + 2 * DEPTH_MAX + 1];

/* --- the input --- */

static char *
put(char *at, const char *what)
{
	while (*what != '\0')
		*at++ = *what++;
	return at;
}

static char *
put_number(char *at, uint32_t number)
{
	char		digits[10];
	int			n = 0;

	do
		digits[n++] = '0' + number % 10;
	while ((number /= 10) > 0);
	while (n > 0)
		*at++ = digits[--n];
	return at;
}

static char *
put_string(char *at, uint32_t *seed)
{
	uint32_t	length = next_random(seed) % 16;

	*at++ = '"';
	for (uint32_t i = 0; i < length; i++)
	{
		uint32_t	c = next_random(seed) % 32;

		if (c < 26)
			*at++ = 'a' + c;
		else
			at = put(at, c == 31 ? "\\\"" : " ");
	}
	*at++ = '"';
	return at;
}

static char *
put_scalar(char *at, uint32_t *seed)
{
	switch (next_random(seed) % 5)
	{
		case 0:
			return put(at, next_random(seed) % 2 ? "true" : "null");
		case 1:
		case 2:
			return put_string(at, seed);
		case 3:
			at = put_number(at, next_random(seed) % 1000);
			*at++ = '.';
			return put_number(at, next_random(seed));
		default:
			return put_number(at, next_random(seed));
	}
}

/* Objects within objects; returns the end of the text. */
static char *
generate(int32_t size)
{
	uint32_t	seed = 6;
	char	   *at = text;
	int			depth = 1;

	*at++ = '{';
	while (at < text + size)
	{
		at = put_string(at, &seed);
		at = put(at, ": ");
		if (depth < DEPTH_MAX && next_random(&seed) % 8 == 0)
		{
			*at++ = '{';
			depth++;
			continue;
		}
		at = put_scalar(at, &seed);
		if (depth > 1 && next_random(&seed) % 8 == 0)
		{
			*at++ = '}';
			depth--;
		}
		at = put(at, ",\n");
	}
	while (depth-- > 0)
		*at++ = '}';
	*at = '\0';
	return at;
}

/* --- the tokenizer --- */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *
skip_number(const char *at)
{
	while (is_digit(*at))
		at++;
	if (*at == '.')
		for (at++; is_digit(*at); at++)
			;
	if (*at == 'e' || *at == 'E')
	{
		at++;
		if (*at == '+' || *at == '-')
			at++;
		while (is_digit(*at))
			at++;
	}
	return at;
}

/* From after the quotation mark; NULL when there is no other. */
static const char *
skip_string(const char *at)
{
	for (; *at != '\0'; at++)
	{
		if (*at == '"')
			return at + 1;
		if (*at == '\\' && *++at == '\0')
			break;
	}
	return 0;
}

static Token
next_token(const char *at)
{
	Token		token;

	while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
		at++;
	token.start = at;
	switch (*at)
	{
		case '\0':
			token.kind = TOKEN_END;
			token.end = at;
			break;
		case '{':
		case '}':
		case '[':
		case ']':
		case ':':
		case ',':
			token.kind = TOKEN_PUNCTUATION;
			token.end = at + 1;
			break;
		case '"':
			token.end = skip_string(at + 1);
			token.kind = token.end != 0 ? TOKEN_STRING : TOKEN_ERROR;
			break;
		case '-':
		case '0':
		case '1':
		case '2':
		case '3':
		case '4':
		case '5':
		case '6':
		case '7':
		case '8':
		case '9':
			token.kind = TOKEN_NUMBER;
			token.end = skip_number(at + 1);
			break;
		default:
			token.end = at;
			while (*token.end >= 'a' && *token.end <= 'z')
				token.end++;
			token.kind = token.end > at ? TOKEN_WORD : TOKEN_ERROR;
			break;
	}
	return token;
}

static uint32_t
tokenize(void)
{
	uint32_t	hash = 0;
	Token		token = next_token(text);

	while (token.kind != TOKEN_END && token.kind != TOKEN_ERROR)
	{
		hash = hash * 31 + token.kind * 1024 + (uint32_t) (token.end - token.start);
		token = next_token(token.end);
	}
	return hash * 31 + token.kind;
}

KERNEL(int64_t, tokenizer)
{
	uint32_t	sum = 0;
	char	   *end;

	if (size > TEXT_MAX)
		return -1;
	end = generate(size);
	for (int32_t i = 0; i < repetitions; i++)
	{
		/* another text each time */
		text[(end - text) / 2 + i] = ' ';
		sum = sum * 31 + tokenize();
	}
	return sum;
}
