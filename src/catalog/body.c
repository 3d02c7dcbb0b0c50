/*
 * body.c
 *		The grammar of a function body (pg_proc.prosrc) in LANGUAGE wasm.
 *
 *	body	= { header-line } ( wat | "\x" hex-digits | reference )
 *	header-line = blank | ";;" text
 *	reference = name [ "#" export ]
 *
 * White space at both ends is trimmed.  A name is an SQL name, qualified and
 * quoted as need be, and ends at the first "#" outside of double quotes.
 * Header lines of the forms below mean something; others are comments.
 *
 *	;; generated		the function was made by wasm_new_instance
 *	;; file: path		where wasm_new_instance read the module
 *	;; sha256: hex		digest of the module's bytes
 *	;; id: uuid			the module's id
 *	;; export: name		what a function with an inline module calls
 */
#include "postgres.h"

#include "catalog/body.h"

#include "catalog/namespace.h"
#include "engine/text.h"
#include "mb/pg_wchar.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

static const char *
skip_space(const char *text)
{
	while (is_space(*text))
		text++;
	return text;
}

/* The value of a header line "key: value", trimmed and palloc'd; NULL for another key. */
static char *
header_value(const char *line, size_t length, const char *key)
{
	size_t		keylen = strlen(key);
	const char *end = line + length;

	if (length <= keylen || strncmp(line, key, keylen) != 0 || line[keylen] != ':')
		return NULL;
	line += keylen + 1;
	while (line < end && is_space(*line))
		line++;
	while (end > line && is_space(end[-1]))
		end--;
	return pnstrdup(line, end - line);
}

static void
parse_header_line(const char *line, size_t length, PgwBody *body)
{
	char	   *value;

	while (length > 0 && is_space(*line))
	{
		line++;
		length--;
	}
	if (length >= 9 && strncmp(line, "generated", 9) == 0 &&
		skip_space(line + 9) >= line + length)
		body->generated = true;
	else if ((value = header_value(line, length, "file")) != NULL)
		body->file = value;
	else if ((value = header_value(line, length, "sha256")) != NULL)
		body->sha256 = value;
	else if ((value = header_value(line, length, "id")) != NULL)
		body->id = value;
	else if ((value = header_value(line, length, "export")) != NULL)
		body->header_export = value;
}

/* Returns the start of the content. */
static const char *
parse_header(const char *text, PgwBody *body)
{
	for (;;)
	{
		size_t		length;

		text = skip_space(text);
		if (strncmp(text, ";;", 2) != 0)
			return text;
		length = strcspn(text, "\n");
		parse_header_line(text + 2, length - 2, body);
		text += length;
	}
}

static void
parse_reference(PgwBody *body)
{
	bool		quoted = false;

	for (size_t i = 0; i < body->length; i++)
	{
		if (body->content[i] == '"')
			quoted = !quoted;
		else if (body->content[i] == '#' && !quoted)
		{
			body->name = pnstrdup(body->content, i);
			body->export = pnstrdup(body->content + i + 1, body->length - i - 1);
			return;
		}
	}
	body->name = pnstrdup(body->content, body->length);
}

bool
pgw_body_try_parse(const char *text, bool whole, PgwBody *body)
{
	memset(body, 0, sizeof(PgwBody));
	body->header = skip_space(text);
	body->content = parse_header(text, body);
	body->header_length = body->content - body->header;
	body->length = strlen(body->content);
	while (whole && body->length > 0 && is_space(body->content[body->length - 1]))
		body->length--;

	if (body->length == 0)
		return false;
	if (body->content[0] == '(')
		body->kind = PGW_BODY_WAT;
	else if (strncmp(body->content, "\\x", 2) == 0)
		body->kind = PGW_BODY_BINARY;
	else
	{
		body->kind = PGW_BODY_REFERENCE;
		parse_reference(body);
	}
	return true;
}

void
pgw_body_parse(const char *text, bool whole, PgwBody *body)
{
	if (!pgw_body_try_parse(text, whole, body))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
				 errmsg("body of a WebAssembly function is empty"),
				 errhint("Write a module in text form, \"\\x\" and the hex digits of a binary module, or \"module#export\".")));
}

List *
pgw_body_try_module_name(const char *name)
{
	List	   *identifiers;
	List	   *parts = NIL;
	ListCell   *cell;

	if (!SplitIdentifierString(pstrdup(name), '.', &identifiers) || list_length(identifiers) > 2)
		return NIL;
	foreach(cell, identifiers)
		parts = lappend(parts, makeString(lfirst(cell)));
	return parts;
}

List *
pgw_body_module_name(const char *name)
{
	List	   *parts = pgw_body_try_module_name(name);

	if (parts == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid name of a WebAssembly module: \"%s\"", name),
				 errhint("Write \"module#export\" or \"schema.module#export\", with double quotes where SQL needs them.")));
	return parts;
}

const char *
pgw_body_export(const PgwBody *body, const char *function_name)
{
	if (body->export != NULL)
		return body->export;
	if (body->kind != PGW_BODY_REFERENCE && body->header_export != NULL)
		return body->header_export;
	return function_name;
}

char *
pgw_body_bytes(const PgwBody *body, size_t *length)
{
	char	   *bytes;

	if (body->kind == PGW_BODY_WAT)
	{
		char	   *text = pnstrdup(body->content, body->length);

		bytes = pg_server_to_any(text, body->length, PG_UTF8);
		*length = strlen(bytes);
		return bytes;
	}
	Assert(body->kind == PGW_BODY_BINARY);
	bytes = palloc((body->length - 2) / 2 + 1);
	*length = hex_decode(body->content + 2, body->length - 2, bytes);
	return bytes;
}

char *
pgw_body_make(const char *bytes, size_t length)
{
	char	   *text;

	if (pgw_is_wat(bytes, length))
	{
		PgwBody		ignored;

		pg_verify_mbstr(PG_UTF8, bytes, length, false);
		/* comments at the head of a text would be taken for our header */
		text = pnstrdup(parse_header(pnstrdup(bytes, length), &ignored), length);
		return pg_any_to_server(text, strlen(text), PG_UTF8);
	}
	text = palloc(2 + length * 2 + 1);
	memcpy(text, "\\x", 2);
	text[2 + hex_encode(bytes, length, text + 2)] = '\0';
	return text;
}
