/*
 * host.h
 *		Functions that PostgreSQL offers to a guest in C: queries, the session and
 *		messages, as in wit/host.wit.
 *
 * What a function returns is in memory that the guest's cabi_realloc has given,
 * that of guest.h for instance: it is the guest's until it frees that.
 */
#ifndef HOST_H
#define HOST_H

#include "guest.h"

#define IMPORT(interface, name) \
	__attribute__((import_module("postgres:host/" interface "@0.1.0"), import_name(name)))

/* A string literal as two arguments */
#define LITERAL(text) text, sizeof(text) - 1

/* --- queries --- */

typedef enum ValueKind
{
	VALUE_NULL,
	VALUE_BOOLEAN,
	VALUE_INT,
	VALUE_FLOAT,
	VALUE_TEXT,
	VALUE_BYTES
} ValueKind;

typedef struct Value
{
	unsigned char kind;
	union
	{
		_Bool		boolean;
		long long	integer;
		double		number;
		String		string;		/* of text and bytes */
	}			of;
} Value;

typedef struct Row
{
	Value	   *values;
	unsigned long length;
} Row;

typedef struct Rows
{
	Row		   *rows;
	unsigned long length;
} Rows;

typedef struct Option
{
	_Bool		some;
	String		string;
} Option;

typedef struct SqlError
{
	String		sqlstate;
	String		message;
	Option		detail;
	Option		hint;
} SqlError;

typedef struct QueryResult
{
	_Bool		is_error;
	union
	{
		Rows		rows;
		SqlError	error;
	}			of;
} QueryResult;

typedef struct ExecuteResult
{
	_Bool		is_error;
	union
	{
		unsigned long long processed;
		SqlError	error;
	}			of;
} ExecuteResult;

typedef struct Column
{
	String		name;
	String		type_name;
} Column;

typedef struct Columns
{
	Column	   *columns;
	unsigned long length;
} Columns;

/* A handle, to be dropped */
typedef int Cursor;

/* A query is a text and its length, and so are its parameters $1, $2, ... */
IMPORT("query", "query") void
host_query(const char *sql, unsigned long length, const Value *params, unsigned long nparams, Rows *rows);

IMPORT("query", "execute") unsigned long long
host_execute(const char *sql, unsigned long length, const Value *params, unsigned long nparams);

IMPORT("query", "try-query") void
host_try_query(const char *sql, unsigned long length, const Value *params, unsigned long nparams,
			   QueryResult *result);

IMPORT("query", "try-execute") void
host_try_execute(const char *sql, unsigned long length, const Value *params, unsigned long nparams,
				 ExecuteResult *result);

IMPORT("query", "open") Cursor
host_open(const char *sql, unsigned long length, const Value *params, unsigned long nparams);

IMPORT("query", "[method]cursor.columns") void
host_columns(Cursor cursor, Columns *columns);

IMPORT("query", "[method]cursor.fetch") void
host_fetch(Cursor cursor, unsigned long count, Rows *rows);

IMPORT("query", "[resource-drop]cursor") void
host_drop(Cursor cursor);

/* --- the session --- */

IMPORT("session", "current-user") void
host_current_user(String *name);

IMPORT("session", "database") void
host_database(String *name);

IMPORT("session", "setting") void
host_setting(const char *name, unsigned long length, Option *value);

/* Microseconds since 1970-01-01 00:00:00 UTC */
IMPORT("session", "transaction-timestamp") long long
host_transaction_timestamp(void);

/* --- messages --- */

typedef enum Level
{
	LEVEL_DEBUG,
	LEVEL_LOG,
	LEVEL_INFO,
	LEVEL_NOTICE,
	LEVEL_WARNING
} Level;

IMPORT("log", "log") void
host_log(Level level, const char *message, unsigned long length);

#endif							/* HOST_H */
