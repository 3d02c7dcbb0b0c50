/*
 * body.h
 *		The grammar of a function body (pg_proc.prosrc) in LANGUAGE wasm.
 */
#ifndef PGW_BODY_H
#define PGW_BODY_H

#include "postgres.h"

#include "nodes/pg_list.h"

typedef enum PgwBodyKind
{
	PGW_BODY_WAT,				/* inline text */
	PGW_BODY_BINARY,			/* inline binary, "\x..." */
	PGW_BODY_REFERENCE			/* "name" or "name#export" */
} PgwBodyKind;

/*
 * A parsed body.  Points into the text that was parsed where it can; absent
 * parts are NULL.
 */
typedef struct PgwBody
{
	PgwBodyKind kind;
	/* the lines before the content; what they say, palloc'd */
	const char *header;
	size_t		header_length;
	char	   *file;
	char	   *sha256;
	char	   *id;
	char	   *header_export;
	bool		generated;		/* ";; generated" */
	/* what follows the header, trimmed; not zero-terminated */
	const char *content;
	size_t		length;
	/* of a reference */
	char	   *name;			/* text of the module's SQL name */
	char	   *export;			/* NULL: the function's own name */
} PgwBody;

/*
 * Parses a body; throws when it is empty.  With whole false the text is only
 * the head of a body, which has all of a header and of a reference; an inline
 * body's content is cut.
 */
extern void pgw_body_parse(const char *text, bool whole, PgwBody *body);

/* The same for other people's bodies: false, and no error, when it is empty. */
extern bool pgw_body_try_parse(const char *text, bool whole, PgwBody *body);

/*
 * The name parts (list of String, one or two) of a reference's module; throws
 * on bad syntax, or returns NIL.
 */
extern List *pgw_body_module_name(const char *name);
extern List *pgw_body_try_module_name(const char *name);

/*
 * The export that a function of that name calls: the one that its body names,
 * else the one of its own name.
 */
extern const char *pgw_body_export(const PgwBody *body, const char *function_name);

/* The bytes of an inline body: binary, or WAT in UTF-8; palloc'd. */
extern char *pgw_body_bytes(const PgwBody *body, size_t *length);

/*
 * An inline body of those bytes (binary, or WAT in UTF-8), without a header;
 * palloc'd.  Throws 22021 for a text that is not valid.
 */
extern char *pgw_body_make(const char *bytes, size_t length);

#endif							/* PGW_BODY_H */
