/*
 * session.c
 *		The interface session of wit/host.wit.
 */
#include "postgres.h"

#include "host/session.h"

#include "access/xact.h"
#include "commands/dbcommands.h"
#include "datatype/timestamp.h"
#include "host/abi.h"
#include "miscadmin.h"
#include "utils/guc.h"

/* Gives a string, as the result whose place the guest has named. */
static void
give(PgwGuest *guest, const char *text, uint32 address)
{
	PgwGuestList list = pgw_guest_give_text(guest, text);

	pgw_guest_write(guest, address, &list, sizeof(list), PGW_LIST_ALIGNMENT);
}

static uint32
current_user(PgwGuest *guest, const PgwSlot *slots)
{
	MemoryContext caller = pgw_scratch_begin();

	give(guest, GetUserNameFromId(GetUserId(), false), slots[0].i32);
	pgw_scratch_end(caller);
	return 0;
}

static uint32
database(PgwGuest *guest, const PgwSlot *slots)
{
	MemoryContext caller = pgw_scratch_begin();

	give(guest, get_database_name(MyDatabaseId), slots[0].i32);
	pgw_scratch_end(caller);
	return 0;
}

static uint32
setting(PgwGuest *guest, const PgwSlot *slots)
{
	MemoryContext caller = pgw_scratch_begin();
	char	   *name = pgw_guest_text(guest, (PgwGuestList) {slots[0].i32, slots[1].i32});
	PgwGuestOption option = pgw_guest_give_option(guest, GetConfigOptionByName(name, NULL, true));

	pgw_guest_write(guest, slots[2].i32, &option, sizeof(option), PGW_LIST_ALIGNMENT);
	pgw_scratch_end(caller);
	return 0;
}

static uint64
transaction_timestamp(PgwGuest *guest, const PgwSlot *slots)
{
	return GetCurrentTransactionStartTimestamp() +
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

static const PgwHostFunction functions[] = {
	{"current-user", "i", current_user},
	{"database", "i", database},
	{"setting", "iii", setting},
	{"transaction-timestamp", ":I", NULL, transaction_timestamp},
	{NULL}
};

const PgwHostModule pgw_session_module = {"postgres:host/session@0.1.0", functions};
