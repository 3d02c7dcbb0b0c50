/*
 * component_files.h
 *		Files in WASI, 0.2, for components.
 */
#ifndef PGW_COMPONENT_FILES_H
#define PGW_COMPONENT_FILES_H

#include "postgres.h"

#include "engine/component.h"

/*
 * Does what the guest that runs asks for; errors of files are in the request.  Throws
 * as the functions of files.h do.
 */
extern void pgw_component_file(PgwFileOperation operation, PgwFileRequest *request);

#endif							/* PGW_COMPONENT_FILES_H */
